//! The system's time and randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use auth::{Clock, Random};
use ring::rand::{SecureRandom, SystemRandom};
use types::session::EPOCH_MICROS;

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_micros(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        i64::try_from(since).unwrap_or(i64::MAX).saturating_sub(EPOCH_MICROS)
    }
}

/// The system's randomness.
pub struct OsRandom(SystemRandom);

impl OsRandom {
    /// The source of this process.
    pub fn new() -> OsRandom {
        OsRandom(SystemRandom::new())
    }
}

impl Default for OsRandom {
    fn default() -> OsRandom {
        OsRandom::new()
    }
}

impl Random for OsRandom {
    fn fill(&self, out: &mut [u8]) {
        if self.0.fill(out).is_err() {
            // Without randomness nothing that this process would answer could be trusted.
            std::process::abort();
        }
    }
}
