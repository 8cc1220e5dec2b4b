//! Keys that projects have in `config.toml` today and that change nothing here: a row per section.
//!
//! They are accepted so that an existing folder works as it is, and named by `backplane check`, never ignored in silence.

/// Sections with their keys. `*` stands for any name; a lone `**` for everything below.
pub const TABLE: &[(&str, &str)] = &[
    ("", "project_id"),
    ("api", "auto_expose_new_tables"),
    ("api.tls", "enabled cert_path key_path"),
    ("db", "port shadow_port major_version health_timeout root_key"),
    ("db.pooler", "enabled port pool_mode default_pool_size max_client_conn"),
    ("db.settings", "**"),
    ("db.vault", "**"),
    ("db.network_restrictions", "enabled allowed_cidrs allowed_cidrs_v6"),
    ("db.ssl_enforcement", "enabled"),
    ("realtime", "enabled ip_version max_header_length"),
    ("studio", "enabled port api_url openai_api_key"),
    ("inbucket", "enabled port smtp_port pop3_port admin_email sender_name"),
    ("local_smtp", "enabled port smtp_port pop3_port admin_email sender_name"),
    ("storage", "enabled file_size_limit"),
    ("storage.image_transformation", "enabled"),
    ("storage.s3_protocol", "enabled"),
    ("storage.buckets.*", "public file_size_limit allowed_mime_types objects_path"),
    ("storage.analytics", "**"),
    ("storage.vector", "**"),
    ("edge_runtime", "enabled policy inspector_port deno_version"),
    ("edge_runtime.secrets", "**"),
    ("functions.*", "enabled verify_jwt import_map entrypoint static_files env"),
    ("analytics", "enabled port backend vector_port gcp_project_id gcp_project_number gcp_jwt_path"),
    ("experimental", "**"),
    ("remotes.*", "**"),
    ("pgdelta", "**"),
    ("auth", "enable_manual_linking"),
    ("auth.rate_limit", "email_sent sms_sent web3"),
    ("auth.captcha", "enabled provider secret"),
    ("auth.hook.*", "enabled uri secrets"),
    ("auth.email", "double_confirm_changes max_frequency otp_length otp_expiry"),
    ("auth.email.smtp", "enabled host port user pass admin_email sender_name"),
    ("auth.email.template.*", "subject content content_path"),
    ("auth.email.notification.*", "enabled subject content content_path"),
    ("auth.sms", "enable_signup enable_confirmations template max_frequency"),
    ("auth.sms.test_otp", "**"),
    (
        "auth.sms.*",
        "enabled account_sid message_service_sid auth_token originator access_key sender api_key from api_secret",
    ),
    ("auth.mfa", "max_enrolled_factors"),
    ("auth.mfa.totp", "enroll_enabled verify_enabled"),
    ("auth.mfa.phone", "enroll_enabled verify_enabled otp_length template max_frequency"),
    ("auth.mfa.web_authn", "enroll_enabled verify_enabled"),
    ("auth.external.*", "enabled client_id secret url redirect_uri skip_nonce_check email_optional"),
    ("auth.web3.*", "enabled"),
    (
        "auth.third_party.*",
        "enabled project_id tenant tenant_region user_pool_id user_pool_region domain issuer_url",
    ),
    ("auth.oauth_server", "enabled allow_dynamic_registration authorization_url_path"),
    ("auth.passkey", "**"),
    ("auth.webauthn", "**"),
];

/// Whether a path with dots is in the table.
pub fn holds(path: &[&str]) -> bool {
    TABLE.iter().any(|(section, keys)| {
        let section = segments(section);
        let below = path.len().checked_sub(section.len()).filter(|below| *below > 0);
        below.is_some_and(|below| {
            let (head, tail) = path.split_at(path.len() - below);
            matches(&section, head)
                && (*keys == "**" || (below == 1 && keys.split(' ').any(|key| tail == [key])))
        })
    })
}

/// Whether a section of this path is in the table, or a section below it.
pub fn is_section(path: &[&str]) -> bool {
    TABLE.iter().any(|(section, keys)| {
        let section = segments(section);
        let shared = section.len().min(path.len());
        let fits = matches(&section[..shared], &path[..shared]);
        fits && (path.len() <= section.len() || *keys == "**")
    })
}

/// All paths, `*` as it is.
pub fn paths() -> impl Iterator<Item = String> {
    TABLE.iter().flat_map(|(section, keys)| {
        keys.split(' ')
            .map(move |key| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") })
    })
}

fn segments(path: &str) -> Vec<&str> {
    path.split('.').filter(|segment| !segment.is_empty()).collect()
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(pattern, name)| *pattern == "*" || pattern == name)
}
