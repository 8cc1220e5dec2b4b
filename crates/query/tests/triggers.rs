//! Which writes fire triggers, there or wherever foreign keys carry them on.

use std::sync::Arc;

use catalog::{ColumnId, TableId};
use query::triggers::{Operation, fires_any};
use query::{Model, resolve};
use types::Name;

const SCHEMA: &str = "
    create table grandparents (id int primary key, name text, code text unique);
    create table parents (id int primary key, of_id int references grandparents on delete cascade on update cascade);
    create table children (
        id int primary key, of_id int references parents on delete set null, code text references grandparents (code) on update cascade,
        note text
    );
    create table alone (id int primary key, of_id int references grandparents on delete restrict);
    create function noted() returns trigger language plpgsql as 'begin return new; end';
    create trigger noted after update of of_id, code on children for each row execute function noted();
    create table sleeping (id int);
    create trigger noted after insert on sleeping for each row execute function noted();
    alter table sleeping disable trigger noted;";

fn model() -> Model {
    let (statements, complaints) = sql::parse(SCHEMA);
    assert!(complaints.is_empty(), "{complaints:?}");
    let mut builder = catalog::Builder::new(catalog::builtin(), &resolve::Views);
    statements.iter().for_each(|statement| assert!(builder.apply(statement).is_ok(), "{statement:?}"));
    Model::new(Arc::new(builder.finish()))
}

fn id_of(model: &Model, table: &str) -> TableId {
    let found = model.catalog.table(&Name::new("public", table));
    found.map_or(TableId(u32::MAX), |(id, _)| id)
}

/// `columns` of an update; `insert`, `delete`.
#[track_caller]
fn check(table: &str, operation: &str, expected: bool) {
    let model = model();
    let id = id_of(&model, table);
    let column = |name: &str| model.catalog[id].column(name).map_or(ColumnId(u16::MAX), |(id, _)| id);
    let operation = match operation {
        "insert" => Operation::Insert,
        "delete" => Operation::Delete,
        columns => Operation::Update(columns.split(' ').map(column).collect()),
    };
    assert_eq!(fires_any(&model, id, &operation), expected, "{operation:?} of {table}");
}

#[test]
fn a_write_fires_the_triggers_of_its_table() {
    check("children", "of_id", true);
    check("children", "note code", true);
    check("children", "note", false);
    check("children", "insert", false);
    check("children", "delete", false);
}

#[test]
fn a_write_fires_triggers_where_foreign_keys_carry_it() {
    check("parents", "delete", true);
    check("parents", "id", false);
    check("grandparents", "delete", true);
    check("grandparents", "code", true);
    check("grandparents", "id", false);
    check("grandparents", "name", false);
    check("grandparents", "insert", false);
}

#[test]
fn what_is_off_or_stops_carries_nothing() {
    check("sleeping", "insert", false);
    check("alone", "delete", false);
}
