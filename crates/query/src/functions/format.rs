//! Texts made of values: `format`, `concat`, quoting (PostgreSQL 9.4.1).

use types::cast::cast;
use types::{Code, Error, Result, Type, Value};

use super::arguments::{invalid, ok_text, output, text, text_or_null};
use super::interrupt::fits;
use super::keywords::KEYWORDS;
use super::{Context, Function, Ty};

const T: Ty = Ty::Text;

pub(super) static ROWS: &[Function] = &[
    Function::new("format", &[T], T, format).lax().stable(),
    Function::new("format", &[T, Ty::Any], T, format).lax().stable().variadic(),
    Function::new("concat", &[Ty::Any], T, concat).lax().stable().variadic(),
    Function::new("concat_ws", &[T, Ty::Any], T, concat_ws).lax().stable().variadic(),
    Function::operator("||", &[T, Ty::AnyNonArray], T, join).stable(),
    Function::operator("||", &[Ty::AnyNonArray, T], T, join).stable(),
    Function::new("quote_literal", &[Ty::AnyElement], T, quote_any).stable(),
    Function::new("quote_nullable", &[T], T, quote_any).lax(),
    Function::new("quote_nullable", &[Ty::AnyElement], T, quote_any).lax().stable(),
];

/// An identifier as it has to be written.
pub(super) fn quote_ident(name: &str) -> String {
    let plain = |(at, c): (usize, char)| c.is_ascii_lowercase() || c == '_' || (at > 0 && c.is_ascii_digit());
    if !name.is_empty() && name.char_indices().all(plain) && KEYWORDS.binary_search(&name).is_err() {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal.
pub(super) fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

fn quote_any(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let value = arguments.first().unwrap_or(&Value::Null);
    let ty = if context.arguments.is_empty() { &Type::Text } else { context.argument(0) };
    match cast(ty, &Type::Text, None, true, value, context.session)? {
        Value::Text(text) => ok_text(quote_literal(&text)),
        _ => ok_text("NULL"),
    }
}

/// The texts of the arguments from a position on, without nulls.
fn outputs(context: &Context<'_>, arguments: &[Value], from: usize) -> Vec<String> {
    let each = arguments.iter().enumerate().skip(from);
    each.filter_map(|(position, value)| output(context.argument(position), value, context.session)).collect()
}

pub(super) fn concat(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    ok_text(outputs(context, arguments, 0).concat())
}

pub(super) fn concat_ws(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    match text_or_null(arguments, 0)? {
        Some(separator) => ok_text(outputs(context, arguments, 1).join(separator)),
        None => Ok(Value::Null),
    }
}

fn join(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut out = String::new();
    for (position, value) in arguments.iter().enumerate() {
        if let Value::Text(text) =
            cast(context.argument(position), &Type::Text, None, true, value, context.session)?
        {
            out.push_str(&text);
        }
    }
    ok_text(out)
}

pub(super) fn format(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    if arguments.first().is_none_or(Value::is_null) {
        return Ok(Value::Null);
    }
    let mut rest = text(arguments, 0)?;
    let mut out = String::new();
    let mut next = 1;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        rest = match after.strip_prefix('%') {
            Some(after) => {
                out.push('%');
                after
            }
            None => specifier(context, arguments, after, &mut next, &mut out)?,
        };
    }
    out.push_str(rest);
    ok_text(out)
}

/// Writes one specifier; what follows it is returned.
fn specifier<'a>(
    context: &Context<'_>,
    arguments: &[Value],
    text: &'a str,
    next: &mut usize,
    out: &mut String,
) -> Result<&'a str> {
    let spec = parse(text)?;
    let width = spec.width.value(context, arguments, next)?;
    let position = match spec.argument {
        Some(position) => position,
        None => *next,
    };
    let value = arguments
        .get(position)
        .ok_or_else(|| Error::new(Code::INVALID_PARAMETER, "too few arguments for format()"))?;
    *next = position + 1;
    let shown = convert(spec.conversion, output(context.argument(position), value, context.session))?;
    let left = spec.left || width < 0;
    let missing = usize::try_from(width.unsigned_abs()).unwrap_or(0).saturating_sub(shown.chars().count());
    fits(out.len().saturating_add(shown.len()).saturating_add(missing))?;
    let padding = " ".repeat(missing);
    out.push_str(&if left { shown + &padding } else { padding + &shown });
    Ok(spec.rest)
}

fn convert(conversion: char, text: Option<String>) -> Result<String> {
    match (conversion, text) {
        ('s', text) => Ok(text.unwrap_or_default()),
        ('I', Some(text)) => Ok(quote_ident(&text)),
        ('I', None) => {
            Err(Error::new(Code::NULL_NOT_ALLOWED, "null values cannot be formatted as an SQL identifier"))
        }
        (_, Some(text)) => Ok(quote_literal(&text)),
        (_, None) => Ok("NULL".to_owned()),
    }
}

/// `%[position$][-][width]type`
struct Spec<'a> {
    argument: Option<usize>,
    left: bool,
    width: Width,
    conversion: char,
    rest: &'a str,
}

enum Width {
    None,
    Fixed(i64),
    Argument(Option<usize>),
}

fn parse(text: &str) -> Result<Spec<'_>> {
    let mut rest = text;
    let (argument, fixed) = match digits(&mut rest)? {
        Some(number) if eat(&mut rest, '$') => (Some(position(number)?), None),
        number => (None, number),
    };
    let mut left = false;
    let mut width = fixed.map_or(Width::None, Width::Fixed);
    if fixed.is_none() {
        while eat(&mut rest, '-') {
            left = true;
        }
        if eat(&mut rest, '*') {
            width = Width::Argument(match digits(&mut rest)? {
                Some(number) if eat(&mut rest, '$') => Some(position(number)?),
                Some(_) => return Err(invalid("width argument position must be ended by \"$\"")),
                None => None,
            });
        } else if let Some(number) = digits(&mut rest)? {
            width = Width::Fixed(number);
        }
    }
    let conversion = rest.chars().next().ok_or_else(unterminated)?;
    if !matches!(conversion, 's' | 'I' | 'L') {
        let hint = "For a single \"%\" use \"%%\".";
        return Err(invalid(format!("unrecognized format() type specifier \"{conversion}\"")).with_hint(hint));
    }
    Ok(Spec { argument, left, width, conversion, rest: rest.get(1..).unwrap_or("") })
}

fn unterminated() -> Error {
    invalid("unterminated format() type specifier").with_hint("For a single \"%\" use \"%%\".")
}

fn position(number: i64) -> Result<usize> {
    match usize::try_from(number) {
        Ok(position) if position > 0 => Ok(position),
        _ => Err(invalid("format specifies argument 0, but arguments are numbered from 1")),
    }
}

fn eat(rest: &mut &str, c: char) -> bool {
    rest.strip_prefix(c).map(|after| *rest = after).is_some()
}

fn digits(rest: &mut &str) -> Result<Option<i64>> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    if number.is_empty() {
        return Ok(None);
    }
    *rest = after;
    if after.is_empty() {
        return Err(unterminated());
    }
    let number: i32 =
        number.parse().map_err(|_| Error::new(Code::NUMERIC_OUT_OF_RANGE, "number is out of range"))?;
    Ok(Some(number.into()))
}

impl Width {
    fn value(&self, context: &Context<'_>, arguments: &[Value], next: &mut usize) -> Result<i64> {
        let position = match self {
            Width::None => return Ok(0),
            Width::Fixed(width) => return Ok(*width),
            Width::Argument(Some(position)) => *position,
            Width::Argument(None) => *next,
        };
        *next = position + 1;
        match arguments.get(position) {
            None => Err(invalid("too few arguments for format()")),
            Some(Value::Null) => Ok(0),
            Some(value) => {
                let text = output(context.argument(position), value, context.session).unwrap_or_default();
                match types::text::parse(&Type::Int4, &text, context.session)? {
                    Value::Int(width) => Ok(width),
                    _ => Ok(0),
                }
            }
        }
    }
}
