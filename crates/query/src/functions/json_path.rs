//! Functions and operators of `jsonpath` (PostgreSQL 9.16.2).

mod evaluate;

use types::json::{DEPTH_MAX, Json, parse};
use types::session::Session;
use types::{Code, Error, Result, Value};

use super::arguments::text;
use super::sets::{Columns, SetFunction, single};
use super::{Context, Function, Ty};
use evaluate::{Asked, Outcome};

const B: Ty = Ty::Jsonb;
const P: Ty = Ty::Jsonpath;

pub(super) static ROWS: &[Function] = &[
    Function::operator("@?", &[B, P], Ty::Bool, |_, a| exists(a, Wants { is_silent: true, ..Wants::PLAIN }))
        .stable(),
    Function::operator("@@", &[B, P], Ty::Bool, |_, a| is_true(a, Wants { is_silent: true, ..Wants::PLAIN }))
        .stable(),
    Function::new("jsonb_path_exists", &[B, P, B, Ty::Bool], Ty::Bool, |_, a| exists(a, Wants::PLAIN))
        .optional(2),
    Function::new("jsonb_path_exists_tz", &[B, P, B, Ty::Bool], Ty::Bool, |c, a| exists(a, Wants::zoned(c)))
        .optional(2)
        .stable(),
    Function::new("jsonb_path_match", &[B, P, B, Ty::Bool], Ty::Bool, |_, a| is_true(a, Wants::PLAIN))
        .optional(2),
    Function::new("jsonb_path_match_tz", &[B, P, B, Ty::Bool], Ty::Bool, |c, a| is_true(a, Wants::zoned(c)))
        .optional(2)
        .stable(),
    Function::new("jsonb_path_query_array", &[B, P, B, Ty::Bool], B, |_, a| all(a, Wants::PLAIN)).optional(2),
    Function::new("jsonb_path_query_array_tz", &[B, P, B, Ty::Bool], B, |c, a| all(a, Wants::zoned(c)))
        .optional(2)
        .stable(),
    Function::new("jsonb_path_query_first", &[B, P, B, Ty::Bool], B, |_, a| first(a, Wants::PLAIN))
        .optional(2),
    Function::new("jsonb_path_query_first_tz", &[B, P, B, Ty::Bool], B, |c, a| first(a, Wants::zoned(c)))
        .optional(2)
        .stable(),
];

pub(super) static SETS: &[SetFunction] = &[
    SetFunction::new("jsonb_path_query", &[B, P, B, Ty::Bool], Columns::One(B), |_, a| rows(a, Wants::PLAIN))
        .optional(2),
    SetFunction::new("jsonb_path_query_tz", &[B, P, B, Ty::Bool], Columns::One(B), |c, a| {
        rows(a, Wants::zoned(c.context))
    })
    .optional(2),
];

/// What is asked of a path.
#[derive(Clone, Copy)]
struct Wants<'a> {
    /// The items, not only whether there are any.
    items: bool,
    /// Errors are nothing.
    is_silent: bool,
    /// Whose zone may be used.
    zone: Option<&'a Session>,
}

impl<'a> Wants<'a> {
    const PLAIN: Wants<'static> = Wants { items: true, is_silent: false, zone: None };

    fn zoned(context: &Context<'a>) -> Wants<'a> {
        Wants { zone: Some(context.session), ..Wants::PLAIN }
    }
}

/// What a path finds in a document.
fn found(arguments: &[Value], wants: Wants<'_>) -> Result<Outcome> {
    let document = parse(text(arguments, 0)?, DEPTH_MAX)?;
    let path = types::jsonpath::parse(text(arguments, 1)?)?;
    let variables = match arguments.get(2) {
        Some(Value::Text(variables)) => parse(variables, DEPTH_MAX)?,
        _ => Json::Object(Vec::new()),
    };
    if !matches!(variables, Json::Object(_)) {
        return Err(super::arguments::invalid("\"vars\" argument is not an object")
            .with_details("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object."));
    }
    let is_silent = wants.is_silent || matches!(arguments.get(3), Some(Value::Bool(true)));
    let zone = wants.zone;
    Asked { path: &path, document: &document, variables: &variables, is_silent, zone }.answer(wants.items)
}

fn exists(arguments: &[Value], wants: Wants<'_>) -> Result<Value> {
    Ok(match found(arguments, Wants { items: false, ..wants })? {
        Outcome::Failed(_) => Value::Null,
        Outcome::Found(_) => Value::Bool(true),
        Outcome::Nothing => Value::Bool(false),
    })
}

fn items(arguments: &[Value], wants: Wants<'_>) -> Result<Vec<Json>> {
    Ok(match found(arguments, wants)? {
        Outcome::Nothing => Vec::new(),
        Outcome::Failed(items) | Outcome::Found(items) => items,
    })
}

fn is_true(arguments: &[Value], wants: Wants<'_>) -> Result<Value> {
    match &items(arguments, wants)?[..] {
        [Json::Bool(value)] => Ok(Value::Bool(*value)),
        [Json::Null] => Ok(Value::Null),
        _ if wants.is_silent || matches!(arguments.get(3), Some(Value::Bool(true))) => Ok(Value::Null),
        _ => Err(Error::new(Code::JSON_SINGLETON, "single boolean result is expected")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of an iterator")]
fn shown(item: Json) -> Value {
    Value::text(item.spaced())
}

fn all(arguments: &[Value], wants: Wants<'_>) -> Result<Value> {
    items(arguments, wants).map(|items| shown(Json::Array(items)))
}

fn first(arguments: &[Value], wants: Wants<'_>) -> Result<Value> {
    Ok(items(arguments, wants)?.into_iter().next().map_or(Value::Null, shown))
}

fn rows(arguments: &[Value], wants: Wants<'_>) -> Result<Vec<Vec<Value>>> {
    Ok(single(items(arguments, wants)?.into_iter().map(shown)))
}

#[cfg(test)]
mod tests {
    use super::super::around::spent;
    use super::*;

    fn query(document: &str, path: &str, is_silent: bool) -> String {
        let arguments = [document, path, "{}"].map(|text| Value::text(text.to_owned()));
        let arguments: Vec<Value> = arguments.into_iter().chain([Value::Bool(is_silent)]).collect();
        match all(&arguments, Wants::PLAIN) {
            Ok(Value::Text(text)) => text.to_string(),
            Ok(_) => "null".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check(document: &str, path: &str, expected: &str) {
        assert_eq!(query(document, path, false), expected, "{path}");
    }

    /// Also where errors of the path are none.
    #[track_caller]
    fn check_refused(document: &str, path: &str, expected: &str) {
        check(document, path, expected);
        assert_eq!(query(document, path, true), expected, "{path}");
    }

    fn zeros(count: usize) -> String {
        format!("[{}0]", "0,".repeat(count - 1))
    }

    #[test]
    fn the_highest_paths_are_followed() {
        check("1", &format!("${}", "[*]".repeat(200)), "[1]");
        check("1", &format!("${}", ".**{0}".repeat(200)), "[1]");
        check("1", &format!("$.type(){}", "?(1 == 1)".repeat(199)), "[\"number\"]");
        check("1", &format!("1{}", " + 1".repeat(63)), "[64]");
        check("1", &format!("$ ? (1 == 2{})", " || 1 == 1".repeat(63)), "[1]");
        let deep = format!("{}1{}", "[".repeat(399), "]".repeat(399));
        check(&deep, &format!("$.**{{last}}{}", ".**{0}".repeat(199)), "[1]");
        let sums = "+1".repeat(20);
        check("1", &format!("{}$.size(){}", "(".repeat(3), format!("{sums})").repeat(3)), "[61]");
        let accessors = "[*]".repeat(48);
        let filters = format!("{accessors} ? (@").repeat(4);
        check("1", &format!("${filters}{}", " == 1)".repeat(4)), "[1]");
    }

    #[test]
    fn time_is_looked_at() {
        let many = zeros(200);
        for path in ["$[*]", "$.**", "$ ? (@[*] == $[*] + 1)", "strict $ ? (exists (@.**))", "$[*] ? (@ > 1)"]
        {
            let _around = spent(true);
            let said = "57014: canceling statement due to statement timeout";
            check_refused(&format!("[{many},{many}]"), path, said);
        }
        let _around = spent(true);
        let pairs = format!("{{\"a\":{},\"b\":{}}}", zeros(40), zeros(40));
        check_refused(&pairs, "$ ? (@.a[*] > @.b[*])", "57014: canceling statement due to statement timeout");
    }

    #[test]
    fn what_is_found_is_bounded() {
        let large = format!("{{\"text\":\"{}\",\"many\":{}}}", "x".repeat(1 << 20), zeros(200));
        let bytes = "54000: a value of more than 134217728 bytes";
        let all = vec!["0"; 200].join(",");
        check_refused(&large, &format!("$.text[{all}]"), bytes);
        check_refused(&large, &format!("$ ? (@.text[{all}] == \"x\")"), bytes);
        // Operands that are looked at one after another are not kept.
        check(&large, "$.many[*] ? ($.text == \"x\")", "[]");
        check(&large, "($.text.type() == \"string\").type()", "[\"boolean\"]");
    }

    #[test]
    fn numbers_do_not_overflow() {
        let overflow = "22003: value overflows numeric format";
        check("1e100000", "$ * $", overflow);
        assert_eq!(query("1e100000", "$ * $", true), "[]");
        check("1e131071", "$ * 9 + $", overflow);
        check("1e100000", "($ * 0) == 0", "[true]");
    }

    #[test]
    fn dates_are_read_and_compared() {
        check("\"2024-2-3\"", "$.datetime()", "[\"2024-02-03\"]");
        check("\"10:30:00.5 +02\"", "$.datetime()", "[\"10:30:00.5+02:00\"]");
        check("\"2024-02-03\"", "$.datetime()[0].type()", "[\"date\"]");
        check("\"03.02.2024\"", "$.datetime(\"DD.MM.YYYY\") < \"2024-02-04\".datetime()", "[true]");
        check("\"2024-02-03\"", "$.datetime() == $", "[null]");
        check("\"2024-02-03\"", "$.datetime() != null", "[true]");
        let unknown = "22031: datetime format is not recognized: \"soon\"";
        check("\"soon\"", "$.datetime()", unknown);
        assert_eq!(query("\"soon\"", "$.datetime()", true), "[]");
        check("5", "$.datetime()", "22031: jsonpath item method .datetime() can only be applied to a string");
        // A wrong template is an error of whoever wrote it.
        check_refused("\"1\"", "$.datetime(\"x\")", "22007: invalid datetime format separator: \"x\"");
        let zone = "0A000: cannot convert value from date to timestamptz without time zone usage";
        check_refused("\"2024-02-03 00:00:00+00\"", "$.datetime() == \"2024-02-03\".datetime()", zone);
    }
}
