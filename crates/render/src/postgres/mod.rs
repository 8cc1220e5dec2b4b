//! How PostgreSQL is spoken to.
//!
//! It knows the caller and enforces grants and policies itself, so only queries that were left to it are written. Parameters
//! travel as text, each with its type in the command (`$1::int4`); results travel as [`Wire`] says. Nothing is reordered and
//! no order is added: what PostgreSQL says is the answer.

mod expr;
mod names;
mod presented;
mod read;
mod schema;
mod window;
mod wire;
mod write;

pub use names::{qualified, quote};
pub use presented::{explained, presented};
pub use read::read;
pub use wire::{Wire, wire};
pub use write::write;

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Catalog, TableId};
use query::{CallerField, Explain, Presentation, SourceId, Write};
use types::session::Session;
use types::stored::Stored;
use types::{Error, Result, Type, Value};

use crate::kept::Notes;
use crate::quoted::quote_into;
use crate::{Bindings, Command, Dialect, Kept, SchemaDialect, Whole};

/// PostgreSQL's dialect.
#[derive(Clone, Copy, Debug)]
pub struct Postgres;

impl Dialect for Postgres {
    fn read(&self, catalog: &Catalog, read: &query::Read, bindings: &Bindings<'_>) -> Result<Command> {
        self::read(catalog, read, bindings)
    }

    fn write(&self, catalog: &Catalog, write: &Write, bindings: &Bindings<'_>) -> Result<Whole> {
        self::write(catalog, write, bindings)
    }

    fn presented(
        &self,
        catalog: &Catalog,
        read: &query::Read,
        presentation: &Presentation,
        bindings: &Bindings<'_>,
    ) -> Result<Command> {
        presented(catalog, read, presentation, bindings)
    }

    fn kept(&self, catalog: &Catalog, asked: &query::Read, bindings: &Bindings<'_>) -> Result<Option<Kept>> {
        read::kept(catalog, asked, bindings)
    }

    fn counted(
        &self,
        catalog: &Catalog,
        rows: &query::Read,
        total: &query::Read,
        bindings: &Bindings<'_>,
    ) -> Result<Command> {
        presented::counted(catalog, rows, total, bindings)
    }

    fn explained(&self, command: Command, explain: &Explain) -> Result<Command> {
        explained(command, explain)
    }

    fn said(&self, session: &Session) -> Option<Command> {
        Some(presented::said(session))
    }

    fn table_name(&self, table: &catalog::Table) -> String {
        qualified(&table.name)
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
    /// The same, of the row proposed for insertion.
    Excluded(TableId),
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
    notes: Notes,
    fields: HashMap<CallerField, usize>,
    sources: HashMap<SourceId, Columns>,
    /// Constants of reads with groups: the same constant must be the same parameter, or a key is not recognized as one.
    shared: HashMap<(String, String), usize>,
    shares: bool,
    /// The call that was made already: its rows are `called`.
    called: Option<SourceId>,
}

impl<'a> Writer<'a> {
    fn new(catalog: &'a Catalog, bindings: &'a Bindings<'a>) -> Writer<'a> {
        Writer {
            catalog,
            bindings,
            text: String::with_capacity(512),
            parameters: Vec::new(),
            notes: Notes::default(),
            fields: HashMap::new(),
            sources: HashMap::new(),
            shared: HashMap::new(),
            shares: false,
            called: None,
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

    fn identifier(&mut self, name: &str) {
        quote_into(&mut self.text, name);
    }

    /// A value as a parameter, in the text form of its type.
    fn value(&mut self, value: &Value, ty: &Type) {
        let ty_name = names::type_name(ty, None);
        if value.is_null() {
            self.push("NULL::");
            return self.push(&ty_name);
        }
        let text = types::text::print(ty, value, self.bindings.session);
        let number = self.numbered(&ty_name, text);
        self.placeholder(number, &ty_name);
    }

    /// A parameter of the read.
    fn given(&mut self, index: usize, ty: &Type) -> Result<()> {
        let value =
            self.bindings.parameters.get(index).ok_or_else(|| Error::internal("statement parameter"))?;
        // Null is a word, and a shared parameter is somebody else's, too.
        if value.is_null() || self.shares {
            self.notes.fix();
        }
        self.notes.parameter(self.parameters.len(), index, ty);
        self.value(value, ty);
        Ok(())
    }

    fn numbered(&mut self, ty_name: &str, text: String) -> usize {
        if !self.shares {
            self.parameters.push(Stored::Text(text.into()));
            return self.parameters.len();
        }
        let key = (ty_name.to_owned(), text);
        if let Some(number) = self.shared.get(&key) {
            return *number;
        }
        self.parameters.push(Stored::Text(key.1.as_str().into()));
        self.shared.insert(key, self.parameters.len());
        self.parameters.len()
    }

    fn placeholder(&mut self, number: usize, ty_name: &str) {
        self.push("$");
        self.number(number);
        self.push("::");
        self.push(ty_name);
    }

    /// Something about the caller: one parameter however often it is used, or PostgreSQL's own word for it.
    fn field(&mut self, field: &CallerField) -> Result<()> {
        match field {
            CallerField::Now => self.push("pg_catalog.now()"),
            CallerField::Role => self.push("current_user::text"),
            CallerField::Login => self.push("session_user::text"),
            CallerField::Setting(name) => {
                self.push("pg_catalog.current_setting(");
                self.value(&Value::Text(name.clone()), &Type::Text);
                self.push(", true)");
            }
            CallerField::Uid | CallerField::ClaimedRole | CallerField::Email | CallerField::Claims => {
                let ty_name = names::type_name(&field.ty(), None);
                let number = match self.fields.get(field) {
                    Some(number) => *number,
                    None => {
                        self.notes.caller(self.parameters.len(), field);
                        self.parameters.push(self.bindings.caller_field(field)?);
                        self.fields.insert(field.clone(), self.parameters.len());
                        self.parameters.len()
                    }
                };
                self.placeholder(number, &ty_name);
            }
        }
        Ok(())
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

    fn table(&mut self, table: TableId) {
        let name = qualified(&self.catalog[table].name);
        self.push(&name);
    }

    fn alias(&mut self, id: SourceId) {
        self.push("t");
        self.number(id.0);
    }

    fn finish(self, outputs: Arc<[(Arc<str>, Type)]>) -> Command {
        let session = self.bindings.session.clone();
        Command {
            text: self.text.into(),
            parameters: self.parameters,
            session,
            outputs,
            counts_changes: false,
            calls: false,
        }
    }
}
