//! How an engine is spoken to: one implementation per family of engines.

use catalog::{Catalog, ColumnId, TableId};
use query::{Explain, Presentation, Read, Write};
use types::session::Session;
use types::{Error, Result, Value};

use crate::{Bindings, Command, Kept, SchemaDialect, Whole};

/// Writes steps as commands. The text is the same for every caller and value of one shape.
pub trait Dialect: Sync {
    /// A read.
    ///
    /// # Errors
    /// `0A000` for what the engine cannot say, `XX000` when the read was not authorized.
    fn read(&self, catalog: &Catalog, read: &Read, bindings: &Bindings<'_>) -> Result<Command>;

    /// A whole write, for an engine that does it itself.
    ///
    /// # Errors
    /// `XX000` for an engine whose writes are done in parts, or when the write was not left to the engine.
    fn write(&self, _: &Catalog, _: &Write, _: &Bindings<'_>) -> Result<Whole> {
        Err(Error::internal("a write was left to an engine that has no policies"))
    }

    /// Whole new rows, stored by one command that answers their keys in order.
    ///
    /// # Errors
    /// When a value cannot be stored; `XX000` for an engine that does whole writes.
    fn insert(&self, _: &Catalog, _: TableId, _: &[Vec<Value>], _: &Bindings<'_>) -> Result<Command> {
        Err(in_parts())
    }

    /// New values in one row, which comes after all others from then on. The command answers the row's new key.
    ///
    /// # Errors
    /// When a value cannot be stored; `XX000` for an engine that does whole writes.
    fn update(
        &self,
        _: &Catalog,
        _: TableId,
        _key: i64,
        _set: &[(ColumnId, Value)],
        _: &Bindings<'_>,
    ) -> Result<Command> {
        Err(in_parts())
    }

    /// Rows removed by one command, by their keys.
    ///
    /// # Errors
    /// `XX000` for an engine that does whole writes.
    fn delete(&self, _: &Catalog, _: TableId, _keys: &[i64], _: &Bindings<'_>) -> Result<Command> {
        Err(in_parts())
    }

    /// All rows of a table removed by one command.
    ///
    /// # Errors
    /// `XX000` for an engine that does whole writes.
    fn empty(&self, _: &Catalog, _: TableId, _: &Bindings<'_>) -> Result<Command> {
        Err(in_parts())
    }

    /// A read whose rows are given in some way.
    ///
    /// # Errors
    /// Those of a read; `0A000` for a way that the engine does not have.
    fn presented(
        &self,
        catalog: &Catalog,
        read: &Read,
        presentation: &Presentation,
        bindings: &Bindings<'_>,
    ) -> Result<Command>;

    /// A read that is to be run again, with other parameters and for other callers of the same role; `None` when its command is
    /// right for these alone.
    ///
    /// # Errors
    /// Those of a read.
    fn kept(&self, catalog: &Catalog, read: &Read, bindings: &Bindings<'_>) -> Result<Option<Kept>>;

    /// The rows of a call that may change something, and their number, which another read of the same call says: it is called
    /// once. The number comes as that of changed rows.
    ///
    /// # Errors
    /// Those of a read; `XX000` for an engine that runs no functions.
    fn counted(&self, _: &Catalog, _rows: &Read, _total: &Read, _: &Bindings<'_>) -> Result<Command> {
        Err(Error::internal("a function was left to an engine that runs none"))
    }

    /// What tells how a command would run: rows of one text, a line each, or of a node's number, that of the node above it,
    /// nothing, and the node's text.
    ///
    /// # Errors
    /// `0A000` for what the engine does not tell.
    fn explained(&self, command: Command, explain: &Explain) -> Result<Command>;

    /// What asks the database for the reply that its functions want, and forgets it: rows of a setting's name and its value.
    /// `None` where functions are run by us, and the session knows.
    fn said(&self, _: &Session) -> Option<Command> {
        None
    }

    /// The stored name of a table, as the engine's failures say it.
    fn table_name(&self, table: &catalog::Table) -> String;

    /// How its stored schema is changed.
    fn schema(&self) -> &dyn SchemaDialect;
}

fn in_parts() -> Error {
    Error::internal("a write was cut into parts for an engine that does it whole")
}
