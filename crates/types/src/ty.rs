//! The types of expressions and columns.
//!
//! A `Type` carries no modifier (`varchar(10)` is `Varchar`); a column's length, precision or scale
//! is its [`Modifier`], enforced when a value is stored or cast, as in PostgreSQL.

use std::sync::Arc;

use crate::Name;

/// The type of a value, as PostgreSQL resolves expressions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// `text`
    Text,
    /// `character varying`
    Varchar,
    /// `character(n)`
    Bpchar,
    /// `citext`
    Citext,
    /// `uuid`
    Uuid,
    /// `bytea`
    Bytea,
    /// `json`: text kept as written
    Json,
    /// `jsonb`: normalized
    Jsonb,
    /// `date`
    Date,
    /// `time without time zone`
    Time,
    /// `time with time zone`
    Timetz,
    /// `timestamp without time zone`
    Timestamp,
    /// `timestamp with time zone`
    Timestamptz,
    /// `interval`
    Interval,
    /// `inet`
    Inet,
    /// `cidr`
    Cidr,
    /// `tsvector`
    Tsvector,
    /// `tsquery`
    Tsquery,
    /// A range over a subtype (`int4range`, `int8range`, `numrange`, `daterange`, `tsrange`, `tstzrange`).
    Range(Arc<Type>),
    /// An enumerated type with its labels in order.
    Enum(Arc<EnumType>),
    /// A row of a table or a composite type.
    Composite(Name),
    /// An array; PostgreSQL does not fix the number of dimensions.
    Array(Arc<Type>),
    /// A type known by name only: its values pass through as text and nothing can be computed with them.
    Opaque(Name),
    /// The type of an untyped literal before resolution.
    Unknown,
    /// No value.
    Void,
}

/// An enumerated type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// Its name.
    pub name: Name,
    /// Its labels, in sort order.
    pub labels: Vec<Arc<str>>,
}

/// What a column's type adds to its [`Type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// `varchar(n)`, `char(n)`: characters.
    Length(u32),
    /// `numeric(precision, scale)`: digits.
    Precision {
        /// All digits.
        precision: u16,
        /// Digits after the point; may be negative.
        scale: i16,
    },
    /// `time(p)`, `timestamp(p)`: digits of the fraction of a second.
    Fraction(u8),
}

impl Type {
    /// An array of this type.
    pub fn array(self) -> Type {
        Type::Array(Arc::new(self))
    }

    /// Whether values are character strings of category `S` in PostgreSQL's type categories.
    pub fn is_string(&self) -> bool {
        matches!(self, Type::Text | Type::Varchar | Type::Bpchar | Type::Citext)
    }

    /// Whether values are numbers of category `N`.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric
        )
    }
}
