//! Functions and triggers.

use super::expr::expr;
use super::{clause, columns, list, object_name, quote_ident, quote_literal, type_name, when};
use crate::ast::{
    ArgumentMode, CreateFunction, CreateRule, CreateTrigger, FunctionArgument, RuleEvent, TriggerEvent,
    TriggerTiming, Volatility,
};

pub(super) fn create_function(function: &CreateFunction) -> String {
    let is_column = |argument: &&FunctionArgument| argument.mode == ArgumentMode::Table;
    let (columns, arguments): (Vec<_>, Vec<_>) = function.arguments.iter().partition(is_column);
    let returns = if function.returns_table {
        format!(" returns table ({})", list(&columns, |column| argument(column)))
    } else {
        clause("returns", function.returns.as_ref(), type_name)
    };
    let volatility = match function.volatility {
        Volatility::Immutable => " immutable",
        Volatility::Stable => " stable",
        Volatility::Volatile => "",
    };
    let settings: String = function.settings.iter().map(setting).collect();
    format!(
        "create {}{} {}({}){returns} language {}{volatility}{}{}{}{settings} {}",
        when(function.or_replace, "or replace"),
        if function.procedure { "procedure" } else { "function" },
        object_name(&function.name),
        list(&arguments, |one| argument(one)),
        quote_ident(&function.language),
        if function.strict { " strict" } else { "" },
        if function.security_definer { " security definer" } else { "" },
        clause("rows", function.rows.as_ref(), u64::to_string),
        body(function),
    )
}

fn argument(argument: &FunctionArgument) -> String {
    let mode = match argument.mode {
        ArgumentMode::In | ArgumentMode::Table => "",
        ArgumentMode::Out => "out ",
        ArgumentMode::InOut => "inout ",
        ArgumentMode::Variadic => "variadic ",
    };
    let name = argument.name.as_ref().map(|name| quote_ident(name) + " ").unwrap_or_default();
    format!("{mode}{name}{}{}", type_name(&argument.ty), clause("default", argument.default.as_ref(), expr))
}

fn setting((name, value): &(String, String)) -> String {
    let name = name.split('.').map(quote_ident).collect::<Vec<_>>().join(".");
    if value == "from current" {
        return format!(" set {name} from current");
    }
    format!(" set {name} = {}", value.split(", ").map(quote_literal).collect::<Vec<_>>().join(", "))
}

/// A standard body as written; any other in dollar quotes that it does not contain.
fn body(function: &CreateFunction) -> String {
    let words: Vec<String> = function.body.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_standard = matches!(words[..], ["return", ..] | ["begin", "atomic"]);
    if is_standard && function.language == "sql" {
        return function.body.clone();
    }
    format!("as {}", dollar_quoted(&function.body))
}

/// Text in dollar quotes.
pub(super) fn dollar_quoted(text: &str) -> String {
    let mut tag = String::new();
    while text.contains(&format!("${tag}$")) || text.ends_with(&format!("${tag}")) {
        tag.push('q');
    }
    format!("${tag}${text}${tag}$")
}

pub(super) fn create_rule(rule: &CreateRule) -> String {
    let event = match rule.event {
        RuleEvent::Insert => "insert",
        RuleEvent::Update => "update",
        RuleEvent::Delete => "delete",
    };
    format!(
        "create {}rule {} as on {event} to {} do instead nothing",
        if rule.or_replace { "or replace " } else { "" },
        quote_ident(&rule.name),
        object_name(&rule.table)
    )
}

pub(super) fn create_trigger(trigger: &CreateTrigger) -> String {
    let timing = match trigger.timing {
        TriggerTiming::Before => "before",
        TriggerTiming::After => "after",
        TriggerTiming::InsteadOf => "instead of",
    };
    let events: Vec<String> = trigger.events.iter().map(event).collect();
    let referencing: String = trigger.referencing.iter().map(transition).collect();
    format!(
        "create {}{}trigger {} {timing} {} on {}{}{}{referencing} for each {}{} execute function {}({})",
        when(trigger.or_replace, "or replace"),
        when(trigger.constraint, "constraint"),
        quote_ident(&trigger.name),
        events.join(" or "),
        object_name(&trigger.table),
        super::table::deferrable(trigger.deferrable, trigger.initially_deferred),
        if referencing.is_empty() { "" } else { " referencing" },
        if trigger.for_each_row { "row" } else { "statement" },
        clause("when", trigger.when.as_ref(), |condition| format!("({})", expr(condition))),
        object_name(&trigger.function),
        list(&trigger.arguments, |argument| quote_literal(argument)),
    )
}

fn event(event: &TriggerEvent) -> String {
    match event {
        TriggerEvent::Insert => "insert".to_owned(),
        TriggerEvent::Delete => "delete".to_owned(),
        TriggerEvent::Truncate => "truncate".to_owned(),
        TriggerEvent::Update(of) if of.is_empty() => "update".to_owned(),
        TriggerEvent::Update(of) => format!("update of {}", columns(of).trim_matches(['(', ')'])),
    }
}

fn transition((is_new, name): &(bool, String)) -> String {
    format!(" {} table as {}", if *is_new { "new" } else { "old" }, quote_ident(name))
}
