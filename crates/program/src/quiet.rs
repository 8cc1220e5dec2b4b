//! A body without what nobody but a reader of its notices would miss: whoever only asks what a body declares need not know what
//! rows say to a notice.

use sql::ast::{Expr, Query, QueryBody, StatementKind};
use sql::body::{Block, Into, Level, Loop, Over, Raised, Rows, Step, StepKind, Target};
use types::{Code, Error, Result, Span};

/// How often what became useless is looked for again.
const ROUNDS_MAX: usize = 8;

/// The text of a body in which steps without any effect are blanks: notices, what is looked up for them alone, and conditions and
/// loops that lead to nothing else. `is_declared` says of a word whether it may be a function of somebody's: what calls one has
/// effects.
///
/// # Errors
/// `42601` for one that is not understood.
pub fn quiet(body: &str, is_declared: &dyn Fn(&str) -> bool) -> Result<String> {
    let mut text = body.to_owned();
    for _ in 0..ROUNDS_MAX {
        let read = sql::parse_body(&text).map_err(|complaint| Error::new(Code::SYNTAX, complaint.message))?;
        let mut search = Search { text: &text, is_declared, names: Vec::new(), found: Vec::new() };
        search.declarations(&read.block);
        read.block.bodies().into_iter().for_each(|steps| search.steps(steps));
        let found = search.found;
        if found.is_empty() {
            break;
        }
        found.into_iter().for_each(|span| text = blanked(&text, span));
    }
    Ok(text)
}

/// A text in which everything between two places is blank.
fn blanked(text: &str, span: Span) -> String {
    let is_in = |at: usize| (span.start as usize..span.end as usize).contains(&at);
    let blank = |(at, c): (usize, char)| match is_in(at) && c != '\n' {
        true => " ".repeat(c.len_utf8()),
        false => c.to_string(),
    };
    text.char_indices().map(blank).collect()
}

/// A walk for steps without effect.
struct Search<'t> {
    text: &'t str,
    is_declared: &'t dyn Fn(&str) -> bool,
    /// Where variables are declared.
    names: Vec<Span>,
    found: Vec<Span>,
}

impl Search<'_> {
    fn declarations(&mut self, block: &Block) {
        for declaration in &block.declarations {
            let start = declaration.span.start;
            let length = u32::try_from(declaration.name.len()).unwrap_or(u32::MAX);
            self.names.push(Span::new(start, start.saturating_add(length)));
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            // What stands there for nothing is not found again.
            if !matches!(step.kind, StepKind::Nothing) && self.is_without_effect(step) {
                self.found.push(step.span);
                continue;
            }
            if let StepKind::Block(block) = &step.kind {
                self.declarations(block);
            }
            step.bodies().into_iter().for_each(|steps| self.steps(steps));
        }
    }

    fn is_without_effect(&self, step: &Step) -> bool {
        let all = |steps: &[Step]| steps.iter().all(|step| self.is_without_effect(step));
        match &step.kind {
            StepKind::Nothing => true,
            StepKind::Raise(raise) => {
                let args = match &raise.what {
                    Raised::Message(_, args) => &args[..],
                    Raised::Condition(_) | Raised::State(_) | Raised::Nothing => &[],
                };
                let values = args.iter().chain(raise.options.iter().map(|(_, value)| value));
                raise.level != Level::Exception && values.into_iter().all(|value| self.is_plain(value))
            }
            StepKind::If { branches, otherwise } => {
                branches.iter().all(|(condition, steps)| self.is_plain(condition) && all(steps))
                    && all(otherwise)
            }
            StepKind::Loop(found) => self.is_plain_loop(found, step.span) && all(&found.steps),
            StepKind::Diagnostics { stacked: false, items } => {
                items.iter().all(|(target, _)| self.is_unused(target, step.span))
            }
            StepKind::Assign { target, value } => self.is_plain(value) && self.is_unused(target, step.span),
            StepKind::Statement { statement, into: Some(into) } => {
                !into.strict && self.is_plain_statement(statement) && self.are_unused(into, step.span)
            }
            StepKind::Block(_)
            | StepKind::Case { .. }
            | StepKind::Leave { .. }
            | StepKind::Return(_)
            | StepKind::ReturnNext(_)
            | StepKind::ReturnQuery(_)
            | StepKind::Assert { .. }
            | StepKind::Statement { into: None, .. }
            | StepKind::Perform(_)
            | StepKind::Call(_)
            | StepKind::Execute { .. }
            | StepKind::Diagnostics { stacked: true, .. }
            | StepKind::Open { .. }
            | StepKind::Fetch { .. }
            | StepKind::Close(_)
            | StepKind::Refused(_) => false,
        }
    }

    /// Whether a loop ends by itself and looks things up at most.
    fn is_plain_loop(&self, found: &Loop, step: Span) -> bool {
        match &found.over {
            Over::Rows { rows: Rows::Of { statement, .. }, targets } => {
                self.is_plain_statement(statement)
                    && targets.iter().all(|target| self.is_unused(target, step))
            }
            Over::Range { low, high, step, .. } => {
                [Some(low), Some(high), step.as_ref()].into_iter().flatten().all(|bound| self.is_plain(bound))
            }
            Over::Rows { rows: Rows::Dynamic(_), .. }
            | Over::Forever
            | Over::While(_)
            | Over::Cursor { .. }
            | Over::Array { .. } => false,
        }
    }

    fn is_plain_statement(&self, statement: &StatementKind) -> bool {
        let StatementKind::Query(query) = statement else { return false };
        is_only_read(query) && self.calls_nothing(&sql::print::query(query))
    }

    fn is_plain(&self, expr: &Expr) -> bool {
        self.calls_nothing(&sql::print::expr(expr))
    }

    /// Whether a text names no function that may do something.
    fn calls_nothing(&self, text: &str) -> bool {
        !words(text)
            .any(|word| ["nextval", "setval", "set_config"].contains(&word) || (self.is_declared)(word))
    }

    fn are_unused(&self, into: &Into, step: Span) -> bool {
        let says_found = words(&self.elsewhere(step)).any(|word| word == "found");
        !says_found && into.targets.iter().all(|target| self.is_unused(target, step))
    }

    /// Whether a variable is named nowhere but where it is declared and in one step.
    fn is_unused(&self, target: &Target, step: Span) -> bool {
        match &target.name[..] {
            [name] if target.parts.is_empty() && target.parameter.is_none() => {
                !words(&self.elsewhere(step)).any(|word| *word == *name)
            }
            _ => false,
        }
    }

    /// The text without one step, and without the names that are declared.
    fn elsewhere(&self, step: Span) -> String {
        let blanks = self.names.iter().chain([&step]);
        blanks.fold(self.text.to_owned(), |text, span| blanked(&text, *span)).to_lowercase()
    }
}

fn is_only_read(query: &Query) -> bool {
    query.with.is_none() && query.locking.is_empty() && matches!(query.body, QueryBody::Select(_))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps that are left, on one line.
    #[track_caller]
    fn check(body: &str, left: &str) {
        let text = quiet(&format!("declare n int; begin {body} end"), &|word| word == "f").unwrap();
        let (_, steps) = text.split_once("begin").unwrap();
        let steps: Vec<&str> = steps.trim_end_matches("end").split_whitespace().collect();
        assert_eq!(steps.join(" "), left, "{body}");
    }

    #[test]
    fn what_only_says_something_goes() {
        check("raise notice 'x %', n;", "");
        check("if n > 0 then raise notice 'x'; end if; delete from t;", "delete from t;");
        check(
            "delete from t; get diagnostics n = row_count; if n > 0 then raise notice '%', n; end if;",
            "delete from t;",
        );
        check("select count(*) into n from t; raise notice '%', n; drop table t;", "drop table t;");
        check("n := (select count(*) from t); raise warning '%', n;", "");
        check("for n in 1..3 loop raise notice '%', n; end loop;", "");
    }

    #[test]
    fn what_does_something_stays() {
        let stays = |body: &str| check(body, body);
        stays("raise exception 'x';");
        stays("raise notice '%', f();");
        stays("if n > 0 then drop table t; end if;");
        check("if f(n) then raise notice 'x'; end if;", "if f(n) then end if;");
        stays("select count(*) into n from t; if n > 0 then drop table t; end if;");
        stays("select a into n from t; if found then drop table t; end if;");
        stays("select a into strict n from t;");
        stays("select f() into n;");
        stays("delete from t; get diagnostics n = row_count; insert into u values (n);");
        check("loop exit when f(n); raise notice 'x'; end loop;", "loop exit when f(n); end loop;");
    }
}
