//! What was made of a catalog for those who look into its system relations: numbers of objects, rows, and where rows are.
//!
//! It stays with its catalog and is never another's: a copy of a catalog begins with nothing, and whoever changes a catalog
//! forgets it first.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use types::Value;

use super::{Numbers, Objects, SystemRelation};
use crate::Catalog;

/// What was made of a catalog.
#[derive(Default)]
pub struct Found {
    numbers: OnceLock<Arc<Numbers>>,
    relations: Mutex<HashMap<Known, Arc<Rows>>>,
}

/// A system relation, by its schema and name.
type Known = (&'static str, &'static str);

impl Found {
    /// Nothing is known of a catalog that changes.
    pub(crate) fn forget(&mut self) {
        *self = Found::default();
    }

    pub(super) fn numbers(&self, catalog: &Catalog) -> Arc<Numbers> {
        self.numbers.get_or_init(|| Arc::new(Numbers::of(catalog))).clone()
    }

    pub(super) fn rows(&self, relation: &SystemRelation, catalog: &Catalog) -> Arc<Rows> {
        let known = (relation.schema, relation.name);
        let locked = || self.relations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = locked().get(&known) {
            return rows.clone();
        }
        let rows = Arc::new(Rows::of((relation.rows)(&Objects::of(catalog)), relation.columns.len()));
        locked().entry(known).or_insert(rows).clone()
    }
}

/// A copy is there to be changed.
impl Clone for Found {
    fn clone(&self) -> Found {
        Found::default()
    }
}

/// It says nothing that its catalog does not.
impl PartialEq for Found {
    fn eq(&self, _: &Found) -> bool {
        true
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found")
    }
}

/// The rows of a system relation, which nobody changes.
pub struct Rows {
    rows: Vec<Arc<[Value]>>,
    places: Vec<OnceLock<HashMap<Word, Vec<usize>>>>,
}

/// A value that rows are looked for by.
#[derive(PartialEq, Eq, Hash)]
enum Word {
    Int(i64),
    Text(Arc<str>),
}

impl Word {
    fn of(value: &Value) -> Option<Word> {
        match value {
            Value::Int(number) => Some(Word::Int(*number)),
            Value::Text(text) => Some(Word::Text(text.clone())),
            _ => None,
        }
    }
}

impl Rows {
    fn of(rows: Vec<Vec<Value>>, columns: usize) -> Rows {
        let rows = rows.into_iter().map(Arc::from).collect();
        Rows { rows, places: (0..columns).map(|_| OnceLock::new()).collect() }
    }

    /// The rows, in order.
    pub fn all(&self) -> &[Arc<[Value]>] {
        &self.rows
    }

    /// Which rows have a number or text in a column, in order; `None` for another value, or no such column.
    pub fn with(&self, column: usize, value: &Value) -> Option<&[usize]> {
        let wanted = Word::of(value)?;
        let places = self.places.get(column)?.get_or_init(|| self.places_of(column));
        Some(places.get(&wanted).map_or(&[], Vec::as_slice))
    }

    /// The rows in some places.
    pub fn at<'r>(&'r self, places: &'r [usize]) -> impl Iterator<Item = &'r Arc<[Value]>> {
        places.iter().filter_map(|at| self.rows.get(*at))
    }

    fn places_of(&self, column: usize) -> HashMap<Word, Vec<usize>> {
        let mut places: HashMap<Word, Vec<usize>> = HashMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            if let Some(word) = row.get(column).and_then(Word::of) {
                places.entry(word).or_default().push(at);
            }
        }
        places
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.rows.len())
    }
}
