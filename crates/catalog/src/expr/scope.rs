//! What names mean at a place of an expression: the sources of each enclosing query, innermost last.

use std::collections::HashMap;

use sql::ast::{Alias, FromItem, ObjectName};
use types::Name;

use crate::Table;

/// System columns that every table has.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"];

/// Where tables are looked up.
pub(crate) trait Tables {
    /// The table that a name in a text means.
    fn find(&self, name: &ObjectName) -> Option<&Table>;
}

impl Tables for crate::Catalog {
    fn find(&self, name: &ObjectName) -> Option<&Table> {
        let name = Name::new(name.schema.as_deref()?, name.name.as_str());
        self.table(&name).map(|(_, table)| table)
    }
}

/// Nothing is known by name but what the scope says itself.
pub(crate) struct NoTables;

impl Tables for NoTables {
    fn find(&self, _: &ObjectName) -> Option<&Table> {
        None
    }
}

/// Something with columns.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What qualifies its columns.
    pub(crate) alias: String,
    /// The table, if it is one.
    pub(crate) table: Option<Name>,
    /// Names of its columns; `None` when they are not known.
    pub(crate) columns: Option<Vec<String>>,
    /// Whether the alias is the table's own name.
    pub(crate) is_own_name: bool,
    /// Whether it is the table that the whole expression belongs to.
    pub(crate) is_root: bool,
}

impl Source {
    /// The table that an expression belongs to.
    pub(crate) fn root(table: &Table) -> Source {
        Source { is_root: true, ..Source::aliased(table, &table.name.name) }
    }

    /// A table under an alias that is not its name, as `new` in a trigger's condition.
    pub(crate) fn aliased(table: &Table, alias: &str) -> Source {
        Source {
            alias: alias.to_owned(),
            table: Some(table.name.clone()),
            columns: Some(table.columns.iter().map(|column| column.name.to_string()).collect()),
            is_own_name: *alias == *table.name.name,
            is_root: false,
        }
    }

    /// Something whose columns are known by name only.
    pub(crate) fn named(alias: &str, columns: Option<Vec<String>>) -> Source {
        Source { alias: alias.to_owned(), table: None, columns, is_own_name: false, is_root: false }
    }

    fn has(&self, column: &str) -> bool {
        self.columns.as_ref().is_some_and(|columns| columns.iter().any(|name| name == column))
            || self.has_system(column)
    }

    fn has_system(&self, column: &str) -> bool {
        self.table.is_some() && SYSTEM_COLUMNS.contains(&column)
    }
}

/// What a column reference means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// A column of a table of the catalog.
    Column {
        /// The table.
        table: Name,
        /// The column.
        column: String,
        /// Which of the reference's parts is the column; the one before it, if any, is the qualifier.
        at: usize,
        /// Whether the table is the one that the whole expression belongs to.
        is_root: bool,
    },
    /// A column of something else, a whole row, or something that cannot be told.
    Other,
    /// No column of what is in scope.
    Nothing,
}

/// The sources and common table expressions in scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    levels: Vec<Vec<Source>>,
    ctes: HashMap<String, Option<Vec<String>>>,
}

impl Scope {
    /// A scope with these sources.
    pub(crate) fn of(sources: Vec<Source>) -> Scope {
        Scope { levels: vec![sources], ctes: HashMap::new() }
    }

    /// Opens the scope of a nested query.
    pub(crate) fn open(&mut self) {
        self.levels.push(Vec::new());
    }

    /// Closes it.
    pub(crate) fn close(&mut self) {
        self.levels.pop();
    }

    /// Adds a source to the innermost query.
    pub(crate) fn add(&mut self, source: Source) {
        if let Some(level) = self.levels.last_mut() {
            level.push(source);
        }
    }

    /// Adds a common table expression. Returns what its name meant before.
    pub(crate) fn add_cte(
        &mut self,
        name: &str,
        columns: Option<Vec<String>>,
    ) -> Option<Option<Vec<String>>> {
        self.ctes.insert(name.to_owned(), columns)
    }

    /// Gives a name back its meaning before a common table expression took it.
    pub(crate) fn restore_cte(&mut self, name: &str, before: Option<Option<Vec<String>>>) {
        match before {
            Some(columns) => self.ctes.insert(name.to_owned(), columns),
            None => self.ctes.remove(name),
        };
    }

    /// Whether a table name is that of a common table expression.
    pub(crate) fn cte(&self, name: &ObjectName) -> Option<&Option<Vec<String>>> {
        if name.schema.is_some() { None } else { self.ctes.get(&name.name) }
    }

    /// Columns of one of the innermost query's sources, in order; `None` when they are not known.
    pub(crate) fn star(&self, alias: &str) -> Option<Vec<String>> {
        self.levels.last()?.iter().find(|source| source.alias == alias)?.columns.clone()
    }

    /// What a column reference means.
    pub(crate) fn resolve(&self, parts: &[String]) -> Meaning {
        match parts {
            [column] => self.bare(column),
            [qualifier, column] => self.qualified(qualifier, column),
            [schema, table, column] => self.fully_qualified(schema, table, column),
            _ => Meaning::Other,
        }
    }

    fn bare(&self, column: &str) -> Meaning {
        for level in self.levels.iter().rev() {
            if let Some(source) = level.iter().find(|source| source.has(column)) {
                return source_column(source, column, 0);
            }
            if level.iter().any(|source| source.alias == column || source.columns.is_none()) {
                return Meaning::Other;
            }
        }
        Meaning::Nothing
    }

    fn qualified(&self, qualifier: &str, column: &str) -> Meaning {
        let sources = self.levels.iter().rev().flatten();
        let Some(source) = sources.into_iter().find(|source| source.alias == qualifier) else {
            // A composite column's field.
            return if self.bare(qualifier) == Meaning::Nothing { Meaning::Nothing } else { Meaning::Other };
        };
        match &source.columns {
            None => Meaning::Other,
            Some(_) if source.has(column) => source_column(source, column, 1),
            Some(_) => Meaning::Nothing,
        }
    }

    fn fully_qualified(&self, schema: &str, table: &str, column: &str) -> Meaning {
        let is_it = |source: &&Source| {
            source.is_own_name
                && source.table.as_ref().is_some_and(|name| &*name.schema == schema && &*name.name == table)
        };
        match self.levels.iter().rev().flatten().find(is_it) {
            Some(source) if source.has(column) => source_column(source, column, 2),
            _ => Meaning::Nothing,
        }
    }
}

fn source_column(source: &Source, column: &str, at: usize) -> Meaning {
    match &source.table {
        Some(table) if !source.has_system(column) => {
            Meaning::Column { table: table.clone(), column: column.to_owned(), at, is_root: source.is_root }
        }
        _ => Meaning::Other,
    }
}

/// The name by which an item's columns are qualified.
pub(crate) fn alias_of(item: &FromItem) -> Option<&str> {
    match item {
        FromItem::Table { name, alias, .. } => Some(alias.as_ref().map_or(&name.name, |alias| &alias.name)),
        FromItem::Subquery { alias, .. } => alias.as_ref().map(|alias| alias.name.as_str()),
        FromItem::Function { call, alias, .. } => {
            Some(alias.as_ref().map_or(&call.name.name, |alias| &alias.name))
        }
        FromItem::Functions { calls, alias, .. } => {
            let first = calls.first().map(|(call, _)| &call.name.name);
            alias.as_ref().map(|alias| &alias.name).or(first).map(String::as_str)
        }
        FromItem::Join { .. } => None,
    }
}

/// Column names with those of an alias in front.
pub(crate) fn relabeled(columns: Option<Vec<String>>, alias: Option<&Alias>) -> Option<Vec<String>> {
    let mut columns = columns?;
    for (column, name) in columns.iter_mut().zip(alias.iter().flat_map(|alias| &alias.columns)) {
        column.clone_from(name);
    }
    Some(columns)
}
