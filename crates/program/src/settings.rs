//! `set` clauses of functions: what is in force while they run, and put back behind them.

use std::sync::Arc;

use catalog::Function;
use types::session::Session;
use types::{Error, Result};

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

/// What was in force before a function.
pub(crate) struct Before {
    path: Option<Arc<[Arc<str>]>>,
    session: Option<Session>,
    role: Option<Arc<str>>,
}

/// Puts a function's rights and settings in force.
pub(crate) fn begin(function: &Function, host: &mut dyn Host) -> Result<Before> {
    let mut before = Before { path: None, session: None, role: None };
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
                let zone = value.trim_matches('\'');
                let mut session = Session::in_zone(zone, host.session().now)?;
                session.settings = host.session().settings.clone();
                let earlier = host.exchange_session(session);
                before.session.get_or_insert(earlier);
            }
            name if WITHOUT_EFFECT.contains(&name) => {}
            // It turns what a policy hides into an error: nothing for an owner whom no policy binds.
            "row_security" if is_unbound(function, host) => {}
            name => {
                return Err(Error::missing(format!("function {} with its setting of {name}", function.name)));
            }
        }
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
    if let Some(role) = before.role {
        host.exchange_role(role);
    }
}
