//! Selects of several rows at a time: groups, windows, `distinct`.

use super::super::terms::{Row, Ty};
use super::sources::From;
use super::{Known, Made, Maker, is_plain, wrapped};

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

impl Maker<'_> {
    pub(super) fn grouped(&mut self, from: &From, scope: &[Known], types: &[Ty], body: &str) -> Made {
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

    pub(super) fn windowed(&mut self, from: &From, scope: &[Known], types: &[Ty], body: &str) -> Made {
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

    pub(super) fn distinct(&mut self, from: &From, scope: &[Known], types: &[Ty], body: &str) -> Made {
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
}
