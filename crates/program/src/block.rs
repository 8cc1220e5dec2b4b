//! `do`: a block without a name, as a function that nobody can call (PostgreSQL's `DO`).

use std::sync::Arc;

use catalog::{Acl, Function, Language, Volatility};
use sql::ast::StatementKind;
use sql::body::{Over, Rows, Step, StepKind};
use types::{Error, Name, Result, Type};

use crate::host::Host;
use crate::interpret::Frame;
use crate::plans::Program;

/// The name that errors give it.
const NAME: &str = "inline_code_block";

/// Runs the body of a `do` block.
///
/// # Errors
/// What it raises; `42601` for a body that is not understood.
pub async fn block(host: &mut dyn Host, body: &str) -> Result<()> {
    let function = anonymous(body);
    let environment = crate::call::environment(host, &function, Vec::new())?;
    let program = Arc::new(Program::of_block(&function, host.path().clone()));
    host.check()?;
    host.enter()?;
    let outcome = Frame::new(&program, &function, environment, host).run().await;
    host.leave();
    outcome.map(drop)
}

/// The function that a block is while it runs.
pub(crate) fn anonymous(body: &str) -> Function {
    Function {
        name: Name::new("pg_catalog", NAME),
        arguments: Vec::new(),
        returns: Type::Void,
        domain: None,
        returns_set: false,
        returns_trigger: false,
        procedure: false,
        language: Language::PlPgSql,
        body: body.into(),
        statements: Default::default(),
        volatility: Volatility::Volatile,
        strict: false,
        security_definer: false,
        settings: Vec::new(),
        rows: None,
        acl: Acl::default(),
        owner: "postgres".into(),
        comment: None,
    }
}

/// What the body of a block does, as far as its text says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// It may declare something: a statement about the schema stands in it, or one whose text is made when it runs.
    pub declares: bool,
    /// A statement about the schema stands in it.
    pub names_schema: bool,
    /// It asks how many rows its last statement was about.
    pub counts_rows: bool,
}

/// What a body does.
///
/// # Errors
/// `42601` for one that is not understood.
pub fn traits(body: &str) -> Result<Traits> {
    let read =
        sql::parse_body(body).map_err(|complaint| Error::new(types::Code::SYNTAX, complaint.message))?;
    let mut traits = Traits { counts_rows: has_word(body, "found"), ..Traits::default() };
    read.block.bodies().into_iter().for_each(|steps| of_steps(steps, &mut traits));
    Ok(traits)
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|part| part.eq_ignore_ascii_case(word))
}

fn of_steps(steps: &[Step], traits: &mut Traits) {
    for step in steps {
        step.bodies().into_iter().for_each(|steps| of_steps(steps, traits));
        let is_made_when_run = match &step.kind {
            StepKind::Loop(found) => matches!(&found.over, Over::Rows { rows: Rows::Dynamic(_), .. }),
            kind => matches!(kind, StepKind::Execute { .. }),
        };
        traits.names_schema |=
            matches!(&step.kind, StepKind::Statement { statement, .. } if declares(statement));
        traits.declares |= traits.names_schema || is_made_when_run;
        traits.counts_rows |= matches!(&step.kind, StepKind::Diagnostics { stacked: false, .. });
    }
}

/// Whether a statement is about the schema.
fn declares(statement: &StatementKind) -> bool {
    !matches!(
        statement,
        StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Truncate { .. }
            | StatementKind::Refresh { .. }
            | StatementKind::Set { .. }
            | StatementKind::SetConstraints { .. }
            | StatementKind::Reset(_)
            | StatementKind::Lock { .. }
            | StatementKind::Notify { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, declares: bool, counts_rows: bool) {
        let found = traits(body).unwrap();
        assert_eq!((found.declares, found.counts_rows), (declares, counts_rows), "{body}");
    }

    #[test]
    fn what_a_block_does_is_read_from_its_text() {
        check("begin insert into t values (1); perform f(); end", false, false);
        check("begin if exists (select from t) then create table u (); end if; end", true, false);
        check("declare r record; begin for r in select 1 loop execute 'x'; end loop; end", true, false);
        check("begin update t set a = 1; if found then raise notice 'x'; end if; end", false, true);
        check("declare n int; begin delete from t; get diagnostics n = row_count; end", false, true);
        check("begin null; exception when others then drop table t; end", true, false);
        let named = |body: &str| traits(body).unwrap().names_schema;
        assert!(named("begin drop table t; end") && !named("begin execute 'drop table t'; end"));
        assert!(traits("begin nonsense").is_err());
    }
}
