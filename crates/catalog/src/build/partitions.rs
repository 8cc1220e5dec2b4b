//! `partition by`, `partition of`, `attach partition`, `detach partition`.
//!
//! What a partition has from its table (columns, keys, indexes) is made anew after each statement, so that no statement about the
//! table has to think of its partitions.

use std::sync::Arc;

use sql::ast::{
    self, CreateTable, Expr, ExprKind, Literal, ObjectName, PartitionBound, PartitionBy, PartitionOf,
};
use types::session::Session;
use types::ty::format_type;
use types::{Code, Error, Name, Result, Type, Value, cast, text};

use super::indexes::plain_column;
use super::resolve::written;
use super::{Builder, Outcome, names};
use crate::expr::scope::Source;
use crate::expr::{bind, figure};
use crate::partition::{Bound, Datum, End, Partition, PartitionKey, Partitioning, Strategy, ends_text};
use crate::{
    Catalog, ColumnId, DefaultValue, ForeignKey, Generated, ReferentialAction, Table, TableId, TableKind,
};

#[cfg(test)]
mod tests;

/// Largest modulus of a hash partition: a positive `integer`.
const MODULUS_MAX: i64 = i32::MAX as i64;

/// Another day and hour than the first: microseconds since 2000-01-01 UTC.
const ANOTHER_TIME: i64 = 400 * 86_400_000_000 + 3_723_000_001;

impl Builder<'_> {
    /// What decides where the rows of a table belong.
    pub(super) fn declare_partitioning(&mut self, id: TableId, by: &PartitionBy) -> Result<()> {
        let strategy = strategy(&by.strategy)?;
        if strategy == Strategy::List && by.keys.len() > 1 {
            let message = "cannot use \"list\" partition strategy with more than one column";
            return Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message));
        }
        let keys = by.keys.iter().map(|key| self.partition_key(id, key)).collect::<Result<Vec<_>>>()?;
        if strategy == Strategy::Hash
            && let Some(key) = keys.iter().find(|key| !is_hashed(&key.ty))
        {
            return Err(Error::missing(format!(
                "partitioning by the hash of type {}",
                format_type(&key.ty, None)
            )));
        }
        self.table_mut(id).partitioning = Some(Partitioning { strategy, keys });
        // References are declared at the root.
        self.refuse_keys_without_partition_keys(self.catalog.kept_in(id))
    }

    fn partition_key(&self, id: TableId, key: &ast::IndexKey) -> Result<PartitionKey> {
        let table = &self.catalog[id];
        if let Some(opclass) = &key.opclass {
            return Err(Error::missing(format!("operator class {} of a partition key", written(opclass))));
        }
        if let ExprKind::Column(parts) = &*key.expr.kind
            && let [name] = &parts[..]
            && table.column(name).is_none()
        {
            let message = format!("column \"{name}\" named in partition key does not exist");
            return Err(Error::new(Code::UNDEFINED_COLUMN, message));
        }
        if let Some(collation) = &key.collation
            && !matches!(&*collation.name, "C" | "POSIX" | "default" | "ucs_basic" | "C.utf8" | "C.UTF-8")
        {
            return Err(Error::missing(format!("collation {} of a partition key", written(collation))));
        }
        let bound = bind::expr(&self.names(), vec![Source::root(table)], &key.expr)?;
        let Some(column) = plain_column(table, &bound) else {
            return Err(Error::missing(format!("an expression as partition key of {}", table.name)));
        };
        if table[column].generated() == Generated::Stored {
            let error =
                Error::new(Code::INVALID_OBJECT_DEFINITION, "cannot use generated column in partition key");
            return Err(
                error.with_details(format!("Column \"{}\" is a generated column.", table[column].name))
            );
        }
        let ty = table[column].ty.clone();
        if matches!(ty, Type::Json) {
            let message = format!(
                "data type {} has no default operator class for access method \"btree\"",
                format_type(&ty, None)
            );
            return Err(Error::new(Code::UNDEFINED_OBJECT, message).with_hint(
                "You must specify a btree operator class or define a default btree operator class for the data type.",
            ));
        }
        Ok(PartitionKey { expr: Arc::new(bound), ty })
    }

    /// `create table … partition of …`
    pub(super) fn create_partition(
        &mut self,
        name: Name,
        create: &CreateTable,
        of: &PartitionOf,
    ) -> Result<Outcome> {
        let parent = self.table(&of.table)?;
        if !create.columns.is_empty() || !create.constraints.is_empty() {
            return Err(Error::missing(format!("columns and constraints of partition {name} alone")));
        }
        if create.temporary {
            return Err(Error::missing(format!("temporary partition {name}")));
        }
        let bound = self.bound(parent, &name, &of.bound)?;
        let of = self.catalog[parent].name.clone();
        let partition = Partition { of, bound, keys: Vec::new() };
        let table = Table { partition: Some(partition), ..self.new_table(name, TableKind::Table) };
        let id = self.add_table(table);
        self.follow_partitions();
        let made = create.partition_by.as_ref().map_or(Ok(()), |by| self.declare_partitioning(id, by));
        made.inspect_err(|_| self.forget_table(id))?;
        Ok(Outcome::Applied)
    }

    /// `attach partition`
    pub(super) fn attach_partition(&mut self, parent: TableId, of: &PartitionOf) -> Result<()> {
        let child = self.table(&of.table)?;
        let (table, declared) = (&self.catalog[child], &self.catalog[parent]);
        if table.partition.is_some() {
            let message = format!("\"{}\" is already a partition", table.name.name);
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        if table.is_view() {
            let message = format!("\"{}\" is not a table", table.name.name);
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        fits(table, declared)?;
        let is_referenced = self.catalog.tables.iter().flat_map(|other| &other.foreign_keys);
        let is_referenced = is_referenced.into_iter().any(|key| key.target == table.name);
        let has_own = !table.checks.is_empty()
            || !table.foreign_keys.is_empty()
            || !table.triggers.is_empty()
            || !table.rules.is_empty()
            || table.indexes.iter().any(|index| index.unique || index.is_exclusion())
            || is_referenced;
        if has_own {
            return Err(Error::missing(format!(
                "attaching partition {}, which has constraints, references or triggers of its own, to {}",
                table.name, declared.name
            )));
        }
        if let Some(check) = self.catalog[self.catalog.kept_in(parent)].checks.first() {
            let message = format!("child table is missing constraint \"{}\"", check.name);
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        let keys = own_keys(table, declared).ok_or_else(|| {
            Error::missing(format!(
                "attaching partition {}, which has keys of its own, to {}",
                table.name, declared.name
            ))
        })?;
        let bound = self.bound(parent, &table.name.clone(), &of.bound)?;
        let of = self.catalog[parent].name.clone();
        self.table_mut(child).partition = Some(Partition { of, bound, keys });
        let root = self.catalog.kept_in(parent);
        self.refuse_keys_without_partition_keys(root).inspect_err(|_| {
            self.catalog.tables[child.0 as usize].partition = None;
        })
    }

    /// `detach partition`: it keeps what it has from its table.
    pub(super) fn detach_partition(&mut self, parent: TableId, name: &ObjectName) -> Result<()> {
        let child = self.table(name)?;
        let declared = self.catalog[parent].clone();
        // What holds of all rows is declared at the root alone.
        let root = self.catalog[self.catalog.kept_in(parent)].clone();
        let table = &self.catalog[child];
        if table.partition.as_ref().is_none_or(|own| own.of != declared.name) {
            let message = format!(
                "relation \"{}\" is not a partition of relation \"{}\"",
                table.name.name, declared.name.name
            );
            return Err(Error::new(Code::UNDEFINED_TABLE, message));
        }
        if self.catalog.tables.iter().flat_map(|other| &other.foreign_keys).any(|key| key.target == root.name)
        {
            return Err(Error::missing(format!(
                "detaching partition {} of {}, which other tables reference",
                table.name, root.name
            )));
        }
        let table = self.table_mut(child);
        table.partition = None;
        (table.checks, table.foreign_keys) = (root.checks, root.foreign_keys);
        Ok(())
    }

    /// What a statement may not do to a partition, or to the columns that decide.
    pub(super) fn refuse_on_partition(&self, id: TableId, action: &ast::AlterTableAction) -> Result<()> {
        use ast::AlterTableAction as Action;
        let table = &self.catalog[id];
        self.refuse_on_key(table, action)?;
        if table.partition.is_none() {
            return Ok(());
        }
        let inherited = |verb: &str, name: &str| {
            let message = format!("cannot {verb} inherited column \"{name}\"");
            Err(Error::new(Code::INVALID_TABLE_DEFINITION, message))
        };
        let what = match action {
            Action::RenameTo(_)
            | Action::SetSchema(_)
            | Action::OwnerTo(_)
            | Action::RowSecurity(_)
            | Action::ForceRowSecurity(_)
            | Action::ColumnOption(_)
            | Action::ReplicaIdentity(_)
            | Action::SetOptions(_)
            | Action::AttachPartition(_)
            | Action::DetachPartition(_) => return Ok(()),
            Action::AddColumn { .. } => {
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, "cannot add column to a partition"));
            }
            Action::DropColumn { name, .. } => return inherited("drop", name),
            Action::RenameColumn { from, .. } => return inherited("rename", from),
            Action::ColumnType { name, .. } => return inherited("alter", name),
            Action::AddConstraint(_)
            | Action::DropConstraint { .. }
            | Action::ValidateConstraint(_)
            | Action::RenameConstraint { .. } => "a constraint of partition",
            Action::ColumnDefault { .. }
            | Action::ColumnNotNull { .. }
            | Action::AddIdentity { .. }
            | Action::SetIdentity { .. }
            | Action::DropIdentity { .. }
            | Action::DropExpression { .. } => "columns of partition",
            Action::Trigger { .. } => "triggers of partition",
            Action::Other(words) => {
                return Err(Error::missing(format!("alter table {} {words}", table.name)));
            }
        };
        Err(Error::missing(format!("{what} {} alone", table.name)))
    }

    /// Columns that decide where a row belongs stay as they are.
    fn refuse_on_key(&self, table: &Table, action: &ast::AlterTableAction) -> Result<()> {
        use ast::AlterTableAction as Action;
        let (verb, name) = match action {
            Action::DropColumn { name, .. } => ("drop", name),
            Action::ColumnType { name, .. } => ("alter", name),
            _ => return Ok(()),
        };
        let Some((column, _)) = table.column(name) else { return Ok(()) };
        let is_key = |table: &Table| {
            let keys = table.partitioning.iter().flat_map(|partitioning| &partitioning.keys);
            keys.into_iter().any(|key| plain_column(table, &key.expr) == Some(column))
        };
        // Partitions have the same columns in the same order.
        let Some((id, _)) = self.catalog.table(&table.name) else { return Ok(()) };
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            if is_key(&self.catalog[next]) {
                let of = &self.catalog[next].name.name;
                let message = format!(
                    "cannot {verb} column \"{name}\" because it is part of the partition key of relation \"{of}\""
                );
                return Err(Error::new(Code::INVALID_TABLE_DEFINITION, message));
            }
            open.extend(self.catalog.partitions(next));
        }
        Ok(())
    }

    /// Refuses unique keys that do not hold across partitions, and references whose keys would move rows between them.
    pub(super) fn refuse_keys_without_partition_keys(&self, id: TableId) -> Result<()> {
        let table = &self.catalog[id];
        let primary = table.primary_key.iter().map(|key| ("PRIMARY KEY", key.columns.clone()));
        let uniques = table.uniques.iter().map(|key| ("UNIQUE", key.columns.clone()));
        let indexes = table.indexes.iter().filter(|index| index.unique);
        let indexes =
            indexes.map(|index| ("UNIQUE", index.keys.iter().filter_map(|key| key.column).collect()));
        let keys: Vec<(&str, Vec<ColumnId>)> = primary.chain(uniques).chain(indexes).collect();
        for partitioned in std::iter::once(id).chain(self.below(id)) {
            let of = &self.catalog[partitioned];
            // Partitions have the same columns in the same order.
            let decides = of.partitioning.iter().flat_map(|partitioning| &partitioning.keys);
            for column in decides.filter_map(|key| plain_column(of, &key.expr)) {
                for (kind, columns) in &keys {
                    refuse_without(of, (kind, columns), column)?;
                }
                refuse_carried(table, column)?;
            }
        }
        if table.partitioning.is_some() && table.indexes.iter().any(|index| index.is_exclusion()) {
            return Err(Error::missing(format!(
                "an exclusion constraint of partitioned table {}",
                table.name
            )));
        }
        Ok(())
    }

    /// Gives partitions what they have from their tables.
    pub(super) fn follow_partitions(&mut self) {
        if self.catalog.tables.iter().all(|table| table.partition.is_none()) {
            return;
        }
        let is_root =
            |id: &TableId| self.catalog[*id].partitioning.is_some() && self.catalog[*id].partition.is_none();
        let mut open: Vec<TableId> = self.catalog.ids().filter(is_root).collect();
        while let Some(parent) = open.pop() {
            for child in self.catalog.partitions(parent) {
                self.follow(parent, child);
                open.push(child);
            }
        }
        for id in self.catalog.ids() {
            for at in 0..self.catalog[id].foreign_keys.len() {
                self.follow_references(id, at);
            }
        }
    }

    /// Gives a foreign key to a partitioned table its names for partitions.
    fn follow_references(&mut self, id: TableId, at: usize) {
        let key = &self.catalog[id].foreign_keys[at];
        let Some((target, _)) = self.catalog.table(&key.target) else { return };
        let partitions = self.below(target).into_iter().map(|id| self.catalog[id].name.clone());
        let partitions: Vec<Name> = partitions.collect();
        let names: Vec<&Name> = key.parts.iter().map(|(partition, _)| partition).collect();
        if partitions.len() == names.len() && partitions.iter().all(|partition| names.contains(&partition)) {
            return;
        }
        let mut parts: Vec<(Name, Arc<str>)> = key.parts.clone();
        parts.retain(|(partition, _)| partitions.contains(partition));
        for partition in partitions {
            if parts.iter().all(|(known, _)| *known != partition) {
                let name = self.reference_name(id, at, &parts);
                parts.push((partition, name));
            }
        }
        self.table_mut(id).foreign_keys[at].parts = parts;
    }

    fn reference_name(&self, id: TableId, at: usize, parts: &[(Name, Arc<str>)]) -> Arc<str> {
        let table = &self.catalog[id];
        let columns = table.foreign_keys[at].columns.iter().map(|column| &*table[*column].name);
        let columns = names::columns_part(columns);
        let taken = |name: &str| {
            let is_it = |(_, known): &(Name, Arc<str>)| **known == *name;
            let mut keys = self.catalog.tables.iter().flat_map(|table| &table.foreign_keys);
            self.names().has_constraint(&Name::new(table.name.schema.clone(), name))
                || parts.iter().any(is_it)
                || keys.any(|key| key.parts.iter().any(is_it))
        };
        names::choose(&table.name.name, Some(&columns), "fkey", taken)
    }

    /// Bounds name values, not their labels: they follow a label.
    pub(super) fn rename_label_in_bounds(&mut self, ty: &Name, from: &str, to: &str) {
        for parent in self.catalog.ids() {
            let Some(partitioning) = self.catalog[parent].partitioning.clone() else { continue };
            let is_of_it = |key: &PartitionKey| matches!(&key.ty, Type::Enum(known) if known.name == *ty);
            if !partitioning.keys.iter().any(is_of_it) {
                continue;
            }
            for partition in self.catalog.partitions(parent) {
                if let Some(own) = &mut self.table_mut(partition).partition {
                    own.bound.each_datum(&partitioning.keys, &mut |key, datum| {
                        if is_of_it(key) && matches!(&datum.value, Value::Text(label) if **label == *from) {
                            *datum = Datum::of(&key.ty, Value::text(to));
                        }
                    });
                }
            }
        }
    }

    /// The partitions of a table and of these, each before its own.
    fn below(&self, table: TableId) -> Vec<TableId> {
        let partitions = self.catalog.partitions(table);
        partitions.into_iter().flat_map(|id| std::iter::once(id).chain(self.below(id))).collect()
    }

    fn follow(&mut self, parent: TableId, child: TableId) {
        let declared = self.catalog[parent].clone();
        let mut columns = declared.columns.clone();
        for column in &mut columns {
            let comment = self.catalog[child].column(&column.name).and_then(|(_, own)| own.comment.clone());
            column.comment = comment;
            // Partitions do not count with their table.
            if matches!(column.default, Some(DefaultValue::Identity { .. })) {
                column.default = None;
            }
        }
        self.table_mut(child).columns = columns;
        let known = self.catalog[child].partition.as_ref().map(|own| own.keys.clone()).unwrap_or_default();
        let is_inherited = |name: &Arc<str>| known.iter().any(|(_, own)| own == name);
        let table = self.table_mut(child);
        table.indexes.retain(|index| !is_inherited(&index.name));
        (table.primary_key, table.uniques) = (None, Vec::new());
        let mut kept = Vec::new();
        for (name, kind) in keys_of(&declared) {
            let own = match known.iter().find(|(of, _)| *of == name) {
                Some((_, own)) => own.clone(),
                None => self.inherited_name(child, &declared, &name, kind),
            };
            take(self.table_mut(child), &declared, &name, &own);
            kept.push((name, own));
        }
        if let Some(own) = &mut self.table_mut(child).partition {
            own.keys = kept;
        }
    }

    /// The name that PostgreSQL gives to a partition's index.
    fn inherited_name(&self, child: TableId, declared: &Table, name: &str, kind: &str) -> Arc<str> {
        let table = &self.catalog[child].name;
        let taken = |name: &str| {
            let name = Name::new(table.schema.clone(), name);
            self.names().has_relation(&name) || kind != "idx" && self.names().has_constraint(&name)
        };
        if kind == "pkey" {
            return names::choose(&table.name, None, kind, taken);
        }
        let column = |column: &ColumnId| declared[*column].name.to_string();
        let keys: Vec<String> = match declared.indexes.iter().find(|index| *index.name == *name) {
            Some(index) => {
                let keys = index.keys.iter();
                let keys =
                    keys.map(|key| figure::column_name(&key.expr).unwrap_or_else(|| "expr".to_owned()));
                names::key_names(keys.chain(index.include.iter().map(column)))
            }
            None => {
                let uniques = declared.uniques.iter().filter(|key| *key.name == *name);
                uniques.flat_map(|key| key.columns.iter().chain(&key.include).map(column)).collect()
            }
        };
        let columns = names::columns_part(keys.iter().map(String::as_str));
        names::choose(&table.name, Some(&columns), kind, taken)
    }

    /// Which rows a new partition takes.
    fn bound(&self, parent: TableId, name: &Name, bound: &PartitionBound) -> Result<Bound> {
        let table = &self.catalog[parent];
        let Some(partitioning) = &table.partitioning else {
            let message = format!("\"{}\" is not partitioned", table.name.name);
            return Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message));
        };
        let read = self.read_bound(partitioning, bound)?;
        if let Bound::Range { from, to } = &read
            && partitioning.order(from, to).is_ge()
        {
            let message = format!("empty range bound specified for partition \"{}\"", name.name);
            let details = format!(
                "Specified lower bound {} is greater than or equal to upper bound {}.",
                ends_text(from),
                ends_text(to)
            );
            return Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message).with_details(details));
        }
        if let Bound::Hash { modulus, remainder } = read {
            self.refuse_modulus(parent, (modulus, remainder))?;
        }
        for sibling in self.catalog.partitions(parent) {
            let sibling = &self.catalog[sibling];
            let Some(other) = &sibling.partition else { continue };
            let message = match (&read, &other.bound) {
                (Bound::Default, Bound::Default) => format!(
                    "partition \"{}\" conflicts with existing default partition \"{}\"",
                    name.name, sibling.name.name
                ),
                (left, right) if partitioning.overlap(left, right) => {
                    format!("partition \"{}\" would overlap partition \"{}\"", name.name, sibling.name.name)
                }
                _ => continue,
            };
            return Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message));
        }
        Ok(read)
    }

    /// Refuses a modulus that does not divide the next larger one, or that the next smaller one does not divide.
    fn refuse_modulus(&self, parent: TableId, new: (u64, u64)) -> Result<()> {
        let mut known: Vec<(u64, u64, &Name)> = Vec::new();
        for sibling in self.catalog.partitions(parent) {
            let sibling = &self.catalog[sibling];
            if let Some(Bound::Hash { modulus, remainder }) = sibling.partition.as_ref().map(|own| &own.bound)
            {
                known.push((*modulus, *remainder, &sibling.name));
            }
        }
        known.sort();
        let after = known.partition_point(|(modulus, remainder, _)| (*modulus, *remainder) <= new);
        let refuse = |details: String| {
            let message = "every hash partition modulus must be a factor of the next larger modulus";
            Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message).with_details(details))
        };
        let modulus = new.0;
        if let Some((below, _, name)) = after.checked_sub(1).and_then(|at| known.get(at))
            && !modulus.is_multiple_of(*below)
        {
            return refuse(format!(
                "The new modulus {modulus} is not divisible by {below}, the modulus of existing partition \"{}\".",
                name.name
            ));
        }
        match known.get(after) {
            Some((above, _, name)) if !above.is_multiple_of(modulus) => refuse(format!(
                "The new modulus {modulus} is not a factor of {above}, the modulus of existing partition \"{}\".",
                name.name
            )),
            _ => Ok(()),
        }
    }

    fn read_bound(&self, partitioning: &Partitioning, bound: &PartitionBound) -> Result<Bound> {
        let unfit = |what: &str| {
            let message = format!("invalid bound specification for a {what} partition");
            Err(Error::new(Code::INVALID_TABLE_DEFINITION, message))
        };
        match (partitioning.strategy, bound) {
            (Strategy::Hash, PartitionBound::Default) => Err(Error::new(
                Code::INVALID_TABLE_DEFINITION,
                "a hash-partitioned table may not have a default partition",
            )),
            (Strategy::List | Strategy::Range, PartitionBound::Default) => Ok(Bound::Default),
            (Strategy::List, PartitionBound::In(values)) => {
                let Some(key) = partitioning.keys.first() else { return unfit("list") };
                let mut read: Vec<Datum> = Vec::new();
                for value in values {
                    let value = self.bound_value(value, key)?;
                    if !read.contains(&value) {
                        read.push(value);
                    }
                }
                Ok(Bound::List(read))
            }
            (Strategy::Range, PartitionBound::Range { from, to }) => Ok(Bound::Range {
                from: self.ends(partitioning, from, "FROM")?,
                to: self.ends(partitioning, to, "TO")?,
            }),
            (Strategy::Hash, PartitionBound::Hash { modulus, remainder }) => hashed(*modulus, *remainder),
            (Strategy::List, _) => unfit("list"),
            (Strategy::Range, _) => unfit("range"),
            (Strategy::Hash, _) => unfit("hash"),
        }
    }

    fn ends(&self, partitioning: &Partitioning, written: &[Expr], word: &str) -> Result<Vec<End>> {
        if written.len() != partitioning.keys.len() {
            let message = format!("{word} must specify exactly one value per partitioning column");
            return Err(Error::new(Code::INVALID_TABLE_DEFINITION, message));
        }
        let mut ends: Vec<End> = Vec::new();
        for (expr, key) in written.iter().zip(&partitioning.keys) {
            let end = match &*expr.kind {
                ExprKind::Column(parts) if parts.len() == 1 && parts[0] == "minvalue" => End::Min,
                ExprKind::Column(parts) if parts.len() == 1 && parts[0] == "maxvalue" => End::Max,
                _ => End::Value(self.bound_value(expr, key)?),
            };
            if matches!(&end, End::Value(datum) if datum.value.is_null()) {
                return Err(Error::new(Code::INVALID_TABLE_DEFINITION, "cannot specify NULL in range bound"));
            }
            let word = match ends.last() {
                Some(End::Min) if end != End::Min => Some("MINVALUE"),
                Some(End::Max) if end != End::Max => Some("MAXVALUE"),
                _ => None,
            };
            if let Some(word) = word {
                let message = format!("every bound following {word} must also be {word}");
                return Err(Error::new(Code::DATATYPE_MISMATCH, message));
            }
            ends.push(end);
        }
        Ok(ends)
    }

    /// A constant of a bound, of its key's type: the same whenever it is read, which `now` and `today` are not.
    fn bound_value(&self, expr: &Expr, key: &PartitionKey) -> Result<Datum> {
        let read = |now| self.bound_value_in(expr, key, &Session::in_zone(&self.zone, now)?);
        let value = read(0)?;
        if read(ANOTHER_TIME)? == value { Ok(value) } else { Err(not_constant()) }
    }

    fn bound_value_in(&self, expr: &Expr, key: &PartitionKey, session: &Session) -> Result<Datum> {
        let (ty, value) = self.constant(expr, &key.ty, session)?;
        let is_assignable =
            cast::context(&ty, &key.ty).is_some_and(|context| context != cast::Context::Explicit);
        if !is_assignable {
            let column = figure::column_name(&key.expr).unwrap_or_default();
            let message = format!(
                "specified value cannot be cast to type {} for column \"{column}\"",
                format_type(&key.ty, None)
            );
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        let value = cast::cast(&ty, &key.ty, None, false, &value, session)?;
        Ok(Datum::of(&key.ty, value))
    }

    /// A constant; text without a type is of the wanted one.
    fn constant(&self, expr: &Expr, wanted: &Type, session: &Session) -> Result<(Type, Value)> {
        let number = |text: &str| Ok((Type::Numeric, text::parse(&Type::Numeric, text, session)?));
        match &*expr.kind {
            ExprKind::Literal(Literal::Null) => Ok((wanted.clone(), Value::Null)),
            ExprKind::Literal(Literal::Bool(value)) => Ok((Type::Bool, Value::Bool(*value))),
            ExprKind::Literal(Literal::Integer(text)) => match text::parse(&Type::Int4, text, session) {
                Ok(value) => Ok((Type::Int4, value)),
                Err(_) => number(text),
            },
            ExprKind::Literal(Literal::Numeric(text)) => number(text),
            ExprKind::Literal(Literal::String(text)) => {
                Ok((wanted.clone(), text::parse(wanted, text, session)?))
            }
            ExprKind::Unary { op, expr } if op == "-" => match &*expr.kind {
                ExprKind::Literal(Literal::Integer(text) | Literal::Numeric(text)) => {
                    number(&format!("-{text}"))
                }
                _ => Err(not_constant()),
            },
            ExprKind::Cast { expr, ty } => {
                let resolved = self.names().ty(ty)?;
                let (from, value) = self.constant(expr, &resolved.ty, session)?;
                let value = cast::cast(&from, &resolved.ty, resolved.modifier, true, &value, session)?;
                Ok((resolved.ty, value))
            }
            _ => Err(not_constant()),
        }
    }
}

fn refuse_without(table: &Table, (kind, columns): (&str, &[ColumnId]), column: ColumnId) -> Result<()> {
    if columns.contains(&column) {
        return Ok(());
    }
    let message = "unique constraint on partitioned table must include all partitioning columns";
    Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message).with_details(format!(
        "{kind} constraint on table \"{}\" lacks column \"{}\" which is part of the partition key.",
        table.name.name, table[column].name
    )))
}

/// Refuses a reference whose key changes a column that decides where a row belongs.
fn refuse_carried(table: &Table, column: ColumnId) -> Result<()> {
    let changes = |action: &ReferentialAction| match action {
        ReferentialAction::NoAction | ReferentialAction::Restrict => false,
        ReferentialAction::Cascade => true,
        ReferentialAction::SetNull(columns) | ReferentialAction::SetDefault(columns) => {
            columns.is_empty() || columns.contains(&column)
        }
    };
    let carries = |key: &&ForeignKey| {
        // Rows that go need no other place.
        let on_delete = key.on_delete != ReferentialAction::Cascade && changes(&key.on_delete);
        key.columns.contains(&column) && (changes(&key.on_update) || on_delete)
    };
    match table.foreign_keys.iter().find(carries) {
        None => Ok(()),
        Some(key) => Err(Error::missing(format!(
            "foreign key {} of {}, which would move rows between partitions,",
            key.name, table.name
        ))),
    }
}

/// How the rows of a table are told apart, as a database says it.
pub fn partitioning(table: &Table, by: &PartitionBy) -> Option<Partitioning> {
    let strategy = strategy(&by.strategy).ok()?;
    let key = |key: &ast::IndexKey| {
        let column = plain_column(table, &key.expr);
        let ty = column.map_or(Type::Unknown, |column| table[column].ty.clone());
        PartitionKey { expr: Arc::new(key.expr.clone()), ty }
    };
    Some(Partitioning { strategy, keys: by.keys.iter().map(key).collect() })
}

/// Which rows a partition of a table takes, as a database says it.
pub fn partition_bound(table: &Table, bound: &PartitionBound) -> Option<Bound> {
    let partitioning = table.partitioning.as_ref()?;
    Builder::new(Catalog::default(), &super::Untyped).read_bound(partitioning, bound).ok()
}

fn strategy(word: &str) -> Result<Strategy> {
    Ok(match word {
        "range" => Strategy::Range,
        "list" => Strategy::List,
        "hash" => Strategy::Hash,
        other => {
            let message = format!("unrecognized partitioning strategy \"{other}\"");
            return Err(Error::new(Code::INVALID_PARAMETER, message));
        }
    })
}

/// Whether the hash of values of a type is known here: it is PostgreSQL's, to the bit.
fn is_hashed(ty: &Type) -> bool {
    use Type::{Bool, Date, Int2, Int4, Int8, Text, Time, Timestamp, Timestamptz, Uuid, Varchar};
    matches!(ty, Bool | Date | Int2 | Int4 | Int8 | Text | Time | Timestamp | Timestamptz | Uuid | Varchar)
}

fn not_constant() -> Error {
    Error::missing("a bound of a partition that is computed")
}

fn hashed(modulus: i64, remainder: i64) -> Result<Bound> {
    let refuse = |message: &str| Err(Error::new(Code::INVALID_TABLE_DEFINITION, message));
    if !(1..=MODULUS_MAX).contains(&modulus) {
        return refuse("modulus for hash partition must be an integer value greater than zero");
    }
    if remainder < 0 {
        return refuse("remainder for hash partition must be an integer value greater than or equal to zero");
    }
    if remainder >= modulus {
        return refuse("remainder for hash partition must be less than modulus");
    }
    Ok(Bound::Hash { modulus: modulus.unsigned_abs(), remainder: remainder.unsigned_abs() })
}

/// The names of a table's keys and indexes, and how those of partitions end.
fn keys_of(table: &Table) -> Vec<(Arc<str>, &'static str)> {
    let primary = table.primary_key.iter().map(|key| (key.name.clone(), "pkey"));
    let uniques = table.uniques.iter().map(|key| (key.name.clone(), "key"));
    let indexes = table.indexes.iter().map(|index| (index.name.clone(), "idx"));
    primary.chain(uniques).chain(indexes).collect()
}

/// Gives a partition a key or index of its table, under its own name.
fn take(child: &mut Table, declared: &Table, name: &str, own: &Arc<str>) {
    if let Some(key) = declared.primary_key.as_ref().filter(|key| *key.name == *name) {
        child.primary_key = Some(crate::Unique { name: own.clone(), ..key.clone() });
    } else if let Some(key) = declared.uniques.iter().find(|key| *key.name == *name) {
        child.uniques.push(crate::Unique { name: own.clone(), ..key.clone() });
    } else if let Some(index) = declared.indexes.iter().find(|index| *index.name == *name) {
        child.indexes.push(crate::Index { name: own.clone(), comment: None, ..index.clone() });
    }
}

/// The keys of a table to be attached that its table has, too; nothing when it has others.
fn own_keys(table: &Table, declared: &Table) -> Option<Vec<(Arc<str>, Arc<str>)>> {
    let mut keys = Vec::new();
    if let Some(own) = &table.primary_key {
        let of = declared.primary_key.as_ref().filter(|of| of.columns == own.columns)?;
        keys.push((of.name.clone(), own.name.clone()));
    }
    for own in &table.uniques {
        let of = declared.uniques.iter().find(|of| of.columns == own.columns)?;
        keys.push((of.name.clone(), own.name.clone()));
    }
    Some(keys)
}

/// Refuses a table to be attached whose columns are not those of the partitioned one.
fn fits(table: &Table, declared: &Table) -> Result<()> {
    let mismatch = |message: String| Err(Error::new(Code::DATATYPE_MISMATCH, message));
    if let Some(column) = table.columns.iter().find(|column| declared.column(&column.name).is_none()) {
        let message = format!(
            "table \"{}\" contains column \"{}\" not found in parent \"{}\"",
            table.name.name, column.name, declared.name.name
        );
        return Err(Error::new(Code::DATATYPE_MISMATCH, message)
            .with_details("The new partition may contain only the columns present in parent."));
    }
    for column in &declared.columns {
        let Some((_, own)) = table.column(&column.name) else {
            return mismatch(format!("child table is missing column \"{}\"", column.name));
        };
        if own.ty != column.ty || own.modifier != column.modifier {
            let (table, column) = (&table.name.name, &column.name);
            return mismatch(format!("child table \"{table}\" has different type for column \"{column}\""));
        }
        if column.not_null && !own.not_null {
            return mismatch(format!("column \"{}\" in child table must be marked NOT NULL", column.name));
        }
    }
    let is_alike = |(own, column): (&crate::Column, &crate::Column)| {
        let default = match &column.default {
            Some(DefaultValue::Identity { .. }) => &None,
            default => default,
        };
        own.name == column.name
            && own.not_null == column.not_null
            && own.domain == column.domain
            && own.default == *default
    };
    if table.columns.iter().zip(&declared.columns).all(is_alike) {
        return Ok(());
    }
    Err(Error::missing(format!(
        "attaching partition {}, whose columns are not in the order of those of {}, or not as they are there,",
        table.name, declared.name
    )))
}
