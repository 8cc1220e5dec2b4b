//! Errors that functions raise with a whole reply in them: state `PGRST`, the body as the message, status and headers as the
//! details (PostgREST, "RAISE errors with HTTP status codes").

use types::error::Details;
use types::json::{DEPTH_MAX, Json, parse};
use types::{Code, Error};

use super::told::is_header;

/// The state that says it.
const STATE: &str = "PGRST";

/// A reply that an error has in it.
pub(super) struct Raised {
    /// What the body says.
    pub(super) error: Error,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
}

/// The reply in an error; nothing for all others, the error to answer instead where there should be one.
pub(super) fn raised(error: &Error) -> Option<Result<Raised, Error>> {
    (error.state() == STATE).then(|| read(error))
}

fn read(error: &Error) -> Result<Raised, Error> {
    let message = error.message();
    let body = body(message)
        .ok_or_else(|| unreadable(format!("Invalid JSON value for MESSAGE: '{message}'"), MESSAGE))?;
    let Some(Details::Text(detail)) = error.details() else {
        return Err(unreadable("DETAIL is missing in the RAISE statement".to_owned(), DETAIL));
    };
    let (status, headers) = head(detail)
        .ok_or_else(|| unreadable(format!("Invalid JSON value for DETAIL: '{detail}'"), DETAIL))?;
    Ok(Raised { error: body, status, headers })
}

const MESSAGE: &str = "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.";
const DETAIL: &str =
    "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";

fn unreadable(details: String, hint: &str) -> Error {
    let message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error";
    Error::new(Code::RAISED_JSON, message).with_details(details).with_hint(hint)
}

fn body(text: &str) -> Option<Error> {
    let json = parse(text, DEPTH_MAX).ok()?;
    let needed = |key: &str| match json.get(key) {
        Some(Json::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let optional = |key: &str| match json.get(key) {
        None | Some(Json::Null) => Some(None),
        Some(Json::String(text)) => Some(Some(text.clone())),
        Some(_) => None,
    };
    let mut error = Error::raised(needed("code")?, needed("message")?);
    if let Some(details) = optional("details")? {
        error = error.with_details(details);
    }
    if let Some(hint) = optional("hint")? {
        error = error.with_hint(hint);
    }
    Some(error)
}

fn head(text: &str) -> Option<(u16, Vec<(String, String)>)> {
    let json = parse(text, DEPTH_MAX).ok()?;
    let Some(Json::Number(status)) = json.get("status") else { return None };
    let status = status.to_string().parse().ok().filter(|status| (200..600).contains(status))?;
    let Some(Json::Object(headers)) = json.get("headers") else { return None };
    let header = |(name, value): &(String, Json)| match value {
        Json::String(value) if is_header(name, value) => Some((name.clone(), value.clone())),
        _ => None,
    };
    Some((status, headers.iter().map(header).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use crate::respond::failure;

    use super::*;

    fn reply(message: &str, detail: Option<&str>) -> (u16, String, Vec<(String, String)>) {
        let error = Error::raised(STATE, message);
        let error = match detail {
            Some(detail) => error.with_details(detail),
            None => error,
        };
        let reply = failure(&error, true);
        (reply.status, String::from_utf8(reply.body.in_memory().unwrap()).unwrap(), reply.further)
    }

    /// Bodies are those of PostgREST 14.
    #[test]
    fn a_raised_reply_is_the_reply() {
        let message = r#"{"code":"123","message":"ABC","details":"DEF","hint":"XYZ"}"#;
        let (status, body, headers) = reply(message, Some(r#"{"status":332,"headers":{"X-Header":"str"}}"#));
        assert_eq!(status, 332);
        assert_eq!(body, r#"{"code":"123","details":"DEF","hint":"XYZ","message":"ABC"}"#);
        assert_eq!(headers, [("X-Header".to_owned(), "str".to_owned())]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let message = r#"{"code":"123","message":"ABC"}"#;
        for (message, detail, details) in [
            ("INVALID", Some("{}"), "Invalid JSON value for MESSAGE: 'INVALID'"),
            (message, Some("INVALID"), "Invalid JSON value for DETAIL: 'INVALID'"),
            (message, Some(r#"{"status":402}"#), "Invalid JSON value for DETAIL: '{\"status\":402}'"),
            (message, None, "DETAIL is missing in the RAISE statement"),
        ] {
            let error = raised(&match detail {
                Some(detail) => Error::raised(STATE, message).with_details(detail),
                None => Error::raised(STATE, message),
            });
            let Some(Err(error)) = error else { panic!("{message} was read") };
            assert_eq!(error.code(), Code::RAISED_JSON);
            assert_eq!(error.details(), Some(&Details::Text(details.to_owned())));
        }
        assert!(raised(&Error::raised("P0001", message)).is_none());
    }
}
