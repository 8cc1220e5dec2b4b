//! What anybody may know: that the service is there, how it is set up, with which keys its tokens are verified.

use types::json::{Json, parse};

use crate::error::AuthResult;
use crate::fields::{object, string};
use crate::http::AuthResponse;
use crate::service::Call;

/// Keys and discovery may be kept for ten minutes.
const CACHED: &str = "public, max-age=600";

/// `GET /health`
pub(crate) async fn health(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let body = object([
        ("version", string(&call.service.config.version)),
        // Clients may look for this name.
        ("name", string("GoTrue")),
        ("description", string("Backplane's users, sessions and tokens, over GoTrue's API")),
    ]);
    Ok(AuthResponse::json(200, &body))
}

/// Providers that GoTrue lists; none of them is here.
const PROVIDERS: &[&str] = &[
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "snapchat",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "keycloak",
    "kakao",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "spotify",
    "slack",
    "slack_oidc",
    "workos",
    "twitch",
    "twitter",
    "zoom",
];

/// `GET /settings`
pub(crate) async fn settings(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let config = &call.service.config;
    let mut external = vec![
        ("anonymous_users".to_owned(), Json::Bool(config.enable_anonymous_sign_ins)),
        ("email".into(), Json::Bool(config.email.enable_signup)),
        ("phone".into(), Json::Bool(false)),
    ];
    external.extend(PROVIDERS.iter().map(|provider| ((*provider).to_owned(), Json::Bool(false))));
    let body = object([
        ("external", Json::Object(external)),
        ("disable_signup", Json::Bool(!config.enable_signup)),
        ("mailer_autoconfirm", Json::Bool(!config.email.enable_confirmations)),
        ("phone_autoconfirm", Json::Bool(false)),
        ("sms_provider", string("")),
        ("saml_enabled", Json::Bool(false)),
        ("saml_private_key_next_configured", Json::Bool(false)),
        ("passkeys_enabled", Json::Bool(false)),
    ]);
    Ok(AuthResponse::json(200, &body))
}

/// `GET /.well-known/jwks.json`
pub(crate) async fn key_set(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let keys = parse(&call.service.gateway.verifier.keys().public(), 8)?;
    Ok(AuthResponse::json(200, &keys).with("cache-control", CACHED))
}

/// `GET /.well-known/openid-configuration` (`OpenID` Connect Discovery 1.0 section 3), as far as it is true here.
pub(crate) async fn discovery(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let issuer = &call.service.config.issuer;
    let base = issuer.trim_end_matches('/');
    let list = |items: &[&str]| Json::Array(items.iter().map(|item| string(*item)).collect());
    let algorithm = call.service.gateway.verifier.keys().algorithm().map(|algorithm| algorithm.name());
    let body = object([
        ("issuer", string(issuer)),
        ("authorization_endpoint", string(format!("{base}/oauth/authorize"))),
        ("token_endpoint", string(format!("{base}/oauth/token"))),
        ("jwks_uri", string(format!("{base}/.well-known/jwks.json"))),
        ("userinfo_endpoint", string(format!("{base}/oauth/userinfo"))),
        ("response_types_supported", list(&["code"])),
        ("subject_types_supported", list(&["public"])),
        ("id_token_signing_alg_values_supported", list(algorithm.as_slice())),
    ]);
    Ok(AuthResponse::json(200, &body).with("cache-control", CACHED))
}
