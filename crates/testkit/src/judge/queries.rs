//! Queries, drawn: joins, sub-queries, groups, windows, set operations and common table expressions over tables of a scene.
//!
//! What a query answers is determined: where the order of rows decides, they are ordered wholly, and values that are equal and
//! look different (`1.0` and `1.00`) are kept from where one stands for the other.

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

/// Sources of rows, with what they show and what orders them wholly.
struct From {
    sql: String,
    columns: Vec<Known>,
    order: Vec<String>,
}

/// Aggregates: `@` is a whole order, `~` a place for a filter.
const AGGREGATES: &[Row] = &[
    (Ty::Big, "count(*)~"),
    (Ty::Big, "count({int})~"),
    (Ty::Big, "count(distinct {text})~"),
    (Ty::Big, "count(distinct {int})~"),
    (Ty::Big, "sum({int})~"),
    (Ty::Num, "sum({num})~"),
    (Ty::Num, "sum(distinct {int})~::numeric"),
    (Ty::Num, "avg({int})~"),
    (Ty::Num, "avg({num})~"),
    (Ty::Num, "round(stddev({int}), 3)"),
    (Ty::Num, "var_pop({int})~"),
    (Ty::Float, "sum({float})~"),
    (Ty::Float, "percentile_cont(0.5) within group (order by {float})"),
    (Ty::Int, "percentile_disc(0.25) within group (order by {int})"),
    (Ty::Int, "mode() within group (order by {int})"),
    (Ty::Int, "min({int})~"),
    (Ty::Int, "max({int})~"),
    (Ty::Int, "bit_and({int})~"),
    (Ty::Int, "bit_or({int})~"),
    (Ty::Int, "count(*)~::int"),
    (Ty::Int, "(array_agg({int} order by @))[1]"),
    (Ty::Text, "min({text})~"),
    (Ty::Text, "max({text})~"),
    (Ty::Text, "string_agg({text}, ',' order by @)~"),
    (Ty::Text, "string_agg({int}::text, {text} order by @)~"),
    (Ty::Text, "array_to_string(array_agg({text}::text order by @), '/')"),
    (Ty::Date, "max({date})~"),
    (Ty::Stamp, "min({stamp})~"),
    (Ty::Zoned, "max({zoned})~"),
    (Ty::Span, "sum({span})~"),
    (Ty::Bool, "bool_and({bool})~"),
    (Ty::Bool, "bool_or({bool})~"),
    (Ty::Bool, "every({bool})~"),
    (Ty::Bool, "count(*)~ > 2"),
    (Ty::Ints, "array_agg({int} order by @)~"),
    (Ty::Texts, "array_agg({text}::text order by @)~"),
    (Ty::Json, "jsonb_agg({json} order by @)~"),
    (Ty::Json, "jsonb_agg({int} order by @)~"),
    (Ty::Json, "json_agg({text}::text order by @)~::jsonb"),
    (Ty::Json, "jsonb_object_agg(coalesce({text}, '-'), {int} order by @)~"),
    (Ty::Mood, "max({mood})~"),
    (Ty::Mood, "min({mood})~"),
];

/// Windows: `@` is a whole order.
const WINDOWS: &[Row] = &[
    (Ty::Big, "row_number() over (order by @)"),
    (Ty::Big, "row_number() over (partition by {int} order by @)"),
    (Ty::Big, "rank() over (order by {int})"),
    (Ty::Big, "rank() over (partition by {bool} order by {text} desc)"),
    (Ty::Big, "dense_rank() over (order by {text} nulls first)"),
    (Ty::Float, "percent_rank() over (order by {int})"),
    (Ty::Float, "cume_dist() over (order by {int} desc nulls last)"),
    (Ty::Int, "ntile(3) over (order by @)"),
    (Ty::Int, "lag({int}) over (order by @)"),
    (Ty::Int, "lead({int}, 2) over (partition by {text} order by @)"),
    (Ty::Int, "lag({int}, 1, 0) over (order by @)"),
    (Ty::Int, "first_value({int}) over (partition by {bool} order by @)"),
    (Ty::Int, "last_value({int}) over (order by @ rows between 1 preceding and 1 following)"),
    (Ty::Int, "nth_value({int}, 2) over (order by @)"),
    (Ty::Int, "max({int}) over (order by @ rows between unbounded preceding and current row)"),
    (Ty::Int, "min({int}) over (partition by {int})"),
    (Ty::Text, "lag({text}::text) over (order by @)"),
    (
        Ty::Text,
        "first_value({text}::text) over (order by @ rows between unbounded preceding and unbounded following)",
    ),
    (Ty::Text, "max({text}::text) over ()"),
    (Ty::Text, "string_agg({text}, '') over (order by @)"),
    (Ty::Big, "count(*) over ()"),
    (Ty::Big, "count({int}) over (partition by {int})"),
    (Ty::Big, "count(*) filter (where {bool}) over (order by {int})"),
    (Ty::Big, "sum({int}) over (order by @)"),
    (Ty::Big, "sum({int}) over (order by {int})"),
    (Ty::Big, "sum({int}) over (order by {int} range between 1 preceding and 1 following)"),
    (Ty::Big, "sum({int}) over (order by {int} groups between 1 preceding and current row)"),
    (Ty::Big, "sum({int}) over (order by @ rows 2 preceding exclude current row)"),
    (Ty::Num, "avg({int}) over (partition by {text})"),
    (Ty::Num, "sum({num}) over (order by @)"),
    (Ty::Bool, "bool_or({bool}) over (partition by {int})"),
    (Ty::Ints, "array_agg({int}) over (partition by {bool} order by @)"),
    (Ty::Json, "jsonb_agg({int}) over (order by @ rows between current row and 1 following)"),
];

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

/// Whether equal values look alike: only those are groups and members of sets.
fn is_plain(ty: Ty) -> bool {
    !matches!(ty, Ty::Num | Ty::Float | Ty::Json | Ty::Span)
}

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

    fn grouped(&mut self, from: &From, scope: &[Known], types: &[Ty], body: &str) -> Made {
        let asks = std::mem::replace(&mut self.asks, false);
        let plain: Vec<Known> = from.columns.iter().filter(|(_, ty)| is_plain(*ty)).cloned().collect();
        let mut keys: Vec<Known> = Vec::new();
        if !plain.is_empty() {
            for _ in 0..self.draw.below(3) {
                let key = if self.draw.one_in(3) {
                    let ty = self.plain_ty();
                    (wrapped(self.term(ty, &plain, 1)), ty)
                } else {
                    self.draw.of(&plain).clone()
                };
                let is_column = plain.iter().any(|(name, _)| key.0.contains(name.as_str()));
                if is_column && !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        let order = from.order.join(", ");
        let mut inside = keys.clone();
        for ty in types {
            if let Some(made) = self.aggregate(*ty, scope, &order) {
                inside.push((made, *ty));
            }
        }
        let (targets, columns) = self.targets(&inside, types, 1);
        let by = self.by(&keys);
        let having = if self.draw.one_in(4) {
            let made = self.aggregate(Ty::Bool, scope, &order).unwrap_or_else(|| "count(*) > 1".to_owned());
            format!("\nhaving {made}")
        } else {
            String::new()
        };
        self.asks = asks;
        Made { sql: format!("select {targets}{body}{by}{having}"), columns }
    }

    fn by(&mut self, keys: &[Known]) -> String {
        let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
        let listed = names.join(", ");
        match (keys.len(), self.draw.below(6)) {
            (0, _) => String::new(),
            (_, 0) => format!("\ngroup by rollup ({listed})"),
            (2, 1) => format!("\ngroup by cube ({listed})"),
            (2, 2) => format!("\ngroup by grouping sets (({listed}), ({}), ())", names[0]),
            _ => format!("\ngroup by {listed}"),
        }
    }

    fn aggregate(&mut self, ty: Ty, scope: &[Known], order: &str) -> Option<String> {
        let fitting: Vec<&str> =
            AGGREGATES.iter().filter(|(of, _)| *of == ty).map(|(_, template)| *template).collect();
        if fitting.is_empty() {
            return None;
        }
        let template = *self.draw.of(&fitting);
        if order.is_empty() && template.contains('@') {
            return None;
        }
        let made = self.fill(&template.replace('@', order), scope, 1);
        let filter = if self.draw.one_in(5) {
            format!(" filter (where {})", self.term(Ty::Bool, scope, 1))
        } else {
            String::new()
        };
        // What is behind the mark is part of the template; a tilde of an operator is not.
        let at = template.contains('~').then(|| made.rfind('~')).flatten();
        Some(match at {
            Some(at) => {
                let behind = &made[at + 1..];
                if filter.is_empty() || behind.is_empty() {
                    format!("{}{filter}{behind}", &made[..at])
                } else {
                    format!("({}{filter}){behind}", &made[..at])
                }
            }
            None => made,
        })
    }

    fn windowed(&mut self, from: &From, scope: &[Known], types: &[Ty], body: &str) -> Made {
        let order = from.order.join(", ");
        let asks = std::mem::replace(&mut self.asks, false);
        let mut inside = scope.to_vec();
        for ty in types {
            let fitting: Vec<&str> = WINDOWS
                .iter()
                .filter(|(of, template)| of == ty && !(order.is_empty() && template.contains('@')))
                .map(|(_, template)| *template)
                .collect();
            if !fitting.is_empty() {
                let template = self.draw.of(&fitting).replace('@', &order);
                let made = self.fill(&template, &from.columns, 1);
                // Twice, so that it is chosen more often than a column.
                inside.push((made.clone(), *ty));
                inside.push((made, *ty));
            }
        }
        let (targets, columns) = self.targets(&inside, types, 1);
        self.asks = asks;
        let end = self.end(&from.order);
        Made { sql: format!("select {targets}{body}{end}"), columns }
    }

    fn distinct(&mut self, from: &From, scope: &[Known], types: &[Ty], body: &str) -> Made {
        let types: Vec<Ty> = types.iter().map(|ty| if is_plain(*ty) { *ty } else { Ty::Bool }).collect();
        let (targets, columns) = self.targets(scope, &types, 1);
        let plain: Vec<Known> = from.columns.iter().filter(|(_, ty)| is_plain(*ty)).cloned().collect();
        if plain.is_empty() || self.draw.one_in(2) {
            return Made { sql: format!("select distinct {targets}{body}"), columns };
        }
        let key = self.draw.of(&plain).0.clone();
        let order = from.order.join(", ");
        Made { sql: format!("select distinct on ({key}) {targets}{body}\norder by {key}, {order}"), columns }
    }

    fn from(&mut self, outer: &[Known], depth: usize) -> From {
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
