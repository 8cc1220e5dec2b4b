//! Noticing that something was declared: PostgreSQL says so where it can, and is asked now and then where it cannot.
//!
//! `notify pgrst, 'reload schema'` is listened to, as PostgREST does; an event trigger of ours says it for databases that are ours.
//! A catalog is read whole before anybody sees it. Whoever lost its connection looks again once it is back.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client};
use types::{Error, Result};

use super::errors::{cause, mapped, unreachable};
use super::introspect::{self, Reading};
use super::options::{Address, Options, address};

/// How long one waits for more of what is declared together.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long one waits before a lost connection is made again: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// The word of the channel that asks for reading again.
const CHANNEL: &str = "pgrst";

/// What is watched, and how.
#[derive(Clone)]
pub struct Watching {
    /// Where it is.
    pub options: Options,
    /// The schemas of the API.
    pub served: Vec<String>,
    /// How often it is asked whether something was declared.
    pub interval: Duration,
}

/// Takes a catalog that is in force from here on.
pub type Put = Arc<dyn Fn(Arc<Catalog>) + Send + Sync>;

/// The task that watches. It ends when this is dropped.
pub struct Watch {
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A session, and the task that carries its conversation; what it is notified of goes to a channel.
pub struct Session {
    /// Where statements are asked.
    pub client: Client,
    conversation: JoinHandle<()>,
    notified: mpsc::Receiver<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.conversation.abort();
    }
}

impl Session {
    /// Opens a session of its own, outside of the pool.
    ///
    /// # Errors
    /// `22023` for an address that cannot be read, `PGRST000` when nobody answers.
    pub async fn open(options: &Options) -> Result<Session> {
        Session::at(&address(options)?).await
    }

    async fn at(address: &Address) -> Result<Session> {
        let connected = address.config.connect(address.tls.clone()).await;
        let (client, mut connection) = connected.map_err(|error| unreachable(cause(&error)))?;
        // One waiting notice says as much as many.
        let (notify, notified) = mpsc::channel(1);
        let conversation = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    let _ = notify.try_send(());
                }
            }
        });
        Ok(Session { client, conversation, notified })
    }
}

/// Watches from a reading on.
///
/// # Errors
/// `22023` for an address that cannot be read.
pub fn watch(watching: Watching, first: &Reading, put: Put) -> Result<Watch> {
    let address = address(&watching.options)?;
    let mut fingerprint = first.fingerprint.clone();
    let task = tokio::spawn(async move {
        let mut wait = RETRY.0;
        loop {
            let error = match Session::at(&address).await {
                Ok(mut session) => {
                    wait = RETRY.0;
                    follow(&mut session, &watching, &mut fingerprint, &put).await
                }
                Err(error) => error,
            };
            tracing::debug!(cause = error.message(), "declarations are not watched for {wait:?}");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    });
    Ok(Watch { task })
}

/// Follows what is declared until the session is lost; why it is.
async fn follow(session: &mut Session, watching: &Watching, fingerprint: &mut String, put: &Put) -> Error {
    let listening = session.client.batch_execute(&format!("listen {CHANNEL}")).await;
    if let Err(error) = listening {
        return mapped(&error);
    }
    let mut is_told = false;
    loop {
        // First of all: what was declared while nobody listened.
        match look(session, watching, fingerprint, is_told).await {
            // Whoever takes it compiles it: not on a thread that requests wait for.
            Ok(Some(catalog)) => {
                let put = put.clone();
                if let Err(error) = tokio::task::spawn_blocking(move || put(catalog)).await {
                    return Error::internal(error);
                }
            }
            Ok(None) => {}
            Err(error) if session.client.is_closed() => return error,
            Err(error) => {
                tracing::warn!(code = error.state(), "declarations could not be read: {}", error.message())
            }
        }
        is_told = match tokio::time::timeout(watching.interval, session.notified.recv()).await {
            Ok(Some(())) => {
                tokio::time::sleep(PATIENCE).await;
                let _ = session.notified.try_recv();
                true
            }
            Ok(None) => return Error::internal("the session ended"),
            Err(_) => false,
        };
    }
}

/// Reads the declarations, if there are others or somebody said so.
async fn look(
    session: &mut Session,
    watching: &Watching,
    fingerprint: &mut String,
    is_told: bool,
) -> Result<Option<Arc<Catalog>>> {
    if !is_told && introspect::fingerprint(&session.client).await? == *fingerprint {
        return Ok(None);
    }
    let reading = introspect::introspect(&mut session.client, &watching.served).await?;
    let is_same = reading.fingerprint == *fingerprint && !is_told;
    fingerprint.clone_from(&reading.fingerprint);
    Ok((!is_same).then_some(reading.catalog))
}
