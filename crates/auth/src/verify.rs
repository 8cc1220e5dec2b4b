//! `/verify`: codes and links of mails and messages. None is ever sent here, so none is ever right; that is what it
//! says, after it has looked at the request as GoTrue does.

use crate::codes;
use crate::error::{AuthError, AuthResult};
use crate::http::AuthResponse;
use crate::limiter::Bucket;
use crate::service::Call;
use crate::{email, phone};

const LINK_EXPIRED: &str = "Email link is invalid or has expired";

fn refuse<T>(why: &str) -> AuthResult<T> {
    Err(AuthError::new(codes::VALIDATION_FAILED, why))
}

/// `POST /verify`
pub(crate) async fn by_code(call: &Call<'_>) -> AuthResult<AuthResponse> {
    call.count(Bucket::Verify)?;
    let body = call.body()?;
    if body.text("type")?.is_empty() {
        return refuse("Verify requires a verification type");
    }
    let (token, hash) = (body.text("token")?, body.text("token_hash")?);
    let (email, phone) = (body.text("email")?, body.text("phone")?);
    if token.is_empty() == hash.is_empty() {
        return refuse("Verify requires either a token or a token hash");
    }
    if token.is_empty() {
        return match email.is_empty() && phone.is_empty() {
            true => Err(AuthError::new(codes::OTP_EXPIRED, LINK_EXPIRED)),
            false => refuse("Only the token_hash and type should be provided"),
        };
    }
    match (email.is_empty(), phone.is_empty()) {
        (true, false) => phone::validate(&phone).map(drop)?,
        (false, true) => email::validate(&email).map(drop)?,
        _ => return refuse("Only an email address or phone number should be provided on verify"),
    }
    Err(AuthError::of(codes::OTP_EXPIRED))
}

/// `GET /verify`: the browser goes on to the application, which is told in the fragment.
pub(crate) async fn by_link(call: &Call<'_>) -> AuthResult<AuthResponse> {
    call.count(Bucket::Verify)?;
    if call.request.parameter("type").unwrap_or_default().is_empty() {
        return refuse("Verify requires a verification type");
    }
    if call.request.parameter("token").unwrap_or_default().is_empty() {
        return refuse("Verify requires a token or a token hash");
    }
    let fragment = format!(
        "error=access_denied&error_code={}&error_description={}&sb=",
        codes::OTP_EXPIRED.name,
        LINK_EXPIRED.replace(' ', "+")
    );
    let site = &call.service.config.site_url;
    Ok(AuthResponse::text(303, "text/plain; charset=utf-8", "")
        .with("location", format!("{site}#{fragment}")))
}
