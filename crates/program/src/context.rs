//! Where calls stand, in the words of PostgreSQL's `CONTEXT` (43.6.8): a line for each function, and one for each statement of a
//! function that something else runs in. Where its words depend on more than is known here, nobody is told anything.
//!
//! What is under way is noted as places in bodies; lines are made when somebody asks, or when an error passes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{Catalog, Function, Language};
use query::{Action, Query, Read, Write, visit};
use sql::ast::{QueryBody, StatementKind};
use sql::body::{Over, Rows, Step, StepKind};
use types::ty::format_type;
use types::{Code, Error, Name, Result, Span, Type};

use crate::plans::{Program, Text};

/// Why nothing is told of what a function of SQL leads to: PostgreSQL reads some in place of their calls, and plans some anew.
pub const OF_SQL: &str = "what a function of language sql computes";

/// What PostgreSQL places within the statement that is wrong, so that no line tells the statement.
const PLACED: &[Code] = &[
    Code::SYNTAX,
    Code::UNDEFINED_TABLE,
    Code::UNDEFINED_COLUMN,
    Code::UNDEFINED_FUNCTION,
    Code::UNDEFINED_PARAMETER,
    Code::DATATYPE_MISMATCH,
    Code::AMBIGUOUS_COLUMN,
    Code::AMBIGUOUS_FUNCTION,
    Code::DUPLICATE_COLUMN,
    Code::DUPLICATE_ALIAS,
    Code::GROUPING,
    Code::WINDOWING,
    Code::CANNOT_COERCE,
    Code::INDETERMINATE_TYPE,
    Code::INVALID_TEXT,
    Code::INVALID_DATETIME,
    Code::DATETIME_OVERFLOW,
    Code::NUMERIC_OUT_OF_RANGE,
];

/// An error of a statement that means nothing, with what is known of where that is said.
pub(crate) fn misread(error: Error) -> Error {
    match PLACED.contains(&error.code()) {
        true => error.placed(true),
        false => error.without_context("a statement that means nothing"),
    }
}

/// Everything that is under way in a transaction, the innermost last.
#[derive(Debug, Default)]
pub struct Stack {
    entries: Mutex<Vec<Entry>>,
    in_use: Arc<Mutex<BTreeSet<Expression>>>,
}

/// Where a body lies in memory, and an expression of it.
type Expression = (usize, usize);

#[derive(Clone, Debug)]
enum Entry {
    Call(Place),
    Untold(&'static str),
}

impl Stack {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_use(&self) -> MutexGuard<'_, BTreeSet<Expression>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The beginning of another one in the same transaction.
    #[must_use]
    pub fn turned(&self) -> Stack {
        Stack { entries: Mutex::default(), in_use: self.in_use.clone() }
    }

    /// Notes that an expression is computed, until [`Stack::computed`]; whether it already was. PostgreSQL then runs it as a
    /// statement, and does so for the rest of a transaction in which it has failed.
    pub(crate) fn compute(&self, expression: Expression) -> bool {
        !self.in_use().insert(expression)
    }

    /// An expression has been computed.
    pub(crate) fn computed(&self, expression: Expression) {
        self.in_use().remove(&expression);
    }

    /// Notes that a function has something run for it, until [`Stack::done`].
    pub(crate) fn begin(&self, place: Place) {
        self.entries().push(Entry::Call(place));
    }

    /// Notes that something is under way that PostgreSQL tells in words that are not known, until [`Stack::done`].
    pub fn begin_untold(&self, why: &'static str) {
        self.entries().push(Entry::Untold(why));
    }

    /// What was begun last is done.
    pub fn done(&self) {
        self.entries().pop();
    }

    /// The lines of an error, or of nothing yet, and of all that is under way around it.
    ///
    /// # Errors
    /// `0A000` where they cannot be told; `item` is what asks.
    pub(crate) fn told(&self, error: Error, item: &str) -> Result<String> {
        // PostgreSQL tells the line of the text that is none.
        let error = match error.message().starts_with("invalid input syntax for type json") {
            true => error.without_context("a text that is no JSON"),
            false => error,
        };
        let around = self.entries().clone();
        let error = around.iter().rev().fold(error, |error, entry| match entry {
            Entry::Call(place) => place.tell(error),
            Entry::Untold(why) => error.without_context(why),
        });
        let context = error.context();
        match &context.untold {
            Some(why) => Err(Error::missing(format!("{item} of {why}"))),
            None => Ok(context.lines.join("\n")),
        }
    }
}

/// Where a body stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Before its first statement, or behind its last one.
    Nowhere,
    /// At a statement.
    Step { span: Span, word: &'static str },
    /// Where a variable is declared.
    Declaration(u32),
    /// Where the value that is returned becomes one of the function's type.
    Returning,
    /// At a statement of `language sql`, from 1.
    Statement(usize),
    /// The error that is raised once more says it already.
    Told,
}

impl At {
    pub(crate) fn step(step: &Step) -> At {
        // Of statements of SQL PostgreSQL tells the comments behind them, too.
        let end = match &step.kind {
            StepKind::Assign { value, .. } => value.span.end,
            StepKind::Perform(query) => query.span.end,
            _ => step.span.end,
        };
        At::Step { span: Span::new(step.span.start, end), word: word(&step.kind) }
    }
}

/// What of a body is run or computed.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A statement, without its `into`.
    Statement { span: Span, into: Option<Span> },
    /// `perform`, which is a select.
    Perform(Span),
    /// An expression that asks for rows.
    Expression(Span),
    /// The same that is assigned.
    Assignment(Span),
    /// A text that was made.
    Made(Arc<str>),
    /// What PostgreSQL tells no line of.
    Nothing,
}

/// A body at a place, and what of it is run.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) program: Arc<Program>,
    pub(crate) at: At,
    pub(crate) said: Said,
}

impl Place {
    /// An error with the lines of this place.
    fn tell(&self, error: Error) -> Error {
        self.program.told.at(self.at, self.program.told.run(&self.said, error))
    }
}

/// What is told of a body.
#[derive(Debug)]
pub(crate) struct Told {
    /// Its name and what it takes, as the search path makes it say.
    name: String,
    text: Arc<str>,
    /// Whether PostgreSQL certainly calls it: always of PL/pgSQL, not always of SQL.
    is_called: bool,
}

impl Told {
    pub(crate) fn of(function: &Function, body: &Result<Text>, path: &[Arc<str>], catalog: &Catalog) -> Told {
        let (name, is_called) = match body {
            Ok(Text::Statements(statements)) => {
                (function.name.name.to_string(), is_called(function, statements))
            }
            Ok(Text::Block(_)) | Err(_) => (signature(function, path, catalog), true),
        };
        Told { name, text: function.body.clone(), is_called }
    }

    /// The name of a block that nobody can call.
    pub(crate) fn of_block(function: &Function) -> Told {
        Told { name: function.name.name.to_string(), text: function.body.clone(), is_called: true }
    }

    /// An error with the line of what of the body was run.
    pub(crate) fn run(&self, said: &Said, error: Error) -> Error {
        if error.context().is_placed {
            return error;
        }
        match said {
            Said::Statement { span, into } => error.within(line("statement", &self.statement(*span, *into))),
            Said::Perform(span) => {
                let text = self.statement(*span, None);
                let behind = text.get("perform".len()..).unwrap_or_default();
                error.within(line("statement", &format!("SELECT{behind}")))
            }
            Said::Expression(span) => error.within(line("expression", self.slice(*span))),
            Said::Assignment(span) => {
                error.within(format!("PL/pgSQL assignment \"{}\"", self.statement(*span, None)))
            }
            Said::Made(text) => error.within(line("statement", text)),
            Said::Nothing => error,
        }
    }

    /// An error with the line of the body at a place.
    pub(crate) fn at(&self, at: At, error: Error) -> Error {
        let error = error.placed(false);
        let name = &self.name;
        let of_function = |rest: String| format!("PL/pgSQL function {name}{rest}");
        let line = match at {
            At::Told => return error,
            At::Statement(number) if self.is_called => format!("SQL function \"{name}\" statement {number}"),
            At::Statement(_) => return error.without_context(OF_SQL),
            At::Nowhere => of_function(String::new()),
            At::Step { span, word } => {
                of_function(format!(" line {} at {word}", self.line(self.behind_label(span))))
            }
            At::Declaration(byte) => {
                let line = self.line(byte);
                of_function(format!(" line {line} during statement block local variable initialization"))
            }
            At::Returning => of_function(" while casting return value to function's return type".to_owned()),
        };
        error.within(line)
    }

    fn line(&self, byte: u32) -> usize {
        sql::line_column(&self.text, byte).0
    }

    /// Where the statement begins of one that may have a label.
    fn behind_label(&self, span: Span) -> u32 {
        let text = self.slice(span);
        let label = text.starts_with("<<").then(|| text.find(">>")).flatten();
        let Some(end) = label else { return span.start };
        let rest = without_space(&text[end + 2..]);
        span.end - u32::try_from(rest.len()).unwrap_or(0)
    }

    fn slice(&self, span: Span) -> &str {
        let place = |byte: u32| usize::try_from(byte).unwrap_or(usize::MAX);
        self.text.get(place(span.start)..place(span.end)).unwrap_or_default()
    }

    /// A statement, without the mark behind it; in the place of `into` there is space.
    fn statement(&self, span: Span, into: Option<Span>) -> String {
        let text = self.slice(span);
        let text = text.strip_suffix(';').unwrap_or(text);
        let gap =
            into.map(|into| (into.start.saturating_sub(span.start), into.end.saturating_sub(into.start)));
        let gap =
            gap.and_then(|(at, length)| Some((usize::try_from(at).ok()?, usize::try_from(length).ok()?)));
        let gap = gap.and_then(|(at, length)| Some((text.get(..at)?, length, text.get(at + length..)?)));
        let text = match gap {
            Some((before, length, behind)) => format!("{before}{}{behind}", " ".repeat(length)),
            None => text.to_owned(),
        };
        text.trim_end_matches(SPACE).to_owned()
    }
}

fn line(what: &str, text: &str) -> String {
    format!("SQL {what} \"{text}\"")
}

/// What PostgreSQL's scanner takes for space.
const SPACE: &[char] = &[' ', '\t', '\n', '\r', '\u{c}'];

/// What follows spaces and comments.
fn without_space(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(SPACE);
        let length = match rest {
            _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            _ => return rest,
        };
        rest = &rest[length..];
    }
}

/// The word for a kind of statement.
fn word(kind: &StepKind) -> &'static str {
    match kind {
        StepKind::Block(_) => "statement block",
        StepKind::Assign { .. } => "assignment",
        StepKind::If { .. } => "IF",
        StepKind::Case { .. } => "CASE",
        StepKind::Loop(found) => match &found.over {
            Over::Forever => "LOOP",
            Over::While(_) => "WHILE",
            Over::Range { .. } => "FOR with integer loop variable",
            Over::Rows { rows: Rows::Of { .. }, .. } => "FOR over SELECT rows",
            Over::Rows { rows: Rows::Dynamic(_), .. } => "FOR over EXECUTE statement",
            Over::Cursor { .. } => "FOR over cursor",
            Over::Array { .. } => "FOREACH over array",
        },
        StepKind::Leave { again: false, .. } => "EXIT",
        StepKind::Leave { again: true, .. } => "CONTINUE",
        StepKind::Return(_) => "RETURN",
        StepKind::ReturnNext(_) => "RETURN NEXT",
        StepKind::ReturnQuery(_) => "RETURN QUERY",
        StepKind::Raise(_) => "RAISE",
        StepKind::Assert { .. } => "ASSERT",
        StepKind::Statement { .. } => "SQL statement",
        StepKind::Perform(_) => "PERFORM",
        StepKind::Call(_) => "CALL",
        StepKind::Execute { .. } => "EXECUTE",
        StepKind::Diagnostics { stacked: false, .. } => "GET DIAGNOSTICS",
        StepKind::Diagnostics { stacked: true, .. } => "GET STACKED DIAGNOSTICS",
        StepKind::Open { .. } => "OPEN",
        StepKind::Fetch { into: Some(_), .. } => "FETCH",
        StepKind::Fetch { into: None, .. } => "MOVE",
        StepKind::Close(_) => "CLOSE",
        StepKind::Nothing => "NULL",
        StepKind::Refused(words) if words.starts_with("commit") => "COMMIT",
        StepKind::Refused(words) if words.starts_with("rollback") => "ROLLBACK",
        StepKind::Refused(_) => "SQL statement",
    }
}

/// A function's name and the types that it takes, with their schemas where the path does not find them.
fn signature(function: &Function, path: &[Arc<str>], catalog: &Catalog) -> String {
    let hides = |schema: &Arc<str>| {
        let name = Name::new(schema.clone(), function.name.name.clone());
        let mut known = catalog.functions.iter();
        known.any(|known| known.name == name && known.takes_as(function))
    };
    let is_visible = path.iter().find(|schema| hides(schema)) == Some(&function.name.schema);
    let types: Vec<String> = function
        .inputs()
        .map(|argument| match &argument.domain {
            Some(domain) => found(domain, path, catalog),
            None => type_name(&argument.ty, path, catalog),
        })
        .collect();
    format!("{}({})", qualified(&function.name, is_visible), types.join(","))
}

fn type_name(ty: &Type, path: &[Arc<str>], catalog: &Catalog) -> String {
    match ty {
        Type::Array(element) => format!("{}[]", type_name(element, path, catalog)),
        Type::Enum(declared) => found(&declared.name, path, catalog),
        Type::Composite(name) | Type::Opaque(name) if &*name.schema != "pg_catalog" => {
            found(name, path, catalog)
        }
        ty => format_type(ty, None),
    }
}

/// A type's name.
fn found(name: &Name, path: &[Arc<str>], catalog: &Catalog) -> String {
    let is_there = |schema: &&Arc<str>| {
        let name = Name::new((*schema).clone(), name.name.clone());
        catalog.table(&name).is_some() || catalog.types.contains_key(&name)
    };
    qualified(name, path.iter().find(is_there) == Some(&name.schema))
}

fn qualified(name: &Name, is_visible: bool) -> String {
    let own = sql::print::quote_ident(&name.name);
    if is_visible { own } else { format!("{}.{own}", sql::print::quote_ident(&name.schema)) }
}

/// Whether PostgreSQL certainly calls a function of `language sql`, and does not read it in place of the call.
fn is_called(function: &Function, statements: &[StatementKind]) -> bool {
    let [StatementKind::Query(query)] = statements else { return true };
    let reads = match &query.body {
        QueryBody::Select(select) => !select.from.is_empty() || query.with.is_some(),
        _ => true,
    };
    let is_set = function.returns_set;
    function.language == Language::Sql
        && (function.security_definer
            || !function.settings.is_empty()
            || (is_set && (function.strict || function.volatility == catalog::Volatility::Volatile))
            || (!is_set && reads))
}

/// Whether a function of `language sql` is read within a query.
pub(crate) fn reads_functions(query: &Query) -> bool {
    match query {
        Query::Read(read) => visit::reads_functions(read),
        Query::Write(write) => writes_by_any(write),
    }
}

fn writes_by_any(write: &Write) -> bool {
    let mut is_read = false;
    for expr in visit::action_expressions(&write.action) {
        visit::each_subquery(expr, &mut |read| is_read |= visit::reads_functions(read));
    }
    let inserted = match &write.action {
        Action::Insert(insert) => insert.read.as_ref(),
        Action::Update { .. } | Action::Delete { .. } => None,
    };
    let beside = write.beside.clone().map(Read::from);
    let reads = inserted.into_iter().chain(&beside).chain(&write.returning);
    is_read
        || reads.into_iter().any(visit::reads_functions)
        || write.before.iter().any(|part| writes_by_any(&part.write))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of the only statement of a body.
    #[track_caller]
    fn check(body: &str, expected: &str) {
        let read = sql::parse_body(body).unwrap();
        let [step] = &read.block.steps[..] else { panic!("{body}") };
        let told = Told { name: "f()".to_owned(), text: body.into(), is_called: true };
        let At::Step { span, .. } = At::step(step) else { panic!("{body}") };
        let said = match &step.kind {
            StepKind::Perform(_) => Said::Perform(span),
            StepKind::Assign { .. } => Said::Assignment(span),
            StepKind::Return(Some(expr)) => Said::Expression(expr.span),
            StepKind::Statement { into, .. } => {
                Said::Statement { span, into: into.as_ref().map(|into| into.span) }
            }
            _ => Said::Nothing,
        };
        let error = told.at(At::step(step), told.run(&said, Error::internal("x")));
        assert_eq!(error.context().lines.join("\n"), expected);
    }

    #[test]
    fn statements_are_told_as_they_are_written() {
        check(
            "begin\n  Perform  f(1) /* once */ -- more\n ;\nend",
            "SQL statement \"SELECT  f(1)\"\nPL/pgSQL function f() line 2 at PERFORM",
        );
        check(
            "begin x [1] := (f(2))  ; end",
            "PL/pgSQL assignment \"x [1] := (f(2))\"\nPL/pgSQL function f() line 1 at assignment",
        );
        check(
            "begin return ( (1) ) -- so\n; end",
            "SQL expression \"( (1) )\"\nPL/pgSQL function f() line 1 at RETURN",
        );
    }

    #[test]
    fn into_leaves_a_gap() {
        check(
            "begin select a into strict b from c; end",
            "SQL statement \"select a               from c\"\nPL/pgSQL function f() line 1 at SQL statement",
        );
        check(
            "begin insert into c values (1) returning a into b -- so\n; end",
            "SQL statement \"insert into c values (1) returning a\"\nPL/pgSQL function f() line 1 at SQL statement",
        );
    }

    #[test]
    fn a_loop_begins_behind_its_label() {
        check(
            "begin\n<<rows>>\n-- all\nfor i in 1..2 loop null; end loop; end",
            "PL/pgSQL function f() line 4 at FOR with integer loop variable",
        );
    }

    #[test]
    fn what_is_placed_in_its_statement_has_no_line_of_it() {
        let told = Told { name: "f()".to_owned(), text: "".into(), is_called: false };
        let said = Said::Made("select x".into());
        let of = |error: Error| told.at(At::Nowhere, told.run(&said, error)).context().lines.len();
        assert_eq!(of(misread(Error::new(Code::UNDEFINED_COLUMN, "x"))), 1);
        assert_eq!(of(Error::new(Code::UNDEFINED_COLUMN, "x")), 2);
        let error = told.at(At::Statement(1), Error::internal("x"));
        assert!(Stack::default().told(error, "PG_CONTEXT").is_err());
    }

    #[test]
    fn an_expression_that_failed_is_a_statement_from_then_on() {
        let stack = Stack::default();
        assert!(!stack.compute((1, 1)));
        stack.computed((1, 1));
        assert!(!stack.compute((1, 1)));
        assert!(stack.turned().compute((1, 1)));
    }
}
