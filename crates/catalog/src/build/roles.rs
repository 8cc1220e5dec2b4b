//! Roles and their memberships.

use std::sync::Arc;

use types::{Code, Error, Result};

use super::{Builder, Outcome, names};
use crate::Role;

/// Options of roles that mean nothing here: nobody logs in, and connections are not counted.
const WITHOUT_MEANING: &[&str] = &[
    "login",
    "nologin",
    "createdb",
    "nocreatedb",
    "createrole",
    "nocreaterole",
    "replication",
    "noreplication",
    "password",
    "encrypted",
    "connection",
    "valid",
    "sysid",
    "with",
    "set",
    "reset",
];

impl Builder<'_> {
    pub(super) fn role_statement(&mut self, name: &str, alter: bool, options: &[String]) -> Result<Outcome> {
        let name = names::truncated(name);
        let exists = self.catalog.role(&name).is_some();
        match (alter, exists) {
            (true, false) => {
                return Err(Error::new(Code::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")));
            }
            (false, true) => {
                return Err(Error::new(Code::DUPLICATE_OBJECT, format!("role \"{name}\" already exists")));
            }
            (false, false) => {
                let role = Role {
                    name: name.clone(),
                    bypass_row_security: false,
                    superuser: false,
                    inherits: true,
                    member_of: Vec::new(),
                    settings: Vec::new(),
                };
                self.catalog.roles.push(role);
            }
            (true, true) => {}
        }
        for option in options {
            self.role_option(&name, option)?;
        }
        Ok(Outcome::Applied)
    }

    fn role_option(&mut self, role: &Arc<str>, option: &str) -> Result<()> {
        let words: Vec<&str> = option.split_whitespace().collect();
        let change: fn(&mut Role) = match &words[..] {
            ["bypassrls"] => |role| role.bypass_row_security = true,
            ["nobypassrls"] => |role| role.bypass_row_security = false,
            ["superuser"] => |role| role.superuser = true,
            ["inherit"] => |role| role.inherits = true,
            ["noinherit"] => |role| role.inherits = false,
            ["nosuperuser"] => |role| role.superuser = false,
            ["set", name, "=" | "to", value @ ..] if !value.is_empty() => {
                let value = value.join(" ");
                return self.role_setting(role, name, (value != "default").then(|| value.trim_matches('\'')));
            }
            ["reset", name] => return self.role_setting(role, name, None),
            ["in", "role" | "group", parents @ ..] => return self.memberships(parents, &[role]),
            ["role" | "user" | "admin", members @ ..] => return self.memberships(&[role], members),
            [word, ..] if WITHOUT_MEANING.contains(word) => return Ok(()),
            _ => return Err(Error::missing(format!("role option {option}"))),
        };
        self.catalog.roles.iter_mut().filter(|known| known.name == *role).for_each(change);
        Ok(())
    }

    /// Sets something for a role, or takes what was set back: by name, or `all`.
    fn role_setting(&mut self, role: &Arc<str>, name: &str, value: Option<&str>) -> Result<()> {
        for role in self.catalog.roles.iter_mut().filter(|known| known.name == *role) {
            role.settings.retain(|(known, _)| **known != *name && name != "all");
            role.settings.extend(value.map(|value| (name.into(), value.to_owned())));
        }
        Ok(())
    }

    fn memberships(&mut self, parents: &[&str], members: &[&str]) -> Result<()> {
        let clean = |names: &[&str]| {
            names.iter().map(|name| name.trim_matches([',', '"']).to_owned()).collect::<Vec<_>>()
        };
        self.grant_role(true, &clean(parents), &clean(members)).map(drop)
    }

    pub(super) fn grant_role(
        &mut self,
        grant: bool,
        roles: &[String],
        members: &[String],
    ) -> Result<Outcome> {
        let roles = roles.iter().map(|role| self.names().role(role)).collect::<Result<Vec<_>>>()?;
        let members = members.iter().map(|role| self.names().role(role)).collect::<Result<Vec<_>>>()?;
        for member in self.catalog.roles.iter_mut().filter(|role| members.contains(&role.name)) {
            member.member_of.retain(|role| !roles.contains(role));
            if grant {
                member.member_of.extend(roles.iter().cloned());
            }
        }
        Ok(Outcome::Applied)
    }
}
