//! Bodies: JSON, forms and CSV become rows of named values; anything else is for functions that take it as it is.

use std::collections::{BTreeSet, HashMap};

use types::json::Json;
use types::{Code, Error, Limits, Result};

use crate::media::Media;
use crate::{csv, query_string};

/// What a body says.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Rows, or the arguments of a function.
    Rows(Rows),
    /// Rows in which rows of related tables may stand.
    Objects(Vec<Object>),
    /// One value for a function, as it is.
    Raw(Vec<u8>),
}

/// The members of a JSON object, in their order.
pub type Object = Vec<(String, Json)>;

/// Rows of named values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The names, each once.
    pub columns: Vec<String>,
    /// For each row a value of each name; `None` where the row does not have it.
    pub rows: Vec<Vec<Option<Json>>>,
    /// Whether the body is one object instead of a list.
    pub single: bool,
    /// A function's body as one value: its JSON, as written where it was JSON.
    pub text: String,
    /// The fields of a form, as often as they were given.
    pub form: Vec<(String, String)>,
}

impl Rows {
    /// The value of a name in the first row.
    pub fn first(&self, column: &str) -> Option<&Json> {
        let position = self.columns.iter().position(|name| name == column)?;
        self.rows.first()?.get(position)?.as_ref()
    }
}

/// Whether a body is for a table or a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    Table,
    Function,
}

/// Reads a body. `columns` is what `columns=` names: then rows need not have the same keys.
///
/// # Errors
/// `PGRST102`, and `22P02` for a body that is not JSON under `columns=`.
pub(crate) fn payload(
    body: &[u8],
    media: &Media,
    what: For,
    columns: Option<&[String]>,
    limits: &Limits,
) -> Result<Payload> {
    let rows = match (media, what) {
        (Media::Json, what) => json(body, what, columns, limits)?,
        (Media::Csv, _) => csv::read(text(body)?, limits)?,
        (Media::Form, _) => form(text(body)?)?,
        (Media::Text | Media::Xml | Media::Bytes, For::Function) => return Ok(Payload::Raw(body.to_vec())),
        (other, _) => {
            return Err(Error::new(Code::BODY, format!("Content-Type not acceptable: {other}")));
        }
    };
    Ok(Payload::Rows(match what {
        For::Table => rows,
        For::Function => Rows { text: whole(&rows, body, media)?, ..rows },
    }))
}

/// Reads a body in whose rows others may stand. Which ones do only the catalog tells.
///
/// # Errors
/// `PGRST102`
pub(crate) fn objects(body: &[u8], limits: &Limits) -> Result<Payload> {
    let text = text(body)?;
    let document = types::json::parse(text, limits.json_depth_max).map_err(unreadable)?;
    let objects = objects_of(document).ok_or_else(|| {
        Error::new(Code::BODY, "Rows with rows in them are an object, or a list of objects")
    })?;
    bounded(objects.len(), limits)?;
    Ok(Payload::Objects(objects))
}

/// An object, or a list of objects.
pub(crate) fn objects_of(document: Json) -> Option<Vec<Object>> {
    let object = |json: Json| match json {
        Json::Object(fields) => Some(fields),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    };
    match document {
        Json::Array(elements) => elements.into_iter().map(object).collect(),
        other => object(other).map(|only| vec![only]),
    }
}

/// The body of a call as one value. JSON that is neither an object nor a list is the empty list.
fn whole(rows: &Rows, body: &[u8], media: &Media) -> Result<String> {
    match media {
        Media::Json if body.is_empty() => Ok("{}".to_owned()),
        Media::Json if rows.single || !rows.rows.is_empty() => text(body).map(str::to_owned),
        Media::Json => Ok("[]".to_owned()),
        _ => {
            let object = |row: &Vec<Option<Json>>| {
                let fields = rows.columns.iter().zip(row);
                Json::Object(
                    fields.map(|(name, value)| (name.clone(), value.clone().unwrap_or(Json::Null))).collect(),
                )
            };
            let mut objects: Vec<Json> = rows.rows.iter().map(object).collect();
            match (rows.single, objects.pop()) {
                (true, Some(only)) => Ok(only.compact()),
                (_, last) => {
                    objects.extend(last);
                    Ok(Json::Array(objects).compact())
                }
            }
        }
    }
}

fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).map_err(|_| Error::new(Code::BODY, "The body is not UTF-8 text"))
}

fn json(body: &[u8], what: For, columns: Option<&[String]>, limits: &Limits) -> Result<Rows> {
    if body.is_empty() && what == For::Function {
        return Ok(Rows { rows: vec![Vec::new()], single: true, ..Rows::default() });
    }
    let document = text(body).and_then(|text| types::json::parse(text, limits.json_depth_max));
    match columns {
        Some(columns) => named(document?, columns, limits),
        None => uniform(document.map_err(unreadable)?, limits),
    }
}

/// JSON that PostgreSQL cannot hold is PostgreSQL's to refuse.
fn unreadable(error: Error) -> Error {
    if error.code() == Code::UNTRANSLATABLE {
        return error;
    }
    Error::new(Code::BODY, "Empty or invalid json")
}

/// Rows that all have the keys of the first.
fn uniform(document: Json, limits: &Limits) -> Result<Rows> {
    let unequal = || Error::new(Code::BODY, "All object keys must match");
    let (objects, single) = match document {
        Json::Object(fields) => (vec![fields], true),
        Json::Array(elements) => {
            let objects = elements.into_iter().map(|element| match element {
                Json::Object(fields) => Ok(fields),
                _ => Err(unequal()),
            });
            (objects.collect::<Result<Vec<_>>>()?, false)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => (Vec::new(), false),
    };
    bounded(objects.len(), limits)?;
    let names: BTreeSet<&str> =
        objects.first().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let columns: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let positions = positions(&columns);
    let rows = objects.into_iter().map(|fields| {
        let row = row(fields, &positions).ok_or_else(unequal)?;
        if row.iter().all(Option::is_some) { Ok(row) } else { Err(unequal()) }
    });
    let rows = rows.collect::<Result<_>>()?;
    Ok(Rows { columns, rows, single, ..Rows::default() })
}

/// Rows of which only some keys count.
fn named(document: Json, names: &[String], limits: &Limits) -> Result<Rows> {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let columns: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let positions = positions(&columns);
    let pick = |mut fields: Vec<(String, Json)>| {
        fields.retain(|(name, _)| positions.contains_key(name.as_str()));
        row(fields, &positions).unwrap_or_default()
    };
    let (rows, single) = match document {
        Json::Object(fields) => (vec![pick(fields)], true),
        Json::Array(elements) => {
            bounded(elements.len(), limits)?;
            let rows = elements.into_iter().map(|element| match element {
                Json::Object(fields) => Ok(pick(fields)),
                _ => Err(invalid("argument of json_to_recordset must be an array of objects")),
            });
            (rows.collect::<Result<_>>()?, false)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            return Err(invalid("cannot call json_to_recordset on a scalar"));
        }
    };
    Ok(Rows { columns, rows, single, ..Rows::default() })
}

fn invalid(message: &str) -> Error {
    Error::new(Code::INVALID_PARAMETER, message)
}

fn bounded(rows: usize, limits: &Limits) -> Result<()> {
    if rows <= limits.write_rows_max {
        return Ok(());
    }
    Err(Error::new(Code::BODY, format!("The body has more than {} rows", limits.write_rows_max)))
}

fn positions(columns: &[String]) -> HashMap<&str, usize> {
    columns.iter().enumerate().map(|(position, name)| (name.as_str(), position)).collect()
}

/// An object's values by column; of duplicate keys the last counts. `None` when it has a key of no column.
fn row(fields: Vec<(String, Json)>, positions: &HashMap<&str, usize>) -> Option<Vec<Option<Json>>> {
    let mut row: Vec<Option<Json>> = vec![None; positions.len()];
    for (name, value) in fields {
        *row.get_mut(*positions.get(name.as_str())?)? = Some(value);
    }
    Some(row)
}

fn form(body: &str) -> Result<Rows> {
    let form: Vec<(String, String)> = query_string::parameters(body)?
        .into_iter()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let fields =
        form.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))).collect::<Vec<_>>();
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let columns: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let row = row(fields, &positions(&columns)).unwrap_or_default();
    Ok(Rows { columns, rows: vec![row], single: true, form, ..Rows::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, media: &Media, what: For, columns: Option<&[&str]>) -> Result<String> {
        let columns: Option<Vec<String>> =
            columns.map(|columns| columns.iter().map(|name| (*name).to_owned()).collect());
        let rows = match payload(body.as_bytes(), media, what, columns.as_deref(), &Limits::default())? {
            Payload::Rows(rows) => rows,
            Payload::Objects(objects) => return Ok(format!("{} objects", objects.len())),
            Payload::Raw(bytes) => return Ok(format!("{} bytes", bytes.len())),
        };
        let value = |value: &Option<Json>| value.as_ref().map_or("-".to_owned(), Json::compact);
        let printed = rows.rows.iter().map(|row| row.iter().map(value).collect::<Vec<_>>().join(" "));
        let printed: Vec<String> = printed.collect();
        let shape = if rows.single { "one" } else { "list" };
        Ok(format!("{shape} {}: {}", rows.columns.join(","), printed.join("|")))
    }

    #[test]
    fn json_is_rows_with_the_same_keys() {
        for (body, printed) in [
            (r#"{"b":1,"a":"x"}"#, r#"one a,b: "x" 1"#),
            (r#"[{"b":1,"a":2},{"a":3,"b":4}]"#, "list a,b: 2 1|3 4"),
            (r#"{"a":1,"a":2}"#, "one a: 2"),
            (r#"{"a":1.50,"b":{"c":[1]}}"#, r#"one a,b: 1.50 {"c":[1]}"#),
            ("{}", "one : "),
            ("[{},{}]", "list : |"),
            ("[]", "list : "),
            ("5", "list : "),
        ] {
            assert_eq!(read(body, &Media::Json, For::Table, None).unwrap(), printed, "{body}");
        }
        for (body, message) in [
            (r#"[{"a":1},{"b":1}]"#, "All object keys must match"),
            (r#"[{"a":1},{"a":1,"b":1}]"#, "All object keys must match"),
            (r#"[{"a":1,"b":1},{"a":1}]"#, "All object keys must match"),
            ("[1]", "All object keys must match"),
            ("", "Empty or invalid json"),
            ("{", "Empty or invalid json"),
        ] {
            let error = read(body, &Media::Json, For::Table, None).unwrap_err();
            assert_eq!((error.code(), error.message()), (Code::BODY, message), "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read(&deep, &Media::Json, For::Table, None).unwrap_err().code(), Code::BODY);
    }

    #[test]
    fn named_columns_pick_from_each_row() {
        let columns = Some(&["b", "a", "b"][..]);
        assert_eq!(
            read(r#"[{"a":1,"x":2},{"b":3}]"#, &Media::Json, For::Table, columns).unwrap(),
            "list a,b: 1 -|- 3"
        );
        assert_eq!(read("", &Media::Json, For::Table, columns).unwrap_err().code(), Code::INVALID_TEXT);
        assert_eq!(
            read("[1]", &Media::Json, For::Table, columns).unwrap_err().code(),
            Code::INVALID_PARAMETER
        );
    }

    #[test]
    fn rows_may_have_rows_in_them() {
        let read = |body: &str| objects(body.as_bytes(), &Limits::default());
        assert!(matches!(read(r#"{"a":[{"b":1}]}"#), Ok(Payload::Objects(rows)) if rows.len() == 1));
        assert!(matches!(read(r#"[{"a":null},{}]"#), Ok(Payload::Objects(rows)) if rows.len() == 2));
        for body in ["[1]", "1", "", "[[]]"] {
            assert_eq!(read(body).unwrap_err().code(), Code::BODY, "{body}");
        }
    }

    #[test]
    fn other_types_are_read_or_refused() {
        assert_eq!(read("a=1&b=x+y", &Media::Form, For::Table, None).unwrap(), r#"one a,b: "1" "x y""#);
        assert_eq!(read("a,b\n1,NULL", &Media::Csv, For::Table, None).unwrap(), r#"list a,b: "1" null"#);
        assert_eq!(read("anything", &Media::Bytes, For::Function, None).unwrap(), "8 bytes");
        assert_eq!(read("", &Media::Json, For::Function, None).unwrap(), "one : ");
        let error = read("x", &Media::Bytes, For::Table, None).unwrap_err();
        assert_eq!(error.message(), "Content-Type not acceptable: application/octet-stream");
    }
}
