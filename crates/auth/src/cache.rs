//! A bounded memory of verified tokens, so that a signature is checked once and not on every request.
//!
//! Two generations a shard: when the young one is full the old one is dropped. No token stays for lack of others,
//! and no scan happens on the request path. Whether a token is still good in time is for its reader to check.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::token::Verified;

const SHARDS: usize = 16;

/// Tokens by the SHA-256 of their text.
pub struct Cache {
    shards: Vec<Mutex<Shard>>,
    shard_max: usize,
}

#[derive(Default)]
struct Shard {
    young: HashMap<[u8; 32], Entry>,
    old: HashMap<[u8; 32], Entry>,
}

#[derive(Clone)]
struct Entry {
    epoch: u64,
    verified: Arc<Verified>,
}

impl Cache {
    /// A cache for up to `tokens_max` tokens.
    pub fn new(tokens_max: usize) -> Cache {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Cache { shards, shard_max: tokens_max.div_ceil(2 * SHARDS).max(1) }
    }

    fn shard(&self, hash: &[u8; 32]) -> std::sync::MutexGuard<'_, Shard> {
        self.shards[usize::from(hash[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, when it was verified with the keys of this epoch.
    pub fn get(&self, hash: &[u8; 32], epoch: u64) -> Option<Arc<Verified>> {
        let mut shard = self.shard(hash);
        if let Some(entry) = shard.young.get(hash) {
            return (entry.epoch == epoch).then(|| entry.verified.clone());
        }
        let entry = shard.old.remove(hash).filter(|entry| entry.epoch == epoch)?;
        shard.insert(self.shard_max, *hash, entry.clone());
        Some(entry.verified)
    }

    /// Remembers a token.
    pub fn put(&self, hash: [u8; 32], epoch: u64, verified: &Arc<Verified>) {
        self.shard(&hash).insert(self.shard_max, hash, Entry { epoch, verified: verified.clone() });
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        let sizes =
            self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len());
        sizes.sum()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Shard {
    fn insert(&mut self, young_max: usize, hash: [u8; 32], entry: Entry) {
        if self.young.len() >= young_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, entry);
    }

    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
