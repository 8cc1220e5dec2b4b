//! PostgreSQL's text to our own syntax tree, with spans and every complaint at once; and back to text.
//!
//! Pure. The parser underneath is seen by nobody else. Nothing here knows a catalog: a tree says what was written, not what it means.

pub mod ast;
pub mod body;
mod diagnostic;
mod keywords;
mod lexer;
mod parse;
pub mod print;
mod shapes;

pub use diagnostic::{Diagnostic, line_column};
pub use parse::{parse, parse_body, parse_expr, parse_query, statements};
