//! Conditions of paths, of three truths: an error within is no answer.

use std::cmp::Ordering;

use types::Result;
use types::json::Json;
use types::jsonpath::{Chain, Operator, Pattern, Step};
use types::session::Session;

use super::super::super::regex;
use super::super::super::regex_syntax::{self, Options};
use super::{Failure, Item, Place, Run, Truth, moments, number};

impl Run<'_> {
    /// A condition that stands alone.
    pub(super) fn condition(
        &mut self,
        chain: &Chain,
        place: Place<'_>,
    ) -> std::result::Result<Truth, Failure> {
        match &chain[..] {
            [step] => self.truth(step, place),
            _ => Ok(None),
        }
    }

    pub(super) fn truth(&mut self, step: &Step, place: Place<'_>) -> std::result::Result<Truth, Failure> {
        Ok(match step {
            Step::Operation(Operator::And, left, right) => match self.condition(left, place)? {
                Some(false) => Some(false),
                left => match self.condition(right, place)? {
                    Some(true) => left,
                    right => right,
                },
            },
            Step::Operation(Operator::Or, left, right) => match self.condition(left, place)? {
                Some(true) => Some(true),
                left => match self.condition(right, place)? {
                    Some(false) => left,
                    right => right,
                },
            },
            Step::Operation(operator, left, right) => {
                let is_start = *operator == Operator::StartsWith;
                let zone = self.zone;
                let compared = |left: &Item, right: &Item| compare(*operator, left, right, zone);
                self.predicate(left, Some((right, !is_start)), place, &compared)?
            }
            Step::Not(condition) => self.condition(condition, place)?.map(|truth| !truth),
            Step::IsUnknown(condition) => Some(self.condition(condition, place)?.is_none()),
            Step::Exists(operand) => {
                let mut items = Vec::new();
                let list = if self.is_strict { Some(&mut items) } else { None };
                match self.quietly(|run| run.chain(operand, place, list, true))? {
                    None => None,
                    Some(found) => Some(if self.is_strict { !items.is_empty() } else { found }),
                }
            }
            Step::LikeRegex(operand, pattern) => {
                let regex = regex::compile(&pattern.text, options(pattern))?;
                let matches = |item: &Item, _: &Item| match &item.json {
                    Json::String(text) if item.moment.is_none() => Ok(Some(regex.is_match(text))),
                    _ => Ok(None),
                };
                self.predicate(operand, None, place, &matches)?
            }
            _ => None,
        })
    }

    /// An error within is no answer.
    fn quietly<T>(
        &mut self,
        ask: impl FnOnce(&mut Self) -> std::result::Result<T, Failure>,
    ) -> std::result::Result<Option<T>, Failure> {
        let around = std::mem::replace(&mut self.throws, false);
        let answer = ask(self);
        self.throws = around;
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Silent) => Ok(None),
            Err(raised @ Failure::Raised(_)) => Err(raised),
        }
    }

    /// Whether some pair of items meets a condition; in strict mode no pair may be unknown.
    fn predicate(
        &mut self,
        left: &Chain,
        right: Option<(&Chain, bool)>,
        place: Place<'_>,
        meets: &dyn Fn(&Item, &Item) -> Result<Truth>,
    ) -> std::result::Result<Truth, Failure> {
        let Some(left) = self.quietly(|run| run.operand(left, place, true))? else { return Ok(None) };
        let right = match right {
            None => vec![Item { json: Json::Null, moment: None }],
            Some((right, unwraps)) => match self.quietly(|run| run.operand(right, place, unwraps))? {
                None => return Ok(None),
                Some(right) => right,
            },
        };
        let (mut is_unknown, mut is_met) = (false, false);
        for (left, right) in left.iter().flat_map(|left| right.iter().map(move |right| (left, right))) {
            self.steps.next()?;
            match meets(left, right)? {
                None if self.is_strict => return Ok(None),
                None => is_unknown = true,
                Some(true) if !self.is_strict => return Ok(Some(true)),
                Some(true) => is_met = true,
                Some(false) => {}
            }
        }
        Ok(if is_met {
            Some(true)
        } else if is_unknown {
            None
        } else {
            Some(false)
        })
    }
}

fn options(pattern: &Pattern) -> Options {
    let mut options = Options::default();
    let has = |flag: char| pattern.flags.contains(flag);
    let newlines = match (has('s'), has('m')) {
        (false, false) => 'p',
        (false, true) => 'n',
        (true, false) => 's',
        (true, true) => 'w',
    };
    for flag in [has('i').then_some('i'), Some(newlines), has('q').then_some('q')].into_iter().flatten() {
        // Flags of ours.
        let _ = regex_syntax::set(&mut options, flag);
    }
    options
}

/// Null is equal to itself alone; other values of several types, objects and arrays are not compared.
fn compare(operator: Operator, left: &Item, right: &Item, zone: Option<&Session>) -> Result<Truth> {
    match (&left.moment, &right.moment) {
        (None, None) => Ok(compare_json(operator, &left.json, &right.json)),
        _ if operator == Operator::StartsWith => Ok(None),
        (Some(left), Some(right)) => {
            let order = moments::compare(left, right, zone)?;
            Ok(order.and_then(|order| holds(operator, order)))
        }
        (Some(_), None) | (None, Some(_)) => {
            let is_null = |item: &Item| matches!(item.json, Json::Null);
            Ok((is_null(left) || is_null(right)).then_some(operator == Operator::NotEqual))
        }
    }
}

fn compare_json(operator: Operator, left: &Json, right: &Json) -> Truth {
    let order = match (left, right) {
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, _) | (_, Json::Null) if operator != Operator::StartsWith => {
            return Some(operator == Operator::NotEqual);
        }
        (Json::String(left), Json::String(right)) if operator == Operator::StartsWith => {
            return Some(left.starts_with(right.as_str()));
        }
        _ if operator == Operator::StartsWith => return None,
        (Json::Bool(left), Json::Bool(right)) => left.cmp(right),
        (Json::String(left), Json::String(right)) => left.cmp(right),
        (Json::Number(_), Json::Number(_)) => number(left)?.compare(&number(right)?),
        _ => return None,
    };
    holds(operator, order)
}

fn holds(operator: Operator, order: Ordering) -> Truth {
    Some(match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::Greater => order.is_gt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::GreaterOrEqual => order.is_ge(),
        _ => return None,
    })
}
