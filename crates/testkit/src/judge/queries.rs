//! Queries, drawn: joins, sub-queries, groups, windows, set operations and common table expressions over tables of a scene.
//!
//! What a query answers is determined: where the order of rows decides, they are ordered wholly, and values that are equal and
//! look different (`1.0` and `1.00`) are kept from where one stands for the other.

mod groups;
mod sources;

use super::scene::Sketch;
use super::terms::{self, ALL, Row, Ty, filled};
use crate::oracle::draw::Draw;

/// A name in scope, as it is spelled, and its type.
pub(super) type Known = (String, Ty);

/// A function that expressions may call.
#[derive(Clone, Debug)]
pub(super) struct Callable {
    pub(super) name: String,
    pub(super) parameters: Vec<Ty>,
    pub(super) result: Ty,
}

/// What makes queries and expressions.
pub(super) struct Maker<'a> {
    pub(super) draw: &'a mut Draw,
    pub(super) sketches: &'a [Sketch],
    /// Functions that are there already.
    pub(super) callable: Vec<Callable>,
    /// Whether expressions may fail for some values.
    pub(super) may_fail: bool,
    /// How many parts of the next statement may fail: of two, nobody says which is met first.
    pub(super) failures: usize,
    /// Whether expressions may ask tables.
    pub(super) asks: bool,
    aliases: usize,
    /// Common table expressions in scope.
    named: Vec<(String, Vec<Known>)>,
}

/// What expressions might do before they were to be calm.
pub(super) struct Calm {
    asks: bool,
    may_fail: bool,
    callable: Vec<Callable>,
}

/// A query, and what it returns.
pub(super) struct Made {
    pub(super) sql: String,
    pub(super) columns: Vec<Known>,
}

/// Sub-queries that are a value: `$` is a table, `#` its alias, `?` a condition, `/ty/` a column.
const SUBQUERIES: &[(Ty, &str)] = &[
    (Ty::Bool, "exists (select from $ # where ?)"),
    (Ty::Bool, "not exists (select 1 from $ # where ?)"),
    (Ty::Bool, "{int} in (select /int/ from $ # where ?)"),
    (Ty::Bool, "{int} not in (select /int/ from $ # where ?)"),
    (Ty::Bool, "{text} = any (select /text/ from $ #)"),
    (Ty::Bool, "{int} >= all (select /int/ from $ # where ?)"),
    (Ty::Bool, "({int}, {text}) in (select /int/, /text/ from $ #)"),
    (Ty::Bool, "(select bool_or(?) from $ #)"),
    (Ty::Int, "(select count(*)::int from $ # where ?)"),
    (Ty::Int, "(select max(/int/) from $ # where ?)"),
    (Ty::Int, "(select /int/ from $ # where #.id = {int})"),
    (Ty::Int, "(select /int/ from $ # where ? order by #.id limit 1)"),
    (Ty::Int, "(select /int/ from $ # order by #.id desc offset 1 limit 1)"),
    (Ty::Big, "(select sum(/int/) from $ # where ?)"),
    (Ty::Num, "(select avg(/int/) from $ # where ?)"),
    (Ty::Text, "(select string_agg(/text/, ',' order by #.id) from $ # where ?)"),
    (Ty::Text, "(select /text/ from $ # where #.id = {int})"),
    (Ty::Text, "(select min(/text/) from $ # where ?)"),
    (Ty::Ints, "array(select /int/ from $ # where ? order by #.id)"),
    (Ty::Texts, "array(select /text/ from $ # order by #.id desc)"),
    (Ty::Json, "(select jsonb_agg(to_jsonb(#) order by #.id) from $ # where ?)"),
    (Ty::Json, "(select to_jsonb(#) from $ # where #.id = {int})"),
    (Ty::Json, "(select jsonb_object_agg(#.id, /text/ order by #.id) from $ #)"),
    (Ty::Json, "(select jsonb_build_object('n', count(*), 'm', max(/int/)) from $ # where ?)"),
];

impl<'a> Maker<'a> {
    pub(super) fn new(draw: &'a mut Draw, sketches: &'a [Sketch]) -> Maker<'a> {
        Maker {
            draw,
            sketches,
            callable: Vec::new(),
            may_fail: false,
            failures: 0,
            asks: true,
            aliases: 0,
            named: Vec::new(),
        }
    }

    /// From here on expressions ask nothing, call nothing and do not fail: they may be evaluated for any row, in any order.
    pub(super) fn calm(&mut self) -> Calm {
        Calm {
            asks: std::mem::replace(&mut self.asks, false),
            may_fail: std::mem::replace(&mut self.may_fail, false),
            callable: std::mem::take(&mut self.callable),
        }
    }

    /// As before.
    pub(super) fn restore(&mut self, calm: Calm) {
        Calm { asks: self.asks, may_fail: self.may_fail, callable: self.callable } = calm;
    }

    pub(super) fn ty(&mut self) -> Ty {
        *self.draw.of(ALL)
    }

    fn plain_ty(&mut self) -> Ty {
        let ty = self.ty();
        if is_plain(ty) { ty } else { Ty::Int }
    }

    fn alias(&mut self, word: &str) -> String {
        self.aliases += 1;
        format!("{word}{}", self.aliases)
    }

    /// An expression of a type.
    pub(super) fn term(&mut self, ty: Ty, known: &[Known], depth: usize) -> String {
        let fitting: Vec<&Known> = known.iter().filter(|(_, of)| *of == ty).collect();
        if !fitting.is_empty() && (depth == 0 || self.draw.one_in(3)) {
            return fitting[self.draw.below(fitting.len())].0.clone();
        }
        if depth == 0 || self.draw.one_in(8) {
            return ty.constant(self.draw).to_owned();
        }
        if self.asks
            && self.draw.one_in(9)
            && let Some(asked) = self.subquery(ty, known)
        {
            return asked;
        }
        if self.may_fail && self.failures > 0 && self.draw.one_in(5) {
            // What is called may fail.
            self.failures -= 1;
            if let Some(called) = self.call(ty, known, depth - 1) {
                return called;
            }
            self.failures += 1;
        }
        let fails = self.may_fail && self.failures > 0 && self.draw.one_in(6);
        self.failures -= usize::from(fails);
        let rows = if fails { terms::FAILING } else { terms::TERMS };
        let fitting: Vec<&Row> = rows.iter().filter(|(of, _)| *of == ty).collect();
        if fitting.is_empty() {
            return ty.constant(self.draw).to_owned();
        }
        let template = fitting[self.draw.below(fitting.len())].1;
        self.fill(template, known, depth - 1)
    }

    /// What fails stands at the top alone: beside a null constant, PostgreSQL leaves out what a strict operator would compute.
    fn fill(&mut self, template: &str, known: &[Known], depth: usize) -> String {
        let may_fail = std::mem::replace(&mut self.may_fail, false);
        let text = filled(template, |ty| wrapped(self.term(ty, known, depth)));
        self.may_fail = may_fail;
        text
    }

    fn call(&mut self, ty: Ty, known: &[Known], depth: usize) -> Option<String> {
        let fitting: Vec<Callable> = self.callable.iter().filter(|call| call.result == ty).cloned().collect();
        if fitting.is_empty() {
            return None;
        }
        let call = self.draw.of(&fitting).clone();
        let may_fail = std::mem::replace(&mut self.may_fail, false);
        let arguments: Vec<String> = call
            .parameters
            .iter()
            .map(|ty| format!("({})::{}", self.term(*ty, known, depth), ty.sql()))
            .collect();
        self.may_fail = may_fail;
        Some(format!("{}({})", call.name, arguments.join(", ")))
    }

    fn subquery(&mut self, ty: Ty, known: &[Known]) -> Option<String> {
        let fitting: Vec<&str> =
            SUBQUERIES.iter().filter(|(of, _)| *of == ty).map(|(_, template)| *template).collect();
        if fitting.is_empty() {
            return None;
        }
        let template = *self.draw.of(&fitting);
        let sketch = self.draw.of(self.sketches).clone();
        let alias = self.alias("s");
        let columns: Vec<Known> =
            sketch.columns.iter().map(|(name, ty)| (format!("{alias}.{name}"), *ty)).collect();
        let inner: Vec<Known> = columns.iter().chain(known).cloned().collect();
        let calm = self.calm();
        let mut text = String::new();
        for (at, part) in template.split('/').enumerate() {
            match Ty::called(part).filter(|_| at % 2 == 1) {
                Some(ty) => text.push_str(&self.term(ty, &columns, 0)),
                None => text.push_str(part),
            }
        }
        let condition = self.term(Ty::Bool, &inner, 2);
        let text = text.replace('$', &sketch.name).replace('#', &alias);
        let (before, after) = text.split_once('?').unwrap_or((&text, ""));
        let before = self.fill(before, known, 1);
        let condition = if after.is_empty() { String::new() } else { condition };
        let after = self.fill(after, known, 1);
        self.restore(calm);
        Some(format!("{before}{condition}{after}"))
    }

    /// A query of some columns.
    pub(super) fn query(&mut self, outer: &[Known], depth: usize) -> Made {
        let count = 1 + self.draw.below(4);
        let types: Vec<Ty> = (0..count).map(|_| self.ty()).collect();
        self.typed(outer, &types, depth)
    }

    /// A query of columns of these types, as far as they can be had.
    fn typed(&mut self, outer: &[Known], types: &[Ty], depth: usize) -> Made {
        if depth > 0 && self.draw.one_in(6) {
            return self.with(outer, types, depth);
        }
        if depth > 0 && self.draw.one_in(6) {
            return self.compound(outer, types, depth);
        }
        self.core(outer, types, depth)
    }

    fn with(&mut self, outer: &[Known], types: &[Ty], depth: usize) -> Made {
        let before = self.named.len();
        let mut parts = Vec::new();
        let recursive = self.draw.one_in(2);
        for _ in 0..1 + self.draw.below(2) {
            let name = self.alias("w");
            let (columns, sql) = if recursive && self.draw.one_in(2) {
                self.recursion(&name)
            } else {
                let made = self.query(outer, depth - 1);
                (made.columns, made.sql)
            };
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let kept = self.draw.word(&["", "", "", "materialized ", "not materialized "]);
            parts.push(format!("{name} ({}) as {kept}(\n{sql})", names.join(", ")));
            self.named.push((name, columns));
        }
        let made = if self.draw.one_in(4) {
            self.compound(outer, types, depth)
        } else {
            self.core(outer, types, depth - 1)
        };
        self.named.truncate(before);
        let word = if recursive { "recursive " } else { "" };
        Made { sql: format!("with {word}{}\n{}", parts.join(",\n"), made.sql), columns: made.columns }
    }

    fn recursion(&mut self, name: &str) -> (Vec<Known>, String) {
        let ty = self.plain_ty();
        let start = self.term(ty, &[], 1);
        let inside = vec![(format!("{name}.n"), Ty::Int), (format!("{name}.x"), ty)];
        let asks = std::mem::replace(&mut self.asks, false);
        let next = self.term(ty, &inside, 1);
        self.asks = asks;
        let all = self.draw.word(&["union all", "union"]);
        let sql = format!(
            "select 1, ({start})::{of}\n{all}\nselect {name}.n + 1, ({next})::{of} from {name} where {name}.n < {}",
            2 + self.draw.below(4),
            of = ty.sql()
        );
        (vec![("n".to_owned(), Ty::Int), ("x".to_owned(), ty)], sql)
    }

    fn compound(&mut self, outer: &[Known], types: &[Ty], depth: usize) -> Made {
        let types: Vec<Ty> = types.iter().map(|ty| if is_plain(*ty) { *ty } else { Ty::Text }).collect();
        let (one, other) = (self.core(outer, &types, depth - 1), self.typed(outer, &types, depth - 1));
        let word =
            self.draw.word(&["union", "union all", "intersect", "except", "except all", "intersect all"]);
        let mut sql = format!("({})\n{word}\n({})", one.sql, other.sql);
        if self.draw.one_in(3) {
            let all: Vec<String> = (1..=types.len()).map(|at| at.to_string()).collect();
            sql.push_str(&format!("\norder by {} limit {}", all.join(", "), 1 + self.draw.below(6)));
        }
        Made { sql, columns: one.columns }
    }

    fn core(&mut self, outer: &[Known], types: &[Ty], depth: usize) -> Made {
        let from = self.from(outer, depth);
        let scope: Vec<Known> = from.columns.iter().chain(outer).cloned().collect();
        let condition = (!self.draw.one_in(3)).then(|| self.term(Ty::Bool, &scope, 2));
        let filter = condition.map(|text| format!("\nwhere {text}")).unwrap_or_default();
        let body = format!("\nfrom {}{filter}", from.sql);
        match self.draw.below(10) {
            0..=2 => self.grouped(&from, &scope, types, &body),
            3 | 4 => self.windowed(&from, &scope, types, &body),
            5 => self.distinct(&from, &scope, types, &body),
            _ => {
                let (targets, columns) = self.targets(&scope, types, 2);
                let end = self.end(&from.order);
                Made { sql: format!("select {targets}{body}{end}"), columns }
            }
        }
    }

    /// Targets with names that tell them apart.
    fn targets(&mut self, scope: &[Known], types: &[Ty], depth: usize) -> (String, Vec<Known>) {
        let mut columns = Vec::new();
        let mut targets = Vec::new();
        for (at, ty) in types.iter().enumerate() {
            let name = format!("c{}", at + 1);
            let term = self.term(*ty, scope, depth);
            // A constant in quotes has no type of its own yet.
            let term = if term.starts_with('\'') && term.ends_with('\'') {
                format!("{term}::{}", ty.sql())
            } else {
                term
            };
            targets.push(format!("{} as {name}", wrapped(term)));
            columns.push((name, *ty));
        }
        (targets.join(",\n"), columns)
    }

    /// What cuts rows: only where all of them are ordered.
    fn end(&mut self, order: &[String]) -> String {
        if order.is_empty() || !self.draw.one_in(3) {
            return String::new();
        }
        let way = self.draw.word(&["", " desc", " nulls first", " desc nulls last"]);
        let mut parts = order.to_vec();
        if let Some(first) = parts.first_mut() {
            first.push_str(way);
        }
        let cut = match self.draw.below(4) {
            0 => String::new(),
            1 => format!(" offset {}", self.draw.below(3)),
            2 => format!(" limit {} offset {}", self.draw.below(5), self.draw.below(3)),
            _ => format!(" limit {}", 1 + self.draw.below(5)),
        };
        format!("\norder by {}{cut}", parts.join(", "))
    }
}

/// Whether equal values look alike: only those are groups and members of sets.
fn is_plain(ty: Ty) -> bool {
    !matches!(ty, Ty::Num | Ty::Float | Ty::Json | Ty::Span)
}

/// In parentheses, where something beside it could bind first.
pub(super) fn wrapped(text: String) -> String {
    let is_one = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if is_one { text } else { format!("({text})") }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn queries(seed: u64) -> String {
        let mut draw = Draw::new(seed);
        let (_, sketches) = scene::draw(&mut draw);
        let mut maker = Maker::new(&mut draw, &sketches);
        (0..20).map(|_| maker.query(&[], 2).sql + "\n").collect()
    }

    #[test]
    fn a_seed_is_its_queries() {
        assert_eq!(queries(1), queries(1));
        assert_ne!(queries(1), queries(2));
    }

    #[test]
    fn queries_have_what_there_is_to_compare() {
        let all: String = (0..60).map(queries).collect();
        for word in [
            "left join",
            "full join",
            "lateral",
            "with recursive",
            "materialized",
            "union all",
            "except",
            "intersect",
            "distinct on",
            "grouping sets",
            "rollup",
            "cube",
            "having",
            "filter (where",
            "within group",
            "over (partition by",
            "groups between",
            "exists (select",
            "case when",
            "generate_series",
            "with ordinality",
            "(values",
            "limit",
        ] {
            assert!(all.contains(word), "{word}");
        }
    }
}
