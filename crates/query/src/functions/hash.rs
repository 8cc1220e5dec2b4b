//! `hashtext` and `hashtextextended`: PostgreSQL's Jenkins hash of byte strings, on a little-endian machine.

use types::{Result, Value};

use super::arguments::{int, text};
use super::{Context, Function, Ty};

pub(super) static ROWS: &[Function] = &[
    Function::new("hashtext", &[Ty::Text], Ty::Int4, hashtext),
    Function::new("hashtextextended", &[Ty::Text, Ty::Int8], Ty::Int8, hashtextextended),
];

fn hashtext(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (_, low) = hash(text(arguments, 0)?.as_bytes(), 0);
    Ok(Value::Int(i32::from_ne_bytes(low.to_ne_bytes()).into()))
}

fn hashtextextended(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let seed = u64::from_ne_bytes(int(arguments, 1)?.to_ne_bytes());
    let (high, low) = hash(text(arguments, 0)?.as_bytes(), seed);
    let word = u64::from(high) << 32 | u64::from(low);
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
