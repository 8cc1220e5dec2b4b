//! Exclusion constraints: rows are held to them where they are written; here is what finds them soon, and what looks at rows that
//! were there before.

use catalog::{Catalog, Index, Table};
use query::model::ROW;
use query::{Compare, Expr, Form, JoinKind, Order, Output, Read, Source, SourceId, arbiters, resolve, visit};
use types::session::Session;
use types::{Code, Error, Result, Type, Value};

use super::foreign_key::target_of;
use super::{index, row_source};
use crate::Bindings;
use crate::schema::{KeyWords, Task, Test};
use crate::sqlite::read;

/// The other one of two rows.
const OTHER: SourceId = SourceId(1);

/// An index of the columns that are compared for equality, where there are any.
///
/// # Errors
/// What PostgreSQL refuses in such a constraint; what is missing here.
pub(super) fn helper(
    catalog: &Catalog,
    table: &Table,
    exclusion: &Index,
    session: &Session,
) -> Result<Vec<(String, String)>> {
    let (keys, others) = keys(catalog, table, exclusion)?;
    keys.iter().try_for_each(index::immutable)?;
    arbiters::excluding(catalog, exclusion, &keys, &others)?;
    let operated = exclusion.keys.iter().zip(&exclusion.excludes);
    let equal = operated.filter(|(key, operator)| &***operator == "=" && key.column.is_some());
    let helper = Index { keys: equal.map(|(key, _)| key.clone()).collect(), ..exclusion.clone() };
    if helper.keys.is_empty() {
        return Ok(Vec::new());
    }
    // Without it, rows are found all the same.
    Ok(index::stored(catalog, table, &helper, session).unwrap_or_default())
}

/// Looks for two rows that exclude each other.
pub(super) fn test(catalog: &Catalog, table: &Table, exclusion: &Index, session: &Session) -> Result<Task> {
    let (id, _) = target_of(catalog, &table.name)?;
    let (keys, others) = keys(catalog, table, exclusion)?;
    let mut conditions = arbiters::excluding(catalog, exclusion, &keys, &others)?;
    if let Some(predicate) = &exclusion.predicate {
        let predicate = resolve::row_condition(catalog, table, predicate)?;
        conditions.extend([of_other(&predicate), predicate]);
    }
    let stored = |source| Expr::Column { source, column: query::ROW_KEY, ty: Type::Int8 };
    conditions.push(Expr::test(Form::Compare(Compare::Ne), vec![stored(ROW), stored(OTHER)]));
    let key = |source| Order { expr: stored(source), descending: false, nulls_first: false };
    let output = |expr: &Expr| Output { name: "key".into(), expr: expr.clone() };
    let from = Source::Join {
        kind: JoinKind::Inner,
        left: Box::new(row_source(ROW, id)),
        right: Box::new(row_source(OTHER, id)),
        on: None,
    };
    let found = Read {
        filter: Expr::all(conditions),
        outputs: keys.iter().chain(&others).map(output).collect(),
        order: vec![key(ROW), key(OTHER)],
        limit: Some(Expr::Const { value: Value::Int(1), ty: Type::Int8 }),
        ..Read::from(from)
    };
    let caller = query::Caller::role("postgres");
    let bindings = Bindings { caller: &caller, session, parameters: &[], written: &[], given: &[] };
    let words: Option<Vec<String>> = keys.iter().map(|key| arbiters::key_words(table, key)).collect();
    let message = format!("could not create exclusion constraint \"{}\"", exclusion.name);
    Ok(Task::Refuse(Box::new(Test {
        command: read(catalog, &found, &bindings)?,
        error: Error::new(Code::EXCLUSION_VIOLATION, message),
        key: words.map(|words| KeyWords {
            columns: words.join(", "),
            after: "conflicts with key".to_owned(),
            of_two: true,
        }),
    })))
}

/// The keys of one row and of another.
fn keys(catalog: &Catalog, table: &Table, exclusion: &Index) -> Result<(Vec<Expr>, Vec<Expr>)> {
    let keys = exclusion.keys.iter().map(|key| resolve::row_value(catalog, table, &key.expr));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let others = keys.iter().map(of_other).collect();
    Ok((keys, others))
}

fn of_other(expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    visit::deep_mut(&mut expr, &mut |inner| {
        if let Expr::Column { source, .. } = inner
            && *source == ROW
        {
            *source = OTHER;
        }
    });
    expr
}
