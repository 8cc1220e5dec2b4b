//! Messages both ways, as PostgreSQL's protocol has them.
//!
//! What is written waits until an answer is waited for, and goes out together with all else that was written; while it goes,
//! answers are taken, so that neither side waits for the other. Nothing here knows what a message means.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::{self, Header};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::reach::Stream;

/// Room for what is read at once: many replies come whole.
const READ_BYTES: usize = 16 << 10;

/// What a buffer may keep when nothing is in it.
const KEPT_BYTES: usize = 64 << 10;

/// The kind of a message, and its length with all that stands before the body.
type Whole = (u8, usize);

/// Bytes before the body of a message.
const HEAD_BYTES: usize = 5;

/// A connection's two ways.
pub(super) struct Line {
    stream: Box<dyn Stream>,
    input: BytesMut,
    output: BytesMut,
    /// How many bytes of the input were given out as an answer.
    given: usize,
    is_flushed: bool,
    has_heard: bool,
}

/// A message of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'l> {
    pub(super) tag: u8,
    pub(super) body: &'l [u8],
}

impl Line {
    pub(super) fn new(stream: Box<dyn Stream>) -> Line {
        Line {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            given: 0,
            is_flushed: true,
            has_heard: false,
        }
    }

    /// Where messages are written.
    pub(super) fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Whether anything was answered since what was written last.
    pub(super) fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Begins a conversation: what waits to be sent is its first part.
    pub(super) fn begin(&mut self) {
        self.has_heard = false;
        self.is_flushed = false;
    }

    /// Goes on with a conversation: what waits to be sent is its next part.
    pub(super) fn go_on(&mut self) {
        self.is_flushed = false;
    }

    /// Ends a conversation: room that only a long one needs is given back.
    pub(super) fn end(&mut self) {
        self.take_back();
        for buffer in [&mut self.input, &mut self.output] {
            if buffer.is_empty() && buffer.capacity() > KEPT_BYTES {
                *buffer = BytesMut::new();
            }
        }
    }

    /// The next answer, for which all is sent that was written.
    pub(super) async fn answer(&mut self) -> io::Result<Answer<'_>> {
        self.take_back();
        let (tag, length) = std::future::poll_fn(|ctx| self.poll_answer(ctx)).await?;
        self.given = length;
        let body = self.input.get(HEAD_BYTES..length).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Answer { tag, body })
    }

    /// Whether the server is there, and silent, while nothing is asked of it.
    pub(super) fn is_open(&mut self) -> bool {
        let mut ctx = Context::from_waker(Waker::noop());
        while self.is_silent() {
            match self.poll_fill(&mut ctx) {
                Poll::Pending => return true,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return false,
            }
        }
        false
    }

    /// Whether nothing has come that nobody asked for. Notices and settings of the server may come at any time; a notification
    /// says that the session listens to something.
    pub(super) fn is_silent(&mut self) -> bool {
        loop {
            self.take_back();
            match self.whole() {
                Ok(Some((backend::NOTICE_RESPONSE_TAG | backend::PARAMETER_STATUS_TAG, length))) => {
                    self.given = length;
                }
                Ok(None) => return self.input.is_empty(),
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        frontend::terminate(&mut self.output);
        // Whoever is gone does not hear it.
        if self.stream.write_all(&self.output).await.is_ok() {
            drop(self.stream.shutdown().await);
        }
    }

    fn take_back(&mut self) {
        self.input.advance(std::mem::take(&mut self.given));
    }

    fn poll_answer(&mut self, ctx: &mut Context<'_>) -> Poll<io::Result<Whole>> {
        loop {
            if let Some(whole) = self.whole()? {
                return Poll::Ready(Ok(whole));
            }
            // Both wait: whichever goes on first.
            if let Poll::Ready(Err(error)) = self.poll_send(ctx) {
                return Poll::Ready(Err(error));
            }
            ready!(self.poll_fill(ctx))?;
            self.has_heard = true;
        }
    }

    /// The message that stands first, if it is there whole.
    fn whole(&self) -> io::Result<Option<Whole>> {
        let Some(header) = Header::parse(&self.input)? else { return Ok(None) };
        let length = usize::try_from(header.len()).map_err(io::Error::other)?.saturating_add(1);
        Ok((self.input.len() >= length).then_some((header.tag(), length)))
    }

    fn poll_send(&mut self, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(ctx, &self.output))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(sent);
        }
        if !self.is_flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(ctx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_fill(&mut self, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.reserve(READ_BYTES);
        match ready!(pin!(self.stream.read_buf(&mut self.input)).poll(ctx))? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::super::reach::Plain;
    use super::*;

    /// A line and its other end, between which little fits.
    fn line() -> (Line, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Line::new(Box::new(Plain(ours))), theirs)
    }

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = i32::try_from(body.len() + 4).unwrap();
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn answers_are_taken_while_questions_still_go_out() {
        let (mut line, mut server) = line();
        let rows = message(b'D', &[7; 10_000]);
        let answers = rows.repeat(3);
        let server = tokio::spawn(async move {
            // It listens only when it has said everything.
            server.write_all(&answers).await.unwrap();
            let mut heard = vec![0; 20_000];
            server.read_exact(&mut heard).await.unwrap();
            server.write_all(&message(b'Z', b"I")).await.unwrap();
        });
        line.output().extend_from_slice(&[1; 20_000]);
        line.begin();
        for _ in 0..3 {
            let answer = line.answer().await.unwrap();
            assert_eq!((answer.tag, answer.body), (b'D', &[7; 10_000][..]));
        }
        assert_eq!(line.answer().await.unwrap().body, b"I");
        server.await.unwrap();
    }

    #[tokio::test]
    async fn who_has_gone_or_says_goodbye_is_not_there() {
        let (mut line, mut server) = line();
        assert!(line.is_open());
        server.write_all(&message(b'N', b"look")).await.unwrap();
        assert!(line.is_open());
        server.write_all(&message(b'E', b"SFATAL")).await.unwrap();
        assert!(!line.is_open());
        assert!(!line.is_open(), "what was found is not forgotten");
        let (mut line, server) = self::line();
        drop(server);
        assert!(!line.is_open());
        line.begin();
        assert!(line.answer().await.is_err() && !line.has_heard());
    }

    #[tokio::test]
    async fn what_nobody_asked_for_is_no_silence() {
        let half = message(b'D', &[7; 10]);
        for said in [&message(b'A', b"channel")[..], &message(b'Z', b"I"), &message(b'D', b"row"), &half[..7]]
        {
            let (mut line, mut server) = line();
            server.write_all(&message(b'S', b"TimeZone")).await.unwrap();
            assert!(line.is_open() && line.is_silent());
            server.write_all(said).await.unwrap();
            assert!(!line.is_open(), "{said:?}");
        }
    }

    #[tokio::test]
    async fn what_follows_the_end_of_an_answer_is_no_silence() {
        let (mut line, mut server) = line();
        server.write_all(&[message(b'Z', b"I"), message(b'C', b"SELECT 1")].concat()).await.unwrap();
        line.begin();
        assert_eq!(line.answer().await.unwrap().body, b"I");
        line.end();
        assert!(!line.is_silent());
    }
}
