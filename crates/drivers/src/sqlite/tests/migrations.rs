//! Changes of schemas with rows in them: what is kept, what is refused, and that the end is what a fresh database has.

use super::*;

/// Everything stored of a schema, in an order that does not depend on its history.
pub(super) fn shape(fixture: &Fixture) -> Vec<String> {
    let text = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'backplane.%' AND name NOT LIKE 'sqlite_%'";
    let mut shape: Vec<String> = fixture
        .rows(text)
        .into_iter()
        .map(|row| match &row[..] {
            [kind, name, text] if kind == "table" => format!("{name}: {}", sorted_parts(text).join("\n    ")),
            row => row.join(" "),
        })
        .collect();
    shape.sort();
    shape
}

/// The columns and constraints of `CREATE TABLE`, sorted.
fn sorted_parts(text: &str) -> Vec<String> {
    let (start, end) = (text.find('(').unwrap(), text.rfind(')').unwrap());
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted) = (0, false);
    for c in text[start + 1..end].chars() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 && !quoted {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(c);
        }
    }
    let mut parts: Vec<String> = parts.iter().map(|part| part.trim().to_owned()).collect();
    parts.sort();
    parts
}

/// Applies `first`, then `second` after it; the end is what both make at once.
#[track_caller]
pub(super) fn check(first: &str, second: &str) -> Fixture {
    let fixture = Fixture::new();
    fixture.apply(&migrations(&[("1.sql", first)])).unwrap();
    let both = migrations(&[("1.sql", first), ("2.sql", second)]);
    fixture.apply_with(&both, true).unwrap_or_else(|error| panic!("{second}: {error}"));
    let rows = |text: &str| {
        let (statements, _) = sql::parse(text);
        statements.iter().any(|statement| matches!(statement.kind, sql::ast::StatementKind::Insert(_)))
    };
    if !rows(second) {
        let fresh = Fixture::new();
        fresh.apply_with(&migrations(&[("1.sql", &format!("{first};\n{second}"))]), true).unwrap();
        assert_eq!(shape(&fixture), shape(&fresh), "{first}\n--\n{second}");
    }
    fixture
}

/// The error of `second`, after which everything is as before.
#[track_caller]
pub(super) fn refused(first: &str, second: &str) -> String {
    let fixture = Fixture::new();
    fixture.apply(&migrations(&[("1.sql", first)])).unwrap();
    let before = (shape(&fixture), dump(&fixture));
    let error = fixture.apply(&migrations(&[("1.sql", first), ("2.sql", second)])).unwrap_err();
    assert_eq!((shape(&fixture), dump(&fixture)), before, "{error}");
    let details = match error.details() {
        Some(types::error::Details::Text(text)) => format!(" / {text}"),
        _ => String::new(),
    };
    format!("{error}{details}")
}

/// All rows of all tables.
pub(super) fn dump(fixture: &Fixture) -> Vec<Vec<String>> {
    let tables = fixture.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    tables.iter().flat_map(|table| fixture.rows(&format!("SELECT * FROM \"{}\"", table[0]))).collect()
}

const BASE: &str = "
    create table p (id int primary key, label text unique);
    create table t (id int primary key, a int, b text, n numeric, p int references p);
    insert into p values (1, 'x'), (2, 'y');
    insert into t values (10, 1, 'one', 1.50, 1), (5, 2, 'two', 2, null), (7, 3, null, null, 2);";

#[test]
fn tables_and_columns_come_go_and_change_their_names() {
    for change in [
        "create table n (a int references t)",
        "drop table t",
        "alter table t rename to z",
        "alter table t rename column a to z",
        "alter table p rename column id to key",
        "alter table p rename to q",
        "alter table t add column c int",
        "alter table t drop column a",
        "alter table t drop column p",
        "alter table t rename a to c; alter table t rename b to a; alter table t rename c to b",
        "create schema s; alter table t set schema s",
        "create schema s; alter table p set schema s",
        "alter table t alter column a set default 1",
        "create policy p on t using (true)",
        "grant select on t to anon",
        "create view v as select a from t",
        "alter table t add constraint positive check (a > 0)",
        "alter table t drop constraint t_p_fkey; drop table p",
        "alter table t drop constraint t_pkey",
        "drop table t; drop table p; create table p (id int primary key)",
    ] {
        check(BASE, change);
    }
}

#[test]
fn rows_are_kept_in_their_order() {
    let all =
        [["10", "1", "one", "1.50", "1"], ["5", "2", "two", "2", "null"], ["7", "3", "null", "null", "2"]];
    for change in [
        "alter table t alter column a type bigint",
        "alter table t alter column id set not null; alter table t alter column a set not null",
        "alter table p rename to q; alter table q rename column id to key; alter table t alter column b set default ''",
        "alter table t drop constraint t_p_fkey; alter table t add foreign key (p) references p on delete cascade",
        "create index on t (a); create unique index on t (b)",
    ] {
        let fixture = check(BASE, change);
        assert_eq!(fixture.rows("SELECT id, a, b, n, p FROM \"public.t\" ORDER BY rowid"), all, "{change}");
    }
}

#[test]
fn new_columns_are_filled() {
    let fixture = check(
        BASE,
        "create sequence counts start 100 increment 10;
         alter table t add column c int not null default 7, add column d text default 'x' || lower('Y'),
           add column i bigint generated always as identity, add column s serial, add column k int default nextval('counts'),
           add column g text generated always as (upper(b) || '!') stored, add column u uuid default gen_random_uuid(),
           add column w timestamptz not null default now()",
    );
    assert_eq!(
        fixture.rows("SELECT id, c, d, i, s, k, g, w FROM \"public.t\" ORDER BY rowid"),
        [
            ["10", "7", "xy", "1", "1", "100", "ONE!", "800000000000000"],
            ["5", "7", "xy", "2", "2", "110", "TWO!", "800000000000000"],
            ["7", "7", "xy", "3", "3", "120", "null", "800000000000000"]
        ]
    );
    assert_eq!(fixture.rows("SELECT count(DISTINCT u) FROM \"public.t\""), [["3"]]);
    let counts = fixture.rows("SELECT name, value FROM \"backplane.sequences\" ORDER BY name");
    assert_eq!(counts, [["public.counts", "120"], ["public.t_i_seq", "3"], ["public.t_s_seq", "3"]]);
}

#[test]
fn a_check_that_calls_a_function_is_asked_of_what_is_there() {
    let base = "create table t (a int primary key, b text); insert into t values (1, 'here'), (2, '<b>');
        create function plain(words text) returns boolean language plpgsql as $$ begin return words !~ '[<>]'; end $$;";
    let added = "alter table t add column c text default 'none' check (plain(c)); alter table t add constraint known check (a > 1 or plain(b))";
    check(base, added);
    assert_eq!(
        refused(base, "alter table t add constraint plain check (plain(b))"),
        "23514: check constraint \"plain\" of relation \"t\" is violated by some row"
    );
}

#[test]
fn a_check_that_does_not_run_keeps_no_empty_table_from_being_made() {
    let check_of_size = "alter table t add constraint small check (pg_database_size('d') > a)";
    check("create table t (a int)", check_of_size);
    assert_eq!(
        refused("create table t (a int); insert into t values (1)", check_of_size),
        "0A000: pg_database_size() is not supported"
    );
}

#[test]
fn values_change_their_type() {
    let fixture = check(
        "create table t (a text, b int, c timestamptz, d text, e numeric);
         insert into t values ('12', 3, '2024-01-02 03:04:05+00', 'true', 1.5), (null, 4, null, null, null)",
        "alter table t alter column a type int using a::int + 1, alter column b type text, alter column c type date,
           alter column d type boolean using d::boolean, alter column e type int",
    );
    assert_eq!(
        fixture.rows("SELECT * FROM \"public.t\""),
        [["13", "3", "8767", "1", "2"], ["null", "4", "null", "null", "null"]]
    );
}

#[test]
fn what_rows_do_not_allow_is_refused_in_postgresqls_words() {
    for (change, wanted) in [
        (
            "alter table t add constraint small check (a < 3)",
            "23514: check constraint \"small\" of relation \"t\" is violated by some row",
        ),
        (
            "alter table t alter column b set not null",
            "23502: column \"b\" of relation \"t\" contains null values",
        ),
        (
            "alter table t add column c int not null",
            "23502: column \"c\" of relation \"t\" contains null values",
        ),
        (
            "alter table t add foreign key (a) references p",
            "23503: insert or update on table \"t\" violates foreign key constraint \"t_a_fkey\" / Key (a)=(3) is not present in table \"p\".",
        ),
        (
            "update t set a = 1; alter table t add unique (a)",
            "23505: could not create unique index \"t_a_key\" / Key (a)=(1) is duplicated.",
        ),
        (
            "update t set a = 1; alter table t add constraint apart exclude (a with =)",
            "23P01: could not create exclusion constraint \"apart\" / Key (a)=(1) conflicts with key (a)=(1).",
        ),
        (
            "alter table t alter column b type int using b::int",
            "22P02: invalid input syntax for type integer: \"one\"",
        ),
        (
            "alter table t alter column b type int",
            "42804: column \"b\" cannot be cast automatically to type integer",
        ),
        (
            "insert into t (id, p) values (1, 9)",
            "23503: insert or update on table \"t\" violates foreign key constraint \"t_p_fkey\" / Key (p)=(9) is not present in table \"p\".",
        ),
    ] {
        assert_eq!(refused(BASE, change), wanted, "{change}");
    }
}

#[test]
fn nothing_is_lost_without_permission() {
    for change in ["drop table t", "alter table t drop column a", "alter table t alter column n type int"] {
        let error = refused(BASE, change);
        assert!(error.starts_with("55000: the migration would lose stored data"), "{change}: {error}");
        assert!(error.contains("Loses: "), "{error}");
    }
    // An empty table has nothing to lose.
    let fixture = Fixture::new();
    let empty = "create table t (a int, b int)";
    fixture.apply(&migrations(&[("1.sql", empty)])).unwrap();
    fixture.apply(&migrations(&[("1.sql", empty), ("2.sql", "alter table t drop column a")])).unwrap();
    fixture
        .apply(&migrations(&[
            ("1.sql", empty),
            ("2.sql", "alter table t drop column a"),
            ("3.sql", "drop table t"),
        ]))
        .unwrap();
}

#[test]
fn what_files_put_in_is_theirs_to_take_away() {
    let fixture = Fixture::new();
    let first = "create table t (a int, b int); insert into t values (1, 2)";
    let again =
        "alter table t drop column b; alter table t rename to u; insert into u values (3); drop table u;
        create table t (c int); insert into t values (4)";
    fixture.apply(&migrations(&[("1.sql", first), ("2.sql", again)])).unwrap();
    assert_eq!(fixture.rows("SELECT c FROM \"public.t\""), [["4"]]);
    // What was there before is not, under whatever name.
    let renamed = "alter table t rename to u; insert into u values (5); drop table u";
    let error =
        fixture.apply(&migrations(&[("1.sql", first), ("2.sql", again), ("3.sql", renamed)])).unwrap_err();
    assert_eq!(error.message(), "the migration would lose stored data");
}

#[test]
fn what_is_made_beside_a_temporary_table_lasts() {
    let fixture = Fixture::new();
    let first = "create temporary table drawn as select 7 as n; create table lasting (n int);
        create function put() returns void language plpgsql as $$ begin insert into lasting select n from drawn; end $$;
        select put(); drop table drawn; revoke execute on function public.put() from public";
    let second = "insert into lasting values (8)";
    fixture.apply(&migrations(&[("1.sql", first), ("2.sql", second)])).unwrap();
    assert_eq!(fixture.rows("SELECT n FROM \"public.lasting\" ORDER BY n"), [["7"], ["8"]]);
}

#[test]
fn a_lenient_start_passes_over_what_refers_to_nothing_while_tables_are_made_anew() {
    let fixture = Fixture::new();
    let first = "create table p (id int primary key); create table t (id int, p int references p); insert into p values (1)";
    let second =
        "alter table t alter column id type bigint; insert into t values (1, 9); insert into t values (2, 1)";
    let sources = migrations(&[("1.sql", first), ("2.sql", second)]);
    assert_eq!(fixture.apply(&sources).unwrap_err().code(), types::Code::FOREIGN_KEY_VIOLATION);
    let lenient = migrate::Options { is_lenient: true, ..fixture.migration_options() };
    let applied = block(migrate::apply(&fixture.engine, &sources, &lenient)).unwrap();
    assert_eq!(applied.notes.len(), 1, "{:?}", applied.notes);
    assert_eq!(fixture.rows("SELECT id, p FROM \"public.t\""), [["2", "1"]]);
}

#[test]
fn labels_are_rewritten_and_missed() {
    let base = "create type mood as enum ('sad', 'ok', 'gone');
        create table t (m mood, l mood[]); insert into t values ('sad', '{ok,sad}'), ('ok', '{}')";
    let fixture =
        check(base, "alter type mood rename value 'sad' to 'blue'; alter type mood add value 'new'");
    assert_eq!(fixture.rows("SELECT m, l FROM \"public.t\""), [["blue", "[\"ok\",\"blue\"]"], ["ok", "[]"]]);
}

#[test]
fn a_declared_type_that_loses_a_label_looks_at_rows() {
    let fixture = Fixture::new();
    let schema = |labels: &str| {
        declared(&format!("create type mood as enum ({labels}); create table t (m mood, l mood[])"))
    };
    fixture.apply(&schema("'sad', 'ok', 'gone'")).unwrap();
    fixture.transact(&["INSERT INTO \"public.t\" VALUES ('sad', '[\"ok\"]')"]).unwrap();
    fixture.apply(&schema("'sad', 'ok'")).unwrap();
    let error = fixture.apply(&schema("'sad'")).unwrap_err();
    assert!(error.message().starts_with("column \"l\" of relation \"t\" holds a label"), "{error}");
}

#[test]
fn keys_compare_as_postgresql_compares() {
    let fixture = check(
        "",
        "create table t (n numeric unique, j jsonb unique, c char(5) unique, f float8 unique, e int, unique nulls not distinct (e));
         create table r (n numeric references t (n));
         insert into t values (1.0, '{\"a\": 1.0}', 'x', 'NaN', null)",
    );
    let insert = |values: &str| fixture.transact(&[&format!("INSERT INTO \"public.t\" VALUES ({values})")]);
    for values in [
        "'1.00', 'null', 'y', 1.0, 1",
        "'2', '{\"a\":1}', 'y', 1.0, 1",
        "'2', 'null', 'x    ', 1.0, 1",
        "'2', 'null', 'y', 'NaN', 1",
        "'2', 'null', 'y', 1.0, NULL",
    ] {
        assert_eq!(insert(values).unwrap_err().code(), types::Code::UNIQUE_VIOLATION, "{values}");
    }
    insert("'2', 'null', 'y', 1.0, 1").unwrap();
    fixture.transact(&["INSERT INTO \"public.r\" VALUES ('1.000')"]).unwrap();
}

#[test]
fn foreign_keys_act() {
    let base = "create table p (t int, id int, primary key (t, id));
        create table c (n int, t int default 1, a int default 0, foreign key (t, a) references p ACTION);
        insert into p values (1, 0), (1, 5), (2, 7); insert into c values (1, 1, 5), (2, 2, 7)";
    let end = |action: &str, statement: &str| {
        let fixture = Fixture::new();
        let base = base.replace("ACTION", action);
        fixture.apply(&migrations(&[("1.sql", &base)])).unwrap();
        let outcome = fixture.transact(&[statement]);
        let rows = fixture.rows("SELECT n, t, a FROM \"public.c\" ORDER BY n").concat().join(" ");
        outcome.map(|()| rows).map_err(|error| error.to_string())
    };
    let delete = "DELETE FROM \"public.p\" WHERE id = 5";
    let update = "UPDATE \"public.p\" SET id = 6 WHERE id = 5";
    assert_eq!(end("on delete cascade", delete).unwrap(), "2 2 7");
    assert_eq!(end("on delete set null", delete).unwrap(), "1 null null 2 2 7");
    assert_eq!(end("on delete set null (a)", delete).unwrap(), "1 1 null 2 2 7");
    assert_eq!(end("on delete set default", delete).unwrap(), "1 1 0 2 2 7");
    assert_eq!(end("on delete set default (a)", delete).unwrap(), "1 1 0 2 2 7");
    assert_eq!(end("on update cascade", update).unwrap(), "1 1 6 2 2 7");
    assert_eq!(end("on update set null", update).unwrap(), "1 null null 2 2 7");
    assert_eq!(end("on update set default", update).unwrap(), "1 1 0 2 2 7");
    for action in ["", "on delete restrict", "on update set null", "on delete set default (t)"] {
        let broken = end(action, "DELETE FROM \"public.p\" WHERE id = 7").unwrap_err();
        assert!(broken.starts_with("23503"), "{action}: {broken}");
    }
    let mixed = end("match full", "INSERT INTO \"public.c\" VALUES (3, 1, NULL)").unwrap_err();
    assert_eq!(
        mixed,
        "23503: insert or update on table \"c\" violates foreign key constraint \"c_t_a_fkey\""
    );
    end("match full", "INSERT INTO \"public.c\" VALUES (3, NULL, NULL)").unwrap();
    end("", "INSERT INTO \"public.c\" VALUES (3, 1, NULL)").unwrap();
}

#[test]
fn statements_about_rows_run_at_their_position() {
    let fixture = Fixture::new();
    let text = "create table t (a int, b int); insert into t values (1, 2); alter table t drop column b;
        alter table t add column c int default 5; update t set c = c + a; insert into t (a) values (9)";
    let applied = fixture.apply_with(&migrations(&[("1.sql", text)]), true).unwrap();
    assert_eq!(applied.rows, 3);
    assert_eq!(fixture.rows("SELECT a, c FROM \"public.t\""), [["1", "6"], ["9", "5"]]);
    let again = fixture.apply(&migrations(&[("1.sql", text)])).unwrap();
    assert!(again.steps.is_empty() && again.rows == 0);
}

#[test]
fn a_statement_that_fails_says_where_it_stands() {
    let text = "create table t (a int primary key, b int);\n\n-- one row\ninsert into t values (1, 2);\n  insert into\n    t values (1, 3);";
    let fixture = Fixture::new();
    let error = fixture.apply(&migrations(&[("1.sql", text)])).unwrap_err();
    assert_eq!((error.state(), error.hint()), ("23505", Some("It was raised at 1.sql:5.")));
    let options = migrate::Options { is_lenient: true, ..fixture.migration_options() };
    let applied = block(migrate::apply(&fixture.engine, &migrations(&[("1.sql", text)]), &options)).unwrap();
    assert!(
        applied.notes.iter().any(|note| note.starts_with("the statement at 1.sql:5 failed")),
        "{:?}",
        applied.notes
    );
    assert_eq!(fixture.rows("SELECT a, b FROM \"public.t\""), [["1", "2"]]);
}

#[test]
fn a_file_knows_what_sequences_gave_it() {
    let text = "create table t (id serial primary key, of bigint); insert into t (of) values (null);
        insert into t (of) values (currval('t_id_seq')), (lastval() + 10);
        select setval('t_id_seq', (select max(id) + 100 from t)), nextval(pg_get_serial_sequence('t', 'id'));
        insert into t (of) select currval('t_id_seq') from t where id = 1; insert into t (of) values (currval('t_id_seq'))";
    let fixture = Fixture::new();
    fixture.apply(&migrations(&[("1.sql", text)])).unwrap();
    let found = fixture.rows("SELECT id, of FROM \"public.t\"");
    assert_eq!(found, [["1", "null"], ["2", "1"], ["3", "12"], ["105", "104"], ["106", "106"]]);
    let more =
        fixture.apply(&migrations(&[("1.sql", text), ("2.sql", "select currval('t_id_seq')")])).unwrap_err();
    assert_eq!(more.message(), "currval of sequence \"t_id_seq\" is not yet defined in this session");
}

#[test]
fn seeds_empty_tables_and_set_sequences() {
    let fixture = Fixture::new();
    let schema = "create table p (id serial primary key, x int); create table c (p int references p);
        create sequence s increment 5; insert into p (x) values (1), (2); insert into c values (2)";
    let seed = "select pg_catalog.set_config('search_path', '', false); truncate public.p, public.c; insert into public.p (id, x) values (7, 7);
        select setval('public.p_id_seq', (select max(id) from public.p)); insert into public.p (x) values (8);
        alter sequence public.s restart with 50; select setval('public.p_id_seq', 20, false); insert into public.p (x) values (20), (21);
        insert into storage.buckets (id) values ('avatars')";
    let seeds = vec![File { name: "seed.sql".to_owned(), text: seed.into() }];
    let sources = Sources { seeds, ..migrations(&[("1.sql", schema)]) };
    let applied = fixture.apply(&sources).unwrap();
    assert_eq!(
        fixture.rows("SELECT id, x FROM \"public.p\""),
        [["7", "7"], ["8", "8"], ["20", "20"], ["21", "21"]]
    );
    assert_eq!(fixture.rows("SELECT count(*) FROM \"public.c\""), [["0"]]);
    let counts = fixture.rows("SELECT name, value FROM \"backplane.sequences\" ORDER BY name");
    // What is given is written ahead of its use; what is only set is written as it is.
    let ahead: i64 = counts[0][1].parse().unwrap();
    assert!(counts.len() == 2 && (21..=53).contains(&ahead), "{counts:?}");
    assert_eq!(counts[1], ["public.s", "50"]);
    assert!(
        applied.notes.iter().any(|note| note.contains("\"storage\".\"buckets\" did not run")),
        "{:?}",
        applied.notes
    );
    assert!(fixture.apply(&sources).unwrap().files.is_empty());
    let more = migrations(&[("1.sql", schema), ("2.sql", "truncate p")]);
    let error = fixture.apply(&more).unwrap_err();
    assert_eq!(error.message(), "cannot truncate a table referenced in a foreign key constraint");
    let more = migrations(&[("1.sql", schema), ("2.sql", "truncate p cascade")]);
    assert_eq!(fixture.apply(&more).unwrap().rows, 4);
}

#[test]
fn a_sequence_keeps_its_place_under_another_name_and_loses_it_when_it_is_dropped() {
    let base = "create table t (id serial, x int); insert into t (x) values (1), (2)";
    let renamed = "alter sequence t_id_seq rename to other; insert into t (x) values (3)";
    let fixture = check(base, renamed);
    assert_eq!(fixture.rows("SELECT id FROM \"public.t\""), [["1"], ["2"], ["3"]]);
    let again = "drop table t; create table t (id serial, x int); insert into t (x) values (3)";
    assert_eq!(check(base, again).rows("SELECT id FROM \"public.t\""), [["1"]]);
}

#[test]
fn foreign_keys_act_while_tables_are_made_anew() {
    let base = "create table p (id int primary key, up int references p on delete cascade);
        create table c (p int references p on delete cascade on update cascade, x int);
        create table n (p int references p on delete set null); create table d (p int default 9 references p on delete set default);
        insert into p values (1, null), (2, 1), (3, 2), (4, null), (6, null), (9, null);
        insert into c values (3, 30), (4, 40), (6, 60); insert into n values (3), (4); insert into d values (3), (4)";
    let fixture = check(
        base,
        "alter table c alter column x type bigint; delete from p where id = 1; update p set id = 66 where id = 6;
         insert into storage.buckets (id) values ('a')",
    );
    assert_eq!(fixture.rows("SELECT id FROM \"public.p\" ORDER BY id"), [["4"], ["9"], ["66"]]);
    assert_eq!(fixture.rows("SELECT p, x FROM \"public.c\" ORDER BY p"), [["4", "40"], ["66", "60"]]);
    assert_eq!(fixture.rows("SELECT p FROM \"public.n\""), [["null"], ["4"]]);
    assert_eq!(fixture.rows("SELECT p FROM \"public.d\""), [["9"], ["4"]]);
    assert_eq!(
        fixture.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"),
        [["public.d.d_p_fkey~delete"]]
    );
    let error = refused(base, "alter table c alter column x type bigint; update p set id = 7 where id = 4");
    assert!(error.starts_with("23503: "), "{error}");
}

#[test]
fn what_an_older_version_stored_is_put_right_and_what_a_newer_one_did_is_refused() {
    let fixture = Fixture::new();
    let sources = migrations(&[("1.sql", "create table t (a int); create index i on t (a)")]);
    fixture.apply(&sources).unwrap();
    let older = [
        "DELETE FROM \"backplane.ledger\" WHERE layer = 'format'",
        "DROP INDEX \"public.i\"",
        "CREATE INDEX \"public.i\" ON \"public.t\" (a + 1)",
    ];
    let before = shape(&fixture);
    fixture.transact(&older).unwrap();
    fixture.apply(&sources).unwrap();
    assert_eq!(shape(&fixture), before);
    fixture.transact(&["UPDATE \"backplane.ledger\" SET name = '999' WHERE layer = 'format'"]).unwrap();
    let error = fixture.apply(&sources).unwrap_err();
    assert_eq!(error.message(), "the database was made by a newer version of Backplane");
}

#[test]
fn history_cannot_be_changed() {
    let fixture = Fixture::new();
    let (a, b) = (("1_a.sql", "create table a (x int)"), ("3_b.sql", "create table b (x int)"));
    fixture.apply(&migrations(&[a, b])).unwrap();
    let error = fixture.apply(&migrations(&[a, ("2_c.sql", "create table c (x int)"), b])).unwrap_err();
    assert_eq!(error.message(), "migration 2_c.sql comes before 3_b.sql, which is applied already");
    let error = fixture.apply(&migrations(&[a])).unwrap_err();
    assert_eq!(error.message(), "migration 3_b.sql is applied, and the project has none of this name");
    let edited = ("1_a.sql", "create table a (x int, y int)");
    let next = ("4_d.sql", "alter table a add column z int");
    let applied = fixture.apply(&migrations(&[edited, b, next])).unwrap();
    assert_eq!(applied.files, ["4_d.sql"]);
    assert_eq!(applied.notes, ["migration 1_a.sql was edited after it was applied: the edit has no effect."]);
    assert_eq!(fixture.rows("SELECT name FROM pragma_table_info('public.a')"), [["x"], ["z"]]);
}

#[test]
fn a_declared_schema_follows_its_text() {
    let fixture = Fixture::new();
    fixture
        .apply(&declared("create table b (a int references a); create table a (id int primary key, x text);"))
        .unwrap();
    fixture
        .transact(&["INSERT INTO \"public.a\" VALUES (1, 'x')", "INSERT INTO \"public.b\" VALUES (1)"])
        .unwrap();
    let wanted = "create table a (id bigint primary key, x text not null, y int default 3); create table b (a bigint references a on delete cascade)";
    let applied = fixture.apply(&declared(wanted)).unwrap();
    assert!(!applied.steps.is_empty());
    assert_eq!(fixture.rows("SELECT id, x, y FROM \"public.a\""), [["1", "x", "3"]]);
    fixture.transact(&["DELETE FROM \"public.a\""]).unwrap();
    assert_eq!(fixture.rows("SELECT count(*) FROM \"public.b\""), [["0"]]);
    let fresh = Fixture::new();
    fresh.apply(&declared(wanted)).unwrap();
    assert_eq!(shape(&fixture), shape(&fresh));
}

#[test]
fn what_cannot_be_stored_is_refused_by_name() {
    for (schema, wanted) in [
        ("create table t ()", "0A000: table public.t without columns is not supported"),
        (
            "create table t (a int, \"A\" int)",
            "0A000: table public.t with columns \"a\" and \"A\", which differ only in case, is not supported",
        ),
        (
            "create table t (a numeric[] unique)",
            "0A000: unique index \"t_a_key\" over values of type numeric[] is not supported",
        ),
        (
            "create type price as (amount numeric); create table t (a price unique)",
            "0A000: unique index \"t_a_key\" over values of type price is not supported",
        ),
        (
            "create table p (id text primary key); create table t (a text default gen_random_uuid()::text references p on delete set default)",
            "0A000: SET DEFAULT of foreign key \"t_a_fkey\" while the default of column \"a\" is not a constant is not supported",
        ),
        (
            "create table t (a timestamptz); create unique index i on t ((a::date))",
            "42P17: functions in index expression must be marked IMMUTABLE",
        ),
        (
            "create schema backplane; create table backplane.t (a int)",
            "0A000: a table in a schema of the name \"backplane\" is not supported",
        ),
    ] {
        assert_eq!(refused("", schema), wanted, "{schema}");
    }
}

#[test]
fn names_that_differ_only_in_case() {
    let first = "create table \"Teams\" (\"Id\" int primary key, \"Title\" text); create index \"Titles\" on \"Teams\" (\"Title\"); \
         create table players (team int references \"Teams\" (\"Id\")); insert into \"Teams\" values (1, 'a')";
    let fixture = check(first, "alter table \"Teams\" rename to teams");
    assert_eq!(fixture.rows("SELECT * FROM \"public.teams\""), [["1", "a"]]);
    check(first, "alter table \"Teams\" rename column \"Title\" to title");
    check(first, "alter index \"Titles\" rename to titles");
    check(first, "drop table players; drop table \"Teams\"; create table teams (id int primary key)");
    check(first, "drop index \"Titles\"; create index titles on \"Teams\" (\"Title\")");
    let why = refused(first, "create table teams (id int)");
    assert_eq!(
        why,
        "0A000: tables public.Teams and public.teams, which differ only in case, is not supported"
    );
    let why = refused(first, "alter table players rename to teams");
    assert_eq!(
        why,
        "0A000: tables public.Teams and public.teams, which differ only in case, is not supported"
    );
}

#[test]
fn keys_that_are_deferrable_come_and_go() {
    let base = "create table t (a int, b int); insert into t values (1, 1), (1, 2), (null, 3), (null, 4);";
    let error = refused(base, "alter table t add unique (a) deferrable");
    assert_eq!(error, "23505: could not create unique index \"t_a_key\" / Key (a)=(1) is duplicated.");
    let error = refused(
        &format!("{base} delete from t where a = 1"),
        "alter table t add unique nulls not distinct (a) deferrable initially deferred",
    );
    assert_eq!(error, "23505: could not create unique index \"t_a_key\" / Key (a)=(null) is duplicated.");
    let fixture = check(base, "alter table t add primary key (b) deferrable; update t set b = b + 1");
    assert_eq!(fixture.rows("SELECT b FROM \"public.t\" ORDER BY b"), [["2"], ["3"], ["4"], ["5"]]);
    check(
        "create table t (a int unique deferrable); insert into t values (1), (2)",
        "alter table t drop constraint t_a_key, add unique (a); alter table t alter column a type bigint",
    );
    check(
        "create table t (a int unique); insert into t values (1), (2)",
        "alter table t drop constraint t_a_key, add unique (a) deferrable initially deferred; alter table t add c text",
    );
    let error = refused(
        "create table t (a int unique deferrable initially deferred)",
        "insert into t values (1); insert into t values (1); create table u (a int)",
    );
    assert!(error.starts_with("23505: duplicate key value"), "{error}");
}

#[test]
fn keys_that_are_deferrable_were_unique_indexes_of_older_versions() {
    let fixture = Fixture::new();
    let first = ("1.sql", "create table t (a int unique deferrable); insert into t values (1), (2)");
    fixture.apply(&migrations(&[first])).unwrap();
    let before = shape(&fixture);
    let older = [
        "DELETE FROM \"backplane.ledger\" WHERE layer = 'format'",
        "DROP INDEX \"public.t_a_key\"",
        "CREATE UNIQUE INDEX \"public.t_a_key\" ON \"public.t\" (\"a\")",
    ];
    fixture.transact(&older).unwrap();
    assert_ne!(shape(&fixture), before);
    fixture.apply(&migrations(&[first, ("2.sql", "update t set a = a + 1")])).unwrap();
    assert_eq!(shape(&fixture), before);
    assert_eq!(fixture.rows("SELECT a FROM \"public.t\" ORDER BY a"), [["2"], ["3"]]);
}

#[test]
fn parts_whose_order_would_show_are_refused() {
    let base = "
        create table par (id int primary key);
        create table act (id int primary key, p int references par on delete cascade);
        create table log (at int generated always as identity, what text);
        create function tell() returns trigger language plpgsql as $$
        begin insert into log (what) values (tg_table_name); return null; end $$;
        create trigger tell after insert on par for each row execute function tell();
        create trigger tell after insert on act for each row execute function tell();
        insert into par values (1), (2);";
    for (statement, refusal) in [
        (
            "with x as (insert into act values (7, 2), (8, 2) returning p) delete from par using x where par.id = 2",
            "0A000: a row of public.act that refers to what another part of the statement removes or changes is not supported",
        ),
        (
            "with x as (insert into par values (8), (9) returning id) insert into act select id, id from x",
            "0A000: an order of triggers after several parts of a statement is not supported",
        ),
    ] {
        assert_eq!(refused(base, statement), refusal);
    }
    let one = "with x as (insert into par values (8) returning id) insert into act select id, id from x";
    let fixture = check(base, one);
    let said = fixture.rows("SELECT what FROM \"public.log\" ORDER BY at");
    assert_eq!(said, [["par"], ["par"], ["par"], ["act"]]);
}
