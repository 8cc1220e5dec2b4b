//! A connection that asks one request after the other: HTTP/1.1 as far as our own server speaks it.
//!
//! Every failure is the connection's end: whoever asked does not know whether it was done.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::answer::Answer;
use crate::play::Ask;

/// A server that says nothing for so long is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest line of a head, and largest body: far beyond what the scenarios ask for.
const BYTES_MAX: u64 = 64 << 20;

/// An open connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// A connection that ended before the whole answer was there.
    pub fn ask(&mut self, ask: &Ask) -> Result<Answer> {
        let mut request = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n",
            ask.method,
            ask.target,
            ask.body.len()
        );
        for (name, value) in &ask.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(&ask.body);
        self.stream.get_mut().write_all(request.as_bytes())?;
        read(&mut self.stream)
    }
}

fn read(stream: &mut impl BufRead) -> Result<Answer> {
    let first = line(stream)?;
    let status = first.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| broken("no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: String::new() };
    let body = body(stream, &answer)?;
    answer.body = String::from_utf8(body).map_err(|_| broken("a body that is not UTF-8"))?;
    Ok(answer)
}

fn body(stream: &mut impl BufRead, answer: &Answer) -> Result<Vec<u8>> {
    if answer.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return chunks(stream);
    }
    match answer.header("content-length") {
        Some(length) => exactly(stream, length.parse().map_err(|_| broken("a length that is no number"))?),
        None => Ok(Vec::new()),
    }
}

fn chunks(stream: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream)?;
        let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16);
        let size = size.map_err(|_| broken("a chunk without a size"))?;
        body.extend(exactly(stream, size)?);
        // The line end after a chunk; after the last one, the end of the trailers.
        line(stream)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn exactly(stream: &mut impl BufRead, length: u64) -> Result<Vec<u8>> {
    if length > BYTES_MAX {
        return Err(broken("a body that is too large"));
    }
    let mut body = Vec::new();
    let read = stream.take(length).read_to_end(&mut body)?;
    if u64::try_from(read).is_ok_and(|read| read == length) { Ok(body) } else { Err(broken("half a body")) }
}

fn line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = Vec::new();
    stream.take(BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Err(broken("half a head"));
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::UnexpectedEof, format!("the connection ended with {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_end_where_they_say() {
        let mut two: &[u8] =
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        let (first, second) = (read(&mut two).unwrap(), read(&mut two).unwrap());
        assert_eq!((first.status, first.body.as_str()), (200, "[]"));
        assert_eq!((second.status, second.body.as_str()), (201, "abcd"));
        assert!(two.is_empty());
    }

    #[test]
    fn half_an_answer_is_none() {
        for mut half in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]"[..],
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            b"",
        ] {
            assert!(read(&mut half).is_err());
        }
    }
}
