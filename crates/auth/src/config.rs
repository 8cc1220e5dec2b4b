//! The settings of the Auth API, as the binary reads them from `[auth]`. Nothing here reads a file.

use std::time::Duration;

use types::Limits;

/// Everything that may be chosen. The defaults are the safe ones; where GoTrue's are weaker, the field says so.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the application is.
    pub site_url: String,
    /// `iss` of access tokens, and the address of this API from outside: `https://host/auth/v1`.
    pub issuer: String,
    /// `aud` of users that are not created for another audience.
    pub audience: String,
    /// The database role of users.
    pub default_role: String,
    /// Roles whose tokens may use `/admin`.
    pub admin_roles: Vec<String>,
    /// What `/health` calls the version.
    pub version: String,
    /// How long access tokens are valid, in seconds.
    pub jwt_expiry_s: u32,
    /// Whether anybody may sign up.
    pub enable_signup: bool,
    /// Whether anybody may sign in without saying who they are.
    pub enable_anonymous_sign_ins: bool,
    /// Addresses as identifiers.
    pub email: Email,
    /// Which passwords are accepted.
    pub password: Passwords,
    /// How long sessions live.
    pub sessions: Sessions,
    /// Whether the reuse of a refresh token ends its session. (Tokens rotate in any case, as in GoTrue.)
    pub enable_refresh_token_rotation: bool,
    /// How long a used refresh token may be presented again, in seconds.
    pub refresh_token_reuse_interval_s: u32,
    /// How often one address may ask.
    pub rate_limit: RateLimits,
    /// Limits of bodies and of passwords.
    pub limits: Limits,
    /// Time for the statements of one request.
    pub statement_timeout: Duration,
}

/// `[auth.email]`
#[derive(Clone, Debug)]
pub struct Email {
    /// Whether addresses identify people at all (`enable_signup`, which in GoTrue also closes signing in).
    pub enable_signup: bool,
    /// Whether an address must be confirmed by mail before its owner may sign in.
    pub enable_confirmations: bool,
    /// Whether changing a password wants a session of the last 24 hours or a nonce (`secure_password_change`).
    pub secure_password_change: bool,
    /// Whether changing a password wants the old one.
    pub require_current_password: bool,
}

/// Which passwords are accepted.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// The least number of characters. GoTrue: 6.
    pub minimum_length: usize,
    /// Kinds of characters that must be there.
    pub requirements: Requirements,
    /// Whether passwords that everybody tries first are refused. GoTrue asks a remote service instead, when told to.
    pub refuse_common: bool,
}

/// `password_requirements`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requirements {
    /// None.
    #[default]
    None,
    /// `letters_digits`
    LettersDigits,
    /// `lower_upper_letters_digits`
    LowerUpperLettersDigits,
    /// `lower_upper_letters_digits_symbols`
    LowerUpperLettersDigitsSymbols,
}

impl Requirements {
    /// The requirements of a name; the empty name is none.
    pub fn find(name: &str) -> Option<Requirements> {
        Some(match name {
            "" => Requirements::None,
            "letters_digits" => Requirements::LettersDigits,
            "lower_upper_letters_digits" => Requirements::LowerUpperLettersDigits,
            "lower_upper_letters_digits_symbols" => Requirements::LowerUpperLettersDigitsSymbols,
            _ => return None,
        })
    }
}

/// `[auth.sessions]`. They are enforced when a session is refreshed.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// A session ends so many seconds after it began.
    pub timebox_s: Option<u64>,
    /// A session ends when it was not refreshed for so many seconds.
    pub inactivity_timeout_s: Option<u64>,
    /// Only the session refreshed last goes on.
    pub single_per_user: bool,
}

/// `[auth.rate_limit]`: how often one address may ask. 0 is no limit.
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// Signing up, and changing oneself: each in 5 minutes.
    pub sign_in_sign_ups: u32,
    /// `/token`, in 5 minutes.
    pub token_refresh: u32,
    /// Anonymous sign-ins, in an hour.
    pub anonymous_users: u32,
    /// `/verify`, in 5 minutes.
    pub token_verifications: u32,
    /// The header whose first entry is the address (behind a proxy that sets it). Without one, or when a request has
    /// none, the other end of the connection is the address.
    pub header: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            site_url: "http://127.0.0.1:3000".into(),
            issuer: "http://127.0.0.1:54321/auth/v1".into(),
            audience: "authenticated".into(),
            default_role: "authenticated".into(),
            admin_roles: vec!["service_role".into(), "supabase_admin".into()],
            version: env!("CARGO_PKG_VERSION").into(),
            jwt_expiry_s: 3_600,
            enable_signup: true,
            enable_anonymous_sign_ins: false,
            email: Email {
                enable_signup: true,
                enable_confirmations: false,
                secure_password_change: false,
                require_current_password: false,
            },
            // NIST SP 800-63B-4, section 3.1.1.2: fifteen characters where the password is the only factor.
            password: Passwords { minimum_length: 15, requirements: Requirements::None, refuse_common: true },
            sessions: Sessions::default(),
            enable_refresh_token_rotation: true,
            refresh_token_reuse_interval_s: 10,
            rate_limit: RateLimits::default(),
            limits: Limits::default(),
            statement_timeout: Duration::from_secs(8),
        }
    }
}

impl Default for RateLimits {
    fn default() -> RateLimits {
        RateLimits {
            sign_in_sign_ups: 30,
            token_refresh: 150,
            anonymous_users: 30,
            token_verifications: 30,
            header: None,
        }
    }
}
