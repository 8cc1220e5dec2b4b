//! `alter table`, and `alter view`, `alter index`, `alter sequence` in the same words.

use sql::ast::{AlterTable, AlterTableAction as Action, ColumnDefinition, Expr, TriggerMode, TypeName};
use std::sync::Arc;
use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::depend::{Dependencies, Object};
use super::drop::Behavior;
use super::resolve::constraint_names;
use super::{Builder, Outcome, columns, names};
use crate::expr::bind;
use crate::expr::scope::Source;
use crate::{DefaultValue, TableId, TableKind, ViewRights};

impl Builder<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) -> Result<Outcome> {
        if let Some(outcome) = self.alter_other_relation(alter) {
            return outcome;
        }
        let id = match self.table(&alter.name) {
            Ok(id) => id,
            Err(error) if alter.if_exists => return Ok(Outcome::Skipped(error.message().to_owned())),
            Err(error) => return Err(error),
        };
        let table = self.catalog[id].name.clone();
        let mut current = table;
        let mut outcomes = Vec::new();
        for action in &alter.actions {
            let id = self.id_of(&current)?;
            outcomes.push(self.alter_action(id, action)?);
            current = self.catalog.tables.get(id.0 as usize).map_or(current, |table| table.name.clone());
        }
        Ok(combined(outcomes))
    }

    /// Indexes and sequences, which share some of the words.
    fn alter_other_relation(&mut self, alter: &AlterTable) -> Option<Result<Outcome>> {
        if self.names().table_name(&alter.name).is_some() {
            return None;
        }
        if self.names().sequence_name(&alter.name).is_some() {
            return Some(self.alter_sequence_relation(alter));
        }
        self.index_of(&alter.name).map(|(id, index)| self.alter_index(id, &index, alter))
    }

    fn alter_action(&mut self, id: TableId, action: &Action) -> Result<Outcome> {
        self.refuse_on_partition(id, action)?;
        match action {
            Action::AddColumn { column, if_not_exists } => {
                return self.add_column_action(id, column, *if_not_exists);
            }
            Action::DropColumn { name, if_exists, cascade } => {
                return self.drop_column(id, name, *if_exists, *cascade);
            }
            Action::ColumnType { name, ty, using } => self.change_type(id, name, ty, using.as_ref())?,
            Action::ColumnDefault { name, default } => self.change_default(id, name, default.as_ref())?,
            Action::ColumnNotNull { name, not_null } => self.change_not_null(id, name, *not_null)?,
            Action::AddIdentity { name, always, options } => self.add_identity(id, name, *always, options)?,
            Action::SetIdentity { name, always, options } => self.set_identity(id, name, *always, options)?,
            Action::DropIdentity { name, if_exists } => return self.drop_identity(id, name, *if_exists),
            Action::DropExpression { name, if_exists } => return self.drop_expression(id, name, *if_exists),
            Action::ColumnOption(_) | Action::ReplicaIdentity(_) => return Ok(Outcome::NoEffect),
            Action::AddConstraint(constraint) => {
                self.add_constraint(id, constraint)?;
                self.refuse_keys_without_partition_keys(id)?;
            }
            Action::DropConstraint { name, if_exists, cascade } => {
                return self.drop_constraint(id, name, *if_exists, *cascade);
            }
            Action::ValidateConstraint(name) => self.validate_constraint(id, name)?,
            Action::RenameColumn { from, to } => self.rename_column_of_all(id, from, to)?,
            Action::RenameConstraint { from, to } => self.rename_constraint(id, from, to)?,
            Action::RenameTo(to) => self.rename_table(id, None, to)?,
            Action::SetSchema(schema) => {
                let before = self.catalog[id].name.clone();
                self.rename_table(id, Some(schema), &before.name)?;
                self.take_table_along(id, &before.schema);
            }
            Action::OwnerTo(role) => {
                let role = self.names().role(role)?;
                let table = self.table_mut(id);
                let before = std::mem::replace(&mut table.owner, role.clone());
                table.acl.hand_over(&before, &role);
            }
            Action::RowSecurity(on) => self.row_security(id, "ENABLE ROW SECURITY", *on)?,
            Action::ForceRowSecurity(on) => {
                self.refuse_view(id, "FORCE ROW SECURITY")?;
                self.table_mut(id).force_row_security = *on;
            }
            Action::Trigger { mode, name } => self.enable_trigger(id, name, *mode)?,
            Action::SetOptions(options) => return self.set_options(id, options),
            Action::AttachPartition(partition) => self.attach_partition(id, partition)?,
            Action::DetachPartition(partition) => self.detach_partition(id, partition)?,
            Action::Other(words) => {
                return Err(Error::missing(format!("alter table {} {words}", self.catalog[id].name)));
            }
        }
        Ok(Outcome::Applied)
    }

    fn add_column_action(
        &mut self,
        id: TableId,
        definition: &ColumnDefinition,
        if_not_exists: bool,
    ) -> Result<Outcome> {
        self.refuse_view(id, "ADD COLUMN")?;
        if if_not_exists && self.catalog[id].column(&definition.name).is_some() {
            let message = format!(
                "column \"{}\" of relation \"{}\" already exists, skipping",
                definition.name, self.catalog[id].name.name
            );
            return Ok(Outcome::Skipped(message));
        }
        let column = self.declare_column(id, definition)?;
        let added = self.complete_column(id, column, definition).and_then(|()| {
            let constraints = columns::table_constraints(definition);
            constraints.iter().try_for_each(|constraint| self.add_constraint(id, constraint))
        });
        added.inspect_err(|_| self.forget_column(id))?;
        Ok(Outcome::Applied)
    }

    /// Takes back the last column, its sequence and its constraints.
    fn forget_column(&mut self, id: TableId) {
        let Some(name) = self.catalog[id].columns.last().map(|column| column.name.clone()) else { return };
        let table = self.catalog[id].name.clone();
        let behavior = Behavior { is_cascade: true, is_recorded: false };
        // What was just made has no dependents that could refuse.
        let _ = self.drop_objects(vec![Object::Column(table, name)], &behavior);
    }

    fn drop_column(&mut self, id: TableId, name: &str, if_exists: bool, cascade: bool) -> Result<Outcome> {
        match self.column_id(id, name) {
            Ok(_) => {
                let object = Object::Column(self.catalog[id].name.clone(), name.into());
                self.drop_objects(vec![object], &Behavior { is_cascade: cascade, is_recorded: true })?;
                Ok(Outcome::Applied)
            }
            Err(error) if if_exists => Ok(Outcome::Skipped(error.message().to_owned())),
            Err(error) => Err(error),
        }
    }

    fn change_type(&mut self, id: TableId, name: &str, ty: &TypeName, using: Option<&Expr>) -> Result<()> {
        let column = self.column_id(id, name)?;
        let resolved = self.names().ty(ty)?;
        self.refuse_used_type_change(id, name)?;
        let using = using
            .map(|using| bind::expr(&self.names(), vec![Source::root(&self.catalog[id])], using))
            .transpose()?;
        let old = &self.catalog[id][column];
        let text = format_type(&resolved.ty, None);
        if using.is_none() && !is_assignable(&old.ty, &resolved.ty) {
            let message = format!("column \"{name}\" cannot be cast automatically to type {text}");
            let hint = format!(
                "You might need to specify \"USING {name}::{}\".",
                format_type(&resolved.ty, resolved.modifier)
            );
            return Err(Error::new(Code::DATATYPE_MISMATCH, message).with_hint(hint));
        }
        let is_plain_default = matches!(old.default, Some(DefaultValue::Expr(_))) && using.is_some();
        if is_plain_default && !is_assignable(&old.ty, &resolved.ty) {
            let message =
                format!("default for column \"{name}\" cannot be cast automatically to type {text}");
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        let key = (self.catalog[id].origin.clone(), old.origin.0.clone());
        let changed = self.column_mut(id, column);
        let before = changed.clone();
        changed.ty = resolved.ty;
        changed.modifier = resolved.modifier;
        changed.domain = resolved.domain;
        self.refuse_incomparable(id, column).inspect_err(|_| *self.column_mut(id, column) = before)?;
        match using {
            Some(using) => self.catalog.history.conversions.insert(key, Arc::new(using)),
            None => self.catalog.history.conversions.remove(&key),
        };
        Ok(())
    }

    /// A column's type is fixed while a view, policy, trigger or generated column uses it.
    fn refuse_used_type_change(&self, id: TableId, name: &str) -> Result<()> {
        let object = Object::Column(self.catalog[id].name.clone(), name.into());
        for partition in self.catalog.partitions(id) {
            self.refuse_used_type_change(partition, name)?;
        }
        for (dependent, _) in Dependencies::of(&self.catalog).dependents(&object) {
            let (by, what) = match &dependent {
                // A partition's column is its table's.
                Object::Column(table, _) if *table != self.catalog[id].name => continue,
                Object::Table(view) => {
                    ("by a view or rule", format!("rule _RETURN on view {}", self.names().display(view)))
                }
                Object::Policy(table, policy) => (
                    "in a policy definition",
                    format!("policy {policy} on table {}", self.names().display(table)),
                ),
                Object::Trigger(table, trigger) => (
                    "in a trigger definition",
                    format!("trigger {trigger} on table {}", self.names().display(table)),
                ),
                Object::Column(_, column) => {
                    let error = Error::new(
                        Code::FEATURE_NOT_SUPPORTED,
                        "cannot alter type of a column used by a generated column",
                    );
                    return Err(error.with_details(format!(
                        "Column \"{name}\" is used by generated column \"{column}\"."
                    )));
                }
                _ => continue,
            };
            let error =
                Error::new(Code::FEATURE_NOT_SUPPORTED, format!("cannot alter type of a column used {by}"));
            return Err(error.with_details(format!("{what} depends on column \"{name}\"")));
        }
        Ok(())
    }

    fn change_default(&mut self, id: TableId, name: &str, default: Option<&Expr>) -> Result<()> {
        let column = self.column_id(id, name)?;
        let refuse = |what: &str| Err(self.column_state(id, name, what, Code::SYNTAX));
        match self.catalog[id][column].default {
            Some(DefaultValue::Identity { .. }) => return refuse("is an identity column"),
            Some(DefaultValue::Generated(_)) => return refuse("is a generated column"),
            Some(DefaultValue::Expr(_)) | None => {}
        }
        let bound = match default.filter(|expr| !expr.is_null()) {
            Some(expr) => Some(DefaultValue::Expr(self.bound_default(expr)?)),
            None => None,
        };
        self.column_mut(id, column).default = bound;
        Ok(())
    }

    fn change_not_null(&mut self, id: TableId, name: &str, not_null: bool) -> Result<()> {
        self.refuse_view(
            id,
            if not_null { "ALTER COLUMN ... SET NOT NULL" } else { "ALTER COLUMN ... DROP NOT NULL" },
        )?;
        let column = self.column_id(id, name)?;
        let table = &self.catalog[id];
        if !not_null && table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column)) {
            return Err(Error::new(
                Code::INVALID_TABLE_DEFINITION,
                format!("column \"{name}\" is in a primary key"),
            ));
        }
        if !not_null && matches!(table[column].default, Some(DefaultValue::Identity { .. })) {
            return Err(self.column_state(id, name, "is an identity column", Code::SYNTAX));
        }
        self.column_mut(id, column).not_null = not_null;
        Ok(())
    }

    /// An error about what a column is.
    pub(super) fn column_state(&self, id: TableId, column: &str, what: &str, code: Code) -> Error {
        Error::new(code, format!("column \"{column}\" of relation \"{}\" {what}", self.catalog[id].name.name))
    }

    fn drop_expression(&mut self, id: TableId, name: &str, if_exists: bool) -> Result<Outcome> {
        let column = self.column_id(id, name)?;
        if matches!(self.catalog[id][column].default, Some(DefaultValue::Generated(_))) {
            self.column_mut(id, column).default = None;
            return Ok(Outcome::Applied);
        }
        let error = self.column_state(id, name, "is not a stored generated column", Code::OBJECT_STATE);
        if if_exists { Ok(Outcome::Skipped(error.message().to_owned())) } else { Err(error) }
    }

    fn drop_constraint(
        &mut self,
        id: TableId,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<Outcome> {
        let table = &self.catalog[id];
        if constraint_names(table).any(|other| **other == *name) {
            let object = Object::Constraint(table.name.clone(), name.into());
            self.drop_objects(vec![object], &Behavior { is_cascade: cascade, is_recorded: true })?;
            return Ok(Outcome::Applied);
        }
        let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name.name);
        if if_exists {
            Ok(Outcome::Skipped(message))
        } else {
            Err(Error::new(Code::UNDEFINED_OBJECT, message))
        }
    }

    fn validate_constraint(&mut self, id: TableId, name: &str) -> Result<()> {
        let table = self.table_mut(id);
        if let Some(check) = table.checks.iter_mut().find(|check| &*check.name == name) {
            check.not_valid = false;
        } else if let Some(key) = table.foreign_keys.iter_mut().find(|key| &*key.name == name) {
            key.not_valid = false;
        } else {
            let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name.name);
            return Err(Error::new(Code::UNDEFINED_OBJECT, message));
        }
        Ok(())
    }

    fn row_security(&mut self, id: TableId, words: &str, on: bool) -> Result<()> {
        self.refuse_view(id, words)?;
        self.table_mut(id).row_security = on;
        Ok(())
    }

    fn refuse_view(&self, id: TableId, words: &str) -> Result<()> {
        let table = &self.catalog[id];
        if !table.is_view() {
            return Ok(());
        }
        let message = format!("ALTER action {words} cannot be performed on relation \"{}\"", table.name.name);
        Err(Error::new(Code::WRONG_OBJECT_TYPE, message)
            .with_details("This operation is not supported for views."))
    }

    fn enable_trigger(&mut self, id: TableId, name: &str, mode: TriggerMode) -> Result<()> {
        let keys_rest = if name == "all" { self.do_keys_rest(id, mode)? } else { self.catalog[id].keys_rest };
        let table = self.table_mut(id);
        let is_all = name == "all" || name == "user";
        let mut named =
            table.triggers.iter_mut().filter(|trigger| is_all || &*trigger.name == name).peekable();
        if named.peek().is_none() && !is_all {
            let message = format!("trigger \"{name}\" for table \"{}\" does not exist", table.name.name);
            return Err(Error::new(Code::UNDEFINED_OBJECT, message));
        }
        named.for_each(|trigger| trigger.mode = mode);
        table.keys_rest = keys_rest;
        Ok(())
    }

    /// Whether the keys of a table rest when all of its triggers, those of its keys among them, are switched.
    fn do_keys_rest(&self, id: TableId, mode: TriggerMode) -> Result<bool> {
        match mode {
            TriggerMode::Enabled => Ok(false),
            TriggerMode::Disabled => Ok(true),
            TriggerMode::Replica | TriggerMode::Always if self.has_looked_at_keys(id) => {
                let name = &self.catalog[id].name;
                Err(Error::missing(format!(
                    "switching all triggers of {name}, those of its keys among them, so"
                )))
            }
            TriggerMode::Replica | TriggerMode::Always => Ok(false),
        }
    }

    /// Whether PostgreSQL has triggers of its own on a table: of foreign keys from it and to it, of keys that are deferrable.
    fn has_looked_at_keys(&self, id: TableId) -> bool {
        let table = &self.catalog[id];
        let uniques = table.primary_key.iter().chain(&table.uniques).any(|key| key.deferrable);
        let exclusions = table.indexes.iter().any(|index| index.deferrable);
        let mut references = self.catalog.tables.iter().flat_map(|from| &from.foreign_keys);
        uniques
            || exclusions
            || !table.foreign_keys.is_empty()
            || references.any(|key| key.target == table.name)
    }

    fn set_options(&mut self, id: TableId, options: &[(String, String)]) -> Result<Outcome> {
        let table = self.table_mut(id);
        let TableKind::View { rights, check_option, .. } = &mut table.kind else {
            return Ok(Outcome::NoEffect);
        };
        for (name, value) in options {
            match name.as_str() {
                "security_invoker" => *rights = ViewRights::said(super::views::is_on(value)),
                "check_option" => *check_option = Some(super::views::check_option(value)?),
                "security_barrier" => {}
                name => return Err(Error::missing(format!("view option {name}"))),
            }
        }
        Ok(Outcome::Applied)
    }

    /// A table's constraint under another name.
    fn rename_constraint(&mut self, id: TableId, from: &str, to: &str) -> Result<()> {
        let to = names::truncated(to);
        let table = &self.catalog[id];
        if !constraint_names(table).any(|name| **name == *from) {
            let message = format!("constraint \"{from}\" for table \"{}\" does not exist", table.name.name);
            return Err(Error::new(Code::UNDEFINED_OBJECT, message));
        }
        let is_key = super::resolve::index_names(table).any(|name| **name == *from);
        self.free_constraint(id, to.clone())?;
        if is_key {
            self.free_relation(id, to.clone())?;
        }
        self.set_constraint_name(id, from, &to);
        Ok(())
    }
}

/// What became of a statement with several actions.
fn combined(outcomes: Vec<Outcome>) -> Outcome {
    let is_applied = outcomes.contains(&Outcome::Applied);
    let mut rest = outcomes.into_iter().filter(|outcome| *outcome != Outcome::Applied);
    if is_applied { Outcome::Applied } else { rest.next().unwrap_or(Outcome::Applied) }
}

/// Whether values of one type are stored in a column of another without a written cast.
fn is_assignable(from: &Type, to: &Type) -> bool {
    use Type::{Cidr, Date, Inet, Interval, Json, Jsonb, Time, Timestamp, Timestamptz, Timetz};
    match (from, to) {
        (from, to) if from == to || to.is_string() => true,
        (from, to) if from.is_number() && to.is_number() => true,
        (Type::Array(from), Type::Array(to)) => is_assignable(from, to),
        (Date | Timestamp | Timestamptz, Date | Timestamp | Timestamptz) => true,
        (Timestamp | Timestamptz, Time)
        | (Timestamptz, Timetz)
        | (Time, Timetz | Interval)
        | (Interval | Timetz, Time) => true,
        (Json, Jsonb) | (Jsonb, Json) | (Inet, Cidr) | (Cidr, Inet) => true,
        _ => false,
    }
}
