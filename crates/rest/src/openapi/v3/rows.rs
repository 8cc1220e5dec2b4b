//! `components/schemas`: the rows of each table, and what each kind of write takes of them.

use catalog::{Column, ColumnId, DefaultValue, Privilege};
use sql::ast::Literal;
use types::Type;
use types::json::{self, Json};

use super::super::schema::{format, kind, labels, length, object, text};
use super::super::seen::{Seen, SeenTable};
use super::{key, or_null, texts};

/// What a schema of a table's rows is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is read.
    Row,
    /// What an insert takes.
    Insert,
    /// What an update takes.
    Update,
}

impl Kind {
    /// What comes after the table's name in the schema's.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Kind::Row => "",
            Kind::Insert => ".insert",
            Kind::Update => ".update",
        }
    }

    fn privilege(self) -> Privilege {
        match self {
            Kind::Row => Privilege::Select,
            Kind::Insert => Privilege::Insert,
            Kind::Update => Privilege::Update,
        }
    }

    fn is_for(self, table: &SeenTable<'_>) -> bool {
        match self {
            Kind::Row => table.readable,
            Kind::Insert => table.writable.insert,
            Kind::Update => table.writable.update,
        }
    }

    /// Whether a row must have a column.
    fn needs(self, column: &Column) -> bool {
        match self {
            Kind::Row => column.not_null,
            Kind::Insert => column.not_null && column.default.is_none(),
            Kind::Update => false,
        }
    }
}

pub(super) fn schemas(seen: &Seen<'_>) -> Json {
    let of = |table: &SeenTable<'_>| {
        let kinds = [Kind::Row, Kind::Insert, Kind::Update].into_iter().filter(|kind| kind.is_for(table));
        let schemas =
            kinds.map(|kind| (format!("{}{}", key(table.name), kind.suffix()), row(seen, table, kind)));
        schemas.collect::<Vec<_>>()
    };
    Json::Object(seen.tables.iter().flat_map(of).collect())
}

fn row(seen: &Seen<'_>, table: &SeenTable<'_>, kind: Kind) -> Json {
    let takes = |column: &Column| kind == Kind::Row || !is_read_only(column);
    let columns: Vec<(ColumnId, &Column)> =
        table.columns_for(kind.privilege()).filter(|(_, column)| takes(column)).collect();
    let required = columns.iter().filter(|(_, column)| kind.needs(column));
    let required: Vec<&str> = required.map(|(_, column)| &*column.name).collect();
    let properties =
        columns.iter().map(|(id, column)| (column.name.to_string(), property(table, *id, column)));
    let related = if kind == Kind::Row { relationships(seen, table) } else { Vec::new() };
    object([
        ("type", Some(text("object"))),
        ("description", table.table.comment.as_deref().map(text)),
        ("required", (!required.is_empty()).then(|| texts(required))),
        ("properties", Some(Json::Object(properties.collect()))),
        ("x-relationships", (!related.is_empty()).then_some(Json::Array(related))),
    ])
}

fn property(table: &SeenTable<'_>, id: ColumnId, column: &Column) -> Json {
    let Json::Object(mut fields) = value(&column.ty, !column.not_null) else { return Json::Null };
    let told = object([
        ("description", column.comment.as_deref().map(text)),
        ("maxLength", length(&column.ty, column.modifier)),
        ("default", default(column)),
        ("x-default", computed(column).as_deref().map(text)),
        ("readOnly", is_read_only(column).then_some(Json::Bool(true))),
        ("x-primary-key", table.is_key(id).then_some(Json::Bool(true))),
        (
            "x-foreign-key",
            table.target(id).map(|(table, column)| {
                object([("table", Some(text(table))), ("column", Some(text(column)))])
            }),
        ),
    ]);
    if let Json::Object(told) = told {
        fields.extend(told);
    }
    Json::Object(fields)
}

/// The default where it is a value of its column's type as JSON has it.
fn default(column: &Column) -> Option<Json> {
    let Some(DefaultValue::Expr(expr)) = &column.default else { return None };
    let is_text = matches!(column.ty, Type::Text | Type::Varchar | Type::Enum(_));
    match (kind(&column.ty)?, expr.literal()?) {
        ("string", Literal::String(value)) if is_text => Some(text(value)),
        ("boolean", Literal::Bool(value)) => Some(Json::Bool(*value)),
        ("integer" | "number", Literal::Integer(_) | Literal::Numeric(_)) => {
            json::parse(&sql::print::expr(expr), 1).ok()
        }
        _ => None,
    }
}

/// The expression of any other default.
fn computed(column: &Column) -> Option<String> {
    let Some(DefaultValue::Expr(expr)) = &column.default else { return None };
    let is_null = expr.is_null();
    (default(column).is_none() && !is_null).then(|| sql::print::expr(expr))
}

fn is_read_only(column: &Column) -> bool {
    matches!(column.default, Some(DefaultValue::Generated(_) | DefaultValue::Identity { always: true, .. }))
}

/// The JSON Schema of a type's values.
pub(super) fn value(ty: &Type, nullable: bool) -> Json {
    let labels = labels(ty).map(|labels| match labels {
        // An enumeration that may be null has null among its values.
        Json::Array(mut labels) if nullable => {
            labels.push(Json::Null);
            Json::Array(labels)
        }
        labels => labels,
    });
    let items = match ty {
        Type::Array(element) => Some(value(element, true)),
        _ => None,
    };
    object([
        ("type", kind(ty).map(|kind| if nullable { or_null(kind) } else { text(kind) })),
        ("format", Some(text(&format(ty)))),
        ("items", items),
        ("enum", labels),
    ])
}

/// What can be embedded in a row: the name that a `select` uses, and whether it is one row or a list.
fn relationships(seen: &Seen<'_>, table: &SeenTable<'_>) -> Vec<Json> {
    let related = table.relationships(seen).map(|(edge, target)| {
        let through = edge.through.as_ref().map(|through| &*through.name.name);
        object([
            ("name", Some(text(target))),
            ("hint", Some(text(through.unwrap_or(&edge.constraint)))),
            ("many", Some(Json::Bool(!edge.cardinality.is_to_one()))),
            ("schema", Some(text(&format!("#/components/schemas/{}", key(target))))),
        ])
    });
    related.collect()
}
