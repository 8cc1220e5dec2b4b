//! Values to PostgreSQL and back: parameters as text, results as `render::postgres::wire` says.

use render::postgres::{Wire, wire};
use types::session::Session;
use types::stored::{Cell, Stored, encode};
use types::{Code, Error, Result, Type, text};

/// A parameter in the text form of its type; `None` is null.
///
/// # Errors
/// `XX000` for a stored form that is no text.
pub(super) fn parameter(stored: &Stored) -> Result<Option<&str>> {
    match stored {
        Stored::Null => Ok(None),
        Stored::Text(text) => Ok(Some(text)),
        Stored::Int(_) | Stored::Real(_) | Stored::Blob(_) => {
            Err(Error::internal("a parameter that is no text"))
        }
    }
}

/// The columns of a row as it came, one after the other.
pub(super) struct Columns<'a>(&'a [u8]);

impl<'a> Columns<'a> {
    /// Of a message's body, which begins with their number.
    pub(super) fn of(body: &'a [u8]) -> Columns<'a> {
        Columns(body.get(2..).unwrap_or_default())
    }

    /// The bytes of the next column; `None` is null.
    ///
    /// # Errors
    /// `XX000` for a column that there is not.
    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>> {
        let missing = || Error::internal("a column that there is not");
        let (length, rest) = self.0.split_first_chunk().ok_or_else(missing)?;
        // Null has the length -1.
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Ok(None);
        };
        let (bytes, rest) = rest.split_at_checked(length).ok_or_else(missing)?;
        self.0 = rest;
        Ok(Some(bytes))
    }
}

/// A cell, or what a cell is to refer to.
pub(super) enum Held<'a> {
    /// The cell itself.
    Cell(Cell<'a>),
    /// A value that was read and stored anew.
    Stored(Stored),
}

impl Held<'_> {
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Held::Cell(cell) => *cell,
            Held::Stored(stored) => stored.as_cell(),
        }
    }
}

/// Whether values of a type are read and stored anew.
pub(super) fn is_made(ty: &Type) -> bool {
    matches!((ty, wire(ty)), (Type::Array(_), Wire::Text))
}

/// A column of a row as a stored value.
///
/// # Errors
/// `XX001` when the bytes are no value of the type.
pub(super) fn held<'a>(ty: &Type, bytes: Option<&'a [u8]>, session: &Session) -> Result<Held<'a>> {
    match bytes.filter(|_| is_made(ty)) {
        None => cell(ty, bytes).map(Held::Cell),
        Some(bytes) => {
            let value = text::parse(ty, utf8(ty, bytes)?, session)?;
            Ok(Held::Stored(encode(ty, &value)?))
        }
    }
}

/// The same of a type whose values are not made anew.
///
/// # Errors
/// As [`held`].
pub(super) fn cell<'a>(ty: &Type, bytes: Option<&'a [u8]>) -> Result<Cell<'a>> {
    let Some(bytes) = bytes else { return Ok(Cell::Null) };
    Ok(match wire(ty) {
        Wire::Nothing => Cell::Null,
        Wire::Binary => binary(ty, bytes).ok_or_else(|| damaged(ty))?,
        Wire::Json => Cell::Json(utf8(ty, bytes)?),
        Wire::Text => Cell::Text(utf8(ty, bytes)?),
    })
}

fn damaged(ty: &Type) -> Error {
    Error::new(Code::DATA_CORRUPTED, "PostgreSQL's answer is no value of its type")
        .with_cause(format!("{ty:?}"))
}

fn utf8<'a>(ty: &Type, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| damaged(ty))
}

/// The binary forms that are the stored forms: of integers and times big-endian integers.
fn binary<'a>(ty: &Type, bytes: &'a [u8]) -> Option<Cell<'a>> {
    Some(match ty {
        Type::Bool => Cell::Int(i64::from(*bytes.first()? != 0)),
        Type::Int2 => Cell::Int(i64::from(i16::from_be_bytes(bytes.try_into().ok()?))),
        Type::Int4 | Type::Date => Cell::Int(i64::from(i32::from_be_bytes(bytes.try_into().ok()?))),
        Type::Int8 | Type::Time | Type::Timestamp | Type::Timestamptz => {
            Cell::Int(i64::from_be_bytes(bytes.try_into().ok()?))
        }
        Type::Float4 => float(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        Type::Float8 => float(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::Bytea => Cell::Blob(bytes),
        _ => return None,
    })
}

fn float(value: f64) -> Cell<'static> {
    if value.is_nan() { Cell::Text("NaN") } else { Cell::Real(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_one_after_the_other() {
        let body = [&[0, 3][..], &[0, 0, 0, 2, 7, 8], &[255; 4], &[0; 4]].concat();
        let mut columns = Columns::of(&body);
        assert_eq!(columns.next().unwrap(), Some(&[7, 8][..]));
        assert_eq!(columns.next().unwrap(), None);
        assert_eq!(columns.next().unwrap(), Some(&[][..]));
        assert!(columns.next().is_err());
        assert!(Columns::of(&[0, 1, 0, 0, 0, 9, 1]).next().is_err());
    }
}
