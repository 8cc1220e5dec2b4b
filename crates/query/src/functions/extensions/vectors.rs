//! Being written.

use super::super::Function;

pub(in super::super) static ROWS: &[Function] = &[];
pub(in super::super) static AGGREGATES: &[super::super::Aggregate] = &[];
