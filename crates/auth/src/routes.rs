//! The table of routes: everything that GoTrue has, whether it is here or not.
//!
//! What is not here answers with a code and a sentence that say so, never with a bare 404.

use engine::BoxFuture;

use crate::codes::{self, AuthCode};
use crate::error::AuthResult;
use crate::http::{AuthResponse, Method};
use crate::service::Call;
use crate::{account, admin, public, sign_in, sign_up, verify};

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Anybody.
    Open,
    /// Whoever has a token; which user that is, the operation looks up.
    User,
    /// Tokens and keys with a role that may administer.
    Admin,
}

/// An operation.
pub(crate) type Operation = for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, AuthResult<AuthResponse>>;

/// What a route does.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// It is here.
    Does(Operation),
    /// It is not here: this is what it says.
    Absent(AuthCode, &'static str),
}

/// A route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path below `/auth/v1`; a segment in braces is a parameter.
    pub path: &'static str,
    /// Who may come in.
    pub door: Door,
    pub(crate) answer: Answer,
}

impl Route {
    /// Whether the operation is here.
    pub fn is_supported(&self) -> bool {
        matches!(self.answer, Answer::Does(_))
    }
}

const NO_MAIL: &str = "This needs mail, which is not supported yet";
const NO_PROVIDERS: &str = "Sign-in with other providers is not supported yet";
const NO_OAUTH_SERVER: &str = "OAuth server is disabled";
const NO_RECOVERY_CODES: &str = "MFA recovery codes are disabled";
const NO_SCIM: &str = "SCIM server is disabled";

macro_rules! routes {
    ($($($method:ident)|+ $path:literal $door:ident $kind:ident $answer:tt;)*) => {
        /// Every route.
        pub const ROUTES: &[Route] = &[$($(Route {
            method: Method::$method,
            path: $path,
            door: Door::$door,
            answer: routes!(@$kind $answer),
        },)+)*];
    };
    (@does ($operation:path)) => { Answer::Does(|call| Box::pin($operation(call))) };
    (@absent ($code:ident)) => { Answer::Absent(codes::$code, codes::$code.message) };
    (@absent ($code:ident, $message:expr)) => { Answer::Absent(codes::$code, $message) };
}

routes! {
    Get "/health" Open does(public::health);
    Get "/settings" Open does(public::settings);
    Get "/.well-known/jwks.json" Open does(public::key_set);
    Get "/.well-known/openid-configuration" Open does(public::discovery);
    Get "/.well-known/oauth-authorization-server" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);

    Post "/signup" Open does(sign_up::sign_up);
    Post "/token" Open does(sign_in::token);
    Get "/user" User does(account::show);
    Put "/user" User does(account::change);
    Post "/logout" User does(account::log_out);
    Get "/verify" Open does(verify::by_link);
    Post "/verify" Open does(verify::by_code);

    Post "/otp" Open absent(FEATURE_DISABLED, NO_MAIL);
    Post "/magiclink" Open absent(FEATURE_DISABLED, NO_MAIL);
    Post "/recover" Open absent(FEATURE_DISABLED, NO_MAIL);
    Post "/resend" Open absent(FEATURE_DISABLED, NO_MAIL);
    Post "/invite" Admin absent(FEATURE_DISABLED, NO_MAIL);
    Get "/reauthenticate" User absent(FEATURE_DISABLED, NO_MAIL);

    Get "/authorize" Open absent(PROVIDER_NOT_ENABLED);
    Get | Post "/callback" Open absent(BAD_OAUTH_STATE);
    Get "/user/identities/authorize" User absent(MANUAL_LINKING_DISABLED);
    Delete "/user/identities/{identity_id}" User absent(MANUAL_LINKING_DISABLED);
    Get | Delete "/user/oauth/grants" User absent(FEATURE_DISABLED, NO_OAUTH_SERVER);

    Post "/factors" User absent(MFA_ENROLL_DISABLED);
    Get | Delete "/factors/recovery-codes" User absent(FEATURE_DISABLED, NO_RECOVERY_CODES);
    Post "/factors/recovery-codes/{operation}" User absent(FEATURE_DISABLED, NO_RECOVERY_CODES);
    Post "/factors/{factor_id}/challenge" User absent(FACTOR_NOT_FOUND);
    Post "/factors/{factor_id}/verify" User absent(FACTOR_NOT_FOUND);
    Delete "/factors/{factor_id}" User absent(FACTOR_NOT_FOUND);

    Post "/passkeys/authentication/options" Open absent(PASSKEY_DISABLED);
    Post "/passkeys/authentication/verify" Open absent(PASSKEY_DISABLED);
    Post "/passkeys/registration/options" Open absent(PASSKEY_DISABLED);
    Post "/passkeys/registration/verify" Open absent(PASSKEY_DISABLED);
    Get "/passkeys" Open absent(PASSKEY_DISABLED);
    Patch | Delete "/passkeys/{passkey_id}" Open absent(PASSKEY_DISABLED);

    Post "/sso" Open absent(SAML_DISABLED);
    Get "/sso/saml/metadata" Open absent(SAML_DISABLED);
    Post "/sso/saml/acs" Open absent(SAML_DISABLED);

    Post "/oauth/clients/register" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Post "/oauth/token" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Get "/oauth/userinfo" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Get "/oauth/authorize" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Get "/oauth/authorizations/{authorization_id}" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Post "/oauth/authorizations/{authorization_id}/consent" Open absent(FEATURE_DISABLED, NO_OAUTH_SERVER);

    Get "/admin/users" Admin does(admin::list);
    Post "/admin/users" Admin does(admin::create);
    Get "/admin/users/{user_id}" Admin does(admin::show);
    Put "/admin/users/{user_id}" Admin does(admin::change);
    Delete "/admin/users/{user_id}" Admin does(admin::delete);
    Get "/admin/users/{user_id}/factors" Admin does(admin::factors);
    Put | Delete "/admin/users/{user_id}/factors/{factor_id}" Admin does(admin::factor);
    Get "/admin/users/{user_id}/passkeys" Admin absent(PASSKEY_DISABLED);
    Delete "/admin/users/{user_id}/passkeys/{passkey_id}" Admin absent(PASSKEY_DISABLED);
    Post "/admin/generate_link" Admin absent(FEATURE_DISABLED, "Links are not supported yet");
    Get "/admin/audit" Admin absent(FEATURE_DISABLED, "Reading the audit log is not supported yet");
    Get | Post "/admin/sso/providers" Admin absent(SAML_DISABLED);
    Get | Put | Delete "/admin/sso/providers/{provider_id}" Admin absent(SAML_DISABLED);
    Get | Post "/admin/oauth/clients" Admin absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Get | Put | Delete "/admin/oauth/clients/{client_id}" Admin absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Post "/admin/oauth/clients/{client_id}/regenerate_secret" Admin absent(FEATURE_DISABLED, NO_OAUTH_SERVER);
    Get | Post "/admin/custom-providers" Admin absent(FEATURE_DISABLED, NO_PROVIDERS);
    Get | Put | Delete "/admin/custom-providers/{identifier}" Admin absent(FEATURE_DISABLED, NO_PROVIDERS);

    Get "/scim/v2/ServiceProviderConfig" Open absent(FEATURE_DISABLED, NO_SCIM);
    Get "/scim/v2/ResourceTypes" Open absent(FEATURE_DISABLED, NO_SCIM);
    Get "/scim/v2/Schemas" Open absent(FEATURE_DISABLED, NO_SCIM);
}

/// What a path leads to.
pub(crate) enum Found<'p> {
    /// A route, with what stands in the path where it has names.
    Route(&'static Route, Vec<&'p str>),
    /// The path is there, for other methods.
    OtherMethod,
    /// Nothing.
    Nothing,
}

/// The route of a method and path. Paths are compared as sent: nothing in them is decoded.
pub(crate) fn find(method: Method, path: &str) -> Found<'_> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut here = ROUTES.iter().filter_map(|route| Some((route, parameters(route.path, path)?))).peekable();
    if here.peek().is_none() {
        return Found::Nothing;
    }
    match here.find(|(route, _)| route.method == method) {
        Some((route, parameters)) => Found::Route(route, parameters),
        None => Found::OtherMethod,
    }
}

/// What stands in a path where a pattern has names; `None` when they differ elsewhere.
fn parameters<'p>(pattern: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut found = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(name), Some(text)) if name.starts_with('{') && !text.is_empty() => found.push(text),
            (Some(name), Some(text)) if name == text => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_there_once_and_the_first_that_fits_is_the_exact_one() {
        for (position, route) in ROUTES.iter().enumerate() {
            let twins = ROUTES[..position].iter().filter(|other| other.path == route.path);
            assert!(twins.filter(|other| other.method == route.method).count() == 0, "{}", route.path);
            match find(route.method, route.path) {
                Found::Route(found, _) => assert_eq!(found.path, route.path),
                Found::OtherMethod | Found::Nothing => panic!("{}", route.path),
            }
        }
    }

    #[test]
    fn paths_are_not_decoded() {
        let Found::Route(route, parameters) = find(Method::Get, "/admin/users/..%2f..%2fsettings/") else {
            panic!()
        };
        assert_eq!((route.path, parameters), ("/admin/users/{user_id}", vec!["..%2f..%2fsettings"]));
        assert!(matches!(find(Method::Get, "/admin/users/../../settings"), Found::Nothing));
        assert!(matches!(find(Method::Post, "/user"), Found::OtherMethod));
        assert!(matches!(find(Method::Get, "/nothing"), Found::Nothing));
        assert!(matches!(find(Method::Get, "/admin/users//"), Found::Nothing));
    }
}
