//! SQL trees to typed queries: names bound to the catalog, types inferred as PostgreSQL infers them (chapter 10).
//!
//! For what a schema says itself (policies, defaults, checks, views, seeds) and for the statements of our own services.
//! What is valid PostgreSQL and not done here is refused by name (`0A000`), never read as something else. Never looks
//! at who asks: that is `authorize`.

mod apart;
mod bodies;
mod calls;
mod choice;
mod coerce;
mod compare;
mod declared;
mod expansions;
mod expr;
mod from;
mod group;
mod grouped_sets;
mod hypothetical;
mod locking;
mod parts;
mod reads;
mod scope;
mod sequences;
mod sets;
mod subscript;
mod system;
mod typing;
mod variables;
mod windows;
mod with;
mod writes;

use std::sync::Arc;

use catalog::build::{TypeViews, ViewColumn};
use catalog::{Catalog, ColumnId, Table, TableId};
use sql::ast::{self, StatementKind};
use types::session::Session;
use types::{Code, Error, Name, Result, Type};

use crate::ir::{Expr, Query, Read, Source};
use crate::model::ROW;
use crate::visit::SourceIds;
use scope::{Level, Relation};

pub use bodies::{Body, Invocation, is_program, refused as refused_functions};
pub use coerce::constant;
pub use declared::parsed as parsed_body;
pub use typing::Typing;
pub use variables::{
    Columns, Conflict as NameConflict, NamedRows, Surroundings, Temporary, Variables, bound_call, bound_expr,
    bound_rows, bound_statement,
};

/// Where a condition stands: what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A policy: subqueries are welcome.
    Policy,
    /// A check constraint: the row alone.
    Check,
}

/// A condition of a table over [`ROW`].
///
/// # Errors
/// What PostgreSQL refuses; `0A000` for what it could do.
pub fn condition(catalog: &Catalog, table: TableId, expr: &ast::Expr, place: Place) -> Result<Expr> {
    if place == Place::Policy {
        return policy(catalog, table, expr).0;
    }
    checked(catalog, table, expr)
}

/// A policy's condition, and whether a subquery is written in it.
pub(crate) fn policy(catalog: &Catalog, table: TableId, expr: &ast::Expr) -> (Result<Expr>, bool) {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.levels.push(Level::of(resolver.row_of(table)));
    let resolved = resolver.boolean(expr, "POLICY").and_then(|resolved| {
        resolver.refuse_aggregate(&resolved, "POLICY")?;
        Ok(resolved)
    });
    (resolved, resolver.holds_query)
}

fn checked(catalog: &Catalog, table: TableId, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.is_of_row = true;
    resolver.levels.push(Level::of(resolver.row_of(table)));
    let mut resolved = resolver.boolean(expr, "CHECK")?;
    resolver.refuse_aggregate(&resolved, "CHECK")?;
    resolver.without_calls(&mut resolved)?;
    Ok(resolved)
}

/// A trigger's condition over the rows as they are ([`ROW`]) and as they were ([`OLD`](crate::triggers::OLD)).
///
/// # Errors
/// As [`condition`].
pub fn trigger_condition(catalog: &Catalog, table: TableId, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    let declared = &catalog[table];
    let mut level = Level::of(Relation::of_table(declared, Some("new"), ROW));
    level.relations.push(Relation::of_table(declared, Some("old"), crate::triggers::OLD));
    resolver.levels.push(level);
    resolver.boolean(expr, "WHEN")
}

/// A column's default: no columns, assigned to the column's type.
///
/// # Errors
/// As [`condition`]; `42804` when the type does not fit.
pub fn default(catalog: &Catalog, table: TableId, column: ColumnId, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.is_of_row = true;
    resolver.levels.push(Level::default());
    let mut resolved = resolver.expr(expr)?;
    resolver.without_calls(&mut resolved)?;
    resolver.assigned(resolved, &catalog[table], column)
}

/// A generated column's expression over [`ROW`], assigned to the column's type.
///
/// # Errors
/// As [`default`].
pub fn generated(catalog: &Catalog, table: TableId, column: ColumnId, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.is_of_row = true;
    resolver.levels.push(Level::of(resolver.row_of(table)));
    let mut resolved = resolver.expr(expr)?;
    resolver.without_calls(&mut resolved)?;
    resolver.assigned(resolved, &catalog[table], column)
}

/// A domain's check of one column: `value` is the column of [`ROW`].
///
/// # Errors
/// As [`condition`].
pub fn domain_check(catalog: &Catalog, table: TableId, column: ColumnId, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.is_of_row = true;
    let ty = catalog[table][column].ty.clone();
    let value = Expr::Column { source: ROW, column, ty };
    resolver.levels.push(Level::of(Relation::of_columns("", vec![("value".into(), value)])));
    let mut resolved = resolver.boolean(expr, "CHECK")?;
    resolver.without_calls(&mut resolved)?;
    Ok(resolved)
}

/// The first parameter as a value of a domain: what its constraints refuse is an error.
///
/// # Errors
/// As [`condition`].
pub fn domain_value(catalog: &Catalog, domain: &Name) -> Result<Expr> {
    let declared = catalog.domains.get(domain).ok_or_else(|| Error::internal("no such domain"))?;
    let value = Expr::Param { index: 0, ty: declared.ty.clone() };
    Resolver::new(catalog, &[]).in_domain(value, domain)
}

/// A condition over the row of a table that need not be the catalog's.
///
/// # Errors
/// As [`condition`].
pub fn row_condition(catalog: &Catalog, table: &Table, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.levels.push(Level::of(Relation::of_table(table, None, ROW)));
    resolver.boolean(expr, "WHERE")
}

/// A value computed from such a row.
///
/// # Errors
/// As [`condition`].
pub fn row_value(catalog: &Catalog, table: &Table, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.levels.push(Level::of(Relation::of_table(table, None, ROW)));
    let resolved = resolver.expr(expr)?;
    resolver.settled(resolved)
}

/// An operator between two values.
///
/// # Errors
/// `42883` where there is none.
pub fn operator(catalog: &Catalog, left: Expr, symbol: &str, right: Expr) -> Result<Expr> {
    Resolver::new(catalog, &[]).binary(left, symbol, right)
}

/// A value computed from a row of one table, assigned to a column of another.
///
/// # Errors
/// As [`default`].
pub fn conversion(
    catalog: &Catalog,
    from: &Table,
    (to, column): (&Table, ColumnId),
    expr: &ast::Expr,
) -> Result<Expr> {
    let mut resolver = Resolver::new(catalog, &[]);
    resolver.levels.push(Level::of(Relation::of_table(from, None, ROW)));
    let resolved = resolver.expr(expr)?;
    resolver.assigned(resolved, to, column)
}

/// A column of one table, assigned to a column of another.
///
/// # Errors
/// As [`default`].
pub fn retyped(
    catalog: &Catalog,
    (from, old): (&Table, ColumnId),
    (to, new): (&Table, ColumnId),
) -> Result<Expr> {
    let value = Expr::Column { source: ROW, column: old, ty: from[old].ty.clone() };
    Resolver::new(catalog, &[]).assigned(value, to, new)
}

/// The sequence that a text names, as `regclass` reads it: parts in double quotes stay as they are, others are in lower case.
pub fn sequence_name(text: &str) -> Name {
    let parts = system::name_parts(text);
    match &parts[..] {
        [schema, name] => Name::new(schema.as_str(), name.as_str()),
        _ => Name::new("public", parts.concat()),
    }
}

/// A query over stored rows.
///
/// # Errors
/// As [`condition`].
pub fn read(catalog: &Catalog, query: &ast::Query) -> Result<Read> {
    Resolver::new(catalog, &[]).query(query)
}

/// A statement about rows with parameters `$1`, `$2`, … of these types.
///
/// # Errors
/// As [`condition`]; `0A000` for a statement that is not about rows.
pub fn statement(catalog: &Catalog, statement: &StatementKind, parameters: &[Type]) -> Result<Query> {
    Resolver::new(catalog, parameters).about_rows(statement)
}

/// The same where names are looked for elsewhere, and literals are read in a session's zone.
///
/// # Errors
/// As [`statement`].
pub fn statement_on(
    catalog: &Catalog,
    path: &[Arc<str>],
    session: &Session,
    statement: &StatementKind,
    parameters: &[Type],
) -> Result<Query> {
    let resolver = Resolver::new(catalog, parameters);
    let (path, base) = (path.to_vec(), path.to_vec());
    Resolver { path, base, session: session.clone(), ..resolver }.about_rows(statement)
}

/// Says the columns of views, for the catalog's builder.
pub struct Views;

impl TypeViews for Views {
    fn columns(&self, catalog: &Catalog, query: &ast::Query) -> Result<Vec<ViewColumn>> {
        let mut resolver = Resolver::new(catalog, &[]);
        let read = resolver.query(query)?;
        let column = |output: crate::ir::Output| {
            let modifier = resolver.modifier_of(&read.from, &output.expr);
            let domain = resolver.domain_of(&read.from, &output.expr);
            ViewColumn { name: output.name, ty: output.expr.ty(), modifier, domain }
        };
        Ok(read.outputs.iter().cloned().map(column).collect())
    }

    fn constants(&self, catalog: &Catalog, table: TableId, check: &ast::Expr) -> Result<()> {
        match condition(catalog, table, check, Place::Check) {
            Err(error) if error.state().starts_with("22") => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Nested expressions, queries, views and functions; beyond is `54001`. As deep as SQL is read (`sql::parse`), so that what is read
/// fits the two megabytes of a thread's stack in a debug build.
const DEPTH_MAX: usize = 100;

/// The state of one resolution.
struct Resolver<'a> {
    catalog: &'a Catalog,
    path: Vec<Arc<str>>,
    /// The path of whoever asks: bodies that say none have it.
    base: Vec<Arc<str>>,
    parameters: &'a [Type],
    session: Session,
    ids: SourceIds,
    levels: Vec<Level>,
    ctes: Vec<with::Named>,
    /// What data-modifying common table expressions of the statement do, where they may stand.
    changed: Option<Vec<crate::ir::Changed>>,
    /// The windows that selects name.
    windows: Vec<(String, ast::Window)>,
    /// Set-returning functions among the targets that are being read, where they may stand.
    expansions: Option<expansions::Expansions>,
    /// What PostgreSQL calls the place where they may not.
    place: &'static str,
    /// Whether untyped literals among the targets of the next select stay so: what stands around it decides.
    unsettled: bool,
    depth: usize,
    /// The function whose body is read.
    frame: Option<declared::Frame>,
    /// Whose rights the body that is read has, if not the caller's.
    owner: Option<Arc<str>>,
    /// Who asks, and whose rights they have: schemas that they may not use are as if they were not on the path. Nobody asks for
    /// what is stored in the schema.
    asker: Option<Arc<[Arc<str>]>>,
    /// Functions whose bodies are being read.
    open: Vec<usize>,
    /// How many bodies were read.
    bodies: usize,
    /// Whether a query is written in what is resolved, outside of functions.
    holds_query: bool,
    /// Names that stand for parameters.
    variables: Option<&'a dyn Variables>,
    /// Whether functions that are called may change something.
    changes: bool,
    /// Whether it is computed of one row as it is written: nothing of it is authorized but its calls.
    is_of_row: bool,
    /// Whether it is what a function of the system stands for, which may look into our own relations.
    is_template: bool,
}

/// A statement after changes. A select is what the last of them returns.
fn after(mut changed: Vec<crate::ir::Changed>, query: Query) -> Query {
    if changed.is_empty() {
        return query;
    }
    match query {
        Query::Write(mut write) => {
            changed.append(&mut write.before);
            Query::Write(Box::new(crate::ir::Write { before: changed, ..*write }))
        }
        Query::Read(mut read) => {
            let Some(crate::ir::Changed { id, mut write }) = changed.pop() else { return Query::Read(read) };
            let returning = write.returning.take();
            crate::visit::deep_sources_mut(&mut read, &mut |source| {
                if let (Source::Cte { id: occurrence, cte, .. }, Some(returning)) = (&source, &returning)
                    && *cte == id
                {
                    *source = Source::Read { id: *occurrence, read: Box::new(returning.clone()), view: None };
                }
            });
            write.returning = Some(read);
            write.is_read_whole = true;
            write.before = changed;
            Query::Write(Box::new(write))
        }
    }
}

/// Where names are looked for, unless a function says it.
fn default_path() -> Vec<Arc<str>> {
    vec!["public".into(), "extensions".into()]
}

impl<'a> Resolver<'a> {
    fn new(catalog: &'a Catalog, parameters: &'a [Type]) -> Resolver<'a> {
        Resolver {
            catalog,
            path: default_path(),
            base: default_path(),
            parameters,
            session: Session::utc(0),
            ids: SourceIds::starting_at(ROW.0 + 1),
            levels: Vec::new(),
            ctes: Vec::new(),
            changed: None,
            windows: Vec::new(),
            expansions: None,
            place: "",
            unsettled: false,
            depth: 0,
            frame: None,
            owner: None,
            asker: None,
            open: Vec::new(),
            bodies: 0,
            holds_query: false,
            variables: None,
            changes: false,
            is_of_row: false,
            is_template: false,
        }
    }

    /// The meaning of a statement about rows.
    fn about_rows(&mut self, statement: &StatementKind) -> Result<Query> {
        self.changed = Some(Vec::new());
        let resolved = self.statement(statement);
        let changed = self.changed.take().unwrap_or_default();
        Ok(after(changed, resolved?))
    }

    fn statement(&mut self, statement: &StatementKind) -> Result<Query> {
        match statement {
            StatementKind::Query(query) => Ok(Query::Read(self.query(query)?)),
            StatementKind::Insert(insert) => self.insert(insert).map(Box::new).map(Query::Write),
            StatementKind::Update(update) => self.update(update).map(Box::new).map(Query::Write),
            StatementKind::Delete(delete) => self.delete(delete).map(Box::new).map(Query::Write),
            StatementKind::Refresh { name, with_data } => {
                self.refresh(name, *with_data).map(Box::new).map(Query::Write)
            }
            _ => Err(Error::missing("a statement that is neither select, insert, update nor delete")),
        }
    }

    /// The columns of [`ROW`], under the table's name.
    fn row_of(&self, table: TableId) -> Relation {
        Relation::of_table(&self.catalog[table], None, ROW)
    }

    /// Goes one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.enter()?;
        let result = inner(self);
        self.leave();
        result
    }

    fn enter(&mut self) -> Result<()> {
        if self.depth >= DEPTH_MAX {
            return Err(Error::new(Code::TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The domain of what a column of a view shows: that of a table's column, or what it is cast to.
    fn domain_of(&self, from: &Source, expr: &Expr) -> Option<Name> {
        match expr {
            Expr::Form { form: crate::ir::Form::Domain(test), .. } => {
                let mut named = self.catalog.domains.keys().filter(|domain| domain.name == test.name);
                named.next().filter(|_| named.next().is_none()).cloned()
            }
            Expr::Subquery(subquery) => match &**subquery {
                crate::ir::Subquery::Scalar(read) => {
                    let [output] = &read.outputs[..] else { return None };
                    self.domain_of(&read.from, &output.expr)
                }
                _ => None,
            },
            Expr::Column { source, column, .. } => {
                let mut found = None;
                crate::visit::each_source(from, &mut |leaf| match leaf {
                    Source::Table { id, table, .. } if id == source => {
                        found = self.catalog[*table][*column].domain.clone();
                    }
                    Source::Read { id, read, .. } if id == source => {
                        let output = read.outputs.get(usize::from(column.0));
                        found = output.and_then(|output| self.domain_of(&read.from, &output.expr));
                    }
                    _ => {}
                });
                found
            }
            _ => None,
        }
    }

    /// Length, precision or fraction of an output that is a column of a stored table.
    fn modifier_of(&self, from: &Source, expr: &Expr) -> Option<types::Modifier> {
        let Expr::Column { source, column, .. } = expr else { return None };
        let mut found = None;
        crate::visit::each_source(from, &mut |leaf| match leaf {
            Source::Table { id, table, .. } if id == source => {
                found = self.catalog[*table][*column].modifier;
            }
            Source::Read { id, read, .. } if id == source => {
                let output = read.outputs.get(usize::from(column.0));
                found = output.and_then(|output| self.modifier_of(&read.from, &output.expr));
            }
            Source::Compound { id, left, right, .. } if id == source => {
                let of = |read: &Read| {
                    let output = read.outputs.get(usize::from(column.0));
                    output.and_then(|output| self.modifier_of(&read.from, &output.expr))
                };
                found = of(left).filter(|modifier| of(right) == Some(*modifier));
            }
            _ => {}
        });
        found
    }
}
