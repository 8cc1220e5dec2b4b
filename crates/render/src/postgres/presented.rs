//! Rows that leave the engine as one document, and plans in their place.

use std::sync::Arc;

use catalog::Catalog;
use query::{
    Aggregation, CallArgument, EXPLAIN_OPTIONS, Explain, FunctionId, Presentation, Read, Source, SourceId,
};
use types::session::{REPLY_SETTINGS, Session};
use types::{Error, Result, Type};

use super::read::{Use, outputs, read};
use super::{Writer, names};
use crate::{Bindings, Command};

/// A read whose rows are given in some way.
///
/// # Errors
/// Those of [`read`].
pub fn presented(
    catalog: &Catalog,
    asked: &Read,
    presentation: &Presentation,
    bindings: &Bindings<'_>,
) -> Result<Command> {
    match presentation {
        Presentation::Rows | Presentation::WithTotal => read(catalog, asked, bindings),
        Presentation::Explained(explain) => explained(read(catalog, asked, bindings)?, explain),
        Presentation::Estimated => {
            let explain = Explain { json: true, options: Vec::new() };
            explained(read(catalog, asked, bindings)?, &explain)
        }
        Presentation::Features => whole(catalog, asked, bindings, FEATURES, Type::Text),
        Presentation::Aggregated(Aggregation { function, of, ty }) => {
            let rows = match of {
                Some(table) => format!("(ROW(n.*)::{})", names::qualified(table)),
                None => "n".to_owned(),
            };
            let value = format!("{}({rows})::{}", names::qualified(function), names::type_name(ty, None));
            whole(catalog, asked, bindings, &value, ty.clone())
        }
    }
}

/// `ST_AsGeoJSON` is found by the search path: its extension may live in any schema.
const FEATURES: &str = "pg_catalog.json_build_object('type', 'FeatureCollection', 'features', coalesce(pg_catalog.json_agg(ST_AsGeoJSON(n)::json), '[]'))::text";

/// A value made of all rows, and their number.
fn whole(catalog: &Catalog, asked: &Read, bindings: &Bindings<'_>, value: &str, ty: Type) -> Result<Command> {
    let mut writer = Writer::new(catalog, bindings);
    writer.push("SELECT ");
    writer.push(value);
    writer.push(", pg_catalog.count(*) FROM (");
    writer.read(asked, Use::Keys)?;
    writer.push(") AS n");
    Ok(writer.finish(Arc::from([("body".into(), ty), ("rows".into(), Type::Int8)])))
}

/// The rows of a call, and their number.
///
/// # Errors
/// Those of [`read`]; `XX000` for a read of anything else.
pub(super) fn counted(
    catalog: &Catalog,
    rows: &Read,
    total: &Read,
    bindings: &Bindings<'_>,
) -> Result<Command> {
    let (Some(call), Some(counted)) = (call_of(&rows.from), call_of(&total.from)) else {
        return Err(Error::internal("rows of no call were to be counted"));
    };
    let mut writer = Writer::new(catalog, bindings);
    writer.push("WITH called AS MATERIALIZED (SELECT * FROM ");
    writer.called(call.function, call.args)?;
    writer.push(") SELECT k.c0, r.* FROM (");
    // What else is called, of rows, is called for each of them.
    writer.called = Some(counted.id);
    writer.read(total, Use::Positions)?;
    writer.push(") AS k LEFT JOIN (SELECT true, w.* FROM (");
    writer.called = Some(call.id);
    writer.top(rows)?;
    writer.push(") AS w) AS r ON true");
    let command = writer.finish(outputs(&rows.outputs));
    Ok(Command { counts_changes: true, ..command })
}

/// The call that a read is of.
fn call_of(source: &Source) -> Option<Call<'_>> {
    match source {
        Source::Read { read, .. } => call_of(&read.from),
        Source::Call { id, function, args, .. } => Some(Call { id: *id, function: *function, args }),
        _ => None,
    }
}

/// A call of a function of the database.
struct Call<'r> {
    id: SourceId,
    function: FunctionId,
    args: &'r [CallArgument],
}

/// What tells how a command would run.
///
/// # Errors
/// `XX000` for an option that there is not.
pub fn explained(command: Command, explain: &Explain) -> Result<Command> {
    let mut options = vec![if explain.json { "FORMAT JSON" } else { "FORMAT TEXT" }];
    for asked in &explain.options {
        let known = EXPLAIN_OPTIONS.into_iter().find(|known| known == asked);
        options.push(known.ok_or_else(|| Error::internal("an unknown option of a plan"))?);
    }
    Ok(Command {
        text: format!("EXPLAIN ({}) {}", options.join(", "), command.text).into(),
        outputs: Arc::from([("plan".into(), Type::Text)]),
        counts_changes: false,
        ..command
    })
}

/// The settings by which functions say what the reply is. Read, then emptied: one transaction may answer several requests.
pub(super) fn said(session: &Session) -> Command {
    let setting = |name| {
        format!(
            "SELECT '{name}', pg_catalog.current_setting('{name}', true), pg_catalog.set_config('{name}', '', true)"
        )
    };
    let [status, headers] = REPLY_SETTINGS.map(setting);
    Command {
        text: format!("{status} UNION ALL {headers}").into(),
        parameters: Vec::new(),
        session: session.clone(),
        outputs: Arc::from([
            ("name".into(), Type::Text),
            ("value".into(), Type::Text),
            ("reset".into(), Type::Text),
        ]),
        counts_changes: false,
        calls: false,
    }
}
