//! `set` clauses of functions: what is in force while they run, and put back behind them.

use std::sync::Arc;

use catalog::Function;
use query::functions::settings::{REPLICATION, replicate};
use types::session::Session;
use types::{Code, Error, Result};

use crate::host::Host;

/// Settings that change nothing of what a function says.
const WITHOUT_EFFECT: &[&str] = &[
    "client_min_messages",
    "deadlock_timeout",
    "enable_seqscan",
    "idle_in_transaction_session_timeout",
    "jit",
    "lock_timeout",
    "log_min_messages",
    "maintenance_work_mem",
    "max_parallel_workers_per_gather",
    "plan_cache_mode",
    "plpgsql.variable_conflict",
    "random_page_cost",
    "statement_timeout",
    "work_mem",
];

/// Refuses settings that a statement of a function cannot change.
pub(crate) fn possible(name: &str) -> Result<()> {
    let is_own = name.contains('.') && !name.to_ascii_lowercase().starts_with("request.");
    let is_known = matches!(name, "search_path" | "timezone" | "time zone" | "TimeZone" | REPLICATION);
    match is_own || is_known || WITHOUT_EFFECT.contains(&name) {
        true => Ok(()),
        false => Err(Error::missing(format!("SET {name} in a function"))),
    }
}

/// Gives a setting its values for the rest of the transaction, or of a function that has it in its own `set` clause; without
/// values its default.
pub(crate) fn set(name: &str, values: &[String], host: &mut dyn Host) -> Result<()> {
    possible(name)?;
    let value = values.join(", ");
    match name {
        "search_path" => {
            let path = if value.is_empty() { vec!["public".into()] } else { catalog::search_path(&value) };
            host.exchange_path(path.into());
        }
        "timezone" | "time zone" | "TimeZone" => {
            let zone = if value.is_empty() { "UTC" } else { value.trim_matches('\'') };
            let session = in_zone(zone, host.session())?;
            host.exchange_session(session);
        }
        REPLICATION => {
            may_replicate(&host.caller().role, host)?;
            replicate(&host.session().settings, value.trim_matches('\''))?;
        }
        name if name.contains('.') => host.session().settings.set(name, value.trim_matches('\''))?,
        _ => {}
    }
    Ok(())
}

fn in_zone(zone: &str, session: &Session) -> Result<Session> {
    let mut changed = Session::in_zone(zone, session.now)?;
    changed.settings = session.settings.clone();
    Ok(changed)
}

/// What was in force before a function.
pub(crate) struct Before {
    /// Settings with names that somebody made up.
    own: Vec<(Arc<str>, Option<Arc<str>>)>,
    path: Option<Arc<[Arc<str>]>>,
    session: Option<Session>,
    role: Option<Arc<str>>,
}

/// Puts a function's rights and settings in force.
pub(crate) fn begin(function: &Function, host: &mut dyn Host) -> Result<Before> {
    let mut before = Before { own: Vec::new(), path: None, session: None, role: None };
    let begun = each(function, host, &mut before);
    if let Err(error) = begun {
        end(before, host);
        return Err(error);
    }
    if function.security_definer {
        before.role = Some(host.exchange_role(function.owner.clone()));
    }
    Ok(before)
}

fn each(function: &Function, host: &mut dyn Host, before: &mut Before) -> Result<()> {
    for (name, value) in &function.settings {
        match &**name {
            "search_path" if &**value != "from current" => {
                let earlier = host.exchange_path(catalog::search_path(value).into());
                before.path.get_or_insert(earlier);
            }
            "timezone" | "time zone" | "TimeZone" => {
                let session = in_zone(value.trim_matches('\''), host.session())?;
                let earlier = host.exchange_session(session);
                before.session.get_or_insert(earlier);
            }
            name if WITHOUT_EFFECT.contains(&name) => {}
            REPLICATION => {
                let role = if function.security_definer { &function.owner } else { &host.caller().role };
                may_replicate(role, host)?;
                let settings = &host.session().settings;
                before.own.push((name.clone(), settings.get(REPLICATION)));
                replicate(settings, value.trim_matches('\''))?;
            }
            own if own.contains('.') && !own.starts_with("request.") => {
                let settings = &host.session().settings;
                before.own.push((name.clone(), settings.get(own)));
                settings.set(own, value.trim_matches('\''))?;
            }
            // It turns what a policy hides into an error: nothing for an owner whom no policy binds.
            "row_security" if is_unbound(function, host) => {}
            name => {
                return Err(Error::missing(format!("function {} with its setting of {name}", function.name)));
            }
        }
    }
    Ok(())
}

/// Refuses to have triggers and foreign keys do nothing: for everybody but a superuser, and where rules would have to do nothing, too.
///
/// # Errors
/// `42501`, `0A000`
pub fn may_replicate(role: &str, host: &dyn Host) -> Result<()> {
    let catalog = &host.model().catalog;
    if !catalog.role(role).is_some_and(|role| role.superuser) {
        let message = format!("permission denied to set parameter \"{REPLICATION}\"");
        return Err(Error::new(Code::PRIVILEGE, message));
    }
    if catalog.tables.iter().any(|table| !table.rules.is_empty()) {
        return Err(Error::missing("session_replication_role where tables have rules"));
    }
    Ok(())
}

fn is_unbound(function: &Function, host: &dyn Host) -> bool {
    let owner = host.model().catalog.role(&function.owner);
    function.security_definer && owner.is_some_and(|owner| owner.superuser || owner.bypass_row_security)
}

/// Puts back what was in force before.
pub(crate) fn end(before: Before, host: &mut dyn Host) {
    if let Some(path) = before.path {
        host.exchange_path(path);
    }
    if let Some(session) = before.session {
        host.exchange_session(session);
    }
    for (name, value) in before.own.into_iter().rev() {
        // It fits: it was there before.
        let _ = host.session().settings.set(&name, value.as_deref().unwrap_or_default());
    }
    if let Some(role) = before.role {
        host.exchange_role(role);
    }
}
