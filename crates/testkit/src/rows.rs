//! The rows of a case as statements: a value is a text that its column's type reads, as in a file of `copy`.

use types::json::{self, Json};

use crate::case::{Complaint, Rows};

/// Nesting of a JSON line.
const DEPTH_MAX: usize = 32;

/// One `insert` for every row.
///
/// # Errors
/// A line that is neither CSV as the header wants it, nor a JSON object.
pub fn statements(rows: &Rows) -> Result<String, Complaint> {
    let lines = rows.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut out = String::new();
    let mut header: Option<Vec<String>> = None;
    for (at, line) in lines {
        let complain = |message: String| Complaint::new(rows.line + at, message);
        if line.starts_with('{') && header.is_none() {
            let (columns, values) = object(line).map_err(complain)?;
            insert(&mut out, &rows.table, &columns, &values);
        } else if let Some(columns) = &header {
            let values: Vec<Option<String>> = fields(line).map_err(complain)?;
            if values.len() != columns.len() {
                return Err(complain(format!("{} values for {} columns", values.len(), columns.len())));
            }
            insert(&mut out, &rows.table, columns, &values);
        } else {
            let names = fields(line).map_err(complain)?;
            header = Some(names.into_iter().map(Option::unwrap_or_default).collect());
        }
    }
    Ok(out)
}

fn insert(out: &mut String, table: &str, columns: &[String], values: &[Option<String>]) {
    let columns: Vec<String> =
        columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let values: Vec<String> = values.iter().map(|value| literal(value.as_deref())).collect();
    let into = ["insert into", table].join(" ");
    out.push_str(&format!("{into} ({}) values ({});\n", columns.join(", "), values.join(", ")));
}

fn literal(value: Option<&str>) -> String {
    value.map_or("null".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
}

/// The members of an object: text as it is, everything else as its JSON.
fn object(line: &str) -> Result<(Vec<String>, Vec<Option<String>>), String> {
    let parsed = json::parse(line, DEPTH_MAX).map_err(|error| error.message().to_owned())?;
    let Json::Object(members) = parsed else { return Err("a JSON row is an object".to_owned()) };
    Ok(members
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Json::Null => None,
                Json::String(text) => Some(text.to_string()),
                other => Some(other.compact()),
            };
            (name, value)
        })
        .unzip())
}

/// The fields of a line of CSV: nothing is null, `""` is the empty text.
fn fields(line: &str) -> Result<Vec<Option<String>>, String> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = field(rest)?;
        found.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(found),
            None => return Err(format!("a comma stands behind a quoted value: {after}")),
        }
    }
}

fn field(text: &str) -> Result<(Option<String>, &str), String> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let (field, after) = text.split_at(end);
        return Ok(((!field.is_empty()).then(|| field.to_owned()), after));
    };
    let mut out = String::new();
    loop {
        let (part, after) = rest.split_once('"').ok_or("a quoted value has no end")?;
        out.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                out.push('"');
                rest = next;
            }
            None => return Ok((Some(out), after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, Complaint> {
        statements(&Rows { table: "t".into(), text: text.into(), line: 5 })
    }

    #[test]
    fn csv_tells_null_from_empty_text() {
        assert_eq!(
            of("a,b\n1,\n\"\",\"it's \"\"so\"\", here\"\n").unwrap(),
            "insert into t (\"a\", \"b\") values ('1', null);\ninsert into t (\"a\", \"b\") values ('', 'it''s \"so\", here');\n"
        );
    }

    #[test]
    fn json_lines_may_differ_in_their_keys() {
        assert_eq!(
            of("{\"a\":1,\"b\":null}\n{\"c\":{\"d\":[1]},\"e\":\"x\"}\n").unwrap(),
            "insert into t (\"a\", \"b\") values ('1', null);\ninsert into t (\"c\", \"e\") values ('{\"d\":[1]}', 'x');\n"
        );
    }

    #[test]
    fn a_ragged_line_is_told_by_its_number() {
        assert_eq!(of("a,b\n1\n").unwrap_err(), Complaint::new(6, "1 values for 2 columns"));
        assert_eq!(of("a\n\"1\n").unwrap_err(), Complaint::new(6, "a quoted value has no end"));
        assert_eq!(of("a\n\"1\"2\n").unwrap_err().line, 6);
        assert_eq!(of("{\n").unwrap_err().line, 5);
    }
}
