//! `where current of`: the row at which a cursor stands is found by its primary key, which the cursor's query says besides.

use std::sync::Arc;

use catalog::{Table, TableId};
use sql::ast::{
    Distinct, Expr, ExprKind, FromItem, ObjectName, Query, QueryBody, Select, StatementKind, Target,
};
use sql::body::Into;
use types::{Error, Name, Result, Span, Type, Value};

use super::Frame;
use crate::environment::Variable;

/// Rows of a table that a cursor's query goes over.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    table: TableId,
    /// The columns of its key with their types, which stand behind what the query says.
    key: Vec<(Arc<str>, Type)>,
}

/// What is known of the tables under a cursor.
#[derive(Clone, Debug, Default)]
pub(super) struct Following {
    /// Those whose rows are found again.
    tables: Vec<Followed>,
    /// Whether the query locks their rows.
    locks: bool,
    /// Why none is.
    missing: Option<&'static str>,
}

impl Following {
    /// Nothing, and why.
    pub(super) fn of_nothing(missing: &'static str) -> Following {
        Following { missing: Some(missing), ..Following::default() }
    }

    /// A table, and how many columns stand before its key.
    fn of(&self, table: TableId) -> Option<(&Followed, usize)> {
        let at = self.tables.iter().position(|followed| followed.table == table)?;
        let before = self.tables.iter().take(at).map(|followed| followed.key.len()).sum();
        self.tables.get(at).map(|followed| (followed, before))
    }

    /// The error of a statement about a table that is none of them.
    fn refusal(&self, portal: &str, table: &str) -> Error {
        let what = match (self.missing, self.locks) {
            (Some(why), _) => return Error::missing(format!("WHERE CURRENT OF {why}")),
            (None, true) => "does not have a FOR UPDATE/SHARE reference to",
            (None, false) => "is not a simply updatable scan of",
        };
        Error::raised("24000", format!("cursor \"{portal}\" {what} table \"{table}\""))
    }

    /// How many columns stand behind what the query says.
    pub(super) fn width(&self) -> usize {
        self.tables.iter().map(|followed| followed.key.len()).sum()
    }
}

impl Frame<'_> {
    /// A cursor's query that says the keys of its rows, too, if a statement of the body asks for them.
    pub(super) fn followed(&self, query: &Query) -> (Query, Following) {
        let mut whole = query.clone();
        let following = match self.program.names_current() {
            false => Following::of_nothing("a cursor of another function"),
            true => self.following(query),
        };
        if let QueryBody::Select(select) = &mut whole.body
            && !following.tables.is_empty()
        {
            let mut items = Vec::new();
            select.from.iter().for_each(|item| tables(item, &mut items));
            let keyed = items.into_iter().filter_map(|(name, alias)| {
                let table = self.table(name)?;
                let followed = following.tables.iter().find(|followed| followed.table == table)?;
                let alias = alias.unwrap_or(&name.name).to_owned();
                Some(followed.key.iter().map(move |(column, _)| key_target(&alias, column)))
            });
            let keys: Vec<Target> = keyed.flatten().collect();
            select.targets.extend(keys);
        }
        (whole, following)
    }

    fn following(&self, query: &Query) -> Following {
        let QueryBody::Select(select) = &query.body else { return Following::of_nothing(NOT_PLAIN) };
        let is_locked = !query.locking.is_empty();
        let mut items = Vec::new();
        select.from.iter().for_each(|item| tables(item, &mut items));
        let is_plain = query.with.is_none() && is_plain(select) && (is_locked || is_scan(query, select));
        if !is_plain {
            return Following::of_nothing(NOT_PLAIN);
        }
        let locked = locked(query);
        let is_wanted = |(name, alias): &(&ObjectName, Option<&str>)| {
            let known = alias.unwrap_or(&name.name);
            locked.is_empty() || locked.iter().any(|name| name == known)
        };
        let catalog = &self.host.model().catalog;
        let mut found: Vec<Followed> = Vec::new();
        for (name, _) in items.into_iter().filter(is_wanted) {
            let Some(table) = self.table(name) else { return Following::of_nothing(NOT_PLAIN) };
            let Some(key) = key(&catalog[table]) else { return Following::of_nothing(NO_KEY) };
            if found.iter().any(|followed| followed.table == table) {
                return Following::of_nothing("a cursor over a table twice");
            }
            found.push(Followed { table, key });
        }
        Following { tables: found, locks: is_locked, missing: None }
    }

    fn table(&self, name: &ObjectName) -> Option<TableId> {
        let catalog = &self.host.model().catalog;
        let known = |schema: &str| catalog.table(&Name::new(schema, name.name.as_str())).map(|(id, _)| id);
        let found = match &name.schema {
            Some(schema) => known(schema),
            None => self.host.path().iter().find_map(|schema| known(schema)),
        };
        found.filter(|id| catalog[*id].is_stored())
    }

    /// A statement about the row at which a cursor stands.
    pub(super) async fn at_current(
        &mut self,
        statement: &StatementKind,
        cursor: &str,
        into: Option<&Into>,
    ) -> Result<()> {
        let error = |error| self.program.told.run(&self.said_here(into), error);
        let values = self.current(statement, cursor).map_err(error)?;
        let names = (0..values.len()).map(variable).collect::<Vec<_>>();
        let keyed = self.program.rewritten(statement, || with_key(statement, &values));
        self.environment.enter(None);
        for (name, (_, ty, value)) in names.into_iter().zip(values) {
            self.environment.declare(Variable::scalar(name, ty, value));
        }
        let outcome = self.statement_of_rows(&keyed, into).await;
        self.environment.leave();
        outcome
    }

    /// The key of the row at which a cursor stands.
    fn current(&self, statement: &StatementKind, cursor: &str) -> Result<Vec<(Arc<str>, Type, Value)>> {
        let Some((name, columns)) = changed(statement) else {
            return Err(Error::internal("a statement about a cursor's row that changes none"));
        };
        let portal = self.portal(cursor)?;
        let missing = || Error::raised("34000", format!("cursor \"{portal}\" does not exist"));
        let open = self.cursors.get(&portal).ok_or_else(missing)?;
        let table = self.table(name);
        let table = table.ok_or_else(|| Error::missing("WHERE CURRENT OF on anything but a table"))?;
        let found = open.following.of(table);
        let (followed, from) = found.ok_or_else(|| open.following.refusal(&portal, &name.name))?;
        if followed.key.iter().any(|(key, _)| columns.iter().any(|column| **column == **key)) {
            return Err(Error::missing("WHERE CURRENT OF in an update of the primary key"));
        }
        let row = open.hidden().ok_or_else(|| {
            Error::raised("24000", format!("cursor \"{portal}\" is not positioned on a row"))
        })?;
        let key = followed.key.iter().zip(row.iter().skip(from));
        Ok(key.map(|((column, ty), value)| (column.clone(), ty.clone(), value.clone())).collect())
    }

    /// The name of the open cursor that a variable holds, or that is named itself.
    fn portal(&self, cursor: &str) -> Result<String> {
        let variable = self.environment.find(&[cursor.to_owned()]);
        match variable.map(|found| self.environment.get(found.slot)).transpose()? {
            Some(_) => self.cursor_name(cursor),
            None => Ok(cursor.to_owned()),
        }
    }
}

/// Why no row is found again.
const NOT_PLAIN: &str = "a cursor over anything but rows of a table in no order, or rows that it locks";
const NO_KEY: &str = "a cursor over a table without a primary key";

/// Whether each row of a select is a row of each of its tables.
fn is_plain(select: &Select) -> bool {
    select.distinct == Distinct::No
        && select.group_by.is_empty()
        && select.having.is_none()
        && select.windows.is_empty()
        && select.from.iter().all(is_of_tables)
}

/// Whether PostgreSQL certainly goes over the only table itself.
fn is_scan(query: &Query, select: &Select) -> bool {
    let computes = |target: &Target| {
        !matches!(*target.expr.kind, ExprKind::Column(_) | ExprKind::Star(_) | ExprKind::Literal(_))
    };
    let asks = |filter: &Expr| crate::asks::asks(filter);
    matches!(&select.from[..], [FromItem::Table { .. }])
        && query.order_by.is_empty()
        && !select.targets.iter().any(computes)
        && !select.filter.as_ref().is_some_and(asks)
}

fn is_of_tables(item: &FromItem) -> bool {
    match item {
        FromItem::Table { .. } => true,
        FromItem::Join {
            kind: sql::ast::JoinKind::Inner | sql::ast::JoinKind::Cross, left, right, ..
        } => is_of_tables(left) && is_of_tables(right),
        FromItem::Join { .. }
        | FromItem::Subquery { .. }
        | FromItem::Function { .. }
        | FromItem::Functions { .. } => false,
    }
}

/// The tables of an item, with their aliases.
fn tables<'i>(item: &'i FromItem, found: &mut Vec<(&'i ObjectName, Option<&'i str>)>) {
    match item {
        FromItem::Table { name, alias, .. } => {
            found.push((name, alias.as_ref().map(|alias| alias.name.as_str())));
        }
        FromItem::Join { left, right, .. } => {
            tables(left, found);
            tables(right, found);
        }
        FromItem::Subquery { .. } | FromItem::Function { .. } | FromItem::Functions { .. } => {}
    }
}

/// The names behind `of` of what a query locks; none where it locks all.
fn locked(query: &Query) -> Vec<String> {
    let named = query.locking.iter().filter_map(|clause| clause.split_once(" of ")).map(|(_, names)| names);
    let words = named.flat_map(|names| names.split([',', ' ']));
    words
        .filter(|word| !word.is_empty() && !["nowait", "skip", "locked"].contains(word))
        .map(|word| word.trim_matches('"').to_owned())
        .collect()
}

fn key(table: &Table) -> Option<Vec<(Arc<str>, Type)>> {
    let key = table.primary_key.as_ref()?;
    let column = |id: &catalog::ColumnId| (table[*id].name.clone(), table[*id].ty.clone());
    Some(key.columns.iter().map(column).collect())
}

/// The table that a statement changes, and the columns that it sets.
fn changed(statement: &StatementKind) -> Option<(&ObjectName, Vec<&str>)> {
    match statement {
        StatementKind::Update(update) => {
            let columns = update.set.iter().flat_map(|assignment| &assignment.columns);
            Some((&update.table, columns.map(String::as_str).collect()))
        }
        StatementKind::Delete(delete) => Some((&delete.table, Vec::new())),
        _ => None,
    }
}

/// The cursor whose row a statement is about.
pub(super) fn cursor_of(statement: &StatementKind) -> Option<&str> {
    match statement {
        StatementKind::Update(update) => update.current_of.as_deref(),
        StatementKind::Delete(delete) => delete.current_of.as_deref(),
        _ => None,
    }
}

/// The statement about the row of a key, whose values are variables.
fn with_key(statement: &StatementKind, key: &[(Arc<str>, Type, Value)]) -> StatementKind {
    let mut keyed = statement.clone();
    let (table, alias, filter, current) = match &mut keyed {
        StatementKind::Update(update) => {
            (&update.table, &update.alias, &mut update.filter, &mut update.current_of)
        }
        StatementKind::Delete(delete) => {
            (&delete.table, &delete.alias, &mut delete.filter, &mut delete.current_of)
        }
        _ => return keyed,
    };
    let alias = alias.as_ref().unwrap_or(&table.name);
    let equal = |(at, (column, ..)): (usize, &(Arc<str>, Type, Value))| {
        let kind = ExprKind::Binary {
            op: "=".to_owned(),
            left: named(&[alias, column]),
            right: named(&[&variable(at)]),
        };
        Expr { kind: Box::new(kind), span: Span::default() }
    };
    let all = key.iter().enumerate().map(equal).collect();
    *filter = Some(Expr { kind: Box::new(ExprKind::And(all)), span: Span::default() });
    *current = None;
    keyed
}

/// The same where nothing runs.
pub(super) fn without_cursor(statement: &StatementKind) -> StatementKind {
    with_key(statement, &[])
}

/// A name that nobody writes.
fn variable(at: usize) -> String {
    format!("current of {at}")
}

fn named(parts: &[&str]) -> Expr {
    let parts = parts.iter().map(|part| (*part).to_owned()).collect();
    Expr { kind: Box::new(ExprKind::Column(parts)), span: Span::default() }
}

fn key_target(alias: &str, column: &str) -> Target {
    Target { expr: named(&[alias, column]), alias: None }
}
