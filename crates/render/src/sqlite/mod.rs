//! How SQLite is spoken to.
//!
//! PostgreSQL's semantics come from functions and collations that the driver registers (`names.rs` has their names);
//! native operators are used only where they are exact for the stored form of the type.

mod apart;
mod compound;
mod cost;
mod ddl;
mod expr;
mod membership;
mod names;
mod presented;
mod read;
mod rows;
mod window;
mod write;

pub use names::{
    NULLS, Special, collation, column_name, index_name, match_full_name, quote, row_key, split_match_full,
    table_name,
};
pub use presented::explained;
pub use read::read;
pub use write::{delete, insert, update};

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Catalog, ColumnId, TableId};
use query::{CallerField, Explain, Presentation, SourceId};
use types::stored::Stored;
use types::{Error, Result, Type, Value};

use crate::kept::Notes;
use crate::quoted::quote_into;
use crate::{Bindings, Command, Dialect, Kept, SchemaDialect};

/// SQLite's dialect.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

impl Dialect for Sqlite {
    fn read(&self, catalog: &Catalog, read: &query::Read, bindings: &Bindings<'_>) -> Result<Command> {
        self::read(catalog, read, bindings)
    }

    fn insert(
        &self,
        catalog: &Catalog,
        table: TableId,
        rows: &[Vec<Value>],
        bindings: &Bindings<'_>,
    ) -> Result<Command> {
        insert(catalog, table, rows, bindings)
    }

    fn update(
        &self,
        catalog: &Catalog,
        table: TableId,
        key: i64,
        set: &[(ColumnId, Value)],
        bindings: &Bindings<'_>,
    ) -> Result<Command> {
        update(catalog, table, key, set, bindings)
    }

    fn delete(
        &self,
        catalog: &Catalog,
        table: TableId,
        keys: &[i64],
        bindings: &Bindings<'_>,
    ) -> Result<Command> {
        Ok(delete(catalog, table, keys, bindings))
    }

    fn empty(&self, catalog: &Catalog, table: TableId, bindings: &Bindings<'_>) -> Result<Command> {
        Ok(write::empty(catalog, table, bindings))
    }

    fn presented(
        &self,
        catalog: &Catalog,
        read: &query::Read,
        presentation: &Presentation,
        bindings: &Bindings<'_>,
    ) -> Result<Command> {
        let command = self::read(catalog, read, bindings)?;
        match presentation {
            Presentation::Rows | Presentation::WithTotal => Ok(command),
            Presentation::Explained(explain) => explained(command, explain),
            Presentation::Estimated => Err(Error::missing("the expected number of rows")),
            Presentation::Features => Err(Error::missing("GeoJSON")),
            Presentation::Aggregated(of) => Err(Error::missing(format!("aggregate {}", of.function))),
        }
    }

    fn kept(&self, catalog: &Catalog, asked: &query::Read, bindings: &Bindings<'_>) -> Result<Option<Kept>> {
        read::kept(catalog, asked, bindings)
    }

    fn explained(&self, command: Command, explain: &Explain) -> Result<Command> {
        explained(command, explain)
    }

    fn table_name(&self, table: &catalog::Table) -> String {
        table_name(&table.name)
    }

    fn schema(&self) -> &dyn SchemaDialect {
        self
    }
}

/// How the columns of a source are named.
#[derive(Clone, Copy)]
enum Columns {
    /// By the table's column names.
    OfTable(TableId),
    /// `c0`, `c1`, …
    Outputs,
    /// `column1`, `column2`, …
    Values,
    /// Elements of the JSON array `value`; the number of the row behind so many of them.
    Packed(u16),
}

/// Text and parameters under construction.
struct Writer<'a> {
    catalog: &'a Catalog,
    bindings: &'a Bindings<'a>,
    text: String,
    parameters: Vec<Stored>,
    notes: Notes,
    fields: HashMap<CallerField, usize>,
    sources: HashMap<SourceId, Columns>,
    /// The sources of the read that is written.
    near: Vec<SourceId>,
    /// Whether the engine keeps the text: constants are written out, columns stand alone.
    kept: bool,
    /// Whether what is written stands in the schema.
    declared: bool,
    /// Whether subqueries in `FROM` are kept apart from what is around them.
    fenced: bool,
    /// Whether the outputs of the read that is written next say their collations.
    collates: bool,
    /// Whether functions that are interpreted are called.
    calls: bool,
}

impl<'a> Writer<'a> {
    fn new(catalog: &'a Catalog, bindings: &'a Bindings<'a>) -> Writer<'a> {
        Writer {
            catalog,
            bindings,
            text: String::with_capacity(256),
            parameters: Vec::new(),
            notes: Notes::default(),
            fields: HashMap::new(),
            sources: HashMap::new(),
            near: Vec::new(),
            kept: false,
            declared: false,
            fenced: false,
            collates: false,
            calls: false,
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        use std::fmt::Write;
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "{number}");
    }

    /// A new parameter.
    fn parameter(&mut self, value: Stored) {
        if self.kept {
            return self.literal(&value);
        }
        self.parameters.push(value);
        self.numbered(self.parameters.len());
    }

    /// A constant of the query. What the schema says is the same for every caller and is written out, so that the engine
    /// can hold it against the conditions of its partial indexes.
    fn value(&mut self, value: Stored) {
        let is_text_of_sql = !matches!(&value, Stored::Text(text) if text.contains('\0'));
        if self.declared && is_text_of_sql { self.literal(&value) } else { self.parameter(value) }
    }

    /// Writes what the schema itself says.
    fn declared<T>(&mut self, part: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.declared, true);
        let written = part(self);
        self.declared = before;
        written
    }

    /// A constant written out.
    fn literal(&mut self, value: &Stored) {
        match value {
            Stored::Null => self.push("NULL"),
            Stored::Int(value) => self.number(value),
            // Two words that SQLite reads as the infinities; all other floats in digits that read back as the same.
            Stored::Real(value) if value.is_infinite() => {
                self.push(if *value > 0.0 { "9e999" } else { "-9e999" })
            }
            Stored::Real(value) => self.number(format_args!("{value:?}")),
            Stored::Text(text) => {
                self.push("'");
                self.push(&text.replace('\'', "''"));
                self.push("'");
            }
            Stored::Blob(bytes) => {
                self.push("x'");
                for byte in bytes.iter() {
                    self.number(format_args!("{byte:02x}"));
                }
                self.push("'");
            }
        }
    }

    fn numbered(&mut self, number: usize) {
        self.push("?");
        self.number(number);
    }

    /// Something about the caller: one parameter however often it is used.
    fn field(&mut self, field: &CallerField) -> Result<()> {
        if let Some(&number) = self.fields.get(field) {
            self.numbered(number);
            return Ok(());
        }
        self.notes.caller(self.parameters.len(), field);
        self.parameter(self.bindings.caller_field(field)?);
        self.fields.insert(field.clone(), self.parameters.len());
        Ok(())
    }

    /// Keys of rows as one parameter: a JSON array.
    fn keys(&mut self, keys: &[i64]) {
        let keys = keys.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        self.parameter(Stored::Text(format!("[{keys}]").into()));
    }

    fn identifier(&mut self, name: &str) {
        quote_into(&mut self.text, name);
    }

    /// Items with separators between them.
    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        separator: &str,
        mut item: impl FnMut(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        for (position, each) in items.into_iter().enumerate() {
            if position > 0 {
                self.push(separator);
            }
            item(self, each)?;
        }
        Ok(())
    }

    fn finish(self, outputs: Arc<[(Arc<str>, Type)]>) -> Command {
        let session = self.bindings.session.clone();
        Command {
            text: self.text.into(),
            parameters: self.parameters,
            session,
            outputs,
            counts_changes: false,
            calls: self.calls,
        }
    }
}
