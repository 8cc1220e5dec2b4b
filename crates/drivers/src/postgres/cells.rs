//! Values to PostgreSQL and back: parameters as text, results as `render::postgres::wire` says.

use std::error::Error as StdError;

use bytes::BytesMut;
use render::postgres::{Wire, wire};
use tokio_postgres::Row;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type as SqlType, to_sql_checked};
use types::session::Session;
use types::stored::{Cell, Stored, encode};
use types::{Code, Error, Result, Type, text};

/// A parameter in the text form of its type.
#[derive(Debug)]
pub(super) struct Parameter<'a>(Option<&'a str>);

impl Parameter<'_> {
    /// A value, or null.
    pub(super) fn new(text: Option<&str>) -> Parameter<'_> {
        Parameter(text)
    }
}

/// The parameters of a command.
///
/// # Errors
/// `XX000` for a stored form that is no text.
pub(super) fn parameters(stored: &[Stored]) -> Result<Vec<Parameter<'_>>> {
    stored
        .iter()
        .map(|value| match value {
            Stored::Null => Ok(Parameter(None)),
            Stored::Text(text) => Ok(Parameter(Some(text))),
            Stored::Int(_) | Stored::Real(_) | Stored::Blob(_) => {
                Err(Error::internal("a parameter that is no text"))
            }
        })
        .collect()
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, _: &SqlType, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(text) = self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &SqlType) -> bool {
        true
    }

    fn encode_format(&self, _: &SqlType) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A result's bytes, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &SqlType, raw: &'a [u8]) -> Result<Raw<'a>, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &SqlType) -> bool {
        true
    }
}

/// The bytes of a column; `None` is null.
///
/// # Errors
/// `XX000` for a column that there is not.
pub(super) fn bytes(row: &Row, position: usize) -> Result<Option<&[u8]>> {
    let raw: Option<Raw<'_>> = row.try_get(position).map_err(Error::internal)?;
    Ok(raw.map(|raw| raw.0))
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

/// A column of a row as a stored value.
///
/// # Errors
/// `XX001` when the bytes are no value of the type.
pub(super) fn held<'a>(ty: &Type, bytes: Option<&'a [u8]>, session: &Session) -> Result<Held<'a>> {
    let Some(bytes) = bytes else { return Ok(Held::Cell(Cell::Null)) };
    Ok(Held::Cell(match wire(ty) {
        Wire::Nothing => Cell::Null,
        Wire::Binary => binary(ty, bytes).ok_or_else(|| damaged(ty))?,
        Wire::Json => Cell::Json(utf8(ty, bytes)?),
        Wire::Text => match ty {
            Type::Array(_) => {
                let value = text::parse(ty, utf8(ty, bytes)?, session)?;
                return Ok(Held::Stored(encode(ty, &value)?));
            }
            _ => Cell::Text(utf8(ty, bytes)?),
        },
    }))
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
