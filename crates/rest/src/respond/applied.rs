//! Which preferences a reply says it applied, and the one that undoes what was done.

use types::{Code, Error, Result};

use super::{Header, Served};
use crate::prefer::Prefer;
use crate::request::{Action, Request};

/// `Preference-Applied`: what was preferred and means something to this action.
pub(super) fn applied(request: &Request, served: &Served<'_>, has_conflict_target: bool) -> Option<Header> {
    let action = request.action;
    let keep = |condition: bool| condition.then_some(&request.prefer);
    let prefer = Prefer {
        resolution: keep(action == Action::Insert && has_conflict_target)
            .and_then(|prefer| prefer.resolution),
        representation: keep(action.writes()).and_then(|prefer| prefer.representation),
        missing: keep(matches!(action, Action::Insert | Action::Update)).and_then(|prefer| prefer.missing),
        nested: keep(action == Action::Insert).and_then(|prefer| prefer.nested),
        transaction: keep(served.honors_tx).and_then(|prefer| prefer.transaction),
        max_affected: keep(limits_affected(request)).and_then(|prefer| prefer.max_affected),
        count: request.prefer.count,
        handling: request.prefer.handling,
        time_zone: request.prefer.time_zone.clone(),
        unknown: Vec::new(),
    };
    prefer.applied().map(|value| ("preference-applied", value))
}

/// Holds a request to its own `max-affected`; to be asked before the transaction ends.
///
/// # Errors
/// `PGRST124` when more rows are affected.
pub fn check_affected(request: &Request, rows: u64) -> Result<()> {
    match request.prefer.affected_max() {
        Some(most) if rows > most && limits_affected(request) => Err(too_many_affected(rows)),
        _ => Ok(()),
    }
}

/// The refusal of more rows than the request allows.
pub fn too_many_affected(rows: u64) -> Error {
    Error::new(Code::MAX_AFFECTED, "Query result exceeds max-affected preference constraint")
        .with_details(format!("The query affects {rows} rows"))
}

/// Functions are limited however they are called.
fn limits_affected(request: &Request) -> bool {
    let calls = matches!(request.target, crate::request::Target::Function(_));
    calls || matches!(request.action, Action::Update | Action::Delete)
}
