//! What stands in `from`: tables, functions, values, other queries, joined.

use super::super::terms::Ty;
use super::{Known, Made, Maker};
use crate::oracle::draw::Draw;

/// Sources of rows, with what they show and what orders them wholly.
pub(super) struct From {
    pub(super) sql: String,
    pub(super) columns: Vec<Known>,
    pub(super) order: Vec<String>,
}

impl Maker<'_> {
    pub(super) fn from(&mut self, outer: &[Known], depth: usize) -> From {
        let mut from = self.source(outer, depth);
        for _ in 0..[0, 0, 1, 1, 2][self.draw.below(5)] {
            let word =
                self.draw.word(&["join", "join", "left join", "right join", "full join", "cross join", ","]);
            let is_lateral =
                depth > 0 && matches!(word, "join" | "left join" | "cross join") && self.draw.one_in(4);
            let other = if is_lateral {
                let seen: Vec<Known> = from.columns.iter().chain(outer).cloned().collect();
                self.lateral(&seen, depth - 1)
            } else {
                self.source(outer, depth.saturating_sub(1))
            };
            let both: Vec<Known> = from.columns.iter().chain(&other.columns).cloned().collect();
            let on = match word {
                "cross join" | "," => String::new(),
                "full join" => format!(" on {}", self.equal(&from, &other)),
                _ if self.draw.one_in(4) => format!(" on {}", self.term(Ty::Bool, &both, 2)),
                _ => format!(" on {}", self.equal(&from, &other)),
            };
            let between = if word == "," { ",".to_owned() } else { format!("\n{word}") };
            from = From {
                sql: format!("{}{between} {}{on}", from.sql, other.sql),
                columns: both,
                order: from.order.iter().chain(&other.order).cloned().collect(),
            };
            if word == "," {
                break;
            }
        }
        from
    }

    /// A condition under which rows of two sources meet.
    fn equal(&mut self, one: &From, other: &From) -> String {
        let mut pairs = Vec::new();
        for (left, ty) in &one.columns {
            for (right, other) in &other.columns {
                if ty == other && matches!(ty, Ty::Int | Ty::Text | Ty::Big | Ty::Date | Ty::Uuid) {
                    pairs.push(format!("{left} = {right}"));
                }
            }
        }
        if pairs.is_empty() { "true".to_owned() } else { self.draw.of(&pairs).clone() }
    }

    fn source(&mut self, outer: &[Known], depth: usize) -> From {
        match self.draw.below(10) {
            0 if depth > 0 => {
                let made = self.query(outer, depth - 1);
                self.nested("", &made)
            }
            1 => self.values(),
            2 => {
                let alias = self.alias("g");
                let (low, high) = (self.draw.below(3), 2 + self.draw.below(4));
                let column = (format!("{alias}.n"), Ty::Int);
                From {
                    sql: format!("generate_series({low}, {high}) {alias} (n)"),
                    order: vec![column.0.clone()],
                    columns: vec![column],
                }
            }
            3 if self.draw.one_in(2) => self.unnested(outer),
            4 | 5 if !self.named.is_empty() => {
                let (name, columns) = self.draw.of(&self.named).clone();
                let alias = self.alias("r");
                shown(format!("{name} {alias}"), &alias, &columns)
            }
            _ => {
                let sketch = self.draw.of(self.sketches).clone();
                let alias = self.alias("r");
                let from = shown(format!("{} {alias}", sketch.name), &alias, &sketch.columns);
                From { order: vec![format!("{alias}.id")], ..from }
            }
        }
    }

    fn lateral(&mut self, seen: &[Known], depth: usize) -> From {
        if self.draw.one_in(3) {
            return self.unnested(seen);
        }
        let made = self.query(seen, depth);
        self.nested("lateral ", &made)
    }

    fn nested(&mut self, word: &str, made: &Made) -> From {
        let alias = self.alias("q");
        shown(format!("{word}(\n{}) {alias}", made.sql), &alias, &made.columns)
    }

    fn unnested(&mut self, outer: &[Known]) -> From {
        let alias = self.alias("u");
        let (sql, columns) = match self.draw.below(5) {
            0 => (
                format!("unnest({}) with ordinality", self.term(Ty::Ints, outer, 1)),
                vec![("v", Ty::Int), ("o", Ty::Big)],
            ),
            1 => (
                format!("unnest({}) with ordinality", self.term(Ty::Texts, outer, 1)),
                vec![("v", Ty::Text), ("o", Ty::Big)],
            ),
            2 => (
                format!("generate_series(1, least(4, {}))", self.term(Ty::Int, outer, 1)),
                vec![("v", Ty::Int)],
            ),
            3 => (
                format!("jsonb_each(jsonb_build_object('k', {}, 'z', 1))", self.term(Ty::Int, outer, 1)),
                vec![("v", Ty::Text), ("w", Ty::Json)],
            ),
            _ => (
                format!(
                    "jsonb_array_elements_text(to_jsonb({})) with ordinality",
                    self.term(Ty::Ints, outer, 1)
                ),
                vec![("v", Ty::Text), ("o", Ty::Big)],
            ),
        };
        let columns: Vec<Known> = columns.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        shown(format!("{sql} {alias} ({})", names.join(", ")), &alias, &columns)
    }

    fn values(&mut self) -> From {
        let alias = self.alias("v");
        let types: Vec<Ty> = (0..1 + self.draw.below(3)).map(|_| self.ty()).collect();
        let row = |maker: &mut Maker<'_>| {
            let values: Vec<String> = types
                .iter()
                .map(|ty| {
                    if maker.draw.one_in(8) {
                        format!("null::{}", ty.sql())
                    } else {
                        typed_constant(*ty, maker.draw)
                    }
                })
                .collect();
            format!("({})", values.join(", "))
        };
        let rows: Vec<String> = (0..1 + self.draw.below(3)).map(|_| row(self)).collect();
        let columns: Vec<Known> = types.iter().enumerate().map(|(at, ty)| (format!("x{at}"), *ty)).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        shown(format!("(values {}) {alias} ({})", rows.join(", "), names.join(", ")), &alias, &columns)
    }
}

fn typed_constant(ty: Ty, draw: &mut Draw) -> String {
    let constant = ty.constant(draw);
    if constant.contains("::") { constant.to_owned() } else { format!("{constant}::{}", ty.sql()) }
}

/// A source under an alias: ordered wholly by all that it shows.
fn shown(sql: String, alias: &str, columns: &[Known]) -> From {
    let columns: Vec<Known> = columns.iter().map(|(name, ty)| (format!("{alias}.{name}"), *ty)).collect();
    let order = columns.iter().map(|(name, _)| name.clone()).collect();
    From { sql, columns, order }
}
