//! Reads that are kept: planned once for a role, and run again with other values and for other callers of that role.
//!
//! What is kept was authorized like every plan, and is run for no other role, in no other zone and on no other model than the
//! ones it was made for.

use std::sync::Arc;

use query::{Model, Plan, Presentation, Read, visit};
use types::{Error, Result, Value};

use crate::contract::Sink;
use crate::database::Database;
use crate::run::Run;
use render::{Bindings, Command};

/// The commands of a plan that only reads.
pub struct Kept {
    model: Arc<Model>,
    role: Arc<str>,
    zone: Arc<str>,
    /// What the commands are held against where that costs nobody anything.
    plan: Option<Plan>,
    commands: Vec<render::Kept>,
}

impl Kept {
    /// Whoever runs it must be of its role and in its zone.
    fn check(&self, run: &Run) -> Result<()> {
        if *self.role == *run.caller.role && *self.zone == *run.session.zone {
            return Ok(());
        }
        Err(Error::internal("a read that is kept for somebody else"))
    }

    /// Whether two say the same, for the same role and zone.
    pub fn is_like(&self, other: &Kept) -> bool {
        let mut pairs = self.commands.iter().zip(&other.commands);
        (&self.role, &self.zone, self.commands.len()) == (&other.role, &other.zone, other.commands.len())
            && pairs.all(|(one, other)| one.is_like(other))
    }

    /// The commands of a run.
    fn commands(&self, bindings: &Bindings<'_>) -> Result<Vec<Command>> {
        self.commands.iter().map(|kept| kept.bound(bindings)).collect()
    }
}

impl Database {
    /// A plan to be run again by [`read_again`](Database::read_again), for callers of the role of a run; `None` when it is to be
    /// run as any other: it changes something, asks functions, or is right for its values alone.
    ///
    /// # Errors
    /// What its commands cannot say.
    pub fn keep(
        &self,
        model: &Arc<Model>,
        plan: Plan,
        parameters: &[Value],
        run: &Run,
    ) -> Result<Option<Kept>> {
        let Some(reads) = plan.reads().filter(|_| !run.is_answered_by_functions()) else { return Ok(None) };
        let is_plain = |(position, read): (usize, &&Read)| {
            *plan.presentation(position) == Presentation::Rows
                && plan.again(position).is_none()
                && !visit::calls_for_rows(read)
        };
        if !reads.iter().enumerate().all(is_plain) {
            return Ok(None);
        }
        let (bindings, dialect) = (bindings(run, parameters), self.engine().dialect());
        let commands = reads.into_iter().map(|read| dialect.kept(&model.catalog, read, &bindings));
        let Some(commands) = commands.collect::<Result<Option<Vec<_>>>>()? else { return Ok(None) };
        Ok(Some(Kept {
            model: model.clone(),
            role: run.caller.role.clone(),
            zone: run.session.zone.clone(),
            plan: cfg!(debug_assertions).then_some(plan),
            commands,
        }))
    }

    /// Runs what was kept, with these parameters; rows of its n-th step are the sink's n-th command.
    ///
    /// # Errors
    /// What the engine or the sink refuses; `XX000` for another role or zone.
    pub async fn read_again<S: Sink>(
        &self,
        kept: &Kept,
        parameters: &[Value],
        run: Run,
        sink: S,
    ) -> Result<S> {
        kept.check(&run)?;
        let commands = {
            let bindings = bindings(&run, parameters);
            let commands = kept.commands(&bindings)?;
            self.compare(kept, &commands, &bindings)?;
            commands
        };
        self.run_commands(&kept.model, commands, run, sink).await
    }

    /// Holds what was kept against what would be made.
    fn compare(&self, kept: &Kept, commands: &[Command], bindings: &Bindings<'_>) -> Result<()> {
        let (catalog, dialect) = (&kept.model.catalog, self.engine().dialect());
        let reads = kept.plan.as_ref().and_then(Plan::reads).unwrap_or_default();
        for (command, read) in commands.iter().zip(reads) {
            let fresh = dialect.read(catalog, read, bindings)?;
            if (&*fresh.text, &fresh.parameters) != (&*command.text, &command.parameters) {
                let cause = format!("{}\nis not\n{}", command.text, fresh.text);
                return Err(Error::internal("what is kept is not what would be made").with_cause(cause));
            }
        }
        Ok(())
    }
}

fn bindings<'a>(run: &'a Run, parameters: &'a [Value]) -> Bindings<'a> {
    Bindings { caller: &run.caller, session: &run.session, parameters, written: &[], given: &[] }
}
