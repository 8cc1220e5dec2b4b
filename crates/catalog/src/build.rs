//! Statements to a catalog, one after the other, as PostgreSQL would execute them; no row is touched.
//!
//! A folder of migrations and a declarative schema end in the same place. Statements about rows are handed back
//! ([`Outcome::Data`]) at their position. What is declared and does not run is kept and named, what is not understood
//! is refused by name. Each statement applies whole or not at all.

use std::sync::Arc;

use sql::ast::{self, ObjectName, Statement, StatementKind};
use types::{Code, Error, Name, Result, Span};

use crate::{Catalog, Table, TableId, relationship};

mod alter;
mod builtin;
mod columns;
mod comments;
mod constraints;
mod depend;
mod draft;
mod drop;
mod foreign_keys;
mod functions;
mod grants;
mod identity;
mod indexes;
mod initial;
pub(crate) mod names;
mod objects;
mod partitions;
mod policies;
pub(crate) mod positions;
mod rename;
pub(crate) mod resolve;
mod roles;
mod rules;
mod sequences;
mod session;
mod tables;
mod temporary;
#[cfg(test)]
mod tests;
mod triggers;
pub(crate) mod type_names;
mod user_types;
mod views;

pub use builtin::builtin;
pub use partitions::{partition_bound, partitioning};
pub use session::search_path;
pub(crate) use temporary::is_temporary;
pub use temporary::{TEMPORARY, TEMPORARY_OF_SESSION};
pub use views::{TypeViews, Untyped, ViewColumn};

use draft::Draft;
use resolve::Names;

/// The tables of services that a project's schema names and that no crate declares: storage's and realtime's. Built on
/// [`builtin()`] as [`SERVICES_OWNER`], before a project's own statements.
pub const SERVICES: &str = include_str!("build/services.sql");

/// The owner of [`SERVICES`].
pub const SERVICES_OWNER: &str = "supabase_storage_admin";

/// What became of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The catalog says it now.
    Applied,
    /// Nothing to do, as the statement allows (`if exists`, `if not exists`); why.
    Skipped(String),
    /// It is about rows: the caller runs it, on the catalog as it is now.
    Data,
    /// It is kept, or has no effect here; why.
    NotRunning(String),
    /// It has no meaning for a catalog: transactions, `analyze`, planner and session settings.
    NoEffect,
}

/// A complaint about a statement.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Where the statement stands.
    pub span: Span,
    /// What kind of complaint.
    pub complaint: Complaint,
    /// PostgreSQL's words.
    pub error: Error,
}

/// Kinds of complaints: the first two are what a lenient build goes on after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// What it makes exists already.
    Duplicate,
    /// What it needs does not exist.
    Missing,
    /// PostgreSQL could do it.
    NotSupported,
    /// PostgreSQL refuses it.
    Invalid,
}

/// What became of each statement, in order.
pub type Report = Vec<(Span, Result<Outcome, Diagnostic>)>;

/// Builds a catalog on `base`, statement by statement. Statements with complaints change nothing; the caller decides whether that is an error.
pub fn build(base: Catalog, statements: &[Statement], views: &dyn TypeViews) -> (Catalog, Report) {
    let mut builder = Builder::new(base, views);
    let report = statements.iter().map(|statement| (statement.span, builder.apply(statement))).collect();
    (builder.finish(), report)
}

/// A catalog being built. Lives as long as one session of statements: `set` lasts until it is gone.
pub struct Builder<'t> {
    catalog: Draft,
    path: Vec<Arc<str>>,
    role: Arc<str>,
    /// The session's time zone, in which constants of bounds are read.
    zone: Arc<str>,
    views: &'t dyn TypeViews,
}

/// A builder at some point.
pub struct Mark {
    catalog: Draft,
    path: Vec<Arc<str>>,
    role: Arc<str>,
    zone: Arc<str>,
}

impl<'t> Builder<'t> {
    /// Goes on from a catalog; see [`builtin()`] for the first.
    pub fn new(base: impl Into<Arc<Catalog>>, views: &'t dyn TypeViews) -> Builder<'t> {
        Builder {
            catalog: Draft::of(base.into()),
            path: session::default_path(),
            role: "postgres".into(),
            zone: "UTC".into(),
            views,
        }
    }

    /// The same as another owner of new objects.
    #[must_use]
    pub fn owned_by(mut self, role: &str) -> Builder<'t> {
        self.role = role.into();
        self
    }

    /// The catalog so far. Relationships are those of the last [`finish`](Builder::finish).
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same for those who keep it.
    pub fn shared(&self) -> Arc<Catalog> {
        self.catalog.shared()
    }

    /// The catalog, complete.
    pub fn finish(mut self) -> Catalog {
        self.catalog.relationships = relationship::derive(&self.catalog);
        self.catalog.into_catalog()
    }

    /// The same for those who go on elsewhere: its relationships are still those of the last [`finish`](Builder::finish).
    pub fn pause(self) -> Arc<Catalog> {
        self.catalog.shared()
    }

    /// Applies one statement.
    ///
    /// # Errors
    /// What PostgreSQL, or this version, refuses. The catalog is then as before.
    pub fn apply(&mut self, statement: &Statement) -> Result<Outcome, Diagnostic> {
        let before = has_many_effects(&statement.kind).then(|| self.catalog.clone());
        self.dispatch(&statement.kind).map_err(|error| {
            if let Some(before) = before {
                self.catalog = before;
            }
            Diagnostic { span: statement.span, complaint: Complaint::of(&error), error }
        })
    }

    /// Applies one statement by itself.
    ///
    /// # Errors
    /// As [`Builder::apply`].
    pub fn apply_kind(&mut self, statement: &StatementKind) -> Result<Outcome> {
        let before = has_many_effects(statement).then(|| self.catalog.clone());
        let outcome = self.dispatch(statement);
        if let (Err(_), Some(before)) = (&outcome, before) {
            self.catalog = before;
        }
        outcome
    }

    /// Where it stands: what [`Builder::go_back`] goes back to.
    pub fn mark(&self) -> Mark {
        Mark {
            catalog: self.catalog.clone(),
            path: self.path.clone(),
            role: self.role.clone(),
            zone: self.zone.clone(),
        }
    }

    /// Goes back, as if nothing had happened since.
    pub fn go_back(&mut self, mark: Mark) {
        (self.catalog, self.path, self.role, self.zone) = (mark.catalog, mark.path, mark.role, mark.zone);
    }

    /// The role in force: the owner of new objects.
    pub fn role(&self) -> &Arc<str> {
        &self.role
    }

    /// Where names without a schema are looked for.
    pub fn path(&self) -> &[Arc<str>] {
        &self.path
    }

    /// A `do` block is for the caller to run: it may declare something, and look at rows.
    fn do_block(&mut self, language: &str) -> Result<Outcome> {
        if language == "plpgsql" {
            return Ok(Outcome::Data);
        }
        Err(Error::missing(format!("a do block in {language}")))
    }

    fn dispatch(&mut self, statement: &StatementKind) -> Result<Outcome> {
        let outcome = self.declare(statement)?;
        if !leaves_columns(statement) {
            self.follow_partitions();
        }
        Ok(outcome)
    }

    fn declare(&mut self, statement: &StatementKind) -> Result<Outcome> {
        match statement {
            StatementKind::Query(query) => self.query(query),
            StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Refresh { .. }
            | StatementKind::Truncate { .. } => Ok(Outcome::Data),
            StatementKind::CreateTable(create) => self.create_table(create),
            StatementKind::CreateTableAs { name, temporary, query, .. } => {
                self.create_table_as(name, *temporary, query)
            }
            StatementKind::AlterTable(alter) => self.alter_table(alter),
            StatementKind::CreatePolicy(create) => self.create_policy(create),
            StatementKind::AlterPolicy(alter) => self.alter_policy(alter),
            StatementKind::CreateIndex(create) => self.create_index(create),
            StatementKind::CreateEnum { name, labels } => self.create_enum(name, labels),
            StatementKind::CreateComposite { name, fields } => self.create_composite(name, fields),
            StatementKind::AlterType { name, action } => self.alter_type(name, action),
            StatementKind::CreateDomain { name, ty, default, constraints } => {
                self.create_domain(name, ty, default.as_ref(), constraints)
            }
            StatementKind::CreateSequence { name, if_not_exists, temporary, options } => {
                self.create_sequence(name, *if_not_exists, *temporary, options)
            }
            StatementKind::AlterSequence { name, if_exists, options } => {
                self.alter_sequence(name, *if_exists, options)
            }
            StatementKind::CreateView(create) => self.create_view(create),
            StatementKind::CreateFunction(create) => self.create_function(create),
            StatementKind::CreateTrigger(create) => self.create_trigger(create),
            StatementKind::CreateRule(create) => self.create_rule(create),
            StatementKind::CreateSchema { name, if_not_exists } => self.create_schema(name, *if_not_exists),
            StatementKind::CreateExtension { name, schema, .. } => {
                self.create_extension(name, schema.as_deref())
            }
            StatementKind::CreateCast { from, to, function } => self.create_cast(from, to, function.as_ref()),
            StatementKind::Role { name, alter, options } => self.role_statement(name, *alter, options),
            StatementKind::Grant(grant) => self.grant(grant),
            StatementKind::GrantRole { grant, roles, members } => self.grant_role(*grant, roles, members),
            StatementKind::DefaultPrivileges { for_roles, in_schemas, grant } => {
                self.default_privileges(for_roles, in_schemas, grant)
            }
            StatementKind::Comment { object, name, on, arguments, text } => {
                self.comment(object, name, on.as_ref(), arguments.as_deref(), text.as_ref())
            }
            StatementKind::Drop(drop) => self.drop_statement(drop),
            StatementKind::AlterObject { object, name, on, arguments, action } => {
                self.alter_object(object, name, on.as_ref(), arguments.as_deref(), action)
            }
            StatementKind::Publication { name, action } => self.publication(name, action),
            StatementKind::Do { language, .. } => self.do_block(language),
            StatementKind::Set { name, values, .. } => self.set(name, values),
            StatementKind::Reset(name) => self.reset(name),
            StatementKind::SetConstraints { .. } => Ok(Outcome::Data),
            StatementKind::Transaction(_) | StatementKind::Lock { .. } | StatementKind::Notify { .. } => {
                Ok(Outcome::NoEffect)
            }
            StatementKind::Other(words) => session::other(words),
        }
    }

    fn names(&self) -> Names<'_> {
        Names { catalog: &self.catalog, path: &self.path }
    }

    fn table(&self, name: &ObjectName) -> Result<TableId> {
        self.names().table(name).map(|(id, _)| id)
    }

    fn table_mut(&mut self, id: TableId) -> &mut Table {
        &mut self.catalog.tables[id.0 as usize]
    }

    /// The position of a table that is known to exist.
    fn id_of(&self, name: &Name) -> Result<TableId> {
        let id = self.catalog.table_ids.get(name).copied();
        id.ok_or_else(|| Error::new(Code::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist")))
    }

    /// Positions of tables, after some came, went or were renamed.
    fn renumber(&mut self) {
        let positions = self.catalog.ids().zip(&self.catalog.tables);
        self.catalog.table_ids = positions.map(|(id, table)| (table.name.clone(), id)).collect();
    }

    /// Notes something that is declared and does not run.
    fn not_running(&mut self, what: String) -> Outcome {
        self.catalog.not_running.push(format!("{what} does not run"));
        Outcome::NotRunning(what)
    }
}

/// Whether a statement may fail after it changed something.
fn has_many_effects(statement: &StatementKind) -> bool {
    match statement {
        StatementKind::AlterTable(alter) => alter.actions.len() > 1,
        StatementKind::Grant(grant) => {
            matches!(&grant.target, ast::GrantTarget::Tables(names) if names.len() > 1)
        }
        StatementKind::Drop(drop) => drop.names.len() > 1,
        StatementKind::Publication { .. } => true,
        _ => false,
    }
}

/// Whether a statement never changes columns or keys of tables.
fn leaves_columns(statement: &StatementKind) -> bool {
    matches!(
        statement,
        StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Refresh { .. }
            | StatementKind::Truncate { .. }
            | StatementKind::CreatePolicy(_)
            | StatementKind::AlterPolicy(_)
            | StatementKind::CreateFunction(_)
            | StatementKind::CreateTrigger(_)
            | StatementKind::Grant(_)
            | StatementKind::Comment { .. }
            | StatementKind::Do { .. }
            | StatementKind::Set { .. }
            | StatementKind::Reset(_)
            | StatementKind::Transaction(_)
    )
}

impl Complaint {
    /// The kind of complaint that an error is.
    pub fn of(error: &Error) -> Complaint {
        match error.code() {
            Code::DUPLICATE_TABLE
            | Code::DUPLICATE_OBJECT
            | Code::DUPLICATE_COLUMN
            | Code::DUPLICATE_SCHEMA
            | Code::DUPLICATE_FUNCTION => Complaint::Duplicate,
            Code::UNDEFINED_TABLE
            | Code::UNDEFINED_COLUMN
            | Code::UNDEFINED_OBJECT
            | Code::UNDEFINED_SCHEMA
            | Code::UNDEFINED_FUNCTION => Complaint::Missing,
            Code::FEATURE_NOT_SUPPORTED => Complaint::NotSupported,
            _ => Complaint::Invalid,
        }
    }
}

/// `42703` for a column that a table lacks.
fn unknown_column_of(table: &Table, column: &str) -> Error {
    let message = format!("column \"{column}\" of relation \"{}\" does not exist", table.name.name);
    Error::new(Code::UNDEFINED_COLUMN, message)
}
