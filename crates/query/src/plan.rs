//! How an engine will do it: the steps of a request, in order, in one transaction.
//!
//! Takes nothing but what was authorized, and nothing but a plan reaches an engine.

use types::Result;

use crate::authorize::Authorized;
use crate::check;
use crate::ir::{Action, Insert, Judge, Query, Read, RowValue, SourceId, Write};
use crate::model::Model;
use crate::presentation::Presentation;
use crate::{parts, visit};

/// The steps of a request.
#[derive(Clone, Debug)]
pub struct Plan {
    steps: Vec<Step>,
    /// How the rows of steps are given, where they are not given as rows.
    presentations: Vec<(usize, Presentation)>,
    /// Reads of what a write stored, by their position: the parameters of each are what the write returned, row by row.
    again: Vec<(usize, SourceId)>,
}

/// One step of a plan; its position is its slot.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a plan has one step or two, and most are reads")]
pub enum Step {
    /// Reads rows.
    Fetch(Read),
    /// Changes the rows of a table, and reads what was asked of them.
    Store(Box<Write>),
}

impl Plan {
    /// The same plan, in which the rows of the step at a position are given in this way.
    #[must_use]
    pub fn presenting(mut self, position: usize, presentation: Presentation) -> Plan {
        self.presentations.push((position, presentation));
        self
    }

    /// How the rows of the step at a position are given.
    pub fn presentation(&self, position: usize) -> &Presentation {
        let found = self.presentations.iter().find(|(of, _)| *of == position);
        found.map_or(&Presentation::Rows, |(_, presentation)| presentation)
    }

    /// The same plan, in which the read at a position has as parameters what the write with this target returned.
    #[must_use]
    pub fn reading_again(mut self, position: usize, of: SourceId) -> Plan {
        self.again.push((position, of));
        self
    }

    /// The write whose returned values are the parameters of the read at a position.
    pub fn again(&self, position: usize) -> Option<SourceId> {
        self.again.iter().find(|(at, _)| *at == position).map(|(_, of)| *of)
    }

    /// Whether something needs what the write with this target returned.
    pub fn needs(&self, target: SourceId) -> bool {
        self.again.iter().any(|(_, of)| *of == target) || self.steps.iter().any(|step| step.refers_to(target))
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The reads, when nothing is changed: they may run on any snapshot.
    pub fn reads(&self) -> Option<Vec<&Read>> {
        let mut reads = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            match step {
                Step::Fetch(read) if !visit::changes(read) => reads.push(read),
                Step::Fetch(_) | Step::Store(_) => return None,
            }
        }
        Some(reads)
    }
}

impl Step {
    fn refers_to(&self, target: SourceId) -> bool {
        let Step::Store(write) = self else { return false };
        let Action::Insert(Insert { rows, .. }) = &write.action else { return false };
        let is_of = |value: &RowValue| matches!(value, RowValue::Returned(found) if found.of == target);
        rows.iter().flatten().any(is_of)
    }
}

/// Puts authorized queries in order.
///
/// # Errors
/// `428C9` and `0A000` for a write that the table does not allow whoever asks.
pub fn plan(queries: Vec<Authorized<Query>>, model: &Model) -> Result<Plan> {
    let step = |query: Authorized<Query>| match query.into_inner() {
        Query::Read(read) => Ok(Step::Fetch(read)),
        Query::Write(write) => {
            // An engine that judges writes knows what its tables refuse.
            if write.guard.judge != Judge::Engine {
                write.before.iter().try_for_each(|changed| check::write(&changed.write, model))?;
                check::write(&write, model)?;
                parts::in_order(&write, model)?;
            }
            Ok(Step::Store(write))
        }
    };
    let steps = queries.into_iter().map(step).collect::<Result<_>>()?;
    Ok(Plan { steps, presentations: Vec::new(), again: Vec::new() })
}
