//! `to_char` of numbers (PostgreSQL 9.8, table 9.30), character by character as PostgreSQL writes them.
//! What is written so is read by `number_read`.

use types::numeric::Numeric;
use types::{Code, Error, Result, Type, Value};

use super::Function;
use super::Ty::{Float4, Float8, Int4, Int8, Numeric as N, Text as T};
use super::arguments::{float, int, ok_text, text};
use super::moment_format::literal;
use super::numbers::number;

pub(super) static ROWS: &[Function] = &[
    Function::new("to_char", &[N, T], T, |_, a| of_number(number(a, 0)?, text(a, 1)?)).stable(),
    Function::new("to_char", &[Int4, T], T, |_, a| of_integer(a, &Type::Int4)).stable(),
    Function::new("to_char", &[Int8, T], T, |_, a| of_integer(a, &Type::Int8)).stable(),
    Function::new("to_char", &[Float4, T], T, |_, a| of_float(float(a, 0)?, 6, text(a, 1)?)).stable(),
    Function::new("to_char", &[Float8, T], T, |_, a| of_float(float(a, 0)?, 15, text(a, 1)?)).stable(),
];

/// The ending of an ordinal: `st`, `nd`, `rd`, `th`.
pub(super) fn ordinal(number: &str) -> Result<&'static str> {
    let digits = number.as_bytes();
    if !digits.last().is_some_and(u8::is_ascii_digit) {
        return Err(Error::new(Code::INVALID_TEXT, format!("\"{number}\" is not a number")));
    }
    let is_teen = digits.len() > 1 && digits.get(digits.len() - 2) == Some(&b'1');
    Ok(match digits.last() {
        Some(b'1') if !is_teen => "st",
        Some(b'2') if !is_teen => "nd",
        Some(b'3') if !is_teen => "rd",
        _ => "th",
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    Comma,
    Point,
    Zero,
    Nine,
    Blank,
    Exponent,
    Fill,
    Group,
    Currency,
    Minus,
    Plus,
    Angle,
    Roman { is_upper: bool },
    Sign,
    Spell,
    Signed,
    Ordinal { is_upper: bool },
    Shift,
}

/// The patterns; a longer one stands before those that it begins with.
#[rustfmt::skip]
const PATTERNS: &[(&str, Key)] = &[
    (",", Key::Comma), (".", Key::Point), ("0", Key::Zero), ("9", Key::Nine), ("B", Key::Blank), ("b", Key::Blank), ("C", Key::Spell), ("c", Key::Spell),
    ("D", Key::Point), ("d", Key::Point), ("EEEE", Key::Exponent), ("eeee", Key::Exponent), ("FM", Key::Fill), ("fm", Key::Fill),
    ("G", Key::Group), ("g", Key::Group), ("L", Key::Currency), ("l", Key::Currency), ("MI", Key::Minus), ("mi", Key::Minus),
    ("PL", Key::Plus), ("pl", Key::Plus), ("PR", Key::Angle), ("pr", Key::Angle),
    ("RN", Key::Roman { is_upper: true }), ("rn", Key::Roman { is_upper: false }),
    ("SG", Key::Sign), ("sg", Key::Sign), ("SP", Key::Spell), ("sp", Key::Spell), ("S", Key::Signed), ("s", Key::Signed),
    ("TH", Key::Ordinal { is_upper: true }), ("th", Key::Ordinal { is_upper: false }), ("V", Key::Shift), ("v", Key::Shift),
];

pub(super) enum Part<'f> {
    Text(&'f str),
    Key(Key),
}

/// What the patterns of a format say together.
#[derive(Default)]
pub(super) struct Format<'f> {
    pub(super) parts: Vec<Part<'f>>,
    /// Digits before and behind the point.
    pub(super) before: usize,
    pub(super) behind: usize,
    /// Digits that `V` shifts by.
    pub(super) shift: usize,
    is_shifted: bool,
    pub(super) has_point: bool,
    pub(super) is_filled: bool,
    is_blank: bool,
    has_zero: bool,
    /// The first and the last place of a `0`, from 1.
    zero_start: usize,
    zero_end: usize,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) angle: bool,
    pub(super) roman: bool,
    pub(super) exponent: bool,
    pub(super) signed: Option<Signed>,
    /// Digits before an `S` in front.
    signed_at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Signed {
    Before,
    Behind,
}

fn syntax(message: &str) -> Error {
    Error::new(Code::SYNTAX, message)
}

/// Longest format: digits are written one by one.
const FORMAT_BYTES_MAX: usize = 64 << 10;

/// What a format says.
pub(super) fn read(format: &str) -> Result<Format<'_>> {
    if format.len() > FORMAT_BYTES_MAX {
        let message = format!("a format of more than {FORMAT_BYTES_MAX} bytes");
        return Err(Error::new(Code::LIMIT_EXCEEDED, message));
    }
    let (mut rest, mut read) = (format, Format::default());
    while !rest.is_empty() {
        match PATTERNS.iter().find_map(|(name, key)| Some((rest.strip_prefix(name)?, *key))) {
            Some((behind, key)) => {
                rest = behind;
                read.take(key)?;
                read.parts.push(Part::Key(key));
            }
            None => {
                let mut texts = Vec::new();
                literal(&mut rest, &mut texts);
                read.parts.extend(texts.into_iter().map(Part::Text));
            }
        }
    }
    Ok(read)
}

impl Format<'_> {
    fn take(&mut self, key: Key) -> Result<()> {
        if self.exponent && key != Key::Exponent {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        let is_signed = self.signed.is_some();
        match key {
            Key::Nine if self.angle => return Err(syntax("\"9\" must be ahead of \"PR\"")),
            Key::Nine if self.is_shifted => self.shift += 1,
            Key::Nine if self.has_point => self.behind += 1,
            Key::Nine => self.before += 1,
            Key::Zero if self.angle => return Err(syntax("\"0\" must be ahead of \"PR\"")),
            Key::Zero => {
                if !self.has_zero && !self.has_point {
                    self.has_zero = true;
                    self.zero_start = self.before + 1;
                }
                if self.has_point {
                    self.behind += 1;
                } else {
                    self.before += 1;
                }
                self.zero_end = self.before + self.behind;
            }
            Key::Blank => self.is_blank |= self.before == 0 && self.behind == 0 && !self.has_zero,
            Key::Point if self.has_point => return Err(syntax("multiple decimal points")),
            Key::Point if self.is_shifted => {
                return Err(syntax("cannot use \"V\" and decimal point together"));
            }
            Key::Point => self.has_point = true,
            Key::Fill => self.is_filled = true,
            Key::Signed if is_signed => return Err(syntax("cannot use \"S\" twice")),
            Key::Signed if self.plus || self.minus || self.angle => {
                return Err(syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
            }
            Key::Signed if self.has_point => self.signed = Some(Signed::Behind),
            Key::Signed => {
                self.signed = Some(Signed::Before);
                self.signed_at = self.before;
            }
            Key::Minus if is_signed => return Err(syntax("cannot use \"S\" and \"MI\" together")),
            Key::Minus => self.minus = true,
            Key::Plus if is_signed => return Err(syntax("cannot use \"S\" and \"PL\" together")),
            Key::Plus => self.plus = true,
            Key::Sign if is_signed => return Err(syntax("cannot use \"S\" and \"SG\" together")),
            Key::Sign => {
                self.minus = true;
                self.plus = true;
            }
            Key::Angle if is_signed || self.plus || self.minus => {
                return Err(syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
            }
            Key::Angle => self.angle = true,
            Key::Roman { .. } => self.roman = true,
            Key::Shift if self.has_point => {
                return Err(syntax("cannot use \"V\" and decimal point together"));
            }
            Key::Shift => self.is_shifted = true,
            Key::Exponent if self.exponent => return Err(syntax("cannot use \"EEEE\" twice")),
            Key::Exponent => self.take_exponent()?,
            Key::Comma | Key::Group | Key::Currency | Key::Spell | Key::Ordinal { .. } => {}
        }
        Ok(())
    }

    fn take_exponent(&mut self) -> Result<()> {
        let others = self.is_filled
            || self.is_blank
            || self.signed.is_some()
            || self.angle
            || self.minus
            || self.plus
            || self.roman
            || self.is_shifted;
        if others {
            return Err(Error::new(Code::SYNTAX, "\"EEEE\" is incompatible with other formats")
                .with_details("\"EEEE\" may only be used together with digit and decimal point patterns."));
        }
        self.exponent = true;
        Ok(())
    }
}

/// `V` multiplies within the integer's type.
fn of_integer(arguments: &[Value], ty: &Type) -> Result<Value> {
    let (value, written) = (int(arguments, 0)?, text(arguments, 1)?);
    let shift = u32::try_from(read(written)?.shift).unwrap_or(u32::MAX);
    if shift == 0 {
        return of_number(&Numeric::from_i64(value), written);
    }
    let out = || super::arguments::out_of_range(&types::ty::format_type(ty, None));
    let within = |factor: i64| {
        let shifted = value.checked_mul(factor)?;
        let fits = *ty != Type::Int4 || i32::try_from(factor).and(i32::try_from(shifted)).is_ok();
        fits.then_some(shifted)
    };
    let shifted = 10_i64.checked_pow(shift).and_then(within).ok_or_else(out)?;
    of_number(&Numeric::new(shifted, shift), written)
}

fn of_number(value: &Numeric, written: &str) -> Result<Value> {
    if written.is_empty() {
        return ok_text("");
    }
    let format = read(written)?;
    let places = |places: usize| i32::try_from(places).unwrap_or(i32::MAX);
    if format.roman {
        let whole = value.round(0).to_i64("integer", i32::MIN.into(), i32::MAX.into())?;
        return written_out(format, &roman(whole));
    }
    if format.exponent {
        return match value {
            Numeric::Finite { .. } => ok_text(scientific(value, format.behind)),
            _ => ok_text(exponent_overflow(&format)),
        };
    }
    let shifted = if format.is_shifted {
        let factor = Numeric::from_i64(10).power(&Numeric::from_i64(i64::from(places(format.shift))))?;
        value.mul(&factor)
    } else {
        value.clone()
    };
    let rounded = shifted.round(places(format.behind)).to_string();
    let (sign, digits) = rounded.strip_prefix('-').map_or(('+', rounded.as_str()), |digits| ('-', digits));
    aligned(format, sign, digits)
}

fn of_float(value: f64, digits_max: usize, written: &str) -> Result<Value> {
    if written.is_empty() {
        return ok_text("");
    }
    let mut format = read(written)?;
    if format.roman {
        // What is out of range has no Roman number either.
        let whole = format!("{:.0}", value.round_ties_even()).parse::<i64>().unwrap_or(0);
        return written_out(format, &roman(whole));
    }
    if format.exponent {
        if !value.is_finite() {
            return ok_text(exponent_overflow(&format));
        }
        let shown = format!("{value:.*e}", format.behind);
        return ok_text(with_exponent(&shown));
    }
    let value = if format.is_shifted {
        value * 10_f64.powi(i32::try_from(format.shift).unwrap_or(i32::MAX))
    } else {
        value
    };
    let word = match value {
        value if value.is_nan() => "NaN",
        value if value.is_infinite() => "Infinity",
        _ => "",
    };
    let whole = if word.is_empty() { format!("{:.0}", value.abs()).len() } else { word.len() };
    format.behind = format.behind.min(digits_max.saturating_sub(whole));
    if !word.is_empty() {
        return aligned(format, if value < 0.0 { '-' } else { '+' }, word);
    }
    let rounded = format!("{value:.*}", format.behind);
    let (sign, digits) = rounded.strip_prefix('-').map_or(('+', rounded.as_str()), |digits| ('-', digits));
    aligned(format, sign, digits)
}

/// A number of `EEEE` that has no digits.
fn exponent_overflow(format: &Format<'_>) -> String {
    let mut out = format!(" {}", "#".repeat(format.before + format.behind + 5));
    out.replace_range(format.before + 1..format.before + 2, ".");
    out
}

/// `1.5e0` as `1.5e+00`, a space where there is no sign.
fn with_exponent(shown: &str) -> String {
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let space = if mantissa.starts_with('-') { "" } else { " " };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{space}{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn scientific(value: &Numeric, behind: usize) -> String {
    let digits = value.abs().normalized().to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let all = format!("{whole}{fraction}");
    let zeros = all.len() - all.trim_start_matches('0').len();
    let place = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let exponent = if value.is_zero() { 0 } else { place(whole.len()) - place(zeros) - 1 };
    let shift = Numeric::new(1, u32::try_from(exponent.max(0)).unwrap_or(0));
    let scaled = match u32::try_from(-exponent) {
        Ok(up) if up > 0 => {
            value.mul(&Numeric::from_i64(10).power(&Numeric::from_i64(up.into())).unwrap_or(Numeric::NaN))
        }
        _ => value.mul(&shift),
    };
    let rounded = scaled.round(i32::try_from(behind).unwrap_or(i32::MAX));
    let is_carried = rounded.abs().compare(&Numeric::from_i64(10)).is_ge();
    if is_carried {
        let scaled = scaled.mul(&Numeric::new(1, 1)).round(i32::try_from(behind).unwrap_or(i32::MAX));
        return with_exponent(&format!("{scaled}e{}", exponent + 1));
    }
    with_exponent(&format!("{rounded}e{exponent}"))
}

const ROMAN: &[(i64, &str)] = &[
    (1_000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

fn roman(mut number: i64) -> String {
    if !(1..=3_999).contains(&number) {
        return "#".repeat(15);
    }
    let mut out = String::new();
    for (value, letters) in ROMAN {
        while number >= *value {
            out.push_str(letters);
            number -= value;
        }
    }
    out
}

/// Digits brought to the format's places, or signs of overflow.
fn aligned(mut format: Format<'_>, sign: char, digits: &str) -> Result<Value> {
    if format.is_shifted {
        format.before += format.shift;
    }
    let whole = digits.find('.').unwrap_or(digits.len());
    if whole > format.before {
        let mut shown = "#".repeat(format.before + format.behind + 1);
        shown.replace_range(format.before..=format.before, ".");
        return Writer::new(&format, sign, &shown, 0).written(&format);
    }
    Writer::new(&format, sign, digits, format.before - whole).written(&format)
}

fn written_out(format: Format<'_>, digits: &str) -> Result<Value> {
    let roman = Format { is_filled: format.is_filled, roman: true, ..Format::default() };
    let mut writer = Writer::new(&roman, '+', digits, 0);
    writer.is_roman = true;
    let roman = Format { parts: format.parts, ..roman };
    writer.written(&roman)
}

/// The state of PostgreSQL's `NUM_processor`.
struct Writer<'n> {
    out: String,
    sign: char,
    number: &'n [u8],
    /// The next character of the number.
    at: usize,
    /// Places without a digit in front.
    spaces: usize,
    is_sign_written: bool,
    signed: Option<Signed>,
    angle: bool,
    zero_start: usize,
    /// The last character behind the point that says something, where zeros are not shown.
    relevant: Option<usize>,
    /// Places of digits, and one more.
    count: usize,
    place: usize,
    has_digit: bool,
    is_roman: bool,
    /// Where the text ends that is shown.
    end: Option<usize>,
}

impl<'n> Writer<'n> {
    fn new(format: &Format<'_>, sign: char, number: &'n str, spaces: usize) -> Writer<'n> {
        let (mut signed, mut angle) = (format.signed, format.angle);
        let is_sign_written;
        if format.plus || format.minus {
            is_sign_written = !format.plus || format.minus;
        } else {
            if sign != '-' && format.angle && format.is_filled {
                angle = false;
            }
            is_sign_written = sign == '+' && format.is_filled && signed.is_none();
            if signed == Some(Signed::Before) && format.before == format.signed_at {
                signed = Some(Signed::Behind);
            }
        }
        let relevant =
            (format.is_filled && format.has_point).then(|| relevant(format, number, spaces)).flatten();
        let places = format.before + format.behind;
        Writer {
            out: String::new(),
            sign,
            number: number.as_bytes(),
            at: 0,
            spaces,
            is_sign_written,
            signed,
            angle,
            zero_start: format.zero_start.saturating_sub(1),
            relevant,
            count: places + usize::from(!is_sign_written && spaces == 0),
            place: 0,
            has_digit: false,
            is_roman: false,
            end: None,
        }
    }

    fn written(mut self, format: &Format<'_>) -> Result<Value> {
        for part in &format.parts {
            match part {
                Part::Text(text) => self.out.push_str(text),
                Part::Key(key) => self.key(format, *key)?,
            }
        }
        self.out.truncate(self.end.unwrap_or(self.out.len()));
        ok_text(self.out)
    }

    fn key(&mut self, format: &Format<'_>, key: Key) -> Result<()> {
        let blank = if format.is_filled { "" } else { " " };
        match key {
            Key::Nine | Key::Zero | Key::Point => self.digit(format, key),
            Key::Comma | Key::Group if !self.has_digit => self.out.push_str(blank),
            Key::Comma | Key::Group => self.out.push(','),
            Key::Currency => self.out.push(' '),
            Key::Roman { is_upper } => {
                let text = String::from_utf8_lossy(self.number);
                let text = if is_upper { text.into_owned() } else { text.to_ascii_lowercase() };
                self.out.push_str(&if format.is_filled { text } else { format!("{text:>15}") });
            }
            Key::Ordinal { is_upper } => {
                let is_plain = !self.is_roman
                    && self.number.first() != Some(&b'#')
                    && self.sign != '-'
                    && !format.has_point;
                if is_plain {
                    let ending = ordinal(&String::from_utf8_lossy(self.number))?;
                    self.out.push_str(&if is_upper { ending.to_uppercase() } else { ending.to_owned() });
                }
            }
            Key::Minus => self.out.push_str(if self.sign == '-' { "-" } else { blank }),
            Key::Plus => self.out.push_str(if self.sign == '+' { "+" } else { blank }),
            Key::Sign => self.out.push(self.sign),
            Key::Blank | Key::Exponent | Key::Fill | Key::Angle | Key::Spell | Key::Signed | Key::Shift => {}
        }
        Ok(())
    }

    /// `9.9` of a number below one shows no zero before the point.
    fn is_space_before_point(&self, format: &Format<'_>) -> bool {
        !format.has_zero && self.at == 0 && self.number.first() == Some(&b'0') && format.behind != 0
    }

    fn is_relevant_point(&self) -> bool {
        self.relevant.is_some_and(|at| self.number.get(at) == Some(&b'.'))
    }

    fn digit(&mut self, format: &Format<'_>, key: Key) {
        if self.is_roman {
            return;
        }
        self.has_digit = false;
        let is_zero_place = format.has_zero && self.zero_start == self.place;
        let begins = self.place >= self.spaces || is_zero_place;
        if !self.is_sign_written
            && begins
            && (!self.is_space_before_point(format) || self.is_relevant_point())
        {
            self.sign_before(format);
        }
        if self.place < self.spaces && (self.zero_start > self.place || !format.has_zero) {
            self.out.push_str(if format.is_filled { "" } else { " " });
        } else if format.has_zero && self.place < self.spaces && self.zero_start <= self.place {
            self.out.push('0');
            self.has_digit = true;
        } else {
            self.character(format, key);
            if self.at < self.number.len() {
                self.at += 1;
            }
        }
        let mut end = self.count + usize::from(self.spaces > 0) + usize::from(format.has_point);
        if self.relevant.is_some() && self.relevant == Some(self.at) {
            end = self.place + 1;
        }
        // One place more on both sides: there may be no digits at all.
        if self.place + 2 == end {
            self.sign_behind();
        }
        self.place += 1;
    }

    fn sign_before(&mut self, format: &Format<'_>) {
        match self.signed {
            Some(Signed::Before) => self.out.push(self.sign),
            Some(Signed::Behind) => return,
            None if self.angle => self.out.push(if self.sign == '+' { ' ' } else { '<' }),
            None if self.sign == '-' => self.out.push('-'),
            None => self.out.push_str(if format.is_filled { "" } else { " " }),
        }
        self.is_sign_written = true;
    }

    fn sign_behind(&mut self) {
        if self.is_sign_written && self.angle {
            self.out.push(if self.sign == '+' { ' ' } else { '>' });
        } else if self.signed == Some(Signed::Behind) {
            self.out.push(self.sign);
        }
    }

    fn character(&mut self, format: &Format<'_>, key: Key) {
        let Some(&character) = self.number.get(self.at) else {
            // PostgreSQL writes the end of its string here, and shows nothing of what follows.
            if key == Key::Zero || self.relevant.is_none_or(|last| self.at <= last) {
                self.has_digit = true;
                self.end.get_or_insert(self.out.len());
            }
            return;
        };
        if character == b'.' {
            if !self.is_relevant_point() || format.is_filled {
                self.out.push('.');
            }
        } else if self.relevant.is_some_and(|last| self.at > last) && key != Key::Zero {
        } else if self.is_space_before_point(format) {
            if !format.is_filled {
                self.out.push(' ');
            } else if self.is_relevant_point() {
                self.out.push('0');
            }
        } else {
            self.out.push(char::from(character));
            self.has_digit = true;
        }
    }
}

/// Where zeros behind the point begin; places of `0` keep theirs.
fn relevant(format: &Format<'_>, number: &str, spaces: usize) -> Option<usize> {
    let point = number.find('.')?;
    let last = number.rfind(|c| c != '0').unwrap_or(point).max(point);
    if format.zero_end <= spaces {
        return Some(last);
    }
    Some(last.max((number.len() - 1).min(format.zero_end - spaces)))
}
