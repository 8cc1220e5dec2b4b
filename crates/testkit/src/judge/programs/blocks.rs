//! Blocks: what they declare, how they end, and what their handlers do.

use super::super::terms::Ty;
use super::{DEPTH, Ending, Fired, Writer};

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

impl Writer<'_, '_> {
    pub(super) fn block(&mut self, depth: usize, fired: Option<Fired<'_>>) {
        let (variables, readable, records) = (self.variables.len(), self.readable.len(), self.records.len());
        self.declarations();
        self.line("begin");
        self.indent += 1;
        for line in std::mem::take(&mut self.opening) {
            self.line(line);
        }
        match fired {
            Some(fired) => self.fired(fired),
            None => {
                for _ in 0..2 + self.maker.draw.below(3) {
                    self.statement(depth);
                }
            }
        }
        if depth == DEPTH {
            self.end(fired);
        }
        self.indent -= 1;
        if self.maker.draw.one_in(if depth == DEPTH { 4 } else { 2 }) {
            self.handlers(depth, fired);
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

    fn handlers(&mut self, depth: usize, fired: Option<Fired<'_>>) {
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
                self.end(fired);
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

    fn end(&mut self, fired: Option<Fired<'_>>) {
        match self.ending {
            Ending::Value(ty) if !self.maker.draw.one_in(20) => {
                let term = self.term(ty, 2);
                self.line(format!("return {term};"));
            }
            Ending::Value(_) => {}
            Ending::Set(_) | Ending::Rows => self.produce(),
            Ending::Void => {}
            Ending::Row => {
                let returned = match fired {
                    Some(Fired { is_before: true, events, .. }) if events.contains("delete") => {
                        if events == "delete" { "old" } else { "coalesce(new, old)" }
                    }
                    Some(Fired { is_before: true, .. }) if self.maker.draw.one_in(8) => "null",
                    Some(Fired { is_before: true, .. }) => "new",
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
    pub(super) fn produce(&mut self) {
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

    /// A nested block ends with a semicolon.
    pub(super) fn close(&mut self) {
        if let Some(last) = self.lines.last_mut() {
            last.push(';');
        }
    }
}
