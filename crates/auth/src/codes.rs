//! The table of the Auth API's error codes: name, HTTP status, the message when nothing better is known.
//!
//! GoTrue answers some codes with different statuses in different places; such a code has a row for each.

/// One code in one situation.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The code as sent.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The usual message.
    pub message: &'static str,
}

/// A row of the table.
pub type AuthCode = &'static Row;

macro_rules! codes {
    ($($konst:ident $name:literal $status:literal $message:literal;)*) => {
        $(#[doc = concat!("`", $name, "` ", $status, ": ", $message)]
        pub const $konst: AuthCode = &Row { name: $name, status: $status, message: $message };)*

        /// The rows, in the order of the constants.
        pub const TABLE: &[AuthCode] = &[$($konst,)*];
    };
}

codes! {
    UNEXPECTED_FAILURE "unexpected_failure" 500 "Internal Server Error";
    VALIDATION_FAILED "validation_failed" 400 "The request is not valid";
    INVALID_ID "validation_failed" 404 "user_id must be an UUID";
    BAD_JSON "bad_json" 400 "Could not parse request body as JSON";
    CONFLICT "conflict" 409 "Too many concurrent requests for one session";
    REQUEST_TIMEOUT "request_timeout" 504 "Processing this request timed out, please retry after a moment.";
    REQUEST_TOO_LARGE "request_entity_too_large" 413 "Request body is too large";
    FEATURE_DISABLED "feature_disabled" 404 "This feature is not available";
    OVER_REQUEST_RATE_LIMIT "over_request_rate_limit" 429 "Request rate limit reached";

    NO_AUTHORIZATION "no_authorization" 401 "This endpoint requires a valid Bearer token";
    BAD_JWT "bad_jwt" 403 "invalid JWT: unable to parse or verify signature";
    BAD_SUBJECT "bad_jwt" 400 "invalid claim: sub claim must be a UUID";
    NOT_ADMIN "not_admin" 403 "User not allowed";
    SESSION_NOT_FOUND "session_not_found" 403 "Session from session_id claim in JWT does not exist";
    SESSION_NOT_FOUND_ON_REFRESH "session_not_found" 400 "Invalid Refresh Token: No Valid Session Found";
    SESSION_EXPIRED "session_expired" 403 "Session has expired";
    SESSION_EXPIRED_ON_REFRESH "session_expired" 400 "Invalid Refresh Token: Session Expired";
    REFRESH_TOKEN_NOT_FOUND "refresh_token_not_found" 400 "Invalid Refresh Token: Refresh Token Not Found";
    REFRESH_TOKEN_ALREADY_USED "refresh_token_already_used" 400 "Invalid Refresh Token: Already Used";
    USER_NOT_FOUND "user_not_found" 404 "User not found";
    USER_OF_TOKEN_NOT_FOUND "user_not_found" 403 "User from sub claim in JWT does not exist";
    USER_BANNED "user_banned" 403 "User is banned";
    USER_BANNED_ON_SIGN_IN "user_banned" 400 "User is banned";

    BANNED_ON_REFRESH "user_banned" 400 "Invalid Refresh Token: User Banned";

    INVALID_CREDENTIALS "invalid_credentials" 400 "Invalid login credentials";
    EMAIL_NOT_CONFIRMED "email_not_confirmed" 400 "Email not confirmed";
    PHONE_NOT_CONFIRMED "phone_not_confirmed" 400 "Phone not confirmed";
    WEAK_PASSWORD "weak_password" 422 "Password is too weak";
    SAME_PASSWORD "same_password" 422 "New password should be different from the old password.";
    REAUTHENTICATION_NEEDED "reauthentication_needed" 400 "Password update requires reauthentication";
    REAUTHENTICATION_NOT_VALID "reauthentication_not_valid" 422 "Nonce has expired or is invalid";
    CURRENT_PASSWORD_REQUIRED "current_password_required" 400 "Current password required when setting new password.";
    CURRENT_PASSWORD_INVALID "current_password_invalid" 400 "The current password is not right";
    USER_SSO_MANAGED "user_sso_managed" 422 "Updating email, phone, password of a SSO account only possible via SSO";

    SIGNUP_DISABLED "signup_disabled" 422 "Signups not allowed for this instance";
    USER_ALREADY_EXISTS "user_already_exists" 422 "User already registered";
    EMAIL_EXISTS "email_exists" 422 "A user with this email address has already been registered";
    PHONE_EXISTS "phone_exists" 422 "A user with this phone number has already been registered";
    ANONYMOUS_PASSWORD "validation_failed" 422 "Updating password of an anonymous user without an email or phone is not allowed";
    EMAIL_SIGNUPS_DISABLED "email_provider_disabled" 400 "Email signups are disabled";
    EMAIL_LOGINS_DISABLED "email_provider_disabled" 422 "Email logins are disabled";
    PHONE_SIGNUPS_DISABLED "phone_provider_disabled" 400 "Phone signups are disabled";
    PHONE_LOGINS_DISABLED "phone_provider_disabled" 422 "Phone logins are disabled";
    ANONYMOUS_DISABLED "anonymous_provider_disabled" 422 "Anonymous sign-ins are disabled";
    UNSUPPORTED_GRANT "invalid_credentials" 400 "unsupported_grant_type";
    MAIL_NOT_CONFIGURED "feature_disabled" 422 "Mail is not configured: addresses cannot be confirmed";
    PROVIDER_NOT_ENABLED "validation_failed" 400 "Unsupported provider: provider is not enabled";
    PROVIDER_DISABLED "provider_disabled" 400 "Provider is not enabled: tokens of other providers are not supported yet";
    BAD_OAUTH_STATE "bad_oauth_state" 400 "OAuth state not found or expired";
    FLOW_STATE_NOT_FOUND "flow_state_not_found" 404 "invalid flow state, no valid flow state found";
    WEB3_DISABLED "web3_provider_disabled" 422 "Web3 provider is disabled";
    OTP_EXPIRED "otp_expired" 403 "Token has expired or is invalid";
    INSUFFICIENT_AAL "insufficient_aal" 401 "AAL2 session is required to update email or password when MFA is enabled.";
    MFA_ENROLL_DISABLED "mfa_totp_enroll_not_enabled" 422 "MFA enroll is disabled for TOTP";
    FACTOR_NOT_FOUND "mfa_factor_not_found" 404 "Factor not found";
    MANUAL_LINKING_DISABLED "manual_linking_disabled" 404 "Manual linking is disabled";
    PASSKEY_DISABLED "passkey_disabled" 404 "Passkeys are disabled";
    SAML_DISABLED "saml_provider_disabled" 404 "SAML 2.0 is disabled";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_one_situation() {
        for (position, row) in TABLE.iter().enumerate() {
            let twin = TABLE[..position].iter().any(|other| other == row);
            assert!(!twin && (400..600).contains(&row.status), "{}", row.name);
        }
    }
}
