//! Partitions that come, go and stay: what becomes of their rows.

use super::migrations::{check, refused};

const BASE: &str = "
    create table log (id int not null, at int, v text default 'none', primary key (id, at)) partition by range (at);
    create table log_low partition of log for values from (0) to (10);
    create table log_high partition of log for values from (10) to (20) partition by list (id);
    create table log_high_1 partition of log_high for values in (1, 2);
    create table log_high_rest partition of log_high default;
    create table log_rest partition of log default;
    create table other (id int not null, at int not null, v text default 'none');
    insert into log values (1, 5, 'a'), (1, 15, 'b'), (7, 15, 'c'), (1, 99, 'd'), (2, 6, 'e');
    insert into other values (8, 30, 'f'), (9, 31, 'g');";

/// What is left of the rows of tables after a change.
#[track_caller]
fn left(change: &str, tables: &[&str]) -> Vec<String> {
    let fixture = check(BASE, change);
    let texts = |table: &&str| {
        let rows = fixture.rows(&format!("SELECT v FROM \"public.{table}\" ORDER BY rowid"));
        rows.into_iter().flatten().collect::<String>()
    };
    tables.iter().map(texts).collect()
}

#[test]
fn rows_go_with_their_partition() {
    assert_eq!(left("drop table log_low", &["log"]), ["bcd"]);
    assert_eq!(left("drop table log_high", &["log"]), ["ade"]);
    assert_eq!(left("drop table log_high_rest", &["log"]), ["abde"]);
    assert_eq!(left("alter table log detach partition log_low; drop table log_low", &["log"]), ["bcd"]);
    assert_eq!(left("drop table log", &["other"]), ["fg"]);
    let error = refused(BASE, "drop table log");
    assert!(error.contains("would lose stored data"), "{error}");
}

#[test]
fn rows_stay_with_a_partition_that_is_detached() {
    assert_eq!(left("alter table log detach partition log_low", &["log", "log_low"]), ["bcd", "ae"]);
    assert_eq!(left("alter table log detach partition log_high", &["log", "log_high"]), ["ade", "bc"]);
    assert_eq!(
        left("alter table log_high detach partition log_high_1", &["log", "log_high_1"]),
        ["acde", "b"]
    );
    let change =
        "alter table log detach partition log_high; alter table log_high detach partition log_high_1";
    assert_eq!(left(change, &["log", "log_high", "log_high_1"]), ["ade", "c", "b"]);
    let change = "alter table log detach partition log_high; drop table log_high_1";
    assert_eq!(left(change, &["log", "log_high"]), ["ade", "c"]);
    let change = "alter table log rename to logs; alter table logs rename column at to moment;
        alter table logs add column more int; alter table logs detach partition log_low;
        alter table log_low rename to lower; alter table lower drop column id";
    assert_eq!(left(change, &["logs", "lower"]), ["bcd", "ae"]);
}

#[test]
fn rows_come_with_a_table_that_is_attached() {
    let attach = "alter table log attach partition other for values from (30) to (40)";
    assert_eq!(left(attach, &["log"]), ["abcdefg"]);
    let change = format!("alter table log rename to logs; {}", attach.replace("table log", "table logs"));
    assert_eq!(left(&change, &["logs"]), ["abcdefg"]);
    let change = "alter table other rename to kept; create table other (id int, at int not null, v text) partition by range (at);
        alter table kept alter column id drop not null; alter table kept alter column v drop default;
        alter table other attach partition kept for values from (minvalue) to (maxvalue)";
    assert_eq!(left(change, &["other", "log"]), ["fg", "abcde"]);
    let change = "alter table log detach partition log_low; alter table log attach partition log_low for values from (0) to (7)";
    assert_eq!(left(change, &["log"]), ["bcdae"]);
}

#[test]
fn rows_that_do_not_belong_are_refused() {
    let attach =
        |from: u8| format!("alter table log attach partition other for values from ({from}) to (40)");
    assert!(
        refused(BASE, &attach(31))
            .contains("partition constraint of relation \"other\" is violated by some row")
    );
    let taken =
        "updated partition constraint for default partition \"log_rest\" would be violated by some row";
    let create = "create table log_99 partition of log for values from (99) to (100)";
    assert!(refused(BASE, create).contains(taken));
    let create = "create table log_high_7 partition of log_high for values in (7)";
    assert!(refused(BASE, create).contains("default partition \"log_high_rest\" would be violated"));
}
