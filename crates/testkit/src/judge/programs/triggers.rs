//! Triggers: when they fire, and what their functions note of the rows.

use super::super::queries::{Known, Maker};
use super::super::scene::Sketch;
use super::super::terms::Ty;
use super::super::world::Extra;
use super::{Ending, Fired, Whole, Writer, body};

/// A trigger and its function.
pub(in super::super) fn trigger(maker: &mut Maker<'_>, number: usize) -> Vec<Extra> {
    let table = maker.draw.below(maker.sketches.iter().filter(|sketch| !sketch.is_view).count());
    let sketch = maker.sketches[table].clone();
    let is_before = maker.draw.one_in(2);
    let is_row = is_before || !maker.draw.one_in(3);
    let events =
        maker.draw.word(&["insert", "update", "delete", "insert or update", "insert or update or delete"]);
    let waits = is_row && !is_before && !events.contains("insert") && maker.draw.one_in(3);
    let transitions = if is_before || waits || maker.draw.one_in(2) { "" } else { transitions(events) };
    let events = if events == "update" && transitions.is_empty() && maker.draw.one_in(2) {
        let (column, _) = maker.draw.of(&sketch.columns).clone();
        format!("update of {column}")
    } else {
        events.to_owned()
    };
    // Triggers fire in the order of their names.
    let name = format!("{}_on_{}_{number}", maker.draw.word(&["a", "m", "z"]), sketch.name);
    let fired = is_row.then_some(Fired { table, is_before, events: &events });
    let opening = transition_lines(maker, &sketch, transitions);
    let text = body(maker, Whole { fired, opening, first: table + 1, ..Whole::new(Ending::Row) });
    let when = if is_row && maker.draw.one_in(4) {
        condition(maker, &sketch.columns, &events)
    } else {
        String::new()
    };
    let (time, level) =
        (if is_before { "before" } else { "after" }, if is_row { "row" } else { "statement" });
    let (kind, waits) = if waits { ("constraint ", " deferrable initially deferred") } else { ("", "") };
    vec![
        Extra::Statement(format!(
            "create function {name}() returns trigger language plpgsql as $$\n{text}\n$$"
        )),
        Extra::Statement(format!(
            "create {kind}trigger {name} {time} {events} on {}{transitions}{waits} for each {level}{when} execute function {name}('x', 'y')",
            sketch.name
        )),
    ]
}

/// The rows of a statement under names, which a trigger of one event may have.
fn transitions(events: &str) -> &'static str {
    match events {
        "insert" => " referencing new table as came",
        "update" => " referencing old table as went new table as came",
        "delete" => " referencing old table as went",
        _ => "",
    }
}

/// What a function notes of such rows.
fn transition_lines(maker: &mut Maker<'_>, sketch: &Sketch, transitions: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for name in ["came", "went"].into_iter().filter(|name| transitions.contains(name)) {
        let (column, _) = maker.draw.of(&sketch.columns).clone();
        lines.push(maker.draw.word(&[
            "insert into log (what, at_id, became) select '@', t.id, to_jsonb(t) from @ t;",
            "insert into log (what, at_id) select '@', count(*) from @;",
            "insert into log (what, was) select '@', jsonb_agg(t.# order by t.id) from @ t where t.# is not null;",
            "insert into log (what, at_id) select '@ of ' || tg_op, (select max(t.id) from @ t);",
        ]).replace('@', name).replace('#', &column));
    }
    if lines.len() == 2 && maker.draw.one_in(2) {
        lines.push("insert into log (what, at_id) select 'both', n.id from came n join went o on o.id = n.id where n is distinct from o;".to_owned());
    }
    lines
}

/// When a trigger fires.
fn condition(maker: &mut Maker<'_>, columns: &[Known], events: &str) -> String {
    let mut known = Vec::new();
    for (word, event) in [("new", "delete"), ("old", "insert")] {
        if !events.contains(event) {
            known.extend(columns.iter().map(|(name, ty)| (format!("{word}.{name}"), *ty)));
        }
    }
    if known.is_empty() {
        return String::new();
    }
    let calm = maker.calm();
    let condition = maker.term(Ty::Bool, &known, 1);
    maker.restore(calm);
    format!(" when ({condition})")
}

impl Writer<'_, '_> {
    /// The body of a trigger's function.
    pub(super) fn fired(&mut self, Fired { table, is_before, events }: Fired<'_>) {
        let sketch = self.maker.sketches[table].clone();
        let has = |word: &str| !events.contains(word);
        let (news, olds) = (has("delete"), has("insert"));
        for (word, there) in [("new", news), ("old", olds)] {
            if there {
                let columns = sketch.columns.iter().map(|(name, ty)| (format!("{word}.{name}"), *ty));
                self.readable.extend(columns);
            }
        }
        let told = self.maker.draw.word(&[
            "tg_name || ' ' || tg_op",
            "tg_when || ' ' || tg_level || ' ' || tg_table_name",
            "tg_argv[0] || tg_nargs",
            "tg_op",
        ]);
        self.line(format!(
            "insert into log (what, at_id, was, became) values ({told}, {}, to_jsonb(old), to_jsonb(new));",
            if news {
                "new.id"
            } else if olds {
                "old.id"
            } else {
                "null"
            }
        ));
        if self.maker.draw.one_in(2) {
            // How far the statement is, and what keys have done because of it. Which of its own rows comes first, nobody says.
            let tables: Vec<_> = self.maker.sketches.iter().filter(|sketch| !sketch.is_view).collect();
            let looked = self.maker.draw.of(&tables).name.clone();
            let seen = match looked == sketch.name {
                true => "to_jsonb(count(*))",
                false => "jsonb_agg(to_jsonb(t) order by t.id)",
            };
            self.line(format!("insert into log (what, was) select '{looked}', {seen} from {looked} t;"));
        }
        if is_before && news {
            let (name, ty) = self.maker.draw.of(&sketch.columns[1..]).clone();
            let calm = self.maker.calm();
            let term = self.term(ty, 1);
            self.maker.restore(calm);
            self.line(format!("new.{name} := {term};"));
        }
        for _ in 0..self.maker.draw.below(3) {
            self.statement(1);
        }
    }
}
