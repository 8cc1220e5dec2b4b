//! How often one address may ask: token buckets, bounded in number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::codes;
use crate::config::RateLimits;
use crate::error::{AuthError, AuthResult};
use crate::instant::SECOND;

/// Buckets that are remembered. Beyond, full ones are forgotten first, then all: a flood of addresses must not fill the
/// memory.
const BUCKETS_MAX: usize = 65_536;

/// What is counted, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// `POST /signup` with an identifier.
    SignUp,
    /// `POST /signup` without one.
    Anonymous,
    /// `POST /token`.
    Token,
    /// `PUT /user`.
    User,
    /// `/verify`.
    Verify,
}

/// Five minutes and an hour, in seconds.
const SHORT_S: i64 = 300;
const LONG_S: i64 = 3_600;

impl Bucket {
    /// How many in how many seconds.
    fn rate(self, limits: &RateLimits) -> (u32, i64) {
        match self {
            Bucket::SignUp | Bucket::User => (limits.sign_in_sign_ups, SHORT_S),
            Bucket::Token => (limits.token_refresh, SHORT_S),
            Bucket::Anonymous => (limits.anonymous_users, LONG_S),
            Bucket::Verify => (limits.token_verifications, SHORT_S),
        }
    }
}

/// The buckets of all addresses.
#[derive(Default)]
pub(crate) struct Limiter {
    /// When each bucket will be full again. One call costs the time in which one is refilled.
    full_at: Mutex<HashMap<(Bucket, Key), i64>>,
}

/// Whom an address stands for: an IPv6 address for its network of 64 bits, which one customer has whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Address(IpAddr),
    /// What a proxy's header says.
    Named(String),
}

impl Key {
    pub(crate) fn of_peer(peer: IpAddr) -> Key {
        Key::Address(match peer.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }

    /// The first entry of a proxy's header.
    pub(crate) fn of_header(value: &str) -> Option<Key> {
        let first = value.split(',').next().unwrap_or_default().trim();
        match first.parse::<IpAddr>() {
            Ok(address) => Some(Key::of_peer(address)),
            Err(_) if first.is_empty() || first.len() > 64 => None,
            Err(_) => Some(Key::Named(first.to_owned())),
        }
    }
}

impl Limiter {
    /// Takes one out of a bucket.
    ///
    /// # Errors
    /// `over_request_rate_limit` with the seconds to wait.
    pub(crate) fn take(&self, bucket: Bucket, key: Key, limits: &RateLimits, now: i64) -> AuthResult<()> {
        let (count, seconds) = bucket.rate(limits);
        if count == 0 {
            return Ok(());
        }
        let whole = seconds * SECOND;
        let cost = whole / i64::from(count);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut full_at, now);
        let entry = full_at.entry((bucket, key)).or_insert(now);
        // A clock that was set back must not lock anybody out for longer than a full bucket.
        let next = (*entry).clamp(now, now.saturating_add(whole)).saturating_add(cost);
        let wait = next - now - whole;
        if wait > 0 {
            let wait_s = u64::try_from(wait / SECOND + 1).unwrap_or(1);
            return Err(AuthError::of(codes::OVER_REQUEST_RATE_LIMIT).with_retry_after_s(wait_s));
        }
        *entry = next;
        Ok(())
    }
}

fn make_room(full_at: &mut HashMap<(Bucket, Key), i64>, now: i64) {
    if full_at.len() >= BUCKETS_MAX {
        full_at.retain(|_, time| *time > now);
    }
    if full_at.len() >= BUCKETS_MAX {
        full_at.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8) -> Key {
        Key::of_peer(IpAddr::from([127, 0, 0, last]))
    }

    #[test]
    fn one_address_has_its_burst_and_then_a_trickle() {
        let limiter = Limiter::default();
        let limits = RateLimits { sign_in_sign_ups: 3, ..RateLimits::default() };
        let take = |last, now| limiter.take(Bucket::SignUp, key(last), &limits, now);
        for _ in 0..3 {
            take(1, 0).unwrap();
        }
        let refused = take(1, 0).unwrap_err();
        assert_eq!((refused.code().status, refused.code().name), (429, "over_request_rate_limit"));
        take(2, 0).unwrap();
        take(1, 100 * SECOND).unwrap();
        assert!(take(1, 100 * SECOND).is_err());
        limiter.take(Bucket::Token, key(1), &limits, 0).unwrap();
    }

    #[test]
    fn a_zero_is_no_limit() {
        let limits = RateLimits { token_refresh: 0, ..RateLimits::default() };
        let limiter = Limiter::default();
        assert!((0..1_000).all(|_| limiter.take(Bucket::Token, key(1), &limits, 0).is_ok()));
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let of = |text: &str| Key::of_peer(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:127.0.0.1"), key(1));
        assert_eq!(Key::of_header("127.0.0.1, 10.0.0.1"), Some(key(1)));
        assert_eq!(Key::of_header(" ,x"), None);
    }

    #[test]
    fn a_flood_of_addresses_does_not_fill_the_memory() {
        let limiter = Limiter::default();
        for number in 0..70_000_u32 {
            let key = Key::of_peer(IpAddr::from(number.to_be_bytes()));
            limiter.take(Bucket::Token, key, &RateLimits::default(), i64::from(number)).unwrap();
        }
        assert!(limiter.full_at.lock().unwrap().len() <= BUCKETS_MAX);
    }
}
