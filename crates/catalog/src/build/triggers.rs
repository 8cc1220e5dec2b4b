//! Triggers, as declared. Their functions are found here; their bodies run, or do not, elsewhere.

use std::sync::Arc;

use sql::ast::{CreateTrigger, TriggerEvent, TriggerTiming};
use types::{Code, Error, Name, Result};

use super::resolve::written;
use super::{Builder, Outcome, names};
use crate::expr::bind;
use crate::expr::scope::Source;
use crate::{Table, TableId, Trigger};

/// Trigger functions that come with PostgreSQL, its extensions and Supabase.
const KNOWN: &[&str] = &[
    "moddatetime",
    "http_request",
    "tsvector_update_trigger",
    "tsvector_update_trigger_column",
    "suppress_redundant_updates_trigger",
    "autoinc",
    "insert_username",
    "refint",
    "lo_manage",
];

impl Builder<'_> {
    pub(super) fn create_trigger(&mut self, create: &CreateTrigger) -> Result<Outcome> {
        let id = self.table(&create.table)?;
        let table = &self.catalog[id];
        refuse_kind(table, create)?;
        let mut statement = create.clone();
        statement.table.schema = Some(table.name.schema.to_string());
        statement.when = match &create.when {
            Some(when) => Some(bind::expr(&self.names(), before_after(table), when)?),
            None => None,
        };
        self.known_columns(id, create)?;
        statement.function.schema = self.trigger_function(create)?.or(statement.function.schema);
        let name = names::truncated(&create.name);
        let trigger = Trigger { name: name.clone(), statement: Arc::new(statement), enabled: true };
        let triggers = &mut self.table_mut(id).triggers;
        match triggers.binary_search_by(|other| other.name.cmp(&name)) {
            Ok(at) if create.or_replace => triggers[at] = trigger,
            Ok(_) => {
                let message = format!(
                    "trigger \"{name}\" for relation \"{}\" already exists",
                    self.catalog[id].name.name
                );
                return Err(Error::new(Code::DUPLICATE_OBJECT, message));
            }
            Err(at) => triggers.insert(at, trigger),
        }
        Ok(Outcome::Applied)
    }

    fn known_columns(&self, id: TableId, create: &CreateTrigger) -> Result<()> {
        let of_updates = create.events.iter().filter_map(|event| match event {
            TriggerEvent::Update(columns) => Some(columns),
            TriggerEvent::Insert | TriggerEvent::Delete | TriggerEvent::Truncate => None,
        });
        of_updates.flatten().try_for_each(|column| self.column_id(id, column).map(drop))
    }

    /// The schema of the declared function; `None` when it is one that needs no declaration.
    fn trigger_function(&self, create: &CreateTrigger) -> Result<Option<String>> {
        let functions = &self.catalog.functions;
        let is = |name: &Name| {
            functions.iter().any(|function| function.name == *name && function.input_types().next().is_none())
        };
        match self.names().first(&create.function, is) {
            Some(name)
                if functions.iter().any(|function| function.name == name && function.returns_trigger) =>
            {
                Ok(Some(name.schema.to_string()))
            }
            Some(_) => Err(Error::new(
                Code::INVALID_OBJECT_DEFINITION,
                format!("function {} must return type trigger", create.function.name),
            )),
            None if KNOWN.contains(&create.function.name.as_str()) => Ok(None),
            None => Err(Error::new(
                Code::UNDEFINED_FUNCTION,
                format!("function {}() does not exist", written(&create.function)),
            )),
        }
    }
}

fn refuse_kind(table: &Table, create: &CreateTrigger) -> Result<()> {
    let instead = create.timing == TriggerTiming::InsteadOf;
    let refuse = |what: &str, details: &str| {
        let message = format!("\"{}\" is a {what}", table.name.name);
        Err(Error::new(Code::WRONG_OBJECT_TYPE, message).with_details(details))
    };
    match (table.is_view(), instead) {
        (true, false) if create.for_each_row => {
            refuse("view", "Views cannot have row-level BEFORE or AFTER triggers.")
        }
        (false, true) => refuse("table", "Tables cannot have INSTEAD OF triggers."),
        _ => Ok(()),
    }
}

/// The rows that a trigger's condition sees.
pub(super) fn before_after(table: &Table) -> Vec<Source> {
    ["old", "new"].iter().map(|alias| Source::aliased(table, alias)).collect()
}

/// Follows a renamed column in `update of`.
pub(super) fn rename_event_column(trigger: &mut Trigger, from: &str, to: &str) {
    for event in &mut Arc::make_mut(&mut trigger.statement).events {
        if let TriggerEvent::Update(columns) = event {
            columns.iter_mut().filter(|column| **column == from).for_each(|column| *column = to.to_owned());
        }
    }
}
