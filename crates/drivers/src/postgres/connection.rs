//! One connection: transactions on it, for one caller at a time.
//!
//! A read whose statements are prepared already is one round trip: its transaction, identity, commands and end are sent
//! together and their answers taken in order.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::{Access, Failure, Run, Sink};
use futures_util::TryStreamExt;
use futures_util::future::{MaybeDone, maybe_done, try_join};
use render::Command;
use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, RowStream, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use types::{Error, Result, Type};

use super::cells::{self, Held, Parameter};
use super::errors::{self, Trouble};
use super::identity;
use super::options::Address;
use super::respected::Respected;
use super::statements::{Key, Statements};

/// A connection.
pub(super) struct Connection {
    client: Client,
    cancel: CancelToken,
    tls: MakeRustlsConnect,
    conversation: JoinHandle<()>,
    take: Statement,
    take_respecting: Statement,
    respected: Arc<Respected>,
    statements: Statements,
    /// Whether a commit was sent and not answered.
    is_committing: AtomicBool,
    /// Whether something of a caller may be left in its session: it is not used again.
    is_soiled: AtomicBool,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// One command that changes nothing.
    Read,
    /// Several commands that change nothing, on one snapshot.
    Snapshot,
    /// Anything.
    Write,
}

impl Begin {
    fn text(self, isolation: Option<&str>) -> String {
        let (isolation, access) = match self {
            Begin::Read => (isolation, "READ ONLY"),
            Begin::Snapshot => (isolation.or(Some("REPEATABLE READ")), "READ ONLY"),
            Begin::Write => (isolation, "READ WRITE"),
        };
        match isolation {
            Some(isolation) => format!("BEGIN ISOLATION LEVEL {isolation} {access}"),
            None => format!("BEGIN {access}"),
        }
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    RollBack,
}

impl End {
    fn text(self, begin: Begin) -> String {
        let word = match self {
            End::Commit => "COMMIT",
            End::RollBack => "ROLLBACK",
        };
        let reset = match begin {
            Begin::Read | Begin::Snapshot => identity::RESET,
            Begin::Write => identity::RESET_WRITTEN,
        };
        format!("{word}; {reset}")
    }
}

impl Connection {
    pub(super) async fn open(
        address: &Address,
        statements_max: usize,
        respected: Arc<Respected>,
    ) -> Result<Connection> {
        let unreachable = |error: tokio_postgres::Error| errors::unreachable(errors::cause(&error));
        let (client, conversation) =
            address.config.connect(address.tls.clone()).await.map_err(unreachable)?;
        // Owned by the connection: it ends with the client, or is stopped when the connection is closed.
        let conversation = tokio::spawn(async move {
            if let Err(error) = conversation.await {
                tracing::debug!(cause = errors::cause(&error), "a connection to PostgreSQL ended");
            }
        });
        let (take, take_respecting) = (identity::take(), identity::take_respecting());
        let prepared = try_join(client.prepare(&take), client.prepare(&take_respecting)).await;
        let (take, take_respecting) = prepared.map_err(unreachable)?;
        let (cancel, tls) = (client.cancel_token(), address.tls.clone());
        let statements = Statements::new(statements_max);
        let (is_committing, is_soiled) = Default::default();
        Ok(Connection {
            client,
            cancel,
            tls,
            conversation,
            take,
            take_respecting,
            respected,
            statements,
            is_committing,
            is_soiled,
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.is_soiled.load(Ordering::Relaxed)
    }

    /// What is to be said when its time is over.
    pub(super) fn late(&self) -> Failure {
        match self.is_committing.load(Ordering::Relaxed) {
            true => errors::unknown("no answer in time").failure,
            false => Failure::Error(errors::silent()),
        }
    }

    /// Asks the server to stop what it does for this connection.
    pub(super) async fn stop(&self) {
        // Who cannot be asked notices that nobody listens.
        drop(self.cancel.cancel_query(self.tls.clone()).await);
    }

    /// Ends the connection, politely if that is quick.
    pub(super) async fn close(self, timeout: Duration) {
        let Connection { client, mut conversation, statements, take, take_respecting, .. } = self;
        drop((statements, take, take_respecting, client));
        if tokio::time::timeout(timeout, &mut conversation).await.is_err() {
            conversation.abort();
        }
    }

    /// Runs commands that change nothing, in a transaction of their own.
    pub(super) async fn read(
        &mut self,
        commands: &[Command],
        sink: &mut dyn Sink,
        run: &Run,
    ) -> Result<(), Trouble> {
        let begin = if commands.len() == 1 { Begin::Read } else { Begin::Snapshot };
        let known = commands.iter().map(|command| self.statements.find(&key(run, command)));
        if let Some(statements) = known.collect::<Option<Vec<Statement>>>() {
            return self.read_at_once(begin, commands, &statements, sink, run).await;
        }
        self.begin(begin, run).await?;
        let outcome = self.read_in_turn(commands, sink, run).await;
        self.end_after(outcome, begin, End::Commit).await
    }

    async fn read_in_turn(
        &mut self,
        commands: &[Command],
        sink: &mut dyn Sink,
        run: &Run,
    ) -> Result<(), Trouble> {
        for (position, command) in commands.iter().enumerate() {
            self.run(command, position, sink, run).await?;
        }
        Ok(())
    }

    /// Everything in one round trip. Rows count only when the identity was taken.
    async fn read_at_once(
        &mut self,
        begin: Begin,
        commands: &[Command],
        statements: &[Statement],
        sink: &mut dyn Sink,
        run: &Run,
    ) -> Result<(), Trouble> {
        let taking = self.taking(run);
        let end = End::Commit.text(begin);
        let begin = begin.text(taking.isolation);
        let mut begun = pin!(maybe_done(self.client.batch_execute(&begin)));
        let mut taken = pin!(maybe_done(self.client.query_raw(taking.statement, texts(&taking.parameters))));
        let mut asked: Vec<Pin<Box<MaybeDone<_>>>> = Vec::with_capacity(commands.len());
        for (command, statement) in commands.iter().zip(statements) {
            let parameters = cells::parameters(&command.parameters)?;
            asked.push(Box::pin(maybe_done(self.client.query_raw(statement, parameters))));
        }
        let mut ended = pin!(maybe_done(self.client.batch_execute(&end)));
        // Each is sent when it is polled first.
        let _ = futures_util::poll!(begun.as_mut());
        let _ = futures_util::poll!(taken.as_mut());
        for each in &mut asked {
            let _ = futures_util::poll!(each.as_mut());
        }
        let _ = futures_util::poll!(ended.as_mut());

        begun.as_mut().await;
        let mut outcome = done(begun.as_mut().take_output());
        taken.as_mut().await;
        match done(taken.as_mut().take_output()) {
            Ok(rows) => outcome = outcome.and(drained(rows).await),
            Err(trouble) => outcome = outcome.and(Err(trouble)),
        }
        for ((position, command), mut each) in commands.iter().enumerate().zip(asked) {
            each.as_mut().await;
            let rows = done(each.as_mut().take_output());
            outcome = match (outcome, rows) {
                (Ok(()), Ok(rows)) => received(rows, command, position, sink).await.map(drop),
                (Ok(()), Err(trouble)) => Err(trouble),
                // Answers to a transaction that has failed are failures.
                (Err(trouble), _) => Err(trouble),
            };
            if let Err(Trouble { is_broken: true, .. }) = &outcome {
                return outcome;
            }
        }
        ended.as_mut().await;
        let ended = done(ended.as_mut().take_output());
        match (outcome, ended) {
            (outcome, Ok(())) => outcome,
            (Ok(()), Err(trouble)) => Err(trouble),
            (Err(first), Err(last)) => Err(Trouble { is_broken: first.is_broken || last.is_broken, ..first }),
        }
    }

    /// How the identity of a caller is taken on.
    fn taking(&self, run: &Run) -> Taking<'_> {
        let settings = self.respected.of(run);
        let rest = settings.as_ref().and_then(|settings| settings.rest.as_deref());
        Taking {
            statement: if rest.is_some() { &self.take_respecting } else { &self.take },
            parameters: identity::parameters(run, rest),
            isolation: settings.as_ref().and_then(|settings| settings.isolation),
        }
    }

    /// Begins a transaction for a caller.
    pub(super) async fn begin(&self, begin: Begin, run: &Run) -> Result<(), Trouble> {
        let taking = self.taking(run);
        let text = begin.text(taking.isolation);
        let mut begun = pin!(maybe_done(self.client.batch_execute(&text)));
        let mut taken = pin!(maybe_done(self.client.query_raw(taking.statement, texts(&taking.parameters))));
        let _ = futures_util::poll!(begun.as_mut());
        let _ = futures_util::poll!(taken.as_mut());
        begun.as_mut().await;
        let begun = done(begun.as_mut().take_output());
        taken.as_mut().await;
        let taken = match done(taken.as_mut().take_output()) {
            Ok(rows) => drained(rows).await,
            Err(trouble) => Err(trouble),
        };
        match begun.and(taken) {
            Ok(()) => Ok(()),
            outcome => self.end_after(outcome, begin, End::RollBack).await,
        }
    }

    /// Goes on with the next request in a transaction: a part of it, so that it may be one that changes nothing while the
    /// transaction may.
    pub(super) async fn turn(&self, run: &Run, access: Access, is_next: bool) -> Result<(), Trouble> {
        let next = if is_next { NEXT } else { "" };
        let reads = match access {
            Access::Read => "; SET TRANSACTION READ ONLY",
            Access::Write => "",
        };
        self.client.batch_execute(&format!("{next}SAVEPOINT request{reads}")).await?;
        let taking = self.taking(run);
        drained(self.client.query_raw(taking.statement, texts(&taking.parameters)).await?).await
    }

    /// Ends a transaction after what happened in it: what failed is undone.
    pub(super) async fn end_after(
        &self,
        outcome: Result<(), Trouble>,
        begin: Begin,
        end: End,
    ) -> Result<(), Trouble> {
        match outcome {
            Ok(()) => match self.check_constraints(begin, end).await {
                Ok(()) => self.end(begin, end).await,
                Err(trouble) if trouble.is_broken => Err(trouble),
                Err(trouble) => self.abandon(begin, trouble).await,
            },
            Err(trouble) if trouble.is_broken => Err(trouble),
            Err(trouble) => self.abandon(begin, trouble).await,
        }
    }

    async fn abandon(&self, begin: Begin, trouble: Trouble) -> Result<(), Trouble> {
        match self.end(begin, End::RollBack).await {
            Ok(()) => Err(trouble),
            Err(_) => Err(Trouble { is_broken: true, ..trouble }),
        }
    }

    /// What would be refused at a commit is refused where everything is undone, too: the answer is the same.
    async fn check_constraints(&self, begin: Begin, end: End) -> Result<(), Trouble> {
        match (begin, end) {
            (Begin::Write, End::RollBack) => {
                Ok(self.client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await?)
            }
            (Begin::Write, End::Commit) | (Begin::Read | Begin::Snapshot, _) => Ok(()),
        }
    }

    pub(super) async fn end(&self, begin: Begin, end: End) -> Result<(), Trouble> {
        match (begin, end) {
            (Begin::Write, End::Commit) => self.commit(&end.text(begin)).await,
            _ => Ok(self.client.batch_execute(&end.text(begin)).await?),
        }
    }

    /// Commits what was written. Without an answer nobody knows what became of it; what fails afterwards does not undo it.
    async fn commit(&self, text: &str) -> Result<(), Trouble> {
        let mut answers = pin!(self.client.simple_query_raw(text).await?);
        self.is_committing.store(true, Ordering::Relaxed);
        let mut is_done = false;
        loop {
            match answers.try_next().await {
                Ok(Some(SimpleQueryMessage::CommandComplete(_))) => {
                    is_done = true;
                    self.is_committing.store(false, Ordering::Relaxed);
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) if is_done => {
                    tracing::debug!(cause = errors::cause(&error), "a session could not be tidied");
                    self.is_soiled.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => {
                    self.is_committing.store(false, Ordering::Relaxed);
                    let cause = errors::cause(&error);
                    let trouble = Trouble::from(error);
                    return Err(if trouble.is_broken { errors::unknown(cause) } else { trouble });
                }
            }
        }
    }

    /// Runs a command in the transaction; how many rows it changed.
    pub(super) async fn run(
        &mut self,
        command: &Command,
        position: usize,
        sink: &mut dyn Sink,
        run: &Run,
    ) -> Result<u64, Trouble> {
        if command.parameters.is_empty() && command.outputs.is_empty() && !command.counts_changes {
            return self.run_plain(&command.text).await;
        }
        let key = key(run, command);
        let statement = match self.statements.find(&key) {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(&command.text).await?;
                self.statements.keep(key, statement.clone());
                statement
            }
        };
        let rows = self.client.query_raw(&statement, cells::parameters(&command.parameters)?).await?;
        received(rows, command, position, sink).await
    }

    /// Statements without parameters or rows: any number of them, and none is kept.
    async fn run_plain(&self, text: &str) -> Result<u64, Trouble> {
        let messages = self.client.simple_query(text).await?;
        let changed = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
            _ => None,
        });
        Ok(changed.unwrap_or_default())
    }
}

/// Ends the request before: what its functions have set, of the reply and of anything else, is not the next one's.
const NEXT: &str = "RELEASE SAVEPOINT request; RESET ROLE; RESET ALL; ";

/// A statement is kept for the role that prepared it.
fn key(run: &Run, command: &Command) -> Key {
    Key { role: run.caller.role.clone(), text: command.text.clone() }
}

fn texts(parameters: &[Option<String>]) -> impl ExactSizeIterator<Item = Parameter<'_>> {
    parameters.iter().map(|text| Parameter::new(text.as_deref()))
}

/// The statement that takes on an identity, and how its transaction is isolated.
struct Taking<'c> {
    statement: &'c Statement,
    parameters: Vec<Option<String>>,
    isolation: Option<&'static str>,
}

/// The outcome of a future that has ended.
fn done<T>(outcome: Option<Result<T, tokio_postgres::Error>>) -> Result<T, Trouble> {
    match outcome {
        Some(outcome) => Ok(outcome?),
        None => Err(Trouble::from(Error::internal("an answer that has not come"))),
    }
}

async fn drained(rows: RowStream) -> Result<(), Trouble> {
    let mut rows = pin!(rows);
    while rows.try_next().await?.is_some() {}
    Ok(())
}

/// Takes the rows of a command; how many it changed.
async fn received(
    rows: RowStream,
    command: &Command,
    position: usize,
    sink: &mut dyn Sink,
) -> Result<u64, Trouble> {
    let mut rows = pin!(rows);
    let mut changed = None;
    let first = if command.counts_changes { 2 } else { 0 };
    while let Some(row) = rows.try_next().await? {
        if command.counts_changes {
            changed = count(&row)?;
            if cells::bytes(&row, 1)?.is_none() {
                continue;
            }
        }
        let column = |(position, (_, ty)): (usize, &(_, Type))| {
            cells::held(ty, cells::bytes(&row, first + position)?, &command.session)
        };
        let held = command.outputs.iter().enumerate().map(column).collect::<Result<Vec<Held<'_>>>>()?;
        let row: Vec<_> = held.iter().map(Held::cell).collect();
        sink.row(position, &row)?;
    }
    Ok(changed.or(rows.rows_affected()).unwrap_or_default())
}

/// How many rows were changed: the first column.
fn count(row: &tokio_postgres::Row) -> Result<Option<u64>> {
    let held = cells::held(&Type::Int8, cells::bytes(row, 0)?, &types::session::Session::utc(0))?;
    match held.cell() {
        types::stored::Cell::Int(rows) => u64::try_from(rows).map(Some).map_err(Error::internal),
        _ => Ok(None),
    }
}
