//! What this crate's tests pass as time and randomness.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::entropy::{Clock, Random};

/// A clock that moves when it is told to.
pub(crate) struct Stopped(AtomicI64);

impl Default for Stopped {
    /// 2026-01-01 00:00 UTC.
    fn default() -> Stopped {
        Stopped(AtomicI64::new(9_497 * 86_400_000_000))
    }
}

impl Clock for Stopped {
    fn now_micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Bytes that look random and repeat on every run (splitmix64).
#[derive(Default)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    /// Other bytes than the default's.
    pub(crate) fn seeded(seed: u64) -> Dice {
        Dice(AtomicU64::new(seed))
    }
}

impl Random for Dice {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z >> 56) as u8;
        }
    }
}
