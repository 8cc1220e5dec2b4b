//! Functions, with their overloads.

use std::sync::Arc;

use catalog::media::{MediaHandler, is_media_type};
use catalog::{Acl, Argument, Catalog, Function, Language, Volatility};
use sql::ast::{ArgumentMode, Literal, StatementKind};
use types::{Name, Type};

use super::acl::Grants;
use super::facts;
use super::text;
use super::type_ids::{Typed, Types};

/// Rows that PostgreSQL expects of a set when nobody said how many.
const ROWS_UNSAID: f64 = 1000.0;

pub(super) fn functions(
    catalog: &mut Catalog,
    found: Vec<facts::Function>,
    types: &Types<'_>,
    grants: &Grants,
) {
    for function in found {
        let name = Name::new(function.schema.as_str(), function.name.as_str());
        let arguments = arguments(catalog, &function, types, &name);
        let outputs = arguments.iter().filter(|argument| argument.is_output()).count();
        let returns = returns(types.get(function.returns, -1), outputs);
        let acl = match function.has_acl {
            true => grants.explicit("function", function.id, &function.owner, |_| None),
            false => Acl::default(),
        };
        let body = body(catalog, &function, &name);
        catalog.functions.push(Function {
            name,
            arguments,
            returns_trigger: returns.ty == Type::Opaque(Name::new("pg_catalog", "trigger")),
            returns: returns.ty,
            domain: returns.domain,
            returns_set: function.returns_set,
            language: language(&function.language),
            body,
            statements: Default::default(),
            procedure: false,
            volatility: volatility(&function.volatility),
            strict: function.strict,
            security_definer: function.definer,
            settings: function.settings.iter().filter_map(|setting| split(setting)).collect(),
            rows: rows(&function),
            acl,
            owner: function.owner.into(),
            comment: function.comment,
        });
    }
}

/// Aggregates that make whole replies.
pub(super) fn media_handlers(catalog: &mut Catalog, found: Vec<facts::MediaHandler>) {
    let known = found.into_iter().filter(|found| is_media_type(&found.media));
    catalog.media_handlers = known
        .map(|found| MediaHandler {
            media: found.media.into(),
            function: Name::new(found.schema.as_str(), found.name.as_str()),
            of: found.of_schema.zip(found.of_name).map(|(schema, name)| Name::new(&*schema, &*name)),
            ty: if found.is_binary { Type::Bytea } else { Type::Text },
        })
        .collect();
}

fn arguments(
    catalog: &mut Catalog,
    function: &facts::Function,
    types: &Types<'_>,
    name: &Name,
) -> Vec<Argument> {
    let mut arguments = Vec::with_capacity(function.types.len());
    for (at, &ty) in function.types.iter().enumerate() {
        let typed = types.get(ty, -1);
        let default = function.defaults.get(at).and_then(Option::as_deref);
        let what = || format!("the default of argument {} of function {name}", at + 1);
        arguments.push(Argument {
            name: function.names.get(at).filter(|name| !name.is_empty()).map(|name| name.as_str().into()),
            ty: typed.ty,
            domain: typed.domain,
            mode: function.modes.get(at).map_or(ArgumentMode::In, |mode| self::mode(mode)),
            default: default.map(|said| text::expr(catalog, said, Literal::Null, what)),
        });
    }
    arguments
}

fn mode(letter: &str) -> ArgumentMode {
    match letter {
        "o" => ArgumentMode::Out,
        "b" => ArgumentMode::InOut,
        "v" => ArgumentMode::Variadic,
        "t" => ArgumentMode::Table,
        _ => ArgumentMode::In,
    }
}

/// A record whose columns are the function's own arguments is a row; one that each call describes passes through.
fn returns(typed: Typed, outputs: usize) -> Typed {
    match &typed.ty {
        Type::Opaque(name) if outputs > 1 && &*name.name == "record" => {
            Typed { ty: Type::Composite(name.clone()), ..typed }
        }
        _ => typed,
    }
}

/// The body; of one that PostgreSQL keeps as trees, as it prints it.
fn body(catalog: &mut Catalog, function: &facts::Function, name: &Name) -> Arc<str> {
    let printed = function.statement.as_deref();
    let statement =
        printed.and_then(|said| text::statement(catalog, said, || format!("the body of function {name}")));
    match statement {
        Some(StatementKind::CreateFunction(create)) => create.body.as_str().into(),
        _ => function.body.as_str().into(),
    }
}

fn language(name: &str) -> Language {
    match name {
        "sql" => Language::Sql,
        "plpgsql" => Language::PlPgSql,
        other => Language::Other(other.into()),
    }
}

fn volatility(letter: &str) -> Volatility {
    match letter {
        "i" => Volatility::Immutable,
        "s" => Volatility::Stable,
        _ => Volatility::Volatile,
    }
}

fn split(setting: &str) -> Option<(Arc<str>, Arc<str>)> {
    let (name, value) = setting.split_once('=')?;
    Some((name.into(), value.into()))
}

fn rows(function: &facts::Function) -> Option<u64> {
    let is_said = function.returns_set && (function.rows - ROWS_UNSAID).abs() >= 1.0;
    let said = is_said.then(|| format!("{:.0}", function.rows));
    said.and_then(|text| text.parse().ok())
}
