//! What the Auth API answers when it does not do what was asked, in the two formats that clients know.

use types::json::Json;
use types::{Code, Error};

use crate::codes::{self, AuthCode};
use crate::http::{AuthResponse, Version};
use crate::refusal::Refusal;

/// A refusal or failure.
#[derive(Clone, Debug)]
pub struct AuthError(Box<Fields>);

#[derive(Clone, Debug)]
struct Fields {
    code: AuthCode,
    message: String,
    weaknesses: Vec<&'static str>,
    retry_after_s: Option<u64>,
    cause: Option<Error>,
}

/// What an operation of this crate returns.
pub type AuthResult<T> = Result<T, AuthError>;

impl AuthError {
    /// An error with the row's message.
    pub fn of(code: AuthCode) -> AuthError {
        AuthError::new(code, code.message)
    }

    /// An error with its own message.
    pub fn new(code: AuthCode, message: impl Into<String>) -> AuthError {
        AuthError(Box::new(Fields {
            code,
            message: message.into(),
            weaknesses: Vec::new(),
            retry_after_s: None,
            cause: None,
        }))
    }

    /// `weak_password` with its reasons: `length`, `characters`, `pwned`.
    pub fn weak(message: impl Into<String>, weaknesses: Vec<&'static str>) -> AuthError {
        let mut error = AuthError::new(codes::WEAK_PASSWORD, message);
        error.0.weaknesses = weaknesses;
        error
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub fn with_retry_after_s(mut self, seconds: u64) -> AuthError {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// A failure of the database while `doing` something. What the schema's own code raised is for the caller.
    pub fn of_database(doing: &str, cause: Error) -> AuthError {
        if cause.code() == Code::OVERLOADED {
            return cause.into();
        }
        let mut message = format!("Database error {doing}");
        if cause.code() == Code::FEATURE_NOT_SUPPORTED {
            // What is missing is refused by name.
            message = format!("{message}: {}", cause.message());
        }
        let mut error = AuthError::new(codes::UNEXPECTED_FAILURE, message);
        error.0.cause = Some(cause);
        error
    }

    /// The code.
    pub fn code(&self) -> AuthCode {
        self.0.code
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The error underneath, for the log.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// The answer, in the format of the version that was asked for.
    pub fn respond(&self, version: Version) -> AuthResponse {
        let code = self.code();
        let body = match version {
            Version::Old => self.old_body(),
            Version::Of2024 => self.body_of_2024(),
        };
        let mut response = AuthResponse::json(code.status, &body).with("x-sb-error-code", code.name);
        response.cause = self.cause().cloned();
        if let Some(seconds) = self.0.retry_after_s {
            response = response.with("retry-after", seconds.to_string());
        }
        response
    }

    fn old_body(&self) -> Json {
        if let Some(raised) = self.cause().filter(|cause| is_for_caller(cause)) {
            return raised_body(raised);
        }
        let mut fields = vec![
            ("code".into(), Json::Number(self.code().status.to_string())),
            ("error_code".into(), text(self.code().name)),
            ("msg".into(), text(self.message())),
        ];
        self.add_weaknesses(&mut fields);
        Json::Object(fields)
    }

    fn body_of_2024(&self) -> Json {
        let mut fields =
            vec![("code".into(), text(self.code().name)), ("message".into(), text(self.message()))];
        self.add_weaknesses(&mut fields);
        Json::Object(fields)
    }

    fn add_weaknesses(&self, fields: &mut Vec<(String, Json)>) {
        if self.code() == codes::WEAK_PASSWORD {
            fields.push(("weak_password".into(), reasons(&self.0.weaknesses)));
        }
    }
}

/// `{"reasons":[…]}`
pub(crate) fn reasons(weaknesses: &[&str]) -> Json {
    let reasons = weaknesses.iter().map(|reason| text(reason)).collect();
    Json::Object(vec![("reasons".into(), Json::Array(reasons))])
}

fn text(text: &str) -> Json {
    Json::String(text.into())
}

/// Whether an error comes from the schema's own rules: a constraint, or a `raise` of a trigger.
fn is_for_caller(cause: &Error) -> bool {
    let code = cause.state();
    code.starts_with("23") || code.starts_with("PT") || code == "P0001"
}

fn raised_body(raised: &Error) -> Json {
    let detail = match raised.details() {
        Some(types::error::Details::Text(details) | types::error::Details::Json(details)) => details.as_str(),
        None => "",
    };
    Json::Object(vec![
        ("code".into(), text(raised.state())),
        ("message".into(), text(raised.message())),
        ("hint".into(), text(raised.hint().unwrap_or_default())),
        ("detail".into(), text(detail)),
    ])
}

impl From<Error> for AuthError {
    fn from(cause: Error) -> AuthError {
        if cause.code() == Code::OVERLOADED {
            return AuthError::of(codes::OVER_REQUEST_RATE_LIMIT).with_retry_after_s(1);
        }
        let mut error = AuthError::of(codes::UNEXPECTED_FAILURE);
        error.0.cause = Some(cause);
        error
    }
}

impl From<Refusal> for AuthError {
    fn from(refusal: Refusal) -> AuthError {
        match refusal {
            Refusal::Repeated(_) | Refusal::UnknownApiKey | Refusal::SecretInBrowser | Refusal::NoApiKey => {
                AuthError::new(codes::NO_AUTHORIZATION, refusal.message())
            }
            Refusal::Empty => AuthError::of(codes::NO_AUTHORIZATION),
            Refusal::Revoked => AuthError::of(codes::SESSION_NOT_FOUND),
            _ => AuthError::new(
                codes::BAD_JWT,
                format!("invalid JWT: unable to parse or verify signature, {}", refusal.for_auth_api()),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_schema_raises_is_for_the_caller_and_other_causes_are_not() {
        let raised = Error::new(Code::CHECK_VIOLATION, "no such role").with_details("of yours");
        let body = AuthError::of_database("saving new user", raised).respond(Version::Old);
        assert_eq!(body.status, 500);
        let text = r#"{"code":"23514","message":"no such role","hint":"","detail":"of yours"}"#;
        assert_eq!(String::from_utf8(body.body).unwrap(), text);
        let broken = Error::new(Code::IO_ERROR, "page 7 of users").with_cause("secret");
        for version in [Version::Old, Version::Of2024] {
            let response = AuthError::of_database("saving new user", broken.clone()).respond(version);
            let text = String::from_utf8(response.body).unwrap();
            assert!(text.contains("Database error saving new user") && !text.contains("page 7"), "{text}");
            assert_eq!(response.cause.unwrap().cause(), Some("secret"));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = AuthError::of_database("saving new user", Error::missing("trigger \"t\""));
        assert_eq!(error.message(), "Database error saving new user: trigger \"t\" is not supported");
    }
}
