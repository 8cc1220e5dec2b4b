//! Foreign keys that were put off: SQLite's own commit refuses what nobody looked at. The jobs here forget to look.

use std::task::Poll;

use types::Code;

use super::*;

/// What a job does with foreign keys put off.
#[derive(Clone, Copy)]
enum Act {
    Run(&'static str),
    PutOff,
    Open,
    Close { keep: bool },
}

const SCHEMA: &[&str] = &[
    "CREATE TABLE p (id INTEGER NOT NULL) STRICT",
    "CREATE UNIQUE INDEX i ON p (id)",
    "CREATE TABLE c (p INTEGER REFERENCES p (id)) STRICT",
    "INSERT INTO p VALUES (1)",
    "INSERT INTO c VALUES (1)",
];

const ORPHAN: Act = Act::Run("INSERT INTO c VALUES (9)");
const PARENT: Act = Act::Run("INSERT INTO p VALUES (9)");
const WIDOW: Act = Act::Run("DELETE FROM p WHERE id = 1");

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.transact(SCHEMA).unwrap();
    fixture
}

fn doing(acts: &'static [Act]) -> Job {
    Box::new(move |transaction| {
        Box::pin(async move {
            for act in acts {
                match act {
                    Act::Run(text) => {
                        transaction.run(&command(text, &[]), 0, &mut Values::default()).await.map(drop)?;
                    }
                    Act::PutOff => transaction.defer_references().await?,
                    Act::Open => transaction.begin_part().await?,
                    Act::Close { keep } => transaction.end_part(*keep).await?,
                }
            }
            Ok(())
        })
    })
}

/// Runs a job alone. What is stored of both tables afterwards is whole.
#[track_caller]
fn check(acts: &'static [Act], refusal: Option<Code>) {
    let fixture = fixture();
    let outcome = block(fixture.engine.transact(doing(acts), Run::of_system(PATIENCE)));
    assert_eq!(outcome.err().map(|error| error.code()), refusal);
    assert_eq!(fixture.rows("SELECT p FROM c WHERE p NOT IN (SELECT id FROM p)"), Vec::<Vec<String>>::new());
    if refusal.is_some() {
        assert_eq!(fixture.rows("SELECT id FROM p"), [["1"]]);
    }
}

#[test]
fn a_commit_refuses_what_nobody_looked_at() {
    let refusal = Some(Code::FOREIGN_KEY_VIOLATION);
    check(&[Act::PutOff, ORPHAN], refusal);
    check(&[Act::PutOff, WIDOW], refusal);
    check(&[Act::PutOff, ORPHAN, PARENT], None);
    check(&[Act::PutOff, WIDOW, Act::Run("DELETE FROM c")], None);
}

#[test]
fn the_end_of_a_part_is_no_end_of_waiting() {
    let refusal = Some(Code::FOREIGN_KEY_VIOLATION);
    check(&[Act::Open, Act::PutOff, ORPHAN, Act::Close { keep: true }], refusal);
    check(&[Act::Open, Act::PutOff, Act::Close { keep: true }, ORPHAN, PARENT], None);
    check(&[Act::Open, Act::PutOff, Act::Close { keep: false }, ORPHAN], refusal);
    check(&[Act::Open, Act::PutOff, ORPHAN, Act::Close { keep: false }], None);
}

/// Runs jobs in one group: the writer is held until all of them wait.
fn together(fixture: &Fixture, jobs: Vec<Job>) -> Vec<Result<()>> {
    let (started, start) = std::sync::mpsc::channel();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let holding: Job = Box::new(move |_| {
        started.send(()).unwrap();
        wait.recv().unwrap();
        Box::pin(std::future::ready(Ok(())))
    });
    let transact = |job| fixture.engine.transact(job, Run::of_system(PATIENCE));
    block(async {
        let mut held = transact(holding);
        let mut waiting: Vec<_> = jobs.into_iter().map(transact).collect();
        std::future::poll_fn(|context| {
            assert!(held.as_mut().poll(context).is_pending());
            start.recv().unwrap();
            assert!(waiting.iter_mut().all(|job| job.as_mut().poll(context).is_pending()));
            Poll::Ready(())
        })
        .await;
        release.send(()).unwrap();
        held.await.unwrap();
        let mut outcomes = Vec::new();
        for job in waiting {
            outcomes.push(job.await);
        }
        outcomes
    })
}

/// Those of a job end with it; the next one's are looked at with each command, as they are without a group.
#[test]
fn keys_of_the_next_job_of_a_group_do_not_wait() {
    let fixture = fixture();
    let jobs = vec![doing(&[Act::PutOff, ORPHAN, PARENT]), doing(&[ORPHAN, WIDOW]), doing(&[WIDOW])];
    let outcomes = together(&fixture, jobs);
    let told: Vec<_> = outcomes.into_iter().map(|outcome| outcome.err().map(|error| error.code())).collect();
    assert_eq!(told, [None, Some(Code::FOREIGN_KEY_VIOLATION), Some(Code::FOREIGN_KEY_VIOLATION)]);
    assert_eq!(fixture.rows("SELECT p FROM c ORDER BY p"), [["1"], ["9"]]);
}

/// A job that forgets to look is the last of its commit: what comes after it is stored.
#[test]
fn a_job_that_is_refused_by_the_commit_takes_no_later_one_along() {
    let fixture = fixture();
    let jobs = vec![doing(&[Act::PutOff, ORPHAN]), doing(&[PARENT]), doing(&[ORPHAN])];
    let told: Vec<bool> = together(&fixture, jobs).iter().map(Result::is_ok).collect();
    assert_eq!(told, [false, true, true]);
    assert_eq!(fixture.rows("SELECT p FROM c ORDER BY p"), [["1"], ["9"]]);
}
