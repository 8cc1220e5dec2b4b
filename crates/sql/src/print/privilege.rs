//! `grant`, `revoke`, default privileges.

use super::alter::cascaded;
use super::{columns_if_any, list, object_name, object_names, quote_ident, type_name, when};
use crate::ast::{Grant, GrantTarget, ObjectName, TypeName};

pub(super) fn grant(grant: &Grant) -> String {
    let privileges = if grant.privileges.is_empty() {
        format!("all{}", columns_if_any(&grant.all_columns))
    } else {
        list(&grant.privileges, |(name, of)| format!("{name}{}", columns_if_any(of)))
    };
    format!(
        "{}{privileges} on {} {} {}{}",
        verb(grant),
        target(&grant.target),
        if grant.grant { "to" } else { "from" },
        roles(&grant.roles),
        cascaded(grant.cascade),
    )
}

fn verb(grant: &Grant) -> &'static str {
    match (grant.grant, grant.option_only) {
        (true, _) => "grant ",
        (false, false) => "revoke ",
        (false, true) => "revoke grant option for ",
    }
}

/// Role names; `public` and the words for the caller are none, but are read as such.
pub(super) fn roles(names: &[String]) -> String {
    list(names, |name| quote_ident(name))
}

fn target(target: &GrantTarget) -> String {
    match target {
        GrantTarget::Tables(names) => object_names(names),
        GrantTarget::Sequences(names) => format!("sequence {}", object_names(names)),
        GrantTarget::Functions(names) => format!("function {}", list(names, signature)),
        GrantTarget::AllTables(schemas) => all("tables", schemas),
        GrantTarget::AllSequences(schemas) => all("sequences", schemas),
        GrantTarget::AllFunctions(schemas) => all("functions", schemas),
        GrantTarget::Schemas(schemas) => format!("schema {}", roles(schemas)),
        GrantTarget::Types(names) => format!("type {}", object_names(names)),
        GrantTarget::Other(words) => words.clone(),
    }
}

/// Of default privileges, the kind alone.
fn all(kind: &str, schemas: &[String]) -> String {
    if schemas.is_empty() { kind.to_owned() } else { format!("all {kind} in schema {}", roles(schemas)) }
}

/// A function's name with its argument types, if they are said.
pub(super) fn signature((name, arguments): &(ObjectName, Option<Vec<TypeName>>)) -> String {
    let arguments = arguments.as_ref().map(|types| format!("({})", list(types, type_name)));
    format!("{}{}", object_name(name), arguments.unwrap_or_default())
}

pub(super) fn default_privileges(for_roles: &[String], in_schemas: &[String], inner: &Grant) -> String {
    let of = |word: &str, names: &[String]| {
        if names.is_empty() { String::new() } else { format!(" {word} {}", roles(names)) }
    };
    format!(
        "alter default privileges{}{} {}",
        of("for role", for_roles),
        of("in schema", in_schemas),
        grant(inner)
    )
}

pub(super) fn grant_role(grants: bool, granted: &[String], members: &[String]) -> String {
    let (verb, word) = if grants { ("grant", "to") } else { ("revoke", "from") };
    format!("{verb} {} {word} {}", roles(granted), roles(members))
}

/// `if exists`, `if not exists` are said before the names of what is dropped or made.
pub(super) fn exists(said: bool) -> String {
    when(said, "if exists")
}
