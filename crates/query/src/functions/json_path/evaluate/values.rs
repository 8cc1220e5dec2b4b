//! What paths compute of items: methods and arithmetic.

use types::json::Json;
use types::jsonpath::{Chain, Method, Operator, Step};
use types::numeric::Numeric;
use types::{Code, Error};

use super::{Failure, Found, Item, List, Place, Run, moments, number};

impl Run<'_> {
    pub(super) fn method(
        &mut self,
        method: Method,
        rest: &[Step],
        place: Place<'_>,
        list: List<'_>,
    ) -> Found {
        let name = method.name();
        let only = |what: &str| format!("jsonpath item method .{name}() can only be applied to {what}");
        match method {
            Method::Type => {
                let name = place.moment.map_or_else(|| type_name(place.item), moments::name);
                let value = Json::String(name.to_owned());
                self.chain(rest, place.at(&value), list, true)
            }
            Method::Size => {
                let size = match place.item {
                    Json::Array(items) => items.len(),
                    _ if !self.is_strict => 1,
                    _ => return self.structural(Code::NO_JSON_ARRAY, &only("an array")),
                };
                self.number(&Numeric::from_i64(i64::try_from(size).unwrap_or(i64::MAX)), rest, place, list)
            }
            Method::Abs | Method::Floor | Method::Ceiling => {
                let Some(number) = number(place.item) else {
                    return Err(self.fails(Code::NO_JSON_NUMBER, only("a numeric value")));
                };
                let result = match method {
                    Method::Abs => number.abs(),
                    Method::Floor => number.floor(),
                    _ => number.ceil(),
                };
                self.number(&result, rest, place, list)
            }
            Method::Double if place.moment.is_some() => {
                Err(self.fails(Code::NO_JSON_NUMBER, only("a string or numeric value")))
            }
            Method::Double => {
                let value = self.double(place.item, &only("a string or numeric value"))?;
                self.chain(rest, place.at(&value), list, true)
            }
            Method::Keyvalue => self.pairs(rest, place, list, &only("an object")),
        }
    }

    fn double(&self, item: &Json, otherwise: &str) -> Result<Json, Failure> {
        let refused = |message: &str| self.fails(Code::NO_JSON_NUMBER, message);
        let read = |text: &str| types::text::float8(text).ok();
        match item {
            Json::Number(text) => match read(text) {
                Some(value) if value.is_finite() => Ok(item.clone()),
                _ => Err(refused(
                    "numeric argument of jsonpath item method .double() is out of range for type double precision",
                )),
            },
            Json::String(text) => match read(text) {
                Some(value) if value.is_finite() => Ok(Json::Number(Numeric::from_f64(value).to_string())),
                Some(_) => Err(refused("NaN or Infinity is not allowed for jsonpath item method .double()")),
                None => Err(refused(
                    "string argument of jsonpath item method .double() is not a valid representation of a double precision number",
                )),
            },
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => Err(refused(otherwise)),
        }
    }

    /// `.keyvalue()`. An `id` says where PostgreSQL keeps an object: only that of the document itself is known.
    fn pairs(&mut self, rest: &[Step], place: Place<'_>, mut list: List<'_>, otherwise: &str) -> Found {
        let Json::Object(members) = place.item else {
            return Err(self.fails(Code::NO_JSON_OBJECT, otherwise));
        };
        let is_known = std::ptr::eq(place.item, self.root)
            || matches!(rest.first(), Some(Step::Key(key)) if key == "key" || key == "value");
        if !is_known {
            return Err(Error::missing("the id that keyvalue() of a jsonpath gives an inner object").into());
        }
        let mut found = false;
        for (key, value) in members {
            let bytes = self.keep(value)?;
            let pair = Json::Object(vec![
                ("id".to_owned(), Json::Number("0".to_owned())),
                ("key".to_owned(), Json::String(key.clone())),
                ("value".to_owned(), value.clone()),
            ]);
            found |= self.chain(rest, place.at(&pair), list.as_deref_mut(), true)?;
            self.bytes -= bytes;
            if found && list.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// All items of an operand, arrays among them as their elements.
    pub(super) fn operand(
        &mut self,
        chain: &Chain,
        place: Place<'_>,
        unwraps: bool,
    ) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        self.chain(chain, place, Some(&mut items), true)?;
        if !unwraps || self.is_strict {
            return Ok(items);
        }
        Ok(items
            .into_iter()
            .flat_map(|item| match item.json {
                Json::Array(elements) => {
                    elements.into_iter().map(|json| Item { json, moment: None }).collect()
                }
                json => vec![Item { json, ..item }],
            })
            .collect())
    }

    pub(super) fn signed(
        &mut self,
        operator: Operator,
        operand: &Chain,
        rest: &[Step],
        place: Place<'_>,
        mut list: List<'_>,
    ) -> Found {
        let mut found = false;
        let around = self.bytes;
        let items = self.operand(operand, place, true)?;
        let bytes = self.bytes - around;
        for item in items {
            let is_asked = list.is_some() || !rest.is_empty();
            let Some(number) = number(&item.json) else {
                if !is_asked {
                    continue;
                }
                let message = format!(
                    "operand of unary jsonpath operator {} is not a numeric value",
                    operator.symbol()
                );
                return Err(self.fails(Code::NO_JSON_OPERAND, message));
            };
            if !is_asked {
                found = true;
                break;
            }
            let result = if operator == Operator::Minus { number.neg() } else { number };
            found |= self.number(&result, rest, place, list.as_deref_mut())?;
            if found && list.is_none() {
                break;
            }
        }
        self.bytes -= bytes;
        Ok(found)
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: Operator,
        left: &Chain,
        right: &Chain,
        place: Place<'_>,
    ) -> Result<Numeric, Failure> {
        let left = self.operand(left, place, true)?;
        let right = self.operand(right, place, true)?;
        let single = |items: &[Item], side: &str| {
            match items {
                [item] => number(&item.json),
                _ => None,
            }
            .ok_or_else(|| {
                let symbol = operator.symbol();
                let message =
                    format!("{side} operand of jsonpath operator {symbol} is not a single numeric value");
                self.fails(Code::JSON_SINGLETON, message)
            })
        };
        let (left, right) = (single(&left, "left")?, single(&right, "right")?);
        let result = match operator {
            Operator::Plus => Ok(left.add(&right)),
            Operator::Minus => Ok(left.sub(&right)),
            Operator::Times => Ok(left.mul(&right)),
            Operator::Over => left.div(&right),
            _ => left.rem(&right),
        };
        // A number has as many digits as can be read.
        let result = result.and_then(|number| Numeric::parse(&number.to_string()));
        result.map_err(|error| if self.throws { Failure::Raised(error) } else { Failure::Silent })
    }
}

fn type_name(item: &Json) -> &'static str {
    match item {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
