//! `for update`, `for share` and their like: which rows may be locked. One writer at a time locks all of them.

use sql::ast::{self, Distinct, Select};
use types::{Code, Error, Result};

use super::Resolver;
use crate::ir::{Read, Source};

impl Resolver<'_> {
    /// Notes the tables that are locked. PostgreSQL refuses it where a row of the result is not one of theirs.
    pub(super) fn locking(&mut self, query: &ast::Query, select: &Select, mut read: Read) -> Result<Read> {
        let Some(clause) = query.locking.first() else { return Ok(read) };
        let said = || read.outputs.iter().map(|output| &output.expr);
        let hinders = [
            (select.distinct != Distinct::No, "DISTINCT clause"),
            (!read.group.is_empty(), "GROUP BY clause"),
            (read.having.is_some(), "HAVING clause"),
            (said().any(crate::visit::has_aggregate), "aggregate functions"),
            (said().any(crate::visit::has_window), "window functions"),
        ];
        if let Some((_, what)) = hinders.iter().find(|(hinders, _)| *hinders) {
            return Err(not_locked(clause, what));
        }
        for clause in &query.locking {
            let locked = self.locked_by(clause, &read.from)?;
            read.locked.extend(locked);
        }
        Ok(read)
    }

    /// The tables that one clause locks: those that it names, or all.
    fn locked_by(&self, clause: &str, from: &Source) -> Result<Vec<crate::ir::SourceId>> {
        let words = lock_words(clause);
        let level = self.levels.last().ok_or_else(|| Error::internal("no query is open"))?;
        let refuse = || Error::missing(format!("{words} of a view or a subquery"));
        let mut locked = Vec::new();
        match locked_names(clause) {
            Some(names) => {
                for name in names {
                    let relation = level.relations.iter().find(|relation| *relation.alias == *name);
                    let relation = relation.ok_or_else(|| {
                        let message =
                            format!("relation \"{name}\" in {words} clause not found in FROM clause");
                        Error::new(Code::UNDEFINED_TABLE, message)
                    })?;
                    locked.push(relation.id.filter(|_| relation.is_stored).ok_or_else(refuse)?);
                }
            }
            None => {
                let mut refused = false;
                crate::visit::each_source(from, &mut |source| match source {
                    Source::Table { id, .. } => locked.push(*id),
                    Source::Read { .. } | Source::Compound { .. } => refused = true,
                    _ => {}
                });
                if refused {
                    return Err(refuse());
                }
            }
        }
        if locked.iter().any(|id| level.nullable.contains(id)) {
            let message = format!("{words} cannot be applied to the nullable side of an outer join");
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
        }
        Ok(locked)
    }
}

/// `FOR UPDATE`, `FOR SHARE`, …
pub(super) fn lock_words(clause: &str) -> String {
    let lower = clause.to_ascii_lowercase();
    let words = lower.split_whitespace().take_while(|word| !["of", "nowait", "skip"].contains(word));
    words.collect::<Vec<_>>().join(" ").to_uppercase()
}

/// The names behind `of`.
fn locked_names(clause: &str) -> Option<Vec<String>> {
    let lower = clause.to_ascii_lowercase();
    let (_, names) = lower.split_once(" of ")?;
    let names = names.trim_end_matches("nowait").trim_end();
    let names = names.strip_suffix("locked").map_or(names, |names| names.trim_end().trim_end_matches("skip"));
    Some(names.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect())
}

pub(super) fn not_locked(clause: &str, what: &str) -> Error {
    let words = lock_words(clause);
    Error::new(Code::FEATURE_NOT_SUPPORTED, format!("{words} is not allowed with {what}"))
}
