//! Which row a written name and its arguments mean (PostgreSQL chapter 10).
//!
//! One selection for functions, operators, comparisons and aggregates; they differ in their candidates and messages.

use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::common::{category, converts, preferred};
use super::ty::unify;
use super::{Aggregate, Function, Kind, SetFunction, Ty, aggregates, candidates, sets};

/// A function found, with what each argument has to be converted to.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The row.
    pub function: &'static Function,
    /// The type that each written argument is converted to.
    pub argument_types: Vec<Type>,
    /// The type of the result.
    pub result: Type,
}

/// An aggregate found.
#[derive(Clone, Debug)]
pub struct ChosenAggregate {
    /// The row.
    pub aggregate: &'static Aggregate,
    /// The type that each written argument is converted to.
    pub argument_types: Vec<Type>,
    /// The type of the result.
    pub result: Type,
}

/// A set-returning function found.
#[derive(Clone, Debug)]
pub struct ChosenSet {
    /// The row.
    pub function: &'static SetFunction,
    /// The type that each written argument is converted to.
    pub argument_types: Vec<Type>,
}

/// Finds the set-returning function for arguments of these types.
///
/// # Errors
/// As [`choose`].
pub fn choose_set(name: &str, arguments: &[Type]) -> Result<ChosenSet> {
    let fitting = sets().filter(|function| function.name == name && function.takes(arguments.len()));
    let candidates = fitting.map(|function| Candidate {
        what: function,
        declared: function.arguments[..arguments.len()].to_vec(),
    });
    let chosen = select(candidates.collect(), arguments, false);
    let Candidate { what: function, declared } =
        chosen.map_err(|why| refuse(why, name, Kind::Function, arguments))?;
    let (argument_types, _) = settle(&declared, Ty::Void, arguments)?;
    Ok(ChosenSet { function, argument_types })
}

/// One possible meaning: declared types, one for each written argument.
struct Candidate<T> {
    what: T,
    declared: Vec<Ty>,
}

/// Why there is no single meaning.
enum Failure {
    None,
    Several,
}

/// Finds the function or operator for arguments of these types; an untyped literal is [`Type::Unknown`].
///
/// # Errors
/// `42883` when there is none, `42725` when there are several, `42804` when a polymorphic type remains unknown.
pub fn choose(name: &str, kind: Kind, arguments: &[Type]) -> Result<Chosen> {
    let fitting = candidates(name, kind).filter(|function| function.takes(arguments.len()));
    let candidates = fitting.map(|function| Candidate {
        what: function,
        declared: (0..arguments.len()).filter_map(|position| function.argument(position)).collect(),
    });
    let chosen = select(candidates.collect(), arguments, kind == Kind::Operator);
    let Candidate { what: function, declared } = chosen.map_err(|why| refuse(why, name, kind, arguments))?;
    if wants_untold_range(&declared, arguments) {
        return Err(refuse(Failure::Several, name, kind, arguments));
    }
    let (argument_types, result) = settle(&declared, function.result, arguments)?;
    Ok(Chosen { function, argument_types, result })
}

/// Whether an untyped literal would be a range only because we have no multiranges, which PostgreSQL would take as well.
fn wants_untold_range(declared: &[Ty], arguments: &[Type]) -> bool {
    let is_range = |ty: &Type| matches!(ty, Type::Range(_));
    declared.iter().zip(arguments).any(|(declared, actual)| {
        matches!(declared, Ty::AnyRange | Ty::AnyCompatibleRange) && *actual == Type::Unknown
    }) && !arguments.iter().any(is_range)
}

/// Finds the aggregate for arguments of these types; none for `count(*)`.
///
/// # Errors
/// As [`choose`].
pub fn choose_aggregate(name: &str, arguments: &[Type]) -> Result<ChosenAggregate> {
    let fitting = aggregates()
        .filter(|aggregate| aggregate.name == name && aggregate.arguments.len() == arguments.len());
    let candidates =
        fitting.map(|aggregate| Candidate { what: aggregate, declared: aggregate.arguments.to_vec() });
    let chosen = select(candidates.collect(), arguments, false);
    let Candidate { what: aggregate, declared } =
        chosen.map_err(|why| refuse(why, name, Kind::Function, arguments))?;
    let (argument_types, result) = settle(&declared, aggregate.result, arguments)?;
    Ok(ChosenAggregate { aggregate, argument_types, result })
}

/// Types that compare with themselves.
const COMPARED: &[Ty] = &[
    Ty::Bool,
    Ty::Int2,
    Ty::Int4,
    Ty::Int8,
    Ty::Float4,
    Ty::Float8,
    Ty::Numeric,
    Ty::Text,
    Ty::Bpchar,
    Ty::Citext,
    Ty::Uuid,
    Ty::Bytea,
    Ty::Jsonb,
    Ty::Date,
    Ty::Time,
    Ty::Timetz,
    Ty::Timestamp,
    Ty::Timestamptz,
    Ty::Interval,
    Ty::Inet,
    Ty::Tsvector,
    Ty::Tsquery,
    Ty::Vector,
    Ty::Bit,
    Ty::Varbit,
    Ty::AnyEnum,
    Ty::AnyArray,
    Ty::AnyRange,
    Ty::Record,
];

/// Types that compare with each other; the comparison is of the later one.
const COMPARED_ACROSS: &[&[Ty]] = &[
    &[Ty::Int2, Ty::Int4, Ty::Int8],
    &[Ty::Float4, Ty::Float8],
    &[Ty::Date, Ty::Timestamp, Ty::Timestamptz],
];

/// The type on which two expressions are compared by an operator such as `=`.
///
/// # Errors
/// `42883` and `42725` as for operators.
pub fn choose_comparison(symbol: &str, left: &Type, right: &Type) -> Result<Type> {
    if let Some(ty) = compared_as_it_is(left, right) {
        return Ok(ty.clone());
    }
    let arguments = [left.clone(), right.clone()];
    let alike = COMPARED.iter().map(|ty| (*ty, [*ty, *ty]));
    let across = COMPARED_ACROSS.iter().flat_map(|group| {
        let pairs = (0..group.len()).flat_map(|left| (0..group.len()).map(move |right| (left, right)));
        pairs
            .filter(|(left, right)| left != right)
            .map(|(left, right)| (group[left.max(right)], [group[left], group[right]]))
    });
    let candidates =
        alike.chain(across).map(|(what, declared)| Candidate { what, declared: declared.to_vec() });
    let chosen = select(candidates.collect(), &arguments, true);
    let Candidate { what, declared } =
        chosen.map_err(|why| refuse(why, symbol, Kind::Operator, &arguments))?;
    if what == Ty::Record {
        return Ok(left.clone());
    }
    settle(&declared, what, &arguments).map(|(_, ty)| ty)
}

/// The type of two operands that have an operator of exactly their type: nearly every comparison, found without a search.
fn compared_as_it_is<'t>(left: &'t Type, right: &'t Type) -> Option<&'t Type> {
    let ty = match (left, right) {
        (Type::Unknown, known) | (known, Type::Unknown) => known,
        (left, right) if left == right => left,
        _ => return None,
    };
    let has_own = matches!(
        ty,
        Type::Bool
            | Type::Int2
            | Type::Int4
            | Type::Int8
            | Type::Float4
            | Type::Float8
            | Type::Numeric
            | Type::Text
            | Type::Uuid
            | Type::Bytea
            | Type::Jsonb
            | Type::Date
            | Type::Time
            | Type::Timestamp
            | Type::Timestamptz
            | Type::Interval
    );
    has_own.then_some(ty)
}

/// The one candidate that the arguments mean.
fn select<T>(
    mut candidates: Vec<Candidate<T>>,
    arguments: &[Type],
    operator: bool,
) -> Result<Candidate<T>, Failure> {
    if let Some(position) = exact(&candidates, arguments, operator) {
        return Ok(candidates.swap_remove(position));
    }
    candidates.retain(|candidate| accepts(&candidate.declared, arguments));
    if candidates.len() > 1 {
        narrow(&mut candidates, arguments);
    }
    match (candidates.pop(), candidates.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::None),
        (Some(_), false) => Err(Failure::Several),
    }
}

/// A candidate whose declared types are the arguments' own. Of an operator's two operands, an unknown one is taken to be of
/// the other's type.
fn exact<T>(candidates: &[Candidate<T>], arguments: &[Type], operator: bool) -> Option<usize> {
    let mut wanted = arguments.to_vec();
    if let (true, [left, right]) = (operator, &mut wanted[..]) {
        match (&*left, &*right) {
            (Type::Unknown, known) => *left = known.clone(),
            (known, Type::Unknown) => *right = known.clone(),
            _ => {}
        }
    }
    candidates.iter().position(|candidate| {
        candidate
            .declared
            .iter()
            .zip(&wanted)
            .all(|(declared, wanted)| declared.to_type().as_ref() == Some(wanted))
    })
}

/// Whether every argument converts implicitly to what is declared.
fn accepts(declared: &[Ty], arguments: &[Type]) -> bool {
    let each = declared.iter().zip(arguments).all(|(declared, actual)| match declared.to_type() {
        Some(wanted) => converts(actual, &wanted),
        None => match declared {
            Ty::Record => matches!(actual, Type::Composite(_) | Type::Unknown),
            Ty::Array(inner) if **inner == Ty::Any => matches!(actual, Type::Array(_)),
            _ => true,
        },
    });
    each && unify(declared, arguments).is_some()
}

/// Keeps the best candidates: PostgreSQL's `func_select_candidate`, step by step.
fn narrow<T>(candidates: &mut Vec<Candidate<T>>, arguments: &[Type]) {
    let known = || arguments.iter().enumerate().filter(|(_, ty)| **ty != Type::Unknown);
    keep_best(candidates, |candidate| known().filter(|(at, ty)| candidate.is(*at, ty)).count());
    if candidates.len() == 1 {
        return;
    }
    keep_best(candidates, |candidate| {
        known().filter(|(at, ty)| candidate.is(*at, ty) || candidate.prefers(*at, ty)).count()
    });
    if candidates.len() == 1 || known().count() == arguments.len() {
        return;
    }
    narrow_by_category(candidates, arguments);
    if candidates.len() > 1 {
        assume_alike(candidates, arguments);
    }
}

/// Keeps the candidates with the highest score.
fn keep_best<T>(candidates: &mut Vec<Candidate<T>>, score: impl Fn(&Candidate<T>) -> usize) {
    let best = candidates.iter().map(&score).max();
    candidates.retain(|candidate| Some(score(candidate)) == best);
}

impl<T> Candidate<T> {
    fn is(&self, position: usize, ty: &Type) -> bool {
        self.declared.get(position).and_then(|declared| declared.to_type()).as_ref() == Some(ty)
    }

    /// Whether the declared type is the preferred one of the argument's category.
    fn prefers(&self, position: usize, ty: &Type) -> bool {
        let declared = self.declared.get(position).and_then(|declared| declared.to_type());
        declared.is_some_and(|declared| category(&declared) == category(ty) && preferred(&declared))
    }

    /// Category and preference of the declared type; polymorphic types are of the category of pseudo-types.
    fn kind(&self, position: usize) -> (char, bool) {
        let declared = self.declared.get(position).and_then(|declared| declared.to_type());
        declared.map_or(('P', false), |declared| (category(&declared), preferred(&declared)))
    }
}

/// For each unknown argument: strings if any candidate takes one, else the category that all agree on. Candidates of other
/// categories go, and those that do not take a preferred type where another does.
fn narrow_by_category<T>(candidates: &mut Vec<Candidate<T>>, arguments: &[Type]) {
    let mut wanted = Vec::new();
    for position in (0..arguments.len()).filter(|at| arguments[*at] == Type::Unknown) {
        let kinds: Vec<(char, bool)> = candidates.iter().map(|candidate| candidate.kind(position)).collect();
        let category = if kinds.iter().any(|(category, _)| *category == 'S') {
            'S'
        } else {
            let first = kinds.first().map_or('X', |(category, _)| *category);
            if kinds.iter().any(|(category, _)| *category != first) {
                return;
            }
            first
        };
        let preferred = kinds.contains(&(category, true));
        wanted.push((position, category, preferred));
    }
    let fits = |candidate: &Candidate<T>| {
        wanted.iter().all(|(position, category, preferred)| {
            let kind = candidate.kind(*position);
            kind.0 == *category && (kind.1 || !preferred)
        })
    };
    if candidates.iter().any(fits) {
        candidates.retain(fits);
    }
}

/// When all known arguments are of one type, an unknown one may be of that type too, if that leaves one candidate.
fn assume_alike<T>(candidates: &mut Vec<Candidate<T>>, arguments: &[Type]) {
    let mut known = arguments.iter().filter(|ty| **ty != Type::Unknown);
    let Some(first) = known.next() else { return };
    if known.any(|ty| ty != first) {
        return;
    }
    let alike = vec![first.clone(); arguments.len()];
    if candidates.iter().filter(|candidate| accepts(&candidate.declared, &alike)).count() == 1 {
        candidates.retain(|candidate| accepts(&candidate.declared, &alike));
    }
}

/// What each argument becomes, and the type of the result.
fn settle(declared: &[Ty], result: Ty, arguments: &[Type]) -> Result<(Vec<Type>, Type)> {
    let unknown = || {
        Error::new(
            Code::DATATYPE_MISMATCH,
            "could not determine polymorphic type because input has type unknown",
        )
    };
    let bindings = unify(declared, arguments).ok_or_else(unknown)?.or_text();
    let argument = |(declared, actual): (&Ty, &Type)| match declared {
        Ty::Any | Ty::Record | Ty::Array(Ty::Any) if *actual == Type::Unknown => Ok(Type::Text),
        Ty::Any | Ty::Record | Ty::Array(Ty::Any) => Ok(actual.clone()),
        declared => bindings.apply(*declared).ok_or_else(unknown),
    };
    let types = declared.iter().zip(arguments).map(argument).collect::<Result<Vec<Type>>>()?;
    let result = bindings.apply(result).ok_or_else(unknown)?;
    if let Type::Array(element) = &result
        && matches!(**element, Type::Array(_))
    {
        let message = format!("could not find array type for data type {}", format_type(element, None));
        return Err(Error::new(Code::UNDEFINED_OBJECT, message));
    }
    Ok((types, result))
}

fn refuse(why: Failure, name: &str, kind: Kind, arguments: &[Type]) -> Error {
    if kind == Kind::Function && super::lacking::is_known(name) {
        return Error::missing(format!("{name}()"));
    }
    let types: Vec<String> = arguments.iter().map(|ty| format_type(ty, None)).collect();
    let (code, end, hint) = match (why, kind) {
        (Failure::None, Kind::Function) => (Code::UNDEFINED_FUNCTION, "does not exist", NO_FUNCTION),
        (Failure::None, Kind::Operator) => (Code::UNDEFINED_FUNCTION, "does not exist", NO_OPERATOR),
        (Failure::None, Kind::Prefix) => (Code::UNDEFINED_FUNCTION, "does not exist", NO_PREFIX),
        (Failure::Several, Kind::Function) => (Code::AMBIGUOUS_FUNCTION, "is not unique", SEVERAL_FUNCTIONS),
        (Failure::Several, _) => (Code::AMBIGUOUS_FUNCTION, "is not unique", SEVERAL_OPERATORS),
    };
    let message = match (kind, &types[..]) {
        (Kind::Function, types) => {
            let name = name.strip_suffix(super::VARIADIC).unwrap_or(name);
            format!("function {name}({}) {end}", types.join(", "))
        }
        (_, [operand]) => format!("operator {end}: {name} {operand}"),
        (_, types) => format!("operator {end}: {}", types.join(&format!(" {name} "))),
    };
    Error::new(code, message).with_hint(hint)
}

const NO_FUNCTION: &str =
    "No function matches the given name and argument types. You might need to add explicit type casts.";
const NO_OPERATOR: &str =
    "No operator matches the given name and argument types. You might need to add explicit type casts.";
const NO_PREFIX: &str =
    "No operator matches the given name and argument type. You might need to add an explicit type cast.";
const SEVERAL_FUNCTIONS: &str =
    "Could not choose a best candidate function. You might need to add explicit type casts.";
const SEVERAL_OPERATORS: &str =
    "Could not choose a best candidate operator. You might need to add explicit type casts.";
