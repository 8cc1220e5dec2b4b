//! Fields of CSV: PostgreSQL's text form of a row, without its parentheses.

use types::session::Session;
use types::stored::{Cell, decode};
use types::{Result, Type, text};

/// Appends one field; null is nothing at all.
///
/// # Errors
/// `XX001` when the cell is no stored form of the type.
pub(super) fn field(out: &mut Vec<u8>, ty: &Type, cell: Cell<'_>, session: &Session) -> Result<()> {
    match cell {
        Cell::Null => {}
        Cell::Text(plain) if ty.is_string() => write(out, plain, needs_quotes(plain)),
        cell => {
            let printed = text::print(ty, &decode(ty, cell)?, session);
            write(out, &printed, needs_quotes(&printed));
        }
    }
    Ok(())
}

/// Appends a column's name. PostgREST never quotes one; here one that would read as several columns is.
pub(super) fn name(out: &mut Vec<u8>, name: &str) {
    write(out, name, name.contains([',', '"', '\n', '\r']));
}

/// The rule of composite values' output (PostgreSQL, section 8.16.6).
fn needs_quotes(text: &str) -> bool {
    let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',' | ' ' | '\t'..='\r');
    text.is_empty() || text.contains(special)
}

fn write(out: &mut Vec<u8>, text: &str, quotes: bool) {
    if !quotes {
        out.extend(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}
