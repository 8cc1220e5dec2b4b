//! How a server is reached: `tokio-postgres` finds it, has it encrypt and logs in; what it made is then taken back from it.
//!
//! The library sends a `Sync` with each statement, and the server answers each of them: requests would wait for answers that
//! nobody needs. So it is lent the stream for the time of the greeting, and never learns what is said afterwards.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::UnixStream;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use types::Result;

use super::errors;
use super::options::Address;

/// A connection to a server, encrypted or not.
pub(super) trait Stream: TlsStream + Send + Unpin {}

impl<T: TlsStream + Send + Unpin> Stream for T {}

/// A connection that has logged in, and how to stop what it does.
pub(super) struct Reached {
    pub(super) stream: Box<dyn Stream>,
    pub(super) stopper: Stopper,
}

/// Reaches a server.
///
/// # Errors
/// `PGRST000` when there is none that lets us in.
pub(super) async fn reach(address: &Address) -> Result<Reached> {
    let lent = Lent::default();
    let unreachable = |error: tokio_postgres::Error| errors::unreachable(errors::cause(&error));
    let (token, way) = match local(&address.config) {
        Some(path) => {
            let stream = UnixStream::connect(&path).await.map_err(errors::unreachable)?;
            lent.lend(Box::new(Plain(stream)));
            let (client, _conversation) =
                address.config.connect_raw(lent.clone(), NoTls).await.map_err(unreachable)?;
            (client.cancel_token(), Way::Local(path))
        }
        None => {
            let encryption = Encryption::of(&address.config, &address.tls);
            let lender = Lender { encryption: encryption.clone(), lent: lent.clone() };
            let (client, _conversation) =
                asking_us(&address.config).connect(lender).await.map_err(unreachable)?;
            (client.cancel_token(), Way::Network(encryption))
        }
    };
    let stream = lent.held().take().ok_or_else(|| errors::unreachable("a connection without a stream"))?;
    Ok(Reached { stream, stopper: Stopper { token, way } })
}

/// The socket of a server on this machine, where an address names one.
fn local(config: &Config) -> Option<PathBuf> {
    match config.get_hosts().first()? {
        Host::Unix(folder) => {
            let port = config.get_ports().first().copied().unwrap_or(5432);
            Some(folder.join(format!(".s.PGSQL.{port}")))
        }
        Host::Tcp(_) => None,
    }
}

/// A configuration with which the library leaves encryption to us: what it takes for an encrypted stream is ours.
fn asking_us(config: &Config) -> Config {
    let mut config = config.clone();
    config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    config
}

/// Asks the server to stop what it does for a connection.
#[derive(Clone)]
pub(super) struct Stopper {
    token: CancelToken,
    way: Way,
}

/// How the server was reached.
#[derive(Clone)]
enum Way {
    Local(PathBuf),
    Network(Encryption),
}

impl Stopper {
    /// Whoever cannot be asked notices that nobody listens.
    pub(super) async fn stop(&self) {
        match &self.way {
            Way::Local(path) => {
                if let Ok(stream) = UnixStream::connect(path).await {
                    drop(self.token.cancel_query_raw(stream, NoTls).await);
                }
            }
            Way::Network(encryption) => {
                let lender = Lender { encryption: encryption.clone(), lent: Lent::default() };
                drop(self.token.cancel_query(lender).await);
            }
        }
    }
}

/// What an address says of encryption.
#[derive(Clone)]
struct Encryption {
    mode: SslMode,
    negotiation: SslNegotiation,
    tls: MakeRustlsConnect,
}

impl Encryption {
    fn of(config: &Config, tls: &MakeRustlsConnect) -> Encryption {
        let (mode, negotiation) = (config.get_ssl_mode(), config.get_ssl_negotiation());
        Encryption { mode, negotiation, tls: tls.clone() }
    }

    /// Whether the connection is to be encrypted, which the server may decide.
    async fn is_agreed(&self, socket: &mut Socket) -> io::Result<bool> {
        match (self.mode, self.negotiation) {
            (SslMode::Disable, _) => return Ok(false),
            (_, SslNegotiation::Direct) => return Ok(true),
            _ => {}
        }
        let mut asked = BytesMut::new();
        frontend::ssl_request(&mut asked);
        socket.write_all(&asked).await?;
        match (socket.read_u8().await?, self.mode) {
            (b'S', _) => Ok(true),
            (_, SslMode::Prefer) => Ok(false),
            _ => Err(io::Error::other("the server does not encrypt")),
        }
    }
}

/// Lends the library a stream.
struct Lender {
    encryption: Encryption,
    lent: Lent,
}

impl MakeTlsConnect<Socket> for Lender {
    type Stream = Lent;
    type TlsConnect = Lending;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Lending> {
        let Lender { encryption, lent } = self;
        let tls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::make_tls_connect(&mut encryption.tls, host)
            .map_err(io::Error::other)?;
        Ok(Lending { encryption: encryption.clone(), tls, lent: lent.clone() })
    }
}

/// Lends a stream to one host.
struct Lending {
    encryption: Encryption,
    tls: <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect,
    lent: Lent,
}

impl TlsConnect<Socket> for Lending {
    type Stream = Lent;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Lent>> + Send>>;

    fn connect(self, mut socket: Socket) -> Self::Future {
        Box::pin(async move {
            let stream: Box<dyn Stream> = match self.encryption.is_agreed(&mut socket).await? {
                true => Box::new(self.tls.connect(socket).await?),
                false => Box::new(Plain(socket)),
            };
            self.lent.lend(stream);
            Ok(self.lent)
        })
    }
}

/// A stream that somebody else uses for a time.
#[derive(Clone, Default)]
struct Lent(Arc<Mutex<Option<Box<dyn Stream>>>>);

impl Lent {
    fn lend(&self, stream: Box<dyn Stream>) {
        *self.held() = Some(stream);
    }

    fn held(&self) -> MutexGuard<'_, Option<Box<dyn Stream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll<T>(
        &self,
        poll: impl FnOnce(Pin<&mut Box<dyn Stream>>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut *self.held() {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_read(ctx, read))
    }
}

impl AsyncWrite for Lent {
    fn poll_write(self: Pin<&mut Self>, ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(ctx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(ctx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_shutdown(ctx))
    }
}

impl TlsStream for Lent {
    fn channel_binding(&self) -> ChannelBinding {
        self.held().as_ref().map_or_else(ChannelBinding::none, |stream| stream.channel_binding())
    }
}

/// A stream that is not encrypted.
pub(super) struct Plain<S>(pub(super) S);

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(ctx, read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(ctx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(ctx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(ctx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Plain<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
