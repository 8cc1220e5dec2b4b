//! A network between two programs that can be broken: a proxy of TCP connections.
//!
//! It passes what it is given until it is told otherwise: slow, refused, cut after so many bytes, closed from one side, or
//! silent. It never looks at what passes.

use std::io::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes that are passed at a time.
const PIECE_BYTES: usize = 16 << 10;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From who connected.
    Up,
    /// To them.
    Down,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both ends see it end.
    Cut,
    /// Who receives sees it end; the other way goes on.
    HalfClosed,
    /// Nothing passes either way, and nobody is told, until the weather changes.
    Silence,
}

/// How the network is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// How long each piece takes.
    pub delay: Duration,
    /// Whether nobody can connect.
    pub refuses: bool,
    /// What happens once so many bytes have passed one way, those of all connections counted from now on.
    pub after: Option<(Way, u64, Fault)>,
}

/// The proxy. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it takes connections.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    state: watch::Sender<State>,
    up: AtomicU64,
    down: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    weather: Weather,
    /// Connections of another era are at their end.
    era: u64,
    is_silent: bool,
}

impl Proxy {
    /// A proxy to an address, on a port of its own; to be called in a runtime.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn start(to: SocketAddr) -> Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (state, _) = watch::channel(State::default());
        let shared = Arc::new(Shared { to, state, up: AtomicU64::new(0), down: AtomicU64::new(0) });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Proxy { address, shared, accepting })
    }

    /// Changes the weather. What is silent goes on.
    pub fn set(&self, weather: Weather) {
        for count in [&self.shared.up, &self.shared.down] {
            count.store(0, Ordering::SeqCst);
        }
        self.shared.state.send_modify(|state| *state = State { weather, is_silent: false, ..*state });
    }

    /// Cuts every connection; who connects again is served.
    pub fn cut(&self) {
        self.shared.state.send_modify(|state| state.era += 1);
    }

    /// How many bytes have passed one way since the weather changed.
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.count(way).load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Shared {
    fn count(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }

    /// How many bytes may pass before a fault.
    fn room(&self, way: Way) -> Option<(usize, Fault)> {
        let (on, bytes, fault) = self.state.borrow().weather.after?;
        let left = bytes.saturating_sub(self.count(way).load(Ordering::SeqCst));
        (on == way).then(|| (usize::try_from(left).unwrap_or(usize::MAX), fault))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = shared.clone();
        if shared.state.borrow().weather.refuses {
            continue;
        }
        tokio::spawn(async move {
            // Who cannot be reached is seen by the client: its connection ends.
            let _ = connect(client, &shared).await;
        });
    }
}

async fn connect(client: TcpStream, shared: &Arc<Shared>) -> Result<()> {
    let era = shared.state.borrow().era;
    let server = TcpStream::connect(shared.to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (end, _) = watch::channel(false);
    let end = Arc::new(end);
    let pump =
        |way| Pump { way, era, shared: shared.clone(), state: shared.state.subscribe(), end: end.clone() };
    tokio::join!(pump(Way::Up).run(from_client, to_server), pump(Way::Down).run(from_server, to_client));
    Ok(())
}

/// One way of one connection.
struct Pump {
    way: Way,
    era: u64,
    shared: Arc<Shared>,
    state: watch::Receiver<State>,
    /// Ends the other way, too.
    end: Arc<watch::Sender<bool>>,
}

impl Pump {
    /// Passes what comes. The halves are dropped at the end, and with the second one the connection.
    async fn run(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut ended = self.end.subscribe();
        let stopped = async move {
            // A sender that is gone is an end as well.
            let _ = ended.wait_for(|ended| *ended).await;
        };
        let end = self.end.clone();
        tokio::select! {
            passed = self.pass(&mut from, &mut to) => match passed {
                // The end of one way is passed on; the other way ends by itself.
                Ok(()) => drop(to.shutdown().await),
                Err(_) => drop(end.send(true)),
            },
            () = stopped => {}
        }
    }

    /// Passes what comes to its end; a cut is an error.
    async fn pass(&mut self, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> Result<()> {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            self.fine().await?;
            let read = tokio::select! {
                read = from.read(&mut buffer) => read?,
                // Looks at the weather again.
                _ = self.state.changed() => continue,
            };
            if read == 0 {
                return Ok(());
            }
            let read = self.delayed(from, &mut buffer, read).await;
            let mut piece = &buffer[..read];
            while !piece.is_empty() {
                self.fine().await?;
                let room = self.shared.room(self.way);
                let (now, later) =
                    piece.split_at(room.map_or(piece.len(), |(room, _)| room.min(piece.len())));
                to.write_all(now).await?;
                let passed = u64::try_from(now.len()).map_err(Error::other)?;
                self.shared.count(self.way).fetch_add(passed, Ordering::SeqCst);
                piece = later;
                match room {
                    Some((room, fault)) if room == now.len() => match fault {
                        Fault::Cut => return Err(cut()),
                        Fault::HalfClosed => return Ok(()),
                        Fault::Silence => {
                            self.shared.state.send_modify(|state| state.is_silent = true);
                        }
                    },
                    Some(_) | None => {}
                }
            }
        }
    }

    /// Lets a piece take its time. What comes meanwhile travels along; how long the piece is then.
    async fn delayed(&self, from: &OwnedReadHalf, buffer: &mut [u8], mut read: usize) -> usize {
        let delay = self.state.borrow().weather.delay;
        if delay.is_zero() {
            return read;
        }
        tokio::time::sleep(delay).await;
        while let Some(room) = buffer.get_mut(read..).filter(|room| !room.is_empty()) {
            match from.try_read(room) {
                Ok(more) if more > 0 => read += more,
                Ok(_) | Err(_) => break,
            }
        }
        read
    }

    /// Waits while it is silent.
    async fn fine(&mut self) -> Result<()> {
        let era = self.era;
        let state = self.state.wait_for(|state| !state.is_silent || state.era != era).await;
        match state {
            Ok(state) if state.era == era => Ok(()),
            _ => Err(cut()),
        }
    }
}

fn cut() -> Error {
    Error::from(std::io::ErrorKind::ConnectionAborted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that says back what it hears.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    drop(tokio::io::copy(&mut from, &mut to).await);
                });
            }
        });
        address
    }

    /// What comes back of ten bytes.
    async fn said(stream: &mut TcpStream) -> Result<usize> {
        stream.write_all(b"0123456789").await?;
        let mut back = [0; 10];
        let mut read = 0;
        while read < back.len() {
            let more = stream.read(&mut back[read..]).await?;
            if more == 0 {
                break;
            }
            read += more;
        }
        Ok(read)
    }

    #[tokio::test]
    async fn weather_is_as_it_is_set() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        let connected = async || TcpStream::connect(proxy.address).await.unwrap();
        let mut stream = connected().await;
        assert_eq!(said(&mut stream).await.unwrap(), 10);
        assert_eq!((proxy.passed(Way::Up), proxy.passed(Way::Down)), (10, 10));
        proxy.set(Weather { after: Some((Way::Down, 4, Fault::HalfClosed)), ..Weather::default() });
        assert_eq!(said(&mut stream).await.unwrap(), 4);
        proxy.set(Weather { refuses: true, ..Weather::default() });
        assert!(
            said(&mut connected().await).await.is_ok_and(|read| read == 0)
                || said(&mut connected().await).await.is_err()
        );
        proxy.set(Weather::default());
        let mut stream = connected().await;
        proxy.set(Weather { after: Some((Way::Up, 7, Fault::Silence)), ..Weather::default() });
        let quiet = tokio::time::timeout(Duration::from_millis(100), said(&mut stream)).await;
        assert!(quiet.is_err(), "{quiet:?}");
        assert_eq!(proxy.passed(Way::Up), 7);
        proxy.set(Weather::default());
        let mut rest = [0; 10];
        stream.read_exact(&mut rest).await.unwrap();
        proxy.cut();
        assert!(said(&mut stream).await.is_ok_and(|read| read == 0) || said(&mut stream).await.is_err());
    }
}
