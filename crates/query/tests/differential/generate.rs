//! The generator: typed expressions as SQL and as trees.

use query::functions::{self, Function, Kind, Ty, Volatility, choose, choose_comparison};
use query::ir::{Compare, Expr, Form};
use types::session::Session;
use types::{Type, Value, cast, text};

use super::literals;

/// An expression twice.
#[derive(Clone)]
pub(crate) struct Generated {
    /// For PostgreSQL: an expression over columns, so that its planner computes nothing ahead of time.
    pub(crate) sql: String,
    /// For us.
    pub(crate) expr: Expr,
}

/// A seeded source of expressions.
pub(crate) struct Generator {
    state: u64,
    literals: Vec<(Type, &'static str, &'static [&'static str])>,
    functions: Vec<&'static Function>,
    session: Session,
    /// The literals of the expression in hand.
    columns: Vec<String>,
}

/// Functions of extensions, present when the server has them.
const OF_PGCRYPTO: &[&str] = &["digest", "hmac", "gen_random_bytes"];
/// Functions that another server's installation decides, and one whose arguments would be sizes.
/// The last digit of `cbrt` is the C library's.
const LEFT_OUT: &[&str] = &["uuid_nil", "uuid_generate_v4", "array_fill", "factorial", "cbrt", "||/"];

/// Deepest nesting.
const DEPTH: u32 = 3;

const COMPARISONS: &[(Compare, &str)] = &[
    (Compare::Eq, "="),
    (Compare::Ne, "<>"),
    (Compare::Lt, "<"),
    (Compare::Le, "<="),
    (Compare::Gt, ">"),
    (Compare::Ge, ">="),
];

impl Generator {
    pub(crate) fn new(seed: u64, pgcrypto: bool, now: i64) -> Generator {
        let usable = |function: &&Function| {
            function.volatility != Volatility::Volatile
                && !LEFT_OUT.contains(&function.name)
                && (pgcrypto || !OF_PGCRYPTO.contains(&function.name))
        };
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let functions = functions::all().filter(usable).collect();
        Generator {
            state,
            literals: literals::table(),
            functions,
            session: Session::utc(now),
            columns: Vec::new(),
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
        let at = self.below(self.literals.len());
        self.literals[at].0.clone()
    }

    fn sql_name(&self, ty: &Type) -> &'static str {
        self.literals.iter().find(|(known, ..)| known == ty).map_or("text", |(_, name, _)| name)
    }

    /// The next expression: every second one is a call of a row of the table, chosen evenly.
    pub(crate) fn next(&mut self) -> Generated {
        loop {
            self.columns.clear();
            let found = if self.below(3) > 0 {
                let function = self.pick(&self.functions.clone());
                self.call(function, DEPTH)
            } else {
                let ty = self.some_type();
                Some(self.of_type(&ty, DEPTH))
            };
            if let Some(found) = found.filter(|found| found.sql.len() < 4_000) {
                let sql = match self.columns.is_empty() {
                    true => found.sql,
                    false => {
                        format!("(select {} from (select {} offset 0) c)", found.sql, self.columns.join(", "))
                    }
                };
                return Generated { sql, expr: found.expr };
            }
        }
    }

    fn literal(&mut self, ty: &Type) -> Generated {
        let Some((_, name, texts)) = self.literals.iter().find(|(known, ..)| known == ty).cloned() else {
            panic!("no literals of {ty:?}");
        };
        if self.below(12) == 0 {
            return Generated { sql: self.column(&format!("null::{name}")), expr: Expr::null(ty.clone()) };
        }
        let written = self.pick(texts);
        self.written(ty, name, &written.replace("''", "'"))
    }

    /// A column with this literal.
    fn column(&mut self, literal: &str) -> String {
        self.columns.push(format!("{literal} as c{}", self.columns.len()));
        format!("c{}", self.columns.len() - 1)
    }

    fn written(&mut self, ty: &Type, name: &str, written: &str) -> Generated {
        let value = text::parse(ty, written, &self.session)
            .unwrap_or_else(|error| panic!("{written} is no {name}: {error}"));
        let sql = self.column(&format!("'{}'::{name}", written.replace('\'', "''")));
        Generated { sql, expr: Expr::Const { value, ty: ty.clone() } }
    }

    /// An expression of a type.
    fn of_type(&mut self, ty: &Type, depth: u32) -> Generated {
        if depth == 0 || self.below(3) == 0 {
            return self.literal(ty);
        }
        match self.below(10) {
            0 => self.case(ty, depth),
            1 => self.variadic_form(ty, depth),
            2 => self.cast(ty, depth),
            3..=5 if *ty == Type::Bool => self.test(depth),
            _ => {
                let fitting: Vec<&'static Function> = self
                    .functions
                    .iter()
                    .copied()
                    .filter(|function| function.result.to_type().as_ref() == Some(ty))
                    .collect();
                if fitting.is_empty() {
                    return self.literal(ty);
                }
                let function = self.pick(&fitting);
                self.call(function, depth)
                    .filter(|found| found.expr.ty() == *ty)
                    .unwrap_or_else(|| self.literal(ty))
            }
        }
    }

    fn case(&mut self, ty: &Type, depth: u32) -> Generated {
        let condition = self.of_type(&Type::Bool, depth - 1);
        let (yes, no) = (self.of_type(ty, depth - 1), self.of_type(ty, depth - 1));
        let sql = format!("case when {} then {} else {} end", condition.sql, yes.sql, no.sql);
        let expr = Expr::Case {
            branches: vec![(condition.expr, yes.expr)],
            otherwise: Some(Box::new(no.expr)),
            ty: ty.clone(),
        };
        Generated { sql, expr }
    }

    fn compared(ty: &Type) -> bool {
        choose_comparison("=", ty, ty).is_ok_and(|common| common == *ty)
    }

    fn variadic_form(&mut self, ty: &Type, depth: u32) -> Generated {
        let (name, form, least) = match self.below(4) {
            1 if Generator::compared(ty) => ("nullif", Form::NullIf, 2),
            2 if Generator::compared(ty) => ("greatest", Form::Greatest, 1),
            3 if Generator::compared(ty) => ("least", Form::Least, 1),
            _ => ("coalesce", Form::Coalesce, 1),
        };
        let count = if form == Form::NullIf { 2 } else { least + self.below(3) };
        let (sql, args) = self.several(ty, count, depth);
        Generated { sql: format!("{name}({sql})"), expr: Expr::Form { form, args, ty: ty.clone() } }
    }

    /// Several expressions of a type, with commas between.
    fn several(&mut self, ty: &Type, count: usize, depth: u32) -> (String, Vec<Expr>) {
        let parts: Vec<Generated> = (0..count).map(|_| self.of_type(ty, depth - 1)).collect();
        let sql: Vec<&str> = parts.iter().map(|part| part.sql.as_str()).collect();
        (sql.join(", "), parts.iter().map(|part| part.expr.clone()).collect())
    }

    fn cast(&mut self, ty: &Type, depth: u32) -> Generated {
        let from = self.some_type();
        let moment =
            matches!(ty, Type::Date | Type::Time | Type::Timestamp | Type::Timestamptz | Type::Interval);
        if cast::context(&from, ty).is_none() || from == *ty || (from.is_string() && moment) {
            return self.literal(ty);
        }
        let inner = self.of_type(&from, depth - 1);
        let sql = format!("({})::{}", inner.sql, self.sql_name(ty));
        Generated {
            sql,
            expr: Expr::Cast { expr: Box::new(inner.expr), ty: ty.clone(), modifier: None, explicit: true },
        }
    }

    /// A boolean form.
    fn test(&mut self, depth: u32) -> Generated {
        let ty = self.some_type();
        if !Generator::compared(&ty) {
            let value = self.of_type(&ty, depth - 1);
            return Generated {
                sql: format!("({} is null)", value.sql),
                expr: Expr::test(Form::IsNull, vec![value.expr]),
            };
        }
        let (a, b) = (self.of_type(&ty, depth - 1), self.of_type(&ty, depth - 1));
        let (compare, symbol) = self.pick(COMPARISONS);
        let pair = vec![a.expr.clone(), b.expr.clone()];
        match self.below(9) {
            0 => Generated {
                sql: format!("({} is distinct from {})", a.sql, b.sql),
                expr: Expr::test(Form::Distinct, pair),
            },
            1 => Generated {
                sql: format!("({} is not distinct from {})", a.sql, b.sql),
                expr: Expr::test(Form::NotDistinct, pair),
            },
            2 => {
                let (sql, list) = self.several(&ty, 3, depth);
                let args = [vec![a.expr], list].concat();
                Generated { sql: format!("({} in ({sql}))", a.sql), expr: Expr::test(Form::In, args) }
            }
            3 => self.logic(depth),
            4 if !matches!(ty, Type::Array(_))
                && self.literals.iter().any(|(known, ..)| *known == ty.clone().array()) =>
            {
                let array = self.of_type(&ty.clone().array(), depth - 1);
                let (word, form) = if self.below(2) == 0 {
                    ("any", Form::AnyOf(compare))
                } else {
                    ("all", Form::AllOf(compare))
                };
                Generated {
                    sql: format!("({} {symbol} {word} ({}))", a.sql, array.sql),
                    expr: Expr::test(form, vec![a.expr, array.expr]),
                }
            }
            5 => {
                let test = self.of_type(&Type::Bool, depth - 1);
                let value = self.below(2) == 0;
                let negated = self.below(2) == 0;
                let sql = format!("({} is {}{value})", test.sql, if negated { "not " } else { "" });
                Generated { sql, expr: Expr::test(Form::IsBool { value, negated }, vec![test.expr]) }
            }
            _ => Generated {
                sql: format!("({} {symbol} {})", a.sql, b.sql),
                expr: Expr::test(Form::Compare(compare), pair),
            },
        }
    }

    fn logic(&mut self, depth: u32) -> Generated {
        let (a, b) = (self.of_type(&Type::Bool, depth - 1), self.of_type(&Type::Bool, depth - 1));
        match self.below(3) {
            0 => Generated {
                sql: format!("({} and {})", a.sql, b.sql),
                expr: Expr::test(Form::And, vec![a.expr, b.expr]),
            },
            1 => Generated {
                sql: format!("({} or {})", a.sql, b.sql),
                expr: Expr::test(Form::Or, vec![a.expr, b.expr]),
            },
            _ => Generated { sql: format!("(not {})", a.sql), expr: Expr::test(Form::Not, vec![a.expr]) },
        }
    }

    /// What a declared type may stand for in one call.
    fn actual(&mut self, declared: Ty, element: &Type) -> Option<Type> {
        let known = |ty: &Type, all: &[(Type, &str, &[&str])]| all.iter().any(|(known, ..)| known == ty);
        let ty = match declared {
            Ty::Any => self.some_type(),
            Ty::AnyElement
            | Ty::AnyNonArray
            | Ty::AnyCompatible
            | Ty::AnyCompatibleNonArray
            | Ty::AnyEnum => element.clone(),
            Ty::AnyArray | Ty::AnyCompatibleArray => element.clone().array(),
            declared => declared.to_type()?,
        };
        known(&ty, &self.literals).then_some(ty)
    }

    /// A call of a row, resolved again from the types of its arguments; `None` when its types are not among ours.
    fn call(&mut self, function: &'static Function, depth: u32) -> Option<Generated> {
        let arrays = function.arguments.iter().any(|ty| matches!(ty, Ty::AnyArray | Ty::AnyCompatibleArray));
        let element = match () {
            () if function.arguments.contains(&Ty::AnyEnum) => {
                self.literals.iter().find(|(ty, ..)| matches!(ty, Type::Enum(_)))?.0.clone()
            }
            () if arrays => self.pick(&[Type::Int4, Type::Text, Type::Numeric]),
            () => self.some_type(),
        };
        let extra = if function.variadic { self.below(3) } else { 0 };
        let missing = if function.optional > 0 { self.below(function.optional + 1) } else { 0 };
        let count = function.arguments.len() + extra - missing;
        let mut args = Vec::new();
        let depth = if is_commutator(function) { 1 } else { depth };
        for position in 0..count {
            let ty = self.actual(function.argument(position)?, &element)?;
            args.push(self.argument(function, position, &ty, depth));
        }
        let types: Vec<Type> = args.iter().map(|arg| arg.expr.ty()).collect();
        let chosen = choose(function.name, function.kind, &types).ok()?;
        let sql = {
            let parts: Vec<&str> = args.iter().map(|arg| arg.sql.as_str()).collect();
            match (function.kind, &parts[..]) {
                (Kind::Operator, [left, right]) => format!("({left} {} {right})", function.name),
                (Kind::Prefix, [operand]) => format!("({} {operand})", function.name),
                _ if matches!(function.name, "extract" | "position" | "overlay" | "substring" | "like") => {
                    format!("pg_catalog.\"{}\"({})", function.name, parts.join(", "))
                }
                _ => format!("\"{}\"({})", function.name, parts.join(", ")),
            }
        };
        let converted =
            args.into_iter().zip(chosen.argument_types).map(|(arg, ty)| convert(arg.expr, ty)).collect();
        Some(Generated {
            sql,
            expr: Expr::Apply { function: chosen.function, args: converted, ty: chosen.result },
        })
    }

    fn argument(&mut self, function: &Function, position: usize, ty: &Type, depth: u32) -> Generated {
        match literals::words(function.name, position) {
            Some(words)
                if *ty == Type::Text
                    && (matches!(function.name, "timezone" | "date_trunc") || self.below(8) > 0) =>
            {
                let word = self.pick(words);
                self.written(ty, "text", word)
            }
            _ => self.of_type(ty, depth - 1),
        }
    }
}

/// PostgreSQL defines these by the operator with the operands exchanged, and so computes the right one first.
fn is_commutator(function: &Function) -> bool {
    function.name == "+"
        && matches!(
            function.arguments,
            [Ty::Interval | Ty::Int4 | Ty::Time, Ty::Date | Ty::Time | Ty::Timestamp | Ty::Timestamptz]
        )
}

/// A conversion where the types differ.
fn convert(expr: Expr, ty: Type) -> Expr {
    if expr.ty() == ty {
        return expr;
    }
    match expr {
        Expr::Const { value: Value::Null, .. } => Expr::null(ty),
        expr => Expr::Cast { expr: Box::new(expr), ty, modifier: None, explicit: false },
    }
}
