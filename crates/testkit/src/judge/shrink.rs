//! A difference made smaller: what can be left out without it going away is left out.

use std::time::{Duration, Instant};

use super::ask::Asked;
use super::elements;
use super::pair::{Compared, Difference, Opened, Pair};
use super::world::{Extra, World};
use crate::server::Engine;

/// How long one difference may take.
const TIME_MAX: Duration = Duration::from_secs(90);

/// A difference with everything that leads to it.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) world: World,
    /// The last one is where the answers differ.
    pub(super) requests: Vec<Asked>,
    pub(super) difference: Difference,
}

/// Makes a finding smaller.
pub(super) fn shrink(finding: Finding, postgres: &Engine) -> Finding {
    let mut shrinking =
        Shrinking { wanted: finding.difference.clone(), finding, postgres, end: Instant::now() + TIME_MAX };
    loop {
        let before = shrinking.size();
        shrinking.requests();
        shrinking.rows();
        shrinking.extras();
        shrinking.tables();
        shrinking.request();
        shrinking.columns();
        shrinking.conditions();
        if shrinking.size() == before || Instant::now() > shrinking.end {
            return shrinking.finding;
        }
    }
}

struct Shrinking<'e> {
    finding: Finding,
    wanted: Difference,
    postgres: &'e Engine,
    end: Instant,
}

impl Shrinking<'_> {
    fn size(&self) -> usize {
        let requests: usize = self.finding.requests.iter().map(|asked| asked.section().len()).sum();
        self.finding.world.text().len() + requests
    }

    /// Keeps a change under which the answers still differ.
    fn attempt(&mut self, change: impl FnOnce(&mut Finding)) -> bool {
        if Instant::now() > self.end {
            return false;
        }
        let mut smaller = self.finding.clone();
        change(&mut smaller);
        let Some(difference) = replay(&smaller, self.postgres) else { return false };
        if signature(&difference) != signature(&self.wanted) {
            return false;
        }
        self.finding = Finding { difference, ..smaller };
        true
    }

    /// The requests before the last.
    fn requests(&mut self) {
        let last = self.finding.requests.len().saturating_sub(1);
        if last > 0 && self.attempt(|finding| drop(finding.requests.drain(..last))) {
            return;
        }
        self.halves(
            |finding| finding.requests.len().saturating_sub(1),
            |finding, range| drop(finding.requests.drain(range)),
        );
    }

    /// Leaves out pieces: half of them, a quarter, single ones.
    fn halves(
        &mut self,
        count: fn(&Finding) -> usize,
        leave_out: impl Fn(&mut Finding, std::ops::Range<usize>),
    ) {
        let mut step = count(&self.finding).div_ceil(2);
        while step > 0 {
            let mut at = 0;
            while at < count(&self.finding) {
                let end = (at + step).min(count(&self.finding));
                if !self.attempt(|finding| leave_out(finding, at..end)) {
                    at += step;
                }
            }
            step /= 2;
        }
    }

    fn rows(&mut self) {
        for table in 0..self.finding.world.tables.len() {
            if self.attempt(|finding| finding.world.tables[table].rows.clear()) {
                continue;
            }
            let mut at = 0;
            while at < self.finding.world.tables[table].rows.len() {
                if !self.attempt(|finding| drop(finding.world.tables[table].rows.remove(at))) {
                    at += 1;
                }
            }
        }
    }

    fn extras(&mut self) {
        self.halves(
            |finding| finding.world.extras.len(),
            |finding, range| drop(finding.world.extras.drain(range)),
        );
        self.halves(
            |finding| finding.world.before.len(),
            |finding, range| drop(finding.world.before.drain(range)),
        );
    }

    fn tables(&mut self) {
        let mut at = self.finding.world.tables.len();
        while at > 0 {
            at -= 1;
            self.attempt(|finding| without_table(&mut finding.world, at));
        }
    }

    fn columns(&mut self) {
        for table in 0..self.finding.world.tables.len() {
            self.constraints(table);
            let mut at = self.finding.world.tables[table].columns.len();
            while at > 0 {
                at -= 1;
                let is_gone = self.attempt(|finding| finding.world.tables[table].without(at));
                if !is_gone && !self.finding.world.tables[table].columns[at].suffix.is_empty() {
                    self.attempt(|finding| finding.world.tables[table].columns[at].suffix.clear());
                }
            }
        }
    }

    fn constraints(&mut self, table: usize) {
        self.attempt(|finding| finding.world.tables[table].constraints.clear());
        self.attempt(|finding| finding.world.tables[table].is_guarded = false);
        let mut at = self.finding.world.tables[table].constraints.len();
        while at > 0 {
            at -= 1;
            self.attempt(|finding| drop(finding.world.tables[table].constraints.remove(at)));
        }
        let mut at = self.finding.world.tables[table].references.len();
        while at > 0 {
            at -= 1;
            self.attempt(|finding| drop(finding.world.tables[table].references.remove(at)));
        }
    }

    fn conditions(&mut self) {
        let mut at = 0;
        while at < self.finding.world.extras.len() {
            if !self.condition(at) {
                at += 1;
            }
        }
    }

    /// One policy by one step.
    fn condition(&mut self, at: usize) -> bool {
        let Some(Extra::Policy(policy)) = self.finding.world.extras.get(at).cloned() else { return false };
        let mut smaller = Vec::new();
        for using in policy.using.iter().flat_map(super::world::Condition::smaller) {
            smaller.push(super::world::Policy { using: Some(using), ..policy.clone() });
        }
        for check in policy.check.iter().flat_map(super::world::Condition::smaller) {
            smaller.push(super::world::Policy { check: Some(check), ..policy.clone() });
        }
        smaller
            .into_iter()
            .any(|policy| self.attempt(|finding| finding.world.extras[at] = Extra::Policy(policy)))
    }

    /// Parts of the last request.
    fn request(&mut self) {
        let Some(last) = self.finding.requests.len().checked_sub(1) else { return };
        let mut at = self.finding.requests[last].parameters.len();
        while at > 0 {
            at -= 1;
            if !self.attempt(|finding| drop(finding.requests[last].parameters.remove(at))) {
                self.parameter(last, at);
            }
        }
        let mut at = self.finding.requests[last].headers.len();
        while at > 0 {
            at -= 1;
            self.attempt(|finding| drop(finding.requests[last].headers.remove(at)));
        }
        self.body(last);
    }

    /// A list of a parameter, item by item.
    fn parameter(&mut self, last: usize, at: usize) {
        loop {
            let parameter = self.finding.requests[last].parameters[at].clone();
            let Some((name, value)) = parameter.split_once('=') else { return };
            let is_shorter = shorter(value).into_iter().any(|value| {
                self.attempt(|finding| finding.requests[last].parameters[at] = format!("{name}={value}"))
            });
            if !is_shorter {
                return;
            }
        }
    }

    fn body(&mut self, last: usize) {
        loop {
            let body = self.finding.requests[last].body.clone();
            let is_shorter = shorter_body(&body)
                .into_iter()
                .any(|body| self.attempt(|finding| finding.requests[last].body = body));
            if !is_shorter {
                return;
            }
        }
    }
}

/// Lists with one item fewer, here or in the parentheses of an item.
fn shorter(list: &str) -> Vec<String> {
    let items = elements::split(list, ',');
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let with = |replacement: Option<&str>| {
            let others = items
                .iter()
                .enumerate()
                .filter_map(|(other, item)| if other == at { replacement } else { Some(*item) });
            others.collect::<Vec<_>>().join(",")
        };
        if items.len() > 1 {
            found.push(with(None));
        }
        if let Some((head, inside)) =
            item.split_once('(').and_then(|(head, rest)| Some((head, rest.strip_suffix(')')?)))
        {
            found.extend(shorter(inside).iter().map(|inside| with(Some(&format!("{head}({inside})")))));
        }
    }
    found
}

/// JSON with one row or one member fewer.
fn shorter_body(body: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (open, close) in [('[', ']'), ('{', '}')] {
        let Some(inside) = body.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) else {
            continue;
        };
        let parts = elements::split(inside, ',');
        for (at, part) in parts.iter().enumerate() {
            let with = |replacement: Option<&str>| {
                let others = parts
                    .iter()
                    .enumerate()
                    .filter_map(|(other, part)| if other == at { replacement } else { Some(*part) });
                format!("{open}{}{close}", others.collect::<Vec<_>>().join(","))
            };
            found.push(with(None));
            if open == '[' {
                found.extend(shorter_body(part).iter().map(|part| with(Some(part))));
            }
        }
        if open == '[' && parts.len() == 1 {
            found.push(parts[0].to_owned());
        }
    }
    found
}

/// A table and what refers to it.
fn without_table(world: &mut World, at: usize) {
    let gone = world.tables.remove(at);
    for table in &mut world.tables {
        table.references.retain(|reference| reference.to != at);
        for reference in &mut table.references {
            reference.to -= usize::from(reference.to > at);
        }
    }
    world.extras.retain(|extra| !extra.sql().contains(&gone.name));
}

/// Asks everything again, in a world of its own; the difference of the last request.
pub(super) fn replay(finding: &Finding, postgres: &Engine) -> Option<Difference> {
    let Opened::Both(mut pair) = Pair::open(&finding.world, postgres) else { return None };
    let (last, before) = finding.requests.split_last()?;
    for asked in before {
        pair.compare(asked).ok()?;
    }
    match pair.compare(last).ok()? {
        Compared::Differs(found) => Some(*found),
        Compared::Same(_) if last.changes => pair.look().ok()?,
        Compared::Same(_) | Compared::Deviates(..) | Compared::Lacks(_) => None,
    }
}

/// What is alike in differences that have the same reason, as far as one can see.
pub(super) fn signature(difference: &Difference) -> String {
    let Difference { what, sqlite, postgres, looked: _ } = difference;
    let what = if what.starts_with("rows of") { "rows" } else { what };
    format!("{what} {} {} / {} {}", sqlite.status, said(&sqlite.body), postgres.status, said(&postgres.body))
}

/// The code and the message of an error, without what it quotes.
pub(super) fn said(body: &str) -> String {
    let member = |name: &str| {
        let (_, rest) = body.split_once(&format!("\"{name}\":\""))?;
        rest.split_once("\"").map(|(value, _)| value.trim_end_matches('\\'))
    };
    let code = member("code").unwrap_or_default();
    let message: String = member("message")
        .unwrap_or_default()
        .chars()
        .take_while(|c| *c != '\\' && !c.is_ascii_digit())
        .take(40)
        .collect();
    format!("{code} {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_lose_an_item_here_or_deeper() {
        assert_eq!(shorter("a"), Vec::<String>::new());
        assert_eq!(shorter("a,b(c,d)"), ["b(c,d)", "a", "a,b(d)", "a,b(c)"]);
    }

    #[test]
    fn bodies_lose_a_row_or_a_member() {
        assert_eq!(shorter_body(r#"{"a":1,"b":[1,2]}"#), [r#"{"b":[1,2]}"#, r#"{"a":1}"#]);
        assert_eq!(shorter_body(r#"[{"a":1}]"#), ["[]", "[{}]", r#"{"a":1}"#]);
    }

    #[test]
    fn alike_is_what_fails_alike() {
        assert_eq!(
            said(r#"{"code":"22P02","message":"invalid input syntax for type integer: \"x\""}"#),
            "22P02 invalid input syntax for type integer: "
        );
        assert_eq!(said("[]"), " ");
    }
}
