//! A catalog with its expressions resolved: what `authorize`, `plan` and the write road ask of a table.
//!
//! Made once for a catalog, beside it. An expression that could not be resolved keeps its error, which whoever needs
//! the expression gets: one policy that cannot be compiled closes its table, not the server.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use catalog::{
    Catalog, ColumnId, DefaultValue, ForeignKey, Policy, ReferentialAction, Table, TableId, TableKind,
};
use types::{Error, Name, Result};

use crate::arbiters::{self, UniqueModel};
use crate::ir::{Expr, Read, Source, SourceId};
use crate::partitions::{self, PartitionModel};
use crate::triggers::{self, Fires, TriggerModel};
use crate::visit::{SourceIds, instantiate_read};
use crate::{resolve, visit};

/// The row that a model's expressions speak of.
pub const ROW: SourceId = SourceId(0);

/// A catalog and its resolved expressions, each table's resolved when it is first asked for.
#[derive(Debug)]
pub struct Model {
    /// What is declared.
    pub catalog: Arc<Catalog>,
    tables: Vec<Part>,
    /// The foreign keys to each table: where they are declared, and their positions there.
    references: OnceLock<Vec<Vec<(TableId, usize)>>>,
    /// Whether any table has a trigger, a key that engines look at in another way, or something that hangs on what a foreign key
    /// changes: known once, for every write asks.
    has_triggers: OnceLock<bool>,
    /// Whether keys of some table rest: known once, for every write asks.
    has_resting_keys: bool,
    /// How much of the catalog is resolved.
    depth: Depth,
    /// Whether the engine opens views and runs functions itself, whatever they are.
    is_native: bool,
}

/// What is made of a table.
#[derive(Debug, Default)]
struct Part {
    model: OnceLock<Box<TableModel>>,
    /// Which changes of its rows fire triggers.
    fires: OnceLock<Fires>,
    /// The columns that a foreign key may change and something else hangs on.
    hangs_on_keys: OnceLock<BTreeSet<ColumnId>>,
}

/// How much of a catalog is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// All of it.
    Everything,
    /// What planning asks for.
    Declarations,
}

/// The resolved expressions of a table or view.
#[derive(Debug, Default)]
pub struct TableModel {
    /// Its policies, in the catalog's order.
    pub policies: Vec<PolicyModel>,
    /// Where each column's value comes from when a write names none.
    pub fills: Vec<Fill>,
    /// Its check constraints, domains' checks included, in the order in which they are tested.
    pub checks: Vec<CheckModel>,
    /// Whether a default, a generated column or a check calls functions that are interpreted.
    pub calls: bool,
    /// Its unique constraints and indexes.
    pub uniques: Vec<UniqueModel>,
    /// Its triggers, in the order of their names.
    pub triggers: Vec<TriggerModel>,
    /// The rows of a view.
    pub view: Option<Result<Read>>,
    /// Its partitions, the default one last.
    pub partitions: Vec<PartitionModel>,
    /// Of a partition: which rows of the table at the root it has, over [`ROW`].
    pub bound: Option<Result<Expr>>,
}

/// A policy's conditions over [`ROW`].
#[derive(Debug)]
pub struct PolicyModel {
    /// Which existing rows are seen.
    pub using: Option<Result<Expr>>,
    /// Which new rows may be written.
    pub with_check: Option<Result<Expr>>,
    /// Whether a subquery is written in one of them, even one that reads nothing.
    pub has_subquery: bool,
}

/// Where a column's value comes from when a write names none.
#[derive(Debug)]
pub enum Fill {
    /// Nowhere: null.
    Null,
    /// An expression without columns.
    Default(Result<Expr>),
    /// The next value of a sequence.
    Identity {
        /// Whether explicit values are refused.
        always: bool,
        /// The sequence.
        sequence: Name,
    },
    /// An expression over the row, computed at every write.
    Generated(Result<Expr>),
}

impl Fill {
    /// What is computed.
    pub fn expr(&self) -> Option<&Result<Expr>> {
        match self {
            Fill::Default(expr) | Fill::Generated(expr) => Some(expr),
            Fill::Null | Fill::Identity { .. } => None,
        }
    }
}

/// A condition on every row.
#[derive(Debug)]
pub struct CheckModel {
    /// The constraint's name.
    pub name: Arc<str>,
    /// The domain whose constraint it is.
    pub domain: Option<Name>,
    /// The condition over [`ROW`].
    pub expr: Result<Expr>,
}

impl Model {
    /// Resolves everything that a catalog declares.
    pub fn new(catalog: Arc<Catalog>) -> Model {
        let model = Model::by_need(catalog);
        for id in model.catalog.ids() {
            let _: (&TableModel, &Fires) = (&model[id], model.fires(id));
        }
        model
    }

    /// The same for those who ask for little of it: what is asked for is resolved then.
    pub fn by_need(catalog: Arc<Catalog>) -> Model {
        Model::at(catalog, Depth::Everything)
    }

    /// A catalog for those whom no policy binds and who store nothing: what is planned on it runs on a whole model. Policies,
    /// defaults, checks and triggers are not resolved.
    pub fn of_declarations(catalog: Arc<Catalog>) -> Model {
        Model::at(catalog, Depth::Declarations)
    }

    fn at(catalog: Arc<Catalog>, depth: Depth) -> Model {
        Model {
            tables: catalog.ids().map(|_| Part::default()).collect(),
            references: OnceLock::new(),
            has_triggers: OnceLock::new(),
            has_resting_keys: depth == Depth::Everything
                && catalog.tables.iter().any(|table| table.keys_rest),
            catalog,
            depth,
            is_native: false,
        }
    }

    /// The same for an engine that opens views and runs functions itself: to a query these are tables and calls.
    pub fn of_native_views(catalog: Arc<Catalog>) -> Model {
        Model { is_native: true, ..Model::new(catalog) }
    }

    /// Whether the engine opens views and runs functions itself.
    pub fn is_native(&self) -> bool {
        self.is_native
    }

    /// Whether any table has a trigger, a key that engines look at in another way, or something that hangs on what a foreign key
    /// changes.
    pub fn has_triggers(&self) -> bool {
        *self.has_triggers.get_or_init(|| self.depth == Depth::Everything && self.finds_triggers())
    }

    fn finds_triggers(&self) -> bool {
        let is_ours = |key: &ForeignKey| key.deferrable || key.on_update == ReferentialAction::Restrict;
        let waits = |table: &Table| table.foreign_keys.iter().any(is_ours);
        let doubles = |id| self[id].uniques.iter().any(|key| key.deferrable);
        self.catalog.tables.iter().any(|table| !table.triggers.is_empty() || waits(table))
            || self.catalog.ids().any(doubles)
            || self.catalog.ids().any(|id| !self.hangs_on_keys(id).is_empty())
    }

    /// Which changes of a table's rows fire triggers: known once, for every write asks.
    pub(crate) fn fires(&self, table: TableId) -> &Fires {
        let of = || if self.has_triggers() { Fires::of(self, table) } else { Fires::default() };
        self.part(table).fires.get_or_init(of)
    }

    /// The columns of a table that a foreign key may change and something else hangs on.
    pub(crate) fn hangs_on_keys(&self, table: TableId) -> &BTreeSet<ColumnId> {
        self.part(table).hangs_on_keys.get_or_init(|| match self.depth {
            Depth::Everything => triggers::hangs_on_keys(self, table),
            Depth::Declarations => BTreeSet::new(),
        })
    }

    /// The foreign keys to a table: where they are declared, and their positions there.
    pub(crate) fn references(&self, table: TableId) -> &[(TableId, usize)] {
        let all = self.references.get_or_init(|| match self.depth {
            Depth::Everything => triggers::references(&self.catalog),
            Depth::Declarations => Vec::new(),
        });
        all.get(table.0 as usize).map_or(&[], Vec::as_slice)
    }

    fn part(&self, id: TableId) -> &Part {
        &self.tables[id.0 as usize]
    }

    /// Whether keys of some table rest.
    pub fn has_resting_keys(&self) -> bool {
        self.has_resting_keys
    }

    /// An occurrence of a table or view in a query.
    ///
    /// # Errors
    /// `0A000` for a view that does not run yet.
    pub fn relation(&self, table: TableId, ids: &mut SourceIds) -> Result<Source> {
        let id = ids.fresh();
        Ok(match self[table].view.as_ref().filter(|_| !self.is_native) {
            None => Source::Table { id, table, guard: crate::ir::Guard::Unset },
            Some(Ok(read)) => {
                Source::Read { id, read: Box::new(instantiate_read(read, ids)), view: Some(table) }
            }
            Some(Err(error)) => return Err(error.clone()),
        })
    }

    /// What cannot be compiled: a sentence each, with the object's name first.
    pub fn refused(&self) -> Vec<(String, Error)> {
        let tables = self.catalog.ids().flat_map(|id| self.refused_of(id));
        tables.chain(resolve::refused_functions(&self.catalog)).collect()
    }

    fn refused_of(&self, id: TableId) -> Vec<(String, Error)> {
        let (table, model) = (&self.catalog[id], &self[id]);
        let mut found = Vec::new();
        let mut note = |what: String, result: Option<&Result<Expr>>| {
            if let Some(Err(error)) = result {
                found.push((what, error.clone()));
            }
        };
        for (policy, compiled) in table.policies.iter().zip(&model.policies) {
            let what = || format!("policy \"{}\" for table {}", policy.name, table.name);
            note(what(), compiled.using.as_ref());
            note(what(), compiled.with_check.as_ref());
        }
        for (column, fill) in table.columns.iter().zip(&model.fills) {
            note(format!("default of {}.{}", table.name, column.name), fill.expr());
        }
        for check in &model.checks {
            note(format!("check \"{}\" of table {}", check.name, table.name), Some(&check.expr));
        }
        for trigger in &model.triggers {
            let what = || format!("trigger \"{}\" of table {}", trigger.name, table.name);
            note(what(), trigger.when.as_ref());
            if let Err(error) = &trigger.routine {
                note(what(), Some(&Err(error.clone())));
            }
        }
        if let Some(Err(error)) = &model.view {
            found.push((format!("view {}", table.name), error.clone()));
        }
        found
    }
}

impl std::ops::Index<TableId> for Model {
    type Output = TableModel;

    fn index(&self, id: TableId) -> &TableModel {
        self.part(id).model.get_or_init(|| {
            Box::new(match self.depth {
                Depth::Everything => table_model(&self.catalog, id),
                Depth::Declarations => declared_table(&self.catalog, id),
            })
        })
    }
}

/// What planning asks of a table.
fn declared_table(catalog: &Catalog, id: TableId) -> TableModel {
    let table = &catalog[id];
    let fill = |column: ColumnId| match &table[column].default {
        Some(DefaultValue::Identity { always, sequence }) => {
            Fill::Identity { always: *always, sequence: sequence.clone() }
        }
        Some(DefaultValue::Generated(_)) => Fill::Generated(Err(Error::internal("nothing is stored here"))),
        Some(DefaultValue::Expr(_)) | None => Fill::Null,
    };
    TableModel {
        fills: table.column_ids().map(fill).collect(),
        uniques: arbiters::models(catalog, id),
        bound: partitions::whole(catalog, id),
        view: match &table.kind {
            TableKind::Table | TableKind::View { materialized: true, .. } => None,
            TableKind::View { query, .. } => Some(resolve::read(catalog, query)),
        },
        ..TableModel::default()
    }
}

fn table_model(catalog: &Catalog, id: TableId) -> TableModel {
    let table = &catalog[id];
    let fills: Vec<Fill> = table.column_ids().map(|column| fill(catalog, id, column)).collect();
    let checks = checks(catalog, id, table);
    let computed = fills.iter().filter_map(Fill::expr).chain(checks.iter().map(|check| &check.expr));
    TableModel {
        policies: table.policies.iter().map(|policy| policy_model(catalog, id, policy)).collect(),
        calls: computed.flatten().any(visit::has_call),
        triggers: triggers::models(catalog, id, &fills),
        fills,
        checks,
        uniques: arbiters::models(catalog, id),
        partitions: partitions::models(catalog, id),
        bound: partitions::whole(catalog, id),
        view: match &table.kind {
            TableKind::Table | TableKind::View { materialized: true, .. } => None,
            TableKind::View { query, .. } => Some(resolve::read(catalog, query)),
        },
    }
}

fn policy_model(catalog: &Catalog, id: TableId, policy: &Policy) -> PolicyModel {
    let mut has_subquery = false;
    let mut condition = |expr: &Arc<sql::ast::Expr>| {
        let (condition, holds_query) = resolve::policy(catalog, id, expr);
        has_subquery |= holds_query;
        condition
    };
    PolicyModel {
        using: policy.using.as_ref().map(&mut condition),
        with_check: policy.with_check.as_ref().map(&mut condition),
        has_subquery,
    }
}

fn fill(catalog: &Catalog, id: TableId, column: ColumnId) -> Fill {
    let declared = &catalog[id][column];
    match &declared.default {
        None => domain_default(catalog, id, column).unwrap_or(Fill::Null),
        Some(DefaultValue::Expr(expr)) => Fill::Default(resolve::default(catalog, id, column, expr)),
        Some(DefaultValue::Identity { always, sequence }) => {
            Fill::Identity { always: *always, sequence: sequence.clone() }
        }
        Some(DefaultValue::Generated(expr)) => Fill::Generated(resolve::generated(catalog, id, column, expr)),
    }
}

fn domain_default(catalog: &Catalog, id: TableId, column: ColumnId) -> Option<Fill> {
    let domain = catalog.domains.get(catalog[id][column].domain.as_ref()?)?;
    let default = domain.default.as_ref()?;
    Some(Fill::Default(resolve::default(catalog, id, column, default)))
}

/// PostgreSQL tests domains as values are converted, and a table's constraints by name when the row is complete.
fn checks(catalog: &Catalog, id: TableId, table: &Table) -> Vec<CheckModel> {
    let mut domains: HashMap<ColumnId, &catalog::Domain> = HashMap::new();
    for column in table.column_ids() {
        if let Some(domain) = table[column].domain.as_ref().and_then(|name| catalog.domains.get(name)) {
            domains.insert(column, domain);
        }
    }
    let of_domains = table.column_ids().filter_map(|column| Some((column, *domains.get(&column)?))).flat_map(
        |(column, domain)| {
            domain.checks.iter().map(move |check| CheckModel {
                name: check.name.clone(),
                domain: Some(domain.name.clone()),
                expr: resolve::domain_check(catalog, id, column, &check.expr),
            })
        },
    );
    let own = table.checks.iter().map(|check| CheckModel {
        name: check.name.clone(),
        domain: None,
        expr: resolve::condition(catalog, id, &check.expr, resolve::Place::Check),
    });
    of_domains.chain(own).collect()
}
