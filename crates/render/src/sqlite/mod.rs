//! How SQLite is spoken to.
//!
//! PostgreSQL's semantics come from functions and collations that the driver registers (`names.rs` has their names);
//! native operators are used only where they are exact for the stored form of the type.

mod expr;
mod names;
mod read;
mod write;

pub use names::{Special, collation, column_name, index_name, quote, row_key, table_name};
pub use read::{read, reads};
pub use write::{delete, insert, update};

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Catalog, TableId};
use query::{CallerField, SourceId};
use types::stored::Stored;
use types::{Result, Type};

use crate::{Bindings, Command};

/// How the columns of a source are named.
#[derive(Clone, Copy)]
enum Columns {
    /// By the table's column names.
    OfTable(TableId),
    /// `c0`, `c1`, …
    Outputs,
    /// `column1`, `column2`, …
    Values,
}

/// Text and parameters under construction.
struct Writer<'a> {
    catalog: &'a Catalog,
    bindings: &'a Bindings<'a>,
    text: String,
    parameters: Vec<Stored>,
    fields: HashMap<CallerField, usize>,
    sources: HashMap<SourceId, Columns>,
}

impl<'a> Writer<'a> {
    fn new(catalog: &'a Catalog, bindings: &'a Bindings<'a>) -> Writer<'a> {
        Writer {
            catalog,
            bindings,
            text: String::with_capacity(256),
            parameters: Vec::new(),
            fields: HashMap::new(),
            sources: HashMap::new(),
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
        self.parameters.push(value);
        self.numbered(self.parameters.len());
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
        self.parameter(self.bindings.caller_field(field)?);
        self.fields.insert(field.clone(), self.parameters.len());
        Ok(())
    }

    fn identifier(&mut self, name: &str) {
        names::quote_into(&mut self.text, name);
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
        Command { text: self.text.into(), parameters: self.parameters, session, outputs }
    }
}
