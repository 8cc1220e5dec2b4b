//! The transaction that a job works in, from its first command or from within a statement that calls a function.

use std::sync::Arc;

use catalog::Sequence;
use engine::{BoxFuture, Failure, Routines, Sink, Standing, Transaction};
use parking_lot::{ReentrantMutex, ReentrantMutexGuard};
use render::Command;
use rusqlite::Connection;
use types::{Code, Error, Result};

use super::errors::failure;
use super::execute;
use super::surroundings::Surroundings;

/// Stack of threads on which functions are interpreted: as deep as functions may call each other, in a debug build.
pub(super) const STACK_BYTES: usize = 256 << 20;

/// A transaction of a connection.
pub(super) struct Inside<'a> {
    connection: &'a ReentrantMutex<Connection>,
    surroundings: &'a Surroundings,
    roll_back: bool,
}

impl<'a> Inside<'a> {
    pub(super) fn new(
        connection: &'a ReentrantMutex<Connection>,
        surroundings: &'a Surroundings,
    ) -> Inside<'a> {
        Inside { connection, surroundings, roll_back: false }
    }

    fn connection(&self) -> ReentrantMutexGuard<'a, Connection> {
        self.connection.lock()
    }

    pub(super) fn wants_to_be_undone(&self) -> bool {
        self.roll_back
    }

    fn refuse_writing(&self, what: &str) -> Result<(), Failure> {
        if self.surroundings.writes() {
            return Ok(());
        }
        let message = format!("cannot execute {what} in a read-only transaction");
        Err(Failure::Error(Error::new(Code::READ_ONLY_TRANSACTION, message)))
    }

    fn step(&self, text: &str) -> Result<(), Failure> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(text).map_err(|error| failure(&error))?;
        statement.execute([]).map(drop).map_err(|error| failure(&error))
    }

    fn next(&self, sequence: &Sequence) -> Result<i64, Failure> {
        self.refuse_writing("nextval()")?;
        self.surroundings.sequences().next(&self.connection(), sequence)
    }

    /// What only reads has nothing to undo.
    fn part(&self, texts: &[&str]) -> Result<(), Failure> {
        if !self.surroundings.writes() {
            return Ok(());
        }
        texts.iter().try_for_each(|text| self.step(text))
    }
}

impl Transaction for Inside<'_> {
    fn run<'a>(
        &'a mut self,
        command: &'a Command,
        position: usize,
        sink: &'a mut dyn Sink,
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        let connection = self.connection();
        let kept = self.surroundings.sequences().settle(&connection);
        let outcome =
            kept.and_then(|()| execute::command(&connection, self.surroundings, command, position, sink));
        Box::pin(std::future::ready(outcome))
    }

    fn next_value<'a>(&'a mut self, sequence: &'a Sequence) -> BoxFuture<'a, Result<i64, Failure>> {
        Box::pin(std::future::ready(self.next(sequence)))
    }

    fn standing<'a>(&'a mut self, sequence: &'a Sequence) -> BoxFuture<'a, Result<Standing, Failure>> {
        let standing = self.surroundings.sequences().standing(&self.connection(), sequence);
        Box::pin(std::future::ready(standing))
    }

    fn set_value<'a>(
        &'a mut self,
        sequence: &'a Sequence,
        standing: Standing,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        let outcome = self.refuse_writing("setval()");
        if outcome.is_ok() {
            self.surroundings.sequences().set(&sequence.name, standing);
        }
        Box::pin(std::future::ready(outcome))
    }

    fn begin_part(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(std::future::ready(self.part(&["SAVEPOINT part"])))
    }

    fn end_part(&mut self, keep: bool) -> BoxFuture<'_, Result<(), Failure>> {
        let texts: &[&str] = if keep { &["RELEASE part"] } else { &["ROLLBACK TO part", "RELEASE part"] };
        Box::pin(std::future::ready(self.part(texts)))
    }

    fn defer_references(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        self.surroundings.have_references_wait(self.surroundings.writes());
        Box::pin(std::future::ready(self.part(&["PRAGMA defer_foreign_keys = ON"])))
    }

    fn do_references_wait(&self) -> bool {
        self.surroundings.do_references_wait()
    }

    fn rest(&mut self, rest: bool) -> Result<bool, Failure> {
        self.surroundings.rest(&self.connection(), rest)
    }

    fn let_references_dangle(&mut self, dangle: bool) -> Result<(), Failure> {
        // What was noted may have been undone since, by a part or a whole transaction.
        self.surroundings.look_at_references(&self.connection()).map_err(|error| failure(&error))?;
        if self.surroundings.may_references_dangle() == dangle {
            return Ok(());
        }
        self.part(&[if dangle { "PRAGMA user_version = 1" } else { "PRAGMA user_version = 0" }])?;
        self.surroundings.let_references_dangle(dangle);
        Ok(())
    }

    fn may_references_dangle(&self) -> bool {
        self.surroundings.may_references_dangle()
    }

    fn check(&mut self) -> Result<(), Failure> {
        if self.surroundings.is_spent() { Err(Failure::Canceled) } else { Ok(()) }
    }

    fn install(&mut self, routines: Arc<dyn Routines>) {
        self.surroundings.calls().install(Some(routines));
    }

    fn roll_back_at_end(&mut self) {
        self.roll_back = true;
    }
}
