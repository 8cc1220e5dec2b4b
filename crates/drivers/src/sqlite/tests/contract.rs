//! The MUSTs of the contract, and what the module promises besides.

use std::time::Instant;

use catalog::Sequence;
use types::{Code, Name};

use super::*;

/// A query that takes a few seconds at least.
const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000000) SELECT count(*) FROM n";

/// A query that takes longer than a short read may.
const SOME: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n WHERE i % 10000 = 1";

/// How many rows a query finds.
async fn count(engine: &dyn Engine, text: &str) -> usize {
    let commands = vec![command(text, &[])];
    let sink = engine.read(commands, Box::new(Cells::default()), Run::of_system(PATIENCE)).await.unwrap();
    let sink: Box<dyn Any> = sink;
    sink.downcast::<Cells>().unwrap().0.len()
}

/// Rows that a statement finds on the connection that writes.
fn written(fixture: &Fixture, text: &str) -> Vec<Vec<String>> {
    let command = command(text, &[]);
    block(engine::transact(&*fixture.engine, Run::of_system(PATIENCE), move |transaction| {
        Box::pin(async move {
            let mut cells = Cells::default();
            transaction.run(&command, 0, &mut cells).await?;
            Ok(cells.0)
        })
    }))
    .unwrap()
}

fn failure(fixture: &Fixture, text: &str) -> Failure {
    let command = command(text, &[]);
    let slot = Arc::new(std::sync::Mutex::new(None));
    let filled = slot.clone();
    let job: Job = Box::new(move |transaction| {
        Box::pin(async move {
            let failure = transaction.run(&command, 0, &mut Values::default()).await.err();
            *filled.lock().unwrap() = failure;
            Err(Error::internal("undone"))
        })
    });
    block(fixture.engine.transact(job, Run::of_system(PATIENCE))).unwrap_err();
    let failure = slot.lock().unwrap().take();
    failure.unwrap_or_else(|| panic!("{text} did not fail"))
}

fn code(failure: Failure) -> Code {
    Error::from(failure).code()
}

#[test]
fn commits_are_on_the_disk_and_foreign_keys_hold() {
    let fixture = Fixture::new();
    for (pragma, value) in [("synchronous", "2"), ("foreign_keys", "1"), ("journal_mode", "wal")] {
        assert_eq!(written(&fixture, &format!("PRAGMA {pragma}")), [[value]], "{pragma}");
    }
    assert_eq!(fixture.rows("PRAGMA query_only"), [["1"]]);
}

#[test]
fn a_second_server_is_refused_and_a_later_one_is_not() {
    let folder = Folder::new();
    let first = Sqlite::open(&folder.options()).unwrap();
    let error = Sqlite::open(&folder.options()).err().unwrap();
    assert_eq!(error.code(), Code::LOCK_NOT_AVAILABLE, "{error}");
    assert!(error.message().contains("in use by another process"), "{error}");
    first.close();
    Sqlite::open(&folder.options()).unwrap().close();
}

#[test]
fn what_is_no_database_is_told() {
    let folder = Folder::new();
    std::fs::write(
        folder.0.join("data.db"),
        "this is not a database, and it is long enough to be read".repeat(99),
    )
    .unwrap();
    let error = Sqlite::open(&folder.options()).err().unwrap();
    assert_eq!(error.code(), Code::DATA_CORRUPTED, "{error}");
}

#[test]
fn double_quotes_never_make_a_text() {
    let fixture = Fixture::new();
    assert!(ask(&*fixture.engine, "SELECT \"nothing\"", &[]).is_err());
    assert!(fixture.transact(&["CREATE TABLE t (a)", "CREATE INDEX i ON t (\"nothing\")"]).is_err());
}

#[test]
fn functions_and_collations_are_there_for_reads_and_writes() {
    let fixture = Fixture::new();
    let text = "SELECT pg_lower_text('AÄ'), '10' > '9' COLLATE pg_numeric, '{\"a\":1.0}' = '{\"a\":1}' COLLATE pg_jsonb";
    assert_eq!(fixture.rows(text), [["aä", "1", "1"]]);
    assert_eq!(written(&fixture, text), [["aä", "1", "1"]]);
}

#[test]
fn a_reader_cannot_write() {
    let fixture = Fixture::new();
    assert!(ask(&*fixture.engine, "CREATE TABLE t (a)", &[]).is_err());
    assert_eq!(fixture.rows("SELECT count(*) FROM sqlite_schema WHERE name = 't'"), [["0"]]);
}

#[test]
fn a_read_that_takes_longer_starts_over_and_ends() {
    let fixture = Fixture::new();
    let rows = fixture.rows(SOME);
    assert_eq!(rows.len(), 10, "no row is seen twice: {rows:?}");
}

#[test]
fn the_commands_of_a_read_see_one_snapshot() {
    let fixture = Fixture::new();
    fixture.transact(&["CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"]).unwrap();
    let commands = vec![command("SELECT a FROM t", &[]), command("SELECT a + 1 FROM t", &[])];
    let sink: Box<dyn Any> =
        block(fixture.engine.read(commands, Box::new(Cells::default()), Run::of_system(PATIENCE))).unwrap();
    assert_eq!(sink.downcast::<Cells>().unwrap().0, [["1"], ["2"]]);
}

#[test]
fn a_deadline_interrupts() {
    let fixture = Fixture::new();
    let begun = Instant::now();
    let outcome = ask_within(&*fixture.engine, LONG, &[], Duration::from_millis(100));
    assert!(matches!(outcome, Err(Failure::Canceled)), "{outcome:?}");
    let outcome = block(fixture.engine.transact(job(&[LONG]), Run::of_system(Duration::from_millis(100))));
    assert_eq!(outcome.unwrap_err().code(), Code::QUERY_CANCELED);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    fixture.transact(&["CREATE TABLE t (a)"]).unwrap();
}

#[test]
fn a_read_stops_when_nobody_waits_for_it() {
    let folder = Folder::new();
    let engine = Sqlite::open(&Options { readers: 1, ..folder.options() }).unwrap();
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert!(tokio::time::timeout(Duration::from_millis(50), count(&engine, LONG)).await.is_err());
        // There is one thread for long reads, and it is free.
        assert_eq!(count(&engine, SOME).await, 10);
    });
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn what_a_read_makes_at_once_is_bounded() {
    let folder = Folder::new();
    let engine = Sqlite::open(&Options { value_bytes_max: 100_000, ..folder.options() }).unwrap();
    let group = |rows: u32| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT length(json_group_array('a row')) > 0 FROM n"
        )
    };
    assert_eq!(ask(&engine, &group(1_000), &[]).unwrap(), [["1"]]);
    let Err(Failure::Error(error)) = ask(&engine, &group(100_000), &[]) else { panic!("it was not refused") };
    assert_eq!(error.code(), Code::LIMIT_EXCEEDED);
}

#[test]
fn a_job_that_fails_is_undone_alone_and_all_others_are_kept() {
    let fixture = Fixture::new();
    fixture
        .transact(&["CREATE TABLE t (a INTEGER NOT NULL) STRICT", "CREATE UNIQUE INDEX i ON t (a)"])
        .unwrap();
    let outcomes = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut jobs = tokio::task::JoinSet::new();
        for number in 0..300 {
            let engine = fixture.engine.clone();
            jobs.spawn(async move {
                let first = format!("INSERT INTO t VALUES ({})", 1_000 + number);
                let second = format!("INSERT INTO t VALUES ({})", if number == 150 { 1_150 } else { number });
                engine.transact(job(&[&first, &second]), Run::of_system(PATIENCE)).await
            });
        }
        jobs.join_all().await
    });
    let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].code(), Code::UNIQUE_VIOLATION);
    assert_eq!(fixture.rows("SELECT count(*) FROM t"), [["598"]]);
}

#[test]
fn what_is_rolled_back_leaves_nothing() {
    let fixture = Fixture::new();
    fixture.transact(&["CREATE TABLE t (a)"]).unwrap();
    fixture.transact(&["INSERT INTO t VALUES (1)", "SELECT nothing"]).unwrap_err();
    let job: Job = Box::new(|transaction| {
        Box::pin(async move {
            transaction.roll_back_at_end();
            transaction.run(&command("INSERT INTO t VALUES (2)", &[]), 0, &mut Values::default()).await?;
            Ok(())
        })
    });
    block(fixture.engine.transact(job, Run::of_system(PATIENCE))).unwrap();
    assert_eq!(fixture.rows("SELECT count(*) FROM t"), [["0"]]);
}

#[test]
fn a_job_that_waits_or_panics_is_undone_and_the_next_one_runs() {
    let fixture = Fixture::new();
    fixture.transact(&["CREATE TABLE t (a)"]).unwrap();
    let waits: Job = Box::new(|transaction| {
        Box::pin(async move {
            transaction.run(&command("INSERT INTO t VALUES (1)", &[]), 0, &mut Values::default()).await?;
            std::future::pending().await
        })
    });
    let panics: Job = Box::new(|transaction| {
        Box::pin(async move {
            transaction.run(&command("INSERT INTO t VALUES (1)", &[]), 0, &mut Values::default()).await?;
            panic!("on purpose")
        })
    });
    assert_eq!(
        block(fixture.engine.transact(waits, Run::of_system(PATIENCE))).unwrap_err().code(),
        Code::INTERNAL
    );
    assert_eq!(
        block(fixture.engine.transact(panics, Run::of_system(PATIENCE))).unwrap_err().code(),
        Code::INTERNAL
    );
    fixture.transact(&["INSERT INTO t VALUES (2)"]).unwrap();
    assert_eq!(fixture.rows("SELECT a FROM t"), [["2"]]);
}

#[test]
fn a_full_queue_refuses() {
    let folder = Folder::new();
    let engine = Sqlite::open(&Options { write_queue_max: 1, ..folder.options() }).unwrap();
    let (started, start) = std::sync::mpsc::channel();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let blocking: Job = Box::new(move |_| {
        started.send(()).unwrap();
        wait.recv().unwrap();
        Box::pin(std::future::ready(Ok(())))
    });
    let outcome = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut first = engine.transact(blocking, Run::of_system(PATIENCE));
        let mut second = engine.transact(job(&[]), Run::of_system(PATIENCE));
        let mut third = engine.transact(job(&[]), Run::of_system(PATIENCE));
        std::future::poll_fn(|context| {
            assert!(first.as_mut().poll(context).is_pending());
            start.recv().unwrap();
            assert!(second.as_mut().poll(context).is_pending());
            third.as_mut().poll(context)
        })
        .await
    });
    release.send(()).unwrap();
    assert_eq!(outcome.unwrap_err().code(), Code::OVERLOADED);
}

fn sequence(start: i64, increment: i64, max: i64, cycle: bool) -> Sequence {
    let (name, acl) = (Name::new("public", "s"), catalog::Acl::default());
    Sequence { name, ty: Type::Int8, start, increment, min: 1, max, cycle, owned_by: None, acl }
}

fn next(engine: &dyn Engine, sequence: &Sequence, fails: bool) -> Result<i64> {
    let sequence = sequence.clone();
    let slot = Arc::new(std::sync::Mutex::new(0));
    let filled = slot.clone();
    let job: Job = Box::new(move |transaction| {
        Box::pin(async move {
            *filled.lock().unwrap() = transaction.next_value(&sequence).await?;
            if fails { Err(Error::internal("undone")) } else { Ok(()) }
        })
    });
    let outcome = block(engine.transact(job, Run::of_system(PATIENCE)));
    if !fails {
        outcome?;
    }
    let value = *slot.lock().unwrap();
    Ok(value)
}

#[test]
fn sequences_of_a_database_of_before_go_on() {
    let folder = Folder::new();
    let options = folder.options();
    rusqlite::Connection::open(&options.path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE \"backplane.sequences\" (name TEXT PRIMARY KEY, value INT NOT NULL) STRICT, WITHOUT ROWID;
            INSERT INTO \"backplane.sequences\" VALUES ('public.s', 41)",
        )
        .unwrap();
    let engine = Sqlite::open(&options).unwrap();
    assert_eq!(next(&engine, &sequence(1, 1, 100, false), false).unwrap(), 42);
}

#[test]
fn a_sequence_never_gives_a_number_twice_and_goes_on_after_a_restart() {
    let folder = Folder::new();
    let engine = Sqlite::open(&folder.options()).unwrap();
    let plain = sequence(5, 2, i64::MAX, false);
    assert_eq!(next(&engine, &plain, false).unwrap(), 5);
    assert_eq!(next(&engine, &plain, true).unwrap(), 7);
    assert_eq!(next(&engine, &plain, false).unwrap(), 9);
    engine.close();
    let engine = Sqlite::open(&folder.options()).unwrap();
    assert_eq!(next(&engine, &plain, false).unwrap(), 11);
    let bounded = sequence(1, 1, 12, false);
    assert_eq!(next(&engine, &bounded, false).unwrap(), 12);
    let error = next(&engine, &bounded, false).unwrap_err();
    assert_eq!(error.message(), "nextval: reached maximum value of sequence \"s\" (12)");
    assert_eq!(next(&engine, &sequence(1, 1, 12, true), false).unwrap(), 1);
}

#[test]
fn a_sequence_of_a_process_that_died_leaves_a_gap_and_gives_nothing_twice() {
    let folder = Folder::new();
    let engine = Sqlite::open(&folder.options()).unwrap();
    let plain = sequence(1, 1, i64::MAX, false);
    for expected in 1..=40 {
        assert_eq!(next(&engine, &plain, expected % 7 == 0).unwrap(), expected);
    }
    // What is on the disk, as if the process had ended here.
    let died = Folder::new();
    for name in ["data.db", "data.db-wal"] {
        std::fs::copy(folder.0.join(name), died.0.join(name)).unwrap();
    }
    let after = next(&Sqlite::open(&died.options()).unwrap(), &plain, false).unwrap();
    assert!((41..=41 + 32).contains(&after), "{after}");
    assert_eq!(next(&engine, &plain, false).unwrap(), 41, "the other one goes on");
}

#[test]
fn failures_say_what_they_are() {
    let fixture = Fixture::new();
    let schema = [
        "CREATE TABLE \"public.p\" (a INTEGER, b TEXT NOT NULL) STRICT",
        "CREATE UNIQUE INDEX \"public.p_a\" ON \"public.p\" (a)",
        "CREATE UNIQUE INDEX \"public.p_b\" ON \"public.p\" (lower(b))",
        "CREATE UNIQUE INDEX \"public.p_c~nulls\" ON \"public.p\" (coalesce(a, x'')) WHERE a IS NULL",
        "CREATE TABLE \"public.c\" (a INTEGER REFERENCES \"public.p\" (a)) STRICT",
        "INSERT INTO \"public.p\" VALUES (1, 'x'), (NULL, 'y')",
        "INSERT INTO \"public.c\" VALUES (1)",
    ];
    fixture.transact(&schema).unwrap();
    let unique = |text: &str| match failure(&fixture, text) {
        Failure::Unique { index, table, columns } => (index, table, columns),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        unique("INSERT INTO \"public.p\" VALUES (1, 'z')"),
        (None, "public.p".to_owned(), vec!["a".to_owned()])
    );
    assert_eq!(unique("INSERT INTO \"public.p\" VALUES (2, 'X')").0.as_deref(), Some("public.p_b"));
    assert_eq!(unique("INSERT INTO \"public.p\" VALUES (NULL, 'z')").0.as_deref(), Some("public.p_c"));
    for text in [
        "INSERT INTO \"public.c\" VALUES (9)",
        "DELETE FROM \"public.p\"",
        "UPDATE \"public.p\" SET a = 7 WHERE a = 1",
    ] {
        assert!(matches!(failure(&fixture, text), Failure::ForeignKey), "{text}");
    }
    let error = Error::from(failure(&fixture, "INSERT INTO \"public.p\" VALUES (3, NULL)"));
    assert_eq!(
        error.to_string(),
        "23502: null value in column \"b\" of relation \"p\" violates not-null constraint"
    );
    let error = Error::from(failure(&fixture, "SELECT pg_slash_int4_int4(1, 0)"));
    assert_eq!(error.to_string(), "22012: division by zero");
    assert_eq!(code(failure(&fixture, "SELECT zeroblob(2000000000)")), Code::LIMIT_EXCEEDED);
    assert_eq!(code(failure(&fixture, "SELECT nothing")), Code::INTERNAL);
}

#[test]
fn a_full_disk_is_told_and_undone() {
    let fixture = Fixture::new();
    fixture.transact(&["CREATE TABLE t (a)", "PRAGMA max_page_count=20"]).unwrap();
    let error = fixture
        .transact(&["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (zeroblob(900000))"])
        .unwrap_err();
    assert_eq!(error.code(), Code::DISK_FULL, "{error}");
    assert_eq!(fixture.rows("SELECT count(*) FROM t"), [["0"]]);
    // The jobs around the one that fills the disk are whole or not there.
    let outcomes = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut jobs = tokio::task::JoinSet::new();
        for number in 0..40 {
            let engine = fixture.engine.clone();
            jobs.spawn(async move {
                let value = if number == 20 { "zeroblob(900000)".to_owned() } else { number.to_string() };
                (
                    number,
                    engine
                        .transact(
                            job(&[&format!("INSERT INTO t VALUES ({value})")]),
                            Run::of_system(PATIENCE),
                        )
                        .await,
                )
            });
        }
        jobs.join_all().await
    });
    let mut kept: Vec<u32> =
        outcomes.into_iter().filter_map(|(number, outcome)| outcome.ok().map(|()| number)).collect();
    kept.sort_unstable();
    let kept: Vec<Vec<String>> = kept.iter().map(|number| vec![number.to_string()]).collect();
    assert!(!kept.is_empty());
    assert_eq!(fixture.rows("SELECT a FROM t ORDER BY a"), kept);
    fixture.transact(&["PRAGMA max_page_count=20000", "INSERT INTO t VALUES (zeroblob(900000))"]).unwrap();
}

/// What a job does last.
type End = fn(&mut dyn engine::Transaction) -> Result<(), Error>;

/// Runs a job in which foreign keys rest.
fn at_rest(fixture: &Fixture, texts: &[&str], end: End) -> Result<(), Error> {
    let commands: Vec<Command> = texts.iter().map(|text| command(text, &[])).collect();
    let job: Job = Box::new(move |transaction| {
        Box::pin(async move {
            assert!(!transaction.rest(true)?, "the job before has woken them");
            for command in &commands {
                transaction.run(command, 0, &mut Values::default()).await?;
            }
            end(transaction)
        })
    });
    block(fixture.engine.transact(job, Run::of_system(PATIENCE)))
}

#[test]
fn foreign_keys_act_again_however_a_job_ends_in_which_they_rest() {
    let fixture = Fixture::new();
    fixture
        .transact(&["CREATE TABLE p (id INTEGER PRIMARY KEY)", "CREATE TABLE c (p REFERENCES p)"])
        .unwrap();
    let loose = &["INSERT INTO c VALUES (7)"];
    let is_refused = |outcome: Result<(), Error>| {
        assert_eq!(outcome.unwrap_err().code(), Code::FOREIGN_KEY_VIOLATION);
    };
    let ends: [End; 4] = [
        |_| Ok(()),
        |_| Err(Error::internal("undone")),
        |_| panic!("on purpose"),
        |transaction| Ok(transaction.rest(false).map(drop)?),
    ];
    for end in ends {
        let _ = at_rest(&fixture, loose, end);
        is_refused(fixture.transact(loose));
    }
    is_refused(at_rest(&fixture, &[], |transaction| {
        transaction.rest(false)?;
        let command = command("INSERT INTO c VALUES (8)", &[]);
        block(transaction.run(&command, 0, &mut Values::default())).map(drop)?;
        Ok(())
    }));
    assert_eq!(fixture.rows("SELECT count(*) FROM c"), [["2"]]);
}

/// Notes whether rows may refer to nothing, in a job that ends in some way; what was noted before.
fn note(engine: &Sqlite, wanted: Option<bool>, end: fn() -> Result<(), Error>) -> (bool, Result<(), Error>) {
    let known = Arc::new(AtomicU64::new(9));
    let filled = known.clone();
    let job: Job = Box::new(move |transaction| {
        filled.store(transaction.may_references_dangle().into(), Ordering::Relaxed);
        let noted = wanted.map_or(Ok(()), |wanted| transaction.let_references_dangle(wanted));
        Box::pin(async move {
            noted?;
            end()
        })
    });
    let outcome = block(engine.transact(job, Run::of_system(PATIENCE)));
    (known.load(Ordering::Relaxed) == 1, outcome)
}

#[test]
fn that_rows_may_refer_to_nothing_is_known_to_the_next_server() {
    let folder = Folder::new();
    let dangle = |engine: &Sqlite, wanted: Option<bool>| {
        let (known, outcome) = note(engine, wanted, || Ok(()));
        outcome.unwrap();
        known
    };
    let first = Sqlite::open(&folder.options()).unwrap();
    assert!(!dangle(&first, Some(true)) && dangle(&first, None));
    first.close();
    let second = Sqlite::open(&folder.options()).unwrap();
    assert!(dangle(&second, Some(false)) && !dangle(&second, None));
    second.close();
}

#[test]
fn that_rows_may_refer_to_nothing_is_noted_again_where_that_was_undone() {
    let folder = Folder::new();
    let first = Sqlite::open(&folder.options()).unwrap();
    note(&first, Some(true), || Err(Error::internal("undone"))).1.unwrap_err();
    note(&first, Some(true), || Ok(())).1.unwrap();
    first.close();
    let second = Sqlite::open(&folder.options()).unwrap();
    assert!(note(&second, None, || Ok(())).0);
    second.close();
}
