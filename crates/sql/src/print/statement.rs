//! Statements.

use super::privilege::{default_privileges, exists, grant, grant_role, signature};
use super::query::query;
use super::routine::{create_function, create_rule, create_trigger, dollar_quoted};
use super::table::{create_index, create_table, sequence_options};
use super::{
    alter, clause, data, list, object, object_name, object_names, quote_ident, quote_literal, type_name, when,
};
use crate::ast::StatementKind;

/// A statement; `None` if its tree does not say all of it (`create aggregate`, …).
pub fn statement(kind: &StatementKind) -> Option<String> {
    Some(match kind {
        StatementKind::Query(_)
        | StatementKind::Insert(_)
        | StatementKind::Update(_)
        | StatementKind::Delete(_) => data::data(kind),
        StatementKind::CreateTable(table) => create_table(table),
        StatementKind::CreateTableAs { name, query: inner, if_not_exists, temporary } => format!(
            "create {}table {}{} as {}",
            when(*temporary, "temporary"),
            when(*if_not_exists, "if not exists"),
            object_name(name),
            query(inner)
        ),
        StatementKind::AlterTable(inner) => return alter::alter_table(inner),
        StatementKind::CreatePolicy(policy) => object::create_policy(policy),
        StatementKind::AlterPolicy(policy) => alter::alter_policy(policy),
        StatementKind::CreateIndex(index) => create_index(index),
        StatementKind::CreateEnum { name, labels } => object::create_enum(name, labels),
        StatementKind::CreateComposite { name, fields } => object::create_composite(name, fields),
        StatementKind::AlterType { name, action } => {
            format!("alter type {} {}", object_name(name), alter::type_action(action)?)
        }
        StatementKind::CreateDomain { name, ty, default, constraints } => {
            object::create_domain(name, ty, default.as_ref(), constraints)
        }
        StatementKind::CreateSequence { name, if_not_exists, temporary, options } => format!(
            "create {}sequence {}{}{}",
            when(*temporary, "temporary"),
            when(*if_not_exists, "if not exists"),
            object_name(name),
            sequence_options(options)
        ),
        StatementKind::AlterSequence { name, if_exists, options } => {
            format!("alter sequence {}{}{}", exists(*if_exists), object_name(name), sequence_options(options))
        }
        StatementKind::CreateView(view) => object::create_view(view),
        StatementKind::CreateFunction(function) => create_function(function),
        StatementKind::CreateTrigger(trigger) => create_trigger(trigger),
        StatementKind::CreateRule(rule) => create_rule(rule),
        StatementKind::CreateSchema { name, if_not_exists } => {
            format!("create schema {}{}", when(*if_not_exists, "if not exists"), quote_ident(name))
        }
        StatementKind::CreateExtension { name, if_not_exists, schema } => format!(
            "create extension {}{}{}",
            when(*if_not_exists, "if not exists"),
            quote_ident(name),
            clause("schema", schema.as_ref(), |name| quote_ident(name))
        ),
        StatementKind::CreateCast { from, to, function } => {
            let how = match function {
                Some(function) => {
                    format!("with function {}({})", object_name(function), type_name(from))
                }
                None => "with inout".to_owned(),
            };
            format!("create cast ({} as {}) {how}", type_name(from), type_name(to))
        }
        StatementKind::Role { name, alter, options } => {
            let verb = if *alter { "alter" } else { "create" };
            let options: String = options.iter().map(|option| format!(" {option}")).collect();
            format!("{verb} role {}{options}", quote_ident(name))
        }
        StatementKind::Grant(inner) => grant(inner),
        StatementKind::GrantRole { grant, roles, members } => grant_role(*grant, roles, members),
        StatementKind::DefaultPrivileges { for_roles, in_schemas, grant } => {
            default_privileges(for_roles, in_schemas, grant)
        }
        StatementKind::Comment { object, name, on, arguments, text } => {
            object::comment(object, name, on.as_ref(), arguments.as_ref(), text.as_ref())
        }
        StatementKind::Drop(inner) => return object::drop(inner),
        StatementKind::AlterObject { object, name, on, arguments, action } => {
            let name = signature(&(name.clone(), arguments.clone()));
            let on = clause("on", on.as_ref(), object_name);
            format!("alter {object} {name}{on} {}", alter::object_action(action)?)
        }
        StatementKind::Publication { name, action } => return object::publication(name, action),
        StatementKind::Do { language, body, .. } => {
            format!("do language {} {}", quote_ident(language), dollar_quoted(body))
        }
        StatementKind::Set { local, name, values } => set(*local, name, values),
        StatementKind::Reset(name) => format!("reset {name}"),
        StatementKind::SetConstraints { names, deferred } => {
            let names = if names.is_empty() { "all".to_owned() } else { object_names(names) };
            format!("set constraints {names} {}", if *deferred { "deferred" } else { "immediate" })
        }
        StatementKind::Refresh { name, with_data } => {
            let end = if *with_data { "" } else { " with no data" };
            format!("refresh materialized view {}{end}", object_name(name))
        }
        StatementKind::Truncate { tables, only, restart, cascade } => {
            let only = if *only { "only " } else { "" };
            let restart = if *restart { " restart identity" } else { "" };
            format!("truncate {only}{}{restart}{}", object_names(tables), alter::cascaded(*cascade))
        }
        StatementKind::Lock { tables, mode } => {
            let mode = if mode.is_empty() { String::new() } else { format!(" in {mode} mode") };
            format!("lock table {}{mode}", object_names(tables))
        }
        StatementKind::Notify { channel, payload } => {
            let payload = payload.as_ref().map(|text| format!(", {}", quote_literal(text)));
            format!("notify {}{}", quote_ident(channel), payload.unwrap_or_default())
        }
        StatementKind::Transaction(_) | StatementKind::Other(_) => return None,
    })
}

fn set(local: bool, name: &str, values: &[String]) -> String {
    let local = when(local, "local");
    let name = name.split('.').map(quote_ident).collect::<Vec<_>>().join(".");
    let values =
        if values.is_empty() { "default".to_owned() } else { list(values, |value| quote_literal(value)) };
    format!("set {local}{name} = {values}")
}
