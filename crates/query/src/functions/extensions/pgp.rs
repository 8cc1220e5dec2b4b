//! `pgcrypto`'s messages under a password (RFC 4880): `pgp_sym_encrypt`, `pgp_sym_decrypt`, `armor`, `dearmor`.
//!
//! AES in the formats that `pgcrypto` writes by default and by its options of keys; what else a message may be is refused by
//! name. Everything that a wrong password makes of a message is one error, as in `pgcrypto`.

use std::sync::Arc;

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use types::session::EPOCH_MICROS;
use types::{Code, Error, Result, Value};

use super::super::Ty::{Bytea as B, Text as T};
use super::super::arguments::{bytes, ok_text, text};
use super::super::bytes::{base64, from_base64};
use super::super::interrupt::Steps;
use super::super::{Context, Function};

pub(in super::super) static ROWS: &[Function] = &[
    Function::new("pgp_sym_encrypt", &[T, T], B, |c, a| encrypt_text(c, a, "")).volatile().of("pgcrypto"),
    Function::new("pgp_sym_encrypt", &[T, T, T], B, |c, a| encrypt_text(c, a, text(a, 2)?))
        .volatile()
        .of("pgcrypto"),
    Function::new("pgp_sym_encrypt_bytea", &[B, T], B, |c, a| encrypt_bytes(c, a, ""))
        .volatile()
        .of("pgcrypto"),
    Function::new("pgp_sym_encrypt_bytea", &[B, T, T], B, |c, a| encrypt_bytes(c, a, text(a, 2)?))
        .volatile()
        .of("pgcrypto"),
    Function::new("pgp_sym_decrypt", &[B, T], T, |_, a| decrypt_text(a, "")).of("pgcrypto"),
    Function::new("pgp_sym_decrypt", &[B, T, T], T, |_, a| decrypt_text(a, text(a, 2)?)).of("pgcrypto"),
    Function::new("pgp_sym_decrypt_bytea", &[B, T], B, |_, a| decrypt_bytes(a, "")).of("pgcrypto"),
    Function::new("pgp_sym_decrypt_bytea", &[B, T, T], B, |_, a| decrypt_bytes(a, text(a, 2)?))
        .of("pgcrypto"),
    Function::new("armor", &[B], T, |_, a| ok_text(armor(bytes(a, 0)?))).of("pgcrypto"),
    Function::new("dearmor", &[T], B, |_, a| dearmor(text(a, 0)?)).of("pgcrypto"),
];

/// Ciphers: RFC 4880 9.2, the word of `cipher-algo`, the length of their keys.
const CIPHERS: &[(u8, &str, usize)] = &[(7, "aes128", 16), (8, "aes192", 24), (9, "aes256", 32)];

/// Ciphers that `pgcrypto` has besides.
const OTHER_CIPHERS: &[&str] = &["bf", "blowfish", "cast5", "3des", "twofish"];

/// Digests: RFC 4880 9.4, the word of `s2k-digest-algo`.
const DIGESTS: &[(u8, &str)] = &[(1, "md5"), (2, "sha1"), (8, "sha256"), (9, "sha384"), (10, "sha512")];

/// A digest that `pgcrypto` has besides.
const OTHER_DIGEST: &str = "ripemd160";

/// What `pgcrypto` may be told to look for in a message, and gives notice of; it changes nothing.
const EXPECTED: &[&str] = &[
    "cipher-algo",
    "disable-mdc",
    "sess-key",
    "s2k-mode",
    "s2k-count",
    "s2k-digest-algo",
    "s2k-cipher-algo",
    "compress-algo",
    "unicode-mode",
];

/// Packets: RFC 4880 4.3.
const SESSION_KEY: u8 = 3;
const ENCRYPTED: u8 = 9;
const COMPRESSED: u8 = 8;
const LITERAL: u8 = 11;
const PROTECTED: u8 = 18;

/// What stands before the digest at the end of a message.
const DIGEST_HEADER: [u8; 2] = [0xd3, 0x14];

const BLOCK: usize = 16;

/// What options say of a message.
struct Wanted {
    cipher: u8,
    derivation: Derivation,
    is_unicode: bool,
    /// Whether ends of lines lose their returns: of a text that is read.
    cuts_returns: bool,
    /// The first option that is not followed when a message is written.
    lacking: Option<String>,
}

/// How a password becomes a key: RFC 4880 3.7.
#[derive(Clone, Copy)]
struct Derivation {
    mode: u8,
    /// Nothing where it is one that only `pgcrypto` has.
    digest: Option<u8>,
    salt: [u8; 8],
    count: u8,
}

/// That of a message that is read says it itself.
const NO_DERIVATION: Derivation = Derivation { mode: 3, digest: Some(2), salt: [0; 8], count: 0 };

fn wrong() -> Error {
    Error::raised("39000", "Wrong key or corrupt data")
}

fn refused(message: &str) -> Error {
    Error::raised("39000", message)
}

fn encrypt_text(context: &mut Context<'_>, arguments: &[Value], options: &str) -> Result<Value> {
    let wanted = wanted(context, options)?;
    let kind = if wanted.is_unicode { b'u' } else { b't' };
    encrypted(context, (text(arguments, 0)?.as_bytes(), kind), text(arguments, 1)?, &wanted)
}

fn encrypt_bytes(context: &mut Context<'_>, arguments: &[Value], options: &str) -> Result<Value> {
    let wanted = wanted(context, options)?;
    encrypted(context, (bytes(arguments, 0)?, b'b'), text(arguments, 1)?, &wanted)
}

fn decrypt_text(arguments: &[Value], options: &str) -> Result<Value> {
    let wanted = said(options, NO_DERIVATION)?;
    let (kind, mut data) = decrypted(bytes(arguments, 0)?, text(arguments, 1)?)?;
    if kind == b'b' {
        return Err(refused("Not text data"));
    }
    if wanted.cuts_returns {
        let ends = |at: usize| data.get(at..at + 2) == Some(b"\r\n");
        data = (0..data.len()).filter(|at| !ends(*at)).map(|at| data[at]).collect();
    }
    let text = String::from_utf8(data).ok().filter(|text| !text.contains('\0'));
    let text = text
        .ok_or_else(|| Error::new(Code::NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\""))?;
    ok_text(text)
}

fn decrypt_bytes(arguments: &[Value], options: &str) -> Result<Value> {
    said(options, NO_DERIVATION)?;
    let (_, data) = decrypted(bytes(arguments, 0)?, text(arguments, 1)?)?;
    Ok(Value::Bytes(Arc::from(data)))
}

/// Options as they are written: `name=value`, separated by commas.
fn options(written: &str) -> Result<Vec<(String, String)>> {
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = written.strip_suffix(',').filter(|pairs| !pairs.is_empty()).unwrap_or(written);
    let is_word =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c == '=' || c.is_ascii_whitespace());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (name.trim().to_lowercase(), value.trim().to_lowercase());
        (is_word(&name) && is_word(&value)).then_some((name, value))
    };
    pairs.split(',').map(|written| pair(written).ok_or_else(illegal)).collect()
}

fn illegal() -> Error {
    refused("Illegal argument to function")
}

/// What C's `atoi` makes of a text.
fn number_of(word: &str) -> i64 {
    let end = word.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && matches!(c, '-' | '+')));
    word.get(..end.map_or(word.len(), |(at, _)| at)).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What options say; of what only `pgcrypto` writes it says the first.
fn wanted(context: &mut Context<'_>, written: &str) -> Result<Wanted> {
    let (mut salt, mut chance) = ([0; 8], [0; 1]);
    (context.random)(&mut salt);
    (context.random)(&mut chance);
    // 65 536 to 253 952 bytes of input, as `pgcrypto` chooses.
    let count = 96 + (chance[0] & 31);
    let wanted = said(written, Derivation { mode: 3, digest: Some(2), salt, count })?;
    match wanted.lacking {
        Some(what) => Err(Error::missing(format!("pgp_sym_encrypt() with {what}"))),
        None => Ok(wanted),
    }
}

/// What options say, of a message that is written or read: both take all of them.
fn said(written: &str, derivation: Derivation) -> Result<Wanted> {
    let mut wanted = Wanted { cipher: 7, derivation, is_unicode: false, cuts_returns: false, lacking: None };
    for (name, value) in options(written)? {
        let number = number_of(&value);
        let mut is_lacking = false;
        match name.as_str() {
            "cipher-algo" | "s2k-cipher-algo" => match cipher_of(&value)? {
                Some(cipher) => wanted.cipher = cipher,
                None => is_lacking = true,
            },
            "s2k-digest-algo" => {
                wanted.derivation.digest = digest_of(&value)?;
                is_lacking = wanted.derivation.digest.is_none();
            }
            "s2k-mode" => match u8::try_from(number) {
                Ok(mode @ (0 | 1 | 3)) => wanted.derivation.mode = mode,
                _ => return Err(illegal()),
            },
            "s2k-count" => wanted.derivation.count = count_of(number)?,
            "compress-level" if (0..=9).contains(&number) => {}
            "compress-algo" if (0..=3).contains(&number) => is_lacking = number != 0,
            "disable-mdc" | "sess-key" => is_lacking = number != 0,
            "convert-crlf" => {
                wanted.cuts_returns = number != 0;
                is_lacking = number != 0;
            }
            "unicode-mode" => wanted.is_unicode = number != 0,
            "debug" => {}
            expected if expected.strip_prefix("expect-").is_some_and(|name| EXPECTED.contains(&name)) => {}
            _ => return Err(illegal()),
        }
        if is_lacking {
            wanted.lacking.get_or_insert_with(|| format!("{name}={value}"));
        }
    }
    Ok(wanted)
}

/// The byte of RFC 4880 3.7.1.3 that stands for at least so many.
fn count_of(number: i64) -> Result<u8> {
    let wanted = usize::try_from(number).ok().filter(|number| (1024..=65_011_712).contains(number));
    let wanted = wanted.ok_or_else(illegal)?;
    Ok((0..=u8::MAX).find(|count| counted(*count) >= wanted).unwrap_or(u8::MAX))
}

fn counted(count: u8) -> usize {
    (16 + usize::from(count & 15)) << (usize::from(count >> 4) + 6)
}

/// A cipher; nothing where it is one that only `pgcrypto` has.
fn cipher_of(word: &str) -> Result<Option<u8>> {
    let word = if word == "aes" { "aes128" } else { word };
    match CIPHERS.iter().find(|(_, name, _)| *name == word) {
        Some((id, ..)) => Ok(Some(*id)),
        None if OTHER_CIPHERS.contains(&word) => Ok(None),
        None => Err(refused("Unsupported cipher algorithm")),
    }
}

/// A digest, in the same way.
fn digest_of(word: &str) -> Result<Option<u8>> {
    match DIGESTS.iter().find(|(_, name)| *name == word) {
        Some((id, _)) => Ok(Some(*id)),
        None if word == OTHER_DIGEST => Ok(None),
        None => Err(refused("Unsupported digest algorithm")),
    }
}

fn encrypted(
    context: &mut Context<'_>,
    (data, kind): (&[u8], u8),
    password: &str,
    wanted: &Wanted,
) -> Result<Value> {
    refuse_empty(password)?;
    let Derivation { mode, digest, salt, count } = wanted.derivation;
    let digest = digest.ok_or_else(illegal)?;
    let key = key(&wanted.derivation, wanted.cipher, password.as_bytes())?;
    let mut head = vec![4, wanted.cipher, mode, digest];
    if mode > 0 {
        head.extend(salt);
    }
    if mode == 3 {
        head.push(count);
    }
    let seconds = (context.session.now + EPOCH_MICROS) / 1_000_000;
    let mut literal = vec![kind, 0];
    literal.extend(u32::try_from(seconds).unwrap_or_default().to_be_bytes());
    literal.extend(data);
    let mut body = vec![0; BLOCK];
    (context.random)(&mut body);
    body.extend_from_within(BLOCK - 2..);
    body.extend(packet(LITERAL, &literal)?);
    body.extend(DIGEST_HEADER);
    let digest = Sha1::digest(&body);
    body.extend(digest);
    cipher(wanted.cipher, &key)?.chain(&mut body, Way::In)?;
    body.insert(0, 1);
    Ok(Value::Bytes(Arc::from([packet(SESSION_KEY, &head)?, packet(PROTECTED, &body)?].concat())))
}

/// A packet with a length of RFC 4880 4.2.2.
fn packet(tag: u8, body: &[u8]) -> Result<Vec<u8>> {
    let mut packet = vec![0xc0 | tag];
    match (u8::try_from(body.len()), u16::try_from(body.len().saturating_sub(192))) {
        (Ok(length @ ..192), _) => packet.push(length),
        (_, Ok(rest)) if body.len() < 8384 => {
            let [high, low] = rest.to_be_bytes();
            packet.extend([high + 192, low]);
        }
        _ => {
            let length = u32::try_from(body.len()).map_err(|_| Error::internal("a message of 4 GiB"))?;
            packet.push(0xff);
            packet.extend(length.to_be_bytes());
        }
    }
    packet.extend(body);
    Ok(packet)
}

fn refuse_empty(password: &str) -> Result<()> {
    if password.is_empty() {
        return Err(illegal());
    }
    Ok(())
}

/// The kind of what a message holds, and what it holds.
fn decrypted(message: &[u8], password: &str) -> Result<(u8, Vec<u8>)> {
    refuse_empty(password)?;
    let mut rest = message;
    let mut known = None;
    while !rest.is_empty() {
        let (tag, body, after) = taken(rest).ok_or_else(wrong)?;
        rest = after;
        match tag {
            SESSION_KEY if known.is_none() => known = Some(session_key(&body, password.as_bytes())?),
            PROTECTED => {
                let (id, key) = known.ok_or_else(wrong)?;
                return protected(id, &key, &body);
            }
            ENCRYPTED => return Err(Error::missing("pgp_sym_decrypt() of a message without a digest")),
            _ => return Err(wrong()),
        }
    }
    Err(wrong())
}

/// A packet: its tag, its body, what follows it.
fn taken(bytes: &[u8]) -> Option<(u8, Vec<u8>, &[u8])> {
    let (&head, mut rest) = bytes.split_first()?;
    if head & 0x80 == 0 {
        return None;
    }
    if head & 0x40 == 0 {
        let length = match head & 3 {
            0 => number(&mut rest, 1)?,
            1 => number(&mut rest, 2)?,
            2 => number(&mut rest, 4)?,
            _ => rest.len(),
        };
        let (body, after) = rest.split_at_checked(length)?;
        return Some(((head >> 2) & 15, body.to_vec(), after));
    }
    let mut whole = Vec::new();
    loop {
        let first = number(&mut rest, 1)?;
        let (length, is_last) = match first {
            0..192 => (first, true),
            192..224 => (((first - 192) << 8) + number(&mut rest, 1)? + 192, true),
            224..255 => (1 << (first & 31), false),
            _ => (number(&mut rest, 4)?, true),
        };
        let (part, after) = rest.split_at_checked(length)?;
        whole.extend(part);
        rest = after;
        if is_last {
            return Some((head & 63, whole, rest));
        }
    }
}

/// A number of so many bytes, which are taken.
fn number(rest: &mut &[u8], length: usize) -> Option<usize> {
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes.iter().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
}

/// The cipher of a message and its key.
fn session_key(body: &[u8], password: &[u8]) -> Result<(u8, Vec<u8>)> {
    let [4, id, mode, digest, rest @ ..] = body else { return Err(wrong()) };
    let mut rest = rest;
    let mut derivation = Derivation { mode: *mode, digest: Some(*digest), ..NO_DERIVATION };
    if *mode > 0 {
        let (salt, after) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
        (derivation.salt, rest) = (*salt, after);
    }
    if *mode == 3 {
        let (count, after) = rest.split_first().ok_or_else(wrong)?;
        (derivation.count, rest) = (*count, after);
    }
    let key = key(&derivation, *id, password)?;
    if rest.is_empty() {
        return Ok((*id, key));
    }
    let mut own = rest.to_vec();
    cipher(*id, &key)?.chain(&mut own, Way::Out)?;
    let (id, key) = own.split_first().ok_or_else(wrong)?;
    match CIPHERS.iter().find(|(known, ..)| known == id) {
        Some((.., length)) if key.len() == *length => Ok((*id, key.to_vec())),
        _ => Err(wrong()),
    }
}

fn protected(id: u8, key: &[u8], body: &[u8]) -> Result<(u8, Vec<u8>)> {
    let Some((1, hidden)) = body.split_first() else { return Err(wrong()) };
    let mut open = hidden.to_vec();
    cipher(id, key)?.chain(&mut open, Way::Out)?;
    let at = open.len().checked_sub(20).ok_or_else(wrong)?;
    let (said, digest) = open.split_at(at);
    let inner = said.get(BLOCK + 2..).and_then(|inner| inner.strip_suffix(&DIGEST_HEADER));
    if Sha1::digest(said).as_slice() != digest {
        return Err(wrong());
    }
    let (tag, literal, _) = taken(inner.ok_or_else(wrong)?).ok_or_else(wrong)?;
    match (tag, &literal[..]) {
        (LITERAL, [kind, name, rest @ ..]) => {
            // A name and four bytes of time stand before the data.
            let data = rest.get(usize::from(*name) + 4..).ok_or_else(wrong)?;
            Ok((*kind, data.to_vec()))
        }
        (COMPRESSED, _) => Err(Error::missing("pgp_sym_decrypt() of a compressed message")),
        _ => Err(wrong()),
    }
}

/// The key of a password: RFC 4880 3.7.1.
fn key(derivation: &Derivation, cipher: u8, password: &[u8]) -> Result<Vec<u8>> {
    let Some((.., length)) = CIPHERS.iter().find(|(known, ..)| *known == cipher) else {
        return Err(Error::missing("a pgp message by anything but AES"));
    };
    match derivation.digest {
        Some(1) => derived::<Md5>(derivation, password, *length),
        Some(2) => derived::<Sha1>(derivation, password, *length),
        Some(8) => derived::<Sha256>(derivation, password, *length),
        Some(9) => derived::<Sha384>(derivation, password, *length),
        Some(10) => derived::<Sha512>(derivation, password, *length),
        _ => Err(wrong()),
    }
}

fn derived<D: Digest>(derivation: &Derivation, password: &[u8], length: usize) -> Result<Vec<u8>> {
    let salt: &[u8] = if derivation.mode == 0 { &[] } else { &derivation.salt };
    let once = [salt, password].concat();
    let count = match derivation.mode {
        3 => counted(derivation.count),
        _ => once.len(),
    };
    let (mut key, mut zeros, mut steps) = (Vec::new(), 0, Steps::default());
    while key.len() < length {
        let mut digest = D::new();
        digest.update(vec![0; zeros]);
        let mut left = count.max(once.len());
        while left > 0 {
            let part = once.get(..left.min(once.len())).unwrap_or_default();
            if part.is_empty() {
                break;
            }
            steps.over(part.len())?;
            digest.update(part);
            left -= part.len();
        }
        key.extend(digest.finalize());
        zeros += 1;
    }
    key.truncate(length);
    Ok(key)
}

enum Cipher {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

fn cipher(id: u8, key: &[u8]) -> Result<Cipher> {
    let made = match id {
        7 => Aes128::new_from_slice(key).map(Cipher::Aes128),
        8 => Aes192::new_from_slice(key).map(Cipher::Aes192),
        _ => Aes256::new_from_slice(key).map(Cipher::Aes256),
    };
    made.map_err(|_| wrong())
}

impl Cipher {
    /// Feeds the cipher back from zeros: RFC 4880 13.9 without its resynchronization.
    fn chain(&self, data: &mut [u8], way: Way) -> Result<()> {
        let (mut before, mut steps) = ([0; BLOCK], Steps::default());
        for block in data.chunks_mut(BLOCK) {
            steps.next()?;
            let mut stream = Array(before);
            match self {
                Cipher::Aes128(cipher) => cipher.encrypt_block(&mut stream),
                Cipher::Aes192(cipher) => cipher.encrypt_block(&mut stream),
                Cipher::Aes256(cipher) => cipher.encrypt_block(&mut stream),
            }
            for ((byte, mask), last) in block.iter_mut().zip(stream).zip(&mut before) {
                let hidden = if matches!(way, Way::Out) { *byte } else { *byte ^ mask };
                *byte ^= mask;
                *last = hidden;
            }
        }
        Ok(())
    }
}

fn armor(data: &[u8]) -> String {
    let mut text = String::from("-----BEGIN PGP MESSAGE-----\n\n");
    text.push_str(&base64(data));
    text.push_str(if data.is_empty() { "" } else { "\n" });
    let [_, sum @ ..] = checksum(data).to_be_bytes();
    text.push('=');
    text.push_str(&base64(&sum));
    text.push_str("\n-----END PGP MESSAGE-----\n");
    text
}

/// RFC 4880 6.1.
fn checksum(data: &[u8]) -> u32 {
    data.iter().fold(0x00b7_04ce, |sum, byte| {
        let mixed = sum ^ (u32::from(*byte) << 16);
        (0..8).fold(mixed, |sum, _| {
            let next = sum << 1;
            if next & 0x0100_0000 == 0 { next } else { (next ^ 0x0186_4cfb) & 0x00ff_ffff }
        })
    })
}

fn dearmor(text: &str) -> Result<Value> {
    let corrupt = || refused("Corrupt ascii-armor");
    let mut lines = text.lines().map(str::trim_end).skip_while(|line| !line.starts_with("-----BEGIN "));
    lines.next().ok_or_else(corrupt)?;
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("-----END ")).collect();
    let start = lines.iter().position(|line| line.is_empty()).ok_or_else(corrupt)?;
    let (sums, digits): (Vec<&str>, Vec<&str>) =
        lines.into_iter().skip(start + 1).partition(|line| line.starts_with('='));
    let data = from_base64(&digits.concat()).map_err(|_| corrupt())?;
    let [_, sum @ ..] = checksum(&data).to_be_bytes();
    match sums[..] {
        [said] if said.get(1..) == Some(&base64(&sum)) => Ok(Value::Bytes(Arc::from(data))),
        _ => Err(corrupt()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by PostgreSQL: `select pgp_sym_encrypt(…)`.
    #[track_caller]
    fn check(message: &str, wanted: &str) {
        let bytes: Vec<u8> = (0..message.len() / 2)
            .map(|at| u8::from_str_radix(&message[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        let said = match decrypted(&bytes, "secret") {
            Ok((kind, data)) => format!("{}:{}", char::from(kind), String::from_utf8_lossy(&data)),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(said, wanted);
    }

    #[test]
    fn what_postgresql_wrote_is_read() {
        check(
            "c30d04070302339c8e7c7483688e70d23801c9d7338572f6d1b3f0d4b97ab08a768f99e751daa5117f45f277550229e3bd0814269171e03248b66b70e3309f1ea6f8e81bb9a2901387",
            "t:grüße",
        );
        check(
            "c30c040901084512c51907e3ce3fd23201b2dcc5839f474d1ef11b413b9f79038b18beb3f068ae6516b5dc8c33ebe1791086551197f3d3cd4a3875671ce90a96e99e",
            "t:x",
        );
        check(
            "c315040700023896d52eb88666a926f2271914f2dd9107d23201233c5d92a1afa6151dda31bd030116d091cdd94575d4b96905f9de8de6e2b4bbd93b76e0f0368d8ff5921660cc4459788f",
            "u:x",
        );
        check(
            "c30d0407030298a8d0ea85531fbc6fd2370154fb839924ecc99d8a4a239b616d751a56b6ab5ebe63d4bbfad489d3d50a132080944dfc3404a5bed946be3fc7d9a60188cac8f55495",
            "pgp_sym_decrypt() of a compressed message is not supported",
        );
        check(
            "c30d04070302720eba62e190df6167d2320110754e7c0144a0595b3ce30de0fe32822486c1e79e8f9c00e8ab60a75e36eb38d773916c32cbc6f5ceb42079a326b214ac",
            "Wrong key or corrupt data",
        );
        check(
            "c30d04070302f47935dad2c0701c62d232017879e1c4608a224f373f350c88231a2d0cb2d63ef98ca03ca5268c0b1c5176de1bd2bd913535ddcd80c11b6327730a7626",
            "b:x",
        );
    }

    #[test]
    fn lengths_are_read_as_they_are_written() {
        for length in [0, 1, 191, 192, 8383, 8384, 70_000] {
            let written = packet(LITERAL, &vec![7; length]).unwrap();
            let (tag, body, rest) = taken(&written).unwrap();
            assert_eq!((tag, body.len(), rest.len()), (LITERAL, length, 0));
        }
    }

    #[test]
    fn armor_is_taken_off() {
        let data: Vec<u8> = (0..=255).collect();
        let Ok(Value::Bytes(read)) = dearmor(&armor(&data)) else { panic!("not read") };
        assert_eq!(*read, *data);
        assert!(dearmor("-----BEGIN PGP MESSAGE-----\n\nabcd\n=abcd\n-----END PGP MESSAGE-----\n").is_err());
    }
}
