//! Reads as `SELECT`.

use std::sync::Arc;

use catalog::{Catalog, ColumnId, TableId};
use query::{Expr, Form, Guard, JoinKind, Nest, Order, Output, Read, Source, SourceId};
use types::stored::encode;
use types::{Error, Result, Type, Value};

use super::apart;
use super::compound::Compound;
use super::cost;
use super::membership::gathered;
use super::{Columns, Writer, names};
use crate::sqlite::names::Special;
use crate::{Bindings, Command, Kept};

/// One read as a command.
///
/// # Errors
/// `XX000` when the read was not authorized; the errors of stored values.
pub fn read(catalog: &Catalog, read: &Read, bindings: &Bindings<'_>) -> Result<Command> {
    let mut writer = Writer::new(catalog, bindings);
    writer.read(&apart::settled(read), Use::Rows)?;
    Ok(writer.finish(outputs(&read.outputs)))
}

/// The same, to be run again.
///
/// # Errors
/// Those of [`read`].
pub(super) fn kept(catalog: &Catalog, read: &Read, bindings: &Bindings<'_>) -> Result<Option<Kept>> {
    let mut writer = Writer::new(catalog, bindings);
    writer.read(&apart::settled(read), Use::Rows)?;
    let notes = std::mem::take(&mut writer.notes);
    Ok(Kept::of(writer.finish(outputs(&read.outputs)), notes, |ty, value, _| encode(ty, value)))
}

fn outputs(outputs: &[Output]) -> Arc<[(Arc<str>, Type)]> {
    outputs.iter().map(|output| (output.name.clone(), output.expr.ty())).collect()
}

/// What a read's rows are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// They are seen: order matters.
    Rows,
    /// Only whether or which there are.
    Set,
}

impl Writer<'_> {
    pub(super) fn read(&mut self, read: &Read, used: Use) -> Result<()> {
        let collates = std::mem::take(&mut self.collates);
        self.with(&read.with)?;
        self.register(&read.from);
        let mut near = Vec::new();
        query::visit::each_source(&read.from, &mut |source| near.extend(query::visit::id_of(source)));
        let far = std::mem::replace(&mut self.near, near);
        self.select(read, used, collates)?;
        self.near = far;
        Ok(())
    }

    fn select(&mut self, read: &Read, used: Use, collates: bool) -> Result<()> {
        if used == Use::Rows && passes_over(read) {
            self.push("SELECT * FROM (");
            self.all(read, used, collates)?;
            self.push(FENCE);
            self.push(")");
        } else {
            self.all(read, used, collates)?;
        }
        self.bounds(read)
    }

    /// All rows, whatever the bounds are.
    fn all(&mut self, read: &Read, used: Use, collates: bool) -> Result<()> {
        self.push("SELECT ");
        let distinct_keys = read.distinct && needs_keys(read);
        if read.distinct && !distinct_keys {
            self.push("DISTINCT ");
        }
        // SQLite wants to see an aggregate before it takes all rows for one group.
        let is_one_group = read.group.is_empty()
            && (read.having.is_some() || read.order.iter().any(|key| query::has_aggregate(&key.expr)))
            && !read.outputs.iter().any(|output| query::has_aggregate(&output.expr));
        if read.outputs.is_empty() {
            self.push(if is_one_group { "count(*)" } else { "1" });
        }
        self.list(read.outputs.iter().enumerate(), ", ", |writer, (position, output)| {
            let as_one = is_one_group && position == 0;
            writer.push(if as_one { "CASE WHEN count(*) >= 0 THEN " } else { "" });
            if collates {
                writer.collated(&output.expr)?
            } else {
                writer.expr(&output.expr)?
            }
            writer.push(if as_one { " END" } else { "" });
            writer.push(" AS c");
            writer.number(position);
            Ok(())
        })?;
        let mut guards = Vec::new();
        if !matches!(read.from, Source::Unit) {
            self.push(" FROM ");
            let around = std::mem::replace(&mut self.fenced, needs_fence(read));
            self.source(&read.from, &mut guards)?;
            self.fenced = around;
        }
        let catalog = self.catalog;
        let guards: Vec<_> = guards.into_iter().map(|guard| gathered(catalog, read, guard)).collect();
        let guards = cost::of_policies(guards.iter().map(|guard| &**guard));
        self.conditions(&guards, read)?;
        self.done_for_nobody(read, guards.is_empty() && read.filter.is_none())?;
        if !read.group.is_empty() {
            self.push(" GROUP BY ");
            self.list(&read.group, ", ", Writer::distinguished)?;
        }
        if distinct_keys {
            self.push(" GROUP BY ");
            self.list(&read.outputs, ", ", |writer, output| writer.distinguished(&output.expr))?;
        }
        if let Some(having) = &read.having {
            // SQLite moves a condition on keys alone before the grouping, where hidden rows are; not one on an aggregate.
            let apart = has_guard(&read.from) && query::may_raise(having);
            self.push(if apart { " HAVING CASE WHEN count(*) > 0 THEN " } else { " HAVING " });
            self.condition(&cost::ordered(having, &read.from))?;
            self.push(if apart { " END" } else { "" });
        }
        if used == Use::Rows { self.order(read) } else { Ok(()) }
    }

    /// Notes what each source is, so that its columns can be named.
    pub(super) fn register(&mut self, source: &Source) {
        self.register_beside(source, &mut Vec::new());
    }

    fn register_beside(&mut self, source: &Source, beside: &mut Vec<SourceId>) {
        let lateral = |reads: &[&Read]| {
            let is_lateral =
                !beside.is_empty() && reads.iter().any(|read| query::visit::names_any(read, beside));
            if is_lateral { Columns::Packed(u16::MAX) } else { Columns::Outputs }
        };
        let columns = match source {
            Source::Unit => return,
            Source::Table { table, .. }
            | Source::Written { table, .. }
            | Source::Given { table, .. }
            | Source::Transition { table, .. } => Columns::OfTable(*table),
            Source::Read { read, .. } => lateral(&[read]),
            Source::Compound { left, right, .. } => lateral(&[left, right]),
            Source::Call { .. } | Source::Cte { .. } => Columns::Outputs,
            Source::Function { calls, .. } => {
                let width: usize = calls.iter().map(|call| call.columns.len()).sum();
                Columns::Packed(u16::try_from(width).unwrap_or(u16::MAX))
            }
            Source::Values { .. } | Source::System { .. } => Columns::Values,
            Source::Join { left, right, .. } => {
                self.register_beside(left, beside);
                return self.register_beside(right, beside);
            }
        };
        if let Some(id) = query::visit::id_of(source) {
            self.sources.insert(id, columns);
            beside.push(id);
        }
    }

    /// `WHERE`: what the caller may see first, so that nothing that could raise an error is evaluated on a hidden row. What
    /// cannot raise one stays outside: an index may serve it.
    ///
    /// Where rows are computed of others beside them (`early`), these are chosen before: the guards stand alone, too, and each
    /// condition is looked at as soon as it can be.
    fn conditions(&mut self, guards: &[&Expr], read: &Read) -> Result<()> {
        let (from, early) = (&read.from, computes_rows(&read.from));
        let conditions =
            read.filter.as_ref().map_or_else(Vec::new, |filter| cost::cheapest_first(filter, from));
        let (raising, safe): (Vec<&Expr>, Vec<&Expr>) = conditions
            .iter()
            .copied()
            .partition(|condition| !guards.is_empty() && query::may_raise(condition));
        if guards.is_empty() && conditions.is_empty() {
            return Ok(());
        }
        self.push(" WHERE ");
        self.list(safe.iter().copied(), " AND ", Writer::conjunct)?;
        self.push(if safe.is_empty() || guards.is_empty() { "" } else { " AND " });
        if early && !raising.is_empty() {
            self.declared(|writer| writer.list(guards.iter().copied(), " AND ", Writer::conjunct))?;
            return raising.into_iter().try_for_each(|condition| {
                self.push(" AND CASE WHEN ");
                self.declared(|writer| writer.list(guards.iter().copied(), " AND ", Writer::conjunct))?;
                self.push(" THEN ");
                self.condition(condition)?;
                self.push(" END");
                Ok(())
            });
        }
        self.push(if raising.is_empty() { "" } else { "CASE WHEN " });
        self.declared(|writer| writer.list(guards.iter().copied(), " AND ", Writer::conjunct))?;
        if !raising.is_empty() {
            self.push(" THEN ");
            self.list(raising.iter().copied(), " AND ", Writer::conjunct)?;
            self.push(" END");
        }
        Ok(())
    }

    /// Has volatile functions called for each row of a subquery that is kept apart, though nobody reads what they say: SQLite
    /// computes no column that is not named.
    fn done_for_nobody(&mut self, read: &Read, is_first: bool) -> Result<()> {
        for (position, column) in query::visit::computed_apart(read).iter().enumerate() {
            self.push(if is_first && position == 0 { " WHERE typeof(" } else { " AND typeof(" });
            self.expr(column)?;
            self.push(") <> ''");
        }
        Ok(())
    }

    fn order(&mut self, read: &Read) -> Result<()> {
        let grouped = !read.group.is_empty()
            || read.distinct
            || read.outputs.iter().any(|output| query::has_aggregate(&output.expr));
        let tie = if grouped { None } else { self.first_key(&read.from) };
        let is_as_it_comes = grouped || !read.order.is_empty() || is_in_its_order(read);
        let kept = if is_as_it_comes { Vec::new() } else { kept_order(&read.from) };
        let keys: Vec<&Order> = read.order.iter().chain(&kept).collect();
        if keys.is_empty() && tie.is_none() {
            return Ok(());
        }
        self.push(" ORDER BY ");
        self.list(keys.iter().copied(), ", ", Writer::order_key)?;
        if let Some(tie) = tie {
            self.push(if keys.is_empty() { "" } else { ", " });
            self.push(&tie);
        }
        Ok(())
    }

    pub(super) fn order_key(&mut self, key: &Order) -> Result<()> {
        if let Some(fields) = fields(self.catalog, &key.expr) {
            return self.row_key(key, fields);
        }
        self.ordered(&key.expr)?;
        self.push(if key.descending { " DESC" } else { "" });
        // SQLite's nulls are the smallest value, PostgreSQL's the largest.
        let native = !key.descending;
        if native != key.nulls_first {
            self.push(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
        Ok(())
    }

    /// Rows are in the order of their fields, of which null is the largest (`record_cmp`), whatever is said of rows that are null.
    fn row_key(&mut self, key: &Order, fields: Vec<Expr>) -> Result<()> {
        if !matches!(key.expr, Expr::Form { form: Form::Row | Form::Record(_), .. }) {
            self.operand(&key.expr)?;
            self.push(if key.nulls_first { " IS NULL DESC, " } else { " IS NULL, " });
        }
        let of_field = |expr| Order { expr, descending: key.descending, nulls_first: key.descending };
        let fields: Vec<Order> = fields.into_iter().map(of_field).collect();
        self.list(&fields, ", ", Writer::order_key)
    }

    /// The insertion order of the leftmost table: the order when none is asked, and between equals.
    fn first_key(&self, source: &Source) -> Option<String> {
        match source {
            Source::Table { id, table, .. } => {
                Some(format!("t{}.{}", id.0, names::row_key(&self.catalog[*table])))
            }
            Source::Written { id, .. } => Some(format!("k{}.key", id.0)),
            Source::Join { left, .. } => self.first_key(left),
            Source::Function { id, .. } => Some(format!("t{}.key", id.0)),
            Source::Unit
            | Source::Read { .. }
            | Source::Cte { .. }
            | Source::Compound { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Call { .. }
            | Source::Values { .. }
            | Source::System { .. } => None,
        }
    }

    fn bounds(&mut self, read: &Read) -> Result<()> {
        match (&read.limit, &read.offset) {
            (None, None) => return Ok(()),
            (Some(limit), _) => {
                self.push(" LIMIT ");
                self.bound(limit, "-1")?;
            }
            (None, Some(_)) => self.push(" LIMIT -1"),
        }
        if let Some(offset) = &read.offset {
            self.push(" OFFSET ");
            self.bound(offset, "0")?;
        }
        Ok(())
    }

    /// A bound that is null is none.
    fn bound(&mut self, bound: &Expr, none: &str) -> Result<()> {
        if matches!(bound, Expr::Const { value, .. } if !value.is_null()) {
            return self.expr(bound);
        }
        self.push("coalesce(");
        self.expr(bound)?;
        self.push(", ");
        self.push(none);
        self.push(")");
        Ok(())
    }

    fn source<'r>(&mut self, source: &'r Source, guards: &mut Vec<&'r Expr>) -> Result<()> {
        match source {
            Source::Unit => self.push("(SELECT 1)"),
            Source::Table { id, table, guard } => {
                self.stored_table(*table, *id);
                if let Some(guard) = guard_of(guard)? {
                    guards.push(guard);
                }
            }
            Source::Read { id, read, view } if self.is_packed(*id) => match view {
                Some(_) => self.declared(|writer| writer.lateral(*id, read))?,
                None => self.lateral(*id, read)?,
            },
            Source::Cte { id, cte, .. } => {
                self.push("w");
                self.number(cte.0);
                self.push(" AS ");
                self.alias(*id);
            }
            Source::Compound { id, operator, all, left, right } => {
                let compound = Compound { operator: *operator, all: *all, left, right };
                if self.is_packed(*id) {
                    return self.lateral_compound(*id, compound);
                }
                self.push("(");
                let fenced = std::mem::replace(&mut self.fenced, false);
                self.compound(compound)?;
                self.push(if fenced { FENCE } else { "" });
                self.push(") AS ");
                self.alias(*id);
                self.fenced = fenced;
            }
            Source::Function { id, calls, .. } => self.functions(*id, calls)?,
            Source::Read { id, read, view } => {
                self.push("(");
                let fenced = self.fenced;
                match view {
                    Some(_) => self.declared(|writer| writer.read(read, Use::Rows))?,
                    None => self.read(read, Use::Rows)?,
                }
                if fenced && read.limit.is_none() && read.offset.is_none() {
                    self.push(FENCE);
                }
                self.push(") AS ");
                self.alias(*id);
            }
            Source::Written { id, table } => {
                self.push("json_each(");
                self.keys(self.bindings.written);
                self.push(") AS k");
                self.number(id.0);
                self.push(" CROSS JOIN ");
                self.stored_table(*table, *id);
                self.push(" ON ");
                self.alias(*id);
                self.push(".");
                self.push(names::row_key(&self.catalog[*table]));
                self.push(" = k");
                self.number(id.0);
                self.push(".value");
            }
            Source::Given { id, table } => self.given(*id, *table)?,
            Source::Transition { .. } => {
                return Err(Error::internal("a transition table was left to an engine"));
            }
            Source::Call { .. } => {
                return Err(Error::internal("a function was left to an engine that runs none"));
            }
            Source::Values { id, rows } => self.values(*id, rows)?,
            Source::System { id, relation, rows } => self.values(*id, &Source::written(relation, rows))?,
            Source::Join { kind, left, right, on } => {
                return self.join(*kind, left, right, on.as_ref(), guards);
            }
        }
        Ok(())
    }

    fn is_packed(&self, id: SourceId) -> bool {
        matches!(self.named(id), Some(Columns::Packed(_)))
    }

    fn values(&mut self, id: SourceId, rows: &[Vec<Expr>]) -> Result<()> {
        self.push("(");
        if is_long(rows) {
            self.long_values(rows)?;
        } else {
            self.short_values(rows)?;
        }
        self.push(") AS ");
        self.alias(id);
        Ok(())
    }

    /// A few rows. The columns are named: of a bare `VALUES` SQLite loses them in subqueries of subqueries.
    fn short_values(&mut self, rows: &[Vec<Expr>]) -> Result<()> {
        let Some((first, more)) = rows.split_first() else {
            return Err(Error::internal("values without a row"));
        };
        self.push("SELECT ");
        for (at, value) in first.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.expr(value)?;
            self.push(&format!(" AS column{}", at + 1));
        }
        if more.is_empty() {
            return Ok(());
        }
        self.push(" UNION ALL VALUES ");
        self.list(more, ", ", |writer, row| {
            writer.push("(");
            writer.list(row, ", ", Writer::expr)?;
            writer.push(")");
            Ok(())
        })
    }

    /// Many rows of constants, as one parameter: a JSON array of their stored forms.
    fn long_values(&mut self, rows: &[Vec<Expr>]) -> Result<()> {
        let width = rows.first().map_or(0, Vec::len);
        let mut json = Vec::with_capacity(rows.len() * 16);
        json.push(b'[');
        for (position, row) in rows.iter().enumerate() {
            json.extend(if position > 0 { &b",["[..] } else { b"[" });
            for (at, expr) in row.iter().enumerate() {
                json.extend(if at > 0 { &b","[..] } else { b"" });
                write_stored(&mut json, expr)?;
            }
            json.push(b']');
        }
        json.push(b']');
        self.push("SELECT ");
        self.list(0..width, ", ", |writer, at| {
            let ty = rows.first().and_then(|row| row.get(at)).map(Expr::ty);
            let (before, behind) = match ty {
                Some(Type::Bytea) => ("unhex(", ")"),
                // SQLite does not read every float as the nearest.
                Some(Type::Float4 | Type::Float8) => ("bp_cast('text;float8;-;e', ", ")"),
                _ => ("", ""),
            };
            writer.push(before);
            writer.push("json_extract(value, '$[");
            writer.number(at);
            writer.push("]')");
            writer.push(behind);
            writer.push(" AS column");
            writer.number(at + 1);
            Ok(())
        })?;
        self.push(" FROM json_each(");
        self.parameter(types::stored::Stored::Text(String::from_utf8(json).map_err(Error::internal)?.into()));
        self.push(")");
        Ok(())
    }

    fn join<'r>(
        &mut self,
        kind: JoinKind,
        left: &'r Source,
        right: &'r Source,
        on: Option<&Expr>,
        guards: &mut Vec<&'r Expr>,
    ) -> Result<()> {
        let (words, left_null, right_null) = match kind {
            JoinKind::Inner => (" JOIN ", false, false),
            JoinKind::Left => (" LEFT JOIN ", false, true),
            JoinKind::Right => (" RIGHT JOIN ", true, false),
            JoinKind::Full => (" FULL JOIN ", true, true),
        };
        // A condition that could raise an error is no place for rows that a policy hides.
        let raises = on.is_some_and(query::may_raise);
        self.joined(left, left_null || raises, guards)?;
        self.push(words);
        self.joined(right, right_null || raises, guards)?;
        self.push(" ON ");
        match on {
            Some(on) => self.condition(&cost::ordered(on, &Source::Unit)),
            None => {
                self.push("true");
                Ok(())
            }
        }
    }

    /// One side of a join. What the caller may not see of a side that can be null must be gone before the join.
    fn joined<'r>(&mut self, source: &'r Source, nullable: bool, guards: &mut Vec<&'r Expr>) -> Result<()> {
        match source {
            Source::Table { id, table, guard } if nullable => {
                let Some(guard) = guard_of(guard)? else {
                    self.stored_table(*table, *id);
                    return Ok(());
                };
                self.push("(SELECT ");
                self.alias(*id);
                self.push(".");
                self.push(names::row_key(&self.catalog[*table]));
                self.push(", ");
                self.alias(*id);
                self.push(".* FROM ");
                self.stored_table(*table, *id);
                self.push(" WHERE ");
                self.declared(|writer| writer.condition(guard))?;
                self.push(FENCE);
                self.push(") AS ");
                self.alias(*id);
                Ok(())
            }
            Source::Join { .. } => {
                let mut inner = Vec::new();
                self.push("(");
                self.source(source, if nullable { &mut inner } else { guards })?;
                self.push(")");
                if inner.is_empty() {
                    Ok(())
                } else {
                    Err(Error::missing("a policy on a join inside the nullable side of an outer join"))
                }
            }
            source => self.source(source, guards),
        }
    }

    fn stored_table(&mut self, table: TableId, id: SourceId) {
        let name = names::table_name(&self.catalog[table].name);
        self.identifier(&name);
        self.push(" AS ");
        self.alias(id);
    }

    fn given(&mut self, id: SourceId, table: TableId) -> Result<()> {
        let (catalog, bindings) = (self.catalog, self.bindings);
        self.push("(SELECT ");
        self.list(catalog[table].columns.iter().zip(bindings.given), ", ", |writer, (column, value)| {
            writer.parameter(encode(&column.ty, value)?);
            writer.push(" AS ");
            writer.identifier(&column.name);
            Ok(())
        })?;
        self.push(") AS ");
        self.alias(id);
        Ok(())
    }

    pub(super) fn alias(&mut self, id: SourceId) {
        self.push("t");
        self.number(id.0);
    }

    /// Nested rows: one JSON text.
    pub(super) fn nest(&mut self, nest: &Nest) -> Result<()> {
        let shape = shape(&nest.read.outputs);
        let special = match (nest.many, nest.bare) {
            (true, false) => Special::JsonRows,
            (true, true) => Special::JsonValues,
            (false, _) => Special::JsonRow,
        };
        self.push("(SELECT ");
        self.push(special.name());
        self.push("(");
        self.parameter(types::stored::Stored::Text(shape.into()));
        for position in 0..nest.read.outputs.len() {
            self.push(", c");
            self.number(position);
        }
        self.push(") FROM (");
        self.read(&nest.read, Use::Rows)?;
        self.push("))");
        Ok(())
    }
}

/// The fields of a row value whose type says them.
fn fields(catalog: &Catalog, row: &Expr) -> Option<Vec<Expr>> {
    if let Expr::Form { form: Form::Row | Form::Record(_), args, .. } = row {
        return Some(args.clone());
    }
    let Type::Composite(name) = row.ty() else { return None };
    let field = |field: types::Field| Expr::Form {
        form: Form::Field(field.name),
        args: vec![row.clone()],
        ty: field.ty,
    };
    Some(catalog.fields(&name)?.into_iter().map(field).collect())
}

/// Whether rows of a subquery that is kept apart are taken as they come: without a condition SQLite makes no index of them.
fn is_in_its_order(read: &Read) -> bool {
    read.filter.is_none() && matches!(&read.from, Source::Read { read, .. } if apart::is_fenced(read))
}

/// The order of the rows that a read is made of, where its columns can say it: SQLite may look them up in an index of its own
/// making, PostgreSQL keeps them in their order.
fn kept_order(from: &Source) -> Vec<Order> {
    let Source::Read { id, read, .. } = from else { return Vec::new() };
    let inherited;
    let order = if read.order.is_empty() && read.group.is_empty() && !read.distinct {
        inherited = kept_order(&read.from);
        &inherited
    } else {
        &read.order
    };
    let shown = |key: &Order| {
        let Expr::Column { source, column, ty } = &key.expr else { return None };
        let is_key = |output: &Output| matches!(&output.expr, Expr::Column { source: other, column: named, .. } if other == source && named == column);
        let at = u16::try_from(read.outputs.iter().position(is_key)?).ok()?;
        let expr = Expr::Column { source: *id, column: ColumnId(at), ty: ty.clone() };
        Some(Order { expr, ..*key })
    };
    order.iter().map_while(shown).collect()
}

/// Whether SQLite's `DISTINCT` would take equal values for different ones, or the other way round: a group per row says what
/// is equal.
fn needs_keys(read: &Read) -> bool {
    let is_plain = |output: &Output| {
        names::is_distinct_natively(&output.expr.ty())
            && (matches!(output.expr, Expr::Column { .. }) || !names::is_text(&output.expr.ty()))
    };
    read.group.is_empty()
        && !read.outputs.iter().any(|output| query::has_aggregate(&output.expr))
        && !read.outputs.iter().all(is_plain)
}

/// Constants of `values` beyond which they are one parameter: SQLite takes no more than some ten thousand of them.
const LONG: usize = 2_000;

fn is_long(rows: &[Vec<Expr>]) -> bool {
    let is_constant = |expr: &Expr| matches!(expr, Expr::Const { .. });
    rows.iter().map(Vec::len).sum::<usize>() > LONG && rows.iter().flatten().all(is_constant)
}

/// A constant's stored form as JSON; bytes in hexadecimal digits.
fn write_stored(out: &mut Vec<u8>, expr: &Expr) -> Result<()> {
    use types::stored::Stored;
    let Expr::Const { value, ty } = expr else { return Err(Error::internal("a row that is no constant")) };
    match encode(ty, value)? {
        Stored::Null => out.extend(b"null"),
        Stored::Int(number) => out.extend(number.to_string().bytes()),
        Stored::Real(number) if number.is_infinite() => {
            out.extend(if number > 0.0 { &b"\"Infinity\""[..] } else { b"\"-Infinity\"" });
        }
        Stored::Real(number) => out.extend(format!("\"{number:?}\"").bytes()),
        Stored::Text(text) => types::json::write_string(out, &text),
        Stored::Blob(bytes) => {
            out.push(b'"');
            out.extend(bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
            out.push(b'"');
        }
    }
    Ok(())
}

/// The conditions that must all hold.
pub(super) fn conjuncts(filter: &Expr) -> &[Expr] {
    match filter {
        Expr::Form { form: Form::And, args, .. } => args,
        other => std::slice::from_ref(other),
    }
}

/// The same, those of conjunctions within, too.
pub(super) fn all_conjuncts(filter: &Expr) -> Vec<&Expr> {
    match conjuncts(filter) {
        [alone] if !matches!(alone, Expr::Form { form: Form::And, .. }) => vec![alone],
        conditions => conditions.iter().flat_map(all_conjuncts).collect(),
    }
}

/// Whether rows are passed over that compute something: PostgreSQL computes the values of such rows, and says what is wrong with
/// them, SQLite only passes over them.
fn passes_over(read: &Read) -> bool {
    let is_over = |offset: &Expr| !matches!(offset, Expr::Const { value: Value::Int(0), .. });
    read.offset.as_ref().is_some_and(is_over)
        && read.outputs.iter().any(|output| query::visit::computed_may_raise(&output.expr))
}

/// Keeps a subquery apart: SQLite neither merges one that has a limit with what is around it, nor moves conditions into it.
const FENCE: &str = " LIMIT -1 OFFSET 0";

/// Whether something that could raise an error would be evaluated on rows of a subquery before its policies have chosen them,
/// were it merged with what is around it.
fn needs_fence(read: &Read) -> bool {
    let (mut is_guarded, mut raises) = (false, false);
    query::visit::each_source(&read.from, &mut |source| {
        let inner: &[&Read] = match source {
            Source::Read { read, .. } => &[read],
            Source::Compound { left, right, .. } => &[left, right],
            _ => &[],
        };
        is_guarded |= inner.iter().any(|read| read.chooses || has_guard(&read.from));
        raises |= inner.iter().any(|read| shows_what_raises(read));
    });
    let mut conditions = read.filter.iter().chain(&read.having).collect::<Vec<_>>();
    joining(&read.from, &mut conditions);
    let asks = !conditions.is_empty() && (raises || conditions.into_iter().any(query::may_raise));
    is_guarded && asks
}

/// Whether a column of a read, or of what it reads, could raise an error: columns are handed up without a trace.
fn shows_what_raises(read: &Read) -> bool {
    read.outputs.iter().any(|output| query::may_raise(&output.expr))
        || query::visit::inner_reads(read).into_iter().any(shows_what_raises)
}

/// Whether rows of a source are computed, in a way that could raise an error, of rows beside them.
fn computes_rows(from: &Source) -> bool {
    let mut found = false;
    query::visit::each_source(from, &mut |source| {
        found |= match source {
            Source::Function { calls, .. } => {
                calls.iter().any(|call| !call.function.leakproof || call.args.iter().any(query::may_raise))
            }
            Source::Read { read, .. } => query::visit::read_may_raise(read),
            Source::Compound { left, right, .. } => {
                query::visit::read_may_raise(left) || query::visit::read_may_raise(right)
            }
            Source::Call { .. } => true,
            Source::Unit
            | Source::Table { .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Cte { .. }
            | Source::Values { .. }
            | Source::System { .. }
            | Source::Join { .. } => false,
        }
    });
    found
}

/// Whether policies choose rows of a source, however deep.
fn has_guard(source: &Source) -> bool {
    let mut found = false;
    query::visit::each_source(source, &mut |leaf| match leaf {
        Source::Table { guard, .. } => found |= matches!(guard, Guard::Rows(_)),
        Source::Read { read, .. } => found |= read.chooses || has_guard(&read.from),
        Source::Compound { left, right, .. } => found |= has_guard(&left.from) || has_guard(&right.from),
        _ => {}
    });
    found
}

/// The conditions of the joins of a source.
fn joining<'r>(source: &'r Source, found: &mut Vec<&'r Expr>) {
    if let Source::Join { left, right, on, .. } = source {
        joining(left, found);
        joining(right, found);
        found.extend(on);
    }
}

fn guard_of(guard: &Guard) -> Result<Option<&Expr>> {
    match guard {
        Guard::Unset => Err(Error::internal("a table reached the renderer without authorization")),
        Guard::Open => Ok(None),
        Guard::Rows(expr) => Ok(Some(expr)),
        Guard::Engine => Err(Error::internal("a read was left to an engine that has no policies")),
    }
}

/// Names and types of a nested row: `name` as a JSON string, then the type's signature, semicolons between.
pub(super) fn shape(outputs: &[Output]) -> String {
    let mut out = String::new();
    for output in outputs {
        out.push_str(&output.name.replace('\\', "\\\\").replace('\n', "\\n"));
        out.push('\n');
        types::signature::write(&mut out, &output.expr.ty());
        out.push('\n');
    }
    out
}
