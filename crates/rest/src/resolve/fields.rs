//! Fields: columns, paths into their JSON, casts.

use catalog::{ColumnId, Privilege, TableId};
use query::resolve::Typing;
use query::{Expr, Nest, Output, Read, Source, SourceId, Subquery};
use types::{Code, Error, Result, Type, Value};

use super::Pass;
use super::nearest::edits;
use crate::field::{Field, JsonKey, JsonStep};

/// The row that fields are of.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// Its source.
    pub(super) source: SourceId,
    /// Its table or view.
    pub(super) table: TableId,
    /// What messages call it.
    pub(super) label: String,
}

impl Scope {
    /// A column by its position.
    pub(super) fn at(&self, pass: &Pass<'_>, column: ColumnId) -> Expr {
        let ty = pass.declared(self.table)[column].ty.clone();
        Expr::Column { source: self.source, column, ty }
    }
}

impl Pass<'_> {
    /// The value of a field.
    pub(super) fn field(&mut self, scope: &Scope, field: &Field) -> Result<Expr> {
        let column = self.column(scope, &field.name)?;
        if field.path.is_empty() {
            return Ok(column);
        }
        if field.path.len() > self.exposed.limits.expression_depth_max {
            return Err(Error::new(Code::TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let document = match column.ty() {
            Type::Json | Type::Jsonb => column,
            _ => self.typing.call("to_jsonb", vec![column])?,
        };
        field.path.iter().try_fold(document, |inner, step| self.step(inner, step))
    }

    fn step(&self, inner: Expr, step: &JsonStep) -> Result<Expr> {
        let key = match &step.key {
            JsonKey::Member(name) => Typing::untyped(name),
            JsonKey::Index(index) => Expr::Const { value: Value::Int((*index).into()), ty: Type::Int4 },
        };
        self.typing.binary(inner, if step.text { "->>" } else { "->" }, key)
    }

    /// A field where it is selected: a table's own name stands for its whole row.
    pub(super) fn selected(&mut self, scope: &Scope, field: &Field) -> Result<Expr> {
        let table = self.declared(scope.table);
        let is_row = *table.name.name == *field.name && table.column(&field.name).is_none();
        if is_row && field.path.is_empty() { Ok(self.whole_row(scope)) } else { self.field(scope, field) }
    }

    fn whole_row(&self, scope: &Scope) -> Expr {
        let table = self.declared(scope.table);
        let outputs = table
            .column_ids()
            .map(|column| Output { name: table[column].name.clone(), expr: scope.at(self, column) });
        let read = Read { outputs: outputs.collect(), ..Read::from(Source::Unit) };
        Expr::Subquery(Box::new(Subquery::Nest(Nest { read, many: false, bare: false })))
    }

    fn column(&mut self, scope: &Scope, name: &str) -> Result<Expr> {
        if let Some((column, _)) = self.declared(scope.table).column(name) {
            return Ok(scope.at(self, column));
        }
        match self.computed_column(scope, name)? {
            Some(value) => Ok(value),
            None => Err(self.no_column(scope, name)),
        }
    }

    fn no_column(&self, scope: &Scope, name: &str) -> Error {
        let message = format!("column {}.{name} does not exist", scope.label);
        self.undefined_column(scope, name, message)
    }

    /// `42703`, with the columns that may have been meant.
    pub(super) fn undefined_column(&self, scope: &Scope, name: &str, message: String) -> Error {
        let label = &scope.label;
        let error = Error::new(Code::UNDEFINED_COLUMN, message);
        match &self.columns_alike(scope.table, name)[..] {
            [one] => error
                .with_hint(format!("Perhaps you meant to reference the column \"{label}.{one}\".")),
            [one, other] => error.with_hint(format!(
                "Perhaps you meant to reference the column \"{label}.{one}\" or the column \"{label}.{other}\"."
            )),
            _ => error,
        }
    }

    /// PostgreSQL's rule: the columns with the fewest edits, at most three and at most half of the name.
    fn columns_alike(&self, table: TableId, name: &str) -> Vec<&str> {
        const EDITS_MAX: usize = 3;
        let (catalog, declared, roles) = (&self.model.catalog, self.declared(table), self.roles());
        let seen = declared.column_ids().filter(|&column| {
            table == super::RESULT || catalog.allows_column(&roles, table, Privilege::Select, column)
        });
        let near: Vec<(usize, &str)> = seen
            .map(|column| (edits(&declared[column].name, name), &*declared[column].name))
            .filter(|(edits, _)| *edits <= EDITS_MAX && edits * 2 <= name.chars().count())
            .collect();
        let least = near.iter().map(|(edits, _)| *edits).min();
        near.iter().filter(|(edits, _)| Some(*edits) == least).map(|(_, column)| *column).collect()
    }

    /// A value cast to a type by its name.
    pub(super) fn cast(&self, expr: Expr, name: Option<&String>) -> Result<Expr> {
        let Some(name) = name else { return Ok(expr) };
        let (ty, modifier) = self.typing.type_named(name)?;
        // Of a type that is PostgreSQL's alone, PostgreSQL knows the casts.
        if self.model.is_native() && is_opaque(&expr.ty()) {
            return Ok(Expr::Cast { expr: Box::new(expr), ty, modifier, explicit: true });
        }
        self.typing.cast(expr, &ty, modifier)
    }
}

fn is_opaque(ty: &Type) -> bool {
    match ty {
        Type::Array(element) => is_opaque(element),
        ty => matches!(ty, Type::Opaque(_)),
    }
}
