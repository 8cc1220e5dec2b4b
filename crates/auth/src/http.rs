//! A request and a response of the Auth API, without a web framework.

use std::borrow::Cow;
use std::net::IpAddr;

use types::json::{self, Json};
use types::{Code, Error, Limits};

use crate::codes;
use crate::error::{AuthError, AuthResult};

/// Request methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`; a `HEAD` request is one without its body.
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method of a name; `None` for those that no route has.
    pub fn find(name: &str) -> Option<Method> {
        Some(match name {
            "GET" | "HEAD" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => return None,
        })
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct AuthRequest {
    /// The method.
    pub method: Method,
    /// The path below `/auth/v1`, as sent: not decoded.
    pub path: String,
    /// What follows `?`, as sent.
    pub query: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, read whole under the limit of the Data API.
    pub body: Vec<u8>,
    /// Who is at the other end of the connection.
    pub peer: IpAddr,
}

impl AuthRequest {
    /// The first header of a name (in lower case), when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        std::str::from_utf8(value).ok()
    }

    /// A parameter of the query, decoded; the first of its name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_percent(key)? == name).then(|| decode_percent(value))?
        })
    }

    /// Refuses a query that is no text, or has a NUL in it.
    ///
    /// # Errors
    /// `validation_failed`
    pub fn check_query(&self) -> AuthResult<()> {
        let is_text = |text: &str| decode_percent(text).is_some_and(|text| !text.contains('\0'));
        if self.query.split('&').all(|pair| pair.split('=').all(is_text)) {
            return Ok(());
        }
        Err(AuthError::new(codes::VALIDATION_FAILED, "The query is not text"))
    }

    /// The format of answers that the client knows.
    pub fn version(&self) -> Version {
        self.header(VERSION_HEADER).map_or(Version::Old, Version::of)
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// `request_entity_too_large`, `bad_json`.
    pub fn object(&self, limits: &Limits) -> AuthResult<Json> {
        if self.body.len() > limits.body_bytes_max {
            return Err(AuthError::of(codes::REQUEST_TOO_LARGE));
        }
        let text = std::str::from_utf8(&self.body).map_err(|_| bad_json("the body is not UTF-8"))?;
        match json::parse(text, limits.json_depth_max) {
            Ok(object @ Json::Object(_)) => Ok(object),
            Ok(_) => Err(bad_json("an object is expected")),
            Err(error) if error.code() == Code::TOO_COMPLEX => Err(bad_json("it is nested too deeply")),
            Err(_) => Err(bad_json("it is not JSON")),
        }
    }
}

fn bad_json(why: &str) -> AuthError {
    AuthError::new(codes::BAD_JSON, format!("Could not parse request body as JSON: {why}"))
}

/// `%41` and `+` of a query; `None` when it is not text.
fn decode_percent(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

/// The header that a client names its format with.
pub const VERSION_HEADER: &str = "x-supabase-api-version";

/// The date from which on errors have the new format.
pub const VERSION_2024: &str = "2024-01-01";

/// The format of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `{"code":422,"error_code":"…","msg":"…"}`
    Old,
    /// `{"code":"…","message":"…"}`
    Of2024,
}

impl Version {
    /// The format that a date asks for.
    pub fn of(date: &str) -> Version {
        if is_date(date) && date >= VERSION_2024 { Version::Of2024 } else { Version::Old }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// A response.
#[derive(Clone, Debug)]
pub struct AuthResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// Its body.
    pub body: Vec<u8>,
    /// What went wrong underneath: for the log, never for the client.
    pub cause: Option<Error>,
}

impl AuthResponse {
    /// A JSON body. Nothing that this API says may be stored, unless a header says otherwise.
    pub fn json(status: u16, body: &Json) -> AuthResponse {
        AuthResponse::text(status, "application/json", body.compact())
    }

    /// A body of another type.
    pub fn text(status: u16, media_type: &'static str, body: impl Into<String>) -> AuthResponse {
        let headers = vec![("content-type", media_type.into())];
        AuthResponse { status, headers, body: body.into().into_bytes(), cause: None }
    }

    /// 204.
    pub fn empty() -> AuthResponse {
        AuthResponse { status: 204, headers: Vec::new(), body: Vec::new(), cause: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> AuthResponse {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| &**value)
    }
}

/// What browsers are told about other origins. There are no cookies, so any origin may ask; the client's token is proof.
pub const CORS: &[(&str, &str)] = &[
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE"),
    (
        "access-control-allow-headers",
        "Accept, Authorization, Content-Type, X-Client-IP, X-Client-Info, X-JWT-AUD, X-Use-Cookie, \
         X-Supabase-Api-Version, apikey",
    ),
    ("access-control-expose-headers", "X-Total-Count, Link, X-Supabase-Api-Version"),
];

/// The answer to a preflight (`OPTIONS`) request.
pub fn preflight() -> AuthResponse {
    let headers = CORS.iter().map(|(name, value)| (*name, Cow::Borrowed(*value)));
    let headers = headers.chain([("access-control-max-age", Cow::Borrowed("3600"))]).collect();
    AuthResponse { headers, ..AuthResponse::empty() }
}
