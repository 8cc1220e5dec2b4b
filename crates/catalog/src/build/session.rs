//! Statements about the session: settings, top-level selects, and what has no meaning for a catalog.

use std::sync::Arc;

use sql::ast::{Call, Query};
use types::{Code, Error, Result};

use super::{Builder, Outcome};

/// Settings that change how a session runs, not what a schema means.
const WITHOUT_MEANING: &[&str] = &[
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
    "client_encoding",
    "standard_conforming_strings",
    "check_function_bodies",
    "xmloption",
    "client_min_messages",
    "row_security",
    "default_tablespace",
    "default_table_access_method",
    "log_statement",
    "work_mem",
    "maintenance_work_mem",
    "synchronous_commit",
    "session_replication_role",
    "application_name",
    "jit",
    "transaction",
    "session characteristics",
    "max_parallel_maintenance_workers",
    "plpgsql.variable_conflict",
    "deadlock_timeout",
    "idle_session_timeout",
    "log_min_duration_statement",
    "log_min_messages",
    "temp_buffers",
    "effective_cache_size",
    "random_page_cost",
    "seq_page_cost",
];

/// Leading words of statements that have no meaning for a catalog.
const WITHOUT_EFFECT: &[&str] = &[
    "analyse",
    "analyze",
    "explain",
    "vacuum",
    "lock",
    "checkpoint",
    "discard",
    "reindex",
    "cluster",
    "listen",
    "unlisten",
    "load",
    "security label",
];

/// Schemas of services whose calls are kept by somebody else, where the schema is not there.
const NOT_RUNNING: &[(&str, &str)] =
    &[("cron", "scheduling by pg_cron"), ("net", "a request by pg_net"), ("pgmq", "a queue of pgmq")];

/// Where names are looked for at the beginning of a session.
pub(super) fn default_path() -> Vec<Arc<str>> {
    vec!["public".into(), "extensions".into()]
}

impl Builder<'_> {
    pub(super) fn set(&mut self, name: &str, values: &[String]) -> Result<Outcome> {
        match name {
            "search_path" => {
                self.path = path(values);
                Ok(Outcome::Applied)
            }
            "role" | "session authorization" => {
                let role =
                    values.first().map_or("postgres", |role| if role == "none" { "postgres" } else { role });
                self.role = self.names().role(role)?;
                Ok(Outcome::Applied)
            }
            name if name.eq_ignore_ascii_case("timezone") => {
                let zone = values.first().filter(|zone| *zone != "default");
                self.zone = zone.map_or("UTC", |zone| zone.trim_matches('\'')).into();
                Ok(Outcome::NoEffect)
            }
            name if WITHOUT_MEANING.contains(&name.to_lowercase().as_str()) => Ok(Outcome::NoEffect),
            name if name.contains('.') => Ok(Outcome::NoEffect),
            name => Err(Error::missing(format!("setting \"{name}\""))),
        }
    }

    /// `reset`: `all` leaves the role, as in PostgreSQL.
    pub(super) fn reset(&mut self, name: &str) -> Result<Outcome> {
        if name != "all" {
            return self.set(name, &[]);
        }
        self.set("timezone", &[])?;
        self.set("search_path", &[])
    }

    /// A select at the top level: what it calls is for the caller to run, unless it sets the search path or belongs to a service.
    pub(super) fn query(&mut self, query: &Query) -> Result<Outcome> {
        let Some(call) = query.only_call().filter(|_| query.reads_nothing()) else {
            return Ok(Outcome::Data);
        };
        if call.name.name == "set_config" {
            return self.set_config(call);
        }
        let service = NOT_RUNNING.iter().find(|(schema, _)| {
            call.name.schema.as_deref() == Some(schema) && self.names().schema(schema).is_err()
        });
        match service {
            Some((_, what)) => {
                let name = call.args.iter().find_map(|argument| argument.value.text()).unwrap_or_default();
                Ok(self.not_running(format!(
                    "{what} ({}.{} {name})",
                    call.name.schema.as_deref().unwrap_or_default(),
                    call.name.name
                )))
            }
            None => Ok(Outcome::Data),
        }
    }

    fn set_config(&mut self, call: &Call) -> Result<Outcome> {
        let words: Vec<&str> = call.args.iter().filter_map(|argument| argument.value.text()).collect();
        match &words[..] {
            [name, value, ..] => self.set(name, &[(*value).to_owned()]),
            _ => Err(Error::new(Code::INVALID_PARAMETER, "set_config needs a name and a value")),
        }
    }
}

/// A statement that only its leading words are known of.
pub(super) fn other(words: &str) -> Result<Outcome> {
    if WITHOUT_EFFECT.iter().any(|known| words.starts_with(known)) {
        return Ok(Outcome::NoEffect);
    }
    Err(Error::missing(words))
}

/// A search path; `"$user"` is nobody's schema, and no value is the default.
fn path(values: &[String]) -> Vec<Arc<str>> {
    match values {
        [] => default_path(),
        [one] if one == "default" => default_path(),
        values => values.iter().flat_map(|value| search_path(value)).collect(),
    }
}

/// The schemas of a search path as it is written; what is built in is found in any case.
pub fn search_path(value: &str) -> Vec<Arc<str>> {
    let names = value.split(',').map(|name| name.trim().trim_matches('"'));
    let is_schema = |name: &&str| !name.is_empty() && !["$user", "pg_catalog", "pg_temp"].contains(name);
    names.filter(is_schema).map(Arc::from).collect()
}
