//! Programs in PL/pgSQL, drawn: functions, triggers and blocks over the tables of a scene.
//!
//! A statement stands on a line of its own, so that lines can be left out of a program that differs. Loops end: they count, or
//! go over rows and values that are there. What several rows decide is ordered.

use super::bodies::{Body, declared, parameters};
use super::queries::{Callable, Known, Maker};
use super::scene::Sketch;
use super::terms::Ty;
use super::world::Extra;

/// How deep blocks, branches and loops stand in each other.
const DEPTH: usize = 3;

/// Instead of a table: the body is a block, which runs before there are rows.
const FIRST: usize = usize::MAX;

/// Names of conditions that handlers take.
const CONDITIONS: &[&str] = &[
    "others",
    "others",
    "division_by_zero",
    "unique_violation",
    "not_null_violation",
    "check_violation",
    "foreign_key_violation",
    "raise_exception",
    "no_data_found or too_many_rows",
    "data_exception",
    "integrity_constraint_violation",
    "invalid_text_representation",
    "numeric_value_out_of_range",
    "sqlstate 'P0042'",
    "sqlstate '22012' or case_not_found",
];

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
    let text = body(maker, ending, &parameters, &outputs, None, Whole::from(0));
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
    let inner = body(maker, Ending::Void, &[], &[], None, Whole::from(FIRST));
    Extra::Statement(format!(
        "do $$\nbegin\n{inner};\nexception when others then\n  insert into log (what, became) values (sqlstate, to_jsonb(sqlerrm));\nend $$"
    ))
}

/// A trigger and its function.
pub(super) fn trigger(maker: &mut Maker<'_>, number: usize) -> Vec<Extra> {
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
    let row = is_row.then_some((table, is_before, events.as_str()));
    let whole = Whole { opening: transition_lines(maker, &sketch, transitions), first: table + 1 };
    let text = body(maker, Ending::Row, &[], &[], row, whole);
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

/// Where a body begins.
struct Whole {
    /// Statements that come first.
    opening: Vec<String>,
    /// The first table that may be written to.
    first: usize,
}

impl Whole {
    fn from(first: usize) -> Whole {
        Whole { opening: Vec::new(), first }
    }
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

fn body(
    maker: &mut Maker<'_>,
    ending: Ending,
    parameters: &[Known],
    outputs: &[Known],
    row: Option<(usize, bool, &str)>,
    Whole { opening, first }: Whole,
) -> String {
    // Triggers meet the first rows, too, which everybody has to take, and blocks are a part of the schema.
    maker.may_fail = ending != Ending::Row && first != FIRST;
    maker.failures = 1;
    // Triggers before rows of a deletion see nothing of it: PostgreSQL has deleted the rows before, the embedded engine not yet.
    let is_blind = row.is_some_and(|(_, is_before, events)| is_before && events.contains("delete"));
    maker.asks = !is_blind;
    let left = if is_blind { 0 } else { 5 + maker.draw.below(9) };
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
    writer.block(DEPTH, row);
    (writer.maker.may_fail, writer.maker.asks) = (false, true);
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

    fn block(&mut self, depth: usize, row: Option<(usize, bool, &str)>) {
        let (variables, readable, records) = (self.variables.len(), self.readable.len(), self.records.len());
        self.declarations();
        self.line("begin");
        self.indent += 1;
        for line in std::mem::take(&mut self.opening) {
            self.line(line);
        }
        match row {
            Some((table, is_before, events)) => self.fired(table, is_before, events),
            None => {
                for _ in 0..2 + self.maker.draw.below(3) {
                    self.statement(depth);
                }
            }
        }
        if depth == DEPTH {
            self.end(row);
        }
        self.indent -= 1;
        if self.maker.draw.one_in(if depth == DEPTH { 4 } else { 2 }) {
            self.handlers(depth, row);
        }
        self.variables.truncate(variables);
        self.readable.truncate(readable);
        self.records.truncate(records);
        self.line("end");
    }

    fn declarations(&mut self) {
        let count = self.maker.draw.below(4);
        if count == 0 {
            return;
        }
        self.line("declare");
        self.indent += 1;
        for _ in 0..count {
            match self.maker.draw.below(7) {
                0 => {
                    let table = self.maker.draw.below(self.maker.sketches.len());
                    let name = self.name("row");
                    let of = self.maker.sketches[table].name.clone();
                    self.line(format!("{name} {of}%rowtype;"));
                    self.records.push((name, table));
                }
                1 => {
                    let table = self.maker.draw.below(self.maker.sketches.len());
                    let sketch = self.maker.sketches[table].clone();
                    let (column, ty) = self.maker.draw.of(&sketch.columns).clone();
                    let name = self.name("v");
                    self.line(format!("{name} {}.{column}%type;", sketch.name));
                    self.declared(name, ty);
                }
                2 => {
                    let ty = self.maker.ty();
                    let (name, term) = (self.name("fixed"), self.term(ty, 1));
                    self.line(format!("{name} constant {} := {term};", ty.sql()));
                    self.readable.push((name, ty));
                }
                _ => {
                    let ty = self.maker.ty();
                    let name = self.name("v");
                    let (value, not_null) = match self.maker.draw.below(4) {
                        0 => (String::new(), ""),
                        1 => (format!(" default {}", ty.constant(self.maker.draw)), ""),
                        2 if !ty.constant(self.maker.draw).starts_with("null") => {
                            (format!(" := {}", self.term(ty, 1)), " not null")
                        }
                        _ => (format!(" := {}", self.term(ty, 2)), ""),
                    };
                    self.line(format!("{name} {}{not_null}{value};", ty.sql()));
                    self.declared(name, ty);
                }
            }
        }
        self.indent -= 1;
    }

    fn declared(&mut self, name: String, ty: Ty) {
        self.variables.push((name.clone(), ty));
        self.readable.push((name, ty));
    }

    fn handlers(&mut self, depth: usize, row: Option<(usize, bool, &str)>) {
        self.line("exception");
        let handles = std::mem::replace(&mut self.handles, true);
        for _ in 0..1 + self.maker.draw.below(2) {
            let condition = self.maker.draw.word(CONDITIONS);
            self.line(format!("when {condition} then"));
            self.indent += 1;
            self.note();
            if self.maker.draw.one_in(2) {
                self.diagnostics();
            }
            if depth > 0 && self.maker.draw.one_in(2) {
                self.statement(0);
            }
            if self.maker.draw.one_in(6) {
                self.line("raise;");
            } else if depth == DEPTH {
                self.end(row);
            }
            self.indent -= 1;
        }
        self.handles = handles;
    }

    /// What a handler is told.
    fn diagnostics(&mut self) {
        let Some((name, _)) = self.variables.iter().rfind(|(_, ty)| *ty == Ty::Text).cloned() else { return };
        let item = self.maker.draw.word(&[
            "returned_sqlstate",
            "message_text",
            "pg_exception_detail",
            "pg_exception_hint",
            "constraint_name",
            "column_name",
            "table_name",
            "schema_name",
            "pg_datatype_name",
        ]);
        self.line(format!("get stacked diagnostics {name} = {item};"));
        self.line(format!("insert into log (what) values ({name});"));
    }

    /// Writes down what is known at this place.
    fn note(&mut self) {
        let told = if self.handles && self.maker.draw.one_in(2) {
            "sqlstate || ' ' || sqlerrm".to_owned()
        } else {
            self.term(Ty::Text, 1)
        };
        let (number, more) = (self.term(Ty::Int, 1), self.term(Ty::Json, 1));
        self.line(format!("insert into log (what, at_id, was) values ({told}, {number}, {more});"));
    }

    fn end(&mut self, row: Option<(usize, bool, &str)>) {
        match self.ending {
            Ending::Value(ty) if !self.maker.draw.one_in(20) => {
                let term = self.term(ty, 2);
                self.line(format!("return {term};"));
            }
            Ending::Value(_) => {}
            Ending::Set(_) | Ending::Rows => self.produce(),
            Ending::Void => {}
            Ending::Row => {
                let returned = match row {
                    Some((_, true, events)) if events.contains("delete") => {
                        if events == "delete" {
                            "old"
                        } else {
                            "coalesce(new, old)"
                        }
                    }
                    Some((_, true, _)) if self.maker.draw.one_in(8) => "null",
                    Some((_, true, _)) => "new",
                    _ => "null",
                };
                if returned.starts_with("coalesce") {
                    self.line("if tg_op = 'DELETE' then return old; end if;");
                    self.line("return new;");
                } else {
                    self.line(format!("return {returned};"));
                }
            }
        }
    }

    /// A row, or several, of what is returned.
    fn produce(&mut self) {
        match self.ending {
            Ending::Set(ty) => {
                if self.maker.draw.one_in(2) {
                    let term = self.term(ty, 2);
                    self.line(format!("return next {term};"));
                } else {
                    let query = self.rows_of(ty);
                    let of = ty.sql();
                    self.line(format!("return query select x.x::{of} from ({query}) x;"));
                }
            }
            Ending::Rows => {
                for (name, ty) in
                    self.variables.clone().into_iter().filter(|(name, _)| name.starts_with("out"))
                {
                    if !self.maker.draw.one_in(4) {
                        let term = self.term(ty, 2);
                        self.line(format!("{name} := {term};"));
                    }
                }
                self.line("return next;");
            }
            Ending::Value(_) | Ending::Void | Ending::Row => {}
        }
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

    fn statement(&mut self, depth: usize) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.maker.failures = 1;
        let is_deep = depth == 0;
        match self.maker.draw.below(if is_deep { 15 } else { 24 }) {
            0..=2 => self.assignment(),
            3 => self.note(),
            4 => self.select_into(),
            5 => self.insert(),
            6 => self.update(),
            7 => self.delete(),
            8 => self.raise(),
            9 => self.execute(),
            10 => self.leave(),
            11 if self.maker.draw.one_in(2) => self.perform(),
            11 => self.produce(),
            12 => self.counted(),
            13 | 14 => self.several(),
            15 | 16 => self.branch(depth - 1),
            17 => self.cases(depth - 1),
            18..=20 => self.repetition(depth - 1),
            21 => self.cursor(depth - 1),
            _ => {
                self.block(depth - 1, None);
                self.close();
            }
        }
    }

    /// A nested block ends with a semicolon.
    fn close(&mut self) {
        if let Some(last) = self.lines.last_mut() {
            last.push(';');
        }
    }

    fn assignment(&mut self) {
        if self.variables.is_empty() {
            return self.note();
        }
        let (name, ty) = self.maker.draw.of(&self.variables).clone();
        if ty == Ty::Ints && self.maker.draw.one_in(3) {
            let (at, term) = (1 + self.maker.draw.below(3), self.term(Ty::Int, 1));
            return self.line(format!("{name}[{at}] := {term};"));
        }
        // Now and then a value of another type, which is converted.
        let of = match (ty, self.maker.draw.below(12)) {
            (Ty::Text, 0) => Ty::Int,
            (Ty::Num | Ty::Big | Ty::Float, 0) => Ty::Int,
            (Ty::Int, 0) => Ty::Num,
            (Ty::Int, 1) => Ty::Text,
            (Ty::Date, 0) => Ty::Stamp,
            _ => ty,
        };
        let term = self.term(of, 3);
        self.line(format!("{name} := {term};"));
        if let Some((record, table)) = self.records.last().cloned()
            && self.maker.draw.one_in(3)
        {
            let columns = self.maker.sketches[table].columns.clone();
            let (column, ty) = self.maker.draw.of(&columns).clone();
            let term = self.term(ty, 1);
            self.line(format!("{record}.{column} := {term};"));
        }
    }

    fn select_into(&mut self) {
        let sketch_at = self.maker.draw.below(self.maker.sketches.len());
        let sketch = self.maker.sketches[sketch_at].clone();
        let strict = self.maker.draw.word(&["", "", "strict "]);
        let calm = self.maker.calm();
        let id = self.term(Ty::Int, 1);
        self.maker.restore(calm);
        let filter = self.maker.draw.word(&["t.id =", "t.id >", "t.id ="]);
        let records: Vec<String> = self
            .records
            .iter()
            .filter(|(_, table)| *table == sketch_at)
            .map(|(name, _)| name.clone())
            .collect();
        if !records.is_empty() && self.maker.draw.one_in(2) {
            let record = self.maker.draw.of(&records).clone();
            self.line(format!(
                "select t.* into {strict}{record} from {} t where {filter} {id} order by t.id;",
                sketch.name
            ));
        } else if self.variables.is_empty() {
            return self.note();
        } else {
            let (name, ty) = self.maker.draw.of(&self.variables).clone();
            let query = if self.maker.draw.one_in(2) {
                let own: Vec<Known> =
                    sketch.columns.iter().map(|(name, ty)| (format!("t.{name}"), *ty)).collect();
                let value = self.maker.term(ty, &own, 1).replace('\n', " ");
                format!(
                    "select {value} into {strict}{name} from {} t where {filter} {id} order by t.id;",
                    sketch.name
                )
            } else {
                let rows = self.rows_of(ty);
                format!("select x.x into {strict}{name} from ({rows}) x;")
            };
            self.line(query);
        }
        if self.maker.draw.one_in(3) {
            self.line("if not found then");
            self.indent += 1;
            self.note();
            self.indent -= 1;
            self.line("end if;");
        }
    }

    /// A table that may be written to.
    fn written(&mut self) -> Option<Sketch> {
        let at = self.maker.draw.below(self.maker.sketches.len());
        let sketch = &self.maker.sketches[at];
        let may_be = at >= self.first && (!sketch.is_view || self.ending != Ending::Row && !self.is_first);
        may_be.then(|| sketch.clone())
    }

    fn insert(&mut self) {
        let Some(sketch) = self.written() else { return self.note() };
        let mut names = Vec::new();
        let mut values = Vec::new();
        for (name, ty) in &sketch.columns {
            let is_required = sketch.required.contains(name);
            if is_required && self.maker.draw.one_in(30) || !is_required && self.maker.draw.one_in(2) {
                continue;
            }
            let value = match name.as_str() {
                "id" if self.is_first || !self.maker.draw.one_in(3) => {
                    (100 + self.maker.draw.below(60)).to_string()
                }
                _ if is_required && !self.maker.draw.one_in(20) => {
                    let term = self.term(*ty, 1);
                    format!("coalesce({term}, {})", ty.constant(self.maker.draw))
                }
                _ => self.term(*ty, 1),
            };
            names.push(name.clone());
            values.push(value);
        }
        if names.is_empty() {
            return self.note();
        }
        // Of a view, the row that is met may be none of its own.
        let conflict = match self.maker.draw.below(if sketch.is_view { 1 } else { 8 }) {
            0 if sketch.is_view && self.maker.draw.one_in(2) => String::new(),
            0 => " on conflict do nothing".to_owned(),
            1 => " on conflict (id) do nothing".to_owned(),
            2 => {
                let (name, ty) = self.maker.draw.of(&sketch.columns[1..]).clone();
                let calm = self.maker.calm();
                let term = self.term(ty, 1);
                self.maker.restore(calm);
                if self.maker.draw.one_in(2) {
                    format!(" on conflict (id) do update set {name} = excluded.{name}")
                } else {
                    format!(" on conflict (id) do update set {name} = {term}")
                }
            }
            _ => String::new(),
        };
        let returning = self.returning(&sketch);
        self.line(format!(
            "insert into {} ({}) values ({}){conflict}{returning};",
            sketch.name,
            names.join(", "),
            values.join(", ")
        ));
    }

    fn returning(&mut self, sketch: &Sketch) -> String {
        if !self.maker.draw.one_in(2) {
            return String::new();
        }
        let fitting: Vec<(String, String)> = self
            .variables
            .iter()
            .flat_map(|(name, ty)| {
                sketch
                    .columns
                    .iter()
                    .filter(move |(_, of)| of == ty)
                    .map(move |(column, _)| (name.clone(), column.clone()))
            })
            .collect();
        if fitting.is_empty() {
            return String::new();
        }
        let (name, column) = self.maker.draw.of(&fitting).clone();
        format!(" returning {}.{column} into {name}", sketch.name)
    }

    /// A statement about several rows, in whose values nothing fails.
    fn several(&mut self) {
        let Some(sketch) = self.written() else { return self.note() };
        let other = self.maker.draw.of(self.maker.sketches).clone();
        let table = &sketch.name;
        let own: Vec<Known> = other.columns.iter().map(|(name, ty)| (format!("u.{name}"), *ty)).collect();
        let known: Vec<Known> = self.known().into_iter().chain(own).collect();
        let calm = self.maker.calm();
        let filter = self.maker.term(Ty::Bool, &known, 2).replace('\n', " ");
        let (column, ty) = self.maker.draw.of(&sketch.columns[1..]).clone();
        let value = self.maker.term(ty, &known, 1).replace('\n', " ");
        let line = match self.maker.draw.below(6) {
            0 if !self.is_first => {
                let mut names = vec!["id".to_owned()];
                let mut values = vec![format!("u.id + {}", 200 + self.maker.draw.below(3) * 20)];
                for (name, ty) in
                    sketch.columns.iter().skip(1).filter(|(name, _)| sketch.required.contains(name))
                {
                    let term = self.maker.term(*ty, &known, 1).replace('\n', " ");
                    names.push(name.clone());
                    values.push(format!("coalesce({term}, {})", ty.constant(self.maker.draw)));
                }
                let conflict =
                    if sketch.is_view { "" } else { self.maker.draw.word(&["", " on conflict do nothing"]) };
                format!(
                    "insert into {table} ({}) select {} from {} u where {filter} order by u.id{conflict};",
                    names.join(", "),
                    values.join(", "),
                    other.name
                )
            }
            0 | 1 => format!(
                "update {table} set {column} = (select {value} from {} u where u.id = {table}.id) where id > 2;",
                other.name
            ),
            2 => format!(
                "update {table} set {column} = {value} from {} u where u.id = {table}.id and {filter};",
                other.name
            ),
            3 => format!("delete from {table} using {} u where u.id = {table}.id and {filter};", other.name),
            4 => {
                let chosen = self.maker.draw.word(&["id > 3", "id = 2", "id in (1, 4)"]);
                format!(
                    "with gone as (delete from {table} where {chosen} returning id, {column}) insert into log (what, at_id, was) select 'gone', g.id, to_jsonb(g.{column}) from gone g;"
                )
            }
            _ => {
                let chosen = self.maker.draw.word(&["id > 3", "id = 2", "id in (1, 4)"]);
                format!(
                    "with set_to as (update {table} set {column} = {column} where {chosen} returning *) insert into log (what, became) select 'set', to_jsonb(s) from set_to s;"
                )
            }
        };
        self.maker.restore(calm);
        self.line(line);
    }

    /// Which rows are changed: mostly one. Nothing in it fails: PostgreSQL computes constants whether or not there is a row.
    fn chosen(&mut self) -> String {
        let calm = self.maker.calm();
        let text = match self.maker.draw.below(5) {
            0 => format!("id > {}", 2 + self.maker.draw.below(4)),
            1 => format!("id in (1, {})", self.term(Ty::Int, 1)),
            _ => format!("id = {}", self.term(Ty::Int, 1)),
        };
        self.maker.restore(calm);
        text
    }

    fn update(&mut self) {
        let Some(sketch) = self.written() else { return self.note() };
        let mut parts = Vec::new();
        for _ in 0..1 + self.maker.draw.below(2) {
            let (name, ty) = self.maker.draw.of(&sketch.columns).clone();
            if name == "id" && (self.is_first || !self.maker.draw.one_in(3))
                || parts.iter().any(|part: &String| part.starts_with(&format!("{name} =")))
            {
                continue;
            }
            let mut known = self.known();
            known.extend(sketch.columns.iter().map(|(name, ty)| (format!("{}.{name}", sketch.name), *ty)));
            let calm = self.maker.calm();
            let term = self.maker.term(ty, &known, 1).replace('\n', " ");
            self.maker.restore(calm);
            parts.push(format!("{name} = {term}"));
        }
        if parts.is_empty() {
            return self.note();
        }
        let filter = self.chosen();
        let returning = if filter.starts_with("id =") { self.returning(&sketch) } else { String::new() };
        self.line(format!("update {} set {} where {filter}{returning};", sketch.name, parts.join(", ")));
    }

    fn delete(&mut self) {
        let Some(sketch) = self.written() else { return self.note() };
        let filter = self.chosen();
        let returning = if filter.starts_with("id =") { self.returning(&sketch) } else { String::new() };
        self.line(format!("delete from {} where {filter}{returning};", sketch.name));
    }

    /// What the last statement did.
    fn counted(&mut self) {
        let Some((name, _)) = self.variables.iter().rfind(|(_, ty)| matches!(ty, Ty::Int | Ty::Big)).cloned()
        else {
            return self.note();
        };
        match self.maker.draw.below(8) {
            0 => self.assignment(),
            1 => self.perform(),
            2 => self.select_into(),
            3 => self.insert(),
            4 => self.delete(),
            5 => self.several(),
            _ => self.update(),
        }
        self.line(format!("get diagnostics {name} = row_count;"));
        self.line(format!("insert into log (what, at_id) values (found::text, {name});"));
    }

    fn raise(&mut self) {
        let (text, number) = (self.term(Ty::Text, 1), self.term(Ty::Int, 1));
        let line = match self.maker.draw.below(11) {
            0..=2 => format!("raise notice 'at %', {text};"),
            3 => format!("raise warning '% of %%', {number};"),
            4 => format!("raise exception 'stopped by % and %', {text}, {number};"),
            5 => format!(
                "raise exception 'with options' using errcode = 'P0042', detail = coalesce({text}, '-'), hint = 'try again';"
            ),
            6 => "raise division_by_zero;".to_owned(),
            7 => format!("raise unique_violation using message = coalesce({text}, 'm');"),
            8 if self.maker.draw.one_in(2) => format!(
                "raise exception using errcode = 'P0042', message = coalesce({text}, 'm'), column = 'c', constraint = 'k', datatype = 'd', table = 't', schema = 's';"
            ),
            8 => "raise sqlstate 'P0042' using hint = 'h';".to_owned(),
            9 => format!("assert {}, 'asserted';", self.term(Ty::Bool, 1)),
            _ => format!("raise info '%', {number};"),
        };
        if line.starts_with("raise exception") || line.contains("P0042") || line.contains("violation") {
            let condition = self.term(Ty::Bool, 1);
            self.line(format!("if {condition} then"));
            self.indent += 1;
            self.line(line);
            self.indent -= 1;
            return self.line("end if;");
        }
        self.line(line);
    }

    fn execute(&mut self) {
        let (text, number) = (self.term(Ty::Text, 1), self.term(Ty::Int, 1));
        let sketch = self.maker.draw.of(self.maker.sketches).clone();
        let numbers: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, ty)| matches!(ty, Ty::Int | Ty::Big | Ty::Num))
            .map(|(name, _)| name.clone())
            .collect();
        let line = match (numbers.is_empty(), self.maker.draw.below(7)) {
            (_, 5) => format!(
                "execute format('update %I set %I = %I where id = $1', '{0}', 'id', 'id') using {number};",
                sketch.name
            ),
            (_, 6) => match self.ending {
                Ending::Set(Ty::Int) => format!(
                    "return query execute 'select id from {} where id < $1 order by id' using {number};",
                    sketch.name
                ),
                _ => format!(
                    "execute 'delete from {} where id = $1 and $2 is null' using {number}, {text};",
                    sketch.name
                ),
            },
            (_, 0) => {
                format!("execute 'insert into log (what, at_id) values ($1, $2)' using {text}, {number};")
            }
            (_, 1) => format!("execute format('insert into %I (what) values (%L)', 'log', {text});"),
            (false, 2) => format!(
                "execute format('select count(*) from %I where id > $1', '{}') into {} using {number};",
                sketch.name,
                self.maker.draw.of(&numbers)
            ),
            (false, 3) => format!(
                "execute 'select id from {} where id = ' || coalesce({number}, 0) into strict {};",
                sketch.name,
                self.maker.draw.of(&numbers)
            ),
            _ => format!(
                "execute format('insert into log (at_id) select id from {} where id < %s', coalesce({number}, 3));",
                sketch.name
            ),
        };
        self.line(line);
    }

    fn perform(&mut self) {
        let ty = self.maker.ty();
        let term = self.term(ty, 3);
        self.line(format!("perform {term};"));
    }

    /// Out of a loop, or out of the function.
    fn leave(&mut self) {
        let condition = self.term(Ty::Bool, 2);
        if self.loops.is_empty() {
            return self.note();
        }
        let label = self.maker.draw.of(&self.loops).clone();
        let line = match self.maker.draw.below(4) {
            0 => format!("continue when {condition};"),
            1 => format!("exit {label} when {condition};"),
            2 => format!("continue {label} when {condition};"),
            _ => format!("exit when {condition};"),
        };
        // Loops that count by hand go on only where they count.
        if line.starts_with("continue") && self.loops.iter().any(|label| label.starts_with("hand")) {
            return self.note();
        }
        self.line(line);
    }

    fn inner(&mut self, depth: usize) {
        self.indent += 1;
        for _ in 0..1 + self.maker.draw.below(3) {
            self.statement(depth);
        }
        self.indent -= 1;
    }

    fn branch(&mut self, depth: usize) {
        let condition = self.term(Ty::Bool, 2);
        self.line(format!("if {condition} then"));
        self.inner(depth);
        if self.maker.draw.one_in(3) {
            let condition = self.term(Ty::Bool, 2);
            self.line(format!("elsif {condition} then"));
            self.inner(depth);
        }
        if self.maker.draw.one_in(2) {
            self.line("else");
            self.inner(depth);
        }
        self.line("end if;");
    }

    fn cases(&mut self, depth: usize) {
        if self.maker.draw.one_in(2) {
            let value = self.term(Ty::Int, 1);
            self.line(format!("case {value}"));
            self.line("when 1, 2 then");
            self.inner(depth);
            let other = self.term(Ty::Int, 1);
            self.line(format!("when {other} then"));
        } else {
            let condition = self.term(Ty::Bool, 1);
            self.line("case");
            self.line(format!("when {condition} then"));
        }
        self.inner(depth);
        if !self.maker.draw.one_in(3) {
            self.line("else");
            self.inner(depth);
        }
        self.line("end case;");
    }

    fn repetition(&mut self, depth: usize) {
        let readable = self.readable.len();
        let by_hand = self.maker.draw.one_in(4);
        let label = self.name(if by_hand { "hand" } else { "turn" });
        if by_hand {
            return self.counting(depth, &label);
        }
        self.line(format!("<<{label}>>"));
        match self.maker.draw.below(5) {
            0 | 1 => {
                let name = self.name("i");
                let (low, high) = (self.maker.draw.below(3), 2 + self.maker.draw.below(3));
                let line = match self.maker.draw.below(3) {
                    0 => format!("for {name} in reverse {high}..{low} loop"),
                    1 => format!("for {name} in {low}..{high} by 2 loop"),
                    _ => format!("for {name} in {low}..{high} loop"),
                };
                self.line(line);
                self.readable.push((name, Ty::Int));
            }
            2 if self.variables.iter().any(|(_, ty)| *ty == Ty::Int) => {
                let found =
                    self.variables.iter().rfind(|(_, ty)| *ty == Ty::Int).map(|(name, _)| name.clone());
                let (name, term) = (found.unwrap_or_default(), self.term(Ty::Ints, 2));
                self.line(format!("foreach {name} in array coalesce({term}, '{{}}') loop"));
            }
            _ => {
                let ty = self.maker.ty();
                let name = self.name("rec");
                let query = self.rows_of(ty);
                // A record is declared by a block around it.
                let at = self.lines.len() - 1;
                self.lines.insert(at, format!("{}declare {name} record; begin", "  ".repeat(self.indent)));
                self.line(format!("for {name} in {query} loop"));
                self.readable.push((format!("{name}.x"), ty));
                self.loops.push(label.clone());
                self.inner(depth);
                self.loops.pop();
                self.readable.truncate(readable);
                self.line(format!("end loop {label};"));
                return self.line("end;");
            }
        }
        self.loops.push(label.clone());
        self.inner(depth);
        self.loops.pop();
        self.readable.truncate(readable);
        self.line("end loop;");
    }

    /// A loop that ends because it counts.
    fn counting(&mut self, depth: usize, label: &str) {
        let name = self.name("n");
        self.line(format!("declare {name} int := 0; begin"));
        self.line(format!("<<{label}>>"));
        let is_while = self.maker.draw.one_in(2);
        self.line(if is_while { format!("while {name} < 3 loop") } else { "loop".to_owned() });
        self.line(format!("  {name} := {name} + 1;"));
        if !is_while {
            self.line(format!("  exit when {name} > 2;"));
        }
        self.readable.push((name, Ty::Int));
        self.loops.push(label.to_owned());
        self.inner(depth);
        self.loops.pop();
        self.readable.pop();
        self.line("end loop;");
        self.line("end;");
    }

    fn cursor(&mut self, depth: usize) {
        let ty = self.maker.ty();
        // A name of its own: a cursor of a caller may be open.
        let (name, row) = (format!("cur_{}", self.maker.draw.below(1_000_000)), self.name("got"));
        let query = self.rows_of(ty);
        let way = self.maker.draw.word(&["", "scroll "]);
        self.line(format!("declare {name} {way}cursor for {query};"));
        self.line(format!("  {row} record;"));
        self.line("begin");
        if self.maker.draw.one_in(4) {
            self.line(format!("for {row} in {name} loop"));
            self.line(format!("  insert into log (what, was) values ('looped', to_jsonb({row}.x));"));
            self.line("end loop;");
            return self.line("end;");
        }
        let ways: &[&str] = if way.is_empty() {
            &["", "next from "]
        } else {
            &[
                "",
                "next from ",
                "prior from ",
                "first from ",
                "last from ",
                "absolute 2 from ",
                "relative -1 from ",
                "absolute -1 from ",
            ]
        };
        self.line(format!("open {name};"));
        for _ in 0..1 + self.maker.draw.below(3) {
            if self.maker.draw.one_in(5) {
                let way = self.maker.draw.word(&["", "next from "]);
                self.line(format!("move {way}{name};"));
                self.line("insert into log (what) values ('moved ' || found::text);");
                continue;
            }
            let way = self.maker.draw.word(ways);
            self.line(format!("fetch {way}{name} into {row};"));
            self.line(format!("insert into log (what, was) values (found::text, to_jsonb({row}.x));"));
        }
        self.inner(depth);
        self.line(format!("close {name};"));
        self.line("end;");
    }

    /// The body of a trigger's function.
    fn fired(&mut self, table: usize, is_before: bool, events: &str) {
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
