//! `do` blocks that only decide which statements are executed: `if not exists (select … from pg_type …) then create type …`.
//!
//! Each block applies whole or not at all. What it asks of the system's tables is answered from the catalog (`guard`); a
//! block that asks or does anything else is kept and named.

use sql::ast::{Block, Step};
use types::{Code, Error, Result};

use super::{Builder, Outcome};

/// Errors that a handler names. `others` is every one.
const CONDITIONS: &[(&str, &[Code])] = &[
    ("duplicate_object", &[Code::DUPLICATE_OBJECT]),
    ("duplicate_table", &[Code::DUPLICATE_TABLE]),
    ("duplicate_column", &[Code::DUPLICATE_COLUMN]),
    ("duplicate_schema", &[Code::DUPLICATE_SCHEMA]),
    ("duplicate_function", &[Code::DUPLICATE_FUNCTION]),
    ("undefined_object", &[Code::UNDEFINED_OBJECT]),
    ("undefined_table", &[Code::UNDEFINED_TABLE]),
    ("undefined_column", &[Code::UNDEFINED_COLUMN]),
    ("undefined_function", &[Code::UNDEFINED_FUNCTION]),
    ("invalid_table_definition", &[Code::INVALID_TABLE_DEFINITION]),
];

/// Why a block came to no end.
enum Stop {
    /// A statement is refused.
    Refused(Error),
    /// Something in it is not understood here, or is about rows.
    Unknown,
}

impl Builder<'_> {
    /// `do`
    pub(super) fn do_block(&mut self, language: &str, body: &str) -> Result<Outcome> {
        let block = if language == "plpgsql" { sql::parse_block(body) } else { None };
        let before = (self.catalog.clone(), self.path.clone(), self.role.clone());
        let outcome = match block {
            Some(block) => self.run(&block),
            None => Err(Stop::Unknown),
        };
        match outcome {
            Ok(true) => Ok(Outcome::Applied),
            Ok(false) => Ok(Outcome::Skipped("no condition of the block holds".to_owned())),
            Err(stop) => {
                (self.catalog, self.path, self.role) = before;
                match stop {
                    Stop::Refused(error) => Err(error),
                    Stop::Unknown => Ok(self.not_running("a do block".to_owned())),
                }
            }
        }
    }

    /// Whether the block changed something.
    fn run(&mut self, block: &Block) -> Result<bool, Stop> {
        let before = (!block.handlers.is_empty()).then(|| self.catalog.clone());
        match (self.steps(&block.steps), before) {
            (Err(Stop::Refused(error)), Some(before)) => {
                let handler = block
                    .handlers
                    .iter()
                    .find(|handler| handler.conditions.iter().any(|condition| is_named(&error, condition)));
                let handler = handler.ok_or(Stop::Refused(error))?;
                self.catalog = before;
                self.steps(&handler.steps)
            }
            (outcome, _) => outcome,
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Result<bool, Stop> {
        let mut changed = false;
        for step in steps {
            changed |= match step {
                Step::Statement(statement) => match self.dispatch(statement).map_err(Stop::Refused)? {
                    Outcome::Applied | Outcome::NotRunning(_) => true,
                    Outcome::Skipped(_) | Outcome::NoEffect => false,
                    Outcome::Data => return Err(Stop::Unknown),
                },
                Step::Block(block) => self.run(block)?,
                Step::If { branches, otherwise } => {
                    let mut chosen = &otherwise[..];
                    for branch in branches {
                        if self.holds(&branch.condition).ok_or(Stop::Unknown)? {
                            chosen = &branch.steps;
                            break;
                        }
                    }
                    self.steps(chosen)?
                }
            };
        }
        Ok(changed)
    }
}

/// Whether a handler's condition names an error. What is only missing here is nobody's error to handle.
fn is_named(error: &Error, condition: &str) -> bool {
    if error.code() == Code::FEATURE_NOT_SUPPORTED {
        return false;
    }
    condition == "others"
        || CONDITIONS.iter().any(|(name, codes)| *name == condition && codes.contains(&error.code()))
}
