//! Statements of SQL: what they may do, where their rows go, what is said of them afterwards.

use std::sync::Arc;

use catalog::Volatility;
use query::Query;
use query::resolve::bound_statement;
use sql::ast::{self, StatementKind};
use sql::body::{Dynamic, Into, Rows, Target};
use types::{Code, Error, Result, Type, Value};

use super::Frame;
use super::handle::{OF_ERRORS, not_allowed};
use crate::account::Held;
use crate::context::{At, Place, Said};
use crate::convert::printed;
use crate::dynamic::Arguments;
use crate::host::Done;
use crate::plans::{Planned, What};

/// What columns rows have, the rows, what they hold of memory, and the temporary tables that they are of.
pub(super) type Table = (Vec<(Arc<str>, Type)>, Vec<Vec<Value>>, Held, Vec<Arc<str>>);

/// What is asked of a text that is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// Rows, at once.
    Rows,
    /// Rows by and by.
    Cursor,
}

impl Asked {
    /// Refuses a change that returns no rows where rows are asked for.
    fn given_rows(self, word: Option<&str>) -> Result<()> {
        let Some(word) = word else { return Ok(()) };
        match self {
            Asked::Nothing => Ok(()),
            Asked::Rows => Err(Error::new(Code::SYNTAX, format!("{word} query does not return tuples"))),
            Asked::Cursor => Err(Error::raised("42P11", format!("cannot open {word} query as cursor"))),
        }
    }
}

/// The word of a change that returns no rows.
fn word_without_rows(statement: &StatementKind) -> Option<&'static str> {
    match statement {
        StatementKind::Insert(insert) if insert.returning.is_empty() => Some("INSERT"),
        StatementKind::Update(update) if update.returning.is_empty() => Some("UPDATE"),
        StatementKind::Delete(delete) if delete.returning.is_empty() => Some("DELETE"),
        _ => None,
    }
}

impl Frame<'_> {
    pub(super) async fn statement(&mut self, statement: &StatementKind, into: Option<&Into>) -> Result<()> {
        if !statement.is_about_rows() {
            let said = self.said_here(into);
            return self.other(statement, said).await;
        }
        match super::current::cursor_of(statement) {
            Some(cursor) => self.at_current(statement, cursor, into).await,
            None => self.statement_of_rows(statement, into).await,
        }
    }

    pub(super) async fn statement_of_rows(
        &mut self,
        statement: &StatementKind,
        into: Option<&Into>,
    ) -> Result<()> {
        let said = self.said_here(into);
        if let Some((table, source)) = self.put_into_temporary(statement)? {
            let planned = self.program.query(source, &self.environment, &*self.host);
            let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
            let done = self.ran(&planned, said).await?;
            return self.insert_temporary(table, &planned.outputs, done);
        }
        let wanted = into.filter(|_| matches!(statement, StatementKind::Query(_)));
        let wanted = wanted.map(|into| if into.strict { 2 } else { 1 });
        let planned = self.program.statement(statement, wanted, &self.environment, &*self.host);
        let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
        let done = self.ran(&planned, said).await?;
        self.count(&planned, &done)?;
        let delivered = self.deliver(&planned.outputs, done, into, is_change(&planned)).await;
        delivered.or_else(|error| Err(self.with_parameters(error, &planned)?))
    }

    /// An error of `into strict` that says what the variables of its query hold, where the body asks for it.
    fn with_parameters(&self, error: Error, planned: &Planned) -> Result<Error> {
        if !self.program.says_strict_parameters() || !matches!(error.state(), "P0002" | "P0003") {
            return Ok(error);
        }
        let mut named: Vec<(usize, Option<usize>)> = planned.named().collect();
        named.sort_by_key(|(slot, _)| *slot);
        if named.iter().filter(|(_, field)| field.is_some()).count() > 0 && named.len() > 1 {
            return Err(Error::missing("#print_strict_params of fields of rows beside others"));
        }
        let mut said = Vec::with_capacity(named.len());
        for (slot, field) in named {
            let variable = self.environment.get(slot)?;
            let shape = variable.shape();
            let field = field.and_then(|at| Some((at, shape?.get(at)?)));
            let (name, value, ty) = match field {
                Some((at, field)) => (&field.name, variable.field(at), field.ty.clone()),
                None => (&variable.name, variable.value(), variable.ty()),
            };
            said.push(parameter(name, &value, &ty, self.host.session()));
        }
        Ok(with_parameters(error, &said))
    }

    /// What is told of the statement that runs.
    pub(super) fn said_here(&self, into: Option<&Into>) -> Said {
        match self.at {
            At::Step { span, .. } => Said::Statement { span, into: into.map(|into| into.span) },
            _ => Said::Nothing,
        }
    }

    /// What is not about rows.
    pub(super) async fn other(&mut self, statement: &StatementKind, said: Said) -> Result<()> {
        let place = Place { program: self.program.clone(), at: self.at, said };
        let said = place.said.clone();
        self.host.stack().begin(place);
        let outcome = self.done_otherwise(statement).await;
        self.host.stack().done();
        outcome.map_err(|error| self.program.told.run(&said, error))
    }

    async fn done_otherwise(&mut self, statement: &StatementKind) -> Result<()> {
        if self.host.declare(statement)? {
            return Ok(());
        }
        self.possible(statement)?;
        match statement {
            StatementKind::Truncate { tables, only, restart, cascade } => {
                self.truncate((tables, *only, *restart, *cascade)).await
            }
            StatementKind::Lock { tables, mode } => {
                self.refuse_stable("LOCK TABLE")?;
                let host = &*self.host;
                query::lock(host.model(), (tables, mode), host.path(), host.caller())
            }
            StatementKind::CreateTable(create) => self.create_empty_temporary(create),
            StatementKind::CreateTableAs { name, query, if_not_exists, .. } => {
                self.create_temporary(name, query, *if_not_exists).await
            }
            StatementKind::Drop(drop) => {
                self.refuse_change("DROP TABLE")?;
                let mut names = drop.names.iter();
                names.try_for_each(|(name, _)| self.host.temporaries().drop(&name.name, &*self.host))
            }
            StatementKind::Set { name, values, .. } => {
                self.refuse_stable("SET")?;
                crate::settings::set(name, values, self.host)
            }
            StatementKind::Reset(name) => {
                self.refuse_stable("RESET")?;
                crate::settings::set(name, &[], self.host)
            }
            StatementKind::SetConstraints { names, deferred } => {
                self.refuse_stable("SET CONSTRAINTS")?;
                self.host.constrain(names, *deferred).await
            }
            _ => Ok(()),
        }
    }

    async fn truncate(&mut self, wanted: (&[ast::ObjectName], bool, bool, bool)) -> Result<()> {
        self.refuse_change("TRUNCATE TABLE")?;
        let path = self.host.path();
        let truncation = query::truncation(self.host.model(), wanted, path, self.host.caller())?;
        self.row_count = 0;
        self.host.truncate(&truncation).await
    }

    /// Refuses what no function here can do. A lock has no effect under one writer.
    pub(super) fn possible(&self, statement: &StatementKind) -> Result<()> {
        match statement {
            // Nobody waits for a lock, and nobody listens.
            StatementKind::Lock { .. } | StatementKind::Notify { .. } => Ok(()),
            // There are no statistics to gather.
            StatementKind::Other(words) if words.starts_with("analyze") || words.starts_with("analyse") => {
                Ok(())
            }
            StatementKind::Other(words) => {
                Err(Error::missing(format!("{} in a function", words.to_uppercase())))
            }
            StatementKind::Set { name, .. } | StatementKind::Reset(name) => crate::settings::possible(name),
            StatementKind::Truncate { .. } | StatementKind::SetConstraints { .. } => Ok(()),
            StatementKind::CreateTableAs { temporary: true, .. } => Ok(()),
            StatementKind::CreateTable(create) if create.temporary => super::temporary::possible(create),
            StatementKind::Drop(drop) if self.drops_temporaries(drop) => Ok(()),
            StatementKind::CreateIndex(create) if self.host.temporaries().has(&create.table.name) => Ok(()),
            other => Err(Error::missing(format!("{} in a function", other.words()))),
        }
    }

    pub(super) async fn perform(&mut self, query: &ast::Query) -> Result<()> {
        let said = match self.at {
            At::Step { span, .. } => Said::Perform(span),
            _ => Said::Nothing,
        };
        let planned = self.program.query(query, &self.environment, &*self.host);
        let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
        let done = self.ran(&planned, said).await?;
        self.count(&planned, &done)
    }

    /// Runs what was planned.
    pub(super) async fn ran(&mut self, planned: &Planned, said: Said) -> Result<Done> {
        let parameters = planned.values(&self.environment)?;
        self.run_with(planned, &parameters, said).await
    }

    async fn run_with(&mut self, planned: &Planned, parameters: &[Value], said: Said) -> Result<Done> {
        match &planned.what {
            What::Value(expr) => {
                let value = self.host.compute(expr, parameters)?;
                Ok(Done { rows: vec![vec![value]], ..Done::default() })
            }
            What::Plan { plan, change, .. } => {
                if let Some(word) = change {
                    self.refuse_change(word)?;
                }
                let done = self.run_here((planned, plan), parameters, said).await?;
                let most = self.host.limits().function_rows_max;
                if done.rows.len() > most {
                    let message = format!("a statement of a function has more than {most} rows");
                    return Err(Error::new(Code::LIMIT_EXCEEDED, message));
                }
                Ok(done)
            }
        }
    }

    /// Refuses what only a volatile function does.
    pub(super) fn refuse_stable(&self, word: &str) -> Result<()> {
        if self.function.volatility == Volatility::Volatile {
            return Ok(());
        }
        let message = format!("{word} is not allowed in a non-volatile function");
        Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message))
    }

    pub(super) fn refuse_change(&self, word: &str) -> Result<()> {
        self.refuse_stable(word)?;
        if self.host.is_read_only() {
            let message = format!("cannot execute {word} in a read-only transaction");
            return Err(Error::new(Code::READ_ONLY_TRANSACTION, message));
        }
        Ok(())
    }

    fn count(&mut self, planned: &Planned, done: &Done) -> Result<()> {
        let rows = u64::try_from(done.rows.len()).unwrap_or(u64::MAX);
        self.row_count = if is_change(planned) { done.affected } else { rows };
        self.found(self.row_count > 0)
    }

    /// Gives the first row to the targets of `into`.
    async fn deliver(
        &mut self,
        outputs: &[(Arc<str>, Type)],
        done: Done,
        into: Option<&Into>,
        is_change: bool,
    ) -> Result<()> {
        let Some(into) = into else {
            if outputs.is_empty() {
                return Ok(());
            }
            let error = Error::new(Code::SYNTAX, "query has no destination for result data");
            return Err(match is_change {
                true => error,
                false => {
                    error.with_hint("If you want to discard the results of a SELECT, use PERFORM instead.")
                }
            });
        };
        if outputs.is_empty() {
            let message = "INTO used with a command that cannot return data";
            return Err(Error::new(Code::SYNTAX, message));
        }
        match done.rows.len() {
            0 if into.strict => return Err(Error::raised("P0002", "query returned no rows")),
            0 | 1 => {}
            _ if into.strict || is_change => {
                return Err(Error::raised("P0003", "query returned more than one row")
                    .with_hint("Make sure the query returns a single row, or use LIMIT 1."));
            }
            _ => {}
        }
        let row = done.rows.into_iter().next();
        if !is_change {
            // Of a select no more rows are counted than were wanted.
            self.row_count = u64::from(row.is_some());
        }
        self.assign_columns(&into.targets, outputs, row).await
    }

    /// All rows of a query; of one that is not run at once PostgreSQL tells no line while its rows come.
    pub(super) async fn rows_of(&mut self, rows: &Rows, at_once: bool) -> Result<Table> {
        let asked = if at_once { Asked::Rows } else { Asked::Cursor };
        match rows {
            Rows::Of { statement, span } => {
                if !statement.is_about_rows() {
                    return Err(Error::new(Code::SYNTAX, "a statement without rows where rows are wanted"));
                }
                asked.given_rows(word_without_rows(statement))?;
                let said = Said::Statement { span: *span, into: None };
                let planned = self.program.statement(statement, None, &self.environment, &*self.host);
                let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
                let done = match at_once {
                    true => self.ran(&planned, said).await?,
                    false => self.fetched(&planned).await?,
                };
                Ok((planned.outputs.clone(), done.rows, done.held, planned.temporaries().to_vec()))
            }
            Rows::Dynamic(dynamic) => {
                let (outputs, done, _) = self.dynamic(dynamic, asked).await?;
                Ok((outputs, done.rows, done.held, Vec::new()))
            }
        }
    }

    /// The rows of a cursor that PostgreSQL has fetched, where it may have computed with variables before.
    pub(super) async fn fetched(&mut self, planned: &Planned) -> Result<Done> {
        let done = self.ran(planned, Said::Nothing).await;
        done.map_err(|error| match error.context().lines.is_empty() && planned.has_parameters() {
            true => error.without_context("a query whose rows are fetched"),
            false => error,
        })
    }

    pub(super) async fn execute(&mut self, dynamic: &Dynamic, into: Option<&Into>) -> Result<()> {
        let (outputs, done, is_change) = self.dynamic(dynamic, Asked::Nothing).await?;
        let says = self.program.says_strict_parameters() && !dynamic.using.is_empty();
        if says && into.is_some_and(|into| into.strict) && done.rows.len() != 1 {
            // What is computed for it is said after it has run.
            return Err(Error::missing("#print_strict_params of a text that is made"));
        }
        let rows = u64::try_from(done.rows.len()).unwrap_or(u64::MAX);
        self.row_count = if is_change { done.affected } else { rows };
        if into.is_none() {
            return Ok(());
        }
        let kept = self.row_count;
        let delivered = self.deliver(&outputs, done, into, false).await;
        delivered.map_err(|error| match error.state() {
            // Of a text that was made PostgreSQL gives no advice.
            "P0003" => Error::raised("P0003", error.message().to_owned()),
            _ => error,
        })?;
        self.row_count = kept;
        Ok(())
    }

    /// Runs a text with parameters; nothing of the function is seen there.
    async fn dynamic(
        &mut self,
        dynamic: &Dynamic,
        asked: Asked,
    ) -> Result<(Vec<(Arc<str>, Type)>, Done, bool)> {
        let (text, ty) = self.value(&dynamic.text).await?;
        let text = printed(&text, &ty, self.host.session());
        let text = text
            .ok_or_else(|| Error::new(Code::NULL_NOT_ALLOWED, "query string argument of EXECUTE is null"))?;
        let mut arguments = Arguments::within(&self.environment);
        for expr in &dynamic.using {
            let (value, ty) = self.value(expr).await?;
            arguments.add(value, ty);
        }
        let said = Said::Made(text.as_str().into());
        let running = if asked == Asked::Cursor { Said::Nothing } else { said.clone() };
        let known = self.program.made(&text, &arguments, &*self.host);
        if let Some(planned) = known {
            asked.given_rows(planned.change_without_rows())?;
            return self.made(&planned, &arguments, running).await;
        }
        let (statements, complaints) = sql::parse(&text);
        if let Some(complaint) = complaints.into_iter().next() {
            return Err(Error::new(Code::SYNTAX, complaint.message));
        }
        let is_alone = statements.len() == 1;
        let mut last = (Vec::new(), Done::default(), false);
        for statement in &statements {
            asked.given_rows(word_without_rows(&statement.kind))?;
            if !statement.kind.is_about_rows() {
                self.other(&statement.kind, said.clone()).await?;
                continue;
            }
            let path = self.host.path().clone();
            if let Some((table, source)) = self.put_into_temporary(&statement.kind)? {
                let source = StatementKind::Query(source.clone());
                let planned =
                    arguments.planned(&path, &*self.host, |around| bound_statement(around, &source));
                let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
                let (outputs, done, _) = self.made(&planned, &arguments, running.clone()).await?;
                self.insert_temporary(table, &outputs, done)?;
                last = (Vec::new(), Done { affected: self.row_count, ..Done::default() }, true);
                continue;
            }
            let planned = arguments.planned(&path, &*self.host, |around| -> Result<Query> {
                bound_statement(around, &statement.kind)
            });
            let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
            let planned = Arc::new(planned);
            if is_alone {
                self.program.keep_made(&text, &arguments, &*self.host, &planned);
            }
            last = self.made(&planned, &arguments, running.clone()).await?;
        }
        Ok(last)
    }

    /// Runs what was made of a text.
    async fn made(
        &mut self,
        planned: &Planned,
        arguments: &Arguments,
        said: Said,
    ) -> Result<(Vec<(Arc<str>, Type)>, Done, bool)> {
        let done = self.run_with(planned, &planned.values(arguments.environment())?, said).await?;
        Ok((planned.outputs.clone(), done, is_change(planned)))
    }

    pub(super) async fn diagnostics(&mut self, stacked: bool, items: &[(Target, String)]) -> Result<()> {
        for (target, item) in items {
            let (value, ty) = if stacked { self.of_handled(item)? } else { self.of_last(item)? };
            self.assign_to(target, value, &ty).await?;
        }
        Ok(())
    }

    fn of_last(&self, item: &str) -> Result<(Value, Type)> {
        match item {
            "row_count" => Ok((Value::Int(i64::try_from(self.row_count).unwrap_or(i64::MAX)), Type::Int8)),
            "pg_context" => {
                let here = self.program.told.at(self.at, Error::internal(item));
                Ok((Value::text(self.host.stack().told(here, "PG_CONTEXT")?), Type::Text))
            }
            item if OF_ERRORS.contains(&item) => Err(not_allowed(item, "CURRENT")),
            other => Err(Error::new(
                Code::SYNTAX,
                format!("unrecognized GET DIAGNOSTICS item at or near \"{other}\""),
            )),
        }
    }
}

/// `name = 'value'`
fn parameter(name: &str, value: &Value, ty: &Type, session: &types::session::Session) -> String {
    match printed(value, ty, session) {
        Some(value) => format!("{name} = '{}'", value.replace('\'', "''")),
        None => format!("{name} = NULL"),
    }
}

fn with_parameters(error: Error, said: &[String]) -> Error {
    match said.is_empty() {
        true => error,
        false => error.with_details(format!("parameters: {}", said.join(", "))),
    }
}

fn is_change(planned: &Planned) -> bool {
    matches!(planned.what, What::Plan { selects: false, .. })
}
