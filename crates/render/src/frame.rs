//! Words of window frames, which all dialects of SQL write alike.

use query::{Expr, FrameBound, FrameExclusion, FrameUnit};

/// How a frame begins.
pub(crate) fn unit(unit: FrameUnit) -> &'static str {
    match unit {
        FrameUnit::Range => " RANGE BETWEEN ",
        FrameUnit::Rows => " ROWS BETWEEN ",
        FrameUnit::Groups => " GROUPS BETWEEN ",
    }
}

/// A bound: its offset, and the words behind that.
pub(crate) fn bound(bound: &FrameBound) -> (Option<&Expr>, &'static str) {
    match bound {
        FrameBound::First => (None, "UNBOUNDED PRECEDING"),
        FrameBound::Current => (None, "CURRENT ROW"),
        FrameBound::Last => (None, "UNBOUNDED FOLLOWING"),
        FrameBound::Preceding(offset) => (Some(offset), " PRECEDING"),
        FrameBound::Following(offset) => (Some(offset), " FOLLOWING"),
    }
}

/// What it leaves out.
pub(crate) fn exclusion(exclusion: FrameExclusion) -> &'static str {
    match exclusion {
        FrameExclusion::Nothing => "",
        FrameExclusion::Current => " EXCLUDE CURRENT ROW",
        FrameExclusion::Group => " EXCLUDE GROUP",
        FrameExclusion::Ties => " EXCLUDE TIES",
    }
}
