//! What roles are set to (`alter role … set`), for transactions of those who take them on: a role that is taken on by `set role`
//! does not bring its settings along by itself.
//!
//! Time zone and timeout are the request's matter, and what decides how values are written is ours.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use catalog::{Catalog, Role};
use engine::Run;
use types::json::Json;

/// What is decided elsewhere.
const ELSEWHERE: [&str; 12] = [
    "bytea_output",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "default_transaction_isolation",
    "extra_float_digits",
    "intervalstyle",
    "role",
    "session_authorization",
    "standard_conforming_strings",
    "statement_timeout",
    "timezone",
];

/// What a role is set to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RoleSettings {
    /// How its transactions are isolated, in the words of `begin`.
    pub(super) isolation: Option<&'static str>,
    /// The rest, as a JSON object of texts.
    pub(super) rest: Option<String>,
}

/// The roles that are set to something.
#[derive(Debug, Default)]
pub(super) struct Respected(RwLock<HashMap<Arc<str>, Arc<RoleSettings>>>);

impl Respected {
    /// What a catalog says holds from here on.
    pub(super) fn put(&self, catalog: &Catalog) {
        let set = catalog.roles.iter().filter(|role| !role.settings.is_empty());
        let settings = set.map(|role| (role.name.clone(), Arc::new(of_role(role)))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// The settings of whom a transaction is for.
    pub(super) fn of(&self, run: &Run) -> Option<Arc<RoleSettings>> {
        if run.is_of_system() {
            return None;
        }
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&run.caller.role).cloned()
    }
}

fn of_role(role: &Role) -> RoleSettings {
    let rest: Vec<(String, Json)> = role
        .settings
        .iter()
        .filter(|(name, _)| !ELSEWHERE.contains(&&**name) && !name.starts_with("transaction_"))
        .map(|(name, value)| (name.to_string(), Json::String(value.clone())))
        .collect();
    RoleSettings {
        isolation: role.setting("default_transaction_isolation").and_then(isolation),
        rest: (!rest.is_empty()).then(|| Json::Object(rest).compact()),
    }
}

fn isolation(value: &str) -> Option<&'static str> {
    match value {
        "serializable" => Some("SERIALIZABLE"),
        "repeatable read" => Some("REPEATABLE READ"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_elsewhere_is_left_out() {
        let settings = [
            ("statement_timeout", "3s"),
            ("search_path", "private"),
            ("datestyle", "German"),
            ("default_transaction_isolation", "serializable"),
        ];
        let role = Role {
            name: "r".into(),
            bypass_row_security: false,
            superuser: false,
            inherits: false,
            member_of: Vec::new(),
            settings: settings.map(|(name, value)| (name.into(), value.to_owned())).into(),
        };
        let expected = RoleSettings {
            isolation: Some("SERIALIZABLE"),
            rest: Some("{\"search_path\":\"private\"}".to_owned()),
        };
        assert_eq!(of_role(&role), expected);
    }
}
