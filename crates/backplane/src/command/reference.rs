//! `reference`: the pages of `docs/reference`, from the tables.

use std::fs;
use std::path::Path;

use types::{Code, Error, Result};

use crate::settings::reference;

/// Writes them.
///
/// # Errors
/// `58030` when a page cannot be written.
pub(super) fn run(dir: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(Code::IO_ERROR, format!("could not write to {}: {error}", dir.display()))
    };
    fs::create_dir_all(dir).map_err(failed)?;
    reference::pages().iter().try_for_each(|page| fs::write(dir.join(page.name), &page.text).map_err(failed))
}
