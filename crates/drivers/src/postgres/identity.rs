//! Who a transaction belongs to: role, claims and request, set for its length and no longer.
//!
//! All of it travels as parameters of one statement. `SET LOCAL` semantics end with the transaction; what functions may set for
//! the session besides is taken back after each transaction ([`RESET`]).

use std::time::Duration;

use engine::Run;
use render::postgres::quote;

/// Takes on an identity. An absent search path stays as it is.
pub(super) fn take() -> String {
    format!("SELECT {SEARCH_PATH}, {REQUEST}")
}

/// The same for a role that is set to something: its own search path comes before the request's.
pub(super) fn take_respecting() -> String {
    format!("SELECT {SEARCH_PATH}, {SETTINGS}, {REQUEST}")
}

const SEARCH_PATH: &str = "pg_catalog.set_config('search_path', coalesce($1::text, pg_catalog.current_setting('search_path')), true)";

const REQUEST: &str = "pg_catalog.set_config('TimeZone', $2::text, true), pg_catalog.set_config('statement_timeout', $3::text, true), pg_catalog.set_config('request.jwt.claims', $4::text, true), pg_catalog.set_config('request.method', $5::text, true), pg_catalog.set_config('request.path', $6::text, true), pg_catalog.set_config('request.headers', $7::text, true), pg_catalog.set_config('request.cookies', $8::text, true), pg_catalog.set_config('role', $9::text, true)";

const SETTINGS: &str = "(SELECT pg_catalog.count(pg_catalog.set_config(key, value, true)) FROM pg_catalog.json_each_text($10::text::json))";

/// Takes back whatever a caller's functions have done to the session in a transaction that only read: settings, role, cursors,
/// channels, locks. Prepared statements stay.
pub(super) const RESET: &str =
    "RESET ALL; RESET ROLE; CLOSE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all()";

/// The same after other transactions: temporary tables and the last values of sequences, too.
pub(super) const RESET_WRITTEN: &str = "RESET ALL; RESET ROLE; CLOSE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/// The parameters of [`take`], or of [`take_respecting`] where there are settings.
pub(super) fn parameters(run: &Run, settings: Option<&str>) -> Vec<Option<String>> {
    let asked = |what: fn(&engine::Asked) -> &str| Some(run.request.as_deref().map_or("", what).to_owned());
    let mut parameters = vec![
        run.request
            .as_ref()
            .map(|asked| asked.search_path.iter().map(|schema| quote(schema)).collect::<Vec<_>>().join(", ")),
        Some(run.session.zone.to_string()),
        Some(milliseconds(run.timeout).to_string()),
        Some(claims(run)),
        asked(|asked| &asked.method),
        asked(|asked| &asked.path),
        asked(|asked| &asked.headers),
        asked(|asked| &asked.cookies),
        Some(if run.is_of_system() { "none".to_owned() } else { run.caller.role.to_string() }),
    ];
    parameters.extend(settings.map(|settings| Some(settings.to_owned())));
    parameters
}

/// The token's claims. A caller of the API without a token has the claim of a role, as with PostgREST.
fn claims(run: &Run) -> String {
    match (&run.caller.claims, &run.request) {
        (Some(claims), _) => claims.to_string(),
        (None, Some(_)) => {
            let role = types::json::Json::String(run.caller.role.to_string());
            types::json::Json::Object(vec![("role".to_owned(), role)]).compact()
        }
        (None, None) => String::new(),
    }
}

/// PostgreSQL's largest timeout is that of its integers; zero would be none.
fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1)
}
