//! Phone numbers: stored as E.164 digits without the `+`.

use crate::codes;
use crate::error::{AuthError, AuthResult};

/// The canonical form of a number.
///
/// # Errors
/// `validation_failed` with GoTrue's text.
pub(crate) fn validate(text: &str) -> AuthResult<String> {
    let digits = text.strip_prefix('+').unwrap_or(text).replace(' ', "");
    let is_valid = (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if is_valid {
        return Ok(digits);
    }
    Err(AuthError::new(codes::VALIDATION_FAILED, "Invalid phone number format (E.164 required)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits() {
        assert_eq!(validate("+49 30 123456").unwrap(), "4930123456");
        for text in ["", "1", "0301", "12345-invalid", "1234567890123456"] {
            assert!(validate(text).is_err(), "{text}");
        }
    }
}
