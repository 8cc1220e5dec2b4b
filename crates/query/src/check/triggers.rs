//! Triggers that a write would fire: nothing runs them, so such a write is refused by the trigger's name.
//!
//! Foreign keys carry a write on to other tables; their triggers would fire too.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{ColumnId, ReferentialAction, Table, TableId, Trigger};
use sql::ast::{TriggerEvent, TriggerTiming};
use types::{Error, Result};

use crate::ir::{Action, Conflict, ConflictAction, Write};
use crate::model::Model;

/// What happens to a table's rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Insert,
    /// Of these columns.
    Update(BTreeSet<Arc<str>>),
    Delete,
}

/// Refuses a write that fires a trigger.
///
/// # Errors
/// `0A000` with the trigger's name.
pub(super) fn none_fires(write: &Write, model: &Model) -> Result<()> {
    let mut pass = Pass { model, seen: BTreeSet::new() };
    for event in events(write, &model.catalog[write.table]) {
        pass.follow(write.table, &event)?;
    }
    Ok(())
}

/// The trigger that stands in for a write to a view.
///
/// # Errors
/// `0A000` with the trigger's name.
pub(crate) fn none_instead(write: &Write, model: &Model) -> Result<()> {
    let view = &model.catalog[write.table];
    let instead = |trigger: &&Trigger| trigger.statement.timing == TriggerTiming::InsteadOf;
    for event in events(write, view) {
        if let Some(trigger) = view.triggers.iter().filter(instead).find(|trigger| fires(trigger, &event)) {
            return Err(missing(trigger, view));
        }
    }
    Ok(())
}

fn events(write: &Write, table: &Table) -> Vec<Event> {
    let columns = |ids: &mut dyn Iterator<Item = ColumnId>| {
        Event::Update(ids.map(|column| table[column].name.clone()).collect())
    };
    match &write.action {
        Action::Insert(insert) => match &insert.conflict {
            Some(Conflict { action: ConflictAction::Update { set, .. }, .. }) => {
                vec![Event::Insert, columns(&mut set.iter().map(|(column, _)| *column))]
            }
            Some(Conflict { action: ConflictAction::Nothing, .. }) | None => vec![Event::Insert],
        },
        Action::Update { set, .. } => vec![columns(&mut set.iter().map(|(column, _)| *column))],
        Action::Delete { .. } => vec![Event::Delete],
    }
}

struct Pass<'a> {
    model: &'a Model,
    seen: BTreeSet<(TableId, Event)>,
}

impl Pass<'_> {
    fn follow(&mut self, id: TableId, event: &Event) -> Result<()> {
        let table = &self.model.catalog[id];
        if let Some(trigger) = table.triggers.iter().find(|trigger| fires(trigger, event)) {
            return Err(missing(trigger, table));
        }
        if !self.seen.insert((id, event.clone())) {
            return Ok(());
        }
        for other in self.model.catalog.ids() {
            let from = &self.model.catalog[other];
            for key in from.foreign_keys.iter().filter(|key| key.target == table.name) {
                let action = match event {
                    Event::Insert => continue,
                    Event::Delete => &key.on_delete,
                    Event::Update(columns)
                        if key.target_columns.iter().any(|name| columns.contains(name)) =>
                    {
                        &key.on_update
                    }
                    Event::Update(_) => continue,
                };
                let names = |columns: &[ColumnId]| {
                    let columns = if columns.is_empty() { &key.columns } else { columns };
                    Event::Update(columns.iter().map(|column| from[*column].name.clone()).collect())
                };
                match action {
                    ReferentialAction::NoAction | ReferentialAction::Restrict => {}
                    ReferentialAction::Cascade if *event == Event::Delete => {
                        self.follow(other, &Event::Delete)?;
                    }
                    ReferentialAction::Cascade => self.follow(other, &names(&key.columns))?,
                    ReferentialAction::SetNull(columns) | ReferentialAction::SetDefault(columns) => {
                        self.follow(other, &names(columns))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn fires(trigger: &Trigger, event: &Event) -> bool {
    trigger.enabled
        && trigger.statement.events.iter().any(|declared| match (declared, event) {
            (TriggerEvent::Insert, Event::Insert) | (TriggerEvent::Delete, Event::Delete) => true,
            (TriggerEvent::Update(of), Event::Update(columns)) => {
                of.is_empty() || of.iter().any(|name| columns.contains(name.as_str()))
            }
            _ => false,
        })
}

fn missing(trigger: &Trigger, table: &Table) -> Error {
    Error::missing(format!("trigger \"{}\" of table {}", trigger.name, table.name))
        .with_hint("`backplane check` lists what is declared and does not run in this version.")
}
