//! Changes in a safe order: steps that say what they do, what they lock and what they may lose.
//!
//! Steps are engine-neutral; `render` writes them for a dialect. Defaults, checks, policies, grants and functions are evaluated by
//! us, not stored: their changes are [`Action::Declare`] and, where existing rows must fit, [`Action::Validate`]. After the
//! last step the wanted catalog is in force.

use std::fmt;
use std::sync::Arc;

use sql::ast;
use types::Name;

use crate::diff::{Change, diff};
use crate::{Catalog, ColumnId, Sequence, Table};

mod alteration;
mod danger;
mod partitions;
mod sentence;
mod tables;
#[cfg(test)]
mod tests;

pub use danger::Danger;

/// Steps from one catalog to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Migration {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What the engine does.
    pub action: Action,
    /// What happens, in one English sentence.
    pub sentence: String,
    /// What it may cost.
    pub danger: Danger,
}

/// What an engine does in one step. Tables are given as they are after the step unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Makes a table with its keys, foreign keys and indexes. A foreign key may reach a table that a later step makes.
    CreateTable(Arc<Table>),
    /// Drops a table, given as it is, and its rows.
    DropTable(Arc<Table>),
    /// Gives a table another name; foreign keys follow.
    RenameTable {
        /// Its name now.
        from: Name,
        /// Its name after.
        to: Name,
    },
    /// Makes a table anew under the same name, rows kept.
    RebuildTable(Box<Rebuild>),
    /// Adds a column that is null in existing rows.
    AddColumn {
        /// The table.
        table: Arc<Table>,
        /// The column.
        column: ColumnId,
    },
    /// Gives a column another name; indexes and foreign keys follow.
    RenameColumn {
        /// The table.
        table: Name,
        /// The column's name now.
        from: Arc<str>,
        /// Its name after.
        to: Arc<str>,
    },
    /// Drops a column that no key, foreign key or index has.
    DropColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Arc<str>,
    },
    /// Makes a primary key, unique constraint or index, by name.
    CreateIndex {
        /// The table.
        table: Arc<Table>,
        /// The name of the constraint or index.
        index: Arc<str>,
    },
    /// Drops a primary key, unique constraint or index, by name.
    DropIndex {
        /// The table, as it is.
        table: Arc<Table>,
        /// The name of the constraint or index.
        index: Arc<str>,
    },
    /// Makes a sequence.
    CreateSequence(Sequence),
    /// Changes a sequence; it goes on counting where it was.
    AlterSequence {
        /// Its name now.
        from: Name,
        /// The sequence after.
        to: Sequence,
    },
    /// Drops a sequence.
    DropSequence(Name),
    /// Writes another label wherever a column holds the old one.
    RelabelRows {
        /// The table.
        table: Arc<Table>,
        /// The column, of the enumerated type or of an array of it.
        column: ColumnId,
        /// The old label.
        from: Arc<str>,
        /// The new label.
        to: Arc<str>,
    },
    /// Looks whether existing rows fit, and fails otherwise.
    Validate {
        /// The table.
        table: Arc<Table>,
        /// What must hold of each row.
        rule: Rule,
    },
    /// Puts the rows of a partition, given as it is before, into a table of its own, which is there.
    DetachRows {
        /// The partition.
        partition: Arc<Table>,
        /// The table that keeps its rows.
        root: Name,
    },
    /// Puts the rows of a table into the one that keeps those of partitions, as whose partition it is given, unless it does not take
    /// some.
    AttachRows {
        /// The partition.
        partition: Arc<Table>,
        /// The table that keeps its rows.
        root: Name,
    },
    /// Removes the rows of a partition, given as it is.
    DropRows {
        /// The partition.
        partition: Arc<Table>,
        /// The table that keeps its rows.
        root: Name,
    },
    /// Nothing: only the catalog changes.
    Declare,
}

/// A table made anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebuild {
    /// The table as it is, already under its new name, as are the columns that are kept.
    pub old: Arc<Table>,
    /// The table as it will be.
    pub new: Arc<Table>,
    /// For each column of `new`, where its values come from.
    pub sources: Vec<ColumnSource>,
    /// What changes, in words.
    pub reasons: Vec<String>,
}

/// Where the values of a column come from when a table is made anew.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnSource {
    /// A column of the old table, as it is stored.
    Copy(ColumnId),
    /// A column of the old table, cast to the new type as by assignment.
    Cast(ColumnId),
    /// An expression over the old table's columns (`using`).
    Using(Arc<ast::Expr>),
    /// The new column's default, evaluated for each row; null when there is none.
    Default,
    /// The new column's generation expression, over the new row.
    Generated,
}

/// What must hold of existing rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// A check constraint, by name.
    Check(Arc<str>),
    /// A foreign key, by name.
    ForeignKey(Arc<str>),
    /// No row of the column holds a label that the type lost.
    Labels(ColumnId),
    /// No row is there that a new partition takes from the default one, which is told.
    NotTaken {
        /// The new partition.
        partition: Name,
        /// The default one.
        default: Name,
    },
    /// Every row is in some partition.
    Placed,
}

/// The steps from `current` to `wanted`.
pub fn migrate(current: &Catalog, wanted: &Catalog) -> Migration {
    let moves = partitions::moves(current, wanted);
    let (from, to) = (moves.current.as_ref().unwrap_or(current), moves.wanted.as_ref().unwrap_or(wanted));
    let mut steps = moves.before;
    steps.extend(order(&diff(from, to), from, to).steps);
    steps.extend(moves.after);
    Migration { steps }
}

/// Puts changes into an order in which every step finds what it needs.
///
/// Sequences come before the tables that count with them; constraints and tables go before columns and tables come;
/// labels are rewritten before rows are checked.
pub fn order(changes: &[Change], current: &Catalog, wanted: &Catalog) -> Migration {
    let mut out = Steps { current, wanted, changes, steps: Vec::new() };
    out.declared();
    out.sequences();
    out.dropped_tables();
    out.altered_tables();
    out.created_tables();
    out.validations();
    out.dropped_sequences();
    Migration { steps: out.steps }
}

impl Migration {
    /// The greatest danger of its steps.
    pub fn danger(&self) -> Option<&Danger> {
        self.steps.iter().map(|step| &step.danger).max_by_key(|danger| danger.rank())
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{}{}", step.sentence, step.danger)?;
        }
        Ok(())
    }
}

/// Steps being collected.
struct Steps<'a> {
    current: &'a Catalog,
    wanted: &'a Catalog,
    changes: &'a [Change],
    steps: Vec<Step>,
}

impl Steps<'_> {
    fn push(&mut self, action: Action, danger: Danger) {
        let sentence = sentence::of(&action);
        self.steps.push(Step { action, sentence, danger });
    }

    fn declared(&mut self) {
        let changes = self.changes;
        for change in changes {
            if sentence::is_declared(change) {
                self.steps.push(Step {
                    action: Action::Declare,
                    sentence: sentence::declared(change),
                    danger: Danger::None,
                });
            }
        }
    }

    fn sequences(&mut self) {
        let changes = self.changes;
        for change in changes {
            match change {
                Change::CreateSequence(name) => {
                    if self.drops_sequence(name) {
                        self.drop_sequence(name);
                    }
                    self.push(Action::CreateSequence(self.wanted.sequences[name].clone()), Danger::None)
                }
                Change::AlterSequence { from, to } => {
                    let to = self.wanted.sequences[to].clone();
                    self.push(Action::AlterSequence { from: from.clone(), to }, Danger::None);
                }
                _ => {}
            }
        }
    }

    /// Sequences go last, after the columns that count with them; unless a new one takes the name.
    fn dropped_sequences(&mut self) {
        let changes = self.changes;
        for change in changes {
            if let Change::DropSequence(name) = change
                && !changes.contains(&Change::CreateSequence(name.clone()))
            {
                self.drop_sequence(name);
            }
        }
    }

    fn drops_sequence(&self, name: &Name) -> bool {
        self.changes.contains(&Change::DropSequence(name.clone()))
    }

    fn drop_sequence(&mut self, name: &Name) {
        let danger = Danger::Loses("the sequence's position".to_owned());
        self.push(Action::DropSequence(name.clone()), danger);
    }
}
