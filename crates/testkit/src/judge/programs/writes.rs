//! Statements that change rows.

use super::super::queries::Known;
use super::super::scene::Sketch;
use super::super::terms::Ty;
use super::{Ending, Writer};

impl Writer<'_, '_> {
    /// A table that may be written to.
    fn written(&mut self) -> Option<Sketch> {
        let at = self.maker.draw.below(self.maker.sketches.len());
        let sketch = &self.maker.sketches[at];
        let may_be = at >= self.first
            && sketch.columns.len() > 1
            && (!sketch.is_view || self.ending != Ending::Row && !self.is_first);
        may_be.then(|| sketch.clone())
    }

    pub(super) fn insert(&mut self) {
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

    /// A value that fits its column, whatever variables hold: what is made of them alone PostgreSQL computes when it plans, at first.
    fn fitting(&self, ty: Ty, term: String) -> String {
        let is_of_variables = self.readable.iter().any(|(name, _)| term.contains(name.as_str()));
        if ty == Ty::Num && is_of_variables { format!("({term}) % 1000") } else { term }
    }

    /// A statement about several rows, in whose values nothing fails.
    pub(super) fn several(&mut self) {
        let Some(sketch) = self.written() else { return self.note() };
        let other = self.maker.draw.of(self.maker.sketches).clone();
        let table = &sketch.name;
        let own: Vec<Known> = other.columns.iter().map(|(name, ty)| (format!("u.{name}"), *ty)).collect();
        let known: Vec<Known> = self.known().into_iter().chain(own).collect();
        let calm = self.maker.calm();
        let filter = self.maker.term(Ty::Bool, &known, 2).replace('\n', " ");
        let (column, ty) = self.maker.draw.of(&sketch.columns[1..]).clone();
        let value = self.maker.term(ty, &known, 1).replace('\n', " ");
        let value = self.fitting(ty, value);
        let line = match self.maker.draw.below(8) {
            0 if !self.is_first => {
                let mut names = vec!["id".to_owned()];
                let mut values = vec![format!("u.id + {}", 200 + self.maker.draw.below(3) * 20)];
                for (name, ty) in
                    sketch.columns.iter().skip(1).filter(|(name, _)| sketch.required.contains(name))
                {
                    let term = self.maker.term(*ty, &known, 1).replace('\n', " ");
                    let term = self.fitting(*ty, term);
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
            5 => format!("update {table} set id = {table}.id + 1000 where {table}.id > 2;"),
            6 => format!("delete from {table} where id in (1, 2, 4);"),
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

    pub(super) fn update(&mut self) {
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
            parts.push(format!("{name} = {}", self.fitting(ty, term)));
        }
        if parts.is_empty() {
            return self.note();
        }
        let filter = self.chosen();
        let returning = if filter.starts_with("id =") { self.returning(&sketch) } else { String::new() };
        self.line(format!("update {} set {} where {filter}{returning};", sketch.name, parts.join(", ")));
    }

    pub(super) fn delete(&mut self) {
        let Some(sketch) = self.written() else { return self.note() };
        let filter = self.chosen();
        let returning = if filter.starts_with("id =") { self.returning(&sketch) } else { String::new() };
        self.line(format!("delete from {} where {filter}{returning};", sketch.name));
    }
}
