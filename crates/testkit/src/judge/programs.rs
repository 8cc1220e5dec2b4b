//! Programs in PL/pgSQL, drawn: functions, triggers and blocks over the tables of a scene.
//!
//! A statement stands on a line of its own, so that lines can be left out of a program that differs. Loops end: they count, or
//! go over rows and values that are there. What several rows decide is ordered.

mod blocks;
mod loops;
mod statements;
mod triggers;
mod writes;

use super::bodies::{Body, declared, parameters};
use super::queries::{Callable, Known, Maker};
use super::terms::Ty;
use super::world::Extra;

pub(super) use triggers::trigger;

/// How deep blocks, branches and loops stand in each other.
const DEPTH: usize = 3;

/// Instead of a table: the body is a block, which runs before there are rows.
const FIRST: usize = usize::MAX;

/// What a program is being written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// A value of a type.
    Value(Ty),
    /// Values, one after the other.
    Set(Ty),
    /// Rows of columns that are its output parameters.
    Rows,
    /// Nothing.
    Void,
    /// The row of a trigger.
    Row,
}

/// A body that is being written.
struct Writer<'m, 'a> {
    maker: &'m mut Maker<'a>,
    lines: Vec<String>,
    indent: usize,
    /// Variables, and parameters: only the former are given values.
    variables: Vec<Known>,
    readable: Vec<Known>,
    /// Records of a table: the name of the variable, and the position of the table.
    records: Vec<(String, usize)>,
    ending: Ending,
    /// Loops around this place, by their labels.
    loops: Vec<String>,
    /// Within a handler.
    handles: bool,
    names: usize,
    /// Statements that may still be written.
    left: usize,
    /// Whether rows are far from those that are there: a block runs before them.
    is_first: bool,
    /// The first table that may be written to: triggers write to later ones alone, and not to views, so that they end.
    first: usize,
    /// Statements that come first.
    opening: Vec<String>,
}

/// A function and, for some, those that call it.
pub(super) fn function(maker: &mut Maker<'_>, number: u64) -> Body {
    let name = format!("p{number}");
    let parameters: Vec<Known> =
        parameters(maker, 3).into_iter().enumerate().map(|(at, (_, ty))| (format!("arg{at}"), ty)).collect();
    let ending = match maker.draw.below(8) {
        0 | 1 => Ending::Set(maker.ty()),
        2 => Ending::Rows,
        3 => Ending::Void,
        _ => Ending::Value(maker.ty()),
    };
    let (returns, outputs) = returns(maker, ending);
    let text = body(maker, Whole { parameters: &parameters, outputs: &outputs, ..Whole::new(ending) });
    let rights = maker.draw.word(&["", "", "", " security definer", " volatile", " strict"]);
    let text = format!(
        "create function {name}({}) returns {returns} language plpgsql{rights} as $$\n{text}\n$$",
        declared(&parameters)
    );
    if let Ending::Value(ty) = ending
        && maker.draw.one_in(2)
    {
        let types = parameters.iter().map(|(_, ty)| *ty).collect();
        maker.callable.push(Callable { name: name.clone(), parameters: types, result: ty });
    }
    Body { statements: vec![Extra::Statement(text)], path: format!("rpc/{name}"), parameters }
}

fn returns(maker: &mut Maker<'_>, ending: Ending) -> (String, Vec<Known>) {
    match ending {
        Ending::Value(ty) => (ty.sql().to_owned(), Vec::new()),
        Ending::Set(ty) => (format!("setof {}", ty.sql()), Vec::new()),
        Ending::Void => ("void".to_owned(), Vec::new()),
        Ending::Row => ("trigger".to_owned(), Vec::new()),
        Ending::Rows => {
            let outputs: Vec<Known> =
                (0..1 + maker.draw.below(3)).map(|at| (format!("out{at}"), maker.ty())).collect();
            (format!("table ({})", declared(&outputs)), outputs)
        }
    }
}

/// A block that runs once, while the schema is made.
pub(super) fn block(maker: &mut Maker<'_>) -> Extra {
    let inner = body(maker, Whole { first: FIRST, ..Whole::new(Ending::Void) });
    Extra::Statement(format!(
        "do $$\nbegin\n{inner};\nexception when others then\n  insert into log (what, became) values (sqlstate, to_jsonb(sqlerrm));\nend $$"
    ))
}

/// What a body is to be.
struct Whole<'e> {
    ending: Ending,
    parameters: &'e [Known],
    outputs: &'e [Known],
    fired: Option<Fired<'e>>,
    /// Statements that come first.
    opening: Vec<String>,
    /// The first table that may be written to.
    first: usize,
}

/// When a trigger for each row fires.
#[derive(Clone, Copy)]
struct Fired<'e> {
    /// The position of the table.
    table: usize,
    is_before: bool,
    events: &'e str,
}

impl Whole<'_> {
    fn new(ending: Ending) -> Self {
        Whole { ending, parameters: &[], outputs: &[], fired: None, opening: Vec::new(), first: 0 }
    }
}

fn body(maker: &mut Maker<'_>, whole: Whole<'_>) -> String {
    let Whole { ending, parameters, outputs, fired, opening, first } = whole;
    // Triggers meet the first rows, too, which everybody has to take, and blocks are a part of the schema.
    maker.may_fail = ending != Ending::Row && first != FIRST;
    maker.failures = 1;
    let left = 5 + maker.draw.below(9);
    let mut writer = Writer {
        maker,
        lines: Vec::new(),
        indent: 0,
        variables: outputs.to_vec(),
        readable: parameters.iter().chain(outputs).cloned().collect(),
        records: Vec::new(),
        ending,
        loops: Vec::new(),
        handles: false,
        names: 0,
        left,
        is_first: ending == Ending::Void && parameters.is_empty() && outputs.is_empty() && first > 0,
        first: if first == FIRST { 0 } else { first },
        opening,
    };
    writer.block(DEPTH, fired);
    writer.maker.may_fail = false;
    writer.lines.join("\n")
}

impl Writer<'_, '_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.lines.push(format!("{}{}", "  ".repeat(self.indent), text.as_ref()));
    }

    fn name(&mut self, word: &str) -> String {
        self.names += 1;
        format!("{word}_{}", self.names)
    }

    /// An expression on a line.
    fn term(&mut self, ty: Ty, depth: usize) -> String {
        let known = self.known();
        self.maker.term(ty, &known, depth).replace('\n', " ")
    }

    /// Everything that an expression may name.
    fn known(&self) -> Vec<Known> {
        let mut known = self.readable.clone();
        for (name, table) in &self.records {
            let columns = &self.maker.sketches[*table].columns;
            known.extend(columns.iter().map(|(column, ty)| (format!("{name}.{column}"), *ty)));
        }
        known
    }

    /// An ordered query of one column `x`.
    fn rows_of(&mut self, ty: Ty) -> String {
        let sketch = self.maker.draw.of(self.maker.sketches).clone();
        let own: Vec<Known> = sketch.columns.iter().map(|(name, ty)| (format!("t.{name}"), *ty)).collect();
        let known: Vec<Known> = self.known().into_iter().chain(own.clone()).collect();
        let calm = self.maker.calm();
        let (value, filter) = (self.maker.term(ty, &own, 1), self.maker.term(Ty::Bool, &known, 2));
        self.maker.restore(calm);
        let cut = if self.maker.draw.one_in(3) { " limit 2" } else { "" };
        let value = if value.starts_with('\'') { format!("{value}::{}", ty.sql()) } else { value };
        format!("select {value} as x from {} t where {filter} order by t.id{cut}", sketch.name)
            .replace('\n', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;
    use crate::oracle::draw::Draw;

    fn programs(seed: u64) -> String {
        let mut draw = Draw::new(seed);
        let (_, sketches) = scene::draw(&mut draw);
        let mut maker = Maker::new(&mut draw, &sketches);
        let mut statements = trigger(&mut maker, 0);
        statements.push(block(&mut maker));
        statements.extend((0..12).flat_map(|number| function(&mut maker, number).statements));
        statements.iter().map(|statement| statement.sql() + ";\n").collect()
    }

    #[test]
    fn a_seed_is_its_programs() {
        assert_eq!(programs(1), programs(1));
        assert_ne!(programs(1), programs(2));
    }

    #[test]
    fn programs_have_what_there_is_to_compare() {
        let all: String = (0..60).map(programs).collect();
        for word in [
            "%rowtype",
            "%type",
            "constant",
            "elsif",
            "case",
            "while",
            "in reverse",
            "foreach",
            "record",
            "cursor for",
            "fetch",
            "into strict",
            "exception",
            "when others",
            "get stacked diagnostics",
            "row_count",
            "raise notice",
            "errcode",
            "assert",
            "return next",
            "return query",
            "execute format",
            "using",
            "returning",
            "on conflict (id) do update",
            "for each row",
            "for each statement",
            "update of",
            "when (",
            "security definer",
            "do $$",
            "referencing old table as went",
            "deferrable initially deferred",
            "delete from t1 using",
            "with gone as (delete",
            "on conflict do nothing",
            "fetch prior",
            "move ",
        ] {
            assert!(all.contains(word), "{word}");
        }
    }
}
