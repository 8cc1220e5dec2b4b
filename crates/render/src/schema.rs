//! How the schema that an engine stores is changed: steps of a migration as tasks.
//!
//! Nothing here decides what changes: that is `catalog::migration`. Nothing here runs: that is `engine::migrate`.

use catalog::migration::{Action, Rebuild};
use catalog::{ColumnId, Table};
use query::Model;
use types::session::Session;
use types::{Code, Error, Name, Result, Type, Value, text};

use crate::Command;

/// The two ends of a migration, and what its steps depend on besides.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What is stored before the first step.
    pub current: &'a Model,
    /// What is in force after the last.
    pub wanted: &'a Model,
    /// Time zone and time of the transaction.
    pub session: &'a Session,
    /// For columns that a sequence fills in existing rows: the value of the first row.
    pub numbers: &'a [(ColumnId, i64)],
}

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// Runs a command without rows.
    Run(Command),
    /// Makes a unique index, and says the given error when two rows are equal in it.
    Unique(Command, Box<Test>),
    /// Looks for a row that must not be there.
    Refuse(Box<Test>),
}

/// A command that finds a row that must not be there, and what that row is told.
#[derive(Clone, Debug)]
pub struct Test {
    /// Answers at most one row: the values of the key.
    pub command: Command,
    /// What is said of the row.
    pub error: Error,
    /// How the key's values are said, if they are.
    pub key: Option<KeyWords>,
}

/// The words around a key's values: `Key (a, b)=(1, 2) is not present in table "t".`
#[derive(Clone, Debug)]
pub struct KeyWords {
    /// The names of its columns, with commas.
    pub columns: String,
    /// What is said after the values.
    pub after: String,
    /// Whether the row has the values of another key, too, which is said at the end.
    pub of_two: bool,
}

impl Test {
    /// The error for a row that was found.
    pub fn violation(&self, row: &[Value], session: &Session) -> Error {
        let Some(words) = &self.key else { return self.error.clone() };
        let types = self.command.outputs.iter().map(|(_, ty)| ty);
        let printed: Vec<String> = types.zip(row).map(|(ty, value)| printed(ty, value, session)).collect();
        let (own, other) = printed.split_at(printed.len() / if words.of_two { 2 } else { 1 });
        let mut details = format!("Key ({})=({}) {}", words.columns, own.join(", "), words.after);
        if words.of_two {
            details.push_str(&format!(" ({})=({}).", words.columns, other.join(", ")));
        }
        self.error.clone().with_details(details)
    }
}

fn printed(ty: &Type, value: &Value, session: &Session) -> String {
    if value.is_null() { "null".to_owned() } else { text::print(ty, value, session) }
}

/// What an engine does not store of what is declared, and what it cannot store.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// What is left out without any answer being another: a sentence each, with the object's name first.
    pub left_out: Vec<String>,
    /// What would have to be there: the object's name, and why it cannot be.
    pub refused: Vec<(String, Error)>,
}

/// A question to, or an entry of, the ledger of what was applied.
#[derive(Clone, Copy, Debug)]
pub enum Ledger<'a> {
    /// One row with the number of ledgers: 0 or 1.
    Find,
    /// Makes it, unless it is there.
    Make,
    /// Layer, name and hash of each entry, in order.
    Hashes,
    /// Layer, name and text of each entry, in order.
    Texts,
    /// Forgets the entries of a layer.
    Forget(&'a str),
    /// Notes an entry, after those that are there.
    Add(&'a LedgerEntry),
}

/// A file that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What kind of file.
    pub layer: String,
    /// Its name.
    pub name: String,
    /// What identifies its text.
    pub hash: String,
    /// Its text.
    pub text: String,
}

/// How an engine's stored schema is changed.
pub trait SchemaDialect: Sync {
    /// What a step of a migration does.
    ///
    /// # Errors
    /// `0A000` for what the engine cannot store; what resolving an expression refuses.
    fn step(&self, action: &Action, scene: &Scene<'_>) -> Result<Vec<Task>>;

    /// Whether it runs alone, with foreign keys off: rows of tables move, or the engine counts in memory what changes.
    fn runs_alone(&self, action: &Action) -> bool;

    /// Columns of a table made anew that a sequence fills in existing rows.
    fn numbered(&self, rebuild: &Rebuild, scene: &Scene<'_>) -> Vec<(ColumnId, Name)>;

    /// One row with the number of a table's rows.
    fn count(&self, table: &Name, session: &Session) -> Command;

    /// What is done before the first step, so that nothing stored hinders it.
    fn before(&self, stored: &[Vec<Value>], session: &Session) -> Vec<Task>;

    /// Everything stored besides tables, as rows for [`before`](Self::before) and [`settle`](Self::settle).
    fn stored(&self, session: &Session) -> Command;

    /// What is done after the last step, so that exactly what is wanted is stored besides tables.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    fn settle(&self, wanted: &Model, stored: &[Vec<Value>], session: &Session) -> Result<Vec<Task>>;

    /// What stands in for the actions of foreign keys (`cascade`, `set null`, …) while they are off and rows change;
    /// [`settle`](Self::settle) takes it away.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    fn stand_in(&self, wanted: &Model, session: &Session) -> Result<Vec<Task>>;

    /// Looks whether each row of a table's foreign keys references one: for steps that ran without foreign keys.
    ///
    /// # Errors
    /// `XX000` for a key without its target.
    fn references(&self, wanted: &Model, table: &Table, session: &Session) -> Result<Vec<Task>>;

    /// What of a model is left out or cannot be stored.
    fn review(&self, wanted: &Model) -> Review;

    /// The ledger.
    fn ledger(&self, ledger: Ledger<'_>, session: &Session) -> Command;
}

/// What is said when existing rows are equal in a new key.
pub(crate) fn duplicated(index: &str) -> Error {
    Error::new(Code::UNIQUE_VIOLATION, format!("could not create unique index \"{index}\""))
}
