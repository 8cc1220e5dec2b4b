//! Columns: their types, defaults, identities and generation.

use std::sync::Arc;

use sql::ast::{
    self, ColumnConstraintKind, ColumnDefinition, Expr, SequenceOptions, TableConstraint, TableConstraintKind,
};
use types::{Code, Error, Name, Result, Type};

use super::{Builder, names, unknown_column_of};
use crate::expr::bind;
use crate::expr::scope::Source;
use crate::expr::uses::Uses;
use crate::{Column, ColumnId, DefaultValue, TableId};

impl Builder<'_> {
    /// Adds a column with its type and whether it refuses nulls.
    pub(super) fn declare_column(&mut self, id: TableId, definition: &ColumnDefinition) -> Result<ColumnId> {
        let name = names::truncated(&definition.name);
        self.refuse_second(id, &name)?;
        let resolved = self.names().ty(&definition.ty)?;
        let said = Said::of(&self.catalog[id].name, definition)?;
        let column = Column {
            origin: self.catalog.history.new_column(&self.catalog[id], &name),
            name,
            modifier: resolved.modifier,
            domain: resolved.domain,
            not_null: said.not_null || resolved.is_serial || said.identity.is_some(),
            default: None,
            comment: None,
            ty: resolved.ty,
        };
        let table = self.table_mut(id);
        table.columns.push(column);
        Ok(ColumnId(u16::try_from(table.columns.len() - 1).unwrap_or(u16::MAX)))
    }

    /// Gives a declared column its default, identity or generation: they may need the table's other columns.
    pub(super) fn complete_column(
        &mut self,
        id: TableId,
        column: ColumnId,
        definition: &ColumnDefinition,
    ) -> Result<()> {
        let said = Said::of(&self.catalog[id].name, definition)?;
        let is_serial = self.names().ty(&definition.ty)?.is_serial;
        let default = self.default_of(id, column, &said, is_serial)?;
        self.column_mut(id, column).default = default;
        Ok(())
    }

    /// `42701` when the table has a column of this name.
    fn refuse_second(&self, id: TableId, name: &str) -> Result<()> {
        let table = &self.catalog[id];
        if table.column(name).is_none() {
            return Ok(());
        }
        let message = format!("column \"{name}\" of relation \"{}\" already exists", table.name.name);
        Err(Error::new(Code::DUPLICATE_COLUMN, message))
    }

    fn default_of(
        &mut self,
        id: TableId,
        column: ColumnId,
        said: &Said<'_>,
        is_serial: bool,
    ) -> Result<Option<DefaultValue>> {
        let name = self.catalog[id][column].name.clone();
        if let Some((always, options)) = said.identity {
            return self.identity(id, column, always, options).map(Some);
        }
        if let Some(expr) = said.generated {
            return self.generation(id, column, expr).map(|expr| Some(DefaultValue::Generated(expr)));
        }
        if is_serial {
            let ty = self.catalog[id][column].ty.clone();
            let sequence = self.owned_sequence(id, &name, &ty, &SequenceOptions::default())?;
            return Ok(Some(DefaultValue::Expr(Arc::new(nextval(&sequence)))));
        }
        match said.default {
            // `default null` is no default.
            Some(expr) if !expr.is_null() => {
                self.bound_default(expr).map(|expr| Some(DefaultValue::Expr(expr)))
            }
            _ => Ok(None),
        }
    }

    /// Makes a column an identity column.
    pub(super) fn identity(
        &mut self,
        id: TableId,
        column: ColumnId,
        always: bool,
        options: &SequenceOptions,
    ) -> Result<DefaultValue> {
        let (name, ty) = (self.catalog[id][column].name.clone(), self.catalog[id][column].ty.clone());
        if !matches!(ty, Type::Int2 | Type::Int4 | Type::Int8) {
            return Err(Error::new(
                Code::INVALID_PARAMETER,
                "identity column type must be smallint, integer, or bigint",
            ));
        }
        let sequence = self.owned_sequence(id, &name, &ty, options)?;
        Ok(DefaultValue::Identity { always, sequence })
    }

    /// A default, bound. It sees no columns.
    pub(super) fn bound_default(&self, expr: &Expr) -> Result<Arc<Expr>> {
        let bound = bind::expr(&self.names(), Vec::new(), expr);
        bound.map(Arc::new).map_err(|error| match error.code() {
            Code::UNDEFINED_COLUMN => {
                Error::new(Code::FEATURE_NOT_SUPPORTED, "cannot use column reference in DEFAULT expression")
            }
            _ => error,
        })
    }

    /// A generation expression, bound to the table's columns that are not generated themselves.
    fn generation(&self, id: TableId, column: ColumnId, expr: &Expr) -> Result<Arc<Expr>> {
        let table = &self.catalog[id];
        let bound = bind::expr(&self.names(), vec![Source::root(table)], expr)?;
        let uses = Uses::of(&self.catalog, vec![Source::root(table)], &bound);
        let is_generated = |name: &str| {
            table.column(name).is_some_and(|(at, other)| {
                at == column || matches!(other.default, Some(DefaultValue::Generated(_)))
            })
        };
        match uses.columns_of(&table.name).find(|name| is_generated(name)) {
            Some(name) => {
                let message =
                    format!("cannot use generated column \"{name}\" in column generation expression");
                Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message)
                    .with_details("A generated column cannot reference another generated column."))
            }
            None => Ok(Arc::new(bound)),
        }
    }

    /// A column by name.
    pub(super) fn column_id(&self, id: TableId, name: &str) -> Result<ColumnId> {
        let table = &self.catalog[id];
        table.column(name).map(|(column, _)| column).ok_or_else(|| unknown_column_of(table, name))
    }

    pub(super) fn column_mut(&mut self, id: TableId, column: ColumnId) -> &mut Column {
        &mut self.table_mut(id).columns[usize::from(column.0)]
    }
}

/// What a column's constraints say of the column itself.
#[derive(Default)]
struct Said<'a> {
    not_null: bool,
    null: bool,
    default: Option<&'a Expr>,
    generated: Option<&'a Expr>,
    identity: Option<(bool, &'a SequenceOptions)>,
}

impl<'a> Said<'a> {
    fn of(table: &Name, definition: &'a ColumnDefinition) -> Result<Said<'a>> {
        let mut said = Said::default();
        let is_serial = matches!(definition.ty.name.name.as_str(), "serial" | "bigserial" | "smallserial");
        let of = format!("for column \"{}\" of table \"{}\"", definition.name, table.name);
        let syntax = |message: &str| Err(Error::new(Code::SYNTAX, format!("{message} {of}")));
        for constraint in &definition.constraints {
            match &constraint.kind {
                ColumnConstraintKind::NotNull => said.not_null = true,
                ColumnConstraintKind::Null => said.null = true,
                ColumnConstraintKind::Default(_) if said.default.is_some() || is_serial => {
                    return syntax("multiple default values specified");
                }
                ColumnConstraintKind::Default(expr) => said.default = Some(expr),
                ColumnConstraintKind::Generated(_) if said.generated.is_some() => {
                    return syntax("multiple generation clauses specified");
                }
                ColumnConstraintKind::Generated(expr) => said.generated = Some(expr),
                ColumnConstraintKind::Identity { .. } if said.identity.is_some() => {
                    return syntax("multiple identity specifications");
                }
                ColumnConstraintKind::Identity { always, options } => {
                    said.identity = Some((*always, options))
                }
                ColumnConstraintKind::Check { .. }
                | ColumnConstraintKind::Unique { .. }
                | ColumnConstraintKind::PrimaryKey { .. }
                | ColumnConstraintKind::References(_) => {}
            }
        }
        match (said.default.is_some(), said.generated.is_some(), said.identity.is_some()) {
            (true, _, true) => syntax("both default and identity specified"),
            (true, true, _) => syntax("both default and generation expression specified"),
            (_, true, true) => syntax("both identity and generation expression specified"),
            _ if said.null && (said.not_null || is_serial || said.identity.is_some()) => {
                syntax("conflicting NULL/NOT NULL declarations")
            }
            _ => Ok(said),
        }
    }
}

/// A column's constraints that are the table's, written as such.
pub(super) fn table_constraints(definition: &ColumnDefinition) -> Vec<TableConstraint> {
    let columns = || vec![definition.name.clone()];
    let of_table = definition.constraints.iter().filter_map(|constraint| {
        let kind = match constraint.kind.clone() {
            ColumnConstraintKind::Check { expr, no_inherit } => {
                TableConstraintKind::Check { expr, no_inherit }
            }
            ColumnConstraintKind::PrimaryKey { deferrable, initially_deferred } => {
                TableConstraintKind::PrimaryKey {
                    columns: columns(),
                    include: Vec::new(),
                    using_index: None,
                    deferrable,
                    initially_deferred,
                }
            }
            ColumnConstraintKind::References(references) => {
                TableConstraintKind::ForeignKey { columns: columns(), references }
            }
            ColumnConstraintKind::Unique { nulls_not_distinct, deferrable, initially_deferred } => {
                TableConstraintKind::Unique {
                    columns: columns(),
                    nulls_not_distinct,
                    include: Vec::new(),
                    using_index: None,
                    deferrable,
                    initially_deferred,
                }
            }
            ColumnConstraintKind::NotNull
            | ColumnConstraintKind::Null
            | ColumnConstraintKind::Default(_)
            | ColumnConstraintKind::Generated(_)
            | ColumnConstraintKind::Identity { .. } => return None,
        };
        Some(TableConstraint { name: constraint.name.clone(), kind, not_valid: false, span: constraint.span })
    });
    of_table.collect()
}

/// `nextval('schema.sequence'::regclass)`
fn nextval(sequence: &Name) -> Expr {
    let span = types::Span::default();
    let name = |schema: Option<&str>, name: &str| ast::ObjectName {
        schema: schema.map(str::to_owned),
        name: name.to_owned(),
        span,
    };
    let text = format!("{}.{}", bind::quoted(&sequence.schema), bind::quoted(&sequence.name));
    let literal = Expr::new(ast::ExprKind::Literal(ast::Literal::String(text)), span);
    let ty = ast::TypeName {
        name: name(None, "regclass"),
        modifiers: Vec::new(),
        array_dims: 0,
        setof: false,
        of_column: None,
    };
    let value = Expr::new(ast::ExprKind::Cast { expr: literal, ty }, span);
    let call = ast::Call::by_position(name(None, "nextval"), vec![value]);
    Expr::new(ast::ExprKind::Call(call), span)
}
