//! A plan at work in one transaction.
//!
//! Foreign keys of the engine hold unless rows of tables move (a table is made anew or dropped): then they are off, their
//! actions are stood in for while rows change, and every key is looked at after each stage.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use catalog::migration::{Action, Danger, Step};
use catalog::{Catalog, ColumnId, Table};
use query::Model;
use query::triggers::Replication;
use render::schema::{Ledger, Scene, Task, Test};
use render::{Command, SchemaDialect};
use types::session::Session;
use types::{Code, Error, Name, Result, Value};

use super::fold::Rows;
use super::ledger::FORMAT;
use super::plan::{Plan, Stage};
use super::rows::{self, Outcome};
use super::session::FileSession;
use super::{Applied, Options};
use crate::contract::{Engine, Failure, Job, Transaction};
use crate::{Values, Work};

/// Runs a plan.
pub(super) async fn run(engine: &Arc<dyn Engine>, plan: Plan, options: &Options) -> Result<Applied> {
    let moves = plan.steps().any(|step| engine.dialect().schema().runs_alone(&step.action));
    let slot = Arc::new(Mutex::new(None));
    let (filled, owner, own) = (slot.clone(), engine.clone(), options.clone());
    let job: Job = Box::new(move |transaction| {
        Box::pin(async move {
            let session = Session::utc((own.clock)());
            let schema = owner.dialect().schema();
            let mut run = Run {
                transaction,
                engine: &owner,
                schema,
                session,
                options: &own,
                moves,
                applied: Applied::default(),
                file: None,
                replicates: false,
                seen: None,
                kept: stored(&plan),
            };
            run.plan(plan).await?;
            *filled.lock().map_err(|_| Error::internal("result slot"))? = Some(run.applied);
            Ok(())
        })
    });
    if moves {
        engine.migrate(job, options.timeout).await?;
    } else {
        engine.transact(job, crate::Run::of_system(options.timeout)).await?;
    }
    let applied = slot.lock().map_err(|_| Error::internal("result slot"))?.take();
    applied.ok_or_else(|| Error::internal("a committed migration left no result"))
}

/// The tables before the first step.
fn stored(plan: &Plan) -> BTreeSet<Name> {
    let first = plan.stages.first().map(|stage| &stage.from.catalog.tables);
    let tables = first.into_iter().flatten().filter(|table| table.has_storage());
    tables.map(|table| table.name.clone()).collect()
}

struct Run<'t> {
    transaction: &'t mut dyn Transaction,
    engine: &'t Arc<dyn Engine>,
    schema: &'t dyn SchemaDialect,
    session: Session,
    options: &'t Options,
    /// Whether foreign keys are off.
    moves: bool,
    applied: Applied,
    /// The session of the file whose statements run.
    file: Option<FileSession>,
    /// Whether rows were as they were elsewhere.
    replicates: bool,
    /// The model of what a statement sees, where that is not its stage's.
    seen: Option<(Arc<Catalog>, Arc<Model>)>,
    /// The tables that were there before, by their names. What the files put into others is theirs to take away.
    kept: BTreeSet<Name>,
}

impl Run<'_> {
    async fn plan(&mut self, plan: Plan) -> Result<()> {
        self.execute(&self.schema.ledger(Ledger::Make, &self.session)).await?;
        // What an older version stored otherwise is as it is meant before rows are touched, too.
        if let (Some(_), Some(stage)) = (&plan.settle, plan.stages.first()) {
            self.settle(&stage.from).await?;
        }
        for (position, stage) in plan.stages.iter().enumerate() {
            self.stage(stage).await?;
            let next = plan.stages.iter().skip(position + 1).find_map(|stage| stage.rows.first());
            self.turn_to(next.map(|rows| &rows.session)).await?;
        }
        if let Some(model) = &plan.settle {
            self.settle(model).await?;
        }
        for layer in &plan.forget {
            self.execute(&self.schema.ledger(Ledger::Forget(layer), &self.session)).await?;
        }
        for entry in &plan.entries {
            self.execute(&self.schema.ledger(Ledger::Add(entry), &self.session)).await?;
            if entry.layer != FORMAT {
                self.applied.files.push(entry.name.clone());
            }
        }
        self.applied.steps = plan.steps().cloned().collect();
        self.applied.notes.splice(0..0, plan.notes);
        self.applied.catalog = plan.catalog;
        Ok(())
    }

    async fn stage(&mut self, stage: &Stage) -> Result<()> {
        if !stage.migration.is_empty() {
            self.change(stage).await?;
        }
        self.touch(stage).await?;
        if self.moves {
            self.references(&stage.to, |_| true).await?;
        } else if self.transaction.may_references_dangle()
            && self.references(&stage.to, |_| true).await.is_ok()
        {
            self.transaction.let_references_dangle(false)?;
        }
        Ok(())
    }

    /// Looks at the keys of tables, which the engine does not while rows move.
    async fn references(&mut self, model: &Model, looked_at: fn(&Table) -> bool) -> Result<()> {
        let tables = model.catalog.tables.iter().filter(|table| table.has_storage() && looked_at(table));
        for table in tables {
            let tasks = self.schema.references(model, table, &self.session)?;
            self.tasks(tasks).await.map_err(|error| self.loose(error))?;
        }
        Ok(())
    }

    /// A reference without its row, where PostgreSQL would not have looked.
    fn loose(&self, error: Error) -> Error {
        if !self.replicates || error.code() != Code::FOREIGN_KEY_VIOLATION {
            return error;
        }
        Error::missing("a migration that makes tables anew and leaves references without their rows")
            .with_details(error.message())
    }

    /// Runs the statements about rows of a stage.
    async fn touch(&mut self, stage: &Stage) -> Result<()> {
        let stands_in = self.moves && !stage.rows.is_empty();
        if stands_in {
            self.tasks(self.schema.stand_in(&stage.to, &self.session)?).await?;
        }
        for rows in &stage.rows {
            self.turn_to(Some(&rows.session)).await?;
            if self.options.is_lenient {
                self.rows_or_note(rows, &stage.to).await?;
            } else {
                self.rows(rows, &stage.to).await.map_err(|error| placed(error, rows))?;
            }
        }
        if stands_in {
            self.settle(&stage.to).await?;
        }
        Ok(())
    }

    async fn change(&mut self, stage: &Stage) -> Result<()> {
        let stored = self.values(&self.schema.stored(&self.session)).await?;
        self.tasks(self.schema.before(&stored, &self.session)).await?;
        for step in &stage.migration.steps {
            self.guard(step, stage).await?;
            self.step(&step.action, stage).await?;
            self.follow(&step.action);
        }
        self.settle(&stage.to).await
    }

    async fn settle(&mut self, model: &Model) -> Result<()> {
        let stored = self.values(&self.schema.stored(&self.session)).await?;
        self.tasks(self.schema.settle(model, &stored, &self.session)?).await
    }

    async fn step(&mut self, action: &Action, stage: &Stage) -> Result<()> {
        let session = self.session.clone();
        let scene = Scene { current: &stage.from, wanted: &stage.to, session: &session, numbers: &[] };
        let numbers = match action {
            Action::RebuildTable(rebuild) => {
                let columns = self.schema.numbered(rebuild, &scene);
                self.numbers(&rebuild.old.name, columns, &stage.to).await?
            }
            _ => Vec::new(),
        };
        let tasks = self.schema.step(action, &Scene { numbers: &numbers, ..scene })?;
        if tasks.iter().any(calls) {
            // A work leaves behind the functions that it may call.
            let (random, clock) = (self.options.random.clone(), self.options.clock.clone());
            Work::of_system(&mut *self.transaction, &**self.engine, stage.to.clone(), random, clock);
        }
        self.tasks(tasks).await
    }

    /// Takes a number for each existing row and column; says the first of each.
    async fn numbers(
        &mut self,
        table: &Name,
        columns: Vec<(ColumnId, Name)>,
        model: &Model,
    ) -> Result<Vec<(ColumnId, i64)>> {
        let mut numbers = Vec::new();
        for (column, name) in columns {
            let sequence = model.catalog.sequences.get(&name);
            let sequence = sequence.ok_or_else(|| Error::internal(format!("sequence {name}")))?;
            let mut first = None;
            let mut last = None;
            for _ in 0..self.count(table).await? {
                let value = self.transaction.next_value(sequence).await?;
                if last.is_some_and(|last: i64| last.checked_add(sequence.increment) != Some(value)) {
                    return Err(Error::missing(format!(
                        "filling rows from sequence {name}, which starts over,"
                    )));
                }
                last = Some(value);
                first.get_or_insert(value);
            }
            numbers.push((column, first.unwrap_or_default()));
        }
        Ok(numbers)
    }

    /// Refuses a step that would lose something that is there.
    async fn guard(&mut self, step: &Step, stage: &Stage) -> Result<()> {
        if !matches!(step.danger, Danger::Loses(_)) || self.options.allow_loss {
            return Ok(());
        }
        let table = match &step.action {
            // It was for its session.
            Action::DropTable(table) if &*table.name.schema == catalog::build::TEMPORARY => return Ok(()),
            Action::DropTable(table) => &table.name,
            Action::DropColumn { table, .. } => table,
            Action::DropRows { root, .. } => root,
            Action::RebuildTable(rebuild) => &rebuild.old.name,
            // A table's rows are what counts; its sequence goes with it.
            Action::DropSequence(_) => return Ok(()),
            Action::CreateTable(_)
            | Action::RenameTable { .. }
            | Action::AddColumn { .. }
            | Action::RenameColumn { .. }
            | Action::CreateIndex { .. }
            | Action::DropIndex { .. }
            | Action::CreateSequence(_)
            | Action::AlterSequence { .. }
            | Action::RelabelRows { .. }
            | Action::DetachRows { .. }
            | Action::AttachRows { .. }
            | Action::Validate { .. }
            | Action::Declare => return Err(loss(stage)),
        };
        let is_lost = self.kept.contains(table) && self.count(table).await? > 0;
        if is_lost { Err(loss(stage)) } else { Ok(()) }
    }

    /// Keeps the names of the tables that were there before.
    fn follow(&mut self, action: &Action) {
        if let Action::DropTable(table) = action {
            self.kept.remove(&table.name);
        }
        if let Action::RenameTable { from, to } = action
            && self.kept.remove(from)
        {
            self.kept.insert(to.clone());
        }
    }

    async fn count(&mut self, table: &Name) -> Result<i64> {
        let rows = self.values(&self.schema.count(table, &self.session)).await?;
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Int(count)) => Ok(*count),
            _ => Err(Error::internal("a count without a number")),
        }
    }

    async fn rows(&mut self, rows: &Rows, model: &Arc<Model>) -> Result<()> {
        let model = &self.seen_by(rows, model);
        let (random, clock) = (self.options.random.clone(), self.options.clock.clone());
        let now = clock();
        let file =
            self.file.get_or_insert_with(|| FileSession::begin(rows.session.clone(), now, model.clone()));
        let mut work = Work::of_system(&mut *self.transaction, &**self.engine, model.clone(), random, clock);
        let before = file.count();
        file.enter(&mut work, model, rows.role.as_ref())?;
        let outcome = rows::run(&mut work, file, (model, rows)).await;
        file.leave(&work, before, outcome.is_ok());
        self.replicates |= work.replication() == Replication::Replica;
        match outcome? {
            Outcome::Changed(count) => self.applied.rows += count,
            Outcome::Passed(table) => self.applied.notes.push(format!(
                "the statement at {}:{} about {table} did not run: the service that has the table is not part of this version.",
                rows.file, rows.line
            )),
        }
        Ok(())
    }

    /// The model of what a statement sees.
    fn seen_by(&mut self, rows: &Rows, model: &Arc<Model>) -> Arc<Model> {
        let Some(sees) = &rows.sees else { return model.clone() };
        match &self.seen {
            Some((catalog, model)) if Arc::ptr_eq(catalog, sees) => model.clone(),
            _ => {
                let model = Arc::new(Model::by_need(sees.clone()));
                self.seen = Some((sees.clone(), model.clone()));
                model
            }
        }
    }

    /// Ends the session at work, unless it is this one: what waits for its end is done.
    async fn turn_to(&mut self, session: Option<&Arc<str>>) -> Result<()> {
        if self.file.as_ref().is_some_and(|file| session == Some(&file.name)) {
            return Ok(());
        }
        let Some(mut file) = self.file.take().filter(FileSession::waits) else { return Ok(()) };
        if !self.options.is_lenient {
            return self.end(&mut file).await;
        }
        self.transaction.begin_part().await?;
        let outcome = self.end(&mut file).await;
        self.transaction.end_part(outcome.is_ok()).await?;
        if let Err(error) = outcome {
            let said = format!(
                "what waited for the end of {} failed and was passed over: {}",
                file.name,
                error.message()
            );
            self.applied.notes.push(said);
        }
        Ok(())
    }

    async fn end(&mut self, file: &mut FileSession) -> Result<()> {
        let (random, clock) = (self.options.random.clone(), self.options.clock.clone());
        let model = file.model().clone();
        let mut work = Work::of_system(&mut *self.transaction, &**self.engine, model.clone(), random, clock);
        file.enter(&mut work, &model, None)?;
        work.fire_deferred().await
    }

    /// Runs something about rows; what fails is undone by itself and told.
    async fn rows_or_note(&mut self, rows: &Rows, model: &Arc<Model>) -> Result<()> {
        self.transaction.begin_part().await?;
        let mut outcome = self.rows(rows, model).await;
        if self.moves && outcome.is_ok() {
            // A key that waits for the end of its file is looked at with its stage.
            let is_due = |table: &Table| table.foreign_keys.iter().all(|key| !key.initially_deferred);
            outcome = self.references(model, is_due).await;
        }
        self.transaction.end_part(outcome.is_ok()).await?;
        if let Err(error) = outcome {
            let place = format!("{}:{}", rows.file, rows.line);
            let said = format!("the statement at {place} failed and was passed over: {}", error.message());
            self.applied.notes.push(said);
        }
        Ok(())
    }

    async fn tasks(&mut self, tasks: Vec<Task>) -> Result<()> {
        for task in tasks {
            match task {
                Task::Run(command) => self.execute(&command).await?,
                Task::Unique(command, test) => self.unique(&command, &test).await?,
                Task::Refuse(test) => self.refuse(&test).await?,
            }
        }
        Ok(())
    }

    async fn unique(&mut self, command: &Command, test: &Test) -> Result<()> {
        match self.transaction.run(command, 0, &mut Values::default()).await {
            Ok(_) => Ok(()),
            Err(Failure::Unique { .. }) => {
                self.refuse(test).await?;
                Err(test.error.clone())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn refuse(&mut self, test: &Test) -> Result<()> {
        match self.values(&test.command).await?.first() {
            Some(row) => Err(test.violation(row, &self.session)),
            None => Ok(()),
        }
    }

    async fn values(&mut self, command: &Command) -> Result<Vec<Vec<Value>>> {
        let mut values = Values::of(command.outputs.iter().map(|(_, ty)| ty.clone()));
        self.transaction.run(command, 0, &mut values).await?;
        Ok(values.into_rows())
    }

    async fn execute(&mut self, command: &Command) -> Result<()> {
        self.transaction.run(command, 0, &mut Values::default()).await?;
        Ok(())
    }
}

/// Whether a task calls functions.
fn calls(task: &Task) -> bool {
    match task {
        Task::Run(command) => command.calls,
        Task::Unique(command, test) => command.calls || test.command.calls,
        Task::Refuse(test) => test.command.calls,
    }
}

/// `55000`, with everything that would be lost.
fn loss(stage: &Stage) -> Error {
    let lossy = stage.migration.steps.iter().filter(|step| matches!(step.danger, Danger::Loses(_)));
    let sentences: Vec<String> = lossy.map(|step| format!("{}{}", step.sentence, step.danger)).collect();
    Error::new(Code::OBJECT_STATE, "the migration would lose stored data")
        .with_details(sentences.join("\n"))
        .with_hint("Allow it in words: `--allow-destructive`.")
}

/// Says where a statement about rows stands.
fn placed(error: Error, rows: &Rows) -> Error {
    let place = format!("{}:{}", rows.file, rows.line);
    let hint = match error.hint() {
        Some(hint) => format!("{hint} ({place})"),
        None => format!("It was raised at {place}."),
    };
    error.with_hint(hint)
}
