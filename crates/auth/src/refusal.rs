//! Why credentials were refused, and how each API says so.
//!
//! One value, two dialects: PostgREST's texts for the Data API (`PGRST300`, `PGRST301`, `PGRST303`), GoTrue's
//! `bad_jwt` reasons for the Auth API.

use types::{Code, Error};

/// Why credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `Bearer` without a token.
    Empty,
    /// A token longer than [`crate::token::BYTES_MAX`].
    TooLong,
    /// Not three parts.
    Parts(usize),
    /// A part that is not base64url of a JSON object.
    Undecodable,
    /// The same of the first part.
    Head,
    /// `alg` is `none`.
    Unsigned,
    /// `alg` is missing, not a string, or not one of ours.
    Algorithm,
    /// A header that asks for something else than a plain signed token (`crit`, `b64`, `zip`, `enc`, `cty`, `typ`).
    Extension,
    /// No key was configured.
    NoKeys,
    /// The `kid` is unknown, or its key is of another type than `alg`.
    Key,
    /// The signature is wrong.
    Signature,
    /// `exp` has passed.
    Expired,
    /// `nbf` is in the future.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
    /// The claim must be a whole number of seconds.
    NotANumber(&'static str),
    /// `exp` is required.
    NoExpiry,
    /// `aud` is not text or a list of text.
    AudienceType,
    /// `aud` does not name us.
    Audience,
    /// `iss` is not an issuer that we trust.
    Issuer,
    /// The token's session has ended, or its user is banned or gone.
    Revoked,
    /// The header was sent more than once.
    Repeated(&'static str),
    /// An API key of ours that does not exist, or no longer.
    UnknownApiKey,
    /// A secret API key sent by a browser.
    SecretInBrowser,
    /// No API key, although the server asks for one.
    NoApiKey,
}

impl Refusal {
    /// The error of the Data API.
    pub fn for_data_api(self) -> Error {
        let error = Error::new(self.code(), self.message());
        match self {
            Refusal::Key | Refusal::Signature => error.with_details("None of the keys was able to decode the JWT"),
            Refusal::Unsigned => error.with_details("JWT is unsecured but expected 'alg' was not 'none'"),
            Refusal::SecretInBrowser => error.with_hint(
                "Secret API keys can only be used in a protected environment. Revoke this key at once if it is public.",
            ),
            Refusal::UnknownApiKey => error.with_hint("Double check your project's API keys."),
            _ => error,
        }
    }

    fn code(self) -> Code {
        match self {
            Refusal::NoKeys => Code::NO_JWT_SECRET,
            Refusal::Expired
            | Refusal::NotYetValid
            | Refusal::IssuedInFuture
            | Refusal::NotANumber(_)
            | Refusal::NoExpiry
            | Refusal::AudienceType
            | Refusal::Audience
            | Refusal::Issuer
            | Refusal::Revoked => Code::JWT_CLAIMS,
            Refusal::Empty
            | Refusal::TooLong
            | Refusal::Parts(_)
            | Refusal::Undecodable
            | Refusal::Head
            | Refusal::Unsigned
            | Refusal::Algorithm
            | Refusal::Extension
            | Refusal::Key
            | Refusal::Signature
            | Refusal::Repeated(_)
            | Refusal::UnknownApiKey
            | Refusal::SecretInBrowser
            | Refusal::NoApiKey => Code::JWT_INVALID,
        }
    }

    /// The Data API's message: PostgREST's own where it has the case.
    pub fn message(self) -> String {
        match self {
            Refusal::Empty => "Empty JWT is sent in Authorization header".into(),
            Refusal::TooLong => "JWT is too long".into(),
            Refusal::Parts(parts) => format!("Expected 3 parts in JWT; got {parts}"),
            Refusal::Undecodable => "JWT couldn't be decoded".into(),
            Refusal::Head => "JWT cryptographic operation failed".into(),
            Refusal::Algorithm | Refusal::Unsigned => "Wrong or unsupported encoding algorithm".into(),
            Refusal::Extension => "Unsupported token type".into(),
            Refusal::NoKeys => "Server lacks JWT secret".into(),
            Refusal::Key | Refusal::Signature => "No suitable key or wrong key type".into(),
            Refusal::Expired => "JWT expired".into(),
            Refusal::NotYetValid => "JWT not yet valid".into(),
            Refusal::IssuedInFuture => "JWT issued at future".into(),
            Refusal::NotANumber(claim) => format!("The JWT '{claim}' claim must be a number"),
            Refusal::NoExpiry => "The JWT 'exp' claim is required".into(),
            Refusal::AudienceType => "The JWT 'aud' claim must be a string or an array of strings".into(),
            Refusal::Audience => "JWT not in audience".into(),
            Refusal::Issuer => "JWT not from a trusted issuer".into(),
            Refusal::Revoked => "JWT session has ended".into(),
            Refusal::Repeated(header) => format!("The {header} header was sent more than once"),
            Refusal::UnknownApiKey => "Invalid API key".into(),
            Refusal::SecretInBrowser => "Forbidden use of secret API key in browser".into(),
            Refusal::NoApiKey => "No API key found in request".into(),
        }
    }

    /// What GoTrue writes after `invalid JWT: unable to parse or verify signature, `.
    pub fn for_auth_api(self) -> String {
        match self {
            Refusal::Parts(_) | Refusal::Empty => {
                "token is malformed: token contains an invalid number of segments".into()
            }
            Refusal::Undecodable | Refusal::Head | Refusal::TooLong | Refusal::Extension => {
                "token is malformed".into()
            }
            Refusal::Algorithm | Refusal::Unsigned => {
                "token is unverifiable: signing method is invalid".into()
            }
            Refusal::Key | Refusal::NoKeys => {
                "token is unverifiable: no key for this algorithm and key id".into()
            }
            Refusal::Signature => "token signature is invalid: signature is invalid".into(),
            Refusal::Expired => "token has invalid claims: token is expired".into(),
            Refusal::NotYetValid => "token has invalid claims: token is not valid yet".into(),
            Refusal::IssuedInFuture => "token has invalid claims: token used before issued".into(),
            other => other.message(),
        }
    }
}
