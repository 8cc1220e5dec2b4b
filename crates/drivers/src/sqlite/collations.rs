//! Collations: the order of types whose stored text does not order as the values do.

use std::cmp::Ordering;

use rusqlite::Connection;
use types::stored::{Cell, decode};
use types::{Type, compare};

/// Collation names and the types whose stored text they compare. `render` uses the same names.
const TABLE: &[(&str, Type)] = &[
    ("pg_numeric", Type::Numeric),
    ("pg_interval", Type::Interval),
    ("pg_jsonb", Type::Jsonb),
    ("pg_citext", Type::Citext),
];

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    for (name, ty) in TABLE {
        connection.create_collation(*name, move |left, right| order(ty, left, right))?;
    }
    Ok(())
}

/// Text that is no value of the type (it cannot be stored) compares as text, so that the order stays total.
fn order(ty: &Type, left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (decode(ty, Cell::Text(left)), decode(ty, Cell::Text(right))) {
        (Ok(left), Ok(right)) => compare::compare(ty, &left, &right),
        _ => left.cmp(right),
    }
}
