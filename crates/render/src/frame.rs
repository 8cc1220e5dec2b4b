//! Words of window frames, which all dialects of SQL write alike.

use query::{FrameExclusion, FrameUnit};

/// How a frame begins.
pub(crate) fn unit(unit: FrameUnit) -> &'static str {
    match unit {
        FrameUnit::Range => " RANGE BETWEEN ",
        FrameUnit::Rows => " ROWS BETWEEN ",
        FrameUnit::Groups => " GROUPS BETWEEN ",
    }
}

/// How it ends.
pub(crate) fn exclusion(exclusion: FrameExclusion) -> &'static str {
    match exclusion {
        FrameExclusion::Nothing => "",
        FrameExclusion::Current => " EXCLUDE CURRENT ROW",
        FrameExclusion::Group => " EXCLUDE GROUP",
        FrameExclusion::Ties => " EXCLUDE TIES",
    }
}
