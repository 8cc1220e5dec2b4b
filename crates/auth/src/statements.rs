//! The statements of this crate: PostgreSQL's SQL with the types of its parameters, compiled like a user's.

use engine::Statement;
use types::Type::{self, Bool, Inet, Int8, Json, Jsonb, Text, Timestamp, Timestamptz, Uuid};

macro_rules! statements {
    ($($name:ident($($ty:expr),*) $sql:expr;)*) => {
        $(pub(crate) static $name: Statement = Statement {
            sql: $sql,
            parameters: { const TYPES: &[Type] = &[$($ty),*]; TYPES },
        };)*

        /// Every statement, with its name.
        #[cfg(test)]
        pub(crate) const TABLE: &[(&str, &Statement)] = &[$((stringify!($name), &$name),)*];
    };
}

/// `select` of a user's columns, in the order in which `users::read` takes them.
macro_rules! users {
    ($rest:literal) => {
        concat!(
            "select id, aud, role, email, encrypted_password, email_confirmed_at, invited_at, confirmation_sent_at, \
             confirmed_at, recovery_sent_at, email_change, email_change_sent_at, phone, phone_confirmed_at, \
             phone_change, phone_change_sent_at, reauthentication_sent_at, last_sign_in_at, raw_app_meta_data, \
             raw_user_meta_data, is_sso_user, is_anonymous, banned_until, deleted_at, created_at, updated_at \
             from auth.users ",
            $rest
        )
    };
}

statements! {
    USER_BY_ID(Uuid) users!("where id = $1");
    USER_BY_EMAIL(Text) users!("where email = $1 and is_sso_user = false");
    USER_SECRET(Text)
        "select id, aud, encrypted_password from auth.users where email = $1 and is_sso_user = false";
    USER_BY_PHONE(Text) users!("where phone = $1 and is_sso_user = false");

    USERS_NEWEST(Text, Int8, Int8)
        users!("where aud = $1 order by created_at desc, id desc limit $2 offset $3");
    USERS_OLDEST(Text, Int8, Int8)
        users!("where aud = $1 order by created_at, id limit $2 offset $3");
    USERS_COUNT(Text) "select count(*) from auth.users where aud = $1";
    USERS_NEWEST_LIKE(Text, Int8, Int8, Text)
        users!("where aud = $1 and (email like $4 or raw_user_meta_data ->> 'full_name' ilike $4) \
                order by created_at desc, id desc limit $2 offset $3");
    USERS_OLDEST_LIKE(Text, Int8, Int8, Text)
        users!("where aud = $1 and (email like $4 or raw_user_meta_data ->> 'full_name' ilike $4) \
                order by created_at, id limit $2 offset $3");
    USERS_COUNT_LIKE(Text, Text)
        "select count(*) from auth.users \
         where aud = $1 and (email like $2 or raw_user_meta_data ->> 'full_name' ilike $2)";

    USER_INSERT(Uuid, Text, Text, Text, Text, Text, Jsonb, Jsonb, Bool, Timestamptz)
        "insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data, \
         raw_user_meta_data, is_anonymous, created_at, updated_at, confirmation_token, recovery_token, \
         email_change_token_new, email_change) \
         values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, '', '', '', '')";
    USER_UPDATE(Uuid, Text, Text, Text, Text, Timestamptz, Timestamptz, Jsonb, Jsonb, Bool, Timestamptz, Timestamptz)
        "update auth.users set role = $2, email = $3, phone = $4, encrypted_password = $5, email_confirmed_at = $6, \
         phone_confirmed_at = $7, raw_app_meta_data = $8, raw_user_meta_data = $9, is_anonymous = $10, \
         banned_until = $11, updated_at = $12 where id = $1";
    USER_SIGNED_IN(Uuid, Timestamptz)
        "update auth.users set last_sign_in_at = $2, updated_at = $2 where id = $1";
    USER_REHASHED(Uuid, Text, Text)
        "update auth.users set encrypted_password = $3 where id = $1 and encrypted_password = $2";
    USER_TOKENS_CLEARED(Uuid)
        "update auth.users set confirmation_token = '', confirmation_sent_at = null, recovery_token = '', \
         recovery_sent_at = null, email_change_token_current = '', email_change_token_new = '', \
         email_change_sent_at = null, phone_change_token = '', phone_change_sent_at = null, \
         reauthentication_token = '', reauthentication_sent_at = null where id = $1";
    USER_SOFT_DELETED(Uuid, Text, Text, Text, Text, Timestamptz)
        "update auth.users set email = $2, phone = $3, email_change = $4, phone_change = $5, deleted_at = $6, \
         updated_at = $6, encrypted_password = null, confirmation_token = '', recovery_token = '', \
         email_change_token_current = '', email_change_token_new = '', phone_change_token = '', \
         raw_user_meta_data = '{}', raw_app_meta_data = '{}' where id = $1";
    USER_DELETE(Uuid) "delete from auth.users where id = $1";
    ONE_TIME_TOKENS_DELETE(Uuid) "delete from auth.one_time_tokens where user_id = $1";
    FACTORS_DELETE(Uuid) "delete from auth.mfa_factors where user_id = $1";
    FACTORS_VERIFIED(Uuid)
        "select count(*) from auth.mfa_factors where user_id = $1 and status = 'verified'";

    IDENTITIES(Uuid)
        "select id, provider_id, identity_data, provider, last_sign_in_at, created_at, updated_at, email \
         from auth.identities where user_id = $1 order by created_at, id";
    IDENTITY_INSERT(Uuid, Text, Uuid, Jsonb, Text, Timestamptz)
        "insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, \
         updated_at) values ($1, $2, $3, $4, $5, $6, $6, $6)";
    IDENTITY_UPDATE(Uuid, Text, Jsonb, Timestamptz)
        "update auth.identities set provider_id = $2, identity_data = $3, updated_at = $4 where id = $1";
    IDENTITY_OWNER(Text)
        "select user_id from auth.identities where email = $1 and provider not like 'sso:%' order by created_at limit 1";

    SESSION_INSERT(Uuid, Uuid, Timestamptz, Text, Inet)
        "insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip) \
         values ($1, $2, $3, $3, 'aal1', $4, $5)";
    SESSION_BY_ID(Uuid)
        "select id, user_id, created_at, not_after, refreshed_at from auth.sessions where id = $1";
    SESSIONS_OF_USER(Uuid)
        "select id, user_id, created_at, not_after, refreshed_at from auth.sessions where user_id = $1";
    SESSION_REFRESHED(Uuid, Timestamp, Timestamptz, Text, Inet)
        "update auth.sessions set refreshed_at = $2, updated_at = $3, user_agent = $4, ip = $5 where id = $1";
    SESSION_DELETE(Uuid) "delete from auth.sessions where id = $1";
    SESSIONS_DELETE(Uuid) "delete from auth.sessions where user_id = $1";
    SESSIONS_DELETE_OTHERS(Uuid, Uuid) "delete from auth.sessions where user_id = $1 and id <> $2";
    SESSION_LIVE(Uuid)
        "select u.banned_until from auth.sessions s join auth.users u on u.id = s.user_id \
         where s.id = $1 and u.deleted_at is null";

    METHODS(Uuid)
        "select authentication_method, updated_at from auth.mfa_amr_claims where session_id = $1 \
         order by updated_at desc, id";
    METHOD_INSERT(Uuid, Uuid, Timestamptz, Text)
        "insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method) \
         values ($1, $2, $3, $3, $4)";

    REFRESH_TOKEN(Text)
        "select id, token, parent, revoked, updated_at, session_id from auth.refresh_tokens where token = $1";
    REFRESH_TOKEN_ACTIVE(Uuid)
        "select id, token, parent, revoked, updated_at, session_id from auth.refresh_tokens \
         where session_id = $1 and revoked = false order by id desc limit 1";
    REFRESH_TOKEN_INSERT(Text, Text, Text, Uuid, Timestamptz)
        "insert into auth.refresh_tokens (instance_id, token, parent, user_id, session_id, revoked, created_at, \
         updated_at) values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, false, $5, $5)";
    REFRESH_TOKEN_REVOKED(Int8, Timestamptz)
        "update auth.refresh_tokens set revoked = true, updated_at = $2 where id = $1";

    AUDIT(Uuid, Json, Timestamptz, Text)
        "insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address) \
         values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4)";
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use query::Model;

    use super::TABLE;

    #[test]
    fn every_statement_is_compiled_on_the_schema() {
        let (statements, diagnostics) = sql::parse(crate::SCHEMA);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let (catalog, report) =
            catalog::build::build(catalog::build::builtin(), &statements, &query::resolve::Views);
        let model = Model::new(Arc::new(catalog));
        assert!(model.refused().is_empty(), "{:?} {report:?}", model.refused());
        for (name, statement) in TABLE {
            let (parsed, diagnostics) = sql::parse(statement.sql);
            assert!(parsed.len() == 1 && diagnostics.is_empty(), "{name}: {diagnostics:?}");
            let resolved = query::resolve::statement(&model.catalog, &parsed[0].kind, statement.parameters);
            assert!(resolved.is_ok(), "{name}: {resolved:?}");
        }
    }
}
