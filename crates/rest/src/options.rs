//! `OPTIONS`: which methods a resource has.
//!
//! Said of the resource, not of the caller: what a view's definition allows is no secret, and whether this caller may do it
//! is for the request itself to find out.

pub(crate) mod origin;

use catalog::{Catalog, Table, TableId, Volatility};
use query::ir::{Expr, Read, Source};
use query::{Model, computes_of_rows};
use sql::ast::{TriggerEvent, TriggerTiming};
use types::{Code, Error, Name, Result};

use crate::media::Media;
use crate::request::Target;
use crate::respond::Reply;

/// Which writes a relation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writable {
    /// `insert`
    pub insert: bool,
    /// `update`
    pub update: bool,
    /// `delete`
    pub delete: bool,
}

impl Writable {
    const ALL: Writable = Writable { insert: true, update: true, delete: true };
    const NONE: Writable = Writable { insert: false, update: false, delete: false };

    fn or(self, other: Writable) -> Writable {
        Writable {
            insert: self.insert || other.insert,
            update: self.update || other.update,
            delete: self.delete || other.delete,
        }
    }
}

/// The answer to `OPTIONS`.
///
/// # Errors
/// `PGRST205` and `PGRST202` for what does not exist in the schema.
pub fn options(model: &Model, schema: &str, target: &Target) -> Result<Reply> {
    let allow = match target {
        Target::Root => "OPTIONS,GET,HEAD".to_owned(),
        Target::Table(name) => of_table(model, schema, name)?,
        Target::Function(name) => of_function(&model.catalog, schema, name)?.to_owned(),
    };
    // `Allow` is PostgREST's to the byte; that `QUERY` is taken is said in the header that its draft has for that.
    let is_read = *target != Target::Root && allow.contains("GET");
    let accepted = is_read.then(|| ("accept-query", Media::Form.to_string()));
    let headers = [("allow", allow)].into_iter().chain(accepted).collect();
    Ok(Reply { status: 200, headers, ..Reply::default() })
}

fn of_table(model: &Model, schema: &str, name: &str) -> Result<String> {
    let found = model.catalog.table(&Name::new(schema, name));
    let Some((id, _)) = found.filter(|(_, table)| table.partition.is_none()) else {
        let message = format!("Could not find the table '{schema}.{name}' in the schema cache");
        return Err(Error::new(Code::NO_TABLE, message));
    };
    let writable = writable(model, id);
    let mut allow = "OPTIONS,GET,HEAD".to_owned();
    for (method, has) in [
        (",POST", writable.insert),
        (",PUT", writable.insert && writable.update && !origin::key(model, id).is_empty()),
        (",PATCH", writable.update),
        (",DELETE", writable.delete),
    ] {
        allow.push_str(if has { method } else { "" });
    }
    Ok(allow)
}

/// `GET` runs a function in a read-only transaction: only where that can succeed.
fn of_function(catalog: &Catalog, schema: &str, name: &str) -> Result<&'static str> {
    let namesakes = || {
        catalog.functions.iter().filter(|found| *found.name.schema == *schema && *found.name.name == *name)
    };
    if namesakes().next().is_none() {
        let message =
            format!("Could not find the function {schema}.{name} without parameters in the schema cache");
        return Err(Error::new(Code::NO_FUNCTION, message));
    }
    let is_volatile = namesakes().all(|function| function.volatility == Volatility::Volatile);
    Ok(if is_volatile { "OPTIONS,POST" } else { "OPTIONS,GET,HEAD,POST" })
}

/// Which writes a relation takes: PostgreSQL's `pg_relation_is_updatable` with triggers.
pub fn writable(model: &Model, id: TableId) -> Writable {
    match &model[id].view {
        None if model.catalog[id].is_materialized() => Writable::NONE,
        None => Writable::ALL,
        Some(Ok(read)) => replaced(&model.catalog[id]).or(through(model, read)),
        Some(Err(_)) => replaced(&model.catalog[id]),
    }
}

/// What `instead of` triggers do.
fn replaced(view: &Table) -> Writable {
    let triggers = view.triggers.iter().map(|trigger| &trigger.statement);
    let events = || {
        let instead = triggers.clone().filter(|trigger| trigger.timing == TriggerTiming::InsteadOf);
        instead.flat_map(|trigger| &trigger.events)
    };
    Writable {
        insert: events().any(|event| *event == TriggerEvent::Insert),
        update: events().any(|event| matches!(event, TriggerEvent::Update(_))),
        delete: events().any(|event| *event == TriggerEvent::Delete),
    }
}

/// What a view passes on to the one relation that it reads (PostgreSQL, `CREATE VIEW`, Updatable Views).
fn through(model: &Model, read: &Read) -> Writable {
    let plain = read.group.is_empty()
        && read.having.is_none()
        && !read.distinct
        && read.limit.is_none()
        && read.offset.is_none()
        && read.with.is_empty()
        && !read.outputs.iter().any(|output| computes_of_rows(&output.expr));
    let base = match &read.from {
        Source::Table { table, .. } if plain && !model.catalog[*table].is_materialized() => Writable::ALL,
        Source::Read { view: Some(view), .. } if plain => writable(model, *view),
        _ => Writable::NONE,
    };
    let has_column = read.outputs.iter().any(|output| matches!(output.expr, Expr::Column { .. }));
    if has_column { base } else { Writable { delete: base.delete, ..Writable::NONE } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    const TABLES: &str = "create table t (id int primary key, a text, b int);
        create table u (a int);
        create view plain as select id, a from t where b > 0;
        create view again as select * from plain;
        create view computed as select a || 'x' as ax from t;
        create view grouped as select a, count(*) as n from t group by a;
        create view counted as select count(*) as n from t;
        create view few as select a from t limit 1;
        create view joined as select t.a from t join u on u.a = t.b;
        create view twice as select a, a as a2 from t;
        create view sub as select * from (select a from t) x;
        create view unique_a as select distinct a from t;
        create materialized view kept as select a from t;
        create function f() returns int language sql stable as 'select 1';
        create function g() returns int language sql as 'select 1';";

    fn allow(target: &Target) -> Result<String> {
        let reply = options(&model(TABLES), "public", target)?;
        Ok(reply.header("allow").unwrap_or_default().to_owned())
    }

    /// `pg_relation_is_updatable(…, true)` of PostgreSQL 15 for the same views.
    #[test]
    fn methods_follow_from_what_a_relation_takes() {
        let all = "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE";
        for (name, methods) in [
            ("t", all),
            ("u", "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
            ("plain", all),
            ("again", all),
            ("computed", "OPTIONS,GET,HEAD,DELETE"),
            ("grouped", "OPTIONS,GET,HEAD"),
            ("counted", "OPTIONS,GET,HEAD"),
            ("twice", "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
            ("sub", "OPTIONS,GET,HEAD"),
            ("few", "OPTIONS,GET,HEAD"),
            ("joined", "OPTIONS,GET,HEAD"),
            ("unique_a", "OPTIONS,GET,HEAD"),
            ("kept", "OPTIONS,GET,HEAD"),
        ] {
            assert_eq!(allow(&Target::Table(name.into())).unwrap(), methods, "{name}");
        }
    }

    #[test]
    fn functions_are_read_unless_volatile() {
        assert_eq!(allow(&Target::Function("f".into())).unwrap(), "OPTIONS,GET,HEAD,POST");
        assert_eq!(allow(&Target::Function("g".into())).unwrap(), "OPTIONS,POST");
        assert_eq!(allow(&Target::Root).unwrap(), "OPTIONS,GET,HEAD");
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        assert_eq!(allow(&Target::Table("x".into())).unwrap_err().code(), Code::NO_TABLE);
        assert_eq!(allow(&Target::Function("x".into())).unwrap_err().code(), Code::NO_FUNCTION);
    }
}
