//! The inverse hyperbolic functions (PostgreSQL 9.3), which PostgreSQL leaves to its C library: by glibc's steps, so that the last
//! digits are the same.

use std::f64::consts::LN_2;

use types::{Result, Value};

use super::Ty::Float8;
use super::arguments::float;
use super::floats::out_of_range;
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::new("asinh", &[Float8], Float8, |_, a| Ok(Value::Float(asinh(float(a, 0)?)))),
    Function::new("acosh", &[Float8], Float8, acosh),
    Function::new("atanh", &[Float8], Float8, atanh),
];

/// Below this, a value is its own sine; above its inverse, one is nothing beside its square.
const SMALL: f64 = 1.0 / LARGE;

/// 2²⁸
const LARGE: f64 = 268_435_456.0;

/// The upper half of a number's bits without its sign, by which glibc chooses its steps here.
fn upper_half(value: f64) -> u64 {
    value.abs().to_bits() >> 32
}

fn asinh(value: f64) -> f64 {
    let size = value.abs();
    let result = if value.is_infinite() || value.is_nan() || size < SMALL {
        return value;
    } else if upper_half(value) > upper_half(LARGE) {
        size.ln() + LN_2
    } else if upper_half(value) > upper_half(2.0) {
        (2.0 * size + 1.0 / ((size * size + 1.0).sqrt() + size)).ln()
    } else {
        let square = size * size;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    result.copysign(value)
}

fn acosh(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let value = float(arguments, 0)?;
    if value < 1.0 {
        return Err(out_of_range());
    }
    Ok(Value::Float(if value.is_infinite() || value.is_nan() {
        value
    } else if value >= LARGE {
        value.ln() + LN_2
    } else if value > 2.0 {
        (2.0 * value - 1.0 / (value + (value * value - 1.0).sqrt())).ln()
    } else {
        let above = value - 1.0;
        (above + (2.0 * above + above * above).sqrt()).ln_1p()
    }))
}

fn atanh(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let value = float(arguments, 0)?;
    let size = value.abs();
    if size > 1.0 {
        return Err(out_of_range());
    }
    let result = if value.is_nan() || size < SMALL {
        value
    } else if size < 0.5 {
        let double = size + size;
        0.5 * (double + double * size / (1.0 - size)).ln_1p()
    } else {
        // Of one it is infinite.
        0.5 * ((size + size) / (1.0 - size)).ln_1p()
    };
    Ok(Value::Float(result.copysign(value)))
}

#[cfg(test)]
mod tests {
    use types::session::Session;

    use super::*;

    #[track_caller]
    fn check(name: &str, argument: f64, wanted: &str) {
        let session = Session::utc(0);
        let clock = || 0;
        let mut context = Context { arguments: &[], session: &session, random: &mut |_| {}, clock: &clock };
        let function = ROWS.iter().find(|function| function.name == name).unwrap();
        let shown = match function.call(&mut context, &[Value::Float(argument)]) {
            Ok(value) => types::text::print(&types::Type::Float8, &value, &session),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, wanted, "{name}({argument})");
    }

    #[test]
    fn last_digits_are_postgresqls() {
        check("asinh", 1e-10, "1e-10");
        check("asinh", 0.1, "0.09983407889920758");
        check("asinh", -0.7, "-0.6526665660823557");
        check("asinh", 1.5, "1.1947632172871094");
        check("asinh", 2.5, "1.6472311463710958");
        check("asinh", -123.456, "-5.509048400149605");
        check("asinh", 300_000_000.0, "20.212440213180418");
        check("asinh", -1e300, "-691.4686750787736");
        check("asinh", f64::INFINITY, "Infinity");
        check("asinh", f64::NAN, "NaN");
        check("asinh", -0.0, "-0");
        check("acosh", 1.0, "0");
        check("acosh", 1.000_000_1, "0.0004472135919037347");
        check("acosh", 1.5, "0.9624236501192069");
        check("acosh", 2.0, "1.3169578969248166");
        check("acosh", 3.7, "1.9826969446812033");
        check("acosh", 12_345.678, "10.114208500211527");
        check("acosh", 1e18, "42.13967885445277");
        check("acosh", f64::INFINITY, "Infinity");
        check("acosh", f64::NAN, "NaN");
        check("atanh", 0.1, "0.10033534773107558");
        check("atanh", -0.3, "-0.30951960420311175");
        check("atanh", 0.5, "0.5493061443340548");
        check("atanh", 0.75, "0.9729550745276566");
        check("atanh", -0.999_999, "-7.254328619247669");
        check("atanh", 1e-12, "1e-12");
        check("atanh", 1.0, "Infinity");
        check("atanh", -1.0, "-Infinity");
        check("atanh", f64::NAN, "NaN");
        check("atanh", -0.0, "-0");
    }

    #[test]
    fn what_has_no_answer_is_refused() {
        for (name, argument) in
            [("acosh", 0.999), ("acosh", f64::NEG_INFINITY), ("atanh", -1.5), ("atanh", 2.0)]
        {
            check(name, argument, "22003: input is out of range");
        }
    }
}
