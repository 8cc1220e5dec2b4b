//! Reading CSV (RFC 4180): a header of column names, then rows. The text `NULL` is null; empty is the empty string.

use types::json::Json;
use types::{Code, Error, Limits, Result};

use crate::payload::Rows;

/// Reads a CSV body.
///
/// # Errors
/// `PGRST102` for rows of different length, unbalanced quotes, too many rows or columns.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Rows> {
    let mut reader = Reader { rest: text };
    let mut columns = Vec::new();
    reader.record(|field| {
        columns.push(field.into_owned());
        within(columns.len(), limits.select_items_max, "columns")
    })?;
    let mut rows = Vec::new();
    while !reader.rest.is_empty() {
        let mut row = Vec::with_capacity(columns.len());
        reader.record(|field| {
            row.push(Some(if field == "NULL" { Json::Null } else { Json::String(field.into_owned()) }));
            within(row.len(), columns.len(), "fields in a line").map_err(|_| ragged())
        })?;
        if row.len() != columns.len() {
            return Err(ragged());
        }
        rows.push(row);
        within(rows.len(), limits.write_rows_max, "rows")?;
    }
    Ok(Rows { columns, rows, ..Rows::default() })
}

fn ragged() -> Error {
    Error::new(Code::BODY, "All lines must have same number of fields")
}

fn within(count: usize, max: usize, what: &str) -> Result<()> {
    if count <= max {
        return Ok(());
    }
    Err(Error::new(Code::BODY, format!("The body has more than {max} {what}")))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads one line's fields.
    fn record(&mut self, mut take: impl FnMut(std::borrow::Cow<'a, str>) -> Result<()>) -> Result<()> {
        loop {
            take(self.field()?)?;
            let Some(rest) = self.rest.strip_prefix(',') else { break };
            self.rest = rest;
        }
        let rest = self.rest;
        self.rest =
            rest.strip_prefix("\r\n").or(rest.strip_prefix('\n')).or(rest.strip_prefix('\r')).unwrap_or(rest);
        Ok(())
    }

    fn field(&mut self) -> Result<std::borrow::Cow<'a, str>> {
        let Some(mut rest) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n', '\r']).unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(field.into());
        };
        let mut field = String::new();
        loop {
            let Some((part, after)) = rest.split_once('"') else { return Err(unbalanced()) };
            field.push_str(part);
            match after.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    rest = more;
                }
                None => {
                    self.rest = after;
                    break;
                }
            }
        }
        if !self.rest.is_empty() && !self.rest.starts_with([',', '\n', '\r']) {
            return Err(unbalanced());
        }
        Ok(field.into())
    }
}

fn unbalanced() -> Error {
    Error::new(Code::BODY, "A quoted field of the CSV body does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> Result<String> {
        let rows = read(text, &Limits::default())?;
        let field = |value: &Option<Json>| value.as_ref().map_or(String::new(), Json::compact);
        let rows = rows.rows.iter().map(|row| row.iter().map(field).collect::<Vec<_>>().join(" "));
        Ok(rows.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn fields_are_quoted_when_they_need_it() {
        for (text, printed) in [
            ("a,b\n1,x\n2,y\n", r#""1" "x"|"2" "y""#),
            ("a,b\r\n1,x\r\n2,", r#""1" "x"|"2" """#),
            ("a\n\"x,\ny\"\n", r#""x,\ny""#),
            ("a\n\"say \"\"hi\"\"\"", r#""say \"hi\"""#),
            ("a,b\nNULL,", r#"null """#),
            ("a,b\n", ""),
        ] {
            assert_eq!(print(text).unwrap(), printed, "{text:?}");
        }
    }

    #[test]
    fn damaged_bodies_are_refused() {
        for text in ["a,b\n1", "a,b\n1,2,3", "a\n\"x", "a\n\"x\"y", &format!("a{}", ",a".repeat(1_000_000))] {
            assert_eq!(print(text).unwrap_err().code(), Code::BODY);
        }
    }
}
