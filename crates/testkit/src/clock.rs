//! Time and randomness of a case: a clock that moves when the case says so, numbers that are the same every time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use auth::{Clock, Random};

/// 2026-01-01 12:00:00 UTC, in microseconds since 2000-01-01.
const NOON: i64 = 820_584_000_000_000;

/// A clock that stands still.
#[derive(Debug)]
pub struct Stopped(AtomicI64);

impl Default for Stopped {
    fn default() -> Stopped {
        Stopped(AtomicI64::new(NOON))
    }
}

impl Stopped {
    /// Moves on.
    pub fn advance(&self, seconds: u64) {
        let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for Stopped {
    fn now_micros(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Randomness that is the same in every run: a counter, well mixed (`SplitMix64`).
#[derive(Debug, Default)]
pub struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let mut word =
                self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_when_told() {
        let clock = Stopped::default();
        let before = clock.now_unix();
        assert_eq!(before, 1_767_268_800);
        clock.advance(60);
        assert_eq!(clock.now_unix(), before + 60);
    }

    #[test]
    fn dice_do_not_repeat_and_are_repeatable() {
        let (mut a, mut b, mut c) = ([0; 20], [0; 20], [0; 20]);
        let dice = Dice::default();
        dice.fill(&mut a);
        dice.fill(&mut b);
        Dice::default().fill(&mut c);
        assert_ne!(a, b);
        assert_eq!(a, c);
    }
}
