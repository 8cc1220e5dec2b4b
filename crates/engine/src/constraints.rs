//! `set constraints` (PostgreSQL, "SET CONSTRAINTS"): which triggers and keys wait for the end of a transaction, and what waits for
//! it. Nothing here stores rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{Catalog, ForeignKey, Table, TableId, Trigger};
use query::Model;
use query::arbiters::UniqueModel;
use sql::ast::ObjectName;
use types::{Code, Error, Name, Result};

use crate::in_force::Deferred;
use crate::work::Work;

/// What `set constraints` said in a transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constraints {
    /// Whether all of them wait, but those that were named since.
    all: Option<bool>,
    /// Whether one waits, by its table and its name.
    each: BTreeMap<(Name, Arc<str>), bool>,
}

/// A constraint as it is declared.
struct Constraint {
    table: Name,
    name: Arc<str>,
    deferrable: bool,
    initially_deferred: bool,
}

impl Constraint {
    fn of_key(table: &Table, key: &ForeignKey) -> Constraint {
        Constraint {
            table: table.name.clone(),
            name: key.name.clone(),
            deferrable: key.deferrable,
            initially_deferred: key.initially_deferred,
        }
    }

    fn of_unique(table: &Table, key: &UniqueModel) -> Constraint {
        Constraint {
            table: table.name.clone(),
            name: key.name.clone(),
            deferrable: key.deferrable,
            initially_deferred: key.initially_deferred,
        }
    }

    fn of_trigger(table: &Table, trigger: &Trigger) -> Constraint {
        Constraint {
            table: table.name.clone(),
            name: trigger.name.clone(),
            deferrable: trigger.statement.deferrable || trigger.statement.initially_deferred,
            initially_deferred: trigger.statement.initially_deferred,
        }
    }
}

impl Constraints {
    fn waits(&self, constraint: Constraint) -> bool {
        if !constraint.deferrable {
            return false;
        }
        let said = match self.each.is_empty() {
            true => None,
            false => self.each.get(&(constraint.table, constraint.name)).copied(),
        };
        said.or(self.all).unwrap_or(constraint.initially_deferred)
    }

    /// Whether something is put off to the end of the transaction.
    pub(crate) fn put_off(&self, model: &Model, what: &Deferred) -> bool {
        match what {
            Deferred::Trigger { table, trigger, .. } => self.puts_off(model, *table, *trigger),
            Deferred::Reference { from, key, .. } | Deferred::Left { from, key, .. } => {
                let declared = &model.catalog[*from];
                let key = declared.foreign_keys.get(*key);
                key.is_some_and(|key| self.waits(Constraint::of_key(declared, key)))
            }
            Deferred::Unique { table, key, .. } => {
                let unique = model[*table].uniques.get(*key);
                unique.is_some_and(|key| self.waits(Constraint::of_unique(&model.catalog[*table], key)))
            }
        }
    }

    /// Whether a trigger is put off, by its position.
    pub(crate) fn puts_off(&self, model: &Model, table: TableId, trigger: usize) -> bool {
        let declared = &model.catalog[table];
        let trigger = declared.triggers.get(trigger);
        trigger.is_some_and(|trigger| self.waits(Constraint::of_trigger(declared, trigger)))
    }

    fn set(&mut self, constraints: Option<Vec<Constraint>>, deferred: bool) {
        match constraints {
            None => *self = Constraints { all: Some(deferred), each: BTreeMap::new() },
            Some(named) => {
                let named = named.into_iter().filter(|constraint| constraint.deferrable);
                self.each.extend(named.map(|constraint| ((constraint.table, constraint.name), deferred)));
            }
        }
    }
}

/// Refuses names of no constraint, and of those that cannot wait.
///
/// # Errors
/// `42704`, `3F000`, `42809`
pub(crate) fn check(
    catalog: &Catalog,
    path: &[Arc<str>],
    names: &[ObjectName],
    deferred: bool,
) -> Result<()> {
    names.iter().try_for_each(|name| named(catalog, path, name, deferred).map(drop))
}

/// The constraints of a name: of the first schema of the path that has any.
fn named(catalog: &Catalog, path: &[Arc<str>], name: &ObjectName, deferred: bool) -> Result<Vec<Constraint>> {
    let in_schema = |schema: &str| -> Vec<Constraint> {
        let tables = catalog.tables.iter().filter(|table| *table.name.schema == *schema);
        tables.flat_map(|table| of_table(table, &name.name)).collect()
    };
    let found = match &name.schema {
        Some(schema) if !catalog.schemas.iter().any(|(known, _)| **known == **schema) => {
            let message = format!("schema \"{schema}\" does not exist");
            return Err(Error::new(Code::UNDEFINED_SCHEMA, message));
        }
        Some(schema) => in_schema(schema),
        None => {
            path.iter().map(|schema| in_schema(schema)).find(|found| !found.is_empty()).unwrap_or_default()
        }
    };
    if found.is_empty() {
        let message = format!("constraint \"{}\" does not exist", name.name);
        return Err(Error::new(Code::UNDEFINED_OBJECT, message));
    }
    if deferred && found.iter().any(|constraint| !constraint.deferrable) {
        let message = format!("constraint \"{}\" is not deferrable", name.name);
        return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
    }
    Ok(found)
}

/// The constraints of a table that have a name.
fn of_table(table: &Table, name: &str) -> Vec<Constraint> {
    let other = |name: &Arc<str>, (deferrable, initially_deferred)| Constraint {
        table: table.name.clone(),
        name: name.clone(),
        deferrable,
        initially_deferred,
    };
    let keys = table.foreign_keys.iter().map(|key| Constraint::of_key(table, key));
    let triggers = table.triggers.iter().filter(|trigger| trigger.statement.constraint);
    let triggers = triggers.map(|trigger| Constraint::of_trigger(table, trigger));
    let uniques = table.primary_key.iter().chain(&table.uniques);
    let uniques = uniques.map(|unique| other(&unique.name, (unique.deferrable, unique.initially_deferred)));
    let exclusions = table.indexes.iter().filter(|index| index.is_exclusion());
    let exclusions = exclusions.map(|index| other(&index.name, (index.deferrable, index.initially_deferred)));
    let checks = table.checks.iter().map(|check| other(&check.name, (false, false)));
    let all = keys.chain(triggers).chain(uniques).chain(exclusions).chain(checks);
    all.filter(|found| *found.name == *name).collect()
}

impl Work<'_> {
    /// Has constraints wait for the end of the transaction, or no longer: then what waits because of them is done at once.
    pub(crate) async fn set_constraints(&mut self, names: &[ObjectName], deferred: bool) -> Result<()> {
        let catalog = &self.served.model.catalog;
        let constraints = match names {
            [] => None,
            names => {
                let found = names.iter().map(|name| named(catalog, &self.path, name, deferred));
                Some(found.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
            }
        };
        self.in_force.constrain(|said| said.set(constraints, deferred));
        if deferred {
            return Ok(());
        }
        let model = self.served.model.clone();
        loop {
            // What is done in a round finds only what has come to wait since.
            let due = self.in_force.take_due(&model);
            if due.is_empty() {
                return Ok(());
            }
            for due in due {
                self.do_deferred(due).await?;
            }
        }
    }

    /// Does what waits for the end of the transaction.
    pub(crate) async fn fire_deferred(&mut self) -> Result<()> {
        if self.in_force.waits() && self.in_force.is_read_only() {
            // It was left by something that changes rows, whatever the last request of a batch may do.
            self.in_force = self.in_force.turned(false, self.path.clone());
            self.install();
        }
        while self.in_force.waits() {
            for deferred in self.in_force.take_deferred() {
                self.do_deferred(deferred).await?;
            }
        }
        Ok(())
    }
}
