//! Branches, loops and cursors.

use super::super::terms::Ty;
use super::Writer;

impl Writer<'_, '_> {
    fn inner(&mut self, depth: usize) {
        self.indent += 1;
        for _ in 0..1 + self.maker.draw.below(3) {
            self.statement(depth);
        }
        self.indent -= 1;
    }

    pub(super) fn branch(&mut self, depth: usize) {
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

    pub(super) fn cases(&mut self, depth: usize) {
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

    pub(super) fn repetition(&mut self, depth: usize) {
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

    pub(super) fn cursor(&mut self, depth: usize) {
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
}
