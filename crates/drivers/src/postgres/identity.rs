//! Who a transaction belongs to: role, claims and request, set for its length and no longer.
//!
//! All of it travels as parameters of one statement. `SET LOCAL` semantics end with the transaction; what functions may set for
//! the session besides is taken back after each transaction ([`super::own::TIDY`]).

use std::borrow::Cow;
use std::time::Duration;

use engine::{Access, Run};
use render::postgres::quote;

/// The statement, with what comes between the search path and the request.
macro_rules! take {
    ($($settings:literal)?) => {
        concat!(
            "SELECT pg_catalog.set_config('search_path', coalesce($1::text, pg_catalog.current_setting('search_path')), true), ",
            $($settings,)?
            "pg_catalog.set_config('TimeZone', $2::text, true), ",
            "pg_catalog.set_config('statement_timeout', $3::text, true), ",
            "pg_catalog.set_config('request.jwt.claims', $4::text, true), ",
            "pg_catalog.set_config('request.method', $5::text, true), ",
            "pg_catalog.set_config('request.path', $6::text, true), ",
            "pg_catalog.set_config('request.headers', $7::text, true), ",
            "pg_catalog.set_config('request.cookies', $8::text, true), ",
            "pg_catalog.set_config('role', $9::text, true), ",
            "pg_catalog.set_config('transaction_read_only', $10::text, true)"
        )
    };
}

/// Takes on an identity. An absent search path stays as it is.
pub(super) const TAKE: &str = take!();

/// The same for a role that is set to something: its own search path comes before the request's.
pub(super) const TAKE_RESPECTING: &str = take!(
    "(SELECT pg_catalog.count(pg_catalog.set_config(key, value, true)) FROM pg_catalog.json_each_text($11::text::json)), "
);

/// The same where the transaction before may have failed: of that, only locks of the session stay.
pub(super) const TAKE_AFTER: &str = take!("pg_catalog.pg_advisory_unlock_all(), ");

/// Gives up what a session may keep beyond its transaction: the role, and locks.
pub(super) const LET_GO: &str =
    "SELECT pg_catalog.pg_advisory_unlock_all(), pg_catalog.set_config('role', 'none', false)";

/// What [`TAKE`] is to take on, in the order of its parameters; [`TAKE_RESPECTING`] has the role's settings besides.
pub(super) fn parameters<'r>(run: &'r Run, access: Access) -> [Option<Cow<'r, str>>; 10] {
    let asked = |what: fn(&engine::Asked) -> &str| Some(run.request.as_deref().map_or("", what).into());
    [
        run.request.as_ref().map(|asked| search_path(&asked.search_path).into()),
        Some((&*run.session.zone).into()),
        Some(milliseconds(run.timeout).to_string().into()),
        Some(claims(run)),
        asked(|asked| &asked.method),
        asked(|asked| &asked.path),
        asked(|asked| &asked.headers),
        asked(|asked| &asked.cookies),
        Some(if run.is_of_system() { "none".into() } else { (&*run.caller.role).into() }),
        Some(match access {
            Access::Read => "on".into(),
            Access::Write => "off".into(),
        }),
    ]
}

fn search_path(schemas: &[String]) -> String {
    let mut path = String::new();
    for schema in schemas {
        if !path.is_empty() {
            path.push_str(", ");
        }
        path.push_str(&quote(schema));
    }
    path
}

/// The token's claims. A caller of the API without a token has the claim of a role, as with PostgREST.
fn claims(run: &Run) -> Cow<'_, str> {
    match (&run.caller.claims, &run.request) {
        (Some(claims), _) => (&**claims).into(),
        (None, Some(_)) => {
            let role = types::json::Json::String(run.caller.role.to_string());
            types::json::Json::Object(vec![("role".to_owned(), role)]).compact().into()
        }
        (None, None) => "".into(),
    }
}

/// PostgreSQL's largest timeout is that of its integers; zero would be none.
fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1)
}
