//! Where the rows of a request go, and what its reply says of them.

use engine::{Applied, Sink};
use rest::respond::{Column, Outcome, Rows, key_values};
use types::Result;
use types::session::Session;
use types::stored::Cell;

/// To how many rows the result of a function is held.
pub(super) struct Called {
    /// Exactly one row is asked for.
    pub(super) single: bool,
    pub(super) affected_max: Option<u64>,
}

/// Receives the rows of a reply and, from the command after theirs, their exact number.
pub(super) struct Answer {
    pub(super) rows: Rows,
    /// Which command gives the rows. Those before are statements of a function that nobody sees.
    pub(super) rows_at: usize,
    /// Whether a function is called.
    pub(super) called: Option<Called>,
    /// The columns of a key that is all that is read of a written row.
    pub(super) key: Vec<Column>,
    pub(super) session: Session,
    pub(super) keys: u64,
    /// The key, while there is only one.
    pub(super) location: Vec<(String, Option<String>)>,
    pub(super) total: Option<u64>,
    /// With an estimate after the exact number: up to which number that is believed.
    pub(super) exact_max: Option<u64>,
}

impl Answer {
    /// What a request that changed nothing comes to.
    pub(super) fn read(self) -> Result<Outcome> {
        let (rows, total) = (self.rows.count(), self.total);
        Ok(Outcome { rows, total, body: self.rows.finish()?, ..Outcome::default() })
    }

    /// What any other comes to, of what each of its steps did. What was committed is never answered by an error: the write
    /// itself was held to one row where one is asked for.
    pub(super) fn written(self, applied: &[Applied]) -> Outcome {
        let (rows, total, called) = (self.rows.count(), self.total, self.called.is_some());
        let body = self.rows.finish().unwrap_or_default();
        if called {
            return Outcome { rows, total, body, ..Outcome::default() };
        }
        let Applied { affected, inserted } = applied.get(self.rows_at).copied().unwrap_or_default();
        Outcome { rows: affected, inserted, location: self.location, body, ..Outcome::default() }
    }
}

impl Answer {
    /// Takes the exact number of rows, or the plan that says how many are expected.
    fn counted(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        match cells {
            [Cell::Int(total)] => self.total = u64::try_from(*total).ok(),
            [Cell::Text(plan)] => {
                let expected = rest::respond::expected_rows(plan)?;
                self.total = match (self.total, self.exact_max) {
                    (None, _) => Some(expected),
                    (Some(exact), Some(most)) if exact > most => Some(exact.max(expected)),
                    (exact, _) => exact,
                };
            }
            _ => {}
        }
        Ok(())
    }
}

impl Sink for Answer {
    fn row(&mut self, command: usize, cells: &[Cell<'_>]) -> Result<()> {
        if command < self.rows_at {
            return Ok(());
        }
        if command > self.rows_at {
            return self.counted(cells);
        }
        if self.key.is_empty() {
            return self.rows.row(cells);
        }
        self.keys += 1;
        let key = self.key.iter().zip(cells).map(|(column, cell)| (&*column.name, &column.ty, *cell));
        self.location = if self.keys == 1 { key_values(key, &self.session)? } else { Vec::new() };
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.restart();
        self.keys = 0;
        self.location.clear();
        self.total = None;
    }

    fn end(&mut self) -> Result<()> {
        let rows = self.rows.count();
        match &self.called {
            Some(called) if called.single && rows != 1 => Err(rest::respond::not_singular(rows)),
            Some(called) if called.affected_max.is_some_and(|most| rows > most) => {
                Err(rest::respond::too_many_affected(rows))
            }
            Some(_) | None => Ok(()),
        }
    }
}
