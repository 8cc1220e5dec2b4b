//! Steps in words.

use crate::diff::{Change, TableChange};
use crate::{ColumnId, Table};

use super::{Action, Rebuild, Rule};

/// What an action does, in one sentence.
pub(super) fn of(action: &Action) -> String {
    match action {
        Action::CreateTable(table) => {
            format!("Create table {} with {}.", table.name, counted(table.columns.len(), "column"))
        }
        Action::DropTable(table) => format!("Drop table {}.", table.name),
        Action::RenameTable { from, to } => format!("Rename table {from} to {to}."),
        Action::RebuildTable(rebuild) => of_rebuild(rebuild),
        Action::AddColumn { table, column } => {
            format!("Add column {} to table {}.", table[*column].name, table.name)
        }
        Action::RenameColumn { table, from, to } => format!("Rename column {from} of table {table} to {to}."),
        Action::DropColumn { table, column } => format!("Drop column {column} of table {table}."),
        Action::CreateIndex { table, index } => format!("Create index {index} on table {}.", table.name),
        Action::DropIndex { table, index } => format!("Drop index {index} of table {}.", table.name),
        Action::CreateSequence(sequence) => format!("Create sequence {}.", sequence.name),
        Action::AlterSequence { from, to } if *from == to.name => format!("Change sequence {from}."),
        Action::AlterSequence { from, to } => format!("Rename sequence {from} to {}.", to.name),
        Action::DropSequence(name) => format!("Drop sequence {name}."),
        Action::RelabelRows { table, column, from, to } => {
            format!("Write '{to}' for '{from}' in column {} of table {}.", table[*column].name, table.name)
        }
        Action::Validate { table, rule } => of_rule(table, rule),
        Action::DetachRows { partition, root } => {
            format!("Move the rows of partition {} out of table {root}.", partition.name)
        }
        Action::AttachRows { partition, root } => {
            format!("Move the rows of {} into table {root}.", partition.name)
        }
        Action::DropRows { partition, root } => {
            format!("Drop partition {} of table {root}.", partition.name)
        }
        Action::Declare => String::new(),
    }
}

fn of_rebuild(rebuild: &Rebuild) -> String {
    let reasons = rebuild.reasons.join(", ");
    format!("Rebuild table {}: {reasons}.", rebuild.new.name)
}

fn of_rule(table: &Table, rule: &Rule) -> String {
    let what = match rule {
        Rule::Check(name) => format!("check constraint {name}"),
        Rule::ForeignKey(name) => format!("foreign key {name}"),
        Rule::NotTaken { partition, .. } => format!("the new partition {partition}"),
        Rule::Placed => "its partitions".to_owned(),
        Rule::Labels(column) => format!("the labels of column {}", column_name(table, *column)),
    };
    format!("Test the rows of table {} against {what}.", table.name)
}

fn column_name(table: &Table, column: ColumnId) -> &str {
    &table[column].name
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Whether a change is one of the catalog alone.
pub(super) fn is_declared(change: &Change) -> bool {
    match change {
        Change::Declared(_) => true,
        Change::Table { change, .. } => matches!(
            change,
            TableChange::ColumnDefault(_) | TableChange::DropConstraint(crate::diff::Constraint::Check, _)
        ),
        _ => false,
    }
}

/// A change of the catalog in one sentence.
pub(super) fn declared(change: &Change) -> String {
    let text = change.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(std::iter::once('.')).collect()
}
