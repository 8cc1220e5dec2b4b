//! Functions that are interpreted, called from within statements: how often, by whom, and what they may do there.

use std::sync::Mutex;

use engine::{BoxFuture, Routine, Routines, Transaction};
use query::functions::around::Counting;
use types::{Code, Value};

use super::*;

/// Answers twice its argument, asks the engine on its way, and remembers who called it with what.
#[derive(Default)]
struct Twice(Mutex<Vec<Call>>);

impl Routines for Twice {
    fn count<'t>(&'t self, _: &'t mut dyn Transaction, _: &'t Counting<'t>) -> BoxFuture<'t, Result<Value>> {
        Box::pin(std::future::ready(Err(Error::internal("no sequence"))))
    }

    fn call<'t>(
        &'t self,
        transaction: &'t mut dyn Transaction,
        routine: &'t Routine,
        args: Vec<Value>,
    ) -> BoxFuture<'t, Result<Value>> {
        Box::pin(async move {
            let Some(Value::Int(given)) = args.first() else { return Ok(Value::Null) };
            self.0.lock().unwrap().push((routine.function.0, routine.role.clone(), *given));
            if *given < 0 {
                return Err(Error::new(Code::DIVISION_BY_ZERO, "below zero").with_hint("Give more."));
            }
            let mut found = Values::of([Type::Int8]);
            let text = format!("SELECT {given} + count(*) * {given} FROM json_each('[1]')");
            transaction.run(&command(&text, &[]), 0, &mut found).await?;
            Ok(found.into_rows().remove(0).remove(0))
        })
    }
}

/// Which function was called, by whom, with what.
type Call = (usize, String, i64);

/// The cells of a command, and the calls that it made.
fn called(text: &str) -> (Result<Vec<Vec<String>>, Failure>, Vec<Call>) {
    let fixture = Fixture::new();
    let routines = Arc::new(Twice::default());
    let run = Run { routines: Some(routines.clone()), ..Run::of_system(PATIENCE) };
    let command = Command { calls: true, ..command(text, &[]) };
    let found = block(fixture.engine.read(vec![command], Box::new(Cells::default()), run));
    let found = found.map(|sink| {
        let sink: Box<dyn Any> = sink;
        sink.downcast::<Cells>().unwrap().0
    });
    let calls = routines.0.lock().unwrap().clone();
    (found, calls)
}

#[test]
fn a_stable_function_is_called_once_for_the_same_arguments() {
    let (found, calls) =
        called("SELECT bp_call('7;a\\;b;int8;int8', value) FROM json_each('[3,4,3,3,4]') ORDER BY key");
    assert_eq!(found.unwrap().concat(), ["6", "8", "6", "6", "8"]);
    assert_eq!(calls, [(7, "a;b".to_owned(), 3), (7, "a;b".to_owned(), 4)]);
}

#[test]
fn a_volatile_function_is_called_each_time() {
    let (found, calls) = called("SELECT bp_call_volatile('1;r;int8;int8', 5) FROM json_each('[1,2,3]')");
    assert_eq!((found.unwrap().len(), calls.len()), (3, 3));
}

#[test]
fn what_a_function_raises_comes_through_whole() {
    let (found, _) = called("SELECT bp_call('1;r;int8;int8', -1)");
    let Err(Failure::Error(error)) = found else { panic!("{found:?}") };
    assert_eq!(
        (error.code(), error.message(), error.hint()),
        (Code::DIVISION_BY_ZERO, "below zero", Some("Give more."))
    );
}

#[test]
fn a_part_of_a_transaction_is_undone_alone() {
    let fixture = Fixture::new();
    fixture.transact(&["CREATE TABLE t (a INT) STRICT"]).unwrap();
    let job: Job = Box::new(|transaction| {
        Box::pin(async move {
            let insert = |value: i64| command(&format!("INSERT INTO t VALUES ({value})"), &[]);
            transaction.run(&insert(1), 0, &mut Values::default()).await?;
            transaction.begin_part().await?;
            transaction.run(&insert(2), 0, &mut Values::default()).await?;
            transaction.begin_part().await?;
            transaction.run(&insert(3), 0, &mut Values::default()).await?;
            transaction.end_part(true).await?;
            transaction.end_part(false).await?;
            transaction.run(&insert(4), 0, &mut Values::default()).await?;
            Ok(())
        })
    });
    block(fixture.engine.transact(job, Run::of_system(PATIENCE))).unwrap();
    assert_eq!(fixture.rows("SELECT a FROM t ORDER BY a").concat(), ["1", "4"]);
}

#[test]
fn a_job_that_inspects_changes_nothing() {
    let fixture = Fixture::new();
    fixture.transact(&["CREATE TABLE t (a INT) STRICT"]).unwrap();
    let refused = block(fixture.engine.inspect(job(&["INSERT INTO t VALUES (1)"]), Run::of_system(PATIENCE)));
    assert!(refused.is_err());
    assert!(fixture.rows("SELECT a FROM t").is_empty());
}
