//! Ranges: constructors, operators, bounds (PostgreSQL 9.20).

use std::cmp::Ordering;

use types::compare::compare;
use types::range::{self, Range};
use types::{Code, Error, Result, Type, Value};

use super::Ty::{
    AnyElement as E, AnyRange as R, Bool, Date, Int4, Int8, Numeric, Range as Of, Text as T, Timestamp,
    Timestamptz,
};
use super::arguments::text;
use super::ty::subtype;
use super::{Context, Function};

/// The constructors of a range type, of two bounds and of two bounds with their kinds.
macro_rules! constructors {
    ($($name:literal $subtype:ident $ty:expr,)*) => {
        &[$(
            Function::new($name, &[$subtype, $subtype], Of(&$subtype), |c, a| made(c, $ty, a)).lax(),
            Function::new($name, &[$subtype, $subtype, T], Of(&$subtype), |c, a| made(c, $ty, a)).lax(),
        )*]
    };
}

pub(super) static CONSTRUCTORS: &[Function] = constructors! {
    "int4range" Int4 &Type::Int4,
    "int8range" Int8 &Type::Int8,
    "numrange" Numeric &Type::Numeric,
    "daterange" Date &Type::Date,
    "tsrange" Timestamp &Type::Timestamp,
    "tstzrange" Timestamptz &Type::Timestamptz,
};

pub(super) static ROWS: &[Function] = &[
    Function::operator("@>", &[R, E], Bool, |c, a| holds(c, a, 0, 1)),
    Function::operator("<@", &[E, R], Bool, |c, a| holds(c, a, 1, 0)),
    Function::operator("@>", &[R, R], Bool, |c, a| test(c, a, contains)),
    Function::operator("<@", &[R, R], Bool, |c, a| test(c, a, |ty, left, right| contains(ty, right, left))),
    Function::operator("&&", &[R, R], Bool, |c, a| test(c, a, overlaps)),
    Function::operator("<<", &[R, R], Bool, |c, a| test(c, a, before)),
    Function::operator(">>", &[R, R], Bool, |c, a| test(c, a, |ty, left, right| before(ty, right, left))),
    Function::operator("&<", &[R, R], Bool, |c, a| {
        both(c, a, |ty, left, right| bounds(ty, left.high(), right.high()).is_le())
    }),
    Function::operator("&>", &[R, R], Bool, |c, a| {
        both(c, a, |ty, left, right| bounds(ty, left.low(), right.low()).is_ge())
    }),
    Function::operator("-|-", &[R, R], Bool, |c, a| both(c, a, adjacent)),
    Function::operator("+", &[R, R], R, |c, a| changed(c, a, |ty, left, right| union(ty, left, right, true))),
    Function::operator("*", &[R, R], R, |c, a| changed(c, a, |ty, left, right| Ok(common(ty, left, right)))),
    Function::operator("-", &[R, R], R, |c, a| changed(c, a, difference)),
    Function::new("range_merge", &[R, R], R, |c, a| {
        changed(c, a, |ty, left, right| union(ty, left, right, false))
    }),
    Function::new("lower", &[R], E, |c, a| {
        Ok(span(c, a, 0)?.and_then(|span| span.low.value).unwrap_or(Value::Null))
    }),
    Function::new("upper", &[R], E, |c, a| {
        Ok(span(c, a, 0)?.and_then(|span| span.high.value).unwrap_or(Value::Null))
    }),
    Function::new("isempty", &[R], Bool, |c, a| Ok(Value::Bool(span(c, a, 0)?.is_none()))),
    Function::new("lower_inc", &[R], Bool, |c, a| bound(c, a, |span| span.low.is_inclusive)),
    Function::new("upper_inc", &[R], Bool, |c, a| bound(c, a, |span| span.high.is_inclusive)),
    Function::new("lower_inf", &[R], Bool, |c, a| bound(c, a, |span| span.low.value.is_none())),
    Function::new("upper_inf", &[R], Bool, |c, a| bound(c, a, |span| span.high.value.is_none())),
];

/// One end of a range.
#[derive(Clone)]
struct Bound {
    /// Absent where the range does not end.
    value: Option<Value>,
    is_inclusive: bool,
    is_low: bool,
}

/// A range that is not empty.
#[derive(Clone)]
struct Span {
    low: Bound,
    high: Bound,
}

impl Span {
    fn low(&self) -> &Bound {
        &self.low
    }

    fn high(&self) -> &Bound {
        &self.high
    }
}

fn kinds(bounds: Option<&str>) -> Result<(bool, bool)> {
    Ok(match bounds {
        None | Some("[)") => (true, false),
        Some("[]") => (true, true),
        Some("()") => (false, false),
        Some("(]") => (false, true),
        Some(_) => {
            return Err(Error::new(Code::SYNTAX, "invalid range bound flags")
                .with_hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
        }
    })
}

fn made(context: &mut Context<'_>, ty: &Type, arguments: &[Value]) -> Result<Value> {
    let flags = match arguments.get(2) {
        None => None,
        Some(Value::Null) => return Err(data("range constructor flags argument must not be null")),
        Some(_) => Some(text(arguments, 2)?),
    };
    let (low_inclusive, high_inclusive) = kinds(flags)?;
    let value = |position: usize| arguments.get(position).filter(|value| !value.is_null()).cloned();
    let made = range::canonical(ty, value(0), low_inclusive, value(1), high_inclusive)?;
    Ok(Value::text(range::print(ty, &made, context.session)))
}

fn data(message: &str) -> Error {
    Error::new(Code::ARRAY_ELEMENT_ERROR, message)
}

/// The type of the bounds of the arguments.
fn bound_type(context: &Context<'_>) -> Type {
    context.arguments.iter().find_map(subtype).cloned().unwrap_or(Type::Unknown)
}

/// A range argument; `None` when it is empty.
fn span(context: &Context<'_>, arguments: &[Value], position: usize) -> Result<Option<Span>> {
    let ty = bound_type(context);
    Ok(match range::read(&ty, text(arguments, position)?, context.session)? {
        Range::Empty => None,
        Range::Between { low, low_inclusive, high, high_inclusive } => Some(Span {
            low: Bound { value: low, is_inclusive: low_inclusive, is_low: true },
            high: Bound { value: high, is_inclusive: high_inclusive, is_low: false },
        }),
    })
}

/// The order of two ends, whichever they are.
fn bounds(ty: &Type, left: &Bound, right: &Bound) -> Ordering {
    let end = |bound: &Bound| if bound.is_low { Ordering::Less } else { Ordering::Greater };
    let inside = |bound: &Bound| match (bound.is_inclusive, bound.is_low) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => -1,
    };
    match (&left.value, &right.value) {
        (None, None) => end(left).cmp(&end(right)),
        (None, Some(_)) => end(left),
        (Some(_), None) => end(right).reverse(),
        (Some(a), Some(b)) => compare(ty, a, b).then_with(|| inside(left).cmp(&inside(right))),
    }
}

fn holds(context: &mut Context<'_>, arguments: &[Value], range: usize, value: usize) -> Result<Value> {
    let ty = bound_type(context);
    let Some(span) = span(context, arguments, range)? else { return Ok(Value::Bool(false)) };
    let value = arguments.get(value).cloned();
    let point = |is_low| Bound { value: value.clone(), is_inclusive: true, is_low };
    let inside =
        bounds(&ty, &span.low, &point(true)).is_le() && bounds(&ty, &span.high, &point(false)).is_ge();
    Ok(Value::Bool(inside))
}

type Test = fn(&Type, Option<&Span>, Option<&Span>) -> bool;

fn test(context: &mut Context<'_>, arguments: &[Value], test: Test) -> Result<Value> {
    let (left, right) = (span(context, arguments, 0)?, span(context, arguments, 1)?);
    Ok(Value::Bool(test(&bound_type(context), left.as_ref(), right.as_ref())))
}

/// A test that nothing empty passes.
fn both(
    context: &mut Context<'_>,
    arguments: &[Value],
    test: fn(&Type, &Span, &Span) -> bool,
) -> Result<Value> {
    let ty = bound_type(context);
    let (left, right) = (span(context, arguments, 0)?, span(context, arguments, 1)?);
    Ok(Value::Bool(left.zip(right).is_some_and(|(left, right)| test(&ty, &left, &right))))
}

fn contains(ty: &Type, whole: Option<&Span>, part: Option<&Span>) -> bool {
    match (whole, part) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(whole), Some(part)) => {
            bounds(ty, &whole.low, &part.low).is_le() && bounds(ty, &whole.high, &part.high).is_ge()
        }
    }
}

fn overlaps(ty: &Type, left: Option<&Span>, right: Option<&Span>) -> bool {
    left.zip(right).is_some_and(|(left, right)| {
        bounds(ty, &left.low, &right.high).is_le() && bounds(ty, &right.low, &left.high).is_le()
    })
}

fn before(ty: &Type, left: Option<&Span>, right: Option<&Span>) -> bool {
    left.zip(right).is_some_and(|(left, right)| bounds(ty, &left.high, &right.low).is_lt())
}

/// Whether nothing lies between an upper and a lower end, and they share nothing.
fn touches(ty: &Type, high: &Bound, low: &Bound) -> bool {
    let (Some(end), Some(begin)) = (&high.value, &low.value) else { return false };
    match compare(ty, end, begin) {
        Ordering::Equal => high.is_inclusive != low.is_inclusive,
        Ordering::Less => {
            let between = range::canonical(
                ty,
                Some(end.clone()),
                !high.is_inclusive,
                Some(begin.clone()),
                !low.is_inclusive,
            );
            matches!(between, Ok(Range::Empty))
        }
        Ordering::Greater => false,
    }
}

fn adjacent(ty: &Type, left: &Span, right: &Span) -> bool {
    touches(ty, &left.high, &right.low) || touches(ty, &right.high, &left.low)
}

type Change = fn(&Type, Option<Span>, Option<Span>) -> Result<Option<Span>>;

fn changed(context: &mut Context<'_>, arguments: &[Value], change: Change) -> Result<Value> {
    let ty = bound_type(context);
    let (left, right) = (span(context, arguments, 0)?, span(context, arguments, 1)?);
    let range = match change(&ty, left, right)? {
        None => Range::Empty,
        Some(Span { low, high }) => {
            range::canonical(&ty, low.value, low.is_inclusive, high.value, high.is_inclusive)?
        }
    };
    Ok(Value::text(range::print(&ty, &range, context.session)))
}

fn lower_of(ty: &Type, left: Bound, right: Bound) -> Bound {
    if bounds(ty, &left, &right).is_le() { left } else { right }
}

fn higher_of(ty: &Type, left: Bound, right: Bound) -> Bound {
    if bounds(ty, &left, &right).is_ge() { left } else { right }
}

fn union(ty: &Type, left: Option<Span>, right: Option<Span>, strict: bool) -> Result<Option<Span>> {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return Ok(left.or(right)),
    };
    if strict && !overlaps(ty, Some(&left), Some(&right)) && !adjacent(ty, &left, &right) {
        return Err(data("result of range union would not be contiguous"));
    }
    Ok(Some(Span { low: lower_of(ty, left.low, right.low), high: higher_of(ty, left.high, right.high) }))
}

fn common(ty: &Type, left: Option<Span>, right: Option<Span>) -> Option<Span> {
    let (left, right) = left.zip(right)?;
    overlaps(ty, Some(&left), Some(&right))
        .then(|| Span { low: higher_of(ty, left.low, right.low), high: lower_of(ty, left.high, right.high) })
}

/// The other end that touches one.
fn turned(bound: Bound) -> Bound {
    Bound { value: bound.value, is_inclusive: !bound.is_inclusive, is_low: !bound.is_low }
}

fn difference(ty: &Type, left: Option<Span>, right: Option<Span>) -> Result<Option<Span>> {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, _) => return Ok(left),
    };
    if !overlaps(ty, Some(&left), Some(&right)) {
        return Ok(Some(left));
    }
    let begins_before = bounds(ty, &left.low, &right.low).is_lt();
    let ends_behind = bounds(ty, &left.high, &right.high).is_gt();
    Ok(match (begins_before, ends_behind) {
        (true, true) => return Err(data("result of range difference would not be contiguous")),
        (false, false) => None,
        (true, false) => Some(Span { low: left.low, high: turned(right.low) }),
        (false, true) => Some(Span { low: turned(right.high), high: left.high }),
    })
}

fn bound(context: &mut Context<'_>, arguments: &[Value], test: fn(&Span) -> bool) -> Result<Value> {
    Ok(Value::Bool(span(context, arguments, 0)?.is_some_and(|span| test(&span))))
}
