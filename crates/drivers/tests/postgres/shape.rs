//! A catalog as lines of text, field by field, so that two can be compared however they were made.
//!
//! PostgreSQL stores trees and prints them its own way. So every expression is given to it and printed again: two texts that mean
//! the same come back as the same text.

use std::collections::BTreeSet;
use std::fmt::Debug;

use catalog::{Argument, Catalog, DefaultValue, Function, Privilege, Table, TableId, TableKind};
use tokio_postgres::Client;
use types::ty::format_type;
use types::{Modifier, Name, Type};

/// Prints expressions as PostgreSQL does.
pub(crate) struct Printer<'c> {
    pub(crate) client: &'c Client,
    /// Functions and schemas that only one side can know.
    pub(crate) skips: &'c [&'c str],
    /// Views whose types only one side can know.
    pub(crate) untyped: Vec<Name>,
}

const ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

const PRIVILEGES: [Privilege; 7] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
    Privilege::Truncate,
    Privilege::References,
    Privilege::Trigger,
];

impl Printer<'_> {
    /// A query as PostgreSQL prints it, again and again until it says the same: it moves conversions into what it reads.
    async fn query(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..4 {
            let printed = self.printed(text.trim_end_matches(';')).await;
            if printed == text {
                break;
            }
            text = printed;
        }
        text
    }

    async fn printed(&self, text: &str) -> String {
        let make = format!("set search_path = ''; create view pg_temp.printed as {text}");
        if let Err(error) = self.client.batch_execute(&make).await {
            let said =
                error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
            panic!("{said} in {text}");
        }
        let row =
            self.client.query_one("select pg_get_viewdef('pg_temp.printed'::regclass)", &[]).await.unwrap();
        self.client.batch_execute("drop view pg_temp.printed").await.unwrap();
        row.get(0)
    }

    async fn expr(&self, expr: &sql::ast::Expr, from: &str) -> String {
        self.query(&format!("select ({}) as x {from}", sql::print::expr(expr))).await
    }

    /// All lines of a catalog.
    pub(crate) async fn lines(&self, catalog: &Catalog) -> BTreeSet<String> {
        let mut lines = Lines { printer: self, lines: BTreeSet::new() };
        lines.objects(catalog).await;
        for (id, table) in catalog.ids().zip(&catalog.tables) {
            if !self.skips.contains(&&*table.name.schema) {
                lines.table(catalog, id, table).await;
            }
        }
        for function in &catalog.functions {
            let name = function.name.to_string();
            if !self.skips.contains(&name.as_str()) && !self.skips.contains(&&*function.name.schema) {
                lines.function(catalog, function).await;
            }
        }
        lines.lines
    }
}

struct Lines<'p, 'c> {
    printer: &'p Printer<'c>,
    lines: BTreeSet<String>,
}

impl Lines<'_, '_> {
    fn add(&mut self, of: impl std::fmt::Display, what: &str, value: impl Debug) {
        self.lines.insert(format!("{of}: {what} {value:?}"));
    }

    async fn objects(&mut self, catalog: &Catalog) {
        for (schema, _) in &catalog.schemas {
            for role in ROLES {
                let roles = catalog.memberships(role);
                self.add(schema, &format!("usage for {role}"), catalog.allows_schema(&roles, schema));
            }
        }
        for (name, ty) in &catalog.types {
            self.add(name, "type", said(ty, None));
            if let Type::Enum(declared) = ty {
                self.add(name, "labels", &declared.labels);
            }
        }
        for (name, comment) in &catalog.type_comments {
            self.add(name, "comment", comment);
        }
        for (name, fields) in &catalog.composites {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| (&field.name, said(&field.ty, field.modifier), &field.domain))
                .collect();
            self.add(name, "fields", fields);
        }
        for (name, domain) in &catalog.domains {
            self.add(name, "domain", (said(&domain.ty, domain.modifier), domain.not_null));
            let value = format!("from (select null::{} as value) s", said(&domain.ty, domain.modifier));
            if let Some(default) = &domain.default {
                let ty = said(&domain.ty, domain.modifier);
                let text = self.printer.expr(&converted(default, &ty), "").await;
                self.add(name, "default", text);
            }
            for check in &domain.checks {
                let text = self.printer.expr(&check.expr, &value).await;
                self.add(name, "check", (&check.name, text, check.not_valid));
            }
        }
        for (name, sequence) in &catalog.sequences {
            let (start, step) = (sequence.start, sequence.increment);
            self.add(
                name,
                "sequence",
                (said(&sequence.ty, None), start, step, sequence.min, sequence.max, sequence.cycle),
            );
            self.add(name, "owner", &sequence.owned_by);
            for role in ROLES {
                let roles = catalog.memberships(role);
                self.add(
                    name,
                    &format!("usage for {role}"),
                    catalog.allows_sequence(&roles, sequence, Privilege::Usage),
                );
            }
        }
        for (name, tables) in &catalog.publications {
            let mut tables = tables.clone();
            tables.iter_mut().for_each(|tables| tables.sort_by_key(ToString::to_string));
            self.add(name, "publishes", tables);
        }
        for (name, comment) in &catalog.schema_comments {
            if &**name != "public" {
                self.add(name, "comment", comment);
            }
        }
    }

    async fn table(&mut self, catalog: &Catalog, id: TableId, table: &Table) {
        let name = &table.name;
        self.add(name, "row security", (table.row_security, table.force_row_security));
        self.add(name, "comment", &table.comment);
        match &table.kind {
            TableKind::Table => self.add(name, "kind", "table"),
            TableKind::View { query, rights, materialized, check_option } => {
                self.add(name, "view", (rights, materialized, check_option));
                let text = self.printer.query(&sql::print::query(query)).await;
                self.add(name, "query", text);
            }
        }
        self.columns(catalog, id, table).await;
        self.constraints(table).await;
        self.access(table).await;
        for edge in catalog.relationships_of(id) {
            let columns = |of: TableId, columns: &[catalog::ColumnId]| {
                columns.iter().map(|&column| catalog[of][column].name.clone()).collect::<Vec<_>>()
            };
            let through = edge.through.as_ref().map(|through| {
                let from = columns(through.table, &through.from_columns);
                (&through.name, &through.from_constraint, from, columns(through.table, &through.to_columns))
            });
            let ends = (columns(edge.from, &edge.from_columns), columns(edge.to, &edge.to_columns));
            self.add(
                name,
                "edge",
                (&catalog[edge.to].name, edge.cardinality, &edge.constraint, ends, through),
            );
        }
    }

    async fn columns(&mut self, catalog: &Catalog, id: TableId, table: &Table) {
        let name = &table.name;
        let names: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
        self.add(name, "columns", names);
        for (at, column) in table.column_ids().zip(&table.columns) {
            let of = format!("{name}.{}", column.name);
            if table.is_view() {
                // What our compiler does not type, PostgreSQL alone says.
                if !self.printer.untyped.contains(name) {
                    self.add(&of, "is a", said(&column.ty, column.modifier));
                }
            } else {
                self.add(&of, "is a", (said(&column.ty, column.modifier), &column.domain, column.not_null));
            }
            self.add(&of, "comment", &column.comment);
            let default = match &column.default {
                None => "none".to_owned(),
                Some(DefaultValue::Identity { always, sequence }) => format!("identity {always} {sequence}"),
                Some(DefaultValue::Expr(expr)) => self.printer.expr(&coerced(expr, table, at), "").await,
                Some(DefaultValue::Generated(expr)) => {
                    let text = self.printer.expr(&coerced(expr, table, at), &from(table)).await;
                    format!("generated {text}")
                }
            };
            self.add(&of, "default", default);
            for role in ROLES {
                let roles = catalog.memberships(role);
                let held: Vec<_> = PRIVILEGES
                    .into_iter()
                    .filter(|&privilege| catalog.allows_column(&roles, id, privilege, at))
                    .collect();
                self.add(&of, role, held);
            }
        }
    }

    async fn constraints(&mut self, table: &Table) {
        let name = &table.name;
        let columns = |columns: &[catalog::ColumnId]| {
            columns.iter().map(|&column| table[column].name.clone()).collect::<Vec<_>>()
        };
        for (kind, key) in table
            .primary_key
            .iter()
            .map(|key| ("primary", key))
            .chain(table.uniques.iter().map(|key| ("unique", key)))
        {
            let include = columns(&key.include);
            self.add(
                name,
                kind,
                (&key.name, columns(&key.columns), key.nulls_not_distinct, key.deferrable, include),
            );
        }
        for check in &table.checks {
            let text = self.printer.expr(&check.expr, &from(table)).await;
            self.add(name, "check", (&check.name, text, check.not_valid));
        }
        for key in &table.foreign_keys {
            let flags = (key.match_full, key.deferrable, key.initially_deferred, key.not_valid);
            let actions = (&key.on_delete, &key.on_update);
            self.add(
                name,
                "references",
                (&key.name, columns(&key.columns), &key.target, &key.target_columns, actions, flags),
            );
        }
        for index in &table.indexes {
            let of = format!("{name} index {}", index.name);
            let include = columns(&index.include);
            self.add(
                &of,
                "is",
                (index.unique, index.nulls_not_distinct, &index.method, include, &index.comment),
            );
            for (at, key) in index.keys.iter().enumerate() {
                let text = self.printer.expr(&key.expr, &from(table)).await;
                let column = key.column.map(|column| table[column].name.clone());
                self.add(
                    &of,
                    &format!("key {at}"),
                    (text, column, &key.opclass, key.descending, key.nulls_first),
                );
            }
            if let Some(predicate) = &index.predicate {
                let text = self.printer.expr(predicate, &from(table)).await;
                self.add(&of, "where", text);
            }
        }
    }

    async fn access(&mut self, table: &Table) {
        let name = &table.name;
        for policy in &table.policies {
            let of = format!("{name} policy {}", policy.name);
            self.add(&of, "is", (policy.permissive, policy.command, &policy.roles, &policy.comment));
            for (clause, condition) in [("using", &policy.using), ("check", &policy.with_check)] {
                if let Some(condition) = condition {
                    let text = self.printer.expr(condition, &from(table)).await;
                    self.add(&of, clause, text);
                }
            }
        }
        for trigger in &table.triggers {
            let statement = &trigger.statement;
            let of = format!("{name} trigger {}", trigger.name);
            let mut events: Vec<String> = statement.events.iter().map(|event| format!("{event:?}")).collect();
            events.sort();
            self.add(&of, "is", (statement.timing, events, statement.for_each_row, trigger.mode));
            let function = (&statement.function.schema, &statement.function.name, &statement.arguments);
            self.add(&of, "does", (function, &statement.referencing, statement.constraint));
            if let Some(when) = &statement.when {
                let text = self.printer.expr(when, &format!("from {0} old, {0} new", quoted(name))).await;
                self.add(&of, "when", text);
            }
        }
    }

    async fn function(&mut self, catalog: &Catalog, function: &Function) {
        let of = function.signature();
        let returns =
            (said(&function.returns, None), &function.domain, function.returns_set, function.returns_trigger);
        self.add(&of, "returns", returns);
        self.add(
            &of,
            "is",
            (&function.language, function.volatility, function.strict, function.security_definer),
        );
        self.add(&of, "rows", function.rows);
        self.add(&of, "comment", &function.comment);
        self.add(&of, "body", words(&function.body));
        self.add(&of, "settings", &function.settings);
        for (at, Argument { name, ty, domain, mode, default }) in function.arguments.iter().enumerate() {
            let default = match default {
                Some(default) => self.printer.expr(&converted(default, &said(ty, None)), "").await,
                None => String::new(),
            };
            self.add(&of, &format!("argument {at}"), (name, said(ty, None), domain, mode, default));
        }
        for role in ROLES {
            let roles = catalog.memberships(role);
            self.add(&of, role, catalog.allows_function(&roles, function));
        }
    }
}

/// Words, whatever the space between them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A default as the column takes it.
fn coerced(expr: &sql::ast::Expr, table: &Table, column: catalog::ColumnId) -> sql::ast::Expr {
    converted(expr, &said(&table[column].ty, table[column].modifier))
}

/// PostgreSQL stores a default with the conversion to what takes it.
fn converted(expr: &sql::ast::Expr, ty: &str) -> sql::ast::Expr {
    sql::parse_expr(&format!("({})::{ty}", sql::print::expr(expr))).expect("a conversion of an expression")
}

fn from(table: &Table) -> String {
    format!("from {}", quoted(&table.name))
}

fn quoted(name: &Name) -> String {
    format!("\"{}\".\"{}\"", name.schema, name.name)
}

/// A type with the schema that its name has.
fn said(ty: &Type, modifier: Option<Modifier>) -> String {
    match ty {
        Type::Array(element) => format!("{}[]", said(element, modifier)),
        Type::Enum(declared) => quoted(&declared.name),
        Type::Composite(name) | Type::Opaque(name) if &*name.schema != "pg_catalog" => quoted(name),
        ty => format_type(ty, modifier),
    }
}
