//! What a `do` block asks of the system's tables before it declares something, answered from the catalog.
//!
//! A condition is `[not] exists (select … from pg_… where …)`, `to_regclass('…') is null`, and what `and`, `or` and `not` make
//! of them, over equality of columns and literals. Whatever else is asked has no answer here. Object ids are the objects' names
//! with their kind.

use sql::ast::{
    Distinct, Expr, ExprKind, FromItem, JoinCondition, JoinKind, Literal, ObjectName, Query, QueryBody,
};
use types::Name;

use super::{Builder, resolve};
use crate::{Catalog, Table, TableKind};

/// Rows that may be looked at for one condition.
const ROWS_MAX: usize = 200_000;

/// A row of a system table: its columns; `None` is null.
type Row = Vec<(&'static str, Option<String>)>;

/// A row under the name of its table.
type Named = (String, Row);

/// Makes the rows of a system table.
type Rows = fn(&Catalog) -> Vec<Row>;

/// System tables, by name without `pg_catalog`.
const TABLES: &[(&str, Rows)] = &[
    ("pg_namespace", namespaces),
    ("information_schema.schemata", schemata),
    ("pg_class", classes),
    ("pg_tables", tables),
    ("pg_views", views),
    ("information_schema.tables", relations),
    ("information_schema.views", relations_of_views),
    ("information_schema.columns", columns),
    ("pg_attribute", attributes),
    ("pg_type", types_of),
    ("pg_enum", labels),
    ("pg_policies", policies),
    ("pg_policy", policies_by_id),
    ("pg_constraint", constraints),
    ("information_schema.table_constraints", table_constraints),
    ("pg_indexes", indexes),
    ("pg_trigger", triggers),
    ("information_schema.triggers", triggers_by_name),
    ("pg_proc", functions),
    ("pg_extension", extensions),
    ("pg_roles", roles),
    ("pg_publication", publications),
    ("pg_publication_tables", published),
];

impl Builder<'_> {
    /// Whether a condition holds; `None` where that is not known here.
    pub(super) fn holds(&self, condition: &Expr) -> Option<bool> {
        self.truth(condition, &[])?.or(Some(false))
    }

    /// The three values of a condition.
    fn truth(&self, expr: &Expr, rows: &[Named]) -> Option<Option<bool>> {
        match &*expr.kind {
            ExprKind::And(operands) => self.connected(operands, false, rows),
            ExprKind::Or(operands) => self.connected(operands, true, rows),
            ExprKind::Not(operand) => Some(self.truth(operand, rows)?.map(|truth| !truth)),
            ExprKind::Exists(query) => self.exists(query, rows).map(Some),
            ExprKind::Binary { left, op, right } if op == "=" || op == "<>" => {
                let (left, right) = (self.text(left, rows)?, self.text(right, rows)?);
                Some(left.zip(right).map(|(left, right)| (left == right) == (op == "=")))
            }
            ExprKind::InList { expr, list, negated } => {
                let value = self.text(expr, rows)?;
                let list = list.iter().map(|item| self.text(item, rows)?).collect::<Option<Vec<_>>>()?;
                Some(value.map(|value| list.contains(&value) != *negated))
            }
            ExprKind::IsNull { expr, negated } => Some(Some(self.text(expr, rows)?.is_none() != *negated)),
            ExprKind::Literal(Literal::Bool(truth)) => Some(Some(*truth)),
            ExprKind::Column(_) => match self.text(expr, rows)?.as_deref() {
                Some("true") => Some(Some(true)),
                Some("false") => Some(Some(false)),
                Some(_) => None,
                None => Some(None),
            },
            _ => None,
        }
    }

    fn connected(&self, operands: &[Expr], absorbing: bool, rows: &[Named]) -> Option<Option<bool>> {
        let mut known = true;
        for operand in operands {
            match self.truth(operand, rows)? {
                Some(truth) if truth == absorbing => return Some(Some(absorbing)),
                Some(_) => {}
                None => known = false,
            }
        }
        Some(known.then_some(!absorbing))
    }

    /// The text of a value.
    fn text(&self, expr: &Expr, rows: &[Named]) -> Option<Option<String>> {
        match &*expr.kind {
            ExprKind::Literal(Literal::Null) => Some(None),
            ExprKind::Literal(Literal::String(text)) => Some(Some(text.clone())),
            ExprKind::Literal(Literal::Bool(value)) => Some(Some(value.to_string())),
            ExprKind::Column(parts) => column(parts, rows),
            ExprKind::Cast { expr, ty } if ty.array_dims == 0 => {
                let text = self.text(expr, rows)?;
                match ty.name.name.as_str() {
                    "text" | "name" | "varchar" | "oid" => Some(text),
                    "regclass" => Some(Some(self.object(&text?, Kind::Class)?)),
                    "regtype" => Some(Some(self.object(&text?, Kind::Type)?)),
                    "regnamespace" => Some(text.map(|name| Kind::Namespace.id(&name))),
                    _ => None,
                }
            }
            ExprKind::Call(call) => match (call.name.name.as_str(), &call.args[..]) {
                ("current_schema", []) => {
                    Some(self.names().creation_schema().ok().map(|name| name.to_string()))
                }
                ("to_regclass", [name]) => Some(self.object(&self.text(&name.value, rows)??, Kind::Class)),
                ("to_regtype", [name]) => Some(self.object(&self.text(&name.value, rows)??, Kind::Type)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The id of the relation or type that a text names.
    fn object(&self, text: &str, kind: Kind) -> Option<String> {
        if text.contains(':') {
            return Some(text.to_owned());
        }
        let parts: Vec<String> = text.split('.').map(unquoted).collect();
        let (schema, name) = match &parts[..] {
            [name] => (None, name.clone()),
            [schema, name] => (Some(schema.clone()), name.clone()),
            _ => return None,
        };
        let name = ObjectName { schema, name, span: types::Span::default() };
        let names = self.names();
        let found = match kind {
            Kind::Class => names.first(&name, |name| names.has_relation(name)),
            Kind::Type => names.user_type_name(&name),
            Kind::Namespace => None,
        };
        found.map(|name| kind.id(&name.to_string()))
    }

    /// Whether a query over system tables has a row.
    fn exists(&self, query: &Query, outer: &[Named]) -> Option<bool> {
        let QueryBody::Select(select) = &query.body else { return None };
        let is_plain = query.with.is_none()
            && query.offset.is_none()
            && select.group_by.is_empty()
            && select.having.is_none()
            && select.distinct == Distinct::No
            && !select.targets.iter().any(|target| matches!(*target.expr.kind, ExprKind::Call(_)));
        if !is_plain {
            return None;
        }
        let mut found = vec![outer.to_vec()];
        for item in &select.from {
            found = self.joined(item, found)?;
        }
        let Some(filter) = &select.filter else { return Some(!found.is_empty()) };
        for rows in &found {
            if self.truth(filter, rows)? == Some(true) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Every row of what was found, with every row of a source.
    fn joined(&self, item: &FromItem, found: Vec<Vec<Named>>) -> Option<Vec<Vec<Named>>> {
        match item {
            FromItem::Table { name, alias, .. } => {
                let rows = self.system_rows(name)?;
                let name = alias.as_ref().map_or(&name.name, |alias| &alias.name);
                if found.len().checked_mul(rows.len())? > ROWS_MAX {
                    return None;
                }
                let with = |before: &Vec<Named>, row: &Row| {
                    before.iter().cloned().chain([(name.clone(), row.clone())]).collect()
                };
                Some(found.iter().flat_map(|before| rows.iter().map(move |row| with(before, row))).collect())
            }
            FromItem::Join { kind: JoinKind::Inner | JoinKind::Cross, left, right, condition } => {
                let joined = self.joined(right, self.joined(left, found)?)?;
                let JoinCondition::On(condition) = condition else {
                    return matches!(condition, JoinCondition::None).then_some(joined);
                };
                let mut kept = Vec::new();
                for rows in joined {
                    if self.truth(condition, &rows)? == Some(true) {
                        kept.push(rows);
                    }
                }
                Some(kept)
            }
            FromItem::Join { .. } | FromItem::Subquery { .. } | FromItem::Function { .. } => None,
        }
    }

    fn system_rows(&self, name: &ObjectName) -> Option<Vec<Row>> {
        let name = match name.schema.as_deref() {
            None | Some("pg_catalog") => name.name.clone(),
            Some(schema) => format!("{schema}.{}", name.name),
        };
        TABLES.iter().find(|(known, _)| *known == name).map(|(_, rows)| rows(&self.catalog))
    }
}

/// Kinds of objects, in their ids.
#[derive(Clone, Copy)]
enum Kind {
    Class,
    Type,
    Namespace,
}

impl Kind {
    fn id(self, name: &str) -> String {
        match self {
            Kind::Class => format!("class:{name}"),
            Kind::Type => format!("type:{name}"),
            Kind::Namespace => format!("namespace:{name}"),
        }
    }
}

/// A part of a name as `regclass` reads it.
fn unquoted(part: &str) -> String {
    match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
        Some(quoted) => quoted.to_owned(),
        None => part.to_lowercase(),
    }
}

fn column(parts: &[String], rows: &[Named]) -> Option<Option<String>> {
    let (qualifier, name) = match parts {
        [name] => (None, name),
        [qualifier, name] => (Some(qualifier), name),
        _ => return None,
    };
    let mut rows =
        rows.iter().rev().filter(|(alias, _)| qualifier.is_none_or(|qualifier| qualifier == alias));
    rows.find_map(|(_, row)| row.iter().find(|(column, _)| column == name)).map(|(_, value)| value.clone())
}

fn row<const N: usize>(columns: [(&'static str, &str); N]) -> Row {
    columns.into_iter().map(|(name, value)| (name, Some(value.to_owned()))).collect()
}

fn class(name: &Name) -> String {
    Kind::Class.id(&name.to_string())
}

fn namespaces(catalog: &Catalog) -> Vec<Row> {
    let schemas = catalog.schemas.iter();
    schemas.map(|(name, _)| row([("oid", &Kind::Namespace.id(name)), ("nspname", name)])).collect()
}

fn schemata(catalog: &Catalog) -> Vec<Row> {
    catalog.schemas.iter().map(|(name, _)| row([("schema_name", name)])).collect()
}

fn classes(catalog: &Catalog) -> Vec<Row> {
    let class_row = |name: &Name, kind: &str| {
        row([
            ("oid", &class(name)),
            ("relname", &name.name),
            ("relnamespace", &Kind::Namespace.id(&name.schema)),
            ("relkind", kind),
        ])
    };
    let mut rows = Vec::new();
    for table in &catalog.tables {
        let kind = match &table.kind {
            TableKind::Table => "r",
            TableKind::View { materialized: true, .. } => "m",
            TableKind::View { materialized: false, .. } => "v",
        };
        rows.push(class_row(&table.name, kind));
        for index in resolve::index_names(table) {
            rows.push(class_row(&Name::new(table.name.schema.clone(), index.clone()), "i"));
        }
    }
    rows.extend(catalog.sequences.keys().map(|name| class_row(name, "S")));
    rows
}

fn of_tables(catalog: &Catalog, is: fn(&Table) -> bool, names: [&'static str; 2]) -> Vec<Row> {
    let found = catalog.tables.iter().filter(|table| is(table));
    found.map(|table| row([(names[0], &table.name.schema), (names[1], &table.name.name)])).collect()
}

fn tables(catalog: &Catalog) -> Vec<Row> {
    of_tables(catalog, |table| !table.is_view(), ["schemaname", "tablename"])
}

fn views(catalog: &Catalog) -> Vec<Row> {
    of_tables(catalog, is_plain_view, ["schemaname", "viewname"])
}

fn relations(catalog: &Catalog) -> Vec<Row> {
    of_tables(catalog, |table| !table.is_view() || is_plain_view(table), ["table_schema", "table_name"])
}

fn relations_of_views(catalog: &Catalog) -> Vec<Row> {
    of_tables(catalog, is_plain_view, ["table_schema", "table_name"])
}

fn is_plain_view(table: &Table) -> bool {
    matches!(table.kind, TableKind::View { materialized: false, .. })
}

fn columns(catalog: &Catalog) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in catalog.tables.iter().filter(|table| !table.is_view() || is_plain_view(table)) {
        for column in &table.columns {
            rows.push(row([
                ("table_schema", &table.name.schema),
                ("table_name", &table.name.name),
                ("column_name", &column.name),
            ]));
        }
    }
    rows
}

fn attributes(catalog: &Catalog) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in &catalog.tables {
        for column in &table.columns {
            let id = class(&table.name);
            rows.push(row([("attrelid", &id), ("attname", &column.name), ("attisdropped", "false")]));
        }
    }
    rows
}

fn types_of(catalog: &Catalog) -> Vec<Row> {
    let type_row = |name: &Name, kind: &str| {
        row([
            ("oid", &Kind::Type.id(&name.to_string())),
            ("typname", &name.name),
            ("typnamespace", &Kind::Namespace.id(&name.schema)),
            ("typtype", kind),
        ])
    };
    let declared = catalog.types.iter().map(|(name, ty)| {
        let kind = match ty {
            _ if catalog.domains.contains_key(name) => "d",
            types::Type::Enum(_) => "e",
            _ => "c",
        };
        type_row(name, kind)
    });
    let rows_of_tables = catalog.tables.iter().filter(|table| !catalog.types.contains_key(&table.name));
    declared.chain(rows_of_tables.map(|table| type_row(&table.name, "c"))).collect()
}

fn labels(catalog: &Catalog) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, ty) in &catalog.types {
        if let types::Type::Enum(declared) = ty {
            let id = Kind::Type.id(&name.to_string());
            rows.extend(declared.labels.iter().map(|label| row([("enumtypid", &id), ("enumlabel", label)])));
        }
    }
    rows
}

fn policies(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let policy_row = |policy: &crate::Policy| {
            row([
                ("schemaname", &table.name.schema),
                ("tablename", &table.name.name),
                ("policyname", &policy.name),
            ])
        };
        table.policies.iter().map(policy_row).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

fn policies_by_id(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let id = class(&table.name);
        let policies = table.policies.iter();
        policies.map(|policy| row([("polrelid", &id), ("polname", &policy.name)])).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

/// A table's constraints: name, letter, words.
fn constraints_of(table: &Table) -> Vec<(&str, &'static str, &'static str)> {
    let primary = table.primary_key.iter().map(|key| (&*key.name, "p", "PRIMARY KEY"));
    let unique = table.uniques.iter().map(|key| (&*key.name, "u", "UNIQUE"));
    let checks = table.checks.iter().map(|check| (&*check.name, "c", "CHECK"));
    let references = table.foreign_keys.iter().map(|key| (&*key.name, "f", "FOREIGN KEY"));
    primary.chain(unique).chain(checks).chain(references).collect()
}

fn constraints(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let (id, namespace) = (class(&table.name), Kind::Namespace.id(&table.name.schema));
        let constraint = |(name, letter, _): (&str, &'static str, &'static str)| {
            row([("conname", name), ("conrelid", &id), ("contype", letter), ("connamespace", &namespace)])
        };
        constraints_of(table).into_iter().map(constraint).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

fn table_constraints(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let constraint = |(name, _, words): (&str, &'static str, &'static str)| {
            row([
                ("constraint_name", name),
                ("constraint_type", words),
                ("constraint_schema", &table.name.schema),
                ("table_schema", &table.name.schema),
                ("table_name", &table.name.name),
            ])
        };
        constraints_of(table).into_iter().map(constraint).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

fn indexes(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let index = |name: &std::sync::Arc<str>| {
            row([("schemaname", &table.name.schema), ("tablename", &table.name.name), ("indexname", name)])
        };
        resolve::index_names(table).map(index).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

fn triggers(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let id = class(&table.name);
        let triggers = table.triggers.iter();
        triggers
            .map(|trigger| row([("tgname", &trigger.name), ("tgrelid", &id), ("tgisinternal", "false")]))
            .collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

fn triggers_by_name(catalog: &Catalog) -> Vec<Row> {
    let of = |table: &Table| {
        let trigger_row = |trigger: &crate::Trigger| {
            row([
                ("trigger_name", &trigger.name),
                ("trigger_schema", &table.name.schema),
                ("event_object_schema", &table.name.schema),
                ("event_object_table", &table.name.name),
            ])
        };
        table.triggers.iter().map(trigger_row).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of).collect()
}

fn functions(catalog: &Catalog) -> Vec<Row> {
    let function =
        |name: &Name| row([("proname", &name.name), ("pronamespace", &Kind::Namespace.id(&name.schema))]);
    catalog.functions.iter().map(|declared| function(&declared.name)).collect()
}

fn extensions(catalog: &Catalog) -> Vec<Row> {
    catalog.extensions.iter().map(|name| row([("extname", name)])).collect()
}

fn roles(catalog: &Catalog) -> Vec<Row> {
    catalog.roles.iter().map(|role| row([("rolname", &role.name)])).collect()
}

fn publications(catalog: &Catalog) -> Vec<Row> {
    catalog.publications.iter().map(|(name, _)| row([("pubname", name)])).collect()
}

fn published(catalog: &Catalog) -> Vec<Row> {
    let of = |(name, tables): &(std::sync::Arc<str>, Option<Vec<Name>>)| {
        let all = catalog.tables.iter().filter(|table| !table.is_view()).map(|table| table.name.clone());
        let tables = tables.clone().unwrap_or_else(|| all.collect());
        let member = |table: &Name| {
            row([("pubname", name), ("schemaname", &table.schema), ("tablename", &table.name)])
        };
        tables.iter().map(member).collect::<Vec<_>>()
    };
    catalog.publications.iter().flat_map(of).collect()
}
