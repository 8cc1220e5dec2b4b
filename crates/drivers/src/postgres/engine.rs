//! The engine over a pool of connections: reads, transactions, deadlines.

use std::sync::Arc;
use std::time::Duration;

use catalog::{Catalog, Sequence};
use engine::{Access, BoxFuture, Engine, Failure, Job, Routines, Run, Sink, Standing, Transaction, Values};
use render::postgres::qualified;
use render::{Command, Dialect};
use tokio::time::{Instant, timeout_at};
use types::stored::Stored;
use types::{Capabilities, Error, Result, Type, Value};

use super::connection::{Connection, End, Last, Part};
use super::errors::{self, Trouble, undone};
use super::options::Options;
use super::pipeline::{Answer, Pipelines, Question, Way};
use super::pool::{Lease, Pool};
use super::respected::Respected;

/// What PostgreSQL can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    nested_json: true,
    native_policies: true,
    transactional_ddl: true,
    native_functions: true,
    parameters_max: 65_535,
};

/// How much later than PostgreSQL we stop a transaction ourselves: its own timeout is for each statement and keeps the
/// connection.
const GRACE: Duration = Duration::from_millis(500);

/// How often something starts over because a connection turned out to be dead before anything was done on it.
const RETRIES: usize = 2;

/// A PostgreSQL server.
pub struct Postgres {
    requests: Pool,
    pipelines: Pipelines,
    /// For work of the server itself, where that logs in as somebody else.
    system: Option<Pool>,
    respected: Arc<Respected>,
}

impl Postgres {
    /// The server at an address. Nothing is connected before something runs.
    ///
    /// # Errors
    /// `22023` when the address cannot be read.
    pub fn new(options: &Options) -> Result<Postgres> {
        let respected = Arc::<Respected>::default();
        let requests = Pool::new(options, respected.clone())?;
        let system = options.of_system().map(|options| Pool::new(&options, respected.clone())).transpose()?;
        let pipelines = Pipelines::new(options);
        Ok(Postgres { requests, pipelines, system, respected })
    }

    /// What roles are set to in a catalog holds for transactions that begin from here on.
    pub fn respect(&self, catalog: &Catalog) {
        self.respected.put(catalog);
    }

    /// Lets nothing further run.
    pub fn close(&self) {
        self.requests.close();
        self.system.iter().for_each(Pool::close);
    }

    fn pool(&self, run: &Run) -> &Pool {
        self.system.as_ref().filter(|_| run.is_of_system()).unwrap_or(&self.requests)
    }

    /// Reads: what is known to be short, on a connection that it may share.
    async fn read_by(
        &self,
        mut commands: Vec<Command>,
        mut sink: Box<dyn Sink>,
        mut run: Run,
    ) -> Result<Box<dyn Sink>, Failure> {
        let is_plain = Connection::is_plain_read(&self.respected, &commands, &run);
        let way = match &*commands {
            [command] if is_plain => self.pipelines.way(command, &run),
            _ => Way::Alone(None),
        };
        let place = match way {
            Way::Alone(place) => place,
            Way::Among => {
                let Some(command) = commands.pop() else {
                    return Err(Failure::Error(Error::internal("a read of nothing")));
                };
                match self.read_among(Box::new(Question { command, sink, run })).await? {
                    Answer::Heard(sink, outcome) => return outcome.map(|()| sink),
                    Answer::Elsewhere(question) => {
                        let asked = *question;
                        commands.push(asked.command);
                        (sink, run) = (asked.sink, asked.run);
                        sink.restart();
                        None
                    }
                }
            }
        };
        let took = self.read_alone(&commands, &mut *sink, &run).await?;
        drop(place);
        if let Some(command) = commands.first().filter(|_| is_plain) {
            self.pipelines.note(command, &run, took);
        }
        Ok(sink)
    }

    async fn read_among(&self, question: Box<Question>) -> Result<Answer, Failure> {
        let timeout = question.run.timeout;
        let answer = match self.pipelines.join(question) {
            Ok(answer) => answer,
            Err(question) => self.pipelines.open(self.requests.lease().await?, &self.requests, question),
        };
        match timeout_at(deadline(timeout), answer).await {
            Ok(answer) => answer.map_err(|_| Failure::Error(Error::internal("a read without an answer"))),
            Err(_) => Err(Failure::Error(errors::silent())),
        }
    }

    /// Reads on a connection of its own; says how long that took.
    async fn read_alone(
        &self,
        commands: &[Command],
        sink: &mut dyn Sink,
        run: &Run,
    ) -> Result<Duration, Failure> {
        for retries in (0..=RETRIES).rev() {
            let mut lease = self.pool(run).lease().await?;
            let since = Instant::now();
            let read = lease.connection()?.read(commands, sink, run);
            match timeout_at(deadline(run.timeout), read).await {
                Ok(Ok(())) => {
                    lease.give_back();
                    return Ok(since.elapsed());
                }
                Ok(Err(trouble)) if trouble.is_lost && retries > 0 => sink.restart(),
                Ok(Err(trouble)) => {
                    if !trouble.is_end() {
                        lease.give_back();
                    }
                    return Err(trouble.failure);
                }
                Err(_) => return Err(lease.connection()?.late()),
            }
        }
        Err(Failure::Error(Error::internal("a read without an outcome")))
    }

    async fn write_by(&self, job: Job, run: &Run) -> Result<(), Failure> {
        let pool = self.pool(run);
        let mut work = Work {
            lease: pool.lease().await?,
            pool,
            run,
            has_begun: false,
            trouble: None,
            end: if run.roll_back { End::RollBack } else { End::Commit },
            last: None,
        };
        let worked = timeout_at(deadline(run.timeout), work.worked(job)).await;
        let Ok(outcome) = worked else { return Err(work.lease.connection()?.late()) };
        if outcome.as_ref().err().is_none_or(|trouble| !trouble.is_end()) {
            work.lease.give_back();
        }
        outcome.map_err(|trouble| trouble.failure)
    }
}

/// When a transaction that begins now is stopped.
fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout.saturating_add(GRACE)).unwrap_or(now + FOREVER)
}

/// In place of times beyond what a clock can say.
const FOREVER: Duration = Duration::from_hours(24 * 365);

impl Engine for Postgres {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &render::postgres::Postgres
    }

    fn read(
        &self,
        commands: Vec<Command>,
        sink: Box<dyn Sink>,
        run: Run,
    ) -> BoxFuture<'_, Result<Box<dyn Sink>, Failure>> {
        Box::pin(self.read_by(commands, sink, run))
    }

    fn inspect(&self, job: Job, run: Run) -> BoxFuture<'_, Result<()>> {
        self.transact(job, run)
    }

    fn transact(&self, job: Job, run: Run) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(self.write_by(job, &run).await?) })
    }

    fn migrate(&self, job: Job, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        self.transact(job, Run::of_system(timeout))
    }
}

/// PostgreSQL runs functions itself: nothing of ours needs a part of its transactions.
fn own_functions() -> Failure {
    Failure::Error(Error::internal("a part of a transaction of an engine that runs functions itself"))
}

/// The transaction of a job.
struct Work<'t> {
    lease: Lease,
    pool: &'t Pool,
    run: &'t Run,
    /// Whether anything was asked: what begins a transaction travels with its first part.
    has_begun: bool,
    /// What went wrong: the transaction cannot be committed any more.
    trouble: Option<Trouble>,
    end: End,
    last: Option<(Command, Box<dyn Sink>)>,
}

impl Work<'_> {
    /// Runs a job in the transaction, and ends it.
    async fn worked(&mut self, job: Job) -> Result<(), Trouble> {
        let outcome = job(self).await;
        let outcome = match (outcome, self.trouble.take()) {
            (Ok(()), None) => Ok(()),
            // PostgreSQL undoes the whole transaction however the job took it.
            (Ok(()), Some(state)) => Err(Trouble { is_broken: state.is_broken, ..undone() }),
            (Err(error), state) => {
                let is_broken = state.is_some_and(|state| state.is_broken);
                Err(Trouble { failure: Failure::Error(error), is_broken, is_lost: false })
            }
        };
        match (self.has_begun, &outcome) {
            (false, _) | (_, Err(Trouble { is_broken: true, .. })) => outcome,
            _ => {
                let last = self.last.as_mut().map(|(command, sink)| Last { command, sink: &mut **sink });
                self.lease.connection()?.end(outcome, self.end, last, self.run).await
            }
        }
    }

    /// Does a part of it. A connection that turns out to be dead before anything was answered is replaced: a transaction that
    /// was not even begun can begin again.
    async fn perform(&mut self, mut part: Part<'_>, run: &Run) -> Result<u64, Failure> {
        for retries in (0..=RETRIES).rev() {
            let has_begun = std::mem::replace(&mut self.has_begun, true);
            let connection = self.lease.connection()?;
            match connection.perform(&mut part, run, has_begun).await {
                Ok(changed) => return Ok(changed),
                Err(trouble) if trouble.is_lost && !has_begun && connection.is_unheard() && retries > 0 => {
                    self.has_begun = false;
                    self.lease.replace(self.pool).await?;
                }
                Err(trouble) => return Err(self.failed(trouble)),
            }
        }
        Err(Failure::Error(Error::internal("a part of a transaction without an outcome")))
    }

    async fn command(
        &mut self,
        command: &Command,
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<u64, Failure> {
        let run = self.run;
        self.perform(Part::Command(command, position, sink), run).await
    }

    /// Notes that the transaction cannot be committed any more.
    fn failed(&mut self, trouble: Trouble) -> Failure {
        self.trouble = Some(Trouble::with(self.trouble.take(), &trouble));
        trouble.failure
    }

    /// A function of a sequence, which answers one number.
    async fn of_sequence(
        &mut self,
        call: &str,
        sequence: &Sequence,
        further: &[i64],
    ) -> Result<i64, Failure> {
        let mut parameters = vec![Stored::Text(qualified(&sequence.name).into())];
        parameters.extend(further.iter().map(|number| Stored::Text(number.to_string().into())));
        let command = Command {
            text: call.into(),
            parameters,
            session: self.run.session.clone(),
            outputs: [("value".into(), Type::Int8)].into(),
            counts_changes: false,
            calls: false,
        };
        let mut values = Values::of([Type::Int8]);
        self.command(&command, 0, &mut values).await?;
        match values.into_rows().first().and_then(|row| row.first()) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(Failure::Error(Error::internal("a sequence without a value"))),
        }
    }
}

impl Transaction for Work<'_> {
    fn run<'a>(
        &'a mut self,
        command: &'a Command,
        position: usize,
        sink: &'a mut dyn Sink,
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        Box::pin(self.command(command, position, sink))
    }

    fn next_value<'a>(&'a mut self, sequence: &'a Sequence) -> BoxFuture<'a, Result<i64, Failure>> {
        Box::pin(self.of_sequence("SELECT pg_catalog.nextval($1::text::regclass)", sequence, &[]))
    }

    fn standing<'a>(&'a mut self, _: &'a Sequence) -> BoxFuture<'a, Result<Standing, Failure>> {
        Box::pin(std::future::ready(Err(own_functions())))
    }

    fn set_value<'a>(
        &'a mut self,
        sequence: &'a Sequence,
        standing: Standing,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let call = match standing.is_called {
                true => "SELECT pg_catalog.setval($1::text::regclass, $2::int8)",
                false => "SELECT pg_catalog.setval($1::text::regclass, $2::int8, false)",
            };
            self.of_sequence(call, sequence, &[standing.value]).await.map(drop)
        })
    }

    fn begin_part(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(std::future::ready(Err(own_functions())))
    }

    fn end_part(&mut self, _: bool) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(std::future::ready(Err(own_functions())))
    }

    fn defer_references(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(std::future::ready(Err(own_functions())))
    }

    fn check(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn install(&mut self, _: Arc<dyn Routines>) {}

    fn turn<'a>(&'a mut self, run: &'a Run, access: Access) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.perform(Part::Turn(access), run).await.map(drop) })
    }

    fn roll_back_at_end(&mut self) {
        self.end = End::RollBack;
    }

    fn run_at_end(&mut self, command: Command, sink: Box<dyn Sink>) -> Result<()> {
        self.last = Some((command, sink));
        Ok(())
    }
}
