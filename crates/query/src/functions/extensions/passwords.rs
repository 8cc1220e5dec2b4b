//! `pgcrypto`'s `crypt` and `gen_salt`: hashes of passwords by `bf` (bcrypt) and `md5`.

use bcrypt::Version;
use md5::Md5;
use sha2::Digest;
use types::{Code, Error, Result, Value};

use super::super::Ty::{Int4 as I, Text as T};
use super::super::arguments::{int, invalid, ok_text, text};
use super::super::interrupt::Steps;
use super::super::{Context, Function};

pub(in super::super) static ROWS: &[Function] = &[
    Function::new("crypt", &[T, T], T, |_, a| crypt(text(a, 0)?, text(a, 1)?)).of("pgcrypto"),
    Function::new("gen_salt", &[T], T, |c, a| salt(c, text(a, 0)?, 0)).volatile().of("pgcrypto"),
    Function::new("gen_salt", &[T, I], T, |c, a| salt(c, text(a, 0)?, int(a, 1)?)).volatile().of("pgcrypto"),
];

/// The digits of both kinds, in two orders.
const BCRYPT: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MD5: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Most rounds of `bf`, as a power of two: they run while the only writer waits, a quarter of a second.
const ROUNDS_MAX: u32 = 12;

fn invalid_salt() -> Error {
    invalid("invalid salt")
}

fn crypt(password: &str, salt: &str) -> Result<Value> {
    if let Some(rest) = salt.strip_prefix("$2a$") {
        return bcrypt(password, rest);
    }
    if let Some(rest) = salt.strip_prefix("$1$") {
        return ok_text(md5(password.as_bytes(), rest.split('$').next().unwrap_or_default())?);
    }
    if salt.len() < 2 || salt.starts_with("$2a") {
        return Err(invalid_salt());
    }
    Err(Error::missing("crypt() by anything but bf and md5"))
}

/// `06$` and 22 digits of salt; what stands behind them is a hash.
fn bcrypt(password: &str, rest: &str) -> Result<Value> {
    let (rounds, digits) = rest.split_once('$').ok_or_else(invalid_salt)?;
    let rounds: u32 = Some(rounds)
        .filter(|rounds| rounds.len() == 2)
        .and_then(|rounds| rounds.parse().ok())
        .ok_or_else(invalid_salt)?;
    if !(4..=31).contains(&rounds) {
        return Err(invalid_salt());
    }
    if rounds > ROUNDS_MAX {
        let message = format!("crypt() with more than 2^{ROUNDS_MAX} rounds");
        return Err(Error::new(Code::LIMIT_EXCEEDED, message));
    }
    let salt = read(digits.as_bytes().get(..22).ok_or_else(invalid_salt)?).ok_or_else(invalid_salt)?;
    let hash = bcrypt::hash_with_salt(password, rounds, salt).map_err(|_| invalid_salt())?;
    ok_text(hash.format_for_version(Version::TwoA))
}

/// 16 bytes of 22 digits, the first bits first.
fn read(digits: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    for (at, digit) in digits.iter().enumerate() {
        let value = BCRYPT.iter().position(|known| known == digit)?;
        for bit in 0..6 {
            let place = at * 6 + bit;
            if let Some(byte) = bytes.get_mut(place / 8) {
                *byte |= u8::from(value >> (5 - bit) & 1 == 1) << (7 - place % 8);
            }
        }
    }
    Some(bytes)
}

/// The digits of a number, the lowest first.
fn digits(number: u32, count: u32) -> impl Iterator<Item = char> {
    (0..count).map(move |at| {
        let digit = usize::try_from(number >> (6 * at) & 63).unwrap_or(0);
        char::from(MD5[digit])
    })
}

/// The hash of FreeBSD: a thousand rounds of MD5 over the password, the salt and the round before.
fn md5(password: &[u8], salt: &str) -> Result<String> {
    let salt = salt.get(..8).unwrap_or(salt);
    let of = |parts: &[&[u8]]| -> [u8; 16] {
        let mut digest = Md5::new();
        parts.iter().for_each(|part| digest.update(part));
        digest.finalize().into()
    };
    let inner = of(&[password, salt.as_bytes(), password]);
    let mut first = Md5::new();
    first.update(password);
    first.update("$1$");
    first.update(salt);
    for chunk in 0..password.len().div_ceil(16) {
        first.update(&inner[..(password.len() - chunk * 16).min(16)]);
    }
    let mut length = password.len();
    while length > 0 {
        first.update(if length & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() });
        length >>= 1;
    }
    let mut hash: [u8; 16] = first.finalize().into();
    let mut steps = Steps::default();
    for round in 0..1000 {
        // Slower than a copy by far.
        steps.over(password.len().saturating_mul(16))?;
        let odd = round % 2 == 1;
        let mut parts: Vec<&[u8]> = vec![if odd { password } else { &hash }];
        parts.extend((round % 3 != 0).then_some(salt.as_bytes()));
        parts.extend((round % 7 != 0).then_some(password));
        parts.push(if odd { &hash } else { password });
        hash = of(&parts);
    }
    let byte = |at: usize| u32::from(hash[at]);
    let mut out = format!("$1${salt}$");
    for (high, middle, low) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        out.extend(digits(byte(high) << 16 | byte(middle) << 8 | byte(low), 4));
    }
    out.extend(digits(byte(11), 2));
    Ok(out)
}

fn salt(context: &mut Context<'_>, kind: &str, rounds: i64) -> Result<Value> {
    let wrong = || invalid("gen_salt: Incorrect number of rounds");
    let mut random = [0; 16];
    (context.random)(&mut random);
    match kind.to_ascii_lowercase().as_str() {
        "bf" => {
            let rounds = if rounds == 0 { 6 } else { rounds };
            if !(4..=31).contains(&rounds) {
                return Err(wrong());
            }
            // Of the last digit two bits count.
            let digit = |at: usize| {
                let bit = |place: usize| random.get(place / 8).map_or(0, |byte| byte >> (7 - place % 8) & 1);
                let value = (0..6).fold(0, |value, place| value << 1 | usize::from(bit(at * 6 + place)));
                char::from(BCRYPT[value])
            };
            ok_text(format!("$2a${rounds:02}${}", (0..22).map(digit).collect::<String>()))
        }
        "md5" if matches!(rounds, 0 | 1000) => {
            let part =
                |at: usize| digits(u32::from_le_bytes([random[at], random[at + 1], random[at + 2], 0]), 4);
            ok_text(format!("$1${}", part(0).chain(part(3)).collect::<String>()))
        }
        "md5" => Err(wrong()),
        "des" | "xdes" => Err(Error::missing(format!("gen_salt('{kind}')"))),
        _ => Err(invalid("gen_salt: Unknown salt algorithm")),
    }
}
