//! Addresses: one canonical form, in which they are stored and compared.

use crate::codes;
use crate::error::{AuthError, AuthResult};

/// The longest address, in bytes.
const BYTES_MAX: usize = 255;

/// The longest label of a domain (RFC 1035 section 2.3.4).
const LABEL_MAX: usize = 63;

/// The form of an address that is compared: without space around it, in lower case.
///
/// Addresses that are stored are ASCII: no look-alike of another script is ever equal to one.
pub(crate) fn canonical(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

/// The canonical form of an address that somebody wants to have.
///
/// # Errors
/// `validation_failed` with GoTrue's texts.
pub(crate) fn validate(text: &str) -> AuthResult<String> {
    let email = canonical(text);
    let refuse = |why: &str| Err(AuthError::new(codes::VALIDATION_FAILED, why));
    if email.is_empty() {
        return refuse("An email address is required");
    }
    if email.len() > BYTES_MAX {
        return refuse("An email address is too long");
    }
    if is_valid(&email) { Ok(email) } else { refuse("Unable to validate email address: invalid format") }
}

/// The syntax that browsers accept in `input type=email` (HTML, section 4.10.5.1.5).
fn is_valid(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !local.is_empty() && local.bytes().all(is_local) && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_stored_in_one_form() {
        assert_eq!(validate(" Ada.Lovelace+1@Example.ORG ").unwrap(), "ada.lovelace+1@example.org");
        assert_eq!(validate("a@localhost").unwrap(), "a@localhost");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reference_s_words() {
        let long = format!("{}@example.org", "x".repeat(250));
        for (text, why) in [
            ("", "An email address is required"),
            (&long, "An email address is too long"),
            ("a", "Unable to validate email address: invalid format"),
            ("xx:;x@x.x", "Unable to validate email address: invalid format"),
            ("a@b@c", "Unable to validate email address: invalid format"),
            ("a@-b.c", "Unable to validate email address: invalid format"),
            ("a@b..c", "Unable to validate email address: invalid format"),
            ("julian@c\u{fc}re53.de", "Unable to validate email address: invalid format"),
            ("a\0@b.c", "Unable to validate email address: invalid format"),
        ] {
            let error = validate(text).unwrap_err();
            assert_eq!((error.message(), error.code()), (why, codes::VALIDATION_FAILED), "{text}");
        }
    }
}
