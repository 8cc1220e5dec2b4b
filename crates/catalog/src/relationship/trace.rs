//! Which columns of views are plain columns of tables.
//!
//! PostgreSQL's rule for where a result column comes from (`resorigtbl` of its query trees): a bare column is followed through
//! joins, subqueries, common table expressions and other views; an expression, or the result of a set operation, comes from
//! nowhere. What cannot be told comes from nowhere, too.

use sql::ast::{
    Alias, Expr, ExprKind, FromItem, JoinCondition, JoinKind, ObjectName, Query, QueryBody, Select,
    StatementKind,
};
use types::Name;

use crate::expr::figure;
use crate::{Catalog, ColumnId, Table, TableId, TableKind};

/// Views in views that are followed; PostgreSQL has no limit, and nobody has so many.
const DEPTH_MAX: usize = 32;

/// A column of a table.
pub(super) type Origin = (TableId, ColumnId);

/// Where each column of a table or view comes from: those of a table from itself.
pub(super) fn origins(catalog: &Catalog, id: TableId) -> Vec<Option<Origin>> {
    origins_within(catalog, id, DEPTH_MAX)
}

fn origins_within(catalog: &Catalog, id: TableId, depth: usize) -> Vec<Option<Origin>> {
    let table = &catalog[id];
    let TableKind::View { query, .. } = &table.kind else {
        return table.column_ids().map(|column| Some((id, column))).collect();
    };
    let nothing = || vec![None; table.columns.len()];
    let Some(depth) = depth.checked_sub(1) else { return nothing() };
    let columns = Trace { catalog, depth, ctes: Vec::new() }.query(query);
    match columns {
        Some(columns) if columns.len() == table.columns.len() => {
            columns.into_iter().map(|column| column.origin).collect()
        }
        _ => nothing(),
    }
}

/// A column of something in `from`.
#[derive(Clone, Debug)]
struct Traced {
    name: String,
    origin: Option<Origin>,
}

/// What is in `from`: each source by its alias, and all columns as `*` gives them.
#[derive(Debug)]
struct Sources {
    aliased: Vec<(String, Option<Vec<Traced>>)>,
    all: Vec<Traced>,
    /// Whether `all` is all: the columns of functions and system tables are not known.
    is_known: bool,
}

struct Trace<'a> {
    catalog: &'a Catalog,
    depth: usize,
    ctes: Vec<(String, Option<Vec<Traced>>)>,
}

impl Trace<'_> {
    /// The columns of a query's result; `None` when not even their number can be told.
    fn query(&mut self, query: &Query) -> Option<Vec<Traced>> {
        let before = self.ctes.len();
        for cte in query.with.iter().flat_map(|with| &with.ctes) {
            let columns = match &*cte.body {
                StatementKind::Query(body) => self.query(body),
                _ => None,
            };
            let columns = columns.map(|columns| renamed(columns, &cte.columns));
            self.ctes.push((cte.name.clone(), columns));
        }
        let columns = match &query.body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::SetOperation { left, .. } => self.query(left).map(without_origin),
            QueryBody::Values(rows) => {
                let width = rows.first().map_or(0, Vec::len);
                Some((1..=width).map(|n| Traced { name: format!("column{n}"), origin: None }).collect())
            }
        };
        self.ctes.truncate(before);
        columns
    }

    fn select(&mut self, select: &Select) -> Option<Vec<Traced>> {
        let mut sources = Sources { aliased: Vec::new(), all: Vec::new(), is_known: true };
        for item in &select.from {
            let next = self.item(item);
            sources.aliased.extend(next.aliased);
            sources.all.extend(next.all);
            sources.is_known &= next.is_known;
        }
        let mut columns = Vec::new();
        for target in &select.targets {
            match &*target.expr.kind {
                ExprKind::Star(parts) => columns.extend(sources.star(parts)?.iter().cloned()),
                ExprKind::Field { field, .. } if field == "*" => return None,
                _ => columns.push(sources.target(&target.expr, target.alias.as_deref())),
            }
        }
        Some(columns)
    }

    fn item(&mut self, item: &FromItem) -> Sources {
        match item {
            FromItem::Table { name, alias, .. } => Sources::of(alias.as_ref(), &name.name, self.table(name)),
            FromItem::Subquery { query, alias, .. } => Sources::of(alias.as_ref(), "", self.query(query)),
            FromItem::Function { call, alias, .. } => Sources::of(alias.as_ref(), &call.name.name, None),
            FromItem::Functions { alias, .. } => Sources::of(alias.as_ref(), "", None),
            FromItem::Join { kind, left, right, condition } => {
                let (left, right) = (self.item(left), self.item(right));
                left.joined(right, *kind, condition)
            }
        }
    }

    fn table(&self, name: &ObjectName) -> Option<Vec<Traced>> {
        let cte = self.ctes.iter().rev().find(|(cte, _)| name.schema.is_none() && *cte == name.name);
        if let Some((_, columns)) = cte {
            return columns.clone();
        }
        let name = Name::new(name.schema.as_deref()?, name.name.as_str());
        let (id, table) = self.catalog.table(&name)?;
        Some(named(table, origins_within(self.catalog, id, self.depth)))
    }
}

impl Sources {
    fn of(alias: Option<&Alias>, name: &str, columns: Option<Vec<Traced>>) -> Sources {
        let (name, names) = alias.map_or((name, &[][..]), |alias| (&alias.name, &alias.columns));
        let columns = columns.map(|columns| renamed(columns, names));
        let is_known = columns.is_some();
        Sources {
            all: columns.clone().unwrap_or_default(),
            aliased: vec![(name.to_owned(), columns)],
            is_known,
        }
    }

    /// Both sides; columns that the join merges come once, in front.
    fn joined(mut self, right: Sources, kind: JoinKind, condition: &JoinCondition) -> Sources {
        let merged: Vec<String> = match condition {
            JoinCondition::Using(columns) => columns.clone(),
            JoinCondition::Natural => {
                let names = self.all.iter().map(|column| &column.name);
                names.filter(|name| right.all.iter().any(|column| column.name == **name)).cloned().collect()
            }
            JoinCondition::None | JoinCondition::On(_) => Vec::new(),
        };
        let side = if kind == JoinKind::Right { &right.all } else { &self.all };
        let front = merged.iter().map(|name| {
            let origin = side.iter().find(|column| column.name == *name).and_then(|column| column.origin);
            Traced { name: name.clone(), origin: origin.filter(|_| kind != JoinKind::Full) }
        });
        let is_rest = |column: &Traced| !merged.contains(&column.name);
        let all = front
            .chain(self.all.iter().filter(|column| is_rest(column)).cloned())
            .chain(right.all.iter().filter(|column| is_rest(column)).cloned())
            .collect();
        self.aliased.extend(right.aliased);
        Sources { aliased: self.aliased, all, is_known: self.is_known && right.is_known }
    }

    /// The columns of `*` or `source.*`.
    fn star(&self, parts: &[String]) -> Option<&[Traced]> {
        match parts.last() {
            None => self.is_known.then_some(self.all.as_slice()),
            Some(alias) => self.source(alias),
        }
    }

    fn source(&self, alias: &str) -> Option<&[Traced]> {
        self.aliased.iter().find(|(name, _)| name == alias).and_then(|(_, columns)| columns.as_deref())
    }

    fn target(&self, expr: &Expr, alias: Option<&str>) -> Traced {
        let name = alias.map(str::to_owned).or_else(|| figure::column_name(expr));
        let origin = match &*expr.kind {
            ExprKind::Column(parts) => self.column(parts).and_then(|column| column.origin),
            _ => None,
        };
        Traced { name: name.unwrap_or_else(|| "?column?".to_owned()), origin }
    }

    fn column(&self, parts: &[String]) -> Option<&Traced> {
        let (column, qualifier) = parts.split_last()?;
        let columns = match qualifier.last() {
            None => &self.all,
            Some(alias) => self.source(alias)?,
        };
        columns.iter().find(|traced| traced.name == *column)
    }
}

fn named(table: &Table, origins: Vec<Option<Origin>>) -> Vec<Traced> {
    let columns = table.columns.iter().zip(origins);
    columns.map(|(column, origin)| Traced { name: column.name.to_string(), origin }).collect()
}

fn renamed(mut columns: Vec<Traced>, names: &[String]) -> Vec<Traced> {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    columns
}

fn without_origin(columns: Vec<Traced>) -> Vec<Traced> {
    columns.into_iter().map(|column| Traced { origin: None, ..column }).collect()
}
