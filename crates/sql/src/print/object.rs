//! Policies, views, types, publications, comments, what is dropped.

use super::alter::{cascaded, settings};
use super::expr::expr;
use super::privilege::{exists, roles, signature};
use super::query::query;
use super::table::{column_constraint, default};
use super::{
    clause, columns_if_any, list, names, object_name, object_names, quote_ident, quote_literal, type_name,
    when,
};
use crate::ast::{
    CheckOption, ColumnConstraint, CreatePolicy, CreateView, Drop, Expr, ObjectName, PolicyCommand,
    PublicationAction, TypeName,
};

pub(super) fn create_policy(policy: &CreatePolicy) -> String {
    let command = match policy.command {
        PolicyCommand::All => "all",
        PolicyCommand::Select => "select",
        PolicyCommand::Insert => "insert",
        PolicyCommand::Update => "update",
        PolicyCommand::Delete => "delete",
    };
    let to = if policy.roles.is_empty() { String::new() } else { format!(" to {}", roles(&policy.roles)) };
    format!(
        "create policy {} on {}{} for {command}{to}{}{}",
        quote_ident(&policy.name),
        object_name(&policy.table),
        if policy.permissive { "" } else { " as restrictive" },
        clause("using", policy.using.as_ref(), |condition| format!("({})", expr(condition))),
        clause("with check", policy.with_check.as_ref(), |condition| format!("({})", expr(condition))),
    )
}

pub(super) fn create_view(view: &CreateView) -> String {
    let options =
        if view.options.is_empty() { String::new() } else { format!(" with ({})", settings(&view.options)) };
    format!(
        "create {}{}view {}{}{}{options} as {}{}",
        when(view.or_replace, "or replace"),
        when(view.materialized, "materialized"),
        when(view.if_not_exists, "if not exists"),
        object_name(&view.name),
        columns_if_any(&view.columns),
        query(&view.query),
        match (view.check_option, view.with_data) {
            (Some(CheckOption::Cascaded), _) => " with check option",
            (Some(CheckOption::Local), _) => " with local check option",
            (None, false) => " with no data",
            (None, true) => "",
        },
    )
}

pub(super) fn create_enum(name: &ObjectName, labels: &[String]) -> String {
    format!("create type {} as enum ({})", object_name(name), list(labels, |label| quote_literal(label)))
}

pub(super) fn create_composite(name: &ObjectName, fields: &[(String, TypeName)]) -> String {
    let fields = list(fields, |(name, ty)| format!("{} {}", quote_ident(name), type_name(ty)));
    format!("create type {} as ({fields})", object_name(name))
}

pub(super) fn create_domain(
    name: &ObjectName,
    ty: &TypeName,
    value: Option<&Expr>,
    constraints: &[ColumnConstraint],
) -> String {
    let constraints: String = constraints.iter().map(|one| format!(" {}", column_constraint(one))).collect();
    let value = clause("default", value, default);
    format!("create domain {} as {}{value}{constraints}", object_name(name), type_name(ty))
}

/// `None` of what has no names in its tree.
pub(super) fn drop(drop: &Drop) -> Option<String> {
    let kind = &drop.object;
    let on = clause("on", drop.on.as_ref(), object_name);
    (!drop.names.is_empty()).then(|| {
        let (exists, names) = (exists(drop.if_exists), list(&drop.names, signature));
        format!("drop {kind} {exists}{names}{on}{}", cascaded(drop.cascade))
    })
}

pub(super) fn comment(
    object: &str,
    name: &[String],
    on: Option<&ObjectName>,
    arguments: Option<&Vec<TypeName>>,
    text: Option<&String>,
) -> String {
    let arguments = arguments.map(|types| format!("({})", list(types, type_name))).unwrap_or_default();
    let text = text.map_or_else(|| "null".to_owned(), |text| quote_literal(text));
    format!("comment on {object} {}{arguments}{} is {text}", names(name), clause("on", on, object_name))
}

pub(super) fn publication(name: &str, action: &PublicationAction) -> Option<String> {
    let name = quote_ident(name);
    Some(match action {
        PublicationAction::Create(None) => format!("create publication {name} for all tables"),
        PublicationAction::Create(Some(tables)) if tables.is_empty() => format!("create publication {name}"),
        PublicationAction::Create(Some(tables)) => {
            format!("create publication {name} for table {}", object_names(tables))
        }
        PublicationAction::Add(tables) => {
            format!("alter publication {name} add table {}", object_names(tables))
        }
        PublicationAction::Drop(tables) => {
            format!("alter publication {name} drop table {}", object_names(tables))
        }
        PublicationAction::Set(tables) => {
            format!("alter publication {name} set table {}", object_names(tables))
        }
        PublicationAction::Other(_) => return None,
    })
}
