//! Media types: `Accept` and `Content-Type`, and which of the accepted ones is answered.

use std::fmt;

use query::{Aggregation, EXPLAIN_OPTIONS};
use types::{Code, Error, Result};

/// A media type that means something here.
#[derive(Clone, Debug, PartialEq)]
pub enum Media {
    /// `application/json`
    Json,
    /// `application/vnd.pgrst.array+json;nulls=stripped`
    ArrayStripped,
    /// `application/vnd.pgrst.object+json`: exactly one row, as an object.
    Object {
        /// `;nulls=stripped`
        stripped: bool,
    },
    /// `text/csv`
    Csv,
    /// `application/geo+json`
    GeoJson,
    /// `application/openapi+json`: version 2.0.
    OpenApi,
    /// `application/vnd.oai.openapi+json;version=3.1`, or the other name with this version.
    OpenApi3,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `text/plain`
    Text,
    /// `text/xml`
    Xml,
    /// `application/octet-stream`
    Bytes,
    /// `application/vnd.pgrst.plan`: how a request would be run.
    Plan {
        /// The request's own media type.
        of: Box<Media>,
        /// `+json`
        json: bool,
        /// `options=analyze|verbose|…`
        options: Vec<&'static str>,
    },
    /// A type that the schema makes: the name of a domain.
    Custom {
        /// The value of `Content-Type`.
        content_type: String,
        /// What makes it.
        handler: Handler,
    },
    /// `*/*`
    Any,
    /// Any other, as written.
    Other(String),
}

/// What of a schema makes bodies of a media type.
#[derive(Clone, Debug, PartialEq)]
pub enum Handler {
    /// The value of the function that is called.
    Value,
    /// An aggregate over the rows.
    Aggregate(Aggregation),
}

/// Types without parameters that matter.
const PLAIN: &[(&str, Media)] = &[
    ("application/json", Media::Json),
    ("text/csv", Media::Csv),
    ("application/geo+json", Media::GeoJson),
    ("application/openapi+json", Media::OpenApi),
    ("application/x-www-form-urlencoded", Media::Form),
    ("text/plain", Media::Text),
    ("text/xml", Media::Xml),
    ("application/octet-stream", Media::Bytes),
    ("*/*", Media::Any),
];

/// Names of OpenAPI's type; without a version the second one is 2.0, as ever, and the first one means nothing.
const OPENAPI: [&str; 2] = ["application/vnd.oai.openapi+json", "application/openapi+json"];

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Media::ArrayStripped => f.write_str("application/vnd.pgrst.array+json;nulls=stripped"),
            Media::OpenApi3 => f.write_str("application/vnd.oai.openapi+json;version=3.1"),
            Media::Object { stripped: false } => f.write_str("application/vnd.pgrst.object+json"),
            Media::Object { stripped: true } => {
                f.write_str("application/vnd.pgrst.object+json;nulls=stripped")
            }
            Media::Plan { of, json, options } => {
                write!(
                    f,
                    "application/vnd.pgrst.plan+{}; for=\"{of}\"",
                    if *json { "json" } else { "text" }
                )?;
                if options.is_empty() { Ok(()) } else { write!(f, "; options={}", options.join("|")) }
            }
            Media::Custom { content_type, .. } => f.write_str(content_type),
            Media::Other(text) => f.write_str(text),
            plain => {
                let name = PLAIN.iter().find(|(_, media)| media == plain).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

impl Media {
    /// The value of `Content-Type`.
    pub fn content_type(&self) -> String {
        match self {
            Media::Bytes | Media::Other(_) => self.to_string(),
            Media::Custom { content_type, .. } => media(content_type).content_type(),
            _ => format!("{self}; charset=utf-8"),
        }
    }
}

/// Reads one media type.
pub(crate) fn media(text: &str) -> Media {
    let text = text.trim();
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim().to_ascii_lowercase();
    if OPENAPI.contains(&&*essence)
        && parameter(parameters, "version").is_some_and(|said| said.starts_with('3'))
    {
        return Media::OpenApi3;
    }
    if let Some((_, media)) = PLAIN.iter().find(|(name, _)| *name == essence) {
        return media.clone();
    }
    let stripped = parameter(parameters, "nulls") == Some("stripped");
    match essence.as_str() {
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Media::Object { stripped },
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" if stripped => {
            Media::ArrayStripped
        }
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Media::Json,
        "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => plan(parameters, false),
        "application/vnd.pgrst.plan+json" => plan(parameters, true),
        _ => Media::Other(text.to_owned()),
    }
}

/// `for` names the request's own type; a plan of a plan is a plan of JSON.
fn plan(parameters: &str, json: bool) -> Media {
    let of = parameter(parameters, "for").map_or(Media::Json, |of| match of.split_once(';') {
        _ if of.trim_start().to_ascii_lowercase().starts_with("application/vnd.pgrst.plan") => Media::Json,
        _ => media(of),
    });
    let asked = parameter(parameters, "options").unwrap_or_default();
    let known = EXPLAIN_OPTIONS.iter().filter(|option| asked.split('|').any(|word| word == **option));
    Media::Plan { of: Box::new(of), json, options: known.copied().collect() }
}

/// The value of a parameter, quotes removed. Semicolons inside quotes do not separate.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut quoted = false;
    let separates = |c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    };
    parameters.split(separates).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// The accepted types, the most wanted first; anything when nothing is said.
pub(crate) fn accepted(header: Option<&str>) -> Vec<Media> {
    let Some(header) = header.filter(|header| !header.trim().is_empty()) else { return vec![Media::Any] };
    let mut quoted = false;
    let separates = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    let mut entries: Vec<(u16, &str)> =
        header.split(separates).map(|entry| (quality(entry), entry)).collect();
    entries.retain(|(_, entry)| !entry.trim().is_empty());
    entries.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    entries.into_iter().map(|(_, entry)| media(without_quality(entry))).collect()
}

/// An entry up to its `q`.
fn without_quality(entry: &str) -> &str {
    let is_quality = |at: &usize| {
        entry.get(at + 1..).is_some_and(|rest| rest.trim_start().to_ascii_lowercase().starts_with("q="))
    };
    let at = entry.match_indices(';').map(|(at, _)| at).find(is_quality);
    entry.get(..at.unwrap_or(entry.len())).unwrap_or(entry)
}

/// `q` in thousandths.
fn quality(entry: &str) -> u16 {
    let value = entry.split_once(';').and_then(|(_, parameters)| parameter(parameters, "q"));
    let Some(value) = value else { return 1_000 };
    let mut digits = value.chars().filter(char::is_ascii_digit).chain("000".chars());
    let mut next = || {
        digits
            .next()
            .and_then(|digit| digit.to_digit(10))
            .and_then(|digit| u16::try_from(digit).ok())
            .unwrap_or(0)
    };
    [1_000, 100, 10, 1].into_iter().map(|weight| weight * next()).sum::<u16>().min(1_000)
}

/// The first accepted type that can be answered.
///
/// # Errors
/// `PGRST107` when there is none.
pub(crate) fn negotiate(accepted: &[Media], answers: impl Fn(&Media) -> Option<Media>) -> Result<Media> {
    accepted.iter().find_map(answers).ok_or_else(|| {
        let names: Vec<String> = accepted.iter().map(ToString::to_string).collect();
        Error::new(Code::MEDIA_TYPE, format!("None of these media types are available: {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_as_they_are_read() {
        for (text, printed) in [
            ("application/json", "application/json"),
            ("Application/JSON;charset=utf-8", "application/json"),
            ("application/vnd.pgrst.array+json", "application/json"),
            (
                "application/vnd.pgrst.array+json; nulls=stripped",
                "application/vnd.pgrst.array+json;nulls=stripped",
            ),
            ("ApplicatIon/vnd.PgRsT.object+json", "application/vnd.pgrst.object+json"),
            (
                "application/vnd.pgrst.object;nulls=stripped",
                "application/vnd.pgrst.object+json;nulls=stripped",
            ),
            ("text/csv", "text/csv"),
            ("application/vnd.pgrst.plan;", "application/vnd.pgrst.plan+text; for=\"application/json\""),
            (
                "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json;nulls=stripped\"; options=analyze|wal|odd",
                "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json;nulls=stripped\"; options=analyze|wal",
            ),
            ("*/*", "*/*"),
            ("image/png", "image/png"),
            ("application/openapi+json", "application/openapi+json"),
            ("application/openapi+json; version=2.0", "application/openapi+json"),
            ("application/openapi+json; version=3.1", "application/vnd.oai.openapi+json;version=3.1"),
            (
                "application/vnd.oai.openapi+json;version=\"3.1.0\"",
                "application/vnd.oai.openapi+json;version=3.1",
            ),
            ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ] {
            assert_eq!(media(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn nothing_acceptable_is_an_error() {
        let error = negotiate(&[Media::Text, Media::Other("image/png".into())], |_| None).unwrap_err();
        assert_eq!(error.message(), "None of these media types are available: text/plain, image/png");
    }

    #[test]
    fn the_most_wanted_comes_first() {
        let names = |header| accepted(header).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(names(None), "*/*");
        assert_eq!(
            names(Some("text/html, application/json;q=0.9, text/csv")),
            "text/html text/csv application/json"
        );
        assert_eq!(names(Some("a/b;q=0.15, c/d; q=0.2, e/f;q=1.0")), "e/f c/d a/b");
    }
}
