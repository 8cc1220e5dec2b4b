//! Refusals and failures on the wire.

use types::error::Details;
use types::json::write_string;
use types::{Code, Error};

use super::raised::{Raised, raised};
use super::{Header, Reply};

/// The answer that an error is. `is_anonymous`: the role in force is the one of callers without a token.
pub fn failure(error: &Error, is_anonymous: bool) -> Reply {
    match raised(error) {
        Some(Err(unreadable)) => return failure(&unreadable, is_anonymous),
        Some(Ok(Raised { error, status, headers })) => {
            let reply = Reply { status, ..failure(&error, is_anonymous) };
            return reply.with_further(headers);
        }
        None => {}
    }
    let status = status(error, is_anonymous);
    let mut headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("proxy-status", format!("PostgREST; error={}", error.state())),
    ];
    match status {
        401 => headers.push(challenge(error)),
        // Trying again might do it twice.
        503 if error.code() == Code::OUTCOME_UNKNOWN => {}
        503 => headers.push(("retry-after", RETRY_SECONDS.to_owned())),
        _ => {}
    }
    Reply { status, headers, body: body(error).into(), ..Reply::default() }
}

/// Every cause of a 503 here is gone in a moment, or is no cause of a 503.
const RETRY_SECONDS: &str = "1";

/// The code's status, but for the codes whose status depends on who asks or on what was said (PostgREST's rules).
fn status(error: &Error, is_anonymous: bool) -> u16 {
    let message = error.message();
    match error.code() {
        Code::PRIVILEGE => {
            if is_anonymous {
                401
            } else {
                403
            }
        }
        Code::CARDINALITY if message.ends_with("requires a WHERE clause") => 400,
        Code::INVALID_PARAMETER if message.starts_with("role \"") && message.ends_with("does not exist") => {
            401
        }
        _ => error.status(),
    }
}

/// `WWW-Authenticate` (RFC 6750, section 3): why a token was refused, or that one is wanted.
fn challenge(error: &Error) -> Header {
    let value = match error.code() {
        Code::JWT_INVALID | Code::JWT_CLAIMS => {
            format!("Bearer error=\"invalid_token\", error_description=\"{}\"", quoted(error.message()))
        }
        _ => "Bearer".to_owned(),
    };
    ("www-authenticate", value)
}

/// The inside of a quoted string of a header; what a header cannot hold is left out.
pub(crate) fn quoted(text: &str) -> String {
    let shown = text.chars().filter(|c| matches!(c, ' '..='~'));
    shown.flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

fn body(error: &Error) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend(b"{\"code\":");
    write_string(&mut out, error.state());
    out.extend(b",\"details\":");
    match error.details() {
        Some(Details::Json(json)) => out.extend(json.as_bytes()),
        Some(Details::Text(text)) => write_string(&mut out, text),
        None => out.extend(b"null"),
    }
    out.extend(b",\"hint\":");
    match error.hint() {
        Some(hint) => write_string(&mut out, hint),
        None => out.extend(b"null"),
    }
    out.extend(b",\"message\":");
    write_string(&mut out, error.message());
    if let Some(position) = error.request() {
        out.extend(format!(",\"request\":{position}").bytes());
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_keys_are_always_there() {
        let error = Error::new(Code::NO_TABLE, "Could not find the table 's.t' in the schema cache");
        let reply = failure(&error, true);
        assert_eq!(
            String::from_utf8(reply.body.in_memory().unwrap()).unwrap(),
            r#"{"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 's.t' in the schema cache"}"#
        );
        assert_eq!(reply.status, 404);
        let error = Error::new(Code::AMBIGUOUS_RPC, "m").with_details_json("[1]").with_hint("h\n");
        let body = String::from_utf8(failure(&error, true).body.in_memory().unwrap()).unwrap();
        assert_eq!(body, r#"{"code":"PGRST203","details":[1],"hint":"h\n","message":"m"}"#);
    }

    #[test]
    fn the_cause_stays_inside() {
        let body = failure(&Error::internal("a secret"), false).body.in_memory().unwrap();
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
    }

    #[test]
    fn missing_rights_are_401_without_a_token_and_403_with_one() {
        let denied = Error::new(Code::PRIVILEGE, "permission denied for table t");
        for (is_anonymous, status, challenge) in [(true, 401, Some("Bearer")), (false, 403, None)] {
            let reply = failure(&denied, is_anonymous);
            assert_eq!((reply.status, reply.header("www-authenticate")), (status, challenge));
            assert_eq!(reply.header("proxy-status"), Some("PostgREST; error=42501"));
        }
    }

    #[test]
    fn a_refused_token_is_told_why() {
        let reply = failure(&Error::new(Code::JWT_CLAIMS, "JWT \"expired\"\r\nx: y"), true);
        assert_eq!(
            reply.header("www-authenticate"),
            Some(r#"Bearer error="invalid_token", error_description="JWT \"expired\"x: y""#)
        );
    }

    #[test]
    fn some_statuses_depend_on_the_message() {
        for (code, message, status) in [
            (Code::CARDINALITY, "UPDATE requires a WHERE clause", 400),
            (Code::CARDINALITY, "more than one row returned by a subquery", 500),
            (Code::INVALID_PARAMETER, "role \"x\" does not exist", 401),
            (Code::INVALID_PARAMETER, "anything else", 400),
        ] {
            assert_eq!(failure(&Error::new(code, message), false).status, status, "{message}");
        }
        assert_eq!(failure(&Error::new(Code::OVERLOADED, ""), true).header("retry-after"), Some("1"));
    }
}
