//! What functions of the schema want the reply to be: its status and headers, by settings of the transaction (PostgREST,
//! "Transaction-Scoped Settings").

use types::json::{DEPTH_MAX, Json, parse};
use types::session::Settings;
use types::{Code, Error, Result};

use super::Reply;

/// A reply as the settings want it. Headers that functions say stand in place of ours.
///
/// # Errors
/// `PGRST111` and `PGRST112` for settings that are no headers or no status.
pub fn told(mut reply: Reply, settings: &Settings) -> Result<Reply> {
    let said = |name| settings.get(name).filter(|value| !value.is_empty());
    if let Some(text) = said("response.headers") {
        reply = reply.with_further(headers(&text)?);
    }
    if let Some(text) = said("response.status") {
        reply.status = status(&text)?;
    }
    Ok(reply)
}

/// `[{"name": "value"}, …]`
fn headers(text: &str) -> Result<Vec<(String, String)>> {
    let none = || {
        let message = "response.headers guc must be a JSON array composed of objects with a single key and a string value";
        Error::new(Code::RESPONSE_HEADERS, message)
    };
    let Ok(Json::Array(items)) = parse(text, DEPTH_MAX) else { return Err(none()) };
    let header = |item| match item {
        Json::Object(fields) => match <[(String, Json); 1]>::try_from(fields) {
            Ok([(name, Json::String(value))]) if is_header(&name, &value) => Ok((name, value)),
            _ => Err(none()),
        },
        _ => Err(none()),
    };
    items.into_iter().map(header).collect()
}

/// Whether the wire can carry a header, and it is not the connection's own.
pub(super) fn is_header(name: &str, value: &str) -> bool {
    const TOKEN: &str = "!#$%&'*+-.^_`|~";
    const OF_THE_CONNECTION: [&str; 4] = ["content-length", "transfer-encoding", "connection", "upgrade"];
    let is_token = |c: char| c.is_ascii_alphanumeric() || TOKEN.contains(c);
    !name.is_empty()
        && name.chars().all(is_token)
        && !OF_THE_CONNECTION.iter().any(|own| own.eq_ignore_ascii_case(name))
        && value.chars().all(|c| c == '\t' || matches!(c, ' '..='~'))
}

/// The three digits of a status.
fn status(text: &str) -> Result<u16> {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    let status = digits.parse().ok().filter(|status| (200..600).contains(status));
    status.ok_or_else(|| Error::new(Code::RESPONSE_STATUS, "response.status guc must be a valid status code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: &str, headers: &str) -> Result<Reply> {
        let settings = Settings::default();
        settings.set("response.status", status).unwrap();
        settings.set("response.headers", headers).unwrap();
        let ours = vec![("content-type", "application/json".to_owned()), ("vary", "Accept".to_owned())];
        told(Reply { status: 200, headers: ours, ..Reply::default() }, &settings)
    }

    #[test]
    fn settings_stand_in_place_of_ours() {
        let told = reply("418", r#"[{"Content-Type":"text/html"},{"x-a":"1"},{"x-a":"2"}]"#).unwrap();
        assert_eq!(told.status, 418);
        assert_eq!(told.headers, [("vary", "Accept".to_owned())]);
        let further: Vec<String> =
            told.further.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(further, ["Content-Type=text/html", "x-a=1", "x-a=2"]);
        assert_eq!(reply("", "").unwrap().status, 200);
    }

    #[test]
    fn what_is_no_header_or_status_is_refused() {
        for headers in [
            "{}",
            "[1]",
            r#"[{"a":1}]"#,
            r#"[{"a":"1","b":"2"}]"#,
            r#"[{"a":"1\r\nb: 2"}]"#,
            r#"[{"a b":""}]"#,
        ] {
            assert_eq!(reply("", headers).unwrap_err().code(), Code::RESPONSE_HEADERS, "{headers}");
        }
        for status in ["x", "99", "1000", "-1"] {
            assert_eq!(reply(status, "").unwrap_err().code(), Code::RESPONSE_STATUS, "{status}");
        }
    }
}
