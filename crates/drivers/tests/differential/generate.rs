//! The generator: typed expressions as SQL text, over constants and over the columns of a stored table.

use query::functions::{self, Function, Kind, Ty, Volatility, choose, choose_comparison};
use types::{Type, cast};

use super::literals::{self, Known};

/// A query of one column `x`, for both sides.
pub(crate) struct Generated {
    /// For PostgreSQL: constants are columns, so that its planner computes nothing ahead of time.
    pub(crate) theirs: String,
    /// For us: constants are literals.
    pub(crate) ours: String,
}

/// An expression under construction; constants are marks between [`OPEN`] and [`CLOSE`].
#[derive(Clone)]
struct Part {
    sql: String,
    ty: Type,
}

const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';

/// Where the values of an expression come from.
#[derive(Clone, Copy, PartialEq)]
enum Ground {
    Constants,
    Table,
}

/// A seeded source of queries.
pub(crate) struct Generator {
    state: u64,
    known: Vec<Known>,
    functions: Vec<&'static Function>,
    /// The row that the next call is of, and the next aggregate.
    turn: usize,
    aggregates: usize,
    ground: Ground,
    /// The constants of the query in hand.
    constants: Vec<String>,
}

/// Rows that are not compared: their results are chance, the clock, or the last digit of a C library; or PostgreSQL as it is
/// tested with has not got them.
pub(crate) fn is_left_out(function: &Function) -> bool {
    function.volatility == Volatility::Volatile
        // A list behind VARIADIC, a row as text, and a part that is put into a document, which no expression says.
        || function.name.contains(' ')
        || function.name == "[]="
        || function.extension == Some("vector")
        // Beyond the most that is asked for, its result is any that is greater.
        || function.name == "levenshtein_less_equal"
        || matches!(function.name, "cbrt" | "||/" | "array_fill" | "factorial")
        // What a value takes depends on where it is kept.
        || function.name == "pg_column_size"
        // Results of types of their own, and what only our own statements call.
        || matches!(function.name, "pg_typeof" | "get_current_ts_config" | "system_object_missing")
}

/// Deepest nesting.
const DEPTH: u32 = 3;

const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];

/// Types with a length, precision or fraction.
const MODIFIED: &[(&str, Type)] = &[
    ("varchar(3)", Type::Varchar),
    ("character(4)", Type::Bpchar),
    ("numeric(6,2)", Type::Numeric),
    ("numeric(3,-1)", Type::Numeric),
    ("timestamp(0)", Type::Timestamp),
    ("timestamptz(3)", Type::Timestamptz),
    ("time(1)", Type::Time),
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let functions = functions::all().filter(|function| !is_left_out(function)).collect();
        Generator {
            state,
            known: literals::table(),
            functions,
            turn: 0,
            aggregates: 0,
            ground: Ground::Constants,
            constants: Vec::new(),
        }
    }

    /// A number below a bound (xorshift64*).
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let word = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(word).unwrap() % bound
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    fn some_type(&mut self) -> Type {
        let at = self.below(self.known.len());
        self.known[at].ty.clone()
    }

    fn known(&self, ty: &Type) -> Option<&Known> {
        self.known.iter().find(|known| known.ty == *ty)
    }

    fn sql_name(&self, ty: &Type) -> &'static str {
        self.known(ty).map_or("text", |known| known.name)
    }

    /// The next query.
    pub(crate) fn next(&mut self) -> Generated {
        loop {
            self.constants.clear();
            self.ground = if self.below(5) < 2 { Ground::Table } else { Ground::Constants };
            if let Some(query) = self.query().filter(|query| query.len() < 4_000) {
                return self.finished(&query);
            }
        }
    }

    /// Two thirds are calls of the rows of the table, each in its turn.
    fn expression(&mut self) -> Option<Part> {
        if self.below(3) == 0 {
            let ty = self.some_type();
            return Some(self.of_type(&ty, DEPTH));
        }
        self.turn += 1;
        let function = self.functions[self.turn % self.functions.len()];
        self.call(function, DEPTH)
    }

    fn query(&mut self) -> Option<String> {
        if self.ground == Ground::Constants {
            let part = self.expression()?;
            return Some(format!("select {} as x{OPEN}from{CLOSE}", part.sql));
        }
        let from = format!("from v{OPEN}comma{CLOSE}");
        Some(match self.below(9) {
            0 | 1 => format!("select {} as x {from} order by id", self.expression()?.sql),
            2 | 3 => {
                let test = self.of_type(&Type::Bool, DEPTH).sql;
                // PostgreSQL looks at the parts of a conjunction in an order of its own.
                let several =
                    ["and", "row(", "between", "in (", "(not "].iter().any(|word| test.contains(word));
                let test = if several { format!("coalesce({test}, false)") } else { test };
                format!("select id as x {from} where {test} order by id")
            }
            4 => {
                let key = self.sortable()?;
                let direction = self.pick(&["", " desc", " nulls first", " desc nulls last", " asc"]);
                format!("select id as x {from} order by {}{direction}, id", key.sql)
            }
            5 => {
                let key = self.sortable()?;
                let ids = "string_agg(id::text, ',' order by id)";
                format!("select {ids} as x {from} group by {} order by 1", key.sql)
            }
            6 => format!("select count(distinct {}) as x {from}", self.sortable()?.sql),
            7 => {
                format!("select count(*) as x from (select distinct {} as y {from}) s", self.sortable()?.sql)
            }
            _ => {
                let call = self.aggregate()?;
                format!("select {call} as x {from}")
            }
        })
    }

    fn sortable(&mut self) -> Option<Part> {
        let ty = self.some_type();
        compared(&ty).then(|| self.of_type(&ty, DEPTH - 1))
    }

    fn aggregate(&mut self) -> Option<String> {
        let all: Vec<_> = functions::aggregates().collect();
        self.aggregates += 1;
        let aggregate = all[self.aggregates % all.len()];
        let is_ordered = functions::is_ordered(aggregate.name);
        // Some types have no order, some no arrays of their own, and of some equal values look different.
        let element = match is_ordered {
            true => self.pick(&[Type::Int4, Type::Int8, Type::Text, Type::Date]),
            false => self.element_for(aggregate.arguments),
        };
        let mut args = Vec::new();
        for (position, declared) in aggregate.arguments.iter().enumerate() {
            let ty = self.actual(*declared, &element)?;
            // What says which of the ordered values is wanted is the same of all rows.
            let is_direct = is_ordered && position + 1 < aggregate.arguments.len();
            args.push(if is_direct { self.fraction(&ty) } else { self.of_type(&ty, 2) });
        }
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
        functions::choose_aggregate(aggregate.name, &types).ok()?;
        let list: Vec<&str> = args.iter().map(|arg| arg.sql.as_str()).collect();
        if let (true, Some((key, direct))) = (functions::is_ordered(aggregate.name), list.split_last()) {
            let (name, direction) = match aggregate.name.strip_suffix(functions::DESCENDING) {
                Some(name) => (name, functions::DESCENDING),
                None => (aggregate.name, ""),
            };
            return Some(format!("{name}({}) within group (order by {key}{direction})", direct.join(", ")));
        }
        let list = if list.is_empty() { "*".to_owned() } else { list.join(", ") };
        let order = if self.below(3) == 0 && !args.is_empty() { " order by id desc" } else { "" };
        let filter = if self.below(4) == 0 {
            format!(" filter (where {})", self.of_type(&Type::Bool, 1).sql)
        } else {
            String::new()
        };
        Some(format!("{}({list}{order}){filter}", aggregate.name))
    }

    /// A part of all, or several.
    fn fraction(&mut self, ty: &Type) -> Part {
        let fractions = match ty {
            Type::Array(_) => &["array[0.5, 0.25]", "array[[0, 1], [0.9, null]]::float8[]", "'{}'::float8[]"],
            _ => &["0.5", "0", "0.333"],
        };
        Part { sql: self.pick(fractions).to_owned(), ty: ty.clone() }
    }

    /// The query for each side, with the constants where they belong.
    fn finished(&self, query: &str) -> Generated {
        let columns: Vec<String> =
            self.constants.iter().enumerate().map(|(at, literal)| format!("{literal} as c{at}")).collect();
        let source = format!("(select {} offset 0) c", columns.join(", "));
        let (mut theirs, mut ours) = (query.to_owned(), query.to_owned());
        let (from, comma) = match columns.is_empty() {
            true => (String::new(), String::new()),
            false => (format!(" from {source}"), format!(", {source}")),
        };
        for (word, text) in [("from", from), ("comma", comma)] {
            theirs = theirs.replace(&format!("{OPEN}{word}{CLOSE}"), &text);
            ours = ours.replace(&format!("{OPEN}{word}{CLOSE}"), "");
        }
        for (at, literal) in self.constants.iter().enumerate() {
            theirs = theirs.replace(&format!("{OPEN}{at}{CLOSE}"), &format!("c{at}"));
            ours = ours.replace(&format!("{OPEN}{at}{CLOSE}"), &format!("({literal})"));
        }
        Generated { theirs, ours }
    }

    /// A value of a type: a column of the table, or a constant.
    fn leaf(&mut self, ty: &Type) -> Part {
        let Some(known) = self.known(ty).cloned() else { panic!("no values of {ty:?}") };
        if self.ground == Ground::Table && self.below(4) > 0 {
            return Part { sql: known.column(), ty: ty.clone() };
        }
        if self.below(12) == 0 {
            return self.constant(format!("null::{}", known.name), ty);
        }
        let written = self.pick(known.texts);
        self.written(ty, written)
    }

    fn constant(&mut self, literal: String, ty: &Type) -> Part {
        self.constants.push(literal);
        Part { sql: format!("{OPEN}{}{CLOSE}", self.constants.len() - 1), ty: ty.clone() }
    }

    fn written(&mut self, ty: &Type, written: &str) -> Part {
        let name = self.sql_name(ty);
        self.constant(format!("'{}'::{name}", written.replace('\'', "''")), ty)
    }

    /// An expression of a type.
    fn of_type(&mut self, ty: &Type, depth: u32) -> Part {
        if depth == 0 || self.below(3) == 0 {
            return self.leaf(ty);
        }
        match self.below(12) {
            0 => self.case(ty, depth),
            1 => self.lazy(ty, depth),
            2 => self.cast(ty, depth),
            3 => self.modified(ty, depth),
            4 => self.element(ty, depth),
            5..=7 if *ty == Type::Bool => self.test(depth),
            _ => {
                let fitting: Vec<&'static Function> = self
                    .functions
                    .iter()
                    .copied()
                    .filter(|function| function.result.to_type().as_ref() == Some(ty))
                    .collect();
                if fitting.is_empty() {
                    return self.leaf(ty);
                }
                let function = self.pick(&fitting);
                self.call(function, depth).filter(|found| found.ty == *ty).unwrap_or_else(|| self.leaf(ty))
            }
        }
    }

    fn case(&mut self, ty: &Type, depth: u32) -> Part {
        let (yes, no) = (self.of_type(ty, depth - 1), self.of_type(ty, depth - 1));
        if self.below(3) == 0 {
            let of = self.some_type();
            if compared(&of) {
                // SQLite does not look at what null is compared with.
                let is_null = |part: &Part, constants: &[String]| {
                    let at = part.sql.strip_prefix(OPEN).and_then(|sql| sql.strip_suffix(CLOSE));
                    at.and_then(|at| constants.get(at.parse::<usize>().ok()?))
                        .is_some_and(|literal| literal.starts_with("null"))
                };
                let (mut operand, value) = (self.of_type(&of, depth - 1), self.of_type(&of, depth - 1));
                while is_null(&operand, &self.constants) {
                    operand = self.leaf(&of);
                }
                let sql =
                    format!("case {} when {} then {} else {} end", operand.sql, value.sql, yes.sql, no.sql);
                return Part { sql, ty: ty.clone() };
            }
        }
        // SQLite does not look further when a part of a conjunction is null.
        let condition = self.of_type(&Type::Bool, depth - 1).sql;
        let several = ["and", "row("].iter().any(|word| condition.contains(word));
        let condition = if several { format!("coalesce({condition}, false)") } else { condition };
        let sql = format!("case when {condition} then {} else {} end", yes.sql, no.sql);
        Part { sql, ty: ty.clone() }
    }

    fn lazy(&mut self, ty: &Type, depth: u32) -> Part {
        let (name, least) = match self.below(4) {
            1 if compared(ty) => ("nullif", 2),
            2 if compared(ty) => ("greatest", 1),
            3 if compared(ty) => ("least", 1),
            _ => ("coalesce", 1),
        };
        let count = if name == "nullif" { 2 } else { least + self.below(3) };
        Part { sql: format!("{name}({})", self.several(ty, count, depth)), ty: ty.clone() }
    }

    /// Several expressions of a type, with commas between.
    fn several(&mut self, ty: &Type, count: usize, depth: u32) -> String {
        let parts: Vec<String> = (0..count).map(|_| self.of_type(ty, depth - 1).sql).collect();
        parts.join(", ")
    }

    /// A conversion. Texts are converted to other types from what they can be read from, and a few others.
    fn cast(&mut self, ty: &Type, depth: u32) -> Part {
        let from = self.some_type();
        if cast::context(&from, ty).is_none() || from == *ty {
            return self.leaf(ty);
        }
        let inner = match (self.known(ty).cloned(), from.is_string() && !ty.is_string()) {
            (Some(known), true) => {
                let written =
                    if self.below(6) == 0 { self.pick(literals::ODD) } else { self.pick(known.texts) };
                self.written(&from, written)
            }
            _ => self.of_type(&from, depth - 1),
        };
        Part { sql: format!("(({})::{})", inner.sql, self.sql_name(ty)), ty: ty.clone() }
    }

    /// A conversion to a length, precision or fraction; an array of elements; a set of parts.
    fn modified(&mut self, ty: &Type, depth: u32) -> Part {
        if let Type::Array(element) = ty {
            let count = 1 + self.below(3);
            let list = self.several(element, count, depth);
            return Part { sql: format!("array[{list}]"), ty: ty.clone() };
        }
        let fitting: Vec<&str> =
            MODIFIED.iter().filter(|(_, known)| known == ty).map(|(name, _)| *name).collect();
        if fitting.is_empty() {
            return self.leaf(ty);
        }
        let name = self.pick(&fitting);
        let inner = self.of_type(ty, depth - 1);
        Part { sql: format!("(({})::{name})", inner.sql), ty: ty.clone() }
    }

    /// An element of an array, or a part of it.
    fn element(&mut self, ty: &Type, depth: u32) -> Part {
        let bound = |generator: &mut Generator| generator.pick(&["-1", "0", "1", "2", "3", "null"]);
        if let Type::Array(_) = ty {
            let array = self.of_type(ty, depth - 1);
            let (low, high) = (bound(self), bound(self));
            return Part { sql: format!("({})[{low}:{high}]", array.sql), ty: ty.clone() };
        }
        let array = ty.clone().array();
        if self.known(&array).is_none() {
            return self.leaf(ty);
        }
        let array = self.of_type(&array, depth - 1);
        let second = if self.below(4) == 0 { format!("[{}]", bound(self)) } else { String::new() };
        Part { sql: format!("({})[{}]{second}", array.sql, bound(self)), ty: ty.clone() }
    }

    /// A boolean form.
    fn test(&mut self, depth: u32) -> Part {
        let ty = self.some_type();
        let sql = if compared(&ty) {
            self.comparison(&ty, depth)
        } else {
            let value = self.of_type(&ty, depth - 1);
            format!("({} is {}null)", value.sql, self.pick(&["", "not "]))
        };
        Part { sql, ty: Type::Bool }
    }

    fn comparison(&mut self, ty: &Type, depth: u32) -> String {
        let a = self.of_type(ty, depth - 1).sql;
        let symbol = self.pick(COMPARISONS);
        match self.below(14) {
            0 => format!("({a} is distinct from {})", self.of_type(ty, depth - 1).sql),
            1 => format!("({a} is not distinct from {})", self.of_type(ty, depth - 1).sql),
            // SQLite does not look at a list beside null.
            2 => format!("({a} {}in ({}))", self.pick(&["", "not "]), self.several(ty, 3, 1)),
            3 => self.logic(depth),
            4 if self.known(&ty.clone().array()).is_some() => {
                let array = self.of_type(&ty.clone().array(), depth - 1);
                format!("({a} {symbol} {} ({}))", self.pick(&["any", "all"]), array.sql)
            }
            5 => {
                let test = self.of_type(&Type::Bool, depth - 1);
                let word = self.pick(&["true", "false", "unknown", "not true", "not false", "not unknown"]);
                format!("({} is {word})", test.sql)
            }
            6 => {
                let (low, high) = (self.of_type(ty, depth - 1).sql, self.of_type(ty, depth - 1).sql);
                format!(
                    "({a} {}between {low} and {high})",
                    self.pick(&["", "not ", "not ", "symmetric "]).trim_start_matches("symmetric ")
                )
            }
            7 | 8 => self.like(depth),
            9 => self.across(ty, &a, symbol, depth),
            10 => {
                let known = self.known(ty).cloned();
                let texts = known.map_or(&[][..], |known| known.texts);
                let written = self.pick(texts).replace('\'', "''");
                format!("({a} {symbol} '{written}')")
            }
            11 => {
                let other = self.some_type();
                if !compared(&other) {
                    return format!("({a} is null)");
                }
                let (b, c) = (self.of_type(&other, depth - 1).sql, self.of_type(&other, depth - 1).sql);
                let d = self.of_type(ty, depth - 1).sql;
                format!("(row({a}, {b}) {} row({d}, {c}))", self.pick(&["=", "<>"]))
            }
            _ => format!("({a} {symbol} {})", self.of_type(ty, depth - 1).sql),
        }
    }

    /// A comparison with another type of the same family.
    fn across(&mut self, ty: &Type, a: &str, symbol: &str, depth: u32) -> String {
        let other = self.some_type();
        let other = if choose_comparison(symbol, ty, &other).is_ok() { other } else { ty.clone() };
        format!("({a} {symbol} {})", self.of_type(&other, depth - 1).sql)
    }

    fn like(&mut self, depth: u32) -> String {
        let subject = self.of_type(&Type::Text, depth - 1).sql;
        let not = self.pick(&["", "not "]);
        match self.below(4) {
            0 => {
                let pattern = self.pick(literals::SIMILAR);
                let pattern = self.written(&Type::Text, pattern).sql;
                format!("({subject} {not}similar to {pattern})")
            }
            1 => {
                let pattern = self.pick(literals::LIKE);
                format!("({subject} {not}like {} escape '#')", self.written(&Type::Text, pattern).sql)
            }
            2 => {
                let array = self.of_type(&Type::Text.array(), depth - 1).sql;
                format!("({subject} {not}ilike {} ({array}))", self.pick(&["any", "all"])).replace("not ", "")
            }
            _ => {
                let pattern = self.pick(literals::LIKE);
                let word = self.pick(&["like", "ilike"]);
                format!("({subject} {not}{word} {})", self.written(&Type::Text, pattern).sql)
            }
        }
    }

    fn logic(&mut self, depth: u32) -> String {
        // SQLite leaves out what a constant decides.
        let mut operand = || {
            let sql = self.of_type(&Type::Bool, depth - 1).sql;
            if sql.starts_with(OPEN) { format!("({sql} is not false)") } else { sql }
        };
        let (a, b) = (operand(), operand());
        match self.below(3) {
            0 => format!("({a} and {b})"),
            1 => format!("({a} or {b})"),
            _ => format!("(not {a})"),
        }
    }

    /// What a declared type may stand for in one call.
    fn actual(&mut self, declared: Ty, element: &Type) -> Option<Type> {
        let ty = match declared {
            Ty::Any => self.some_type(),
            Ty::AnyElement
            | Ty::AnyNonArray
            | Ty::AnyCompatible
            | Ty::AnyCompatibleNonArray
            | Ty::AnyEnum => element.clone(),
            Ty::AnyArray | Ty::AnyCompatibleArray => element.clone().array(),
            Ty::AnyRange | Ty::AnyCompatibleRange => Type::Range(element.clone().into()),
            // A literal of type bit would be one bit long.
            Ty::Bit => Type::Varbit,
            declared => declared.to_type()?,
        };
        self.known(&ty).is_some().then_some(ty)
    }

    /// What the polymorphic arguments may stand for.
    fn element_for(&mut self, arguments: &[Ty]) -> Type {
        let takes = |ty: Ty| arguments.contains(&ty);
        let inner = |known: &Known, range: bool| match &known.ty {
            Type::Range(subtype) if range => Some((**subtype).clone()),
            Type::Array(element) if !range => Some((**element).clone()),
            _ => None,
        };
        let candidates: Vec<Type> = if takes(Ty::AnyEnum) {
            self.known
                .iter()
                .filter(|known| matches!(known.ty, Type::Enum(_)))
                .map(|known| known.ty.clone())
                .collect()
        } else if takes(Ty::AnyRange) || takes(Ty::AnyCompatibleRange) {
            self.known.iter().filter_map(|known| inner(known, true)).collect()
        } else if takes(Ty::AnyArray) || takes(Ty::AnyCompatibleArray) {
            self.known.iter().filter_map(|known| inner(known, false)).collect()
        } else {
            return self.some_type();
        };
        self.pick(&candidates)
    }

    /// A call of a row, resolved again from the types of its arguments; `None` when its types are not among ours.
    fn call(&mut self, function: &'static Function, depth: u32) -> Option<Part> {
        let element = self.element_for(function.arguments);
        // A slice has two bounds for each dimension.
        let extra = match function.name {
            "[:]" => 1 + 2 * self.below(2),
            _ if function.variadic => self.below(3),
            _ => 0,
        };
        let missing = if function.optional > 0 { self.below(function.optional + 1) } else { 0 };
        let count = function.arguments.len() + extra - missing;
        // Functions of citext are in SQL: what they do not look at is not computed.
        let is_shallow = is_commutator(function) || function.extension == Some("citext");
        let depth = if is_shallow { 1 } else { depth };
        let mut args = Vec::new();
        for position in 0..count {
            let ty = self.actual(function.argument(position)?, &element)?;
            // PostgreSQL does not look at subscripts of null.
            let depth = if position > 0 && function.name.starts_with('[') { 1 } else { depth };
            let first = args.first().map_or(&ty, |arg: &Part| &arg.ty).clone();
            args.push(self.argument(function, position, &ty, &first, depth));
        }
        if count == 2 && function.kind == Kind::Operator && self.below(10) == 0 {
            self.untyped(function, &mut args[1]);
        }
        let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
        let chosen = choose(function.name, function.kind, &types).ok()?;
        let parts: Vec<&str> = args.iter().map(|arg| arg.sql.as_str()).collect();
        let sql = match (function.kind, &parts[..]) {
            _ if function.name == "[]" => {
                let indexes: Vec<String> = parts[1..].iter().map(|index| format!("[{index}]")).collect();
                format!("({}){}", parts[0], indexes.concat())
            }
            _ if function.name == "[:]" => {
                let slices = parts[1..].chunks(2).map(|bounds| format!("[{}]", bounds.join(":")));
                format!("({}){}", parts[0], slices.collect::<String>())
            }
            (Kind::Operator, [left, right]) => format!("({left} {} {right})", function.name),
            (Kind::Prefix, [operand]) => format!("({} {operand})", function.name),
            _ if matches!(function.name, "extract" | "position" | "overlay" | "substring" | "like") => {
                format!("pg_catalog.\"{}\"({})", function.name, parts.join(", "))
            }
            _ => format!("\"{}\"({})", function.name, parts.join(", ")),
        };
        Some(Part { sql, ty: chosen.result })
    }

    /// The right operand as a literal whose type the operator decides.
    fn untyped(&mut self, function: &Function, operand: &mut Part) {
        let texts = match literals::words(function.name, 1, &Type::Unknown, false) {
            Some(words) if operand.ty == Type::Text => words,
            _ => self.known(&operand.ty).map_or(&[][..], |known| known.texts),
        };
        if texts.is_empty() {
            return;
        }
        let written = self.pick(texts).replace('\'', "''");
        *operand = Part { sql: format!("'{written}'"), ty: Type::Unknown };
    }

    fn argument(
        &mut self,
        function: &Function,
        position: usize,
        ty: &Type,
        first: &Type,
        depth: u32,
    ) -> Part {
        match literals::words(function.name, position, first, position == 0 && function.arguments.len() > 1) {
            Some(words)
                if (*ty == Type::Text
                    || word_is_configuration(function, position)
                    || function.extension == Some("fuzzystrmatch"))
                    && (matches!(function.name, "timezone" | "date_trunc")
                        || cuts_characters(function)
                        || word_is_configuration(function, position)
                        || matches!(function.extension, Some("citext" | "fuzzystrmatch"))
                        || self.below(8) > 0) =>
            {
                let word = self.pick(words);
                if word_is_configuration(function, position) {
                    return Part { sql: format!("'{word}'"), ty: Type::Unknown };
                }
                self.written(ty, word)
            }
            _ => self.of_type(ty, depth - 1),
        }
    }
}

/// Configurations and weights of text search are of types of their own, which only a literal without a type becomes.
fn word_is_configuration(function: &Function, position: usize) -> bool {
    let count = function.arguments.len();
    let of_document = function.name.starts_with("json") && count < 3;
    (position == 0 && count > 1 && function.name.contains("to_ts") && !of_document)
        || (position == 0
            && function.name == "ts_headline"
            && function.arguments.get(2) == Some(&Ty::Tsquery))
        || (position == 0 && function.name == "ts_lexize")
        || (position == 1 && function.name == "ts_filter")
        || (position == 0 && function.arguments.len() > 1 && function.name == "unaccent")
        || (position == 1 && function.name == "setweight")
}

/// PostgreSQL's messages end within a character of what these cannot read.
fn cuts_characters(function: &Function) -> bool {
    matches!(function.name, "to_date" | "to_timestamp" | "to_number")
}

fn compared(ty: &Type) -> bool {
    choose_comparison("<", ty, ty).is_ok()
}

/// PostgreSQL defines these by the operator with the operands exchanged, and so computes the right one first.
fn is_commutator(function: &Function) -> bool {
    function.name == "+"
        && matches!(
            function.arguments,
            [
                Ty::Interval | Ty::Int4 | Ty::Time | Ty::Timetz,
                Ty::Date | Ty::Time | Ty::Timetz | Ty::Timestamp | Ty::Timestamptz
            ] | [Ty::Int8, Ty::Inet]
        )
}
