//! Objects in words: names as `regclass` prints them, definitions, comments.

use std::sync::Arc;

use sql::ast::CreateTrigger;
use sql::print::{quote_ident, quote_literal};
use types::ty::format_type;
use types::{Name, Value};

use super::constraints::{Constraint, Kind, all};
use super::{
    BASE_TYPES, FUNCTIONS, INTERNAL, Objects, SystemRelation, TRIGGERS, TYPES, Ty, beside, id, text,
};
use crate::{Function, Index, Language, ReferentialAction, Table, TableKind, Unique};

pub(super) const ROWS: &[SystemRelation] = &[
    SystemRelation {
        schema: INTERNAL,
        name: "words",
        columns: &[("kind", Ty::Text), ("oid", Ty::Oid), ("words", Ty::Text)],
        is_guarded: false,
        rows: words,
    },
    SystemRelation {
        schema: INTERNAL,
        name: "names",
        columns: &[
            ("kind", Ty::Text),
            ("oid", Ty::Oid),
            ("schema", Ty::Text),
            ("name", Ty::Text),
            // As somebody may write them: in quotes where they want some; with the schema, in such quotes and without any.
            ("quoted", Ty::Text),
            ("written", Ty::Text),
            ("plain", Ty::Text),
        ],
        is_guarded: false,
        rows: names,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_description",
        columns: &[
            ("objoid", Ty::Oid),
            ("classoid", Ty::Oid),
            ("objsubid", Ty::Int),
            ("description", Ty::Text),
        ],
        is_guarded: false,
        rows: comments,
    },
];

fn words(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let mut push = |kind: &str, oid: i64, words: String| rows.push(vec![text(kind), id(oid), text(words)]);
    for table in &objects.catalog.tables {
        push("class", objects.class(&table.name), objects.shown(&table.name));
        if let TableKind::View { query, .. } = &table.kind {
            push("view", objects.class(&table.name), format!("{};", sql::print::query(query)));
        }
        if let Some(partitioning) = &table.partitioning {
            push("partition key", objects.class(&table.name), partitioning.text());
        }
        for (name, definition) in indexes_of(table) {
            let name = beside(table, name);
            push("class", objects.class(&name), objects.shown(&name));
            push("index", objects.class(&name), definition);
        }
    }
    for name in objects.catalog.sequences.keys() {
        push("class", objects.class(name), objects.shown(name));
    }
    for (known, _, printed, array) in BASE_TYPES {
        push("type", *known, (*printed).to_owned());
        if *array > 0 {
            push("type", *array, format!("{printed}[]"));
        }
    }
    for (name, known) in objects.type_names().iter().zip(TYPES..) {
        push("type", known, objects.shown(name));
        push("type", objects.declared_array(name), format!("{}[]", objects.shown(name)));
    }
    for (function, known) in objects.catalog.functions.iter().zip(FUNCTIONS..) {
        push("proc", known, objects.shown(&function.name));
        push("procedure", known, format!("{}({})", objects.shown(&function.name), inputs(function)));
        push("function", known, definition(function));
        push("arguments", known, arguments(function));
        push("identity", known, identity(function));
        push("result", known, result(function));
    }
    for (schema, _) in &objects.catalog.schemas {
        push("namespace", objects.namespace(schema), quote_ident(schema));
    }
    for role in &objects.catalog.roles {
        push("role", objects.role(&role.name), role.name.to_string());
    }
    for (table, constraint) in all(objects) {
        push("constraint", constraint.id, constraint_words(objects, table, &constraint));
    }
    let triggers = objects.catalog.tables.iter().flat_map(|table| table.triggers.iter());
    for (trigger, known) in triggers.zip(TRIGGERS..) {
        push(
            "trigger",
            known,
            sql::print::statement(&sql::ast::StatementKind::CreateTrigger((*trigger.statement).clone()))
                .unwrap_or_default(),
        );
    }
    rows
}

/// Names by which objects are looked for: of functions with and without what they take.
fn names(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let mut push = |kind: &str, oid: i64, schema: &str, name: &str| {
        let quoted = quote_ident(name);
        let (written, plain) = (format!("{}.{quoted}", quote_ident(schema)), format!("{schema}.{name}"));
        let words = [quoted, written, plain].map(text);
        rows.push([text(kind), id(oid), text(schema), text(name)].into_iter().chain(words).collect());
    };
    for table in &objects.catalog.tables {
        push("class", objects.class(&table.name), &table.name.schema, &table.name.name);
        for name in crate::build::resolve::index_names(table) {
            push("class", objects.class(&beside(table, name)), &table.name.schema, name);
        }
    }
    for name in objects.catalog.sequences.keys() {
        push("class", objects.class(name), &name.schema, &name.name);
    }
    for (known, name, printed, _) in BASE_TYPES {
        push("type", *known, "pg_catalog", name);
        if name != printed {
            push("type", *known, "pg_catalog", printed);
        }
    }
    for (name, known) in objects.type_names().iter().zip(TYPES..) {
        push("type", known, &name.schema, &name.name);
    }
    for (function, known) in objects.catalog.functions.iter().zip(FUNCTIONS..) {
        let Name { schema, name } = &function.name;
        push("proc", known, schema, name);
        push("procedure", known, schema, &format!("{name}({})", inputs(function).replace(", ", ",")));
    }
    for (schema, _) in &objects.catalog.schemas {
        push("namespace", objects.namespace(schema), "", schema);
    }
    for schema in ["pg_catalog", "information_schema"] {
        push("namespace", objects.namespace(schema), "", schema);
    }
    for role in &objects.catalog.roles {
        push("role", objects.role(&role.name), "", &role.name);
    }
    rows
}

fn inputs(function: &Function) -> String {
    let types: Vec<String> = function.inputs().map(crate::Argument::type_name).collect();
    types.join(", ")
}

fn named(argument: &crate::Argument) -> String {
    match &argument.name {
        Some(name) => format!("{} {}", quote_ident(name), argument.type_name()),
        None => argument.type_name(),
    }
}

fn identity(function: &Function) -> String {
    function.inputs().map(named).collect::<Vec<_>>().join(", ")
}

fn arguments(function: &Function) -> String {
    let one = |argument: &crate::Argument| match &argument.default {
        Some(default) => format!("{} DEFAULT {}", named(argument), sql::print::expr(default)),
        None => named(argument),
    };
    function.inputs().map(one).collect::<Vec<_>>().join(", ")
}

fn result(function: &Function) -> String {
    if function.returns_trigger {
        return "trigger".to_owned();
    }
    let outputs: Vec<String> = function
        .arguments
        .iter()
        .filter(|argument| argument.mode == sql::ast::ArgumentMode::Table)
        .map(named)
        .collect();
    let of = match outputs.is_empty() {
        true => format_type(&function.returns, None),
        false => return format!("TABLE({})", outputs.join(", ")),
    };
    if function.returns_set { format!("SETOF {of}") } else { of }
}

/// The language's name.
pub(super) fn language(function: &Function) -> &str {
    match &function.language {
        Language::Sql => "sql",
        Language::PlPgSql => "plpgsql",
        Language::Other(name) => name,
    }
}

/// `create or replace function …` in PostgreSQL's layout.
fn definition(function: &Function) -> String {
    let name = format!("{}.{}", quote_ident(&function.name.schema), quote_ident(&function.name.name));
    let mut words = format!(
        "CREATE OR REPLACE FUNCTION {name}({})\n RETURNS {}\n LANGUAGE {}\n",
        arguments(function),
        result(function),
        language(function)
    );
    let mut options = Vec::new();
    match function.volatility {
        crate::Volatility::Immutable => options.push("IMMUTABLE"),
        crate::Volatility::Stable => options.push("STABLE"),
        crate::Volatility::Volatile => {}
    }
    if function.strict {
        options.push("STRICT");
    }
    if function.security_definer {
        options.push("SECURITY DEFINER");
    }
    if !options.is_empty() {
        words.push_str(&format!(" {}\n", options.join(" ")));
    }
    for (setting, value) in &function.settings {
        words.push_str(&format!(" SET {setting} TO {}\n", quote_literal(value)));
    }
    words.push_str(&format!("AS $function${}$function$\n", function.body));
    words
}

fn columns(table: &Table, columns: &[crate::ColumnId]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quote_ident(&table[*column].name)).collect();
    names.join(", ")
}

/// A referential action in the information schema's words.
pub(super) fn rule(action: &ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull(_) => "SET NULL",
        ReferentialAction::SetDefault(_) => "SET DEFAULT",
    }
}

fn constraint_words(objects: &Objects<'_>, table: &Table, constraint: &Constraint<'_>) -> String {
    let mut words = match (constraint.kind, constraint.target) {
        (Kind::Foreign, Some(key)) => {
            let names: Vec<String> = key.target_columns.iter().map(|name| quote_ident(name)).collect();
            let mut words = format!(
                "FOREIGN KEY ({}) REFERENCES {}({})",
                columns(table, &constraint.columns),
                objects.shown(&key.target),
                names.join(", ")
            );
            for (clause, action) in [("ON UPDATE", &key.on_update), ("ON DELETE", &key.on_delete)] {
                if *action != ReferentialAction::NoAction {
                    words.push_str(&format!(" {clause} {}", rule(action)));
                }
            }
            words
        }
        (Kind::Check, _) => {
            let check = table.checks.iter().find(|check| check.name == *constraint.name);
            format!("CHECK ({})", check.map(|check| sql::print::expr(&check.expr)).unwrap_or_default())
        }
        (Kind::Exclusion, _) => {
            let index = table.indexes.iter().find(|index| index.name == *constraint.name);
            index.map(|index| exclusion_words(table, index)).unwrap_or_default()
        }
        (kind, _) => format!("{} ({})", kind.word(), columns(table, &constraint.columns)),
    };
    if constraint.deferrable.0 {
        words.push_str(if constraint.deferrable.1 {
            " DEFERRABLE INITIALLY DEFERRED"
        } else {
            " DEFERRABLE"
        });
    }
    if !constraint.is_valid {
        words.push_str(" NOT VALID");
    }
    words
}

/// The names and definitions of a table's indexes, those of keys included.
pub(super) fn indexes_of(table: &Table) -> Vec<(&Arc<str>, String)> {
    let of_key = |key: &Unique| {
        format!(
            "CREATE UNIQUE INDEX {} ON {} USING btree ({})",
            quote_ident(&key.name),
            table_words(table),
            columns(table, &key.columns)
        )
    };
    let keys = table.primary_key.iter().chain(&table.uniques).map(|key| (&key.name, of_key(key)));
    keys.chain(table.indexes.iter().map(|index| (&index.name, index_words(table, index)))).collect()
}

fn table_words(table: &Table) -> String {
    format!("{}.{}", quote_ident(&table.name.schema), quote_ident(&table.name.name))
}

fn key_words(table: &Table, key: &crate::IndexKey) -> String {
    let mut words = match key.column {
        Some(column) => quote_ident(&table[column].name),
        None => format!("({})", sql::print::expr(&key.expr)),
    };
    if let Some(class) = &key.opclass {
        words.push_str(&format!(" {class}"));
    }
    match (key.descending, key.nulls_first) {
        (true, true) => words.push_str(" DESC"),
        (true, false) => words.push_str(" DESC NULLS LAST"),
        (false, true) => words.push_str(" NULLS FIRST"),
        (false, false) => {}
    }
    words
}

fn exclusion_words(table: &Table, index: &Index) -> String {
    let keys = index.keys.iter().zip(&index.excludes);
    let keys: Vec<String> =
        keys.map(|(key, operator)| format!("{} WITH {operator}", key_words(table, key))).collect();
    let mut words = format!("EXCLUDE USING {} ({})", index.method, keys.join(", "));
    if !index.include.is_empty() {
        words.push_str(&format!(" INCLUDE ({})", columns(table, &index.include)));
    }
    if let Some(predicate) = &index.predicate {
        words.push_str(&format!(" WHERE ({})", sql::print::expr(predicate)));
    }
    words
}

fn index_words(table: &Table, index: &Index) -> String {
    let keys: Vec<String> = index.keys.iter().map(|key| key_words(table, key)).collect();
    let mut words = format!(
        "CREATE {}INDEX {} ON {} USING {} ({})",
        if index.unique { "UNIQUE " } else { "" },
        quote_ident(&index.name),
        table_words(table),
        index.method,
        keys.join(", ")
    );
    if !index.include.is_empty() {
        words.push_str(&format!(" INCLUDE ({})", columns(table, &index.include)));
    }
    if let Some(predicate) = &index.predicate {
        words.push_str(&format!(" WHERE ({})", sql::print::expr(predicate)));
    }
    words
}

/// What a trigger calls.
pub(super) fn call(statement: &CreateTrigger) -> String {
    let arguments: Vec<String> = statement.arguments.iter().map(|text| quote_literal(text)).collect();
    format!("{}({})", sql::print::object_name(&statement.function), arguments.join(", "))
}

fn comments(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let mut push = |oid: i64, class: i64, sub: i64, words: &Option<String>| {
        if let Some(words) = words {
            rows.push(vec![id(oid), id(class), id(sub), text(words)]);
        }
    };
    for table in &objects.catalog.tables {
        let class = objects.class(&table.name);
        push(class, 1259, 0, &table.comment);
        for column in table.column_ids() {
            push(class, 1259, i64::from(column.0) + 1, &table[column].comment);
        }
        for index in &table.indexes {
            push(objects.class(&beside(table, &index.name)), 1259, 0, &index.comment);
        }
    }
    for (function, known) in objects.catalog.functions.iter().zip(FUNCTIONS..) {
        push(known, 1255, 0, &function.comment);
    }
    for (schema, words) in &objects.catalog.schema_comments {
        push(objects.namespace(schema), 2615, 0, &Some(words.clone()));
    }
    for (name, words) in &objects.catalog.type_comments {
        push(objects.declared_type(name), 1247, 0, &Some(words.clone()));
    }
    rows
}
