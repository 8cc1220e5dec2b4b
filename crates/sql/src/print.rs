//! Trees back to PostgreSQL's text. Operands are put in parentheses wherever precedence could matter.
//!
//! What is printed is read as the same tree again. What a tree keeps only by its leading words is not printed: see
//! [`statement()`].

use crate::ast::{ObjectName, TypeName};
use crate::keywords::is_keyword;

mod alter;
mod data;
mod expr;
mod object;
mod privilege;
mod query;
mod routine;
mod statement;
mod table;

pub use expr::expr;
pub use query::query;
pub use statement::statement;
pub use table::partition_by;

/// An identifier, quoted where it must be.
pub fn quote_ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c == '_' || c.is_ascii_lowercase())
        && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
        && !is_keyword(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A string literal.
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A possibly qualified name.
pub fn object_name(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quote_ident(schema), quote_ident(&name.name)),
        None => quote_ident(&name.name),
    }
}

/// A type.
pub fn type_name(ty: &TypeName) -> String {
    let mut out = if ty.setof { "setof ".to_owned() } else { String::new() };
    out += &match (&ty.name.schema, ty.name.name.as_str()) {
        (None, "char") => "\"char\"".to_owned(),
        (None, name @ ("bit" | "interval" | "numeric" | "time" | "timestamp" | "varchar")) => name.to_owned(),
        _ => object_name(&ty.name),
    };
    if let Some(column) = &ty.of_column {
        out += &format!(".{}%type", quote_ident(column));
    }
    if !ty.modifiers.is_empty() {
        out += &format!("({})", ty.modifiers.join(", "));
    }
    out + &"[]".repeat(usize::from(ty.array_dims))
}

fn list<T>(items: &[T], print: impl Fn(&T) -> String) -> String {
    items.iter().map(print).collect::<Vec<_>>().join(", ")
}

fn names(parts: &[String]) -> String {
    parts.iter().map(|part| quote_ident(part)).collect::<Vec<_>>().join(".")
}

/// Identifiers in parentheses.
fn columns(names: &[String]) -> String {
    format!("({})", list(names, |name| quote_ident(name)))
}

/// The same with a space in front; nothing of nothing.
fn columns_if_any(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" {}", columns(names)) }
}

fn object_names(names: &[ObjectName]) -> String {
    list(names, object_name)
}

/// A word with a space behind it, or nothing.
fn when(said: bool, word: &str) -> String {
    if said { format!("{word} ") } else { String::new() }
}

/// Something behind a word, with a space in front, or nothing.
fn clause<T>(word: &str, value: Option<&T>, print: impl Fn(&T) -> String) -> String {
    value.map(|value| format!(" {word} {}", print(value))).unwrap_or_default()
}
