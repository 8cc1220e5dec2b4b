//! What a step may cost.

use std::fmt;

use types::{Modifier, Type};

use crate::Column;

/// What a step may cost, with the reason.
#[derive(Clone, Debug, PartialEq)]
pub enum Danger {
    /// Nothing.
    None,
    /// The table cannot be used while its rows are read or written.
    Locks(String),
    /// Existing rows may not allow it; then nothing changes.
    MayFail(String),
    /// Stored values are gone afterwards.
    Loses(String),
}

impl Danger {
    /// From harmless to worst.
    pub fn rank(&self) -> u8 {
        match self {
            Danger::None => 0,
            Danger::Locks(_) => 1,
            Danger::MayFail(_) => 2,
            Danger::Loses(_) => 3,
        }
    }

    /// The worse of two.
    #[must_use]
    pub(super) fn or(self, other: Danger) -> Danger {
        if other.rank() > self.rank() { other } else { self }
    }
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Danger::None => Ok(()),
            Danger::Locks(reason) => write!(f, " Locks: {reason}."),
            Danger::MayFail(reason) => write!(f, " May fail: {reason}."),
            Danger::Loses(reason) => write!(f, " Loses: {reason}."),
        }
    }
}

/// What a change of a column's type may cost.
pub(super) fn of_type_change(old: &Column, new: &Column) -> Danger {
    if widens(&old.ty, &new.ty) && modifier_widens(old, new) {
        return Danger::Locks(format!("every value of {} is rewritten", new.name));
    }
    if is_text(&old.ty) && is_text(&new.ty) {
        return Danger::MayFail(format!("a value of {} may be too long", new.name));
    }
    if is_lossy(&old.ty, &new.ty) || narrows_digits(old, new) {
        return Danger::Loses(format!("values of {} are cut or rounded to the new type", new.name));
    }
    Danger::MayFail(format!("a value of {} may not be one of the new type", new.name))
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Varchar | Type::Bpchar | Type::Citext)
}

/// Whether every value of `old` is one of `new`, modifiers aside.
fn widens(old: &Type, new: &Type) -> bool {
    let digits = |ty: &Type| match ty {
        Type::Int2 => Some(2),
        Type::Int4 => Some(4),
        Type::Int8 => Some(8),
        Type::Numeric => Some(100),
        _ => None,
    };
    match (digits(old), digits(new)) {
        (Some(old), Some(new)) => old <= new,
        _ => old == new || matches!(new, Type::Text | Type::Varchar) || is_plain_widening(old, new),
    }
}

fn is_plain_widening(old: &Type, new: &Type) -> bool {
    matches!(
        (old, new),
        (Type::Float4 | Type::Int2, Type::Float8)
            | (Type::Int4, Type::Float8)
            | (Type::Date, Type::Timestamp | Type::Timestamptz)
            | (Type::Json, Type::Jsonb)
    )
}

/// Whether the new modifier allows whatever the old one did.
fn modifier_widens(old: &Column, new: &Column) -> bool {
    match (old.modifier, new.modifier) {
        (_, None) => true,
        (Some(Modifier::Length(old)), Some(Modifier::Length(new))) => old <= new,
        (Some(Modifier::Fraction(old)), Some(Modifier::Fraction(new))) => old <= new,
        (
            Some(Modifier::Precision { precision, scale }),
            Some(Modifier::Precision { precision: digits, scale: fraction }),
        ) => {
            let whole = |precision: u16, scale: i16| i32::from(precision) - i32::from(scale);
            scale <= fraction && whole(precision, scale) <= whole(digits, fraction)
        }
        _ => false,
    }
}

/// Whether a cast that succeeds may still forget something.
fn is_lossy(old: &Type, new: &Type) -> bool {
    let is_integer = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
    match (old, new) {
        (Type::Float4 | Type::Float8 | Type::Numeric, new) if is_integer(new) => true,
        (Type::Numeric | Type::Float8 | Type::Int8, Type::Float4 | Type::Float8) => true,
        (Type::Timestamp | Type::Timestamptz, Type::Date | Type::Time) => true,
        (Type::Timestamptz, Type::Timestamp) => true,
        _ => false,
    }
}

/// Whether digits of a fraction are rounded away.
fn narrows_digits(old: &Column, new: &Column) -> bool {
    let fraction = |column: &Column| match column.modifier {
        Some(Modifier::Precision { scale, .. }) => i32::from(scale),
        Some(Modifier::Fraction(digits)) => i32::from(digits),
        Some(Modifier::Length(_)) | None => i32::MAX,
    };
    old.ty == new.ty && fraction(new) < fraction(old)
}
