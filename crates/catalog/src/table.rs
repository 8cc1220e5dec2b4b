//! Tables, their columns and constraints, sequences and domains.

use std::sync::Arc;

use sql::ast::{self, RuleEvent};
use types::{Field, Modifier, Name, Type};

use crate::partition::{Partition, Partitioning};
use crate::policy::Policy;
use crate::role::Acl;
use crate::{Index, Trigger};

/// The position of a table in one [`Catalog`](crate::Catalog); never stored beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// The position of a column in its table; never stored beyond the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u16);

/// What kind of relation it is.
#[derive(Clone, Debug, PartialEq)]
pub enum TableKind {
    /// A table that stores rows.
    Table,
    /// A view, with its defining query.
    View {
        /// The query.
        query: Arc<ast::Query>,
        /// Whose rights and policies apply to what it reads.
        rights: ViewRights,
        /// A materialized view.
        materialized: bool,
        /// Which conditions rows that are written to it must meet.
        check_option: Option<ast::CheckOption>,
    },
}

/// Whose rights and policies apply to what a view reads, and whether its author said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ViewRights {
    /// Its owner's, as nothing was said.
    #[default]
    Unsaid,
    /// Its owner's, on purpose: `security_invoker = false`.
    Owners,
    /// The caller's: `security_invoker`.
    Callers,
}

impl ViewRights {
    /// What the option `security_invoker` says.
    pub fn said(security_invoker: bool) -> ViewRights {
        if security_invoker { ViewRights::Callers } else { ViewRights::Owners }
    }
}

/// A table or view.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// Its name when it was created, and a number that tells it from earlier tables of that name: what identifies it across renames.
    pub origin: (Name, u32),
    /// Table or view.
    pub kind: TableKind,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<Unique>,
    /// Unique constraints (indexes that are merely unique are in `indexes`).
    pub uniques: Vec<Unique>,
    /// Check constraints, in name order as PostgreSQL tests them.
    pub checks: Vec<Check>,
    /// Foreign keys of this table.
    pub foreign_keys: Vec<ForeignKey>,
    /// Indexes that no constraint owns.
    pub indexes: Vec<Index>,
    /// Whether row-level security is on.
    pub row_security: bool,
    /// Whether it also binds the owner.
    pub force_row_security: bool,
    /// Policies, in order of creation.
    pub policies: Vec<Policy>,
    /// Triggers, in name order.
    pub triggers: Vec<Trigger>,
    /// Whether keys are not looked at when its rows change, and do nothing: `disable trigger all`.
    pub keys_rest: bool,
    /// Rules, each by which nothing is done: name and for what.
    pub rules: Vec<(Arc<str>, RuleEvent)>,
    /// Grants and revocations, in order.
    pub acl: Acl,
    /// How its rows are told apart: `partition by`.
    pub partitioning: Option<Partitioning>,
    /// What makes it a partition.
    pub partition: Option<Partition>,
    /// The owner.
    pub owner: Arc<str>,
    /// `comment on table`.
    pub comment: Option<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// Its name when it was added, and a number that tells it from earlier columns of that name.
    pub origin: (Arc<str>, u32),
    /// Its type; of a domain, the base type.
    pub ty: Type,
    /// Length, precision or fraction.
    pub modifier: Option<Modifier>,
    /// The domain it was declared with.
    pub domain: Option<Name>,
    /// Whether nulls are refused.
    pub not_null: bool,
    /// Where its value comes from when a write names none.
    pub default: Option<DefaultValue>,
    /// `comment on column`.
    pub comment: Option<String>,
}

impl Column {
    /// One that may be null, as it was added first.
    pub fn of(name: Arc<str>, ty: Type) -> Column {
        let origin = (name.clone(), 0);
        Column {
            name,
            origin,
            ty,
            modifier: None,
            domain: None,
            not_null: false,
            default: None,
            comment: None,
        }
    }

    /// It as a field of its table's rows.
    pub fn field(&self) -> Field {
        Field {
            modifier: self.modifier,
            domain: self.domain.clone(),
            ..Field::of(self.name.clone(), self.ty.clone())
        }
    }
}

/// Where a column's value comes from when a write names none.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// `default expr`
    Expr(Arc<ast::Expr>),
    /// `generated { always | by default } as identity`
    Identity {
        /// Whether explicit values are refused.
        always: bool,
        /// The sequence.
        sequence: Name,
    },
    /// `generated always as (expr) stored`
    Generated(Arc<ast::Expr>),
}

/// How a column gets its value; for callers that only ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// Written by the caller or a default.
    No,
    /// `generated always as identity`
    AlwaysIdentity,
    /// `generated always as (expr) stored`
    Stored,
}

/// A primary key or unique constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Unique {
    /// The constraint's name.
    pub name: Arc<str>,
    /// Its columns, in key order.
    pub columns: Vec<ColumnId>,
    /// Whether two nulls are equal.
    pub nulls_not_distinct: bool,
    /// Whether it is checked at the end of the statement, or of the transaction.
    pub deferrable: bool,
    /// `initially deferred`
    pub initially_deferred: bool,
    /// `include (…)` columns.
    pub include: Vec<ColumnId>,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The constraint's name.
    pub name: Arc<str>,
    /// The condition, over the table's columns by name.
    pub expr: Arc<ast::Expr>,
    /// Whether existing rows were left unchecked.
    pub not_valid: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: Arc<str>,
    /// The referencing columns.
    pub columns: Vec<ColumnId>,
    /// The referenced table.
    pub target: Name,
    /// The referenced columns, by name.
    pub target_columns: Vec<Arc<str>>,
    /// `on delete`
    pub on_delete: ReferentialAction,
    /// `on update`
    pub on_update: ReferentialAction,
    /// `match full`
    pub match_full: bool,
    /// `deferrable`
    pub deferrable: bool,
    /// `initially deferred`
    pub initially_deferred: bool,
    /// Whether existing rows were left unchecked.
    pub not_valid: bool,
    /// When it was declared.
    pub age: Age,
    /// What it is called where it is about rows of partitions of the referenced table.
    pub parts: Vec<(Name, Arc<str>)>,
}

impl ForeignKey {
    /// What it is called where it is about rows of a partition of the referenced table, or of that itself.
    pub fn name_for(&self, target: &Name) -> &Arc<str> {
        let part = self.parts.iter().find(|(partition, _)| partition == target);
        part.map_or(&self.name, |(_, name)| name)
    }
}

/// When something was declared among others of its kind: what is younger has more. Nothing is another thing because of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Age(pub u32);

impl PartialEq for Age {
    fn eq(&self, _: &Age) -> bool {
        true
    }
}

/// What a foreign key does to the referencing rows.
#[derive(Clone, Debug, PartialEq)]
pub enum ReferentialAction {
    /// `no action`
    NoAction,
    /// `restrict`
    Restrict,
    /// `cascade`
    Cascade,
    /// `set null [(columns)]`
    SetNull(Vec<ColumnId>),
    /// `set default [(columns)]`
    SetDefault(Vec<ColumnId>),
}

/// A sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Its name.
    pub name: Name,
    /// `int2`, `int4` or `int8`.
    pub ty: Type,
    /// First value.
    pub start: i64,
    /// Step.
    pub increment: i64,
    /// Smallest value.
    pub min: i64,
    /// Largest value.
    pub max: i64,
    /// Whether it starts over at its bound.
    pub cycle: bool,
    /// The table and column that own it.
    pub owned_by: Option<(Name, Arc<str>)>,
    /// Grants.
    pub acl: Acl,
}

/// A domain: a base type with constraints.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// Its name.
    pub name: Name,
    /// The base type.
    pub ty: Type,
    /// The base type's modifier.
    pub modifier: Option<Modifier>,
    /// Whether nulls are refused.
    pub not_null: bool,
    /// The default.
    pub default: Option<Arc<ast::Expr>>,
    /// Conditions over `value`.
    pub checks: Vec<Check>,
    /// How its values are shown and read.
    pub representation: Representation,
}

/// How values of a domain are shown and read, where casts say so: functions of one argument.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Representation {
    /// From the domain to `json`: what a reply has.
    pub shown: Option<Name>,
    /// From `json` to the domain: what a body has.
    pub read: Option<Name>,
    /// From `text` to the domain: what a filter compares with.
    pub parsed: Option<Name>,
}

impl Table {
    /// One that has nothing yet: no columns, no rights, no security.
    pub fn new(name: Name, kind: TableKind, owner: Arc<str>) -> Table {
        Table {
            origin: (name.clone(), 0),
            name,
            kind,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            row_security: false,
            force_row_security: false,
            policies: Vec::new(),
            triggers: Vec::new(),
            keys_rest: false,
            rules: Vec::new(),
            acl: Acl::default(),
            partitioning: None,
            partition: None,
            owner,
            comment: None,
        }
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<(ColumnId, &Column)> {
        let position = self.columns.iter().position(|column| &*column.name == name)?;
        Some((ColumnId(u16::try_from(position).ok()?), &self.columns[position]))
    }

    /// Whether this is a view of any kind.
    pub fn is_view(&self) -> bool {
        !matches!(self.kind, TableKind::Table)
    }

    /// Whether rows are kept: those of a table, or of a materialized view.
    pub fn is_stored(&self) -> bool {
        matches!(self.kind, TableKind::Table | TableKind::View { materialized: true, .. })
    }

    /// What PostgreSQL calls it where a right on it is missing.
    pub fn word(&self) -> &'static str {
        match (self.is_materialized(), self.is_view()) {
            (true, _) => "materialized view",
            (false, true) => "view",
            (false, false) => "table",
        }
    }

    /// Whether this is a materialized view.
    pub fn is_materialized(&self) -> bool {
        matches!(self.kind, TableKind::View { materialized: true, .. })
    }

    /// Positions of all columns.
    pub fn column_ids(&self) -> impl Iterator<Item = ColumnId> + use<> {
        (0..u16::try_from(self.columns.len()).unwrap_or(u16::MAX)).map(ColumnId)
    }
}

impl std::ops::Index<ColumnId> for Table {
    type Output = Column;

    fn index(&self, id: ColumnId) -> &Column {
        &self.columns[usize::from(id.0)]
    }
}

impl Column {
    /// How the column gets its value.
    pub fn generated(&self) -> Generated {
        match self.default {
            Some(DefaultValue::Generated(_)) => Generated::Stored,
            Some(DefaultValue::Identity { always: true, .. }) => Generated::AlwaysIdentity,
            Some(DefaultValue::Identity { always: false, .. } | DefaultValue::Expr(_)) | None => {
                Generated::No
            }
        }
    }
}
