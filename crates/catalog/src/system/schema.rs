//! The information schema: everybody sees there what they may use. The last column of each row says who that is.

use sql::ast::{TriggerEvent, TriggerTiming};
use types::ty::format_type;
use types::{Modifier, Type, Value};

use std::sync::Arc;

use super::access::{of_columns, of_function, of_schema, of_table, of_table_but_reading, owners, texts};
use super::constraints::{Constraint, Kind, all};
use super::{Objects, SystemRelation, Ty, id, maybe, number, text, yes};
use crate::{Column, DefaultValue, Generated, Table, TableId, TableKind};

/// Columns that say the database.
const DATABASE: &str = "postgres";

macro_rules! guarded {
    ($name:literal, $rows:expr, [$(($column:literal, $ty:ident)),* $(,)?]) => {
        SystemRelation {
            schema: "information_schema",
            name: $name,
            columns: &[$(($column, Ty::$ty),)* ("seen by", Ty::Texts)],
            is_guarded: true,
            rows: $rows,
        }
    };
}

pub(super) const ROWS: &[SystemRelation] = &[
    guarded!("schemata", schemata, [("catalog_name", Text), ("schema_name", Text), ("schema_owner", Text),]),
    guarded!(
        "tables",
        tables,
        [
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("table_type", Text),
            ("is_insertable_into", Text),
            ("is_typed", Text),
        ]
    ),
    guarded!(
        "views",
        views,
        [("table_catalog", Text), ("table_schema", Text), ("table_name", Text), ("view_definition", Text),]
    ),
    guarded!(
        "columns",
        columns,
        [
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("column_name", Text),
            ("ordinal_position", Int),
            ("column_default", Text),
            ("is_nullable", Text),
            ("data_type", Text),
            ("character_maximum_length", Int),
            ("numeric_precision", Int),
            ("numeric_scale", Int),
            ("udt_catalog", Text),
            ("udt_schema", Text),
            ("udt_name", Text),
            ("domain_schema", Text),
            ("domain_name", Text),
            ("is_identity", Text),
            ("identity_generation", Text),
            ("is_generated", Text),
            ("generation_expression", Text),
            ("is_updatable", Text),
        ]
    ),
    guarded!(
        "table_constraints",
        table_constraints,
        [
            ("constraint_catalog", Text),
            ("constraint_schema", Text),
            ("constraint_name", Text),
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("constraint_type", Text),
            ("is_deferrable", Text),
            ("initially_deferred", Text),
        ]
    ),
    guarded!(
        "key_column_usage",
        key_columns,
        [
            ("constraint_catalog", Text),
            ("constraint_schema", Text),
            ("constraint_name", Text),
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("column_name", Text),
            ("ordinal_position", Int),
            ("position_in_unique_constraint", Int),
        ]
    ),
    guarded!(
        "constraint_column_usage",
        used_columns,
        [
            ("table_catalog", Text),
            ("table_schema", Text),
            ("table_name", Text),
            ("column_name", Text),
            ("constraint_catalog", Text),
            ("constraint_schema", Text),
            ("constraint_name", Text),
        ]
    ),
    guarded!(
        "referential_constraints",
        references,
        [
            ("constraint_catalog", Text),
            ("constraint_schema", Text),
            ("constraint_name", Text),
            ("unique_constraint_schema", Text),
            ("unique_constraint_name", Text),
            ("match_option", Text),
            ("update_rule", Text),
            ("delete_rule", Text),
        ]
    ),
    guarded!(
        "check_constraints",
        checks,
        [
            ("constraint_catalog", Text),
            ("constraint_schema", Text),
            ("constraint_name", Text),
            ("check_clause", Text),
        ]
    ),
    guarded!(
        "routines",
        routines,
        [
            ("specific_catalog", Text),
            ("specific_schema", Text),
            ("specific_name", Text),
            ("routine_catalog", Text),
            ("routine_schema", Text),
            ("routine_name", Text),
            ("routine_type", Text),
            ("data_type", Text),
            ("routine_definition", Text),
            ("external_language", Text),
            ("security_type", Text),
        ]
    ),
    guarded!(
        "triggers",
        triggers,
        [
            ("trigger_catalog", Text),
            ("trigger_schema", Text),
            ("trigger_name", Text),
            ("event_manipulation", Text),
            ("event_object_catalog", Text),
            ("event_object_schema", Text),
            ("event_object_table", Text),
            ("action_statement", Text),
            ("action_orientation", Text),
            ("action_timing", Text),
        ]
    ),
    guarded!(
        "sequences",
        sequences,
        [
            ("sequence_catalog", Text),
            ("sequence_schema", Text),
            ("sequence_name", Text),
            ("data_type", Text),
            ("start_value", Text),
            ("minimum_value", Text),
            ("maximum_value", Text),
            ("increment", Text),
            ("cycle_option", Text),
        ]
    ),
];

fn database() -> Value {
    text(DATABASE)
}

fn schemata(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let own = ["pg_catalog", "information_schema"].into_iter();
    let declared = objects.catalog.schemas.iter().map(|(name, _)| &**name);
    let row = |name: &str, seen: Vec<Arc<str>>| vec![database(), text(name), text("postgres"), texts(seen)];
    let everybody = || objects.catalog.roles.iter().map(|role| role.name.clone()).collect();
    own.map(|name| row(name, everybody()))
        .chain(declared.map(|name| row(name, of_schema(objects, name))))
        .collect()
}

/// Tables and views with those who may do anything with them.
fn seen<'c>(objects: &'c Objects<'_>) -> impl Iterator<Item = (TableId, &'c Table, Value)> {
    let all = objects.catalog.ids().map(|id| (id, &objects.catalog[id]));
    all.filter(|(_, table)| !table.is_materialized())
        .map(|(id, table)| (id, table, texts(of_table(objects, id))))
}

/// The row that owners see, and that of others who see one: without what is the owners' matter.
fn by_owners(
    objects: &Objects<'_>,
    (owner, seen): (&str, &[Arc<str>]),
    row: impl Fn(bool, Value) -> Vec<Value>,
) -> [Vec<Value>; 2] {
    let owners = owners(objects, owner);
    let others = seen.iter().filter(|role| !owners.contains(role)).cloned().collect();
    [row(true, texts(owners)), row(false, texts(others))]
}

fn tables(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let row = |(_, table, seen): (TableId, &Table, Value)| {
        let kind = match table.is_view() {
            true => "VIEW",
            false if crate::build::is_temporary(&table.name.schema) => "LOCAL TEMPORARY",
            false => "BASE TABLE",
        };
        vec![
            database(),
            text(&table.name.schema),
            text(&table.name.name),
            text(kind),
            yes(!table.is_view()),
            yes(false),
            seen,
        ]
    };
    seen(objects).map(row).collect()
}

fn views(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for id in objects.catalog.ids() {
        let table = &objects.catalog[id];
        let TableKind::View { query, .. } = &table.kind else { continue };
        if table.is_materialized() {
            continue;
        }
        rows.extend(by_owners(objects, (&table.owner, &of_table(objects, id)), |is_owner, seen| {
            let words = is_owner.then(|| format!("{};", sql::print::query(query)));
            vec![database(), text(&table.name.schema), text(&table.name.name), maybe(words), seen]
        }));
    }
    rows
}

fn columns(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for id in objects.catalog.ids() {
        let table = &objects.catalog[id];
        if table.is_materialized() {
            continue;
        }
        let mut seen = of_columns(objects, id);
        for (at, column) in table.column_ids().enumerate() {
            rows.push(column_row(table, at, &table[column], seen(column)));
        }
    }
    rows
}

fn column_row(table: &Table, at: usize, column: &Column, seen: Value) -> Vec<Value> {
    let (schema, name) = udt(&column.ty);
    let (precision, scale) = digits(column);
    let length = match column.modifier {
        Some(Modifier::Length(length)) => id(i64::from(length)),
        Some(Modifier::Precision { .. } | Modifier::Fraction(_)) | None => Value::Null,
    };
    let identity = match &column.default {
        Some(DefaultValue::Identity { always: true, .. }) => Some("ALWAYS"),
        Some(DefaultValue::Identity { always: false, .. }) => Some("BY DEFAULT"),
        Some(DefaultValue::Expr(_) | DefaultValue::Generated(_)) | None => None,
    };
    let is_stored = column.generated() == Generated::Stored;
    let words = super::relations::default_words(column);
    vec![
        database(),
        text(&table.name.schema),
        text(&table.name.name),
        text(&column.name),
        number(at + 1),
        if is_stored { Value::Null } else { maybe(words.clone()) },
        yes(!column.not_null),
        text(data_type(&column.ty)),
        length,
        precision,
        scale,
        database(),
        text(schema),
        text(name),
        maybe(column.domain.as_ref().map(|domain| &*domain.schema)),
        maybe(column.domain.as_ref().map(|domain| &*domain.name)),
        yes(identity.is_some()),
        maybe(identity),
        text(if is_stored { "ALWAYS" } else { "NEVER" }),
        if is_stored { maybe(words) } else { Value::Null },
        yes(!table.is_view()),
        seen,
    ]
}

/// A type as the information schema says it.
fn data_type(ty: &Type) -> String {
    match ty {
        Type::Array(_) => "ARRAY".to_owned(),
        Type::Enum(_) | Type::Composite(_) | Type::Opaque(_) | Type::Citext => "USER-DEFINED".to_owned(),
        ty => format_type(ty, None),
    }
}

/// Schema and name of a type as PostgreSQL keeps them.
fn udt(ty: &Type) -> (String, String) {
    let own = |name: &str| ("pg_catalog".to_owned(), name.to_owned());
    match ty {
        Type::Array(element) => {
            let (schema, name) = udt(element);
            (schema, format!("_{name}"))
        }
        Type::Enum(declared) => (declared.name.schema.to_string(), declared.name.name.to_string()),
        Type::Composite(name) | Type::Opaque(name) => (name.schema.to_string(), name.name.to_string()),
        Type::Citext => ("extensions".to_owned(), "citext".to_owned()),
        ty => {
            let printed = format_type(ty, None);
            let known = super::BASE_TYPES.iter().find(|(_, _, words, _)| *words == printed);
            own(known.map_or(&printed, |(_, name, ..)| name))
        }
    }
}

fn digits(column: &Column) -> (Value, Value) {
    match (&column.ty, column.modifier) {
        (Type::Int2, _) => (id(16), id(0)),
        (Type::Int4, _) => (id(32), id(0)),
        (Type::Int8, _) => (id(64), id(0)),
        (Type::Float4, _) => (id(24), Value::Null),
        (Type::Float8, _) => (id(53), Value::Null),
        (Type::Numeric, Some(Modifier::Precision { precision, scale })) => {
            (id(i64::from(precision)), id(i64::from(scale)))
        }
        _ => (Value::Null, Value::Null),
    }
}

/// Constraints of tables, with those who may do more with the table than read it.
fn constraints<'c>(objects: &'c Objects<'c>) -> Vec<(&'c Table, Constraint<'c>, Value)> {
    let who = |table: &Table| {
        let id = objects.catalog.table_ids.get(&table.name).copied();
        texts(id.map(|id| of_table_but_reading(objects, id)).unwrap_or_default())
    };
    // Exclusion constraints are not of the standard.
    let all = all(objects).into_iter().filter(|(_, constraint)| constraint.kind != Kind::Exclusion);
    all.map(|(table, constraint)| (table, constraint, who(table))).collect()
}

fn table_constraints(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let row = |table: &Table, name: &str, kind: &str, deferrable: (bool, bool), seen: Value| {
        let schema = || text(&table.name.schema);
        vec![
            database(),
            schema(),
            text(name),
            database(),
            schema(),
            text(&table.name.name),
            text(kind),
            yes(deferrable.0),
            yes(deferrable.1),
            seen,
        ]
    };
    for (table, constraint, seen) in constraints(objects) {
        rows.push(row(table, constraint.name, constraint.kind.word(), constraint.deferrable, seen));
    }
    // What may not be null is a check there, of a name that nobody gave it.
    for id in objects.catalog.ids().filter(|id| !objects.catalog[*id].is_view()) {
        let (table, seen) = (&objects.catalog[id], texts(of_table_but_reading(objects, id)));
        let class = objects.class(&table.name);
        for (at, _) in table.columns.iter().enumerate().filter(|(_, column)| column.not_null) {
            let name = format!("{}_{class}_{}_not_null", objects.namespace(&table.name.schema), at + 1);
            rows.push(row(table, &name, "CHECK", (false, false), seen.clone()));
        }
    }
    rows
}

fn key_columns(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (table, constraint) in all(objects) {
        let Some(id) = objects.catalog.table_ids.get(&table.name).copied() else { continue };
        if matches!(constraint.kind, Kind::Check | Kind::Exclusion) {
            continue;
        }
        for (at, column) in constraint.columns.iter().enumerate() {
            let is_reference = constraint.kind == Kind::Foreign;
            rows.push(vec![
                database(),
                text(&table.name.schema),
                text(constraint.name),
                database(),
                text(&table.name.schema),
                text(&table.name.name),
                text(&table[*column].name),
                number(at + 1),
                if is_reference { number(at + 1) } else { Value::Null },
                of_columns(objects, id)(*column),
            ]);
        }
    }
    rows
}

fn used_columns(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (table, constraint, _) in constraints(objects) {
        let (used, columns) = match constraint.target {
            Some(key) => (key.target.clone(), key.target_columns.clone()),
            None if constraint.kind == Kind::Check => (table.name.clone(), Vec::new()),
            None => {
                let names = constraint.columns.iter().map(|column| table[*column].name.clone());
                (table.name.clone(), names.collect())
            }
        };
        let owner = objects.catalog.table(&used).map_or("postgres", |(_, used)| &*used.owner);
        for column in columns {
            rows.push(vec![
                database(),
                text(&used.schema),
                text(&used.name),
                text(column),
                database(),
                text(&table.name.schema),
                text(constraint.name),
                texts(owners(objects, owner)),
            ]);
        }
    }
    rows
}

fn references(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (table, constraint, seen) in constraints(objects) {
        let Some(key) = constraint.target else { continue };
        let target = objects.catalog.table(&key.target).map(|(_, target)| target);
        let is_it = |unique: &&crate::Unique| {
            let target = target.map(|target| unique.columns.iter().map(|column| &target[*column].name));
            target.is_some_and(|names| names.eq(key.target_columns.iter()))
        };
        let unique = target.and_then(|target| target.primary_key.iter().chain(&target.uniques).find(is_it));
        rows.push(vec![
            database(),
            text(&table.name.schema),
            text(constraint.name),
            text(&key.target.schema),
            maybe(unique.map(|unique| &*unique.name)),
            text(if key.match_full { "FULL" } else { "NONE" }),
            text(super::words::rule(&key.on_update)),
            text(super::words::rule(&key.on_delete)),
            seen,
        ]);
    }
    rows
}

fn checks(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for check in &table.checks {
            rows.push(vec![
                database(),
                text(&table.name.schema),
                text(&check.name),
                text(format!("({})", sql::print::expr(&check.expr))),
                texts(owners(objects, &table.owner)),
            ]);
        }
    }
    rows
}

fn routines(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (function, known) in objects.catalog.functions.iter().zip(super::FUNCTIONS..) {
        let ty = match function.returns_trigger {
            true => "trigger".to_owned(),
            false => data_type(&function.returns),
        };
        let seen = of_function(objects, function);
        rows.extend(by_owners(objects, (&function.owner, &seen), |is_owner, seen| {
            vec![
                database(),
                text(&function.name.schema),
                text(format!("{}_{known}", function.name.name)),
                database(),
                text(&function.name.schema),
                text(&function.name.name),
                text("FUNCTION"),
                text(&ty),
                maybe(is_owner.then_some(&*function.body)),
                text(super::words::language(function).to_uppercase()),
                text(if function.security_definer { "DEFINER" } else { "INVOKER" }),
                seen,
            ]
        }));
    }
    rows
}

fn triggers(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for id in objects.catalog.ids() {
        let (table, seen) = (&objects.catalog[id], texts(of_table_but_reading(objects, id)));
        for trigger in &table.triggers {
            let statement = &trigger.statement;
            for event in &statement.events {
                let event = match event {
                    TriggerEvent::Insert => "INSERT",
                    TriggerEvent::Update(_) => "UPDATE",
                    TriggerEvent::Delete => "DELETE",
                    TriggerEvent::Truncate => continue,
                };
                rows.push(vec![
                    database(),
                    text(&table.name.schema),
                    text(&trigger.name),
                    text(event),
                    database(),
                    text(&table.name.schema),
                    text(&table.name.name),
                    text(format!("EXECUTE FUNCTION {}", super::words::call(statement))),
                    text(if statement.for_each_row { "ROW" } else { "STATEMENT" }),
                    text(match statement.timing {
                        TriggerTiming::Before => "BEFORE",
                        TriggerTiming::After => "AFTER",
                        TriggerTiming::InsteadOf => "INSTEAD OF",
                    }),
                    seen.clone(),
                ]);
            }
        }
    }
    rows
}

fn sequences(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut sequences: Vec<_> = objects.catalog.sequences.values().collect();
    sequences.sort_by(|a, b| a.name.cmp(&b.name));
    let row = |sequence: &crate::Sequence| {
        let seen = super::access::of_sequence(objects, sequence);
        vec![
            database(),
            text(&sequence.name.schema),
            text(&sequence.name.name),
            text(format_type(&sequence.ty, None)),
            text(sequence.start.to_string()),
            text(sequence.min.to_string()),
            text(sequence.max.to_string()),
            text(sequence.increment.to_string()),
            yes(sequence.cycle),
            texts(seen),
        ]
    };
    sequences.into_iter().map(row).collect()
}
