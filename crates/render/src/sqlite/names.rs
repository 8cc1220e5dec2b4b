//! Names on SQLite: of stored objects, of registered functions and collations.

use catalog::Table;
use types::{Name, Type};

pub use crate::quoted::quote;

/// A function that the driver registers besides the rows of `query::functions`.
///
/// Those that are generic over types take the types' signature (`types::signature`) as first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// `(from;to;modifier;explicit, value)`: a conversion.
    Cast,
    /// `(type, a, b)`: -1, 0, 1 or null.
    Compare,
    /// `(type, a, b, …)`: the greatest that is not null.
    Greatest,
    /// `(type, a, b, …)`: the least that is not null.
    Least,
    /// `(operator;type, value, array)`: `value operator any (array)`.
    AnyOf,
    /// `(operator;type, value, array)`: `value operator all (array)`.
    AllOf,
    /// `(symbol;type, value, array)`: any element makes the function true.
    AnyBy,
    /// `(symbol;type, value, array)`: all elements make the function true.
    AllBy,
    /// `(type, a, b, …)`: an array of elements.
    Array,
    /// `(type, a, b, …)`: an array of arrays of the type.
    Arrays,
    /// `(signature, value, …)` with names: one row as a JSON object.
    JsonRow,
    /// The same as an aggregate: an array of objects.
    JsonRows,
    /// `(signature, value)` as an aggregate: an array of values.
    JsonValues,
    /// `(type, a)`: bytes that order as the values do, the same for equal values.
    Key,
    /// `(value, …)` as an aggregate: rows as a JSON array of arrays of stored values.
    Pack,
    /// `(name;not null;check;…, value, condition, …)`: the value of a domain, unless a condition is false.
    Domain,
    /// `(type;name, row)`: a field of a row that is kept as a JSON object.
    Field,
    /// `(row, position)`: a stored value of such a row.
    Cell,
    /// `(widths, rows, …)`: several such arrays side by side.
    Zip,
    /// `(words;types, argument, …, kept, start, end, key, …)` over all rows of a partition: a function of a frame that is counted here.
    Framed,
    /// `()` raises "more than one row returned by a subquery".
    SingleRow,
    /// `(function;role;result;types, value, …)`: calls a declared function that is interpreted.
    Call,
    /// The same of one that may say something else each time.
    CallVolatile,
}

impl Special {
    /// All of them.
    pub const ALL: &'static [(Special, &'static str)] = &[
        (Special::Cast, "bp_cast"),
        (Special::Compare, "bp_compare"),
        (Special::Greatest, "bp_greatest"),
        (Special::Least, "bp_least"),
        (Special::AnyOf, "bp_any_of"),
        (Special::AllOf, "bp_all_of"),
        (Special::AnyBy, "bp_any_by"),
        (Special::AllBy, "bp_all_by"),
        (Special::Array, "bp_array"),
        (Special::Arrays, "bp_arrays"),
        (Special::JsonRow, "bp_json_row"),
        (Special::JsonRows, "bp_json_rows"),
        (Special::JsonValues, "bp_json_values"),
        (Special::Key, "bp_key"),
        (Special::Pack, "bp_pack"),
        (Special::Domain, "bp_domain"),
        (Special::Field, "bp_field"),
        (Special::Cell, "bp_cell"),
        (Special::Zip, "bp_zip"),
        (Special::Framed, "bp_framed"),
        (Special::SingleRow, "bp_single_row"),
        (Special::Call, "bp_call"),
        (Special::CallVolatile, "bp_call_volatile"),
    ];

    /// The name it is registered under.
    pub fn name(self) -> &'static str {
        Special::ALL.iter().find(|(special, _)| *special == self).map_or("", |(_, name)| name)
    }
}

/// The collation that compares stored values of a type as PostgreSQL compares the values; `None` where bytes do.
///
/// Types that no collation can compare (`None` and not `native`) go through [`Special::Compare`].
pub fn collation(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Numeric => Some("pg_numeric"),
        Type::Interval => Some("pg_interval"),
        Type::Jsonb => Some("pg_jsonb"),
        Type::Citext => Some("pg_citext"),
        Type::Bpchar => Some("RTRIM"),
        _ => None,
    }
}

/// Whether values are kept as text, so that a collation decides how they compare.
pub(super) fn is_text(ty: &Type) -> bool {
    let is_number =
        matches!(ty, Type::Bool | Type::Int2 | Type::Int4 | Type::Int8 | Type::Bytea | Type::Vector);
    let is_moment = matches!(ty, Type::Date | Type::Time | Type::Timestamp | Type::Timestamptz);
    !is_number && !is_moment
}

/// Whether `distinct` and `group by` find equal values without being told how.
pub(super) fn is_distinct_natively(ty: &Type) -> bool {
    native_equality(ty) && collation(ty).is_none()
}

/// Whether stored values of a type order natively (with the type's collation) as PostgreSQL orders the values.
pub(super) fn native(ty: &Type) -> bool {
    let is_declared =
        matches!(ty, Type::Array(_) | Type::Range(_) | Type::Enum(_) | Type::Composite(_) | Type::Opaque(_));
    let is_text = matches!(
        ty,
        Type::Inet | Type::Cidr | Type::Tsvector | Type::Tsquery | Type::Jsonpath | Type::Timetz
    );
    !is_declared && !is_text && *ty != Type::Vector
}

/// Whether equality of stored values (with the type's collation) is equality of the values.
pub(super) fn native_equality(ty: &Type) -> bool {
    match ty {
        Type::Enum(_) | Type::Opaque(_) | Type::Inet | Type::Cidr | Type::Tsvector => true,
        // Conditions that differ in prefixes and weights alone are equal.
        Type::Tsquery => false,
        Type::Range(subtype) => !matches!(**subtype, Type::Numeric),
        Type::Array(element) => is_kept_alike(element),
        ty => native(ty),
    }
}

/// Whether equal values of the type are the same text within another value.
pub(super) fn is_kept_alike(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Bool
            | Type::Int2
            | Type::Int4
            | Type::Int8
            | Type::Text
            | Type::Varchar
            | Type::Uuid
            | Type::Enum(_)
    )
}

/// The stored name of a table: schema and name, a dot between them. Schema names with dots are refused when tables are made.
pub fn table_name(name: &Name) -> String {
    format!("{}.{}", name.schema, name.name)
}

/// The stored name of an index: in its table's schema.
pub fn index_name(schema: &str, index: &str) -> String {
    format!("{schema}.{index}")
}

/// What ends the stored name of a unique index's second half: the rows with nulls, where nulls are not distinct.
pub const NULLS: &str = "~nulls";

/// The stored name of the check that `match full` is.
pub fn match_full_name(table: &Name, key: &str) -> String {
    format!("{}~{key}~full", table.name)
}

/// The table's own name and the foreign key that a check of `match full` belongs to.
pub fn split_match_full(name: &str) -> Option<(&str, &str)> {
    name.strip_suffix("~full")?.split_once('~')
}

/// The stored name of a column: its own.
pub fn column_name(table: &Table, column: catalog::ColumnId) -> &str {
    &table[column].name
}

/// The name by which a table's implicit key can be asked for: the first of SQLite's three that no column shadows.
pub fn row_key(table: &Table) -> &'static str {
    ["rowid", "_rowid_", "oid"]
        .into_iter()
        .find(|key| !table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(key)))
        .unwrap_or("rowid")
}

/// A word between semicolons.
pub(super) fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace(';', "\\;")
}
