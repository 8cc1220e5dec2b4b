//! Where the embedded engine is known to answer otherwise: a row each, with its reason. What is in no row is a difference.

use super::ask::Asked;
use super::pair::Difference;

/// A known deviation.
pub(super) struct Deviation {
    pub(super) name: &'static str,
    /// Why it stays.
    pub(super) reason: &'static str,
    is: fn(&Asked, &Difference) -> bool,
}

/// All of them.
pub(super) const DEVIATIONS: &[Deviation] = &[];

/// The row of a difference.
pub(super) fn named(asked: &Asked, difference: &Difference) -> Option<&'static str> {
    DEVIATIONS.iter().find(|row| (row.is)(asked, difference)).map(|row| row.name)
}
