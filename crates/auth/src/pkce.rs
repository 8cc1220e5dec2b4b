//! What a flow with a code challenge (RFC 7636) sends, as far as it can be judged without a flow.

use crate::codes;
use crate::error::{AuthError, AuthResult};
use crate::fields::Fields;

/// The bounds of a challenge's length (RFC 7636 section 4.2).
const LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// Refuses a challenge without its method, and one that cannot be one.
pub(crate) fn check_challenge(body: &Fields) -> AuthResult<()> {
    let (challenge, method) = (body.text("code_challenge")?, body.text("code_challenge_method")?);
    let refuse = |why: &str| Err(AuthError::new(codes::VALIDATION_FAILED, why));
    if challenge.is_empty() != method.is_empty() {
        return refuse("PKCE flow requires code_challenge_method and code_challenge");
    }
    if challenge.is_empty() {
        return Ok(());
    }
    if !LENGTHS.contains(&challenge.len()) {
        return refuse("code challenge has to be between 43 and 128 characters");
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !challenge.bytes().all(is_allowed) {
        return refuse(
            "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes",
        );
    }
    if !["s256", "plain"].contains(&method.to_ascii_lowercase().as_str()) {
        return refuse("code challenge method has to be s256 or plain");
    }
    Ok(())
}
