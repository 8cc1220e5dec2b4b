//! `migrate`: the data of a project to its schema, while no server has it open.

use types::Result;

use super::serve::{parts, runtime};
use super::{Migrate, refuse_broken, say};
use crate::app;
use crate::keys::DemoKeys;
use crate::project::{Project, Strictness};
use crate::settings::Environment;

/// Does it, or shows what it would do.
///
/// # Errors
/// When the project has errors, or a step is refused.
pub(super) fn run(words: &Migrate, environment: &Environment) -> Result<()> {
    let strictness = if words.lenient { Strictness::Lenient } else { Strictness::Strict };
    let project = Project::read(&words.place.dir, environment, strictness)?;
    refuse_broken(&project)?;
    let parts = parts(&words.place, project, DemoKeys::Refused);
    let runtime = runtime()?;
    let text = match words.plan {
        true => runtime.block_on(app::preview(parts))?,
        false => lines(&runtime.block_on(app::migrate(parts))?),
    };
    say(if text.is_empty() { "Nothing to change.\n" } else { &text });
    Ok(())
}

/// A line each.
pub(super) fn lines(done: &[String]) -> String {
    done.iter().map(|line| format!("{line}\n")).collect()
}
