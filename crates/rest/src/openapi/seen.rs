//! What one caller may touch of one schema.

use std::collections::HashSet;
use std::sync::Arc;

use catalog::{Argument, Cardinality, Column, ColumnId, Function, Privilege, Relationship, Table, TableId};
use query::Model;
use types::{Name, Type};

use super::Settings;
use crate::options::{Writable, origin, writable};

/// What is described, by name.
pub(super) struct Seen<'a> {
    pub(super) tables: Vec<SeenTable<'a>>,
    pub(super) functions: Vec<&'a Function>,
}

/// A table or view of which something may be touched.
pub(super) struct SeenTable<'a> {
    model: &'a Model,
    roles: Arc<[Arc<str>]>,
    id: TableId,
    pub(super) table: &'a Table,
    pub(super) name: &'a str,
    key: Vec<ColumnId>,
    pub(super) readable: bool,
    pub(super) writable: Writable,
}

impl<'a> Seen<'a> {
    pub(super) fn of(model: &'a Model, role: &str, schema: &str, settings: &Settings<'_>) -> Seen<'a> {
        let catalog = &model.catalog;
        // What somebody may do, all roles may do together.
        let roles: Arc<[Arc<str>]> = match settings.describes_all {
            true => catalog.roles.iter().map(|role| role.name.clone()).collect(),
            false => catalog.memberships(role).into(),
        };
        if !catalog.allows_schema(&roles, schema) {
            return Seen { tables: Vec::new(), functions: Vec::new() };
        }
        let is_here = |table: &Table| *table.name.schema == *schema && table.partition.is_none();
        let ids = catalog.ids().filter(|&id| is_here(&catalog[id]));
        let mut tables: Vec<_> = ids.filter_map(|id| SeenTable::of(model, &roles, id)).collect();
        tables.sort_by_key(|table| table.name);
        Seen { tables, functions: functions(model, &roles, schema) }
    }
}

impl<'a> Seen<'a> {
    /// The table of this name, where its rows may be read.
    pub(super) fn readable(&self, name: &Name) -> Option<&'a str> {
        let found = self.tables.iter().find(|table| table.readable && table.table.name == *name);
        found.map(|table| table.name)
    }
}

impl<'a> SeenTable<'a> {
    fn of(model: &'a Model, roles: &Arc<[Arc<str>]>, id: TableId) -> Option<SeenTable<'a>> {
        let table = &model.catalog[id];
        let may = |privilege| model.catalog.allows_some(roles, id, privilege);
        let takes = writable(model, id);
        let writable = Writable {
            insert: takes.insert && may(Privilege::Insert),
            update: takes.update && may(Privilege::Update),
            delete: takes.delete && may(Privilege::Delete),
        };
        let readable = may(Privilege::Select);
        let (roles, name, key) = (roles.clone(), &*table.name.name, origin::key(model, id));
        let found = SeenTable { model, roles, id, table, name, key, readable, writable };
        (readable || writable != Writable::default()).then_some(found)
    }

    fn sees(&self, table: TableId, column: ColumnId) -> bool {
        let touching = [Privilege::Select, Privilege::Insert, Privilege::Update];
        let catalog = &self.model.catalog;
        touching.into_iter().any(|privilege| catalog.allows_column(&self.roles, table, privilege, column))
    }

    /// The columns that may be read or written.
    pub(super) fn columns(&self) -> impl Iterator<Item = (ColumnId, &'a Column)> {
        let table = self.table;
        table.column_ids().filter(|&id| self.sees(self.id, id)).map(move |id| (id, &table[id]))
    }

    /// The columns on which the caller has a privilege.
    pub(super) fn columns_for(&self, privilege: Privilege) -> impl Iterator<Item = (ColumnId, &'a Column)> {
        let table = self.table;
        let allows =
            move |id: &ColumnId| self.model.catalog.allows_column(&self.roles, self.id, privilege, *id);
        table.column_ids().filter(allows).map(move |id| (id, &table[id]))
    }

    /// The relationships of which the caller may read every column on both sides, with the tables that they lead to.
    pub(super) fn relationships<'s>(
        &'s self,
        seen: &'s Seen<'a>,
    ) -> impl Iterator<Item = (&'a Relationship, &'a str)> + 's {
        let edges = self.model.catalog.relationships_of(self.id).iter();
        edges.filter_map(move |edge| {
            let target = seen.tables.iter().find(|table| table.id == edge.to && table.readable)?;
            let reads = |table, columns: &[ColumnId]| {
                columns.iter().all(|column| {
                    self.model.catalog.allows_column(&self.roles, table, Privilege::Select, *column)
                })
            };
            let through = edge.through.as_ref().is_none_or(|through| {
                reads(through.table, &through.from_columns) && reads(through.table, &through.to_columns)
            });
            let is_seen = reads(self.id, &edge.from_columns) && reads(edge.to, &edge.to_columns) && through;
            is_seen.then_some((edge, target.name))
        })
    }

    /// Whether a column is part of the primary key.
    pub(super) fn is_key(&self, column: ColumnId) -> bool {
        self.key.contains(&column)
    }

    /// The table and column that a column refers to by itself, if they may be known.
    pub(super) fn target(&self, column: ColumnId) -> Option<(&'a str, &'a str)> {
        let catalog = &self.model.catalog;
        if let Some(shown) = self.shown_target(column) {
            return Some(shown);
        }
        let (stored, column) = origin::stored(self.model, self.id, column)?;
        let alone = catalog[stored].foreign_keys.iter().filter(|key| key.columns == [column]);
        let key = alone.min_by_key(|key| &key.name)?;
        let (id, target) = catalog.table(&key.target)?;
        let (column, declared) = target.column(key.target_columns.first()?)?;
        self.sees(id, column).then_some((&*target.name.name, &*declared.name))
    }

    /// What a view's column refers to: another view, where what it shows is not of the schema.
    fn shown_target(&self, column: ColumnId) -> Option<(&'a str, &'a str)> {
        let catalog = &self.model.catalog;
        let edges = catalog.relationships_of(self.id).iter().filter(|_| self.table.is_view());
        let mut alone = edges.filter(|edge| {
            edge.through.is_none()
                && matches!(edge.cardinality, Cardinality::ManyToOne | Cardinality::OneToOne)
                && edge.from_columns == [column]
                && catalog[edge.to].name.schema == self.table.name.schema
        });
        let edge = alone.next()?;
        let target = edge.to_columns.first()?;
        let table = &catalog[edge.to];
        self.sees(edge.to, *target).then_some((&*table.name.name, &*table[*target].name))
    }
}

/// Of overloads the first: a path describes one function.
fn functions<'a>(model: &'a Model, roles: &[Arc<str>], schema: &str) -> Vec<&'a Function> {
    let catalog = &model.catalog;
    let callable = catalog.functions.iter().filter(|function| {
        *function.name.schema == *schema
            && !function.procedure
            && is_callable(function)
            && catalog.allows_function(roles, function)
    });
    let mut names = HashSet::new();
    let mut found: Vec<&Function> = callable.filter(|function| names.insert(&function.name.name)).collect();
    found.sort_by_key(|function| &function.name.name);
    found
}

/// Arguments are passed by name, or as the whole body to the only one.
fn is_callable(function: &Function) -> bool {
    let arguments: Vec<&Argument> =
        function.arguments.iter().filter(|argument| argument.is_input()).collect();
    let takes_body = |ty: &Type| matches!(ty, Type::Json | Type::Jsonb | Type::Text | Type::Bytea);
    let named = match arguments[..] {
        [only] => only.name.is_some() || takes_body(&only.ty),
        _ => arguments.iter().all(|argument| argument.name.is_some()),
    };
    named && !function.returns_trigger
}
