//! Rules: a statement in whose place nothing is done asks for no rights and touches no row.

use catalog::TableId;
use sql::ast::RuleEvent;
use types::{Code, Error, Result, Type, Value};

use super::Pass;
use crate::ir::{Action, ConflictAction, Expr, Insert, Judge, Source, Write, WriteGuard};
use crate::triggers::{self, Operation};
use crate::visit;

impl Pass<'_> {
    /// Makes nothing of a write that a rule is for; whether it is one. Its refusals are those of PostgreSQL's rewriter.
    pub(super) fn ruled(&self, write: &mut Write) -> Result<bool> {
        self.refuse_ruled_rows(write)?;
        let table = &self.model.catalog[write.table];
        if table.rules.is_empty() {
            return Ok(false);
        }
        let (event, word) = match &write.action {
            Action::Insert(Insert { conflict: Some(_), .. })
                if table.rules.iter().any(|(_, event)| *event != RuleEvent::Delete) =>
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
        let rules = &self.model.catalog[write.table].rules;
        if !returns(write) && rules.iter().any(|(_, of)| *of == event) {
            return Err(in_a_with());
        }
        Ok(())
    }

    /// Refuses a change that foreign keys carry to rows which a rule keeps: PostgreSQL fails when it meets the first.
    fn refuse_ruled_rows(&self, write: &Write) -> Result<()> {
        let operation = match &write.action {
            Action::Insert(Insert { conflict: Some(conflict), .. }) => match &conflict.action {
                ConflictAction::Update { set, .. } => updated(set.iter().map(|(column, _)| *column)),
                ConflictAction::Nothing => return Ok(()),
            },
            Action::Insert(_) => return Ok(()),
            Action::Update { set, .. } => updated(set.iter().map(|(column, _)| *column)),
            Action::Delete { .. } => Operation::Delete,
        };
        let mut met: Vec<(TableId, Operation)> = vec![(write.table, operation)];
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

fn updated(columns: impl Iterator<Item = catalog::ColumnId>) -> Operation {
    Operation::Update(columns.collect())
}
