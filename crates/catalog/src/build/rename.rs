//! Other names for tables, columns, constraints, indexes, sequences, functions and types; stored expressions follow.

use std::sync::Arc;

use types::{Code, Error, Name, Result};

use super::{Builder, names};
use crate::expr::rename::{self, Rename};
use crate::expr::scope::Source;
use crate::{Catalog, TableId, TableKind};

impl Builder<'_> {
    /// A table or view under another name or in another schema; its indexes and owned sequences move with it.
    pub(super) fn rename_table(&mut self, id: TableId, schema: Option<&str>, to: &str) -> Result<()> {
        let from = self.catalog[id].name.clone();
        let schema = schema.map_or(Ok(from.schema.clone()), |schema| self.names().schema(schema))?;
        let to = Name::new(schema, names::truncated(to));
        if from == to {
            return Ok(());
        }
        if self.names().has_relation(&to) {
            return Err(Error::new(
                Code::DUPLICATE_TABLE,
                format!("relation \"{}\" already exists", to.name),
            ));
        }
        self.rewrite(&Rename::Table(from.clone(), to.clone()));
        self.each_type(&mut |ty| super::user_types::swap_composite(ty, &from, &to));
        self.table_mut(id).name = to.clone();
        self.renumber();
        self.follow_table(&from, &to);
        Ok(())
    }

    /// Foreign keys, sequences and publications that name a table.
    fn follow_table(&mut self, from: &Name, to: &Name) {
        for key in self.catalog.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.target == *from {
                key.target = to.clone();
            }
            for (partition, _) in key.parts.iter_mut().filter(|(partition, _)| partition == from) {
                *partition = to.clone();
            }
        }
        for partition in self.catalog.tables.iter_mut().filter_map(|table| table.partition.as_mut()) {
            if partition.of == *from {
                partition.of = to.clone();
            }
        }
        for table in self.catalog.publications.iter_mut().flat_map(|(_, tables)| tables).flatten() {
            if table == from {
                *table = to.clone();
            }
        }
        let mut moved = Vec::new();
        for sequence in self.catalog.sequences.values_mut() {
            if let Some((owner, _)) = sequence.owned_by.as_mut().filter(|(owner, _)| owner == from) {
                *owner = to.clone();
                moved.push(sequence.name.clone());
            }
        }
        for sequence in moved.into_iter().filter(|name| name.schema != to.schema) {
            let to = Name::new(to.schema.clone(), sequence.name.clone());
            self.set_sequence_name(&sequence, &to);
        }
    }

    /// A column of a table and of its partitions.
    pub(super) fn rename_column_of_all(&mut self, id: TableId, from: &str, to: &str) -> Result<()> {
        for partition in self.catalog.partitions(id) {
            self.rename_column_of_all(partition, from, to)?;
        }
        self.rename_column(id, from, to)
    }

    fn rename_column(&mut self, id: TableId, from: &str, to: &str) -> Result<()> {
        let to = names::truncated(to);
        let table = &self.catalog[id];
        let Some((column, _)) = table.column(from) else {
            return Err(Error::new(Code::UNDEFINED_COLUMN, format!("column \"{from}\" does not exist")));
        };
        if table.column(&to).is_some() {
            return Err(self.column_state(id, &to, "already exists", Code::DUPLICATE_COLUMN));
        }
        let (name, from) = (table.name.clone(), table[column].name.clone());
        self.rewrite(&Rename::Columns(name.clone(), vec![(from.clone(), to.clone())]));
        self.column_mut(id, column).name = to.clone();
        self.follow_column(&name, &from, &to);
        Ok(())
    }

    /// Foreign keys, sequences and triggers that name a column.
    fn follow_column(&mut self, table: &Name, from: &Arc<str>, to: &Arc<str>) {
        for key in self
            .catalog
            .tables
            .iter_mut()
            .flat_map(|table| &mut table.foreign_keys)
            .filter(|key| key.target == *table)
        {
            key.target_columns
                .iter_mut()
                .filter(|column| *column == from)
                .for_each(|column| *column = to.clone());
        }
        for (owner, column) in
            self.catalog.sequences.values_mut().filter_map(|sequence| sequence.owned_by.as_mut())
        {
            if owner == table && column == from {
                *column = to.clone();
            }
        }
        if let Ok(id) = self.id_of(table) {
            for trigger in &mut self.table_mut(id).triggers {
                super::triggers::rename_event_column(trigger, from, to);
            }
        }
    }

    /// Gives a constraint another name; it is known to exist and the name to be free.
    pub(super) fn set_constraint_name(&mut self, id: TableId, from: &str, to: &Arc<str>) {
        let table = self.table_mut(id);
        let keys = table.primary_key.iter_mut().chain(&mut table.uniques).map(|key| &mut key.name);
        let checks = table.checks.iter_mut().map(|check| &mut check.name);
        let references = table.foreign_keys.iter_mut().map(|key| &mut key.name);
        let exclusions = table.indexes.iter_mut().filter(|index| index.is_exclusion());
        let references = references.chain(exclusions.map(|index| &mut index.name));
        for name in keys.chain(checks).chain(references).filter(|name| ***name == *from) {
            *name = to.clone();
        }
        table.checks.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Gives a sequence another name; it is known to be free.
    pub(super) fn set_sequence_name(&mut self, from: &Name, to: &Name) {
        let Some(mut sequence) = self.catalog.sequences.remove(from) else { return };
        sequence.name = to.clone();
        self.catalog.sequences.insert(to.clone(), sequence);
        if let Some(origin) = self.catalog.history.sequence_origins.remove(from) {
            self.catalog.history.sequence_origins.insert(to.clone(), origin);
        }
        self.rewrite(&Rename::Sequence(from.clone(), to.clone()));
        for column in self.catalog.tables.iter_mut().flat_map(|table| &mut table.columns) {
            if let Some(crate::DefaultValue::Identity { sequence, .. }) = column.default.as_mut()
                && sequence == from
            {
                *sequence = to.clone();
            }
        }
    }

    /// Rewrites every stored expression and query for a rename that is about to happen.
    pub(super) fn rewrite(&mut self, what: &Rename) {
        let before: &Catalog = &self.shared();
        for table in &mut self.catalog.tables {
            rename::own_expressions(table, before, what);
            if let TableKind::View { query, .. } = &mut table.kind {
                *query = Arc::new(what.query(before, query));
            }
        }
        for ((origin, _), using) in &mut self.catalog.history.conversions {
            let table = before.tables.iter().find(|table| table.origin == *origin);
            let sources = table.map(Source::root).into_iter().collect();
            *using = Arc::new(what.expr(before, sources, using));
        }
        let arguments = self.catalog.functions.iter_mut().flat_map(|function| &mut function.arguments);
        for default in arguments.filter_map(|argument| argument.default.as_mut()) {
            *default = Arc::new(what.expr(before, Vec::new(), default));
        }
        for domain in self.catalog.domains.values_mut() {
            let checks = domain.checks.iter_mut().map(|check| &mut check.expr);
            for expr in checks.chain(&mut domain.default) {
                *expr = Arc::new(what.expr(before, Vec::new(), expr));
            }
        }
    }
}
