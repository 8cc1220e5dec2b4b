//! Cursors: their rows are read when they are opened, as PostgreSQL's see the table at that moment.

use std::cmp::Ordering;
use std::sync::Arc;

use query::resolve::{NameConflict, bound_statement};
use sql::ast::{Expr, Query, StatementKind, TypeName};
use sql::body::{Direction, Rows, Target};
use types::{Code, Error, Result, Type, Value};

use super::Frame;
use super::current::Following;
use crate::account::Held as Memory;
use crate::convert::integer;
use crate::environment::{Environment, Held, Kind, Variable};
use crate::plans::{Wanted, resolved};

/// An open cursor.
pub(super) struct Open {
    outputs: Vec<(Arc<str>, Type)>,
    rows: Vec<Vec<Value>>,
    /// What they hold of memory, until it is closed.
    _held: Memory,
    /// Before the first row it is 0, behind the last one more than there are.
    at: i64,
    /// What stands behind the columns that are seen.
    pub(super) following: Following,
    /// Whether it only goes forward.
    is_forward_only: bool,
    /// Whether a loop goes over it.
    is_pinned: bool,
    /// The temporary tables that its rows are of.
    temporaries: Vec<Arc<str>>,
}

impl Open {
    /// The place behind the last row.
    fn end(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Goes somewhere; the row that is there.
    fn go(&mut self, to: i64) -> Option<Vec<Value>> {
        self.at = to.clamp(0, self.end());
        self.row().map(|row| row.iter().take(self.outputs.len()).cloned().collect())
    }

    fn row(&self) -> Option<&[Value]> {
        let at = usize::try_from(self.at).ok()?.checked_sub(1)?;
        self.rows.get(at).map(Vec::as_slice)
    }

    /// What stands behind the columns that are seen, in the row at which it stands.
    pub(super) fn hidden(&self) -> Option<&[Value]> {
        self.row()?.get(self.outputs.len()..)
    }

    /// How many rows were met on the way from a place to here; the one that is here, if nothing was gone.
    fn passed(&self, from: i64) -> u64 {
        let last = self.end() - 1;
        let count = match self.at.cmp(&from) {
            Ordering::Less => from - self.at.max(1),
            Ordering::Equal => i64::from((1..=last).contains(&from)),
            Ordering::Greater => self.at.min(last) - from,
        };
        u64::try_from(count).unwrap_or(0)
    }
}

impl Frame<'_> {
    pub(super) async fn open(
        &mut self,
        cursor: &str,
        (rows, is_forward_only): (Option<&Rows>, bool),
        args: &[(Option<String>, Expr)],
    ) -> Result<()> {
        let slot = self.environment.slot_of(cursor)?;
        // PostgreSQL computes each row when it is fetched.
        let untold = |error: Error| error.without_context("a cursor's query");
        let open = match rows {
            Some(rows) => Open { is_forward_only, ..self.opened(rows).await.map_err(untold)? },
            None => self.cursor_rows(cursor, args).await.map_err(untold)?,
        };
        self.register(cursor, slot, open).map(drop)
    }

    /// Gives an open cursor its name.
    fn register(&mut self, cursor: &str, slot: usize, open: Open) -> Result<String> {
        let name = match self.environment.get(slot)?.value() {
            Value::Text(name) => name.to_string(),
            _ if matches!(self.environment.get(slot)?.kind, Kind::Cursor { .. }) => cursor.to_owned(),
            _ => format!("<unnamed portal {}>", self.cursors.len() + 1),
        };
        if self.cursors.contains_key(&name) {
            self.host.temporaries().free(&open.temporaries);
            let message = format!("cursor \"{name}\" already in use");
            return Err(Error::raised("42P03", message));
        }
        self.environment.get_mut(slot)?.held = Held::Scalar(Value::text(name.as_str()));
        self.cursors.insert(name.clone(), open);
        Ok(name)
    }

    /// Opens a declared cursor for a loop; its name, and what its rows are called.
    pub(super) async fn open_for_loop(
        &mut self,
        cursor: &str,
        args: &[(Option<String>, Expr)],
    ) -> Result<(String, Vec<(Arc<str>, Type)>)> {
        let slot = self.environment.slot_of(cursor)?;
        let open = self.cursor_rows(cursor, args).await?;
        let outputs = open.outputs.clone();
        let name = self.register(cursor, slot, Open { is_pinned: true, ..open })?;
        Ok((name, outputs))
    }

    /// The next row of a cursor.
    pub(super) fn next_of(&mut self, name: &str) -> Option<Vec<Value>> {
        let open = self.cursors.get_mut(name)?;
        open.go(open.at + 1)
    }

    /// Closes the cursor of a loop.
    pub(super) fn end_loop(&mut self, name: &str) {
        self.closed(name);
    }

    fn closed(&mut self, name: &str) -> bool {
        let open = self.cursors.remove(name);
        open.inspect(|open| self.host.temporaries().free(&open.temporaries)).is_some()
    }

    /// Closes all cursors but those of some names.
    pub(super) fn close_others(&mut self, kept: &[String]) {
        let others: Vec<String> = self.cursors.keys().filter(|name| !kept.contains(name)).cloned().collect();
        for name in others {
            self.closed(&name);
        }
    }

    /// The rows of a query that is opened.
    async fn opened(&mut self, rows: &Rows) -> Result<Open> {
        if let Rows::Of { statement, .. } = rows
            && let StatementKind::Query(query) = &**statement
            && self.program.names_current()
        {
            return self.cursor_run(query).await;
        }
        let (outputs, rows, held, temporaries) = self.rows_of(rows, false).await?;
        let following = Following::of_nothing("a cursor over a text that is made");
        self.host.temporaries().occupy(&temporaries);
        let (is_forward_only, is_pinned) = (false, false);
        Ok(Open { outputs, rows, _held: held, at: 0, following, is_forward_only, is_pinned, temporaries })
    }

    /// The rows of a declared cursor for its arguments.
    pub(super) async fn cursor_rows(
        &mut self,
        cursor: &str,
        args: &[(Option<String>, Expr)],
    ) -> Result<Open> {
        let slot = self.environment.slot_of(cursor)?;
        let Kind::Cursor { is_forward_only, parameters, query } = self.environment.get(slot)?.kind.clone()
        else {
            let message = format!("cursor \"{cursor}\" has no query of its own");
            return Err(Error::new(Code::SYNTAX, message));
        };
        let given = self.cursor_values(cursor, &parameters, args).await?;
        // Its parameters are names like variables, innermost.
        self.environment.enter(Some(cursor));
        for variable in given {
            self.environment.declare(variable);
        }
        let outcome = self.cursor_run(&query).await;
        self.environment.leave();
        outcome.map(|open| Open { is_forward_only, ..open })
    }

    async fn cursor_run(&mut self, query: &Query) -> Result<Open> {
        let (query, following) = self.followed(query);
        let statement = StatementKind::Query(query);
        let environment: &Environment = &self.environment;
        let conflict = NameConflict::Refused;
        let wanted = Wanted { path: self.program.path(), conflict, environment, host: &*self.host };
        let planned = resolved(wanted, |around| bound_statement(around, &statement))?;
        let done = self.fetched(&planned).await?;
        let mut outputs = planned.outputs.clone();
        outputs.truncate(outputs.len().saturating_sub(following.width()));
        let temporaries = planned.temporaries().to_vec();
        self.host.temporaries().occupy(&temporaries);
        Ok(Open {
            outputs,
            rows: done.rows,
            _held: done.held,
            at: 0,
            following,
            is_forward_only: false,
            is_pinned: false,
            temporaries,
        })
    }

    async fn cursor_values(
        &mut self,
        cursor: &str,
        parameters: &[(String, TypeName)],
        args: &[(Option<String>, Expr)],
    ) -> Result<Vec<Variable>> {
        let mut given = Vec::with_capacity(parameters.len());
        for (position, (name, ty)) in parameters.iter().enumerate() {
            let arg = args.iter().enumerate().find(|(at, (named, _))| match named {
                Some(named) => named == name,
                None => *at == position,
            });
            let missing = || {
                Error::new(
                    Code::SYNTAX,
                    match args.is_empty() {
                        true => format!("cursor \"{cursor}\" has arguments"),
                        false => format!("not enough arguments for cursor \"{cursor}\""),
                    },
                )
            };
            let (_, (_, expr)) = arg.ok_or_else(missing)?;
            let Kind::Scalar { ty, .. } = self.named_kind(ty)? else {
                return Err(Error::missing("a cursor's parameter of a row type"));
            };
            let untold = |error: Error| error.without_context("an argument of a cursor");
            let (value, from) = self.value(expr).await.map_err(untold)?;
            let value = crate::convert::converted(value, &from, (&ty, None), self.host.session())?;
            given.push(Variable::scalar(name.as_str(), ty, value));
        }
        if args.len() > parameters.len() {
            return Err(Error::new(Code::SYNTAX, format!("too many arguments for cursor \"{cursor}\"")));
        }
        Ok(given)
    }

    pub(super) async fn fetch(
        &mut self,
        cursor: &str,
        direction: &Direction,
        into: Option<&[Target]>,
    ) -> Result<()> {
        let name = self.cursor_name(cursor)?;
        let counted = match direction {
            Direction::Relative(expr) | Direction::Through(expr) | Direction::Absolute(expr) => {
                let (value, ty) = self.value(expr).await?;
                let count = integer(value, &ty, self.host.session())?;
                count.ok_or_else(|| {
                    Error::new(Code::NULL_NOT_ALLOWED, "relative or absolute cursor position is null")
                })?
            }
            _ => 0,
        };
        let missing = || Error::raised("34000", format!("cursor \"{name}\" does not exist"));
        let open = self.cursors.get_mut(&name).ok_or_else(missing)?;
        let (at, end) = (open.at, open.end());
        if open.is_forward_only && goes_back(direction, counted, (at, end), into.is_some()) {
            return Err(Error::raised("55000", "cursor can only scan forward")
                .with_hint("Declare it with SCROLL option to enable backward scan."));
        }
        let row = match direction {
            Direction::Next => open.go(at + 1),
            Direction::Prior => open.go(at - 1),
            Direction::Relative(_) | Direction::Through(_) => open.go(at.saturating_add(counted)),
            Direction::Absolute(_) if counted < 0 => open.go(end.saturating_add(counted)),
            Direction::Absolute(_) => open.go(counted),
            Direction::First => open.go(1),
            Direction::Last => open.go(end - 1),
            Direction::All => open.go(end),
            Direction::BackwardAll => open.go(0),
        };
        self.row_count = match direction {
            Direction::Through(_) | Direction::All | Direction::BackwardAll => open.passed(at),
            _ => u64::from(row.is_some()),
        };
        let outputs = open.outputs.clone();
        if let Some(targets) = into {
            self.assign_columns(targets, &outputs, row).await?;
        }
        self.found(self.row_count > 0)
    }

    pub(super) fn close(&mut self, cursor: &str) -> Result<()> {
        let name = self.cursor_name(cursor)?;
        if self.cursors.get(&name).is_some_and(|open| open.is_pinned) {
            return Err(Error::raised("24000", format!("cannot drop pinned portal \"{name}\"")));
        }
        match self.closed(&name) {
            true => Ok(()),
            false => Err(Error::raised("34000", format!("cursor \"{name}\" does not exist"))),
        }
    }

    pub(super) fn cursor_name(&self, cursor: &str) -> Result<String> {
        let variable = self.environment.get(self.environment.slot_of(cursor)?)?;
        match (variable.value(), &variable.kind) {
            (Value::Text(name), _) => Ok(name.to_string()),
            // One that is declared with its query has a name of its own.
            (_, Kind::Cursor { .. }) => Ok(cursor.to_owned()),
            _ => Err(Error::new(Code::NULL_NOT_ALLOWED, format!("cursor variable \"{cursor}\" is null"))),
        }
    }
}

/// Whether a cursor at a place goes back, as PostgreSQL finds a row (`DoPortalRunFetch`): what is counted from the end goes back
/// from it, and what stands where it is, or not far from the beginning, is found from the beginning.
fn goes_back(direction: &Direction, counted: i64, (at, end): (i64, i64), fetches: bool) -> bool {
    match direction {
        Direction::Next | Direction::All => false,
        Direction::Prior | Direction::Last | Direction::BackwardAll => true,
        Direction::Relative(_) | Direction::Through(_) => {
            counted < 0 || counted == 0 && fetches && (1..end).contains(&at)
        }
        Direction::Absolute(_) if counted < 0 => true,
        Direction::Absolute(_) => at > 0 && counted <= at,
        Direction::First => at > 0,
    }
}
