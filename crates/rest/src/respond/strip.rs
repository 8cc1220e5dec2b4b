//! Objects without their null fields, at every depth: what PostgreSQL's `json_strip_nulls` leaves.

use types::Result;
use types::json::{self, DEPTH_MAX, Json};

/// Appends a JSON text without null fields. Nulls in arrays stay.
///
/// # Errors
/// `22P02` for what is no JSON, `54001` beyond the depth that any JSON here may have.
pub(super) fn strip(out: &mut Vec<u8>, text: &str) -> Result<()> {
    out.extend(stripped(json::parse(text, DEPTH_MAX)?).compact().into_bytes());
    Ok(())
}

fn stripped(json: Json) -> Json {
    match json {
        Json::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !matches!(value, Json::Null));
            Json::Object(kept.map(|(key, value)| (key, stripped(value))).collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(stripped).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of PostgreSQL 15.
    #[test]
    fn null_fields_go_at_every_depth() {
        for (text, left) in [
            (r#"{"a": null, "b": [null, {"c": null, "d": 1.50}]}"#, r#"{"b":[null,{"d":1.50}]}"#),
            ("null", "null"),
            (r#"{"a": {"b": null}}"#, r#"{"a":{}}"#),
        ] {
            let mut out = Vec::new();
            strip(&mut out, text).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), left);
        }
    }
}
