//! Rows kept in memory: for statements of our own, whose results are small and read by us.

use types::stored::{Cell, decode};
use types::{Result, Type, Value};

use crate::Sink;

/// A sink that keeps the values of every row.
#[derive(Debug, Default)]
pub struct Values {
    types: Vec<Type>,
    rows: Vec<Vec<Value>>,
}

impl Values {
    /// For rows of columns of these types.
    pub fn of(types: impl IntoIterator<Item = Type>) -> Values {
        Values { types: types.into_iter().collect(), rows: Vec::new() }
    }

    /// The rows received.
    pub fn into_rows(self) -> Vec<Vec<Value>> {
        self.rows
    }
}

impl Sink for Values {
    fn row(&mut self, _: usize, cells: &[Cell<'_>]) -> Result<()> {
        let values = self.types.iter().zip(cells).map(|(ty, cell)| decode(ty, *cell));
        self.rows.push(values.collect::<Result<_>>()?);
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.clear();
    }
}
