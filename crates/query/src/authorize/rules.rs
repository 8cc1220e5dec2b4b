//! Rules: a statement in whose place nothing is done asks for no rights and touches no row.

use std::collections::BTreeSet;

use catalog::{ColumnId, TableId, TableKind};
use sql::ast::RuleEvent;
use types::{Code, Error, Result, Type, Value};

use super::Pass;
use super::through::underneath;
use crate::ir::{Action, Expr, Insert, Judge, Read, Source, Write, WriteGuard};
use crate::triggers::{self, Operation};
use crate::visit;

impl Pass<'_> {
    /// Makes nothing of a write that a rule is for; whether it is one. Its refusals are those of PostgreSQL's rewriter.
    pub(super) fn ruled(&self, write: &mut Write) -> Result<bool> {
        let Some((below, operations)) = self.comes_to(write) else { return Ok(false) };
        self.refuse_ruled_rows(below, operations)?;
        let table = &self.model.catalog[below];
        if table.rules.is_empty() {
            return Ok(false);
        }
        let (event, word) = match &write.action {
            Action::Insert(Insert { conflict: Some(_), .. })
                if table.rules.iter().any(|(_, event)| *event == RuleEvent::Update) =>
            {
                let message = "INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules";
                return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
            }
            Action::Insert(_) => (RuleEvent::Insert, "INSERT"),
            Action::Update { .. } => (RuleEvent::Update, "UPDATE"),
            Action::Delete { .. } => (RuleEvent::Delete, "DELETE"),
        };
        if !table.rules.iter().any(|(_, of)| *of == event) {
            return Ok(false);
        }
        if write.is_read_whole && !returns(write) {
            return Err(in_a_with());
        }
        if returns(write) {
            let message = format!("cannot perform {word} RETURNING on relation \"{}\"", table.name.name);
            let hint =
                format!("You need an unconditional ON {word} DO INSTEAD rule with a RETURNING clause.");
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message).with_hint(hint));
        }
        write.action = Action::Update {
            set: Vec::new(),
            filter: Some(Expr::Const { value: Value::Bool(false), ty: Type::Bool }),
        };
        write.beside = None;
        write.table = below;
        write.guard = WriteGuard { judge: Judge::Us, role: Some(self.role.clone()), ..WriteGuard::default() };
        Ok(true)
    }

    /// Refuses a data-modifying common table expression in whose place nothing is done.
    pub(super) fn refuse_ruled_part(&self, write: &Write) -> Result<()> {
        let event = match &write.action {
            Action::Insert(_) => RuleEvent::Insert,
            Action::Update { .. } => RuleEvent::Update,
            Action::Delete { .. } => RuleEvent::Delete,
        };
        let Some((below, _)) = self.comes_to(write) else { return Ok(()) };
        let rules = &self.model.catalog[below].rules;
        if !returns(write) && rules.iter().any(|(_, of)| *of == event) {
            return Err(in_a_with());
        }
        Ok(())
    }

    /// The table that a write comes to through views, and what is done to its rows; nothing where a view refuses the write.
    fn comes_to(&self, write: &Write) -> Option<(TableId, Vec<Operation>)> {
        self.takes_writes(write).ok()?;
        let mut operations = triggers::operations(write);
        let mut given = match &write.action {
            Action::Insert(insert) => insert.columns.iter().copied().collect(),
            Action::Update { .. } | Action::Delete { .. } => BTreeSet::new(),
        };
        let mut table = write.table;
        while let TableKind::View { materialized: false, .. } = self.model.catalog[table].kind {
            if triggers::is_instead(self.model, table, &write.action) {
                break;
            }
            let Some(Ok(read)) = &self.model[table].view else { return None };
            given = lowered(&given, read)?;
            for operation in &mut operations {
                if let Operation::Update(columns) = operation {
                    *columns = lowered(columns, read)?;
                }
            }
            table = underneath(&read.from)?;
        }
        Some((table, operations))
    }

    /// Refuses a change that foreign keys carry to rows which a rule keeps: PostgreSQL fails when it meets the first.
    fn refuse_ruled_rows(&self, table: TableId, operations: Vec<Operation>) -> Result<()> {
        let mut met: Vec<(TableId, Operation)> =
            operations.into_iter().map(|operation| (table, operation)).collect();
        let mut next = 0;
        while let Some((table, operation)) = met.get(next).cloned() {
            for (from, key, done) in triggers::carried(self.model, table, &operation) {
                let event = if done == Operation::Delete { RuleEvent::Delete } else { RuleEvent::Update };
                let table = &self.model.catalog[from];
                if table.rules.iter().any(|(_, of)| *of == event) {
                    return Err(Error::missing(format!(
                        "changing what foreign key {} carries to table {}, which has a rule,",
                        key.name, table.name
                    )));
                }
                if !met.contains(&(from, done.clone())) {
                    met.push((from, done));
                }
            }
            next += 1;
        }
        Ok(())
    }
}

/// Whether its rows are returned: a select after a `with` may leave them alone.
fn returns(write: &Write) -> bool {
    let Some(read) = &write.returning else { return false };
    let mut names_rows = false;
    visit::deep_sources(read, &mut |source| names_rows |= matches!(source, Source::Written { .. }));
    names_rows || !write.is_read_whole
}

fn in_a_with() -> Error {
    let message = "DO INSTEAD NOTHING rules are not supported for data-modifying statements in WITH";
    Error::new(Code::FEATURE_NOT_SUPPORTED, message)
}

/// The columns underneath those of a view; nothing where one is computed.
fn lowered(columns: &BTreeSet<ColumnId>, view: &Read) -> Option<BTreeSet<ColumnId>> {
    let base = visit::id_of(&view.from)?;
    let below = |column: &ColumnId| match &view.outputs.get(usize::from(column.0))?.expr {
        Expr::Column { source, column, .. } if *source == base => Some(*column),
        _ => None,
    };
    columns.iter().map(below).collect()
}
