//! Triggers, as declared. Their functions are found here; their bodies run, or do not, elsewhere.

use std::sync::Arc;

use sql::ast::{CreateTrigger, TriggerEvent, TriggerMode, TriggerTiming};
use types::{Code, Error, Name, Result};

use super::resolve::written;
use super::{Builder, Outcome, names};
use crate::expr::bind;
use crate::expr::scope::Source;
use crate::expr::uses::Uses;
use crate::{Column, Generated, Table, TableId, Trigger};

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
        refuse_transitions(create)?;
        let mut statement = create.clone();
        statement.table.schema = Some(table.name.schema.to_string());
        statement.when = match &create.when {
            Some(when) => Some(bind::expr(&self.names(), before_after(table), when)?),
            None => None,
        };
        if let Some(when) = &statement.when {
            self.refuse_rows_of(&self.catalog[id], create, when)?;
        }
        self.known_columns(id, create)?;
        statement.function.schema = self.trigger_function(create)?.or(statement.function.schema);
        let name = names::truncated(&create.name);
        let trigger =
            Trigger { name: name.clone(), statement: Arc::new(statement), mode: TriggerMode::Enabled };
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

    /// Refuses a condition over rows that there are not when the trigger is fired.
    fn refuse_rows_of(&self, table: &Table, create: &CreateTrigger, when: &sql::ast::Expr) -> Result<()> {
        let named = |alias: &str| {
            let uses = Uses::of(&self.catalog, vec![Source::aliased(table, alias)], when);
            (uses.columns_of(&table.name).map(str::to_owned).collect::<Vec<_>>(), uses.rows)
        };
        let ((old, names_old), (new, names_new)) = (named("old"), named("new"));
        let (names_old, is_whole) = (names_old || !old.is_empty(), names_new);
        let names_new = is_whole || !new.is_empty();
        let is_for = |event: fn(&TriggerEvent) -> bool| create.events.iter().any(event);
        let refuse = |message: &str| Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message));
        if !(create.for_each_row || !names_old && !names_new) {
            return refuse("statement trigger's WHEN condition cannot reference column values");
        }
        if names_old && is_for(|event| *event == TriggerEvent::Insert) {
            return refuse("INSERT trigger's WHEN condition cannot reference OLD values");
        }
        if names_new && is_for(|event| *event == TriggerEvent::Delete) {
            return refuse("DELETE trigger's WHEN condition cannot reference NEW values");
        }
        if create.timing != TriggerTiming::Before {
            return Ok(());
        }
        let is_computed = |column: &Column| column.generated() == Generated::Stored;
        let is_generated = |name: &&String| table.column(name).is_some_and(|(_, column)| is_computed(column));
        let details = match new.iter().find(is_generated) {
            Some(column) => format!("Column \"{column}\" is a generated column."),
            None if is_whole && table.columns.iter().any(is_computed) => {
                "A whole-row reference is used and the table contains generated columns.".to_owned()
            }
            None => return Ok(()),
        };
        let message = "BEFORE trigger's WHEN condition cannot reference NEW generated columns";
        Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message).with_details(details))
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
    if table.partition.is_some() {
        return Err(Error::missing(format!("trigger \"{}\" of partition {} alone", create.name, table.name)));
    }
    let instead = create.timing == TriggerTiming::InsteadOf;
    let refuse = |what: &str, details: &str| {
        let message = format!("\"{}\" is a {what}", table.name.name);
        Err(Error::new(Code::WRONG_OBJECT_TYPE, message).with_details(details))
    };
    let lacks = |message: &str| Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
    let truncates = create.events.contains(&TriggerEvent::Truncate);
    let is_of_columns = |event: &TriggerEvent| matches!(event, TriggerEvent::Update(of) if !of.is_empty());
    match (table.is_view(), instead) {
        (true, false) if create.for_each_row => {
            refuse("view", "Views cannot have row-level BEFORE or AFTER triggers.")
        }
        (true, _) if truncates => refuse("view", "Views cannot have TRUNCATE triggers."),
        (true, false) if !create.referencing.is_empty() => {
            refuse("view", "Triggers on views cannot have transition tables.")
        }
        (false, true) => refuse("table", "Tables cannot have INSTEAD OF triggers."),
        (false, false) if truncates && create.for_each_row => {
            lacks("TRUNCATE FOR EACH ROW triggers are not supported")
        }
        (true, true) if !create.for_each_row => lacks("INSTEAD OF triggers must be FOR EACH ROW"),
        (true, true) if create.when.is_some() => lacks("INSTEAD OF triggers cannot have WHEN conditions"),
        (true, true) if create.events.iter().any(is_of_columns) => {
            lacks("INSTEAD OF triggers cannot have column lists")
        }
        (true | false, true | false) => Ok(()),
    }
}

/// Refuses transition tables where PostgreSQL does (`CreateTriggerFiringOn`).
fn refuse_transitions(create: &CreateTrigger) -> Result<()> {
    if create.referencing.is_empty() {
        return Ok(());
    }
    let refuse = |message: &str| Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message));
    let lacks = |message: &str| Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
    let is = |event: fn(&TriggerEvent) -> bool| create.events.iter().any(event);
    if create.timing != TriggerTiming::After {
        return refuse("transition table name can only be specified for an AFTER trigger");
    }
    if is(|event| *event == TriggerEvent::Truncate) {
        return lacks("TRUNCATE triggers with transition tables are not supported");
    }
    if create.events.len() != 1 {
        return lacks("transition tables cannot be specified for triggers with more than one event");
    }
    if is(|event| matches!(event, TriggerEvent::Update(of) if !of.is_empty())) {
        return lacks("transition tables cannot be specified for triggers with column lists");
    }
    let named = |wanted: bool| create.referencing.iter().filter(move |(is_new, _)| *is_new == wanted);
    let (mut old, mut new) = (named(false), named(true));
    match (old.next(), old.next(), new.next(), new.next()) {
        (Some(_), ..) if is(|event| *event == TriggerEvent::Insert) => {
            refuse("OLD TABLE can only be specified for a DELETE or UPDATE trigger")
        }
        (_, _, Some(_), _) if is(|event| *event == TriggerEvent::Delete) => {
            refuse("NEW TABLE can only be specified for an INSERT or UPDATE trigger")
        }
        (_, Some(_), ..) => refuse("OLD TABLE cannot be specified multiple times"),
        (.., Some(_)) => refuse("NEW TABLE cannot be specified multiple times"),
        (Some((_, old)), _, Some((_, new)), _) if old == new => {
            refuse("OLD TABLE name and NEW TABLE name cannot be the same")
        }
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
