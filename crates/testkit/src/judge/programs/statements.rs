//! Statements that change no rows by themselves: assignments, questions, errors, texts that are run.

use super::super::queries::Known;
use super::super::terms::Ty;
use super::{Ending, Writer};

impl Writer<'_, '_> {
    pub(super) fn statement(&mut self, depth: usize) {
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

    /// Writes down what is known at this place.
    pub(super) fn note(&mut self) {
        let told = if self.handles && self.maker.draw.one_in(2) {
            "sqlstate || ' ' || sqlerrm".to_owned()
        } else {
            self.term(Ty::Text, 1)
        };
        let (number, more) = (self.term(Ty::Int, 1), self.term(Ty::Json, 1));
        self.line(format!("insert into log (what, at_id, was) values ({told}, {number}, {more});"));
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
}
