//! Which triggers a write fires, and under which conditions. Nothing here runs one.
//!
//! Foreign keys carry a write on to other tables, whose triggers fire too.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{Catalog, ColumnId, ForeignKey, ReferentialAction, Table, TableId, Trigger};
use sql::ast::{CreateTrigger, TriggerEvent, TriggerMode, TriggerTiming};
use types::{Error, Result};

use crate::arbiters::UniqueModel;
use crate::ir::{Action, Conflict, ConflictAction, Expr, FunctionId, SourceId, Transition, Write};
use crate::model::{Fill, Model};
use crate::{check, resolve};

/// The row as it was, in a trigger's condition; the row as it is there is [`crate::model::ROW`].
pub const OLD: SourceId = SourceId(u32::MAX);

/// A trigger of a table, in the order of names.
#[derive(Debug)]
pub struct TriggerModel {
    /// Its name.
    pub name: Arc<str>,
    /// What is declared.
    pub statement: Arc<CreateTrigger>,
    /// `when (…)`, over the rows as they are and as they were.
    pub when: Option<Result<Expr>>,
    /// What is called.
    pub routine: Result<Routine>,
    /// Its transition tables, by the names under which its function knows them.
    pub transitions: Vec<(Arc<str>, Transition)>,
    mode: TriggerMode,
    /// The columns one of which an update sets where it fires; `None` where any update fires it.
    sets: Option<BTreeSet<ColumnId>>,
}

/// `session_replication_role`, as far as triggers and foreign keys ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// `origin`, `local`
    Origin,
    /// `replica`: rows are as they were elsewhere.
    Replica,
}

/// What a trigger calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routine {
    /// A function of the project.
    Declared(FunctionId),
    /// `moddatetime(column)`: the time of the transaction becomes the column's value (PostgreSQL, `contrib/spi`).
    SetsTime,
    /// `suppress_redundant_updates_trigger()`: an update that changes nothing is left out.
    SkipsUnchanged,
}

/// What happens to the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// They come.
    Insert,
    /// These columns are set.
    Update(BTreeSet<ColumnId>),
    /// They go.
    Delete,
    /// All of them go at once.
    Truncate,
}

impl Operation {
    /// Its `tg_op`.
    pub fn name(&self) -> &'static str {
        match self {
            Operation::Insert => "INSERT",
            Operation::Update(_) => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Truncate => "TRUNCATE",
        }
    }
}

impl TriggerModel {
    /// Whether it is on.
    pub fn is_on(&self, replication: Replication) -> bool {
        match self.mode {
            TriggerMode::Enabled => replication == Replication::Origin,
            TriggerMode::Disabled => false,
            TriggerMode::Replica => replication == Replication::Replica,
            TriggerMode::Always => true,
        }
    }

    /// Whether it fires then, for each row or for the statement, where it is on.
    pub fn fires(&self, operation: &Operation, timing: TriggerTiming, for_each_row: bool) -> bool {
        self.statement.timing == timing
            && self.statement.for_each_row == for_each_row
            && self.is_for(operation)
    }

    fn is_for(&self, operation: &Operation) -> bool {
        self.statement.events.iter().any(|declared| match (declared, operation) {
            (TriggerEvent::Insert, Operation::Insert)
            | (TriggerEvent::Delete, Operation::Delete)
            | (TriggerEvent::Truncate, Operation::Truncate) => true,
            (TriggerEvent::Update(_), Operation::Update(columns)) => {
                self.sets.as_ref().is_none_or(|sets| !sets.is_disjoint(columns))
            }
            _ => false,
        })
    }
}

/// The names of a trigger's transition tables.
pub fn transitions(statement: &CreateTrigger) -> Vec<(Arc<str>, Transition)> {
    let named = |(is_new, name): &(bool, String)| {
        (name.as_str().into(), if *is_new { Transition::New } else { Transition::Old })
    };
    statement.referencing.iter().map(named).collect()
}

/// The triggers of a table or view, resolved.
pub(crate) fn models(catalog: &Catalog, id: TableId, fills: &[Fill]) -> Vec<TriggerModel> {
    let table = &catalog[id];
    let model = |trigger: &Trigger| TriggerModel {
        name: trigger.name.clone(),
        statement: trigger.statement.clone(),
        when: trigger.statement.when.as_ref().map(|when| resolve::trigger_condition(catalog, id, when)),
        routine: routine(catalog, table, trigger),
        transitions: transitions(&trigger.statement),
        mode: trigger.mode,
        sets: set_by(table, fills, &trigger.statement),
    };
    table.triggers.iter().map(model).collect()
}

fn routine(catalog: &Catalog, table: &Table, trigger: &Trigger) -> Result<Routine> {
    let called = &trigger.statement.function;
    let is_called = |function: &catalog::Function| {
        function.returns_trigger
            && function.name.name.as_ref() == called.name
            && called.schema.as_deref() == Some(&*function.name.schema)
    };
    match catalog.functions.iter().position(is_called) {
        Some(at) => Ok(Routine::Declared(FunctionId(at))),
        None => match called.name.as_str() {
            "moddatetime" => Ok(Routine::SetsTime),
            "suppress_redundant_updates_trigger" => Ok(Routine::SkipsUnchanged),
            name => Err(missing(trigger, table, &format!("the function {name}()"))),
        },
    }
}

fn missing(trigger: &Trigger, table: &Table, what: &str) -> Error {
    Error::missing(format!("{what} (trigger \"{}\" of table {})", trigger.name, table.name))
        .with_hint("`backplane check` lists what is declared and does not run in this version.")
}

/// The columns one of which an update sets where a trigger fires. A generated column is set by what it is computed of, and computed
/// anew by every update where a trigger may change its row before it is stored.
fn set_by(table: &Table, fills: &[Fill], statement: &CreateTrigger) -> Option<BTreeSet<ColumnId>> {
    let of = statement.events.iter().find_map(|event| match event {
        TriggerEvent::Update(of) if !of.is_empty() => Some(of),
        _ => None,
    })?;
    let mut named: BTreeSet<ColumnId> =
        of.iter().filter_map(|name| table.column(name)).map(|(column, _)| column).collect();
    let computed: Vec<&Expr> = named.iter().filter_map(|column| generated(fills, *column)).collect();
    if !computed.is_empty() && table.triggers.iter().any(|trigger| is_before_update(&trigger.statement)) {
        return None;
    }
    let sets = |column: &ColumnId| computed.iter().any(|expr| check::names(expr, &[*column].into()));
    named.extend(table.column_ids().filter(sets));
    Some(named)
}

fn generated(fills: &[Fill], column: ColumnId) -> Option<&Expr> {
    match fills.get(usize::from(column.0))? {
        Fill::Generated(expr) => expr.as_ref().ok(),
        Fill::Default(_) | Fill::Identity { .. } | Fill::Null => None,
    }
}

/// Whether a trigger looks at rows before an update of some of their columns, on or not.
fn is_before_update(statement: &CreateTrigger) -> bool {
    statement.timing == TriggerTiming::Before
        && statement.for_each_row
        && statement.events.iter().any(|event| matches!(event, TriggerEvent::Update(_)))
}

/// What a write does to the rows of its table: of an upsert both.
pub fn operations(write: &Write) -> Vec<Operation> {
    let set = |set: &[(ColumnId, _)]| Operation::Update(set.iter().map(|(column, _)| *column).collect());
    match &write.action {
        Action::Insert(insert) => match &insert.conflict {
            Some(Conflict { action: ConflictAction::Update { set: columns, .. }, .. }) => {
                vec![Operation::Insert, set(columns)]
            }
            Some(Conflict { action: ConflictAction::Nothing, .. }) | None => vec![Operation::Insert],
        },
        Action::Update { set: columns, .. } => vec![set(columns)],
        Action::Delete { .. } => vec![Operation::Delete],
    }
}

/// Which changes of a table's rows fire triggers, there or wherever foreign keys carry them on.
#[derive(Debug, Default)]
pub(crate) struct Fires {
    insert: bool,
    delete: bool,
    /// An update, whatever it sets.
    update: bool,
    /// An update of these columns.
    update_of: BTreeSet<ColumnId>,
}

impl Fires {
    /// What a model's triggers and foreign keys make of a table.
    pub(crate) fn of(model: &Model, table: TableId) -> Fires {
        let fires = |operation| Pass { model, seen: BTreeSet::new() }.follow(table, &operation);
        let update = fires(Operation::Update(BTreeSet::new()));
        let columns = model.catalog[table].column_ids().filter(|_| !update);
        Fires {
            insert: fires(Operation::Insert),
            delete: fires(Operation::Delete),
            update,
            update_of: columns.filter(|column| fires(Operation::Update([*column].into()))).collect(),
        }
    }
}

/// Whether triggers fire when this happens to rows of a table, there or wherever foreign keys carry it on.
pub fn fires_any(model: &Model, table: TableId, operation: &Operation) -> bool {
    let fires = model.fires(table);
    match operation {
        Operation::Insert => fires.insert,
        Operation::Delete => fires.delete,
        Operation::Truncate => true,
        Operation::Update(columns) => fires.update || !fires.update_of.is_disjoint(columns),
    }
}

/// Whether triggers fire when this happens to rows of a table that are as they were elsewhere: foreign keys do nothing then.
pub fn fires_any_replicated(model: &Model, table: TableId, operation: &Operation) -> bool {
    let fires = |trigger: &TriggerModel| trigger.is_on(Replication::Replica) && trigger.is_for(operation);
    model[table].triggers.iter().any(fires)
}

struct Pass<'a> {
    model: &'a Model,
    seen: BTreeSet<(TableId, Operation)>,
}

impl Pass<'_> {
    fn follow(&mut self, id: TableId, operation: &Operation) -> bool {
        let model = self.model;
        let fires = |trigger: &TriggerModel| trigger.is_on(Replication::Origin) && trigger.is_for(operation);
        if model[id].triggers.iter().any(fires) || is_put_off(model, id, operation) {
            return true;
        }
        if !self.seen.insert((id, operation.clone())) {
            return false;
        }
        carried(model, id, operation)
            .any(|(from, _, operation)| hangs(model, from, &operation) || self.follow(from, &operation))
    }
}

/// Whether something hangs on what a foreign key of a table does to its rows.
fn hangs(model: &Model, id: TableId, operation: &Operation) -> bool {
    matches!(operation, Operation::Update(columns) if !model.hangs_on_keys(id).is_disjoint(columns))
}

/// Whether a foreign key's doing to rows of a table is seen there, or wherever keys carry it on: by triggers, by columns that are
/// generated, by checks.
pub fn is_seen(model: &Model, id: TableId, operation: &Operation) -> bool {
    hangs(model, id, operation) || fires_any(model, id, operation)
}

/// The columns of a table that its foreign keys may change and something else hangs on: engines change them, and look no further.
pub(crate) fn hangs_on_keys(model: &Model, id: TableId) -> BTreeSet<ColumnId> {
    let (table, own) = (&model.catalog[id], &model[id]);
    let generated = own.fills.iter().filter_map(|fill| match fill {
        Fill::Generated(expr) => expr.as_ref().ok(),
        Fill::Default(_) | Fill::Identity { .. } | Fill::Null => None,
    });
    let checks = own.checks.iter().filter_map(|check| check.expr.as_ref().ok());
    let exclusions = own.uniques.iter().filter(|key| key.excludes.is_some());
    let exclusions = exclusions.flat_map(|key| key.keys.iter().chain(&key.predicate));
    let over: Vec<&Expr> = generated.chain(checks).chain(exclusions).collect();
    let mut found = BTreeSet::new();
    for key in &table.foreign_keys {
        let empties = |action: &ReferentialAction| {
            matches!(action, ReferentialAction::SetNull(_) | ReferentialAction::SetDefault(_))
        };
        let empties = empties(&key.on_update) || empties(&key.on_delete);
        if !empties && key.on_update != ReferentialAction::Cascade {
            continue;
        }
        let is_not_null = |column: &ColumnId| {
            let domain = table[*column].domain.as_ref().and_then(|name| model.catalog.domains.get(name));
            table[*column].not_null || domain.is_some_and(|domain| domain.not_null)
        };
        let hangs = |column: &ColumnId| {
            empties && is_not_null(column) || over.iter().any(|expr| check::names(expr, &[*column].into()))
        };
        found.extend(key.columns.iter().filter(|column| hangs(column)).copied());
        if key.on_update == ReferentialAction::Cascade {
            found.extend(converted(&model.catalog, table, key));
        }
    }
    found
}

/// The columns of a foreign key to which values of another type are carried, or longer ones.
fn converted(catalog: &Catalog, table: &Table, key: &ForeignKey) -> Vec<ColumnId> {
    let Some((_, target)) = catalog.table(&key.target) else { return Vec::new() };
    let pairs = key.columns.iter().zip(&key.target_columns);
    let is_converted = |(at, name): &(&ColumnId, &Arc<str>)| {
        let (from, to) = (target.column(name), &table[**at]);
        from.is_some_and(|(_, from)| from.ty != to.ty || from.modifier != to.modifier)
    };
    pairs.filter(is_converted).map(|(at, _)| *at).collect()
}

/// Whether keys are to be looked at because of this in another way than engines do: when the transaction ends, or although another row has
/// taken over what they refer to.
fn is_put_off(model: &Model, id: TableId, operation: &Operation) -> bool {
    let (table, operation) = (&model.catalog[id], &whole(model, id, operation));
    if model[id].uniques.iter().any(|key| key.deferrable && may_double(key, operation)) {
        return true;
    }
    let is_own = |key: &ForeignKey| {
        key.deferrable
            && match operation {
                Operation::Insert => true,
                Operation::Update(columns) => key.columns.iter().any(|column| columns.contains(column)),
                Operation::Delete | Operation::Truncate => false,
            }
    };
    let restricts = |key: &ForeignKey| {
        key.on_update == ReferentialAction::Restrict && matches!(operation, Operation::Update(_))
    };
    let looks = |key: &ForeignKey| (key.deferrable || restricts(key)) && looks_at(table, key, operation);
    table.foreign_keys.iter().any(is_own) || references_to(model, id).any(|(_, key)| looks(key))
}

/// Whether rows may come to have one key when this happens to some.
fn may_double(key: &UniqueModel, operation: &Operation) -> bool {
    let columns = match operation {
        Operation::Insert => return true,
        Operation::Delete | Operation::Truncate => return false,
        Operation::Update(columns) => columns,
    };
    key.keys.iter().chain(&key.predicate).any(|expr| check::names(expr, columns))
}

/// The same with the columns that are computed of those that are set.
fn whole(model: &Model, id: TableId, operation: &Operation) -> Operation {
    let Operation::Update(columns) = operation else { return operation.clone() };
    let fills = model.catalog[id].column_ids().zip(&model[id].fills);
    let computed = fills.filter_map(|(column, fill)| match fill {
        Fill::Generated(Ok(expr)) => check::names(expr, columns).then_some(column),
        Fill::Generated(Err(_)) | Fill::Default(_) | Fill::Identity { .. } | Fill::Null => None,
    });
    Operation::Update(columns.iter().copied().chain(computed).collect())
}

/// Whether a foreign key to a table may be left without its row when this happens there.
fn looks_at(target: &Table, key: &ForeignKey, operation: &Operation) -> bool {
    let action = match operation {
        Operation::Delete => &key.on_delete,
        Operation::Update(columns) => {
            let mut named = key.target_columns.iter().filter_map(|name| target.column(name));
            if !named.any(|(column, _)| columns.contains(&column)) {
                return false;
            }
            &key.on_update
        }
        Operation::Insert | Operation::Truncate => return false,
    };
    matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict)
}

/// The foreign keys to each table of a catalog, the oldest first: where they are declared, and their positions there.
pub(crate) fn references(catalog: &Catalog) -> Vec<Vec<(TableId, usize)>> {
    let mut found = vec![Vec::new(); catalog.ids().count()];
    for id in catalog.ids() {
        for (at, key) in catalog[id].foreign_keys.iter().enumerate() {
            let target = catalog.table(&key.target).map(|(target, _)| target.0 as usize);
            if let Some(keys) = target.and_then(|target| found.get_mut(target)) {
                keys.push((id, at));
            }
        }
    }
    let age = |(from, at): &(TableId, usize)| catalog[*from].foreign_keys.get(*at).map_or(0, |key| key.age.0);
    found.iter_mut().for_each(|keys| keys.sort_by_key(age));
    found
}

/// The foreign keys to a table, in the order of their declaration.
pub fn references_to(model: &Model, target: TableId) -> impl Iterator<Item = (TableId, &ForeignKey)> {
    let keys = model.references(target).iter();
    keys.filter_map(|(from, at)| Some((*from, model.catalog[*from].foreign_keys.get(*at)?)))
}

/// The foreign keys that carry on what happens to rows of a table, and what they do where they are declared.
pub fn carried<'m>(
    model: &'m Model,
    id: TableId,
    operation: &Operation,
) -> impl Iterator<Item = (TableId, &'m ForeignKey, Operation)> + use<'m> {
    let (target, operation) = (&model.catalog[id], whole(model, id, operation));
    references_to(model, id)
        .filter_map(move |(from, key)| Some((from, key, action_of(target, key, &operation)?)))
}

/// A table to which something happens, and those to which foreign keys carry it on.
pub fn reached(model: &Model, table: TableId, operations: Vec<Operation>) -> BTreeSet<TableId> {
    followed(model, table, operations).into_iter().map(|(table, _)| table).collect()
}

/// The same, as far as their rows become others.
pub fn changed(model: &Model, table: TableId, operations: Vec<Operation>) -> BTreeSet<TableId> {
    let followed = followed(model, table, operations).into_iter();
    let is_changed = |operation: &Operation| matches!(operation, Operation::Update(_));
    followed.filter(|(_, operation)| is_changed(operation)).map(|(table, _)| table).collect()
}

/// What happens to a table, and wherever foreign keys carry it on.
fn followed(model: &Model, table: TableId, operations: Vec<Operation>) -> BTreeSet<(TableId, Operation)> {
    let mut met: BTreeSet<(TableId, Operation)> = BTreeSet::new();
    let mut open: Vec<_> = operations.into_iter().map(|operation| (table, operation)).collect();
    while let Some(next) = open.pop() {
        if !met.contains(&next) {
            open.extend(carried(model, next.0, &next.1).map(|(from, _, further)| (from, further)));
            met.insert(next);
        }
    }
    met
}

/// Whether foreign keys do or ask anything when rows of a table change.
pub fn has_keys(model: &Model, id: TableId) -> bool {
    !model.catalog[id].foreign_keys.is_empty() || references_to(model, id).next().is_some()
}

/// What a foreign key does where it is declared when something happens to rows of the table that it references.
pub fn action_of(target: &Table, key: &ForeignKey, operation: &Operation) -> Option<Operation> {
    let is_key = |columns: &BTreeSet<ColumnId>| {
        let mut named = key.target_columns.iter().filter_map(|name| target.column(name));
        named.any(|(column, _)| columns.contains(&column))
    };
    let action = match operation {
        Operation::Insert | Operation::Truncate => return None,
        Operation::Delete => &key.on_delete,
        Operation::Update(columns) if is_key(columns) => &key.on_update,
        Operation::Update(_) => return None,
    };
    let set = |columns: &[ColumnId]| {
        let columns = if columns.is_empty() { &key.columns } else { columns };
        Operation::Update(columns.iter().copied().collect())
    };
    match action {
        ReferentialAction::NoAction | ReferentialAction::Restrict => None,
        ReferentialAction::Cascade if *operation == Operation::Delete => Some(Operation::Delete),
        ReferentialAction::Cascade => Some(set(&[])),
        ReferentialAction::SetNull(columns) | ReferentialAction::SetDefault(columns) => Some(set(columns)),
    }
}

/// Whether triggers stand in place of this being done to the rows of a view. They do not ask which columns are set, and of an
/// upsert they are those of an insert.
pub(crate) fn is_instead(model: &Model, view: TableId, action: &Action) -> bool {
    let operation = match action {
        Action::Insert(_) => Operation::Insert,
        Action::Update { .. } => Operation::Update(BTreeSet::new()),
        Action::Delete { .. } => Operation::Delete,
    };
    let triggers = &mut model[view].triggers.iter();
    triggers.any(|trigger| trigger.fires(&operation, TriggerTiming::InsteadOf, true))
}
