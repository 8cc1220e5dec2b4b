//! The words every crate speaks: types, values, names, spans, errors, limits, capabilities.
//!
//! Pure: no clock, no randomness, no IO, no environment. Text forms are PostgreSQL's, to the byte.
//! What a word means to a table or a request is said elsewhere; nothing here knows a catalog.

pub mod array;
pub mod capabilities;
pub mod cast;
pub mod codes;
pub mod compare;
pub mod crc;
pub mod datetime;
pub mod error;
pub mod extract;
pub mod interval;
pub mod json;
pub mod json_value;
pub mod jsonpath;
pub mod limits;
pub mod moment;
pub mod name;
pub mod numeric;
pub mod range;
pub mod record;
pub mod search;
pub mod session;
mod shortest;
pub mod signature;
pub mod sort_key;
pub mod span;
pub mod stored;
pub mod text;
pub mod timetz;
pub mod ty;
pub mod value;
pub mod vector;

pub use capabilities::Capabilities;
pub use codes::Code;
pub use error::{Error, Named, Result};
pub use limits::Limits;
pub use name::Name;
pub use span::Span;
pub use ty::{Field, Modifier, Type};
pub use value::Value;
