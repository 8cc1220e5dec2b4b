//! `hashtext` and `hashtextextended`: PostgreSQL's Jenkins hash of byte strings, on a little-endian machine; and what it makes of
//! the keys of tables that are partitioned by hash.

use types::{Result, Value};

use super::arguments::{int, text};
use super::{Context, Function, Ty};

pub(super) static ROWS: &[Function] = &[
    Function::new("hashtext", &[Ty::Text], Ty::Int4, hashtext),
    Function::new("hashtextextended", &[Ty::Text, Ty::Int8], Ty::Int8, hashtextextended),
    key(&[Ty::Bool, Ty::Int8]),
    key(&[Ty::Int2, Ty::Int8]),
    key(&[Ty::Int4, Ty::Int8]),
    key(&[Ty::Int8, Ty::Int8]),
    key(&[Ty::Text, Ty::Int8]),
    key(&[Ty::Varchar, Ty::Int8]),
    key(&[Ty::Uuid, Ty::Int8]),
    key(&[Ty::Date, Ty::Int8]),
    key(&[Ty::Time, Ty::Int8]),
    key(&[Ty::Timestamp, Ty::Int8]),
    key(&[Ty::Timestamptz, Ty::Int8]),
    Function::new(REMAINDER, &[Ty::Int8, Ty::Int8], Ty::Int8, remainder).leakproof(),
];

/// The hash of the keys up to one, of it and of the hash of those before. No SQL names it.
pub(crate) const KEY: &str = "partition hash";

/// The remainder of a hash. No SQL names it.
pub(crate) const REMAINDER: &str = "partition remainder";

/// `HASH_PARTITION_SEED`
const PARTITION_SEED: u64 = 0x7a5b_2236_7996_dcfd;

const fn key(arguments: &'static [Ty]) -> Function {
    Function::new(KEY, arguments, Ty::Int8, key_hash).leakproof().lax()
}

/// `compute_partition_hash_value`: a null changes nothing.
fn key_hash(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let before = int(arguments, 1)?;
    let own = match arguments.first() {
        Some(Value::Bool(value)) => word_hash(i32::from(*value)),
        Some(Value::Date(days)) => word_hash(*days),
        Some(Value::Int(value)) => match i32::try_from(*value) {
            Ok(word) => word_hash(word),
            Err(_) => long_hash(*value),
        },
        Some(Value::Time(value) | Value::Timestamp(value)) => long_hash(*value),
        Some(Value::Text(text)) => both(hash(text.as_bytes(), PARTITION_SEED)),
        Some(Value::Uuid(bytes)) => both(hash(bytes, PARTITION_SEED)),
        _ => return Ok(Value::Int(before)),
    };
    let before = u64::from_ne_bytes(before.to_ne_bytes());
    let mixed = own.wrapping_add(0x49a0_f4dd_15e5_a8e3).wrapping_add(before << 54).wrapping_add(before >> 7);
    Ok(Value::Int(i64::from_ne_bytes((before ^ mixed).to_ne_bytes())))
}

fn remainder(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let [hash, modulus] =
        [0, 1].map(|at| int(arguments, at).map(|value| u64::from_ne_bytes(value.to_ne_bytes())));
    let remainder = hash?.checked_rem(modulus?).unwrap_or_default();
    Ok(Value::Int(i64::from_ne_bytes(remainder.to_ne_bytes())))
}

fn word_hash(word: i32) -> u64 {
    both(hash(&word.to_le_bytes(), PARTITION_SEED))
}

/// `hashint8extended`: what fits a word hashes as one.
fn long_hash(value: i64) -> u64 {
    let [low, high] = [value, value >> 32].map(|half| u32::try_from(half & 0xffff_ffff).unwrap_or_default());
    let folded = low ^ if value >= 0 { high } else { !high };
    both(hash(&folded.to_le_bytes(), PARTITION_SEED))
}

fn both((high, low): (u32, u32)) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn hashtext(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (_, low) = hash(text(arguments, 0)?.as_bytes(), 0);
    Ok(Value::Int(i32::from_ne_bytes(low.to_ne_bytes()).into()))
}

fn hashtextextended(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let seed = u64::from_ne_bytes(int(arguments, 1)?.to_ne_bytes());
    let (high, low) = hash(text(arguments, 0)?.as_bytes(), seed);
    let word = both((high, low));
    Ok(Value::Int(i64::from_ne_bytes(word.to_ne_bytes())))
}

/// Bob Jenkins' hash of 2006 (`lookup3`) as PostgreSQL seeds it: both words that it ends with.
fn hash(bytes: &[u8], seed: u64) -> (u32, u32) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut state = [0x9e37_79b9_u32.wrapping_add(length).wrapping_add(3_923_095); 3];
    if seed != 0 {
        let [high, low] = [seed >> 32, seed & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(0));
        state[0] = state[0].wrapping_add(high);
        state[1] = state[1].wrapping_add(low);
        mix(&mut state);
    }
    let mut chunks = bytes.chunks_exact(12);
    for chunk in &mut chunks {
        for (word, part) in state.iter_mut().zip(chunk.chunks(4)) {
            *word = word.wrapping_add(little_endian(part));
        }
        mix(&mut state);
    }
    // The lowest byte of the last word is reserved for the length.
    for (at, byte) in chunks.remainder().iter().enumerate() {
        let shift = if at < 8 { 8 * (at % 4) } else { 8 * (at - 7) };
        state[at / 4] = state[at / 4].wrapping_add(u32::from(*byte) << shift);
    }
    finish(&mut state);
    (state[1], state[2])
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    *state = [a, b, c];
}

fn finish(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    *state = [a, b, c];
}
