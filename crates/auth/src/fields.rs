//! The fields of a JSON body. A field that is there has the type that it should have; unknown fields are passed over,
//! as in GoTrue; a null is an absent field.

use types::json::Json;

use crate::codes;
use crate::error::{AuthError, AuthResult};

/// Deepest nesting of metadata: it goes into tokens, whose readers have bounds.
const METADATA_DEPTH_MAX: usize = 24;

/// Largest metadata of one kind, in bytes of JSON: it goes into tokens, which travel in a header.
pub(crate) const METADATA_BYTES_MAX: usize = 8 << 10;

/// The fields of a JSON object.
pub(crate) type Object = Vec<(String, Json)>;

/// A body, read field by field.
pub(crate) struct Fields(Json);

impl Fields {
    /// The fields of an object.
    pub(crate) fn of(body: Json) -> Fields {
        Fields(body)
    }

    fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| **value != Json::Null)
    }

    /// Text; empty when absent.
    pub(crate) fn text(&self, name: &str) -> AuthResult<String> {
        Ok(self.optional(name)?.unwrap_or_default())
    }

    /// Text that may be absent.
    pub(crate) fn optional(&self, name: &str) -> AuthResult<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(mistyped(name, "text")),
        }
    }

    /// `true` or `false`; false when absent.
    pub(crate) fn flag(&self, name: &str) -> AuthResult<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(_) => Err(mistyped(name, "true or false")),
        }
    }

    /// An object that may be absent, small enough to be kept as metadata.
    pub(crate) fn metadata(&self, name: &str) -> AuthResult<Option<Object>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Object(fields)) => {
                check_size(name, fields)?;
                Ok(Some(fields.clone()))
            }
            Some(_) => Err(mistyped(name, "an object")),
        }
    }
}

fn mistyped(name: &str, wanted: &str) -> AuthError {
    AuthError::new(
        codes::BAD_JSON,
        format!("Could not parse request body as JSON: `{name}` must be {wanted}"),
    )
}

/// Refuses metadata that would not fit into a token.
pub(crate) fn check_size(name: &str, fields: &Object) -> AuthResult<()> {
    let object = Json::Object(fields.clone());
    let refuse = |why: String| Err(AuthError::new(codes::VALIDATION_FAILED, format!("`{name}` {why}")));
    if depth(&object) > METADATA_DEPTH_MAX {
        return refuse(format!("is nested deeper than {METADATA_DEPTH_MAX} levels"));
    }
    if object.compact().len() > METADATA_BYTES_MAX {
        return refuse(format!("is larger than {METADATA_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// Levels of nesting. Bodies are bounded before, so that this cannot run deep.
fn depth(value: &Json) -> usize {
    let inner: Vec<&Json> = match value {
        Json::Array(items) => items.iter().collect(),
        Json::Object(fields) => fields.iter().map(|(_, value)| value).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return 0,
    };
    1 + inner.into_iter().map(depth).max().unwrap_or(0)
}

/// Puts updates into an object: a null takes its key away.
pub(crate) fn merge(object: &mut Object, updates: Object) {
    for (key, value) in updates {
        object.retain(|(known, _)| *known != key);
        if value != Json::Null {
            object.push((key, value));
        }
    }
}

/// Text as JSON.
pub(crate) fn string(text: impl Into<String>) -> Json {
    Json::String(text.into())
}

/// A whole number as JSON.
pub(crate) fn number(number: impl Into<i64>) -> Json {
    Json::Number(number.into().to_string())
}

/// An object of fields with fixed names.
pub(crate) fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
    Json::Object(fields.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

#[cfg(test)]
mod tests {
    use types::json::parse;

    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::of(parse(text, 64).unwrap())
    }

    #[test]
    fn a_field_of_another_type_is_refused_by_name() {
        let body = fields(r#"{"email":{"$gt":""},"password":5,"data":[],"flag":"yes"}"#);
        for error in [
            body.text("email").unwrap_err(),
            body.optional("password").unwrap_err(),
            body.metadata("data").unwrap_err(),
            body.flag("flag").unwrap_err(),
        ] {
            assert_eq!(error.code(), codes::BAD_JSON);
        }
        assert!(body.text("email").unwrap_err().message().contains("`email`"));
    }

    #[test]
    fn absent_and_null_are_the_same_and_unknown_fields_do_not_matter() {
        let body = fields(r#"{"email":null,"other":{}}"#);
        assert_eq!(body.text("email").unwrap(), "");
        assert_eq!(body.optional("password").unwrap(), None);
        assert!(body.metadata("data").unwrap().is_none() && !body.flag("flag").unwrap());
    }

    #[test]
    fn metadata_that_would_not_fit_into_a_token_is_refused() {
        let deep = format!(r#"{{"data":{{"a":{}1{}}}}}"#, "[".repeat(30), "]".repeat(30));
        let large = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(METADATA_BYTES_MAX));
        for text in [deep, large] {
            assert_eq!(fields(&text).metadata("data").unwrap_err().code(), codes::VALIDATION_FAILED);
        }
    }

    #[test]
    fn merging_replaces_adds_and_takes_away() {
        let Json::Object(mut object) = parse(r#"{"a":1,"b":2}"#, 4).unwrap() else { panic!() };
        let Json::Object(updates) = parse(r#"{"b":null,"c":3,"a":{"d":4}}"#, 4).unwrap() else { panic!() };
        merge(&mut object, updates);
        assert_eq!(Json::Object(object).compact(), r#"{"c":3,"a":{"d":4}}"#);
    }
}
