//! Network addresses (PostgreSQL 9.12).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use types::{Code, Error, Result, Value};

use super::Ty::{Bool, Cidr as C, Inet as N, Int4 as I, Int8 as L, Text as T};
use super::arguments::{int, invalid, ok_text, text};
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::operator("<<", &[N, N], Bool, |_, a| related(a, |a, b| a.bits > b.bits && a.is_in(b))),
    Function::operator("<<=", &[N, N], Bool, |_, a| related(a, |a, b| a.bits >= b.bits && a.is_in(b))),
    Function::operator(">>", &[N, N], Bool, |_, a| related(a, |a, b| a.bits < b.bits && b.is_in(a))),
    Function::operator(">>=", &[N, N], Bool, |_, a| related(a, |a, b| a.bits <= b.bits && b.is_in(a))),
    Function::operator("&&", &[N, N], Bool, |_, a| {
        related(a, |a, b| if a.bits < b.bits { b.is_in(a) } else { a.is_in(b) })
    }),
    Function::operator("&", &[N, N], N, |_, a| combined(a, "AND", |a, b| a & b)),
    Function::operator("|", &[N, N], N, |_, a| combined(a, "OR", |a, b| a | b)),
    Function::prefix("~", &[N], N, |_, a| {
        let address = Address::read(a, 0)?;
        Address { value: !address.value & address.all(), ..address }.inet()
    }),
    Function::operator("+", &[N, L], N, |_, a| moved(a, 0, int(a, 1)?.into())),
    Function::operator("+", &[L, N], N, |_, a| moved(a, 1, int(a, 0)?.into())),
    Function::operator("-", &[N, L], N, |_, a| moved(a, 0, int(a, 1)?.wrapping_neg().into())),
    Function::operator("-", &[N, N], L, difference),
    Function::new("network", &[N], C, |_, a| Address::read(a, 0)?.network().cidr()),
    Function::new("netmask", &[N], N, |_, a| {
        let address = Address::read(a, 0)?;
        Address { value: address.mask(), bits: address.width(), ..address }.inet()
    }),
    Function::new("hostmask", &[N], N, |_, a| {
        let address = Address::read(a, 0)?;
        Address { value: !address.mask() & address.all(), bits: address.width(), ..address }.inet()
    }),
    Function::new("broadcast", &[N], N, |_, a| {
        let address = Address::read(a, 0)?;
        Address { value: address.value | (!address.mask() & address.all()), ..address }.inet()
    }),
    Function::new("set_masklen", &[N, I], N, |_, a| masked(a)?.inet()),
    Function::new("set_masklen", &[C, I], C, |_, a| masked(a)?.network().cidr()),
    Function::new("abbrev", &[N], T, |_, a| Address::read(a, 0)?.inet()),
    Function::new("abbrev", &[C], T, abbreviated),
    Function::new("inet_same_family", &[N, N], Bool, |_, a| {
        Ok(Value::Bool(Address::read(a, 0)?.is_long == Address::read(a, 1)?.is_long))
    }),
    Function::new("inet_merge", &[N, N], C, merged),
];

/// An address with the length of its network.
#[derive(Clone, Copy)]
struct Address {
    is_long: bool,
    value: u128,
    bits: u32,
}

impl Address {
    fn read(arguments: &[Value], position: usize) -> Result<Address> {
        let written = text(arguments, position)?;
        let (address, bits) = written.split_once('/').unwrap_or((written, ""));
        let address: IpAddr = address.parse().map_err(|_| Error::internal("a stored address"))?;
        let (is_long, value) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address))),
            IpAddr::V6(address) => (true, u128::from(address)),
        };
        let full = Address { is_long, value, bits: if is_long { 128 } else { 32 } };
        Ok(Address { bits: bits.parse().unwrap_or(full.bits), ..full })
    }

    /// Bits of an address.
    fn width(self) -> u32 {
        if self.is_long { 128 } else { 32 }
    }

    /// An address of ones.
    fn all(self) -> u128 {
        u128::MAX >> (128 - self.width())
    }

    /// Ones where the network is.
    fn mask(self) -> u128 {
        let host = self.width() - self.bits;
        self.all() & u128::MAX.checked_shl(host).unwrap_or(0)
    }

    fn network(self) -> Address {
        Address { value: self.value & self.mask(), ..self }
    }

    /// Whether it is in the network of another.
    fn is_in(self, other: Address) -> bool {
        self.is_long == other.is_long && (self.value ^ other.value) & other.mask() == 0
    }

    fn address(self) -> IpAddr {
        match u32::try_from(self.value) {
            Ok(short) if !self.is_long => IpAddr::V4(Ipv4Addr::from(short)),
            _ => IpAddr::V6(Ipv6Addr::from(self.value)),
        }
    }

    fn inet(self) -> Result<Value> {
        if self.bits == self.width() { ok_text(self.address().to_string()) } else { self.cidr() }
    }

    fn cidr(self) -> Result<Value> {
        ok_text(format!("{}/{}", self.address(), self.bits))
    }
}

fn related(arguments: &[Value], test: fn(Address, Address) -> bool) -> Result<Value> {
    let (left, right) = (Address::read(arguments, 0)?, Address::read(arguments, 1)?);
    Ok(Value::Bool(left.is_long == right.is_long && test(left, right)))
}

fn combined(arguments: &[Value], word: &str, join: fn(u128, u128) -> u128) -> Result<Value> {
    let (left, right) = (Address::read(arguments, 0)?, Address::read(arguments, 1)?);
    if left.is_long != right.is_long {
        return Err(invalid(format!("cannot {word} inet values of different sizes")));
    }
    Address { value: join(left.value, right.value), bits: left.bits.max(right.bits), ..left }.inet()
}

fn out_of_range() -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, "result is out of range")
}

fn moved(arguments: &[Value], position: usize, by: i128) -> Result<Value> {
    let address = Address::read(arguments, position)?;
    let value = address.value.checked_add_signed(by).filter(|value| *value <= address.all());
    Address { value: value.ok_or_else(out_of_range)?, ..address }.inet()
}

fn difference(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (left, right) = (Address::read(arguments, 0)?, Address::read(arguments, 1)?);
    if left.is_long != right.is_long {
        return Err(invalid("cannot subtract inet values of different sizes"));
    }
    // Counted around the end, as PostgreSQL does.
    let apart = left.value.wrapping_sub(right.value).cast_signed();
    i64::try_from(apart).map(Value::Int).map_err(|_| out_of_range())
}

fn masked(arguments: &[Value]) -> Result<Address> {
    let (address, bits) = (Address::read(arguments, 0)?, int(arguments, 1)?);
    let refused = || invalid(format!("invalid mask length: {bits}"));
    let bits = match bits {
        -1 => address.width(),
        bits => u32::try_from(bits).ok().filter(|bits| *bits <= address.width()).ok_or_else(refused)?,
    };
    Ok(Address { bits, ..address })
}

/// The octets that the network has.
fn abbreviated(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let address = Address::read(arguments, 0)?;
    let IpAddr::V4(written) = address.address() else {
        return Err(Error::missing("abbrev() of an IPv6 network"));
    };
    let octets = usize::try_from(address.bits.div_ceil(8).max(1)).unwrap_or(4);
    let octets: Vec<String> = written.octets().iter().take(octets).map(u8::to_string).collect();
    ok_text(format!("{}/{}", octets.join("."), address.bits))
}

/// The smallest network that both are in.
fn merged(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (left, right) = (Address::read(arguments, 0)?, Address::read(arguments, 1)?);
    if left.is_long != right.is_long {
        return Err(invalid("cannot merge addresses from different families"));
    }
    let alike = (left.value ^ right.value).leading_zeros() - (128 - left.width());
    Address { bits: alike.min(left.bits).min(right.bits), ..left }.network().cidr()
}
