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
use crate::build::resolve::index_names;
use crate::{Function, Index, Language, ReferentialAction, Table, TableKind, Unique};

/// Objects of one kind in words: a relation for each, for few ask for more than one.
macro_rules! words {
    ($name:literal, $rows:expr) => {
        SystemRelation {
            schema: INTERNAL,
            name: $name,
            columns: &[("oid", Ty::Oid), ("words", Ty::Text)],
            is_guarded: false,
            rows: $rows,
        }
    };
}

/// Names by which objects of one kind are looked for.
macro_rules! names {
    ($name:literal, $rows:expr) => {
        SystemRelation {
            schema: INTERNAL,
            name: $name,
            columns: &[
                ("oid", Ty::Oid),
                ("schema", Ty::Text),
                ("name", Ty::Text),
                // As somebody may write them: in quotes where they want some; with the schema, in such quotes and without any.
                ("quoted", Ty::Text),
                ("written", Ty::Text),
                ("plain", Ty::Text),
            ],
            is_guarded: false,
            rows: $rows,
        }
    };
}

pub(super) const ROWS: &[SystemRelation] = &[
    words!("class_words", |objects| { of_classes(objects, |known, name| said(known, objects.shown(name))) }),
    words!("type_words", types),
    words!("proc_words", |objects| of_functions(objects, |function| objects.shown(&function.name))),
    words!("procedure_words", |objects| of_functions(objects, |function| {
        format!("{}({})", objects.shown(&function.name), inputs(function))
    })),
    words!("namespace_words", namespaces),
    words!("role_words", roles),
    words!("function_words", |objects| of_functions(objects, definition)),
    words!("arguments_words", |objects| of_functions(objects, arguments)),
    words!("identity_words", |objects| of_functions(objects, identity)),
    words!("result_words", |objects| of_functions(objects, result)),
    words!("view_words", views),
    words!("index_words", indexes),
    words!("partition_key_words", partition_keys),
    words!("constraint_words", constraints),
    words!("trigger_words", triggers),
    names!("class_names", |objects| {
        of_classes(objects, |known, name| named_row(known, &name.schema, &name.name))
    }),
    names!("type_names", type_names),
    names!("proc_names", |objects| function_names(objects, |function| function.name.name.to_string())),
    names!("procedure_names", |objects| function_names(objects, |function| {
        format!("{}({})", function.name.name, inputs(function).replace(", ", ","))
    })),
    names!("namespace_names", namespace_names),
    names!("role_names", role_names),
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

fn said(oid: i64, words: impl AsRef<str>) -> Vec<Value> {
    vec![id(oid), text(words)]
}

/// Tables, views, indexes and sequences: a row for each, in the words or by the name that is wanted.
fn of_classes(objects: &Objects<'_>, row: impl Fn(i64, &Name) -> Vec<Value>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let mut push = |name: &Name| rows.push(row(objects.class(name), name));
    for table in &objects.catalog.tables {
        push(&table.name);
        for name in index_names(table) {
            push(&beside(table, name));
        }
    }
    objects.catalog.sequences.keys().for_each(push);
    rows
}

fn types(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (known, _, printed, array) in BASE_TYPES {
        rows.push(said(*known, printed));
        if *array > 0 {
            rows.push(said(*array, format!("{printed}[]")));
        }
    }
    for (name, known) in objects.type_names().iter().zip(TYPES..) {
        let shown = objects.shown(name);
        rows.push(said(known, &shown));
        rows.push(said(objects.declared_array(name), format!("{shown}[]")));
    }
    rows
}

fn of_functions(objects: &Objects<'_>, words: impl Fn(&Function) -> String) -> Vec<Vec<Value>> {
    let functions = objects.catalog.functions.iter().zip(FUNCTIONS..);
    functions.map(|(function, known)| said(known, words(function))).collect()
}

fn namespaces(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let schemas = objects.catalog.schemas.iter();
    schemas.map(|(schema, _)| said(objects.namespace(schema), quote_ident(schema))).collect()
}

fn roles(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    objects.catalog.roles.iter().map(|role| said(objects.role(&role.name), &role.name)).collect()
}

fn views(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let row = |table: &Table| match &table.kind {
        TableKind::View { query, .. } => {
            Some(said(objects.class(&table.name), format!("{};", sql::print::query(query))))
        }
        TableKind::Table => None,
    };
    objects.catalog.tables.iter().filter_map(row).collect()
}

fn indexes(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for (name, definition) in indexes_of(table) {
            rows.push(said(objects.class(&beside(table, name)), definition));
        }
    }
    rows
}

fn partition_keys(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let row = |table: &Table| Some(said(objects.class(&table.name), table.partitioning.as_ref()?.text()));
    objects.catalog.tables.iter().filter_map(row).collect()
}

fn constraints(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let all = all(objects).into_iter();
    all.map(|(table, constraint)| said(constraint.id, constraint_words(objects, table, &constraint)))
        .collect()
}

fn triggers(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let triggers = objects.catalog.tables.iter().flat_map(|table| table.triggers.iter()).zip(TRIGGERS..);
    let words = |statement: &CreateTrigger| {
        sql::print::statement(&sql::ast::StatementKind::CreateTrigger(statement.clone())).unwrap_or_default()
    };
    triggers.map(|(trigger, known)| said(known, words(&trigger.statement))).collect()
}

fn named_row(oid: i64, schema: &str, name: &str) -> Vec<Value> {
    let quoted = quote_ident(name);
    let (written, plain) = (format!("{}.{quoted}", quote_ident(schema)), format!("{schema}.{name}"));
    vec![id(oid), text(schema), text(name), text(quoted), text(written), text(plain)]
}

fn type_names(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (known, name, printed, _) in BASE_TYPES {
        rows.push(named_row(*known, "pg_catalog", name));
        if name != printed {
            rows.push(named_row(*known, "pg_catalog", printed));
        }
    }
    for (name, known) in objects.type_names().iter().zip(TYPES..) {
        rows.push(named_row(known, &name.schema, &name.name));
    }
    rows
}

/// Functions, with and without what they take.
fn function_names(objects: &Objects<'_>, name: impl Fn(&Function) -> String) -> Vec<Vec<Value>> {
    let functions = objects.catalog.functions.iter().zip(FUNCTIONS..);
    functions.map(|(function, known)| named_row(known, &function.name.schema, &name(function))).collect()
}

fn namespace_names(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let declared = objects.catalog.schemas.iter().map(|(schema, _)| &**schema);
    let schemas = declared.chain(["pg_catalog", "information_schema"]);
    schemas.map(|schema| named_row(objects.namespace(schema), "", schema)).collect()
}

fn role_names(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    objects.catalog.roles.iter().map(|role| named_row(objects.role(&role.name), "", &role.name)).collect()
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
