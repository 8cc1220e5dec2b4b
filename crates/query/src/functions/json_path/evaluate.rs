//! A path over a document, step by step as PostgreSQL does it: lax mode wraps and unwraps arrays and forgives what is not
//! there, strict mode refuses it; errors within conditions make them unknown.

mod conditions;
mod moments;
mod values;

use types::json::Json;
use types::jsonpath::{Chain, Literal, Method, Operator, Path, Step};
use types::numeric::Numeric;
use types::session::Session;
use types::{Code, Error, Result};

use self::moments::Moment;
use super::super::interrupt::{Steps, fits, fits_elements};

/// A question.
pub(super) struct Asked<'a> {
    pub(super) path: &'a Path,
    pub(super) document: &'a Json,
    pub(super) variables: &'a Json,
    /// Errors of the path are no errors.
    pub(super) is_silent: bool,
    /// Whose zone is that of times without one, where they are compared with others.
    pub(super) zone: Option<&'a Session>,
}

/// The answer.
pub(super) enum Outcome {
    /// An error, kept silent, and what was found before it.
    Failed(Vec<Json>),
    Nothing,
    /// Items; none are listed where only their being there was asked.
    Found(Vec<Json>),
}

impl Asked<'_> {
    pub(super) fn answer(&self, wants_items: bool) -> Result<Outcome> {
        let mut run = Run {
            root: self.document,
            variables: self.variables,
            is_strict: self.path.is_strict,
            forgives: !self.path.is_strict,
            throws: !self.is_silent,
            array_size: None,
            steps: Steps::default(),
            bytes: 0,
            zone: self.zone,
        };
        let mut items = Vec::new();
        // In strict mode all of it is looked at, so that no error is passed over.
        let list = if wants_items || self.path.is_strict { Some(&mut items) } else { None };
        let place = Place { item: self.document, moment: None, current: self.document, current_moment: None };
        let found = |items: Vec<Item>| items.into_iter().map(|item| item.json).collect();
        Ok(match run.chain(&self.path.chain, place, list, true) {
            Err(Failure::Silent) => Outcome::Failed(found(items)),
            Err(Failure::Raised(error)) => return Err(error),
            Ok(false) => Outcome::Nothing,
            Ok(true) if self.path.is_strict && items.is_empty() => Outcome::Nothing,
            Ok(true) => Outcome::Found(found(items)),
        })
    }
}

/// Why a path has no answer.
enum Failure {
    /// An error that nobody wants to hear of.
    Silent,
    Raised(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Raised(error)
    }
}

/// Whether something was found, unless there is no answer.
type Found = std::result::Result<bool, Failure>;

/// Where found items go; nowhere where only their being there counts.
type List<'l> = Option<&'l mut Vec<Item>>;

/// An item that was found.
struct Item {
    json: Json,
    /// The date or time that it is, beside its text.
    moment: Option<Moment>,
}

/// The item that a step looks at, and what `@` is.
#[derive(Clone, Copy)]
struct Place<'j> {
    item: &'j Json,
    /// The date or time that the item is, beside its text.
    moment: Option<&'j Moment>,
    current: &'j Json,
    current_moment: Option<&'j Moment>,
}

impl<'j> Place<'j> {
    /// At another item, unless it is this one.
    fn at(self, item: &'j Json) -> Place<'j> {
        let moment = self.moment.filter(|_| std::ptr::eq(item, self.item));
        Place { item, moment, ..self }
    }
}

/// What a condition is; unknown is neither.
type Truth = Option<bool>;

struct Run<'a> {
    root: &'a Json,
    variables: &'a Json,
    is_strict: bool,
    /// Structural errors are passed over.
    forgives: bool,
    /// Errors are raised.
    throws: bool,
    /// Elements of the innermost array whose subscripts are computed.
    array_size: Option<usize>,
    steps: Steps,
    /// Of all items that are kept: what was found, and operands that are looked at.
    bytes: usize,
    zone: Option<&'a Session>,
}

fn array(item: &Json) -> Option<&[Json]> {
    match item {
        Json::Array(items) => Some(items),
        _ => None,
    }
}

fn number(item: &Json) -> Option<Numeric> {
    match item {
        Json::Number(text) => Numeric::parse(text).ok(),
        _ => None,
    }
}

/// Members of an object or elements of an array.
fn parts(item: &Json) -> Vec<&Json> {
    match item {
        Json::Array(items) => items.iter().collect(),
        Json::Object(members) => members.iter().map(|(_, member)| member).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    }
}

fn is_container(item: &Json) -> bool {
    matches!(item, Json::Array(_) | Json::Object(_))
}

impl Run<'_> {
    /// Counts an item that is kept, and says how large it is in memory.
    fn keep(&mut self, item: &Json) -> Result<usize> {
        let bytes = self.weigh(item)?;
        self.bytes += bytes;
        fits(self.bytes)?;
        Ok(bytes)
    }

    fn weigh(&mut self, item: &Json) -> Result<usize> {
        self.steps.next()?;
        let mut bytes = size_of::<Json>();
        match item {
            Json::Null | Json::Bool(_) => {}
            Json::Number(text) | Json::String(text) => bytes += text.len(),
            Json::Array(items) => {
                for item in items {
                    bytes += self.weigh(item)?;
                }
            }
            Json::Object(members) => {
                for (key, member) in members {
                    bytes += size_of::<String>() + key.len() + self.weigh(member)?;
                }
            }
        }
        Ok(bytes)
    }

    /// What is kept meanwhile is forgotten.
    fn meanwhile<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        let around = self.bytes;
        let answer = ask(self);
        self.bytes = around;
        answer
    }

    fn fails(&self, code: Code, message: impl Into<String>) -> Failure {
        if self.throws { Failure::Raised(Error::new(code, message)) } else { Failure::Silent }
    }

    /// A structural error, where those count.
    fn structural(&self, code: Code, message: &str) -> Found {
        if self.forgives { Ok(false) } else { Err(self.fails(code, message)) }
    }

    /// What steps find from an item on; nothing behind the last step but the item itself. `unwraps` says whether an array
    /// stands for its elements.
    fn chain(&mut self, steps: &[Step], place: Place<'_>, list: List<'_>, unwraps: bool) -> Found {
        self.steps.next()?;
        let Some((step, rest)) = steps.split_first() else {
            if let Some(list) = list {
                self.keep(place.item)?;
                fits_elements(list.len() + 1)?;
                list.push(Item { json: place.item.clone(), moment: place.moment.copied() });
            }
            return Ok(true);
        };
        let unwraps = unwraps && !self.is_strict;
        let elements = array(place.item).filter(|_| unwraps && sees_elements(step));
        if let Some(elements) = elements {
            let elements: Vec<&Json> = elements.iter().collect();
            return self.each(&elements, steps, place, list, false);
        }
        self.step((step, rest), place, list)
    }

    /// The items that steps find from each of some items on.
    fn each(
        &mut self,
        items: &[&Json],
        steps: &[Step],
        place: Place<'_>,
        mut list: List<'_>,
        unwraps: bool,
    ) -> Found {
        let mut found = false;
        for item in items {
            found |= self.chain(steps, place.at(item), list.as_deref_mut(), unwraps)?;
            if found && list.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn step(&mut self, (step, rest): (&Step, &[Step]), place: Place<'_>, list: List<'_>) -> Found {
        match step {
            Step::Null => self.chain(rest, place.at(&Json::Null), list, true),
            Step::Bool(value) => self.chain(rest, place.at(&Json::Bool(*value)), list, true),
            Step::Number(Literal(number)) => self.number(number, rest, place, list),
            Step::String(text) => self.chain(rest, place.at(&Json::String(text.clone())), list, true),
            Step::Variable(name) => {
                let variables = self.variables;
                let value = variables.get(name).ok_or_else(|| {
                    Error::new(Code::UNDEFINED_OBJECT, format!("could not find jsonpath variable \"{name}\""))
                })?;
                self.chain(rest, place.at(value), list, true)
            }
            Step::Root => {
                let root = self.root;
                self.chain(rest, place.at(root), list, true)
            }
            Step::Current => {
                let current = Place { item: place.current, moment: place.current_moment, ..place };
                self.chain(rest, current, list, true)
            }
            Step::Last => {
                let size = self.array_size.unwrap_or(0);
                let last = Numeric::from_i64(i64::try_from(size).unwrap_or(i64::MAX) - 1);
                self.number(&last, rest, place, list)
            }
            Step::Key(key) => match place.item {
                Json::Object(_) => match place.item.get(key) {
                    Some(member) => self.chain(rest, place.at(member), list, true),
                    None => self.structural(
                        Code::NO_JSON_MEMBER,
                        &format!("JSON object does not contain key \"{key}\""),
                    ),
                },
                _ => self.structural(
                    Code::NO_JSON_MEMBER,
                    "jsonpath member accessor can only be applied to an object",
                ),
            },
            Step::AnyKey => match place.item {
                Json::Object(_) => self.each(&parts(place.item), rest, place, list, true),
                _ => self.structural(
                    Code::NO_JSON_OBJECT,
                    "jsonpath wildcard member accessor can only be applied to an object",
                ),
            },
            Step::AnyElement => match place.item {
                Json::Array(_) => self.each(&parts(place.item), rest, place, list, true),
                _ if !self.is_strict => self.chain(rest, place, list, true),
                _ => self.structural(
                    Code::NO_JSON_ARRAY,
                    "jsonpath wildcard array accessor can only be applied to an array",
                ),
            },
            Step::Elements(subscripts) => self.elements(subscripts, rest, place, list),
            Step::Any { first, last } => self.levels((*first, *last), rest, place, list),
            Step::Filter(condition) => {
                let within = Place { current: place.item, current_moment: place.moment, ..place };
                match self.meanwhile(|run| run.condition(condition, within))? {
                    Some(true) => self.chain(rest, place, list, true),
                    Some(false) | None => Ok(false),
                }
            }
            Step::Method(method) => self.method(*method, rest, place, list),
            Step::Datetime(template) => self.datetime(template.as_deref(), rest, place, list),
            Step::Sign(operator, operand) => self.signed(*operator, operand, rest, place, list),
            Step::Operation(operator, left, right) if is_arithmetic(*operator) => {
                let result = self.meanwhile(|run| run.arithmetic(*operator, left, right, place))?;
                self.number(&result, rest, place, list)
            }
            Step::Operation(..)
            | Step::Not(_)
            | Step::IsUnknown(_)
            | Step::Exists(_)
            | Step::LikeRegex(..) => {
                let truth = self.meanwhile(|run| run.truth(step, place))?;
                let value = truth.map_or(Json::Null, Json::Bool);
                self.chain(rest, place.at(&value), list, true)
            }
        }
    }

    fn number(&mut self, number: &Numeric, rest: &[Step], place: Place<'_>, list: List<'_>) -> Found {
        self.chain(rest, place.at(&Json::Number(number.to_string())), list, true)
    }

    fn elements(
        &mut self,
        subscripts: &[(Chain, Option<Chain>)],
        rest: &[Step],
        place: Place<'_>,
        mut list: List<'_>,
    ) -> Found {
        let elements: Vec<&Json> = match place.item {
            Json::Array(items) => items.iter().collect(),
            item if !self.is_strict => vec![item],
            _ => {
                let message = "jsonpath array accessor can only be applied to an array";
                return self.structural(Code::NO_JSON_ARRAY, message);
            }
        };
        let around = self.array_size.replace(elements.len());
        let found = self.subscripted(&elements, subscripts, rest, place, &mut list);
        self.array_size = around;
        found
    }

    fn subscripted(
        &mut self,
        elements: &[&Json],
        subscripts: &[(Chain, Option<Chain>)],
        rest: &[Step],
        place: Place<'_>,
        list: &mut List<'_>,
    ) -> Found {
        let mut found = false;
        let size = i64::try_from(elements.len()).unwrap_or(i64::MAX);
        for (from, to) in subscripts {
            let from = self.meanwhile(|run| run.subscript(from, place))?;
            let to = match to {
                Some(to) => self.meanwhile(|run| run.subscript(to, place))?,
                None => from,
            };
            if !self.forgives && (from < 0 || from > to || to >= size) {
                return Err(
                    self.fails(Code::INVALID_JSON_SUBSCRIPT, "jsonpath array subscript is out of bounds")
                );
            }
            let position = |index: i64| usize::try_from(index).unwrap_or(0);
            let chosen = elements.get(position(from.max(0))..position((to + 1).min(size).max(0)));
            found |= self.each(chosen.unwrap_or_default(), rest, place, list.as_deref_mut(), true)?;
            if found && list.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn subscript(&mut self, chain: &Chain, place: Place<'_>) -> std::result::Result<i64, Failure> {
        let mut items = Vec::new();
        self.chain(chain, place, Some(&mut items), true)?;
        let number = match &items[..] {
            [item] => number(&item.json),
            _ => None,
        };
        let Some(number) = number else {
            let message = "jsonpath array subscript is not a single numeric value";
            return Err(self.fails(Code::INVALID_JSON_SUBSCRIPT, message));
        };
        let whole = number.trunc(0).to_i64("integer", i32::MIN.into(), i32::MAX.into());
        whole.map_err(|_| {
            self.fails(Code::INVALID_JSON_SUBSCRIPT, "jsonpath array subscript is out of integer range")
        })
    }

    /// `.**`: the item itself is level 0.
    fn levels(
        &mut self,
        (first, last): (u32, u32),
        rest: &[Step],
        place: Place<'_>,
        mut list: List<'_>,
    ) -> Found {
        let mut found = false;
        let around = std::mem::replace(&mut self.forgives, true);
        let outcome = (|| {
            if first == 0 {
                found |= self.chain(rest, place, list.as_deref_mut(), true)?;
                if found && list.is_none() {
                    return Ok(true);
                }
            }
            found |= self.level(1, (first, last), rest, place, &mut list)?;
            Ok(found)
        })();
        self.forgives = around;
        outcome
    }

    fn level(
        &mut self,
        level: u32,
        (first, last): (u32, u32),
        rest: &[Step],
        place: Place<'_>,
        list: &mut List<'_>,
    ) -> Found {
        if level > last {
            return Ok(false);
        }
        let mut found = false;
        for part in parts(place.item) {
            self.steps.next()?;
            let is_leaf = (first, last) == (u32::MAX, u32::MAX) && !is_container(part);
            if level >= first || is_leaf {
                found |= self.chain(rest, place.at(part), list.as_deref_mut(), true)?;
                if found && list.is_none() {
                    return Ok(true);
                }
            }
            if level < last && is_container(part) {
                found |= self.level(level + 1, (first, last), rest, place.at(part), list)?;
                if found && list.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(found)
    }
}

/// Whether a step looks at the elements of an array in its place, in lax mode.
fn sees_elements(step: &Step) -> bool {
    matches!(
        step,
        Step::Key(_)
            | Step::AnyKey
            | Step::Filter(_)
            | Step::Method(Method::Abs | Method::Floor | Method::Ceiling | Method::Double | Method::Keyvalue)
            | Step::Datetime(_)
    )
}

fn is_arithmetic(operator: Operator) -> bool {
    matches!(operator, Operator::Plus | Operator::Minus | Operator::Times | Operator::Over | Operator::Modulo)
}
