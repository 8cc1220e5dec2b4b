//! Angles in degrees (PostgreSQL 9.3): exact where mathematics says so, in steps of PostgreSQL's that make them so.

const RADIANS: f64 = std::f64::consts::PI / 180.0;

/// Up to 30 degrees, where the sine is a half.
fn low_sine(angle: f64) -> f64 {
    (angle * RADIANS).sin() / (30.0 * RADIANS).sin() / 2.0
}

/// Up to 60 degrees, where the cosine is a half.
fn low_cosine(angle: f64) -> f64 {
    let rest = 1.0 - (angle * RADIANS).cos();
    1.0 - rest / (1.0 - (60.0 * RADIANS).cos()) / 2.0
}

/// Up to 90 degrees.
fn quarter_sine(angle: f64) -> f64 {
    if angle <= 30.0 { low_sine(angle) } else { low_cosine(90.0 - angle) }
}

fn quarter_cosine(angle: f64) -> f64 {
    if angle <= 60.0 { low_cosine(angle) } else { low_sine(90.0 - angle) }
}

/// An angle of the first quarter, and the signs that its sine and its cosine have.
fn folded(angle: f64) -> (f64, f64, f64) {
    let (mut angle, mut sine, mut cosine) = (angle % 360.0, 1.0, 1.0);
    if angle < 0.0 {
        (angle, sine) = (-angle, -sine);
    }
    if angle > 180.0 {
        (angle, sine) = (360.0 - angle, -sine);
    }
    if angle > 90.0 {
        (angle, cosine) = (180.0 - angle, -cosine);
    }
    (angle, sine, cosine)
}

pub(super) fn sine(angle: f64) -> f64 {
    let (angle, sign, _) = folded(angle);
    sign * quarter_sine(angle)
}

pub(super) fn cosine(angle: f64) -> f64 {
    let (angle, _, sign) = folded(angle);
    sign * quarter_cosine(angle)
}

pub(super) fn tangent(angle: f64) -> f64 {
    let (angle, sine, cosine) = folded(angle);
    let one = quarter_sine(45.0) / quarter_cosine(45.0);
    // There is no negative zero.
    sine * cosine * (quarter_sine(angle) / quarter_cosine(angle) / one) + 0.0
}

pub(super) fn cotangent(angle: f64) -> f64 {
    let (angle, sine, cosine) = folded(angle);
    let one = quarter_cosine(45.0) / quarter_sine(45.0);
    sine * cosine * (quarter_cosine(angle) / quarter_sine(angle) / one) + 0.0
}

/// The angle of a sine from 0 to 1.
fn quarter_of_sine(sine: f64) -> f64 {
    if sine <= 0.5 { sine.asin() / 0.5_f64.asin() * 30.0 } else { 90.0 - sine.acos() / 0.5_f64.acos() * 60.0 }
}

pub(super) fn of_sine(sine: f64) -> f64 {
    if sine >= 0.0 { quarter_of_sine(sine) } else { -quarter_of_sine(-sine) }
}

pub(super) fn of_cosine(cosine: f64) -> f64 {
    match cosine {
        negative if negative < 0.0 => 90.0 + quarter_of_sine(-negative),
        low if low <= 0.5 => 90.0 - low.asin() / 0.5_f64.asin() * 30.0,
        high => high.acos() / 0.5_f64.acos() * 60.0,
    }
}
