//! The settings of the Auth API, as its crate wants them.

use std::time::Duration;

use auth::config::{Config, Email, Passwords, RateLimits, Requirements, Sessions};

use crate::settings::{self, Period, Settings};

/// What `[auth]` says. `public_url` is where clients find the server.
pub(super) fn config(settings: &Settings, public_url: &str) -> Config {
    let issuer = settings.auth_jwt_issuer.clone();
    Config {
        site_url: settings.auth_site_url.clone(),
        issuer: issuer.unwrap_or_else(|| format!("{public_url}/auth/v1")),
        jwt_expiry_s: narrow(settings.auth_jwt_expiry),
        enable_signup: settings.auth_enable_signup,
        enable_anonymous_sign_ins: settings.auth_enable_anonymous_sign_ins,
        email: Email {
            enable_signup: settings.auth_email_enable_signup,
            enable_confirmations: settings.auth_email_enable_confirmations,
            secure_password_change: settings.auth_email_secure_password_change,
            require_current_password: settings.auth_email_require_current_password,
        },
        password: Passwords {
            minimum_length: usize::try_from(settings.auth_minimum_password_length).unwrap_or(usize::MAX),
            requirements: requirements(settings.auth_password_requirements),
            refuse_common: settings.auth_refuse_common_passwords,
        },
        sessions: Sessions {
            timebox_s: settings.auth_sessions_timebox.map(seconds),
            inactivity_timeout_s: settings.auth_sessions_inactivity_timeout.map(seconds),
            single_per_user: settings.auth_sessions_single_per_user,
        },
        enable_refresh_token_rotation: settings.auth_enable_refresh_token_rotation,
        refresh_token_reuse_interval_s: narrow(settings.auth_refresh_token_reuse_interval),
        rate_limit: RateLimits {
            sign_in_sign_ups: narrow(settings.auth_rate_limit_sign_in_sign_ups),
            token_refresh: narrow(settings.auth_rate_limit_token_refresh),
            anonymous_users: narrow(settings.auth_rate_limit_anonymous_users),
            token_verifications: narrow(settings.auth_rate_limit_token_verifications),
            header: settings.auth_rate_limit_header.as_ref().map(|name| name.to_ascii_lowercase()),
        },
        limits: settings.limits.clone(),
        statement_timeout: Duration::from_millis(settings.limits.service_statement_timeout_ms),
        ..Config::default()
    }
}

fn requirements(setting: settings::Requirements) -> Requirements {
    match setting {
        settings::Requirements::None => Requirements::None,
        settings::Requirements::LettersDigits => Requirements::LettersDigits,
        settings::Requirements::LowerUpperLettersDigits => Requirements::LowerUpperLettersDigits,
        settings::Requirements::LowerUpperLettersDigitsSymbols => {
            Requirements::LowerUpperLettersDigitsSymbols
        }
    }
}

fn seconds(period: Period) -> u64 {
    period.0.as_secs()
}

/// What is more than fits is as good as the most that fits.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
