//! What PostgreSQL 15 says of the same statements.

use crate::testing::{catalog, refusal, table};

const BASE: &str = "
    create table t (id int, k int, d date, v text not null, primary key (id, k)) partition by list (k);
    create table t1 partition of t for values in (1, 2);
    create table tn partition of t for values in (null, 5);
    create table x (a int, b int) partition by range (a, b);
    create table x1 partition of x for values from (minvalue, minvalue) to (10, 5);
    create table x2 partition of x for values from (10, 5) to (10, maxvalue);
    create table xd partition of x default;
    create table h (a int) partition by hash (a);
    create table h1 partition of h for values with (modulus 4, remainder 1);
    create table h6 partition of h for values with (modulus 8, remainder 6);
    create table v (a int);";

#[track_caller]
fn refused(statement: &str, code: &str, message: &str) {
    let error = refusal(&format!("{BASE}\n{statement};"));
    assert_eq!((error.code().name(), error.message()), (code, message), "{statement}");
}

#[test]
fn bounds_are_held_to_each_other() {
    for (statement, code, message) in [
        (
            "create table x3 partition of x for values from (10,8) to (11,1)",
            "42P17",
            "partition \"x3\" would overlap partition \"x2\"",
        ),
        (
            "create table x4 partition of x for values from (13,0) to (12,0)",
            "42P17",
            "empty range bound specified for partition \"x4\"",
        ),
        (
            "create table xe partition of x default",
            "42P17",
            "partition \"xe\" conflicts with existing default partition \"xd\"",
        ),
        (
            "create table tz partition of t for values in (2, 8)",
            "42P17",
            "partition \"tz\" would overlap partition \"t1\"",
        ),
        (
            "create table tz partition of t for values in (1.5)",
            "42P17",
            "partition \"tz\" would overlap partition \"t1\"",
        ),
        (
            "create table tz partition of t for values in ('x')",
            "22P02",
            "invalid input syntax for type integer: \"x\"",
        ),
        (
            "create table tz partition of t for values from (1) to (2)",
            "42P16",
            "invalid bound specification for a list partition",
        ),
        ("create table tz partition of v for values in (1)", "42P17", "\"v\" is not partitioned"),
        (
            "create table h2 partition of h for values with (modulus 6, remainder 3)",
            "42P17",
            "every hash partition modulus must be a factor of the next larger modulus",
        ),
        (
            "create table h2 partition of h for values with (modulus 16, remainder 18)",
            "42P16",
            "remainder for hash partition must be less than modulus",
        ),
        (
            "create table h2 partition of h for values with (modulus 16, remainder 14)",
            "42P17",
            "partition \"h2\" would overlap partition \"h6\"",
        ),
        (
            "create table h2 partition of h default",
            "42P16",
            "a hash-partitioned table may not have a default partition",
        ),
    ] {
        refused(statement, code, message);
    }
}

#[test]
fn keys_hold_across_partitions() {
    let unique = "unique constraint on partitioned table must include all partitioning columns";
    for statement in [
        "create table u (a int primary key, b int) partition by list (b)",
        "create table u (a int unique, b int) partition by list (b)",
        "create unique index on t (v)",
        "create table t3 partition of t for values in (3) partition by range (d)",
    ] {
        refused(statement, "0A000", unique);
    }
    for (statement, code, message) in [
        (
            "create table u (a int) partition by list (c)",
            "42703",
            "column \"c\" named in partition key does not exist",
        ),
        (
            "create table u (a int, b int) partition by list (a, b)",
            "42P17",
            "cannot use \"list\" partition strategy with more than one column",
        ),
        (
            "create table u (a int) partition by foo (a)",
            "22023",
            "unrecognized partitioning strategy \"foo\"",
        ),
        (
            "create table u (a json) partition by list (a)",
            "42704",
            "data type json has no default operator class for access method \"btree\"",
        ),
    ] {
        refused(statement, code, message);
    }
}

#[test]
fn columns_are_those_of_the_table() {
    for (statement, code, message) in [
        ("alter table t1 add column zz int", "42809", "cannot add column to a partition"),
        ("alter table t1 drop column v", "42P16", "cannot drop inherited column \"v\""),
        ("alter table t1 rename column v to w", "42P16", "cannot rename inherited column \"v\""),
        ("alter table t1 alter column v type varchar", "42P16", "cannot alter inherited column \"v\""),
        (
            "alter table t drop column k",
            "42P16",
            "cannot drop column \"k\" because it is part of the partition key of relation \"t\"",
        ),
        (
            "alter table t alter column k type bigint",
            "42P16",
            "cannot alter column \"k\" because it is part of the partition key of relation \"t\"",
        ),
        (
            "alter table x attach partition v for values from (20,1) to (21,1)",
            "42804",
            "child table is missing column \"b\"",
        ),
        ("alter table x detach partition v", "42P01", "relation \"v\" is not a partition of relation \"x\""),
    ] {
        refused(statement, code, message);
    }
    let changed = catalog(&format!(
        "{BASE} alter table t add column w int; alter table t rename column v to text; alter table t drop column d; alter table t rename to s;"
    ));
    let names = |name: &str| {
        table(&changed, name).columns.iter().map(|column| column.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("t1"), ["id", "k", "text", "w"]);
    assert_eq!(names("t1"), names("s"));
}

#[test]
fn bounds_print_as_in_postgresql() {
    let made = catalog(&format!("{BASE} create table n (a bigint, b numeric, c date, d boolean, e int) partition by range (a, b, c, e);
        create table n1 partition of n for values from (-1, 1.50, '2024-01-01', -3) to (5, 7, maxvalue, maxvalue);
        create table b (d boolean) partition by list (d); create table bt partition of b for values in (true, null);"));
    for (name, text) in [
        ("t1", "FOR VALUES IN (1, 2)"),
        ("tn", "FOR VALUES IN (NULL, 5)"),
        ("x1", "FOR VALUES FROM (MINVALUE, MINVALUE) TO (10, 5)"),
        ("x2", "FOR VALUES FROM (10, 5) TO (10, MAXVALUE)"),
        ("xd", "DEFAULT"),
        ("h6", "FOR VALUES WITH (modulus 8, remainder 6)"),
        ("n1", "FOR VALUES FROM ('-1', 1.50, '2024-01-01', '-3') TO ('5', '7', MAXVALUE, MAXVALUE)"),
        ("bt", "FOR VALUES IN (true, NULL)"),
    ] {
        assert_eq!(
            table(&made, name).partition.as_ref().map(|own| own.bound.text()).as_deref(),
            Some(text),
            "{name}"
        );
    }
}
