//! Where the embedded engine is known to answer otherwise: a row each, with its reason. What is in no row is a difference.
//!
//! Two answers do not show by themselves, so that requests keep out of their way:
//!
//! - *Embeds of a write* show other rows as the write leaves them; PostgreSQL reads them from before it (`writes::embeds`).
//! - *Numbers of sequences after a refused write of several rows*: PostgreSQL completes rows up to the one that is refused, the
//!   embedded engine all of them. How many numbers are lost is nobody's promise ([`counts_on`]).

use super::ask::Asked;
use super::pair::Difference;

/// A known deviation.
pub(super) struct Deviation {
    pub(super) name: &'static str,
    is: fn(&Asked, &Difference) -> bool,
}

/// All of them. The reason of each stands above it.
pub(super) const DEVIATIONS: &[Deviation] = &[
    // An owner's view would show rows that policies hide: refused, with what would be right.
    Deviation {
        name: "views of owners over tables with row-level security",
        is: |_, found| {
            lacks(found, "a view that reads ")
                && found.sqlite.body.contains("with its owner's rights past row-level security")
        },
    },
];

/// Whether a refused write may have taken several numbers from a sequence.
pub(super) fn counts_on(asked: &Asked) -> bool {
    asked.method == "POST" && (asked.body.contains("},{") || asked.body.lines().count() > 2)
}

/// The row of a difference.
pub(super) fn named(asked: &Asked, difference: &Difference) -> Option<&'static str> {
    DEVIATIONS.iter().find(|row| (row.is)(asked, difference)).map(|row| row.name)
}

/// Whether the embedded engine refuses something by its name.
fn lacks(found: &Difference, message: &str) -> bool {
    found.sqlite.body.contains("\"code\":\"0A000\"")
        && found.sqlite.body.contains(&format!("\"message\":\"{message}"))
}
