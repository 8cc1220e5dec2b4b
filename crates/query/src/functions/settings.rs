//! Settings of the transaction: what functions may read of the request, say of its reply, and tell each other or nobody.
//!
//! Only settings that somebody made up have rows here, names with a dot in them. What decides who the caller is, and what
//! PostgreSQL itself goes by, is refused by name.

use types::session::Settings;
use types::{Code, Error, Result, Value};

use super::Ty::{Bool, Int4, Text as T, Void};
use super::arguments::{boolean, ok_text, text, text_or_null};
use super::{Context, Function};
use crate::triggers::Replication;

pub(super) static ROWS: &[Function] = &[
    Function::new("current_setting", &[T], T, |c, a| read(c, text(a, 0)?, Unknown::IsRefused)).stable(),
    Function::new("current_setting", &[T, Bool], T, |c, a| {
        let unknown = if boolean(a, 1)? { Unknown::IsNull } else { Unknown::IsRefused };
        read(c, text(a, 0)?, unknown)
    })
    .stable(),
    Function::new("pg_trigger_depth", &[], Int4, |c, _| Ok(Value::Int(depth(&c.session.settings)))).stable(),
    Function::new("pg_notify", &[T, T], Void, notify).lax().volatile(),
    Function::new("set_config", &[T, T, Bool], T, set).lax().volatile(),
];

/// Bytes that a channel's name and a payload stay below.
const CHANNEL_BYTES: usize = 64;
const PAYLOAD_BYTES: usize = 8000;

/// Nobody can listen: what is left of a notification is what PostgreSQL refuses.
fn notify(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let channel = text_or_null(arguments, 0)?.unwrap_or_default();
    let payload = text_or_null(arguments, 1)?.unwrap_or_default();
    let refuse = |message: &str| Err(Error::new(Code::INVALID_PARAMETER, message));
    match (channel.len(), payload.len()) {
        (0, _) => refuse("channel name cannot be empty"),
        (CHANNEL_BYTES.., _) => refuse("channel name too long"),
        (_, PAYLOAD_BYTES..) => refuse("payload string too long"),
        _ => ok_text(""),
    }
}

/// The setting that counts how deep triggers fire each other. Nobody else can name it: it has no dot.
const TRIGGER_DEPTH: &str = "trigger_depth";

/// How deep triggers fire each other.
fn depth(settings: &Settings) -> i64 {
    settings.get(TRIGGER_DEPTH).and_then(|depth| depth.parse().ok()).unwrap_or(0)
}

/// Goes one trigger deeper, or comes back.
///
/// # Errors
/// `54000` when the settings are too long.
pub fn count_trigger(settings: &Settings, step: i64) -> Result<()> {
    settings.set(TRIGGER_DEPTH, &(depth(settings) + step).to_string())
}

/// The setting that says whether rows are as they were elsewhere: triggers and foreign keys do nothing then.
pub const REPLICATION: &str = "session_replication_role";

/// What [`REPLICATION`] can be; the first is its default.
const REPLICATIONS: [&str; 3] = ["origin", "replica", "local"];

/// Sets it; without a value to its default. Whoever calls this has asked whether the caller is a superuser.
///
/// # Errors
/// `22023` for another value.
pub fn replicate(settings: &Settings, value: &str) -> Result<()> {
    let lower = value.to_ascii_lowercase();
    if !value.is_empty() && !REPLICATIONS.contains(&lower.as_str()) {
        let message = format!("invalid value for parameter \"{REPLICATION}\": \"{value}\"");
        return Err(Error::new(Code::INVALID_PARAMETER, message)
            .with_hint(format!("Available values: {}.", REPLICATIONS.join(", "))));
    }
    settings.set(REPLICATION, &lower)
}

/// What it is.
pub fn replication(settings: &Settings) -> Replication {
    match settings.get(REPLICATION) {
        Some(value) if *value == *"replica" => Replication::Replica,
        Some(_) | None => Replication::Origin,
    }
}

/// What a setting is that nobody has set.
#[derive(Clone, Copy)]
enum Unknown {
    IsNull,
    IsRefused,
}

fn read(context: &Context<'_>, name: &str, unknown: Unknown) -> Result<Value> {
    if name.eq_ignore_ascii_case("timezone") {
        return ok_text(&*context.session.zone);
    }
    if name.eq_ignore_ascii_case(REPLICATION) {
        let value = context.session.settings.get(REPLICATION).filter(|value| !value.is_empty());
        return ok_text(value.as_deref().unwrap_or(REPLICATIONS[0]));
    }
    if !name.contains('.') {
        return Err(Error::missing(format!("current_setting('{name}')")));
    }
    match (context.session.settings.get(name), unknown) {
        (Some(value), _) => Ok(Value::Text(value)),
        (None, Unknown::IsNull) => Ok(Value::Null),
        (None, Unknown::IsRefused) => {
            let message = format!("unrecognized configuration parameter \"{name}\"");
            Err(Error::new(Code::UNDEFINED_OBJECT, message))
        }
    }
}

/// For the transaction, whatever the last argument says: a request has no session that goes on after it.
fn set(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let Some(name) = text_or_null(arguments, 0)? else {
        return Err(Error::new(Code::NULL_NOT_ALLOWED, "SET requires parameter name"));
    };
    if !name.contains('.') || is_of_the_request(&name.to_ascii_lowercase()) {
        return Err(Error::missing(format!("set_config('{name}')")));
    }
    if context.session.settings.is_held() {
        return Err(Error::missing("set_config() in a function that is not volatile, within a statement"));
    }
    // Without a value a setting takes its default: that of those that somebody made up is empty.
    let value = text_or_null(arguments, 1)?.unwrap_or_default();
    context.session.settings.set(name, value)?;
    ok_text(value)
}

/// What a request comes with, and who makes it. Other settings may begin alike.
fn is_of_the_request(name: &str) -> bool {
    name.starts_with("request.jwt.")
        || ["request.method", "request.path", "request.headers", "request.cookies"].contains(&name)
}

#[cfg(test)]
mod tests {
    use types::session::Session;

    use super::*;
    use crate::functions::{Kind, candidates};

    fn call(session: &Session, name: &str, arguments: &[Value]) -> Result<Value> {
        let function =
            candidates(name, Kind::Function).find(|found| found.arguments.len() == arguments.len()).unwrap();
        let clock = || 0;
        let mut context = Context { arguments: &[], session, random: &mut |_| {}, clock: &clock };
        function.call(&mut context, arguments)
    }

    fn said(outcome: Result<Value>) -> String {
        match outcome.unwrap() {
            Value::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_is_set_is_read_and_what_is_not_is_null_or_refused() {
        let session = Session::utc(0);
        let name = || Value::text("app.tenant");
        assert!(call(&session, "current_setting", &[name(), Value::Bool(true)]).unwrap().is_null());
        let error = call(&session, "current_setting", &[name()]).unwrap_err();
        assert_eq!(error.message(), "unrecognized configuration parameter \"app.tenant\"");
        let given = [Value::text("APP.tenant"), Value::text("7"), Value::Bool(true)];
        assert_eq!(said(call(&session, "set_config", &given)), "7");
        assert_eq!(said(call(&session.clone(), "current_setting", &[name()])), "7");
        let null = [name(), Value::Null, Value::Bool(false)];
        assert_eq!(said(call(&session, "set_config", &null)), "");
    }

    #[test]
    fn a_function_that_says_that_it_changes_nothing_sets_nothing() {
        let session = Session::utc(0);
        let given = [Value::text("app.k"), Value::text("v"), Value::Bool(true)];
        session.settings.hold();
        assert_eq!(call(&session, "set_config", &given).unwrap_err().code(), Code::FEATURE_NOT_SUPPORTED);
        session.settings.let_go();
        assert_eq!(said(call(&session, "set_config", &given)), "v");
    }

    #[test]
    fn nobody_becomes_somebody_else() {
        let session = Session::utc(0);
        for name in [
            "request.jwt.claims",
            "Request.JWT.claims",
            "request.jwt.claim.sub",
            "request.headers",
            "role",
            "search_path",
        ] {
            let given = [Value::text(name), Value::text("x"), Value::Bool(true)];
            let error = call(&session, "set_config", &given).unwrap_err();
            assert_eq!(error.code(), Code::FEATURE_NOT_SUPPORTED, "{name}");
        }
    }
}
