//! `check`: everything that can be said of a project without opening its data.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use engine::migrate::File;
use query::Model;
use types::{Error, Result};

use super::summary::{exposure, is_own, list};
use super::{complaints, say, warn};
use crate::app;
use crate::complaint::Severity;
use crate::project::{Project, Strictness};
use crate::settings::Environment;

/// Says it.
///
/// # Errors
/// When the project has errors, or is none.
pub(super) fn run(dir: &Path, strict: bool, environment: &Environment) -> Result<()> {
    let strictness = if strict { Strictness::Strict } else { Strictness::Lenient };
    let project = Project::read(dir, environment, strictness)?;
    warn(&complaints(&project));
    say(&report(&project)?);
    project.check()
}

/// The report, without the complaints.
fn report(project: &Project) -> Result<String> {
    let model = Arc::new(project.model());
    let review = app::review(&project.settings, &model)?;
    let words = |(what, error): (String, Error)| match error.hint() {
        Some(hint) => format!("{what}: {} ({hint})", error.message()),
        None => format!("{what}: {}", error.message()),
    };
    let settings = project.without_effect.iter().map(|(path, line)| format!("{path} (line {line})"));
    // What a PostgreSQL server runs, it says itself.
    let (closed, resting) = match project.settings.is_postgres() {
        true => (Vec::new(), Vec::new()),
        false => (model.refused().into_iter().map(words).collect(), project.catalog.report()),
    };
    Ok([
        exposure(&project.catalog),
        list("Closed, because it could not be compiled", closed),
        list("In functions and blocks, and fails when it is reached", programs(project, &model)),
        list("Not to be stored by this engine", review.refused.into_iter().map(words).collect()),
        list("Left out by this engine, without any answer being another", review.left_out),
        list("Declared and not running in this version", resting),
        list("Statements that are passed over", passed(project)),
        list("Settings that are accepted without effect", settings.collect()),
        list("Not settings, although their names look like it", project.strangers.clone()),
        list("Not read", project.unread.clone()),
        format!("{}\n", count(project)),
    ]
    .concat())
}

/// Statements of functions that cannot run, with their places in the project's files.
fn programs(project: &Project, model: &Arc<Model>) -> Vec<String> {
    if project.settings.is_postgres() {
        return Vec::new();
    }
    let refused = program::refused(model);
    let mut bodies = HashMap::new();
    let mut said = |refusal: &program::Refusal| {
        let function = project.catalog.functions.get(refusal.function.0)?;
        // Functions of our own system run by themselves.
        let body = *bodies.entry(refusal.function.0).or_insert_with(|| found(project, &function.body));
        let place = place(body?, refusal.at);
        Some(format!("{place} {}: {}", function.signature(), refusal.error.message()))
    };
    let refused: Vec<String> = refused.iter().filter_map(&mut said).collect();
    refused.into_iter().chain(project.doubts.iter().cloned()).collect()
}

/// The file that a body stands in, and where it begins there.
fn found<'p>(project: &'p Project, body: &str) -> Option<(&'p File, usize)> {
    let mut files = project.sources.schema.iter().rev().filter(|_| !body.is_empty());
    files.find_map(|file| Some((file, file.text.rfind(body)?)))
}

/// File and line of a byte of a body.
fn place((file, start): (&File, usize), at: u32) -> String {
    let offset = u32::try_from(start).unwrap_or(u32::MAX).saturating_add(at);
    let (line, _) = sql::line_column(&file.text, offset);
    format!("{}:{line}", file.name)
}

/// Statements that a lenient start passes over, with their places.
fn passed(project: &Project) -> Vec<String> {
    let warnings = project.complaints.iter().filter(|said| said.severity == Severity::Warning);
    let of_sql = warnings.filter(|said| said.code.is_some());
    of_sql.map(|said| format!("{}:{}: {}", said.file.path.display(), said.place().0, said.message)).collect()
}

fn count(project: &Project) -> String {
    let refused = project.complaints.iter().filter(|said| said.code.is_some()).count();
    let accepted = project.statements.saturating_sub(refused);
    let statements = format!("{accepted} of {} statements accepted", project.statements);
    let errors = project.errors().count();
    let warnings = project.complaints.len() - errors;
    let tables = project.catalog.tables.iter().filter(|table| is_own(table)).count();
    format!("{tables} tables and views, {statements}, {errors} errors, {warnings} warnings.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn checked(schema: &str, config: &str) -> String {
        let folder = Folder::of(&[("schema.sql", schema), ("config.toml", config)]);
        report(&Project::read(folder.path(), &Environment::default(), Strictness::Lenient).unwrap()).unwrap()
    }

    #[test]
    fn a_report_says_who_reaches_what() {
        let text = checked(
            "create table closed (id int);
             create table guarded (id int);
             alter table guarded enable row level security;
             create policy p on guarded for select using (true);
             create table granted (id int);
             grant select on granted to anon;
             create view seen with (security_invoker) as select id from guarded;",
            "",
        );
        for line in [
            "  public.closed   table  no row-level security             nobody",
            "  public.granted  table  NO ROW-LEVEL SECURITY             anon",
            "  public.guarded  table  row-level security, 1 policy      anon, authenticated",
            "  public.seen     view   as the caller                     anon, authenticated",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(
            text.ends_with("4 tables and views, 7 of 7 statements accepted, 0 errors, 0 warnings.\n"),
            "{text}"
        );
    }

    #[test]
    fn a_statement_of_a_function_is_named_with_its_place() {
        let text = checked(
            "create table t (id int);
             create function f() returns int language plpgsql as $$
             declare n int;
             begin
               select id into n from t;
               select nothing into n from t;
               return n;
             end $$;",
            "",
        );
        let said = "schema.sql:6 public.f(): column \"nothing\" does not exist";
        assert!(text.contains(said), "{text}");
    }

    #[test]
    fn what_does_not_run_is_named() {
        let text = checked(
            "create function f() returns trigger language plperl as $$ return; $$;",
            "[db]\nport = 1\n",
        );
        assert!(text.contains("Declared and not running in this version:\n  function "), "{text}");
        assert!(text.contains("Settings that are accepted without effect:\n  db.port (line 2)\n"), "{text}");
    }
}
