//! Type categories, implicit conversions, and the common type of several expressions (PostgreSQL 10.2, 10.5).

use types::ty::format_type;
use types::{Code, Error, Result, Type, cast};

/// PostgreSQL's type categories, by their letters in `pg_type`.
pub(crate) fn category(ty: &Type) -> char {
    match ty {
        Type::Bool => 'B',
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric => 'N',
        Type::Text | Type::Varchar | Type::Bpchar | Type::Citext => 'S',
        Type::Date | Type::Time | Type::Timetz | Type::Timestamp | Type::Timestamptz => 'D',
        Type::Interval => 'T',
        Type::Inet | Type::Cidr => 'I',
        Type::Bit | Type::Varbit => 'V',
        Type::Enum(_) => 'E',
        Type::Range(_) => 'R',
        Type::Array(_) => 'A',
        Type::Composite(_) => 'C',
        Type::Unknown => 'X',
        Type::Void => 'P',
        Type::Uuid
        | Type::Bytea
        | Type::Json
        | Type::Jsonb
        | Type::Tsvector
        | Type::Tsquery
        | Type::Jsonpath
        | Type::Vector
        | Type::Opaque(_) => 'U',
    }
}

/// Whether the type is preferred in its category.
pub(crate) fn preferred(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Bool
            | Type::Float8
            | Type::Text
            | Type::Timestamptz
            | Type::Interval
            | Type::Inet
            | Type::Varbit
    )
}

/// Whether an expression of one type may stand where another is wanted, without a cast being written.
pub(super) fn converts(from: &Type, to: &Type) -> bool {
    cast::context(from, to) == Some(cast::Context::Implicit)
}

/// The common type, when there is one: for families whose members must agree.
pub(super) fn common_type_or_none(types: &[Type]) -> Option<Type> {
    let common = select(types).ok()?;
    types.iter().all(|ty| converts(ty, &common)).then_some(common)
}

/// The type of `union`, `case`, `coalesce`, `values`, `array[…]`, `greatest` and `in` over expressions of these types.
///
/// # Errors
/// `42804` when two are of different categories, `42846` when one has no implicit conversion to the common type;
/// `context` is the word that the message begins with: `CASE`, `UNION`, `VALUES`, `COALESCE`, `ARRAY`.
pub fn common_type(context: &str, types: &[Type]) -> Result<Type> {
    let common = select(types).map_err(|(left, right)| {
        let (left, right) = (format_type(&left, None), format_type(&right, None));
        Error::new(Code::DATATYPE_MISMATCH, format!("{context} types {left} and {right} cannot be matched"))
    })?;
    match types.iter().find(|ty| !converts(ty, &common)) {
        None => Ok(common),
        Some(odd) => {
            let (odd, common) = (format_type(odd, None), format_type(&common, None));
            Err(Error::new(
                Code::CANNOT_COERCE,
                format!("{context} could not convert type {odd} to {common}"),
            ))
        }
    }
}

/// The candidate: the first known type, replaced by a later one that it converts to but that does not convert back.
fn select(types: &[Type]) -> Result<Type, (Type, Type)> {
    let mut known = types.iter().filter(|ty| **ty != Type::Unknown);
    let Some(mut common) = known.next() else { return Ok(Type::Text) };
    for ty in known.filter(|ty| !matches!(ty, Type::Unknown)) {
        if ty == common {
            continue;
        }
        if category(ty) != category(common) {
            return Err((common.clone(), ty.clone()));
        }
        if !preferred(common) && converts(common, ty) && !converts(ty, common) {
            common = ty;
        }
    }
    Ok(common.clone())
}
