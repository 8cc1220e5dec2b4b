//! What functions over the system relations are made of.

use types::{Code, Error};

use super::Function;
use super::Ty::{Int8, Text as T};
use super::arguments::text;

pub(super) static ROWS: &[Function] = &[
    // What a cast to `regclass` says of a name that means nothing.
    Function::new("system_object_missing", &[T, T], Int8, |_, a| {
        if text(a, 0)? == "denied" {
            let message = format!("permission denied for schema {}", text(a, 1)?);
            return Err(Error::new(Code::PRIVILEGE, message));
        }
        if text(a, 0)? == "privilege" {
            return Err(no_privilege(text(a, 1)?));
        }
        if text(a, 0)? == "setting" {
            let message = format!("permission denied to set parameter \"{}\"", text(a, 1)?);
            return Err(Error::new(Code::PRIVILEGE, message));
        }
        let code = match text(a, 0)? {
            "relation" => Code::UNDEFINED_TABLE,
            "function" => Code::UNDEFINED_FUNCTION,
            "schema" => Code::UNDEFINED_SCHEMA,
            _ => Code::UNDEFINED_OBJECT,
        };
        Err(Error::new(code, format!("{} \"{}\" does not exist", text(a, 0)?, text(a, 1)?)))
    })
    .stable(),
];

/// What is said of a word that is no privilege, or of one that is not kept.
fn no_privilege(word: &str) -> Error {
    if word.ends_with(" option") {
        return Error::missing("asking who may grant a role to others");
    }
    Error::new(Code::INVALID_PARAMETER, format!("unrecognized privilege type: \"{word}\""))
}
