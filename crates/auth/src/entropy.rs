//! Where time and randomness come in. The product passes the system's, tests pass their own.

use types::session::EPOCH_MICROS;

/// A clock.
pub trait Clock: Send + Sync {
    /// Microseconds since 2000-01-01 00:00 UTC: the value of a `timestamptz`.
    fn now_micros(&self) -> i64;

    /// Whole seconds since the Unix epoch: a token's `NumericDate` (RFC 7519 section 2).
    fn now_unix(&self) -> i64 {
        self.now_micros().saturating_add(EPOCH_MICROS).div_euclid(1_000_000)
    }
}

/// A cryptographically secure source of randomness.
pub trait Random: Send + Sync {
    /// Fills `out`. A source that can fail must end the process instead of returning predictable bytes.
    fn fill(&self, out: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A random UUID, version 4 (RFC 9562 section 5.4).
pub fn uuid(random: &dyn Random) -> [u8; 16] {
    let mut out = bytes::<16>(random);
    out[6] = (out[6] & 0x0f) | 0x40;
    out[8] = (out[8] & 0x3f) | 0x80;
    out
}
