//! Reads as `SELECT`.

use std::sync::Arc;

use catalog::Catalog;
use query::functions::sets::Columns as SetColumns;
use query::{
    CallArgument, Cte, Expr, FunctionId, Guard, JoinKind, Nest, Order, Output, Read, SetCall, SetOperator,
    Source, SourceId, Subquery,
};
use types::session::Session;
use types::stored::Stored;
use types::{Error, Result, Type, Value};

use super::wire::{Wire, wire};
use super::{Columns, Writer, names};
use crate::{Bindings, Command, Kept};

/// One read as a command.
///
/// # Errors
/// `XX000` when the read was not left to the engine; `0A000` for what cannot be said.
pub fn read(catalog: &Catalog, read: &Read, bindings: &Bindings<'_>) -> Result<Command> {
    let mut writer = Writer::new(catalog, bindings);
    writer.top(read)?;
    Ok(writer.finish(outputs(&read.outputs)))
}

/// The same, to be run again.
///
/// # Errors
/// Those of [`read`].
pub(super) fn kept(catalog: &Catalog, read: &Read, bindings: &Bindings<'_>) -> Result<Option<Kept>> {
    let mut writer = Writer::new(catalog, bindings);
    writer.top(read)?;
    let notes = std::mem::take(&mut writer.notes);
    Ok(Kept::of(writer.finish(outputs(&read.outputs)), notes, stored))
}

/// A value as a parameter: in the text form of its type.
pub(super) fn stored(ty: &Type, value: &Value, session: &Session) -> Result<Stored> {
    Ok(Stored::Text(types::text::print(ty, value, session).into()))
}

pub(super) fn outputs(outputs: &[Output]) -> Arc<[(Arc<str>, Type)]> {
    outputs.iter().map(|output| (output.name.clone(), output.expr.ty())).collect()
}

/// What the outputs of a read are called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Nothing: they leave the engine in their wire form.
    Wire,
    /// `c0`, `c1`, …
    Positions,
    /// By their keys: they become an object.
    Keys,
    /// Nobody asks.
    Set,
}

/// Longer names are cut by PostgreSQL.
const NAME_BYTES_MAX: usize = 63;

impl Writer<'_> {
    /// A read whose rows leave the engine.
    pub(super) fn top(&mut self, read: &Read) -> Result<()> {
        if !read.distinct {
            return self.read(read, Use::Wire);
        }
        // What is distinct is the values, not what they look like on the wire.
        self.push("SELECT ");
        self.list(read.outputs.iter().enumerate(), ", ", |writer, (position, output)| {
            writer.on_wire(&output.expr.ty(), |writer| {
                writer.push("d.c");
                writer.number(position);
                Ok(())
            })
        })?;
        self.push(" FROM (");
        self.read(read, Use::Positions)?;
        self.push(") AS d");
        Ok(())
    }

    pub(super) fn read(&mut self, read: &Read, used: Use) -> Result<()> {
        if read.called.is_some() {
            return Err(Error::internal("a function's body reached an engine that calls functions itself"));
        }
        self.with(&read.with)?;
        self.register(&read.from);
        let shared = self.shares;
        self.shares |= !read.group.is_empty();
        self.push(if read.distinct { "SELECT DISTINCT " } else { "SELECT " });
        self.list(read.outputs.iter().enumerate(), ", ", |writer, (position, output)| {
            writer.output(output, position, used)
        })?;
        if !matches!(read.from, Source::Unit) {
            self.push(" FROM ");
            self.source(&read.from)?;
        }
        self.clause(" WHERE ", read.filter.as_ref())?;
        if !read.group.is_empty() {
            self.push(" GROUP BY ");
            self.list(&read.group, ", ", Writer::expr)?;
        }
        self.clause(" HAVING ", read.having.as_ref())?;
        self.order(&read.order)?;
        self.shares = shared;
        self.clause(" LIMIT ", read.limit.as_ref())?;
        self.clause(" OFFSET ", read.offset.as_ref())
    }

    pub(super) fn clause(&mut self, word: &str, expr: Option<&Expr>) -> Result<()> {
        let Some(expr) = expr else { return Ok(()) };
        self.push(word);
        self.expr(expr)
    }

    pub(super) fn order(&mut self, order: &[Order]) -> Result<()> {
        if order.is_empty() {
            return Ok(());
        }
        self.push(" ORDER BY ");
        self.list(order, ", ", |writer, key| {
            writer.expr(&key.expr)?;
            writer.push(if key.descending { " DESC" } else { "" });
            if key.nulls_first != key.descending {
                writer.push(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
            Ok(())
        })
    }

    fn output(&mut self, output: &Output, position: usize, used: Use) -> Result<()> {
        match used {
            Use::Wire => self.wired(&output.expr),
            Use::Set => self.expr(&output.expr),
            Use::Positions => {
                self.expr(&output.expr)?;
                self.push(" AS c");
                self.number(position);
                Ok(())
            }
            Use::Keys => {
                if output.name.len() > NAME_BYTES_MAX {
                    let what = format!("a nested key of more than {NAME_BYTES_MAX} bytes: `{}`", output.name);
                    return Err(Error::missing(what));
                }
                self.expr(&output.expr)?;
                self.push(" AS ");
                self.identifier(&output.name);
                Ok(())
            }
        }
    }

    /// An expression in its wire form.
    fn wired(&mut self, expr: &Expr) -> Result<()> {
        // Nested rows are JSON text: nobody here needs to read them again.
        if let Expr::Subquery(subquery) = expr
            && let Subquery::Nest(nest) = &**subquery
        {
            return self.nest(nest);
        }
        self.on_wire(&expr.ty(), |writer| writer.expr(expr))
    }

    fn on_wire(&mut self, ty: &Type, inner: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let (before, after) = match wire(ty) {
            Wire::Binary => ("(", format!(")::{}", names::type_name(ty, None))),
            Wire::Json => ("pg_catalog.to_json(", ")::text".to_owned()),
            Wire::Nothing => ("pg_catalog.nullif((", ")::text, '')".to_owned()),
            // Casts to text strip blanks (`bpchar`) or add masks (`inet`), which output functions do not.
            Wire::Text if *ty == Type::Bpchar => ("", String::new()),
            Wire::Text if *ty == Type::Inet => ("pg_catalog.textin(pg_catalog.inet_out(", "))".to_owned()),
            Wire::Text => ("(", ")::text".to_owned()),
        };
        self.push(before);
        inner(self)?;
        self.push(&after);
        Ok(())
    }

    /// Notes what each source is, so that its columns can be named.
    pub(super) fn register(&mut self, source: &Source) {
        match source {
            Source::Unit => {}
            Source::Table { id, table, .. }
            | Source::Written { id, table }
            | Source::Given { id, table }
            | Source::Transition { id, table, .. } => {
                self.sources.insert(*id, Columns::OfTable(*table));
            }
            Source::Read { id, .. }
            | Source::Call { id, .. }
            | Source::Cte { id, .. }
            | Source::Compound { id, .. }
            | Source::Function { id, .. } => {
                self.sources.insert(*id, Columns::Outputs);
            }
            Source::Values { id, .. } | Source::System { id, .. } => {
                self.sources.insert(*id, Columns::Values);
            }
            Source::Join { left, right, .. } => {
                self.register(left);
                self.register(right);
            }
        }
    }

    fn source(&mut self, source: &Source) -> Result<()> {
        match source {
            Source::Unit => self.push("(SELECT) AS u"),
            Source::Table { id, table, guard } => {
                check_guard(guard)?;
                self.table(*table);
                self.push(" AS ");
                self.alias(*id);
            }
            Source::Read { id, read, .. } => {
                self.push("LATERAL (");
                self.read(read, Use::Positions)?;
                self.push(") AS ");
                self.alias(*id);
            }
            Source::Written { id, .. } => {
                self.push("written AS ");
                self.alias(*id);
            }
            Source::Given { .. } => {
                return Err(Error::internal("a candidate row reached an engine that makes rows itself"));
            }
            Source::Transition { .. } => {
                return Err(Error::internal(
                    "a transition table reached an engine that fires triggers itself",
                ));
            }
            Source::Call { id, function, args, columns, .. } => {
                if self.called == Some(*id) {
                    self.push("called");
                } else {
                    self.called(*function, args)?;
                }
                self.push(" AS ");
                self.alias(*id);
                self.push("(");
                self.list(0..*columns, ", ", |writer, position| {
                    writer.push("c");
                    writer.number(position);
                    Ok(())
                })?;
                self.push(")");
            }
            Source::Cte { id, cte, .. } => {
                self.push("w");
                self.number(cte.0);
                self.push(" AS ");
                self.alias(*id);
            }
            Source::Compound { id, operator, all, left, right } => {
                self.push("LATERAL (");
                self.compound(*operator, *all, left, right)?;
                self.push(") AS ");
                self.alias(*id);
            }
            Source::Function { id, calls, ordinality } => self.functions(*id, calls, *ordinality)?,
            Source::Values { id, rows } => self.values(*id, rows)?,
            Source::System { id, relation, rows } => self.values(*id, &Source::written(relation, rows))?,
            Source::Join { kind, left, right, on } => return self.join(*kind, left, right, on.as_ref()),
        }
        Ok(())
    }

    fn values(&mut self, id: SourceId, rows: &[Vec<Expr>]) -> Result<()> {
        self.push("(VALUES ");
        self.list(rows, ", ", |writer, row| {
            writer.push("(");
            writer.list(row, ", ", Writer::expr)?;
            writer.push(")");
            Ok(())
        })?;
        self.push(") AS ");
        self.alias(id);
        Ok(())
    }

    /// `WITH`
    fn with(&mut self, with: &[Cte]) -> Result<()> {
        if with.is_empty() {
            return Ok(());
        }
        let recursive = with.iter().any(|cte| cte.recursive);
        self.push(if recursive { "WITH RECURSIVE " } else { "WITH " });
        self.list(with, ", ", |writer, cte| {
            writer.push("w");
            writer.number(cte.id.0);
            writer.push("(");
            writer.positions(cte.read.outputs.len())?;
            writer.push(if cte.recursive { ") AS (" } else { ") AS MATERIALIZED (" });
            match &cte.read.from {
                Source::Compound { operator, all, left, right, .. } if cte.recursive => {
                    writer.compound(*operator, *all, left, right)?;
                }
                _ => writer.read(&cte.read, Use::Positions)?,
            }
            writer.push(")");
            Ok(())
        })?;
        self.push(" ");
        Ok(())
    }

    fn compound(&mut self, operator: SetOperator, all: bool, left: &Read, right: &Read) -> Result<()> {
        self.push("(");
        self.read(left, Use::Positions)?;
        self.push(") ");
        self.push(operator.word());
        self.push(if all { " ALL (" } else { " (" });
        self.read(right, Use::Positions)?;
        self.push(")");
        Ok(())
    }

    /// Set-returning functions, side by side. Only a function of records takes a list of columns, and only alone.
    fn functions(&mut self, id: SourceId, calls: &[SetCall], ordinality: bool) -> Result<()> {
        self.push("ROWS FROM (");
        self.list(calls, ", ", |writer, call| {
            writer.push(&names::own_name(call.function.name));
            writer.push("(");
            writer.list(&call.args, ", ", Writer::expr)?;
            writer.push(")");
            if matches!(call.function.columns, SetColumns::Written) {
                writer.push(" AS (");
                writer.list(call.columns.iter(), ", ", |writer, field| {
                    writer.identifier(&field.name);
                    writer.push(" ");
                    writer.push(&names::type_name(&field.ty, field.modifier));
                    Ok(())
                })?;
                writer.push(")");
            }
            Ok(())
        })?;
        self.push(if ordinality { ") WITH ORDINALITY AS " } else { ") AS " });
        self.alias(id);
        self.push("(");
        let width: usize = calls.iter().map(|call| call.columns.len()).sum();
        self.positions(width + usize::from(ordinality))?;
        self.push(")");
        Ok(())
    }

    /// `c0, c1, …`
    fn positions(&mut self, count: usize) -> Result<()> {
        self.list(0..count, ", ", |writer, position| {
            writer.push("c");
            writer.number(position);
            Ok(())
        })
    }

    pub(super) fn called(&mut self, function: FunctionId, args: &[CallArgument]) -> Result<()> {
        let declared = self.catalog.functions.get(function.0);
        let declared = declared.ok_or_else(|| Error::internal("a call of no function"))?;
        self.push(&names::qualified(&declared.name));
        self.push("(");
        self.list(args, ", ", |writer, arg| {
            writer.push(if arg.variadic { "VARIADIC " } else { "" });
            if let Some(name) = &arg.name {
                writer.identifier(name);
                writer.push(" => ");
            }
            writer.expr(&arg.value)
        })?;
        self.push(")");
        Ok(())
    }

    fn join(&mut self, kind: JoinKind, left: &Source, right: &Source, on: Option<&Expr>) -> Result<()> {
        self.source(left)?;
        self.push(match kind {
            JoinKind::Inner => " JOIN ",
            JoinKind::Left => " LEFT JOIN ",
            JoinKind::Right => " RIGHT JOIN ",
            JoinKind::Full => " FULL JOIN ",
        });
        let is_join = matches!(right, Source::Join { .. });
        self.push(if is_join { "(" } else { "" });
        self.source(right)?;
        self.push(if is_join { ") ON " } else { " ON " });
        match on {
            Some(on) => self.expr(on),
            None => {
                self.push("true");
                Ok(())
            }
        }
    }

    /// Nested rows as the text of compact JSON.
    pub(super) fn nest(&mut self, nest: &Nest) -> Result<()> {
        let (before, after, used) = match (nest.many, nest.bare) {
            (true, false) => (LIST, ROWS_END, Use::Keys),
            (true, true) => (BARE_LIST, ROWS_END, Use::Positions),
            (false, _) => ("(SELECT pg_catalog.row_to_json(n.*)::text FROM (", ") AS n)", Use::Keys),
        };
        self.push(before);
        self.read(&nest.read, used)?;
        self.push(after);
        Ok(())
    }
}

const LIST: &str = "(SELECT coalesce('[' || pg_catalog.string_agg(pg_catalog.row_to_json(n.*)::text, ',') || ']', '[]') FROM (";
const BARE_LIST: &str = "(SELECT coalesce('[' || pg_catalog.string_agg(coalesce(pg_catalog.to_json(n.c0)::text, 'null'), ',') || ']', '[]') FROM (";
const ROWS_END: &str = ") AS n)";

/// Only what was left to the engine is written: what was compiled in would be enforced twice, and not by the caller's role.
fn check_guard(guard: &Guard) -> Result<()> {
    match guard {
        Guard::Engine => Ok(()),
        Guard::Unset => Err(Error::internal("a table reached the renderer without authorization")),
        Guard::Open | Guard::Rows(_) => {
            Err(Error::internal("a read with compiled policies reached an engine that has its own"))
        }
    }
}
