//! Types, functions, triggers, policies, extensions, roles, publications: `pg_type`, `pg_proc`, `pg_policies`, ….

use std::sync::Arc;

use sql::ast::{TriggerEvent, TriggerMode, TriggerTiming};
use types::{Name, Type, Value};

use super::{
    ARRAYS, BASE_TYPES, EXTENSIONS, FUNCTIONS, Objects, POLICIES, PUBLICATIONS, SystemRelation, TRIGGERS, Ty,
    flag, id, list, maybe, number, text,
};
use crate::{Function, Language, Policy, PolicyCommand, Table, Trigger, Volatility};

pub(super) const ROWS: &[SystemRelation] = &[
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_type",
        columns: &[
            ("oid", Ty::Oid),
            ("typname", Ty::Text),
            ("typnamespace", Ty::Oid),
            ("typtype", Ty::Text),
            ("typcategory", Ty::Text),
            ("typrelid", Ty::Oid),
            ("typelem", Ty::Oid),
            ("typarray", Ty::Oid),
            ("typnotnull", Ty::Bool),
            ("typbasetype", Ty::Oid),
            ("typowner", Ty::Oid),
        ],
        is_guarded: false,
        rows: types_of,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_enum",
        columns: &[
            ("oid", Ty::Oid),
            ("enumtypid", Ty::Oid),
            ("enumsortorder", Ty::Int),
            ("enumlabel", Ty::Text),
        ],
        is_guarded: false,
        rows: labels,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_proc",
        columns: &[
            ("oid", Ty::Oid),
            ("proname", Ty::Text),
            ("pronamespace", Ty::Oid),
            ("proowner", Ty::Oid),
            ("prolang", Ty::Oid),
            ("prokind", Ty::Text),
            ("prosecdef", Ty::Bool),
            ("proisstrict", Ty::Bool),
            ("proretset", Ty::Bool),
            ("provolatile", Ty::Text),
            ("pronargs", Ty::Int),
            ("pronargdefaults", Ty::Int),
            ("prorettype", Ty::Oid),
            ("proargtypes", Ty::Oids),
            ("proargnames", Ty::Texts),
            ("prosrc", Ty::Text),
            ("proconfig", Ty::Texts),
        ],
        is_guarded: false,
        rows: functions,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_language",
        columns: &[("oid", Ty::Oid), ("lanname", Ty::Text)],
        is_guarded: false,
        rows: |_| LANGUAGES.iter().map(|(known, name)| vec![id(*known), text(name)]).collect(),
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_trigger",
        columns: &[
            ("oid", Ty::Oid),
            ("tgrelid", Ty::Oid),
            ("tgname", Ty::Text),
            ("tgfoid", Ty::Oid),
            ("tgtype", Ty::Int),
            ("tgenabled", Ty::Text),
            ("tgisinternal", Ty::Bool),
            ("tgdeferrable", Ty::Bool),
            ("tginitdeferred", Ty::Bool),
            ("tgnargs", Ty::Int),
        ],
        is_guarded: false,
        rows: triggers,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_policy",
        columns: &[
            ("oid", Ty::Oid),
            ("polname", Ty::Text),
            ("polrelid", Ty::Oid),
            ("polcmd", Ty::Text),
            ("polpermissive", Ty::Bool),
            ("polroles", Ty::Oids),
            ("polqual", Ty::Text),
            ("polwithcheck", Ty::Text),
        ],
        is_guarded: false,
        rows: policies_by_id,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_policies",
        columns: &[
            ("schemaname", Ty::Text),
            ("tablename", Ty::Text),
            ("policyname", Ty::Text),
            ("permissive", Ty::Text),
            ("roles", Ty::Texts),
            ("cmd", Ty::Text),
            ("qual", Ty::Text),
            ("with_check", Ty::Text),
        ],
        is_guarded: false,
        rows: policies,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_extension",
        columns: &[
            ("oid", Ty::Oid),
            ("extname", Ty::Text),
            ("extowner", Ty::Oid),
            ("extnamespace", Ty::Oid),
            ("extrelocatable", Ty::Bool),
        ],
        is_guarded: false,
        rows: extensions,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_available_extensions",
        columns: &[("name", Ty::Text), ("installed_version", Ty::Text)],
        is_guarded: false,
        rows: |objects| objects.catalog.extensions.iter().map(|name| vec![text(name), Value::Null]).collect(),
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_roles",
        columns: &[
            ("oid", Ty::Oid),
            ("rolname", Ty::Text),
            ("rolsuper", Ty::Bool),
            ("rolinherit", Ty::Bool),
            ("rolbypassrls", Ty::Bool),
        ],
        is_guarded: false,
        rows: roles,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_timezone_names",
        columns: &[("name", Ty::Text)],
        is_guarded: false,
        rows: |_| types::session::zone_names().into_iter().map(|name| vec![text(name)]).collect(),
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_publication",
        columns: &[
            ("oid", Ty::Oid),
            ("pubname", Ty::Text),
            ("pubowner", Ty::Oid),
            ("puballtables", Ty::Bool),
            ("pubinsert", Ty::Bool),
            ("pubupdate", Ty::Bool),
            ("pubdelete", Ty::Bool),
            ("pubtruncate", Ty::Bool),
        ],
        is_guarded: false,
        rows: publications,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_publication_rel",
        columns: &[("oid", Ty::Oid), ("prpubid", Ty::Oid), ("prrelid", Ty::Oid)],
        is_guarded: false,
        rows: members,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_publication_tables",
        columns: &[("pubname", Ty::Text), ("schemaname", Ty::Text), ("tablename", Ty::Text)],
        is_guarded: false,
        rows: published,
    },
];

const LANGUAGES: &[(i64, &str)] = &[(12, "internal"), (14, "sql"), (13_500, "plpgsql")];

fn types_of(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let row = |known: i64, name: &str, namespace: i64, kind: (&str, &str), of: [i64; 4]| {
        let [relation, element, array, base] = of;
        vec![
            id(known),
            text(name),
            id(namespace),
            text(kind.0),
            text(kind.1),
            id(relation),
            id(element),
            id(array),
            flag(false),
            id(base),
            id(10),
        ]
    };
    let mut rows = Vec::new();
    for (known, name, _, array) in BASE_TYPES {
        let kind =
            if matches!(*name, "record" | "void" | "trigger") { ("p", "P") } else { ("b", category(name)) };
        rows.push(row(*known, name, 11, kind, [0, 0, *array, 0]));
        if *array > 0 {
            rows.push(row(*array, &format!("_{name}"), 11, ("b", "A"), [0, *known, 0, 0]));
        }
    }
    for (name, known) in objects.type_names().iter().zip(super::TYPES..) {
        let namespace = objects.namespace(&name.schema);
        let declared = objects.catalog.types.get(name);
        let domain = objects.catalog.domains.get(name);
        let (kind, base) = match (declared, domain) {
            (_, Some(domain)) => (("d", "U"), objects.ty(&domain.ty)),
            (Some(Type::Enum(_)), None) => (("e", "E"), 0),
            (Some(_) | None, None) => (("c", "C"), 0),
        };
        let array = known - super::TYPES + ARRAYS;
        let mut of_type = row(known, &name.name, namespace, kind, [objects.class(name), 0, array, base]);
        if let (Some(domain), Some(not_null)) = (domain, of_type.get_mut(8)) {
            *not_null = flag(domain.not_null);
        }
        rows.push(of_type);
        rows.push(row(array, &format!("_{}", name.name), namespace, ("b", "A"), [0, known, 0, 0]));
    }
    rows
}

/// PostgreSQL's category of a type of its own.
fn category(name: &str) -> &'static str {
    match name {
        "bool" => "B",
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "oid" => "N",
        "text" | "varchar" | "bpchar" => "S",
        "date" | "time" | "timetz" | "timestamp" | "timestamptz" => "D",
        "interval" => "T",
        "inet" | "cidr" => "I",
        name if name.ends_with("range") => "R",
        _ => "U",
    }
}

fn labels(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for name in objects.type_names() {
        if let Some(Type::Enum(declared)) = objects.catalog.types.get(name) {
            let known = objects.declared_type(name);
            for (at, label) in declared.labels.iter().enumerate() {
                let own = known * 1_000 + i64::try_from(at).unwrap_or(0);
                rows.push(vec![id(own), id(known), number(at + 1), text(label)]);
            }
        }
    }
    rows
}

fn functions(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    objects
        .catalog
        .functions
        .iter()
        .zip(FUNCTIONS..)
        .map(|(function, known)| function_row(objects, function, known))
        .collect()
}

fn function_row(objects: &Objects<'_>, function: &Function, known: i64) -> Vec<Value> {
    let language = match &function.language {
        Language::Sql => 14,
        Language::PlPgSql => 13_500,
        Language::Other(_) => 12,
    };
    let result = match function.returns_trigger {
        true => 2_279,
        false => function
            .domain
            .as_ref()
            .map_or_else(|| objects.ty(&function.returns), |name| objects.declared_type(name)),
    };
    let names: Vec<Value> = function
        .arguments
        .iter()
        .map(|argument| text(argument.name.as_deref().unwrap_or_default()))
        .collect();
    let has_names = function.arguments.iter().any(|argument| argument.name.is_some());
    let settings = function.settings.iter().map(|(name, value)| text(format!("{name}={value}")));
    vec![
        id(known),
        text(&function.name.name),
        id(objects.namespace(&function.name.schema)),
        id(objects.role(&function.owner)),
        id(language),
        text("f"),
        flag(function.security_definer),
        flag(function.strict),
        flag(function.returns_set),
        text(match function.volatility {
            Volatility::Immutable => "i",
            Volatility::Stable => "s",
            Volatility::Volatile => "v",
        }),
        number(function.inputs().count()),
        number(function.inputs().filter(|argument| argument.default.is_some()).count()),
        id(result),
        list(function.input_types().map(|ty| id(objects.ty(ty))).collect()),
        if has_names { list(names) } else { Value::Null },
        text(&function.body),
        if function.settings.is_empty() { Value::Null } else { list(settings.collect()) },
    ]
}

/// The id of the function that a trigger calls.
fn called(objects: &Objects<'_>, trigger: &Trigger) -> i64 {
    let wanted = &trigger.statement.function;
    let schema = wanted.schema.as_deref().unwrap_or("public");
    let is_it = |function: &Function| *function.name.name == *wanted.name && *function.name.schema == *schema;
    let at = objects.catalog.functions.iter().position(is_it);
    at.and_then(|at| i64::try_from(at).ok()).map_or(0, |at| FUNCTIONS + at)
}

fn triggers(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for trigger in &table.triggers {
            rows.push(vec![
                id(TRIGGERS + i64::try_from(rows.len()).unwrap_or(0)),
                id(objects.class(&table.name)),
                text(&trigger.name),
                id(called(objects, trigger)),
                id(bits(trigger)),
                text(
                    TriggerMode::ALL
                        .iter()
                        .find(|(of, ..)| *of == trigger.mode)
                        .map_or("", |(.., letter)| letter),
                ),
                flag(false),
                flag(trigger.statement.deferrable),
                flag(trigger.statement.initially_deferred),
                number(trigger.statement.arguments.len()),
            ]);
        }
    }
    rows
}

/// `tgtype`: when and for what, as PostgreSQL keeps it.
fn bits(trigger: &Trigger) -> i64 {
    let statement = &trigger.statement;
    let timing = match statement.timing {
        TriggerTiming::Before => 2,
        TriggerTiming::After => 0,
        TriggerTiming::InsteadOf => 64,
    };
    let event = |event: &TriggerEvent| match event {
        TriggerEvent::Insert => 4,
        TriggerEvent::Delete => 8,
        TriggerEvent::Update(_) => 16,
        TriggerEvent::Truncate => 32,
    };
    i64::from(statement.for_each_row) + timing + statement.events.iter().map(event).sum::<i64>()
}

fn policies_by_id(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for policy in &table.policies {
            let roles = match policy.roles.is_empty() {
                true => vec![id(0)],
                false => policy.roles.iter().map(|role| id(objects.role(role))).collect(),
            };
            rows.push(vec![
                id(POLICIES + i64::try_from(rows.len()).unwrap_or(0)),
                text(&policy.name),
                id(objects.class(&table.name)),
                text(match policy.command {
                    PolicyCommand::All => "*",
                    PolicyCommand::Select => "r",
                    PolicyCommand::Insert => "a",
                    PolicyCommand::Update => "w",
                    PolicyCommand::Delete => "d",
                }),
                flag(policy.permissive),
                list(roles),
                maybe(policy.using.as_ref().map(|expr| sql::print::expr(expr))),
                maybe(policy.with_check.as_ref().map(|expr| sql::print::expr(expr))),
            ]);
        }
    }
    rows
}

fn policies(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let condition = |expr: &Option<Arc<sql::ast::Expr>>| {
        maybe(expr.as_ref().map(|expr| format!("({})", sql::print::expr(expr))))
    };
    let row = |table: &Table, policy: &Policy| {
        let roles = match policy.roles.is_empty() {
            true => vec![text("public")],
            false => policy.roles.iter().map(text).collect(),
        };
        vec![
            text(&table.name.schema),
            text(&table.name.name),
            text(&policy.name),
            text(if policy.permissive { "PERMISSIVE" } else { "RESTRICTIVE" }),
            list(roles),
            text(match policy.command {
                PolicyCommand::All => "ALL",
                PolicyCommand::Select => "SELECT",
                PolicyCommand::Insert => "INSERT",
                PolicyCommand::Update => "UPDATE",
                PolicyCommand::Delete => "DELETE",
            }),
            condition(&policy.using),
            condition(&policy.with_check),
        ]
    };
    let of = |table: &Table| table.policies.iter().map(|policy| row(table, policy)).collect::<Vec<_>>();
    objects.catalog.tables.iter().flat_map(of).collect()
}

fn extensions(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let row = |(name, known): (&Arc<str>, i64)| {
        let mut placed = objects.catalog.extension_schemas.iter();
        let schema = match placed.find(|(extension, _)| extension == name) {
            Some((_, schema)) => schema,
            None if &**name == "plpgsql" => "pg_catalog",
            None => "extensions",
        };
        vec![id(known), text(name), id(10), id(objects.namespace(schema)), flag(false)]
    };
    objects.catalog.extensions.iter().zip(EXTENSIONS..).map(row).collect()
}

fn roles(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let row = |role: &crate::Role| {
        vec![
            id(objects.role(&role.name)),
            text(&role.name),
            flag(role.superuser),
            flag(role.inherits),
            flag(role.bypass_row_security),
        ]
    };
    objects.catalog.roles.iter().map(row).collect()
}

fn publications(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let all = objects.catalog.publications.iter().zip(PUBLICATIONS..);
    let row = |((name, tables), known): (&(Arc<str>, Option<Vec<Name>>), i64)| {
        let yes = || flag(true);
        vec![id(known), text(name), id(10), flag(tables.is_none()), yes(), yes(), yes(), yes()]
    };
    all.map(row).collect()
}

/// The tables of a publication.
fn tables_of(objects: &Objects<'_>, tables: &Option<Vec<Name>>) -> Vec<Name> {
    let all = objects.catalog.tables.iter().filter(|table| !table.is_view()).map(|table| table.name.clone());
    tables.clone().unwrap_or_else(|| all.collect())
}

fn members(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for ((_, tables), known) in objects.catalog.publications.iter().zip(PUBLICATIONS..) {
        for table in tables.iter().flatten() {
            let own = PUBLICATIONS + 1_000 + i64::try_from(rows.len()).unwrap_or(0);
            rows.push(vec![id(own), id(known), id(objects.class(table))]);
        }
    }
    rows
}

fn published(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (name, tables) in &objects.catalog.publications {
        let member = |table: &Name| vec![text(name), text(&table.schema), text(&table.name)];
        rows.extend(tables_of(objects, tables).iter().map(member));
    }
    rows
}
