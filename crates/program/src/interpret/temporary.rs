//! `create temporary table`, rows that are put into it, and its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::build::TEMPORARY;
use query::resolve::NamedRows;
use sql::ast::{
    ColumnConstraintKind, CreateTable, Drop, Expr, ExprKind, Insert, Literal, ObjectName, Query, QueryBody,
    StatementKind,
};
use types::cast::{Context, context};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Frame;
use crate::context::Said;
use crate::convert::converted;
use crate::environment::Kind;
use crate::host::Done;

impl Frame<'_> {
    pub(super) async fn create_temporary(
        &mut self,
        name: &ObjectName,
        query: &Query,
        if_not_exists: bool,
    ) -> Result<()> {
        self.refuse_change("CREATE TABLE AS")?;
        if if_not_exists && self.host.temporaries().has(&name.name) {
            return Ok(());
        }
        let planned = self.program.query(query, &self.environment, &*self.host)?;
        let done = self.ran(&planned, Said::Nothing).await?;
        self.row_count = u64::try_from(done.rows.len()).unwrap_or(u64::MAX);
        let rows = NamedRows { columns: columns(&planned.outputs)?, rows: done.rows };
        self.refuse_hiding(name)?;
        let owner = self.host.caller().role.clone();
        self.host.temporaries().add(&name.name, rows, &owner, done.held)
    }

    /// A table of columns, without rows.
    pub(super) fn create_empty_temporary(&mut self, create: &CreateTable) -> Result<()> {
        self.refuse_change("CREATE TABLE")?;
        if create.if_not_exists && self.host.temporaries().has(&create.name.name) {
            return Ok(());
        }
        self.add_empty(create)
    }

    fn add_empty(&self, create: &CreateTable) -> Result<()> {
        self.refuse_hiding(&create.name)?;
        let mut named = Vec::with_capacity(create.columns.len());
        let mut modifiers = Vec::with_capacity(create.columns.len());
        for column in &create.columns {
            let Kind::Scalar { ty, modifier, domain: None } = self.named_kind(&column.ty)? else {
                return Err(Error::missing("a temporary table with columns of rows or domains"));
            };
            named.push((Arc::from(column.name.as_str()), ty));
            modifiers.push(modifier);
        }
        let rows = NamedRows { columns: columns(&named)?, rows: Vec::new() };
        let (owner, held) = (self.host.caller().role.clone(), self.host.account().hold());
        self.host.temporaries().add(&create.name.name, rows, &owner, held)?;
        self.host.temporaries().modify(&create.name.name, modifiers);
        Ok(())
    }

    /// The table that a statement makes, without its rows, for a walk.
    pub(super) fn declare_any_temporary(&mut self, statement: &StatementKind) -> Option<Result<()>> {
        match statement {
            StatementKind::CreateTableAs { name, query, .. } => Some(self.declare_temporary(name, query)),
            StatementKind::CreateTable(create) if create.temporary => {
                self.host.temporaries().remove(&create.name.name);
                Some(self.add_empty(create))
            }
            _ => None,
        }
    }

    /// The temporary table that a statement puts rows into, and where they come from.
    pub(super) fn put_into_temporary<'s>(
        &self,
        statement: &'s StatementKind,
    ) -> Result<Option<(&'s Insert, &'s Query)>> {
        let StatementKind::Insert(insert) = statement else { return Ok(None) };
        let is_temporary = matches!(insert.table.schema.as_deref(), None | Some(TEMPORARY))
            && self.host.temporaries().has(&insert.table.name);
        if !is_temporary {
            return Ok(None);
        }
        let is_plain = insert.with.is_none() && insert.on_conflict.is_none() && insert.returning.is_empty();
        match &insert.source {
            Some(source) if !is_uniform(source) => {
                Err(Error::missing("rows for a temporary table whose values are literals in some alone"))
            }
            Some(source) if is_plain => Ok(Some((insert, source))),
            Some(_) | None => {
                Err(Error::missing("WITH, ON CONFLICT, RETURNING or DEFAULT VALUES for a temporary table"))
            }
        }
    }

    /// Puts rows into a temporary table.
    pub(super) fn insert_temporary(
        &mut self,
        insert: &Insert,
        outputs: &[(Arc<str>, Type)],
        done: Done,
    ) -> Result<()> {
        self.refuse_change("INSERT")?;
        let table = &insert.table.name;
        let known = self.host.temporaries().rows(table, &*self.host)?;
        let known = known.ok_or_else(|| Error::internal("a temporary table that is gone"))?;
        let places = places(insert, &known.columns, outputs.len())?;
        for (at, (_, from)) in places.iter().zip(outputs) {
            refuse_type(&known.columns[*at], from)?;
        }
        let mut held = self.host.account().hold();
        let mut rows = Vec::with_capacity(done.rows.len());
        for given in done.rows {
            let mut row = vec![Value::Null; known.columns.len()];
            for ((value, at), (_, from)) in given.into_iter().zip(&places).zip(outputs) {
                let to = (&known.columns[*at].1, self.host.temporaries().modifier(table, *at));
                row[*at] = converted(value, from, to, self.host.session())?;
            }
            held.row(&row)?;
            rows.push(row);
        }
        self.row_count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.host.temporaries().append(table, rows, held);
        self.found(self.row_count > 0)
    }

    /// The table without its rows, for a walk.
    fn declare_temporary(&mut self, name: &ObjectName, query: &Query) -> Result<()> {
        let planned = self.program.query(query, &self.environment, &*self.host)?;
        let rows = NamedRows { columns: columns(&planned.outputs)?, rows: Vec::new() };
        self.refuse_hiding(name)?;
        self.host.temporaries().remove(&name.name);
        let (owner, held) = (self.host.caller().role.clone(), self.host.account().hold());
        self.host.temporaries().add(&name.name, rows, &owner, held)
    }

    /// Refuses a name that a stored table has, too: plans of it are kept.
    fn refuse_hiding(&self, name: &ObjectName) -> Result<()> {
        match self.is_stored(&name.name) {
            false => Ok(()),
            true => Err(Error::missing(format!("a temporary table of the name of another: {}", name.name))),
        }
    }

    /// Whether any schema has a table of a name: functions look along paths of their own.
    fn is_stored(&self, name: &str) -> bool {
        self.host.model().catalog.tables.iter().any(|table| &*table.name.name == name)
    }

    /// Whether nothing is dropped but temporary tables, or nothing at all.
    pub(super) fn drops_temporaries(&self, drop: &Drop) -> bool {
        let is_temporary = |name: &ObjectName| {
            matches!(name.schema.as_deref(), None | Some(TEMPORARY))
                && self.host.temporaries().has(&name.name)
        };
        let is_one = |name: &ObjectName| {
            is_temporary(name) || drop.if_exists && name.schema.is_none() && !self.is_stored(&name.name)
        };
        drop.object == "table" && drop.names.iter().all(|(name, _)| is_one(name))
    }
}

/// The columns of a table that is made of a query.
fn columns(outputs: &[(Arc<str>, Type)]) -> Result<Vec<(Arc<str>, Type)>> {
    let mut known = BTreeSet::new();
    if let Some((twice, _)) = outputs.iter().find(|(name, _)| !known.insert(name)) {
        let message = format!("column \"{twice}\" specified more than once");
        return Err(Error::new(Code::DUPLICATE_COLUMN, message));
    }
    let column = |(name, ty): &(Arc<str>, Type)| {
        (name.clone(), if *ty == Type::Unknown { Type::Text } else { ty.clone() })
    };
    Ok(outputs.iter().map(column).collect())
}

/// Refuses what is not kept of a temporary table.
pub(super) fn possible(create: &CreateTable) -> Result<()> {
    let is_plain = create.constraints.is_empty()
        && create.like.is_empty()
        && create.inherits.is_empty()
        && create.partition_by.is_none()
        && create.partition_of.is_none();
    let constraints = create.columns.iter().flat_map(|column| &column.constraints);
    let is_free = constraints.into_iter().all(|found| matches!(found.kind, ColumnConstraintKind::Null));
    match is_plain && is_free && create.columns.iter().all(|column| column.collation.is_none()) {
        true => Ok(()),
        false => Err(Error::missing("a temporary table with defaults, keys or constraints in a function")),
    }
}

/// Whether the values of each column are literals in all rows of `values`, or in none: each of PostgreSQL's is the column's alone.
fn is_uniform(source: &Query) -> bool {
    let QueryBody::Values(rows) = &source.body else { return true };
    let is_literal = |value: &Expr| matches!(&*value.kind, ExprKind::Literal(Literal::String(_)));
    let width = rows.first().map_or(0, Vec::len);
    (0..width).all(|at| {
        let mut values = rows.iter().filter_map(|row| row.get(at)).filter(|value| !value.is_null());
        let Some(first) = values.next() else { return true };
        values.all(|value| is_literal(value) == is_literal(first))
    })
}

/// Where the columns of rows go that are put into a table.
fn places(insert: &Insert, columns: &[(Arc<str>, Type)], width: usize) -> Result<Vec<usize>> {
    let place = |name: &String| {
        let found = columns.iter().position(|(column, _)| **column == **name);
        found.ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", insert.table.name);
            Error::new(Code::UNDEFINED_COLUMN, message)
        })
    };
    let named = insert.columns.iter().map(place).collect::<Result<Vec<_>>>()?;
    let places = if named.is_empty() { (0..columns.len()).collect() } else { named };
    if width > places.len() {
        return Err(Error::new(Code::SYNTAX, "INSERT has more expressions than target columns"));
    }
    if width < places.len() && !insert.columns.is_empty() {
        return Err(Error::new(Code::SYNTAX, "INSERT has more target columns than expressions"));
    }
    Ok(places)
}

/// Refuses values of a type that no column of another takes.
fn refuse_type((column, to): &(Arc<str>, Type), from: &Type) -> Result<()> {
    let is_taken = *from == Type::Unknown
        || from == to
        || context(from, to).is_some_and(|context| context >= Context::Assignment);
    if is_taken {
        return Ok(());
    }
    let (to, from) = (format_type(to, None), format_type(from, None));
    let message = format!("column \"{column}\" is of type {to} but expression is of type {from}");
    Err(Error::new(Code::DATATYPE_MISMATCH, message)
        .with_hint("You will need to rewrite or cast the expression."))
}
