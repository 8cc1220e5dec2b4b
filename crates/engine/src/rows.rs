//! Rows kept in memory: for statements of our own, whose results are small and read by us.

use program::Held;
use types::stored::{Cell, decode};
use types::{Result, Type, Value};

use crate::Sink;

/// A sink that keeps the values of every row.
#[derive(Debug, Default)]
pub struct Values {
    types: Vec<Type>,
    rows: Vec<Vec<Value>>,
    held: Held,
}

impl Values {
    /// For rows of columns of these types.
    pub fn of(types: impl IntoIterator<Item = Type>) -> Values {
        Values { types: types.into_iter().collect(), ..Values::default() }
    }

    /// The same for rows that a function holds.
    pub(crate) fn held(types: impl IntoIterator<Item = Type>, held: Held) -> Values {
        Values { held, ..Values::of(types) }
    }

    /// The rows received, and what they hold of memory.
    pub(crate) fn into_held(self) -> (Vec<Vec<Value>>, Held) {
        (self.rows, self.held)
    }

    /// The rows received.
    pub fn into_rows(self) -> Vec<Vec<Value>> {
        self.rows
    }
}

impl Sink for Values {
    fn row(&mut self, _: usize, cells: &[Cell<'_>]) -> Result<()> {
        let values = self.types.iter().zip(cells).map(|(ty, cell)| decode(ty, *cell));
        let row = values.collect::<Result<Vec<_>>>()?;
        self.held.row(&row)?;
        self.rows.push(row);
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.clear();
    }
}
