//! The ledger: what was promised, kept outside of the server, and its comparison with what the server has.
//!
//! It counts in units: rows that are always written by one request, so that all of them must be in the same state.

use std::collections::BTreeMap;

use types::json::{self, Json};

/// What is known of a unit, or what was found of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// None of its rows is there.
    Absent,
    /// All of its rows are there, with this value.
    Present(u64),
}

/// Rows that are written together.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its number.
    pub number: u64,
    /// How many rows it has.
    pub rows: u64,
    /// What the server said last.
    pub sure: State,
    /// What it would be after a request whose answer never came.
    pub maybe: Option<State>,
    /// Whether anything was asked for it since it was last compared.
    pub is_touched: bool,
}

/// A row as a server returned it.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    part: u64,
    value: u64,
    is_whole: bool,
}

impl Unit {
    /// A unit that nobody wrote yet.
    pub fn absent(number: u64, rows: u64) -> Unit {
        Unit { number, rows, sure: State::Absent, maybe: None, is_touched: false }
    }

    /// Its rows with a value, as a JSON array for a request.
    pub fn body(&self, value: u64) -> String {
        let rows: Vec<String> = (0..self.rows).map(|part| self.row(part, value)).collect();
        format!("[{}]", rows.join(","))
    }

    fn row(&self, part: u64, value: u64) -> String {
        format!(
            r#"{{"id":"{}","unit":{},"part":{part},"value":{value},"note":"{}"}}"#,
            id(self.number, part),
            self.number,
            note(self.number, value)
        )
    }

    /// Compares it with the rows that a server has of it, and takes over what is there.
    ///
    /// # Errors
    /// What was promised and is not so, or what was done by half.
    fn settle(&mut self, found: &[Found]) -> Result<(), String> {
        let state = self.state(found).ok_or_else(|| format!("{self} is there by half: {found:?}"))?;
        if state != self.sure && Some(state) != self.maybe {
            return Err(format!("{self} was found to be {state}"));
        }
        (self.sure, self.maybe, self.is_touched) = (state, None, false);
        Ok(())
    }

    fn state(&self, found: &[Found]) -> Option<State> {
        let Some(first) = found.first() else { return Some(State::Absent) };
        let alike = found.iter().all(|row| row.value == first.value && row.is_whole);
        let parts: Vec<u64> = found.iter().map(|row| row.part).collect();
        (alike && parts.into_iter().eq(0..self.rows)).then_some(State::Present(first.value))
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unit {} of {} rows, promised to be {}", self.number, self.rows, self.sure)?;
        match self.maybe {
            Some(maybe) => write!(f, " or perhaps {maybe}"),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Absent => f.write_str("absent"),
            State::Present(value) => write!(f, "there with {value}"),
        }
    }
}

/// The id of a row.
pub fn id(unit: u64, part: u64) -> String {
    format!("{part:08x}-0000-4000-8000-{unit:012x}")
}

/// The text of a row: it follows from the rest, so that a torn row is seen. Some need more than a page.
pub fn note(unit: u64, value: u64) -> String {
    let times = if unit.is_multiple_of(37) { 400 } else { 1 + unit % 20 };
    (0..times).map(|_| format!("{unit}={value} ")).collect()
}

/// Compares units with the rows that a server returned for them.
///
/// # Errors
/// Everything that is not as promised, a line each.
pub fn settle<'a>(units: impl Iterator<Item = &'a mut Unit>, body: &str) -> Result<(), String> {
    let mut found = read(body)?;
    let mut complaints = Vec::new();
    for unit in units {
        let rows = found.remove(&unit.number).unwrap_or_default();
        if let Err(complaint) = unit.settle(&rows) {
            complaints.push(complaint);
        }
    }
    complaints.extend(found.keys().map(|number| format!("unit {number} was never written")));
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

/// Rows by unit, in the order of their parts.
fn read(body: &str) -> Result<BTreeMap<u64, Vec<Found>>, String> {
    let broken = || format!("not rows of entries: {body}");
    let Ok(Json::Array(rows)) = json::parse(body, json::DEPTH_MAX) else { return Err(broken()) };
    let mut found: BTreeMap<u64, Vec<Found>> = BTreeMap::new();
    for row in &rows {
        let number = |name| match row.get(name) {
            Some(Json::Number(text)) => text.parse::<u64>().map_err(|_| broken()),
            _ => Err(broken()),
        };
        let (unit, part, value) = (number("unit")?, number("part")?, number("value")?);
        let text = |name| row.get(name).and_then(Json::as_str);
        let is_whole =
            text("id") == Some(id(unit, part).as_str()) && text("note") == Some(note(unit, value).as_str());
        found.entry(unit).or_default().push(Found { part, value, is_whole });
    }
    found.values_mut().for_each(|rows| rows.sort_by_key(|row| row.part));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(sure: State, maybe: Option<State>) -> Unit {
        Unit { sure, maybe, is_touched: true, ..Unit::absent(5, 3) }
    }

    #[track_caller]
    fn check(mut unit: Unit, body: &str, expected: Result<State, &str>) {
        match (settle(std::iter::once(&mut unit), body), expected) {
            (Ok(()), Ok(state)) => assert_eq!((unit.sure, unit.maybe), (state, None)),
            (Err(complaint), Err(words)) => assert!(complaint.contains(words), "{complaint}"),
            (got, expected) => panic!("got {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_promise_is_kept_or_named() {
        let rows = unit(State::Absent, None).body(9);
        check(unit(State::Present(9), None), &rows, Ok(State::Present(9)));
        check(unit(State::Present(9), None), "[]", Err("promised to be there with 9 was found to be absent"));
        check(unit(State::Present(8), None), &rows, Err("found to be there with 9"));
        check(unit(State::Absent, None), &rows, Err("promised to be absent"));
    }

    #[test]
    fn what_was_never_answered_may_be_either() {
        let rows = unit(State::Absent, None).body(9);
        check(unit(State::Absent, Some(State::Present(9))), &rows, Ok(State::Present(9)));
        check(unit(State::Absent, Some(State::Present(9))), "[]", Ok(State::Absent));
        check(unit(State::Present(1), Some(State::Present(2))), &rows, Err("or perhaps there with 2"));
    }

    #[test]
    fn half_a_write_is_seen() {
        let mut short = unit(State::Absent, None);
        short.rows = 2;
        check(unit(State::Present(9), None), &short.body(9), Err("by half"));
        let mixed = unit(State::Absent, None).body(9).replacen("\"value\":9", "\"value\":8", 1);
        check(unit(State::Present(9), None), &mixed, Err("by half"));
        let torn = unit(State::Absent, None).body(9).replacen("5=9 ", "5=8 ", 1);
        check(unit(State::Present(9), None), &torn, Err("by half"));
        check(unit(State::Absent, None), "oops", Err("not rows"));
    }
}
