//! `jsonpath`: the SQL/JSON path language as a tree (PostgreSQL 9.16.2), and its text.
//!
//! Paths are read by [`parse()`]; what they find in a document is said in `query`.

mod parse;

use std::fmt::Write;

use crate::json::write_string;
use crate::numeric::Numeric;

pub use parse::parse;

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Whether structural errors are errors.
    pub is_strict: bool,
    /// What it says.
    pub chain: Chain,
}

/// Something, and the accessors behind it, each looking at what the one before found.
pub type Chain = Vec<Step>;

/// A number in a path.
#[derive(Clone, Debug)]
pub struct Literal(pub Numeric);

impl PartialEq for Literal {
    /// Whether both are written alike.
    fn eq(&self, other: &Literal) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(Literal),
    /// A string.
    String(String),
    /// `$name`
    Variable(String),
    /// `$`
    Root,
    /// `@`
    Current,
    /// `last`
    Last,
    /// `.key`
    Key(String),
    /// `.*`
    AnyKey,
    /// `[*]`
    AnyElement,
    /// `[1, 2 to last]`
    Elements(Vec<(Chain, Option<Chain>)>),
    /// `.**{first to last}`; [`u32::MAX`] is the deepest level.
    Any {
        /// The first level.
        first: u32,
        /// The last.
        last: u32,
    },
    /// `? (condition)`
    Filter(Chain),
    /// `.size()`
    Method(Method),
    /// `.datetime()`, with its template.
    Datetime(Option<String>),
    /// `+x`, `-x`
    Sign(Operator, Chain),
    /// `x op y`
    Operation(Operator, Chain, Chain),
    /// `!(condition)`
    Not(Chain),
    /// `(condition) is unknown`
    IsUnknown(Chain),
    /// `exists (x)`
    Exists(Chain),
    /// `x like_regex "…" flag "…"`
    LikeRegex(Chain, Pattern),
}

/// A regular expression with its flags.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The expression.
    pub text: String,
    /// Of `ismxq`, in this order.
    pub flags: String,
}

/// An operator between two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its symbol")]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    StartsWith,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

/// Operators, as they are printed, and how tightly they bind.
const OPERATORS: &[(Operator, &str, u8)] = &[
    (Operator::Or, "||", 0),
    (Operator::And, "&&", 1),
    (Operator::Equal, "==", 2),
    (Operator::NotEqual, "!=", 2),
    (Operator::Less, "<", 2),
    (Operator::Greater, ">", 2),
    (Operator::LessOrEqual, "<=", 2),
    (Operator::GreaterOrEqual, ">=", 2),
    (Operator::StartsWith, "starts with", 2),
    (Operator::Plus, "+", 3),
    (Operator::Minus, "-", 3),
    (Operator::Times, "*", 4),
    (Operator::Over, "/", 4),
    (Operator::Modulo, "%", 4),
];

impl Operator {
    /// As it is printed.
    pub fn symbol(self) -> &'static str {
        OPERATORS.iter().find(|(operator, ..)| *operator == self).map_or("", |(_, symbol, _)| symbol)
    }

    fn priority(self) -> u8 {
        OPERATORS.iter().find(|(operator, ..)| *operator == self).map_or(6, |(.., priority)| *priority)
    }
}

/// A method without arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its name")]
pub enum Method {
    Type,
    Size,
    Abs,
    Floor,
    Ceiling,
    Double,
    Keyvalue,
}

/// Methods by name.
const METHODS: &[(Method, &str)] = &[
    (Method::Type, "type"),
    (Method::Size, "size"),
    (Method::Abs, "abs"),
    (Method::Floor, "floor"),
    (Method::Ceiling, "ceiling"),
    (Method::Double, "double"),
    (Method::Keyvalue, "keyvalue"),
];

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        METHODS.iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }
}

/// The text of a path, as PostgreSQL prints it.
pub fn print(path: &Path) -> String {
    let mut out = if path.is_strict { "strict ".to_owned() } else { String::new() };
    write_chain(&mut out, &path.chain, true);
    out
}

fn priority(chain: &[Step]) -> u8 {
    match chain.first() {
        Some(Step::Operation(operator, ..)) => operator.priority(),
        Some(Step::Sign(..)) => 5,
        _ => 6,
    }
}

fn write_chain(out: &mut String, chain: &[Step], mut is_bracketed: bool) {
    for (at, step) in chain.iter().enumerate() {
        if let Step::Number(Literal(number)) = step {
            let text = number.to_string();
            out.push_str(&if chain.len() > 1 { format!("({text})") } else { text });
        } else {
            write_step(out, step, at > 0, is_bracketed);
        }
        is_bracketed = true;
    }
}

/// An operand, in parentheses where what is around it binds as tightly.
fn write_operand(out: &mut String, chain: &[Step], around: u8) {
    write_chain(out, chain, priority(chain) <= around);
}

fn write_quoted(out: &mut String, text: &str) {
    let mut bytes = Vec::new();
    write_string(&mut bytes, text);
    out.push_str(&String::from_utf8_lossy(&bytes));
}

fn write_step(out: &mut String, step: &Step, is_accessor: bool, is_bracketed: bool) {
    let dot = if is_accessor { "." } else { "" };
    let (open, close) = if is_bracketed { ("(", ")") } else { ("", "") };
    match step {
        Step::Null => out.push_str("null"),
        Step::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Step::Number(Literal(number)) => out.push_str(&number.to_string()),
        Step::String(text) => write_quoted(out, text),
        Step::Variable(name) => {
            out.push('$');
            write_quoted(out, name);
        }
        Step::Root => out.push('$'),
        Step::Current => out.push('@'),
        Step::Last => out.push_str("last"),
        Step::Key(key) => {
            out.push_str(dot);
            write_quoted(out, key);
        }
        Step::AnyKey => {
            out.push_str(dot);
            out.push('*');
        }
        Step::AnyElement => out.push_str("[*]"),
        Step::Elements(elements) => write_elements(out, elements),
        Step::Any { first, last } => {
            out.push_str(dot);
            write_levels(out, *first, *last);
        }
        Step::Filter(condition) => {
            out.push_str("?(");
            write_chain(out, condition, false);
            out.push(')');
        }
        Step::Method(method) => out.push_str(&format!(".{}()", method.name())),
        Step::Datetime(template) => {
            out.push_str(".datetime(");
            template.iter().for_each(|template| write_quoted(out, template));
            out.push(')');
        }
        Step::Sign(operator, operand) => {
            out.push_str(open);
            out.push_str(operator.symbol());
            write_operand(out, operand, 5);
            out.push_str(close);
        }
        Step::Operation(operator, left, right) => {
            out.push_str(open);
            write_operand(out, left, operator.priority());
            // Writing to a `String` cannot fail.
            let _ = write!(out, " {} ", operator.symbol());
            write_operand(out, right, operator.priority());
            out.push_str(close);
        }
        Step::Not(condition) => {
            out.push_str("!(");
            write_chain(out, condition, false);
            out.push(')');
        }
        Step::IsUnknown(condition) => {
            out.push('(');
            write_chain(out, condition, false);
            out.push_str(") is unknown");
        }
        Step::Exists(operand) => {
            out.push_str("exists (");
            write_chain(out, operand, false);
            out.push(')');
        }
        Step::LikeRegex(operand, pattern) => {
            out.push_str(open);
            write_operand(out, operand, 6);
            out.push_str(" like_regex ");
            write_quoted(out, &pattern.text);
            if !pattern.flags.is_empty() {
                let _ = write!(out, " flag \"{}\"", pattern.flags);
            }
            out.push_str(close);
        }
    }
}

fn write_elements(out: &mut String, elements: &[(Chain, Option<Chain>)]) {
    out.push('[');
    for (at, (from, to)) in elements.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        write_chain(out, from, false);
        if let Some(to) = to {
            out.push_str(" to ");
            write_chain(out, to, false);
        }
    }
    out.push(']');
}

fn write_levels(out: &mut String, first: u32, last: u32) {
    let level = |level: u32| if level == u32::MAX { "last".to_owned() } else { level.to_string() };
    out.push_str("**");
    if (first, last) == (0, u32::MAX) {
        return;
    }
    // Writing to a `String` cannot fail.
    let _ = if first == last {
        write!(out, "{{{}}}", level(first))
    } else {
        write!(out, "{{{} to {}}}", level(first), level(last))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let printed = parse(text).map_or_else(|error| error.to_string(), |path| print(&path));
        assert_eq!(printed, expected, "{text}");
    }

    #[test]
    fn paths_are_printed_as_postgresql_prints_them() {
        check("$", "$");
        check("$.a > 1", "($.\"a\" > 1)");
        check("strict $.a[0 to last].**{2 to last}.b", "strict $.\"a\"[0 to last].**{2 to last}.\"b\"");
        check(
            "$ ? (@.c like_regex \"^a\" flag \"qi\" && !(@ == 1))",
            "$?(@.\"c\" like_regex \"^a\" flag \"iq\" && !(@ == 1))",
        );
        check("$ ? ((@.a == 1) is unknown)", "$?((@.\"a\" == 1) is unknown)");
        check("1.50.type()", "(1.50).type()");
        check("-1", "-1");
        check("-$.a", "(-$.\"a\")");
        check("$var + $\"v x\" * -2", "($\"var\" + $\"v x\" * -2)");
        check("(1 + 2) * 3 - 4 - (5 - 6)", "(((1 + 2) * 3 - 4) - (5 - 6))");
        check(".5 + 1e3", "(0.5 + 1000)");
        check("$.type.size.True", "$.\"type\".\"size\".\"True\"");
        check("$.a /* c */ . b", "$.\"a\".\"b\"");
        check("($.a == 1).type()", "($.\"a\" == 1).type()");
        check(
            "$ ? (@ starts with \"a\" || @ starts with $x)",
            "$?(@ starts with \"a\" || @ starts with $\"x\")",
        );
        check("\"\\u0041\\n\\x41\\v\"", "\"A\\nA\\u000b\"");
        check("$[*, 1, $.n to last - 1]", "42601: syntax error at or near \",\" of jsonpath input");
        check("$[1, $.n to last - 1].*", "$[1,$.\"n\" to last - 1].*");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        check("", "22P02: invalid input syntax for type jsonpath: \"\"");
        check("$.", "42601: syntax error at end of jsonpath input");
        check("$.a b", "42601: syntax error at end of jsonpath input");
        check("@.a", "42601: @ is not allowed in root expressions");
        check("last", "42601: LAST is allowed only in array subscripts");
        check("1a", "42601: trailing junk after numeric literal at or near \"1a\" of jsonpath input");
        check("$.a.foo()", "42601: syntax error at or near \"(\" of jsonpath input");
        check("$ ? (@ like_regex \"a\" flag \"z\")", "42601: invalid input syntax for type jsonpath");
    }

    #[test]
    fn what_is_kept_says_the_same() {
        for text in [
            "($.a + $.b).abs() > 5",
            "$ ? ((@.a + @.b).abs() > 5)",
            "$[($.a + $.b).abs()]",
            "$ ? ((-@.a).abs() > 1)",
            "-((-$.a).abs() + (-$.b).abs() * 2)",
            "(!(1<2)).type()",
            "((1 < 2) is unknown).type()",
        ] {
            let expected = format!(
                "0A000: a path with accessors behind what stands in parentheses: `{text}` is not supported"
            );
            check(text, &expected);
        }
        check("($.a).b", "$.\"a\".\"b\"");
        check("$.a.abs()", "$.\"a\".abs()");
        check("($.a + $.b) > 5", "($.\"a\" + $.\"b\" > 5)");
        check("-$.a.b", "(-$.\"a\".\"b\")");
        check("-(-1).abs()", "(-(-1).abs())");
        check("- -$.a * -(1 + 2)", "(-(-$.\"a\") * -(1 + 2))");
        check("($.a + $.b).abs()", "($.\"a\" + $.\"b\").abs()");
        check("$ ? ((@.a == 1).type() == \"boolean\")", "$?((@.\"a\" == 1).type() == \"boolean\")");
        check("(-$.a).abs()", "(-$.\"a\").abs()");
        check(
            "!exists($.a) && (exists($.b)) is unknown",
            "(!(exists ($.\"a\")) && (exists ($.\"b\")) is unknown)",
        );
    }

    const DEEP: &str = "54001: stack depth limit exceeded";

    #[track_caller]
    fn check_depth(first: &str, more: &str, count_max: usize) {
        let path = |count: usize| format!("{first}{}", more.repeat(count));
        assert!(parse(&path(count_max)).is_ok(), "{more}");
        for count in [count_max + 1, 5_000, 200_000] {
            check(&path(count), DEEP);
        }
    }

    #[test]
    fn depth_is_bounded() {
        check_depth("1", "+1", 63);
        check_depth("1", "*1", 63);
        check_depth("1==1", "||1==1", 63);
        check_depth("1==1", "&&1==1", 63);
        check_depth("$", "[*]", 200);
        check_depth("$", ".**{0}", 200);
        check_depth("$", "?(1==1)", 200);
        check(&format!("{}1", "-".repeat(65)), DEEP);
        check(&format!("{}1{}", "(".repeat(65), ")".repeat(65)), DEEP);
        check(&format!("$.{}", "a".repeat(64 << 10)), DEEP);
    }

    /// The largest number of repetitions that is read.
    fn most(path: impl Fn(usize) -> String) -> usize {
        (1..=100).take_while(|count| parse(&path(*count)).is_ok()).last().unwrap_or(0)
    }

    #[test]
    fn depths_are_bounded_together() {
        let accessors = "[*]".repeat(50);
        assert_eq!(
            most(|count| format!("${}{}", format!("{accessors}?(@").repeat(count), "==1)".repeat(count))),
            4
        );
        let signs = "-".repeat(60);
        assert_eq!(
            most(|count| format!("{}$.a{}", format!("{signs}(1+").repeat(count), ")".repeat(count))),
            1
        );
        let sums = "+1".repeat(20);
        assert_eq!(most(|count| format!("{}$.a{}", "(".repeat(count), format!("{sums})").repeat(count))), 3);
    }
}
