//! Views. Their queries are kept; what columns they give, a compiler outside this ring says.

use std::sync::Arc;

use sql::ast::{CheckOption, CreateView, Expr, Query};
use types::ty::format_type;
use types::{Code, Error, Modifier, Name, Result, Type};

use super::tables::exists;
use super::{Builder, Outcome, names};
use crate::expr::bind;
use crate::expr::scope::Scope;
use crate::expr::walk::{Visitor, Walk};
use crate::{Catalog, Column, Table, TableId, TableKind, ViewRights};

/// A result column of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewColumn {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Its length, precision or fraction.
    pub modifier: Option<Modifier>,
    /// The domain that its values are of, where that is known.
    pub domain: Option<Name>,
}

/// Who knows what columns a query gives, and what expressions mean.
pub trait TypeViews: Sync {
    /// The columns of a query whose names are bound, in order.
    ///
    /// # Errors
    /// What PostgreSQL refuses; `0A000` for what it could do: such a view is kept and does not run.
    fn columns(&self, catalog: &Catalog, query: &Query) -> Result<Vec<ViewColumn>>;

    /// Looks at the constants of a check whose names are bound.
    ///
    /// # Errors
    /// Those of class `22`, for a constant that is none of its type. What else is wrong is said where the check is reached.
    fn constants(&self, _catalog: &Catalog, _table: TableId, _check: &Expr) -> Result<()> {
        Ok(())
    }
}

/// Knows names only: every type is `Unknown`.
pub struct Untyped;

impl TypeViews for Untyped {
    fn columns(&self, catalog: &Catalog, query: &Query) -> Result<Vec<ViewColumn>> {
        struct Nothing;
        impl Visitor for Nothing {}
        let mut walk = Walk { visitor: &mut Nothing, tables: catalog, scope: Scope::default() };
        let columns = walk.query(&mut query.clone())?.unwrap_or_default();
        Ok(columns
            .into_iter()
            .map(|name| ViewColumn { name: name.into(), ty: Type::Unknown, modifier: None, domain: None })
            .collect())
    }
}

impl Builder<'_> {
    pub(super) fn create_view(&mut self, create: &CreateView) -> Result<Outcome> {
        let name = self.names().creation(&create.name)?;
        let replaced = self
            .catalog
            .table(&name)
            .filter(|(_, table)| create.or_replace && table.is_view())
            .map(|(id, _)| id);
        if replaced.is_none() && self.names().has_relation(&name) {
            return exists(&name, create.if_not_exists);
        }
        let query = bind::query(&self.names(), &create.query)?;
        let kind = TableKind::View {
            query: Arc::new(query),
            rights: rights(create)?,
            materialized: create.materialized,
            check_option: match create.check_option {
                Some(said) => Some(said),
                None => check_option_of(&create.options)?,
            },
        };
        let (columns, unsupported) = self.view_columns(create, &kind)?;
        match replaced {
            Some(id) => {
                replaceable(&self.catalog[id], &columns)?;
                let table = self.table_mut(id);
                table.kind = kind;
                table.columns = keep_comments(&table.columns, columns);
            }
            None => {
                let table = Table { columns, ..self.new_table(name.clone(), kind) };
                self.add_table(table);
            }
        }
        match unsupported {
            Some(why) => Ok(self.not_running(format!("view {name} ({why})"))),
            None if create.materialized && create.with_data => Ok(Outcome::Data),
            None if create.materialized => {
                Ok(self.not_running(format!("`with no data` of materialized view {name}")))
            }
            None => Ok(Outcome::Applied),
        }
    }

    /// The columns of a view, and why it does not run, if it does not.
    fn view_columns(&self, create: &CreateView, kind: &TableKind) -> Result<(Vec<Column>, Option<String>)> {
        let TableKind::View { query, .. } = kind else { return Ok((Vec::new(), None)) };
        let (typed, unsupported) = match self.views.columns(&self.catalog, query) {
            Ok(columns) => (columns, None),
            Err(error) if error.code() == Code::FEATURE_NOT_SUPPORTED => {
                (Untyped.columns(&self.catalog, query)?, Some(error.message().to_owned()))
            }
            Err(error) => return Err(error),
        };
        if create.columns.len() > typed.len() && unsupported.is_none() {
            return Err(Error::new(Code::SYNTAX, "CREATE VIEW specifies more column names than columns"));
        }
        let mut columns: Vec<Column> = typed.into_iter().map(view_column).collect();
        for (column, name) in columns.iter_mut().zip(&create.columns) {
            column.name = names::truncated(name);
            column.origin = (column.name.clone(), 0);
        }
        refuse_repeated(&columns)?;
        Ok((columns, unsupported))
    }

    /// Sets what columns a view gives, when that was not known as it was made.
    pub fn set_view_columns(&mut self, view: &Name, columns: Vec<ViewColumn>) {
        if let Ok(id) = self.id_of(view) {
            self.table_mut(id).columns = columns.into_iter().map(view_column).collect();
        }
    }
}

pub(super) fn view_column(column: ViewColumn) -> Column {
    Column {
        origin: (column.name.clone(), 0),
        name: column.name,
        ty: column.ty,
        modifier: column.modifier,
        domain: column.domain,
        not_null: false,
        default: None,
        comment: None,
    }
}

fn refuse_repeated(columns: &[Column]) -> Result<()> {
    let repeated = columns
        .iter()
        .enumerate()
        .find(|(at, column)| columns[..*at].iter().any(|other| other.name == column.name));
    match repeated {
        Some((_, column)) => Err(Error::new(
            Code::DUPLICATE_COLUMN,
            format!("column \"{}\" specified more than once", column.name),
        )),
        None => Ok(()),
    }
}

/// A replaced view keeps its columns and may get more.
fn replaceable(old: &Table, columns: &[Column]) -> Result<()> {
    let refuse = |message: String| Err(Error::new(Code::INVALID_TABLE_DEFINITION, message));
    if columns.len() < old.columns.len() {
        return refuse("cannot drop columns from view".to_owned());
    }
    for (old, new) in old.columns.iter().zip(columns) {
        if old.name != new.name {
            return refuse(format!("cannot change name of view column \"{}\" to \"{}\"", old.name, new.name));
        }
        let is_known = old.ty != Type::Unknown && new.ty != Type::Unknown;
        if is_known && (&old.ty, old.modifier) != (&new.ty, new.modifier) {
            let (from, to) = (format_type(&old.ty, old.modifier), format_type(&new.ty, new.modifier));
            return refuse(format!(
                "cannot change data type of view column \"{}\" from {from} to {to}",
                old.name
            ));
        }
    }
    Ok(())
}

fn keep_comments(old: &[Column], mut columns: Vec<Column>) -> Vec<Column> {
    for (old, new) in old.iter().zip(&mut columns) {
        new.comment.clone_from(&old.comment);
    }
    columns
}

fn rights(create: &CreateView) -> Result<ViewRights> {
    let mut found = ViewRights::default();
    for (name, value) in &create.options {
        match name.as_str() {
            "security_invoker" => found = ViewRights::said(is_on(value)),
            "security_barrier" | "check_option" => {}
            name => return Err(Error::missing(format!("view option {name}"))),
        }
    }
    Ok(found)
}

fn check_option_of(options: &[(String, String)]) -> Result<Option<CheckOption>> {
    let value = options.iter().rev().find(|(name, _)| name == "check_option").map(|(_, value)| value);
    value.map(|value| check_option(value)).transpose()
}

/// The value of `check_option`.
pub(super) fn check_option(value: &str) -> Result<CheckOption> {
    match value.to_lowercase().as_str() {
        "local" => Ok(CheckOption::Local),
        "cascaded" => Ok(CheckOption::Cascaded),
        _ => Err(Error::new(
            Code::INVALID_PARAMETER,
            format!("invalid value for enum option \"check_option\": {value}"),
        )
        .with_details("Valid values are \"local\" and \"cascaded\".")),
    }
}

/// Whether an option's value switches it on.
pub(super) fn is_on(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "true" | "on" | "yes" | "1" | "")
}

/// The kind of a relation, as PostgreSQL's messages name it.
pub(super) fn kind_word(table: &Table) -> &'static str {
    match table.kind {
        TableKind::Table => "table",
        TableKind::View { materialized: false, .. } => "view",
        TableKind::View { materialized: true, .. } => "materialized view",
    }
}
