//! Conditions on rows, as people write them in policies, checks and views.

use super::kinds::{Class, Kind};
use super::world::{Column, Condition, Table, quoted};
use crate::oracle::draw::Draw;

/// Where a condition stands: what it may name.
pub(super) struct Scope<'a> {
    pub(super) columns: &'a [Column],
    /// How columns are qualified: `t.`, or nothing.
    pub(super) prefix: String,
    /// The table that the condition is about, and those before it.
    pub(super) table: Option<&'a Table>,
    pub(super) tables: &'a [Table],
    /// Functions of a caller's rights: `name(argument)` with the type of the argument.
    pub(super) helpers: &'a [(String, &'static Kind)],
    /// Whether it may ask who calls.
    pub(super) knows_caller: bool,
    /// Whether parts of it would raise an error for some rows.
    pub(super) may_fail: bool,
}

impl Scope<'_> {
    /// A condition, at most `depth` deep.
    pub(super) fn condition(&self, draw: &mut Draw, depth: usize) -> Condition {
        if depth > 0 && draw.one_in(2) {
            let mut part = || self.condition(draw, depth - 1);
            let (one, other) = (part(), part());
            return match draw.below(4) {
                0 => Condition::Not(Box::new(one)),
                1 => Condition::And(vec![one, other]),
                _ => Condition::Or(vec![one, other]),
            };
        }
        Condition::Leaf(self.leaf(draw))
    }

    fn leaf(&self, draw: &mut Draw) -> String {
        match draw.below(10) {
            0 if self.knows_caller => caller(draw),
            1 | 2 if self.knows_caller => self.owner(draw),
            3 | 4 => self.parent(draw).unwrap_or_else(|| self.value(draw)),
            5 => self.helper(draw).unwrap_or_else(|| self.value(draw)),
            _ => self.value(draw),
        }
    }

    /// The row is the caller's, by a column that could say so.
    fn owner(&self, draw: &mut Draw) -> String {
        let of = |class: Class| self.columns.iter().filter(move |column| column.kind.class == class);
        let ids: Vec<&Column> = of(Class::Id).collect();
        let wholes: Vec<&Column> = of(Class::Whole).collect();
        if !ids.is_empty() {
            let column = self.spelled(ids[draw.below(ids.len())]);
            return match draw.below(4) {
                0 => format!("{column} = (select auth.uid())"),
                1 => format!("auth.uid() is distinct from {column}"),
                _ => format!("{column} = auth.uid()"),
            };
        }
        if !wholes.is_empty() {
            let column = self.spelled(wholes[draw.below(wholes.len())]);
            return match draw.below(3) {
                0 => format!("{column} = (auth.jwt() ->> 'org')::int"),
                1 => format!("{column} <= coalesce((auth.jwt() -> 'app_metadata' ->> 'level')::int, 0)"),
                _ => format!("(auth.jwt() -> 'app_metadata' -> 'teams') @> to_jsonb({column})"),
            };
        }
        caller(draw)
    }

    /// A row of another table stands behind it.
    fn parent(&self, draw: &mut Draw) -> Option<String> {
        let table = self.table?;
        let reference = table.references.iter().find(|reference| reference.to < self.tables.len())?;
        let parent = &self.tables[reference.to];
        if parent.name == table.name {
            return None;
        }
        let (outer, inner) = (quoted(&table.name), quoted(&parent.name));
        let pairs = reference.columns.iter().zip(&reference.to_columns);
        let joined: Vec<String> =
            pairs.map(|(from, to)| format!("p.{} = {outer}.{}", quoted(to), quoted(from))).collect();
        let joined = joined.join(" and ");
        let below = Scope {
            columns: &parent.columns,
            prefix: "p.".to_owned(),
            table: None,
            tables: self.tables,
            helpers: &[],
            knows_caller: self.knows_caller,
            may_fail: false,
        };
        let more = below.value(draw);
        let single = reference.columns.len() == 1;
        Some(match draw.below(4) {
            0 => format!("exists (select from {inner} p where {joined})"),
            1 if single => {
                let (from, to) = (quoted(&reference.columns[0]), quoted(&reference.to_columns[0]));
                let not = if draw.one_in(3) { "not in" } else { "in" };
                format!("{outer}.{from} {not} (select p.{to} from {inner} p where {more})")
            }
            2 => format!("(select count(*) from {inner} p where {joined} and {more}) > 0"),
            _ => format!("exists (select 1 from {inner} p where {joined} and {more})"),
        })
    }

    fn helper(&self, draw: &mut Draw) -> Option<String> {
        let fitting: Vec<String> = self
            .helpers
            .iter()
            .flat_map(|(name, kind)| {
                let columns = self.columns.iter().filter(move |column| column.kind.name == kind.name);
                columns.map(move |column| format!("{name}({})", self.spelled(column)))
            })
            .collect();
        (!fitting.is_empty()).then(|| draw.of(&fitting).clone())
    }

    /// About a value of the row.
    pub(super) fn value(&self, draw: &mut Draw) -> String {
        if self.columns.is_empty() {
            return "true".to_owned();
        }
        let column = draw.of(self.columns);
        let name = self.spelled(column);
        if draw.one_in(6) {
            return format!("{name} is {}null", if draw.one_in(2) { "not " } else { "" });
        }
        if self.may_fail && draw.one_in(6) {
            return failing(&name, column.kind, draw);
        }
        about(&name, column.kind, draw)
    }

    fn spelled(&self, column: &Column) -> String {
        format!("{}{}", self.prefix, quoted(&column.name))
    }
}

/// About whoever calls.
fn caller(draw: &mut Draw) -> String {
    let asks = [
        "true",
        "auth.role() = 'authenticated'",
        "auth.uid() is not null",
        "(select auth.role()) = 'anon'",
        "auth.jwt() -> 'app_metadata' -> 'roles' ? 'editor'",
        "(auth.jwt() ->> 'email') like 'alice%'",
        "current_user = 'authenticated'",
        "coalesce((auth.jwt() ->> 'org')::int, 0) > 1",
    ];
    draw.of(&asks).to_string()
}

/// What would be an error for some values, were it not for the condition before it. Which rows a plan meets first is nobody's
/// promise, so that an error of some rows alone is none either.
fn failing(name: &str, kind: &Kind, draw: &mut Draw) -> String {
    match kind.class {
        Class::Whole => format!("case when {name} <> 0 then 10 / {name} > 1 else false end"),
        Class::Text => format!("case when {name} ~ '^[0-9]$' then {name}::int > 0 else {name} is null end"),
        Class::Number => format!("case when {name} > 0 then 1 / {name} < 1 end"),
        _ => about(name, kind, draw),
    }
}

/// About a value of a type.
fn about(name: &str, kind: &Kind, draw: &mut Draw) -> String {
    let value = kind.literal(kind.sample(draw));
    let other = kind.literal(kind.sample(draw));
    let operator = draw.word(&["=", "<>", "<", "<=", ">", ">="]);
    let choices: Vec<String> = match kind.class {
        Class::Whole => vec![
            format!("{name} {operator} {value}"),
            format!("{name} % 2 = 0"),
            format!("{name} between 1 and 3"),
            format!("{name} in ({value}, {other}, null)"),
            format!("abs({name}) {operator} 2"),
            format!("{name} is distinct from {value}"),
        ],
        Class::Number => vec![
            format!("{name} {operator} {value}"),
            format!("round({name}::numeric, 1) {operator} 1.5"),
            format!("{name} * 2 > 3"),
        ],
        Class::Text => vec![
            format!("{name} {operator} {value}"),
            format!("{name} like 'a%'"),
            format!("{name} ilike '%B%'"),
            format!("length({name}) < 2"),
            format!("lower({name}) in ('ab', 'a')"),
            format!("{name} ~ '^[a-b]'"),
            format!("coalesce({name}, 'x') <> {value}"),
            format!("case when {name} = {value} then true else length({name}) > 1 end"),
        ],
        Class::Flag => vec![name.to_owned(), format!("not {name}"), format!("{name} is not true")],
        Class::Id => vec![format!("{name} = {value}"), format!("{name} > {value}")],
        Class::Moment | Class::Span | Class::Label => {
            vec![format!("{name} {operator} {value}"), format!("{name} in ({value}, {other})")]
        }
        Class::Json => vec![format!("{name} is not null"), format!("{name}::text like '%1%'")],
        Class::Jsonb => vec![
            format!("{name} ->> 'k' = '1'"),
            format!("{name} @> '{{\"k\": 1}}'"),
            format!("{name} ? 'k'"),
            format!("jsonb_typeof({name}) = 'object'"),
            format!("{name} {operator} '2'"),
        ],
        Class::List => vec![
            format!("cardinality({name}) > 1"),
            format!("{name} && {value}"),
            format!("{name} @> {value}"),
            format!("{name} = {value}"),
        ],
        Class::Bytes => vec![format!("{name} = {value}"), format!("length({name}) > 0")],
        Class::Range => vec![
            format!("isempty({name})"),
            format!("{name} && {value}"),
            format!("{name} @> {value}"),
            format!("upper_inf({name})"),
            format!("{name} < {value}"),
        ],
    };
    draw.of(&choices).clone()
}
