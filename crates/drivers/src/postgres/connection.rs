//! One connection: transactions on it, for one caller at a time.
//!
//! A read is one round trip, whether or not its statements are prepared: identity, commands and all that is taken back
//! afterwards are sent together, and so is the transaction, which lasts until the `Sync` at their end. A write begins with its first
//! command, and is two round trips if that is its only one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::{Access, Failure, Run, Sink};
use postgres_protocol::message::{backend, frontend};
use render::Command;
use types::session::Session;
use types::stored::Cell;
use types::{Error, Result, Type};

use super::cells::{self, Columns, Held};
use super::errors::{self, Trouble};
use super::identity;
use super::line::Line;
use super::options::Address;
use super::own::{OWN, Own, TIDY, TIDY_WRITTEN};
use super::reach::{Reached, Stopper, reach};
use super::respected::Respected;
use super::statements::{Key, Statements};

/// A connection.
pub(super) struct Connection {
    line: Line,
    stopper: Stopper,
    respected: Arc<Respected>,
    statements: Statements,
    /// How many statements were ever named.
    named: u64,
    /// What is asked and not answered yet.
    asked: VecDeque<Asked>,
    /// What the answers up to here come to, since the server was ready the last time.
    outcome: Result<u64, Trouble>,
    /// What a commit has come to, of a transaction that wrote.
    commit: Commit,
    /// Whether a transaction is open, as the server says.
    is_in_transaction: bool,
    /// Whether it is one of several requests: each is a part of its own.
    has_part: bool,
    /// Whether something of a caller may be left in its session: it is not used again.
    is_soiled: bool,
    /// Whether the server is gone.
    is_lost: bool,
}

/// What is asked, of which the answer is looked at in some way.
#[derive(Debug)]
enum Asked {
    /// To read a statement, and whether it is to be kept then.
    Parse(Option<(Key, Arc<str>)>),
    /// Whether it went well is all that counts.
    Ours,
    Commit,
    /// The rows of a command, by its position.
    Rows(usize),
    /// Everything up to the end: of a text that may hold several statements.
    All,
    /// To be ready for what comes next.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commit {
    None,
    Sent,
    Done,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    RollBack,
}

/// A part of a transaction.
pub(super) enum Part<'p> {
    /// A command, its position, and where its rows go.
    Command(&'p Command, usize, &'p mut dyn Sink),
    /// The next request of the same caller: a part of its own, so that it may be one that changes nothing while the transaction may.
    Turn(Access),
}

/// The last command of a transaction, and where its rows go.
pub(super) struct Last<'p> {
    pub(super) command: &'p Command,
    pub(super) sink: &'p mut dyn Sink,
}

impl Connection {
    pub(super) async fn open(
        address: &Address,
        statements_max: usize,
        respected: Arc<Respected>,
    ) -> Result<Connection> {
        let Reached { stream, stopper } = reach(address).await?;
        let mut connection = Connection {
            line: Line::new(stream),
            stopper,
            respected,
            statements: Statements::new(statements_max),
            named: 0,
            asked: VecDeque::new(),
            outcome: Ok(0),
            commit: Commit::None,
            is_in_transaction: false,
            has_part: false,
            is_soiled: false,
            is_lost: false,
        };
        for (_, name, text) in OWN {
            connection.parse(name, text, None)?;
        }
        match connection.converse(None).await {
            Ok(_) => Ok(connection),
            Err(trouble) => Err(errors::unreachable(trouble)),
        }
    }

    /// Whether another one may use it.
    pub(super) fn is_good(&mut self) -> bool {
        self.is_soiled |= !self.line.is_open();
        !self.is_soiled && !self.is_lost
    }

    /// Whether it was lost.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether nothing was answered since something was asked.
    pub(super) fn is_unheard(&self) -> bool {
        !self.line.has_heard()
    }

    /// What is to be said when its time is over.
    pub(super) fn late(&self) -> Failure {
        match self.commit {
            Commit::None => Failure::Error(errors::silent()),
            Commit::Sent | Commit::Done => errors::unknown("no answer in time").failure,
        }
    }

    /// Asks the server to stop what it does for this connection.
    pub(super) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Ends the connection, politely if that is quick.
    pub(super) async fn close(self, timeout: Duration) {
        drop(tokio::time::timeout(timeout, self.line.close()).await);
    }

    /// Runs commands that change nothing, in a transaction of their own.
    pub(super) async fn read(
        &mut self,
        commands: &[Command],
        sink: &mut dyn Sink,
        run: &Run,
    ) -> Result<(), Trouble> {
        // Several commands are to see one snapshot, which what is open until a `Sync` cannot promise.
        let isolation = self.isolation(run).or((commands.len() > 1).then_some("REPEATABLE READ"));
        if let Some(isolation) = isolation {
            self.text(&format!("BEGIN ISOLATION LEVEL {isolation} READ ONLY"))?;
        }
        self.take(run, Access::Read)?;
        for (position, command) in commands.iter().enumerate() {
            self.command(command, position, run)?;
        }
        if isolation.is_some() {
            self.own(Own::Commit)?;
        }
        self.owns(TIDY)?;
        let mut receiver = Receiver { commands, first: 0, sink, changed: None };
        let outcome = self.converse(Some(&mut receiver)).await.map(drop);
        self.settled(outcome).await
    }

    /// Whether a read may be one of several that are asked without waiting for one another's answers ([`Self::ask`]).
    pub(super) fn is_plain_read(respected: &Respected, commands: &[Command], run: &Run) -> bool {
        commands.len() == 1 && !run.is_of_system() && respected.of(run).is_none()
    }

    /// Asks what [`Self::heard_read`] then hears: a read in a transaction of its own, which may follow others that are not
    /// answered yet. What one that failed has left of locks is not there for it.
    pub(super) fn ask(&mut self, command: &Command, run: &Run) -> Result<(), Trouble> {
        let is_first = self.asked.is_empty();
        let parameters = identity::parameters(run, Access::Read);
        self.bind(Own::TakeAfter.name(), parameters.iter().map(Option::as_deref), Asked::Ours)?;
        self.command(command, 0, run)?;
        self.owns(TIDY)?;
        self.sync();
        if is_first {
            return self.begin();
        }
        self.line.go_on();
        Ok(())
    }

    /// Asks for what is due after a read that failed; [`Self::heard_own`] hears it.
    pub(super) fn ask_to_tidy(&mut self) -> Result<(), Trouble> {
        self.owns(TIDY_WRITTEN)?;
        self.sync();
        self.line.go_on();
        Ok(())
    }

    /// Hears the rows of the first read that was asked and is not answered. Whoever stops listening may go on later.
    pub(super) async fn heard_read(&mut self, command: &Command, sink: &mut dyn Sink) -> Result<(), Trouble> {
        let commands = std::slice::from_ref(command);
        let mut receiver = Receiver { commands, first: 0, sink, changed: None };
        self.heard(Some(&mut receiver)).await.map(drop)
    }

    /// Hears the answer of [`Self::ask_to_tidy`].
    pub(super) async fn heard_own(&mut self) -> Result<(), Trouble> {
        self.heard(None).await.map(drop)
    }

    /// Does a part of a transaction, which begins with it unless it has begun; how many rows it changed.
    pub(super) async fn perform(
        &mut self,
        part: &mut Part<'_>,
        run: &Run,
        has_begun: bool,
    ) -> Result<u64, Trouble> {
        if !has_begun {
            self.commit = Commit::None;
            self.has_part = false;
            match self.isolation(run) {
                Some(isolation) => self.text(&format!("BEGIN ISOLATION LEVEL {isolation} READ WRITE"))?,
                None => self.own(Own::Begin)?,
            }
            self.take(run, Access::Write)?;
        }
        match part {
            Part::Command(command, _, _) if is_plain(command) => {
                if !has_begun {
                    self.converse(None).await?;
                }
                self.run_plain(command).await
            }
            Part::Command(command, position, sink) => {
                let commands = std::slice::from_ref(*command);
                self.command(command, 0, run)?;
                let mut receiver = Receiver { commands, first: *position, sink: *sink, changed: None };
                self.converse(Some(&mut receiver)).await
            }
            Part::Turn(access) => {
                let before = if std::mem::replace(&mut self.has_part, true) { NEXT } else { &[] };
                for text in before.iter().chain(&["SAVEPOINT request"]) {
                    self.text(text)?;
                }
                self.take(run, *access)?;
                self.converse(None).await
            }
        }
    }

    /// Ends a transaction after what happened in it: what failed is undone. A last command goes along with the commit.
    pub(super) async fn end(
        &mut self,
        outcome: Result<(), Trouble>,
        end: End,
        last: Option<Last<'_>>,
        run: &Run,
    ) -> Result<(), Trouble> {
        let mut receiver = match last.filter(|_| outcome.is_ok()) {
            None => None,
            Some(Last { command, sink }) => {
                self.command(command, 0, run)?;
                let commands = std::slice::from_ref(command);
                Some(Receiver { commands, first: 0, sink, changed: None })
            }
        };
        match (outcome, end) {
            (Ok(()), End::Commit) => {
                let committed = self.commit(receiver.as_mut()).await;
                self.settled(committed).await
            }
            // What would be refused at a commit is refused where everything is undone, too: the answer is the same.
            (Ok(()), End::RollBack) => {
                // What waits may change rows, whatever the last part may do.
                if self.has_part {
                    self.text(PART_DONE)?;
                }
                self.text("SET CONSTRAINTS ALL IMMEDIATE")?;
                match self.converse(receiver.as_mut()).await {
                    Ok(_) => self.undo().await,
                    Err(trouble) => self.settled(Err(trouble)).await,
                }
            }
            (Err(trouble), _) => self.settled(Err(trouble)).await,
        }
    }

    /// Commits what was written. Without an answer nobody knows what became of it; what fails afterwards does not undo it.
    async fn commit(&mut self, receiver: Option<&mut Receiver<'_>>) -> Result<(), Trouble> {
        self.named_own(Own::Commit, Asked::Commit)?;
        self.owns(TIDY_WRITTEN)?;
        self.commit = Commit::Sent;
        let outcome = self.converse(receiver).await.map(drop);
        match (outcome, std::mem::replace(&mut self.commit, Commit::None)) {
            (Ok(()), _) => Ok(()),
            (Err(trouble), Commit::Done) => {
                tracing::debug!(cause = %trouble, "a session could not be tidied");
                self.is_soiled = true;
                Ok(())
            }
            (Err(trouble), Commit::None | Commit::Sent) if trouble.is_broken => Err(errors::unknown(trouble)),
            (Err(trouble), Commit::None | Commit::Sent) => Err(trouble),
        }
    }

    /// Leaves nothing of what failed.
    async fn settled(&mut self, outcome: Result<(), Trouble>) -> Result<(), Trouble> {
        match outcome {
            Err(trouble) if !trouble.is_broken => match self.undo().await {
                Ok(()) => Err(trouble),
                Err(_) => Err(Trouble { is_broken: true, ..trouble }),
            },
            outcome => outcome,
        }
    }

    async fn undo(&mut self) -> Result<(), Trouble> {
        if self.is_in_transaction {
            self.own(Own::RollBack)?;
        }
        self.owns(TIDY_WRITTEN)?;
        self.converse(None).await.map(drop)
    }

    fn isolation(&self, run: &Run) -> Option<&'static str> {
        self.respected.of(run).and_then(|settings| settings.isolation)
    }

    /// Takes on the identity of a caller.
    fn take(&mut self, run: &Run, access: Access) -> Result<()> {
        let settings = self.respected.of(run);
        let parameters = identity::parameters(run, access);
        let parameters = parameters.iter().map(Option::as_deref);
        match settings.as_ref().and_then(|settings| settings.rest.as_deref()) {
            None => self.bind(Own::Take.name(), parameters, Asked::Ours),
            Some(rest) => self.bind(Own::TakeRespecting.name(), parameters.chain([Some(rest)]), Asked::Ours),
        }
    }

    fn command(&mut self, command: &Command, position: usize, run: &Run) -> Result<()> {
        // A statement is kept for the role that prepared it.
        let key = Key { role: run.caller.role.clone(), text: command.text.clone() };
        let name = match self.statements.find(&key) {
            Some(name) => name,
            None => {
                self.named += 1;
                let name = Arc::<str>::from(format!("kept_{}", self.named));
                self.parse(&name, &command.text, Some((key, name.clone())))?;
                name
            }
        };
        let parameters = command.parameters.iter().map(cells::parameter).collect::<Result<Vec<_>>>()?;
        self.bind(&name, parameters.into_iter(), Asked::Rows(position))
    }

    fn owns(&mut self, statements: &[Own]) -> Result<()> {
        statements.iter().try_for_each(|own| self.own(*own))
    }

    fn own(&mut self, own: Own) -> Result<()> {
        self.named_own(own, Asked::Ours)
    }

    fn named_own(&mut self, own: Own, asked: Asked) -> Result<()> {
        self.bind(own.name(), std::iter::empty(), asked)
    }

    /// A text of ours that is not worth keeping.
    fn text(&mut self, text: &str) -> Result<()> {
        self.parse("", text, None)?;
        self.bind("", std::iter::empty(), Asked::Ours)
    }

    fn parse(&mut self, name: &str, text: &str, kept: Option<(Key, Arc<str>)>) -> Result<()> {
        frontend::parse(name, text, [], self.line.output()).map_err(Error::internal)?;
        self.asked.push_back(Asked::Parse(kept));
        Ok(())
    }

    /// Binds parameters, as text, and runs it; results are binary.
    fn bind<'p>(
        &mut self,
        name: &str,
        parameters: impl Iterator<Item = Option<&'p str>>,
        asked: Asked,
    ) -> Result<()> {
        let output = self.line.output();
        let value = |text: Option<&str>, output: &mut bytes::BytesMut| {
            let Some(text) = text else { return Ok(postgres_protocol::IsNull::Yes) };
            output.extend_from_slice(text.as_bytes());
            Ok(postgres_protocol::IsNull::No)
        };
        frontend::bind("", name, [], parameters, value, [BINARY], output)
            .map_err(|_| Error::internal("parameters that are too long"))?;
        frontend::execute("", 0, output).map_err(Error::internal)?;
        self.asked.push_back(asked);
        Ok(())
    }

    /// Statements without parameters or rows: any number of them, and none is kept.
    async fn run_plain(&mut self, command: &Command) -> Result<u64, Trouble> {
        frontend::query(&command.text, self.line.output()).map_err(Error::internal)?;
        self.asked.extend([Asked::All, Asked::End]);
        self.hear(None).await
    }

    /// Sends what was asked, and hears all that is answered; how many rows were changed.
    async fn converse(&mut self, receiver: Option<&mut Receiver<'_>>) -> Result<u64, Trouble> {
        self.sync();
        self.hear(receiver).await
    }

    fn sync(&mut self) {
        frontend::sync(self.line.output());
        self.asked.push_back(Asked::End);
    }

    async fn hear(&mut self, receiver: Option<&mut Receiver<'_>>) -> Result<u64, Trouble> {
        self.begin()?;
        let heard = self.heard(receiver).await;
        self.asked.clear();
        heard
    }

    /// Begins a conversation, whose first part is what waits to be sent.
    fn begin(&mut self) -> Result<(), Trouble> {
        // It would be taken for the answer.
        if !self.line.is_silent() {
            (self.is_soiled, self.is_lost) = (true, true);
            return Err(std::io::Error::other("an answer to nothing that was asked").into());
        }
        self.line.begin();
        Ok(())
    }

    /// Hears what is answered until the server is ready. Whoever stops listening may go on later.
    async fn heard(&mut self, mut receiver: Option<&mut Receiver<'_>>) -> Result<u64, Trouble> {
        loop {
            let is_ready = self.answer(receiver.as_deref_mut()).await.inspect_err(|trouble| {
                self.is_lost |= trouble.is_lost;
            })?;
            if is_ready {
                self.line.end();
                let outcome = std::mem::replace(&mut self.outcome, Ok(0));
                return outcome.map(|rows| receiver.and_then(|receiver| receiver.changed).unwrap_or(rows));
            }
        }
    }

    /// Hears one answer; whether it is that the server is ready.
    async fn answer(&mut self, receiver: Option<&mut Receiver<'_>>) -> Result<bool, Trouble> {
        let answer = self.line.answer().await?;
        match answer.tag {
            backend::DATA_ROW_TAG => {
                if let (Some(Asked::Rows(position)), Some(receiver)) = (self.asked.front(), receiver) {
                    receiver.row(*position, answer.body)?;
                }
            }
            backend::COMMAND_COMPLETE_TAG | backend::EMPTY_QUERY_RESPONSE_TAG => {
                match self.asked.front() {
                    Some(Asked::Rows(_) | Asked::All) => {
                        let rows = changed(answer.body);
                        self.outcome = std::mem::replace(&mut self.outcome, Ok(0)).map(|_| rows);
                    }
                    Some(Asked::Commit) if answer.body.starts_with(b"ROLLBACK") => {
                        self.commit = Commit::None;
                        self.fail(errors::undone());
                    }
                    Some(Asked::Commit) => self.commit = Commit::Done,
                    Some(Asked::Ours | Asked::Parse(_) | Asked::End) | None => {}
                }
                // Of several statements in one text each says that it is done.
                self.asked.pop_front_if(|asked| !matches!(asked, Asked::All));
            }
            backend::PARSE_COMPLETE_TAG => {
                if let Some(Asked::Parse(Some((key, name)))) = self.asked.pop_front()
                    && let Some(closed) = self.statements.keep(key, name)
                {
                    frontend::close(b'S', &closed, self.line.output())?;
                }
            }
            backend::ERROR_RESPONSE_TAG => {
                let trouble = errors::said(answer.body);
                if trouble.is_broken {
                    return Err(trouble);
                }
                if errors::is_of_the_past(answer.body) {
                    for name in self.statements.clear() {
                        frontend::close(b'S', &name, self.line.output())?;
                    }
                }
                // The server does nothing more up to the end: what was to be prepared was not.
                while self.asked.pop_front_if(|asked| !matches!(asked, Asked::End)).is_some() {}
                self.fail(trouble);
            }
            backend::READY_FOR_QUERY_TAG => {
                self.is_in_transaction = answer.body != b"I";
                while !matches!(self.asked.pop_front(), Some(Asked::End) | None) {}
                return Ok(true);
            }
            // Of which nothing follows, or nothing that is not known.
            backend::BIND_COMPLETE_TAG
            | backend::CLOSE_COMPLETE_TAG
            | backend::NO_DATA_TAG
            | backend::ROW_DESCRIPTION_TAG
            | backend::NOTICE_RESPONSE_TAG
            | backend::NOTIFICATION_RESPONSE_TAG
            | backend::PARAMETER_STATUS_TAG => {}
            other => {
                let error = Error::internal(format!("PostgreSQL's answer `{}`", char::from(other)));
                return Err(error.into());
            }
        }
        Ok(false)
    }

    /// What goes wrong first is what is said.
    fn fail(&mut self, trouble: Trouble) {
        if self.outcome.is_ok() {
            self.outcome = Err(trouble);
        }
    }
}

/// Ends the request before: what its functions have set, of the reply and of anything else, is not the next one's.
const NEXT: &[&str] = &[PART_DONE, "RESET ROLE", "RESET ALL"];

/// Ends a part of a transaction.
const PART_DONE: &str = "RELEASE SAVEPOINT request";

/// Most columns of a row that is handed over without an allocation.
const INLINE_COLUMNS: usize = 32;

/// The format of results, as the protocol counts.
const BINARY: i16 = 1;

/// Whether a command is a text that may hold several statements.
fn is_plain(command: &Command) -> bool {
    command.parameters.is_empty() && command.outputs.is_empty() && !command.counts_changes
}

/// How many rows a command says that it changed: `INSERT 0 1`.
fn changed(tag: &[u8]) -> u64 {
    let tag = std::str::from_utf8(tag).unwrap_or_default().trim_end_matches('\0');
    tag.rsplit(' ').next().and_then(|rows| rows.parse().ok()).unwrap_or_default()
}

/// Takes the rows of commands.
struct Receiver<'r> {
    commands: &'r [Command],
    /// The position of the first one among those of whom it is for.
    first: usize,
    sink: &'r mut dyn Sink,
    /// How many rows were changed, where the rows say that.
    changed: Option<u64>,
}

impl Receiver<'_> {
    fn row(&mut self, position: usize, body: &[u8]) -> Result<()> {
        let command =
            self.commands.get(position).ok_or_else(|| Error::internal("a row that nobody asked for"))?;
        let mut columns = Columns::of(body);
        if command.counts_changes {
            self.changed = count(columns.next()?)?;
            if columns.next()?.is_none() {
                return Ok(());
            }
        }
        if command.outputs.len() <= INLINE_COLUMNS
            && !command.outputs.iter().any(|(_, ty)| cells::is_made(ty))
        {
            let mut row = [Cell::Null; INLINE_COLUMNS];
            for ((_, ty), cell) in command.outputs.iter().zip(&mut row) {
                *cell = cells::cell(ty, columns.next()?)?;
            }
            let row = row.get(..command.outputs.len()).unwrap_or_default();
            return self.sink.row(self.first + position, row);
        }
        let mut held = Vec::with_capacity(command.outputs.len());
        for (_, ty) in command.outputs.iter() {
            held.push(cells::held(ty, columns.next()?, &command.session)?);
        }
        let row: Vec<Cell<'_>> = held.iter().map(Held::cell).collect();
        self.sink.row(self.first + position, &row)
    }
}

/// How many rows were changed, as a column says it.
fn count(bytes: Option<&[u8]>) -> Result<Option<u64>> {
    match cells::held(&Type::Int8, bytes, &Session::utc(0))?.cell() {
        Cell::Int(rows) => u64::try_from(rows).map(Some).map_err(Error::internal),
        _ => Ok(None),
    }
}
