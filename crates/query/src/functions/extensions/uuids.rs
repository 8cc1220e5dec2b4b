//! `uuid-ossp`: identifiers made of names, of time and of chance (RFC 9562).

use md5::Md5;
use sha1::Sha1;
use sha2::Digest;
use types::session::EPOCH_MICROS;
use types::{Result, Value};

use super::super::Ty::{Text as T, Uuid as U};
use super::super::arguments::text;
use super::super::values::random_uuid;
use super::super::{Context, Function};

pub(in super::super) static ROWS: &[Function] = &[
    Function::new("uuid_generate_v4", &[], U, random_uuid).volatile().of("uuid-ossp"),
    Function::new("uuid_generate_v1", &[], U, timed).volatile().of("uuid-ossp"),
    Function::new("uuid_generate_v1mc", &[], U, timed).volatile().of("uuid-ossp"),
    Function::new("uuid_generate_v3", &[U, T], U, |_, a| {
        let mut digest = Md5::new();
        digest.update(space(a));
        digest.update(text(a, 1)?);
        Ok(of_bytes(&digest.finalize(), 3))
    })
    .of("uuid-ossp"),
    Function::new("uuid_generate_v5", &[U, T], U, |_, a| {
        let mut digest = Sha1::new();
        digest.update(space(a));
        digest.update(text(a, 1)?);
        Ok(of_bytes(&digest.finalize(), 5))
    })
    .of("uuid-ossp"),
    Function::new("uuid_nil", &[], U, |_, _| Ok(Value::Uuid([0; 16]))).of("uuid-ossp"),
    Function::new("uuid_ns_dns", &[], U, |_, _| Ok(namespace(0x10))).of("uuid-ossp"),
    Function::new("uuid_ns_url", &[], U, |_, _| Ok(namespace(0x11))).of("uuid-ossp"),
    Function::new("uuid_ns_oid", &[], U, |_, _| Ok(namespace(0x12))).of("uuid-ossp"),
    Function::new("uuid_ns_x500", &[], U, |_, _| Ok(namespace(0x14))).of("uuid-ossp"),
];

/// The namespaces of the standard differ in one byte.
fn namespace(last: u8) -> Value {
    let rest = [0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
    let mut bytes = [0x6b, 0xa7, 0xb8, last, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes[4..].copy_from_slice(&rest);
    Value::Uuid(bytes)
}

fn space(arguments: &[Value]) -> [u8; 16] {
    match arguments.first() {
        Some(Value::Uuid(bytes)) => *bytes,
        _ => [0; 16],
    }
}

/// The first bytes of a digest, with a version and the variant of the standard.
fn of_bytes(digest: &[u8], version: u8) -> Value {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, digest)| *byte = *digest);
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Value::Uuid(bytes)
}

/// Between 1582-10-15 and the Unix epoch, in tenths of a microsecond.
const GREGORIAN_TICKS: i64 = 0x01b2_1dd2_1381_4000;

/// Of the time, with an address of chance that says so: the machine's own is nobody's business.
fn timed(context: &mut Context<'_>, _: &[Value]) -> Result<Value> {
    let ticks = ((context.clock)() + EPOCH_MICROS).wrapping_mul(10).wrapping_add(GREGORIAN_TICKS);
    let time = ticks.to_be_bytes();
    let mut chance = [0; 8];
    (context.random)(&mut chance);
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&time[4..]);
    bytes[4..6].copy_from_slice(&time[2..4]);
    bytes[6..8].copy_from_slice(&time[..2]);
    bytes[8..].copy_from_slice(&chance);
    bytes[10] |= 1;
    Ok(of_bytes(&bytes, 1))
}
