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
use crate::convert::printed;
use crate::dynamic::Arguments;
use crate::host::Done;
use crate::plans::{Planned, What};

/// What columns rows have, the rows, and what they hold of memory.
pub(super) type Table = (Vec<(Arc<str>, Type)>, Vec<Vec<Value>>, Held);

impl Frame<'_> {
    pub(super) async fn statement(&mut self, statement: &StatementKind, into: Option<&Into>) -> Result<()> {
        if !statement.is_about_rows() {
            return self.other(statement).await;
        }
        let wanted = into.filter(|_| matches!(statement, StatementKind::Query(_)));
        let wanted = wanted.map(|into| if into.strict { 2 } else { 1 });
        let planned = self.program.statement(statement, wanted, &self.environment, &*self.host)?;
        let done = self.ran(&planned).await?;
        self.count(&planned, &done)?;
        self.deliver(&planned.outputs, done, into, is_change(&planned)).await
    }

    /// What is not about rows.
    pub(super) async fn other(&mut self, statement: &StatementKind) -> Result<()> {
        if self.host.declare(statement)? {
            return Ok(());
        }
        self.possible(statement)?;
        match statement {
            StatementKind::Truncate { tables, restart, cascade } => {
                self.truncate((tables, *restart, *cascade)).await
            }
            StatementKind::Lock { tables, mode } => {
                self.refuse_stable("LOCK TABLE")?;
                let host = &*self.host;
                query::lock(host.model(), (tables, mode), host.path(), host.caller())
            }
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

    async fn truncate(&mut self, wanted: (&[ast::ObjectName], bool, bool)) -> Result<()> {
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
            StatementKind::Drop(drop) if self.drops_temporaries(drop) => Ok(()),
            StatementKind::CreateIndex(create) if self.host.temporaries().has(&create.table.name) => Ok(()),
            StatementKind::Comment { .. } => Err(Error::missing("COMMENT in a function")),
            _ => Err(Error::missing("a statement about the schema in a function")),
        }
    }

    pub(super) async fn perform(&mut self, query: &ast::Query) -> Result<()> {
        let planned = self.program.query(query, &self.environment, &*self.host)?;
        let done = self.ran(&planned).await?;
        self.count(&planned, &done)
    }

    /// Runs what was planned.
    pub(super) async fn ran(&mut self, planned: &Planned) -> Result<Done> {
        let parameters = planned.values(&self.environment)?;
        self.run_with(planned, &parameters).await
    }

    async fn run_with(&mut self, planned: &Planned, parameters: &[Value]) -> Result<Done> {
        match &planned.what {
            What::Value(expr) => {
                let value = self.host.compute(expr, parameters)?;
                Ok(Done { rows: vec![vec![value]], ..Done::default() })
            }
            What::Plan { plan, change, .. } => {
                if let Some(word) = change {
                    self.refuse_change(word)?;
                }
                let done = self.host.run(plan, parameters).await?;
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

    /// All rows of a query.
    pub(super) async fn rows_of(&mut self, rows: &Rows) -> Result<Table> {
        match rows {
            Rows::Of(statement) => {
                if !statement.is_about_rows() {
                    return Err(Error::new(Code::SYNTAX, "a statement without rows where rows are wanted"));
                }
                let planned = self.program.statement(statement, None, &self.environment, &*self.host)?;
                let done = self.ran(&planned).await?;
                Ok((planned.outputs.clone(), done.rows, done.held))
            }
            Rows::Dynamic(dynamic) => {
                let (outputs, done, _) = self.dynamic(dynamic).await?;
                Ok((outputs, done.rows, done.held))
            }
        }
    }

    pub(super) async fn execute(&mut self, dynamic: &Dynamic, into: Option<&Into>) -> Result<()> {
        let (outputs, done, is_change) = self.dynamic(dynamic).await?;
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
    async fn dynamic(&mut self, dynamic: &Dynamic) -> Result<(Vec<(Arc<str>, Type)>, Done, bool)> {
        let (text, ty) = self.value(&dynamic.text).await?;
        let text = printed(&text, &ty, self.host.session());
        let text = text
            .ok_or_else(|| Error::new(Code::NULL_NOT_ALLOWED, "query string argument of EXECUTE is null"))?;
        let mut arguments = Arguments::within(&self.environment);
        for expr in &dynamic.using {
            let (value, ty) = self.value(expr).await?;
            arguments.add(value, ty);
        }
        let known = self.program.made(&text, &arguments, &*self.host);
        if let Some(planned) = known {
            return self.made(&planned, &arguments).await;
        }
        let (statements, complaints) = sql::parse(&text);
        if let Some(complaint) = complaints.into_iter().next() {
            return Err(Error::new(Code::SYNTAX, complaint.message));
        }
        let is_alone = statements.len() == 1;
        let mut last = (Vec::new(), Done::default(), false);
        for statement in &statements {
            if !statement.kind.is_about_rows() {
                self.other(&statement.kind).await?;
                continue;
            }
            let path = self.host.path().clone();
            let planned = arguments.planned(&path, &*self.host, |around| -> Result<Query> {
                bound_statement(around, &statement.kind)
            })?;
            let planned = Arc::new(planned);
            if is_alone {
                self.program.keep_made(&text, &arguments, &*self.host, &planned);
            }
            last = self.made(&planned, &arguments).await?;
        }
        Ok(last)
    }

    /// Runs what was made of a text.
    async fn made(
        &mut self,
        planned: &Planned,
        arguments: &Arguments,
    ) -> Result<(Vec<(Arc<str>, Type)>, Done, bool)> {
        let done = self.run_with(planned, &planned.values(arguments.environment())?).await?;
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
            "pg_context" => Err(Error::missing("GET DIAGNOSTICS of PG_CONTEXT")),
            item if OF_ERRORS.contains(&item) => Err(not_allowed(item, "CURRENT")),
            other => Err(Error::new(
                Code::SYNTAX,
                format!("unrecognized GET DIAGNOSTICS item at or near \"{other}\""),
            )),
        }
    }
}

fn is_change(planned: &Planned) -> bool {
    matches!(planned.what, What::Plan { selects: false, .. })
}
