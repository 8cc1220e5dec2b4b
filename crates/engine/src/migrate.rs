//! The schema road's end: what a project declares becomes what its database stores, and the ledger says so.
//!
//! `plan` compares the files with the ledger and folds both into catalogs; `apply` runs the difference in one transaction,
//! statements about rows at their position. The ledger keeps the texts that were applied, so that the catalog in force can
//! always be folded again; a start on an unchanged project compares hashes and does nothing.

mod fold;
mod ledger;
pub mod native;
mod plan;
mod rows;
mod run;
mod session;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use catalog::migration::Step;
use types::{Error, Result, Span};

use crate::{Clock, Engine, Random};

pub use fold::{Doing, Folded, Point, Rows, fold};
pub use ledger::State;
pub use plan::Plan;
pub use rows::check;

/// A text to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name: what the ledger knows it by.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}

/// How files say what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// What shall be, in any order.
    Declared,
    /// What is to be done, in order, each file once.
    Migrations,
}

/// Everything that a database is made from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What the first statement is applied to: [`catalog::builtin()`], with the project's settings.
    pub base: Arc<Catalog>,
    /// Schemas of our own services: declared, before everything else.
    pub system: Vec<File>,
    /// How the project's files are meant.
    pub layout: Layout,
    /// The project's files, in order.
    pub schema: Vec<File>,
    /// Statements about rows that run once, after everything else.
    pub seeds: Vec<File>,
}

/// What is allowed, and where time and randomness come from.
#[derive(Clone)]
pub struct Options {
    /// Whether steps may lose stored rows or values.
    pub allow_loss: bool,
    /// Whether a statement about rows that fails is passed over and told, instead of undoing everything.
    pub is_lenient: bool,
    /// After this everything is undone.
    pub timeout: Duration,
    /// Where defaults get their randomness.
    pub random: Random,
    /// Where defaults get the time.
    pub clock: Clock,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Files that the ledger knows only now.
    pub files: Vec<String>,
    /// How many rows statements about rows changed.
    pub rows: u64,
    /// What is worth knowing: a sentence each.
    pub notes: Vec<String>,
    /// The catalog in force where it is not what the files say: a migration was edited after it was applied.
    pub catalog: Option<Arc<Catalog>>,
}

/// A statement that could not be folded.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The file.
    pub file: String,
    /// Where it stands.
    pub span: Span,
    /// Why.
    pub error: Error,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.span.start, self.error)
    }
}

/// What the ledger says was applied.
///
/// # Errors
/// The engine's.
pub async fn state(engine: &Arc<dyn Engine>, options: &Options) -> Result<State> {
    ledger::read(&**engine, options).await
}

/// What [`apply`] would do.
///
/// # Errors
/// `55000` when the files contradict the ledger; the engine's.
pub async fn plan(engine: &Arc<dyn Engine>, sources: &Sources, options: &Options) -> Result<Plan> {
    let state = ledger::read(&**engine, options).await?;
    ledger::readable(&state)?;
    if state.is_same(sources) {
        return Ok(Plan::default());
    }
    let texts = ledger::texts(&**engine, &state, options).await?;
    plan::plan(sources, &texts)
}

/// Brings the database to what the sources say, in one transaction.
///
/// # Errors
/// As [`plan()`]; `55000` for a loss that is not allowed; what rows or the engine refuse. Everything is undone then.
pub async fn apply(engine: &Arc<dyn Engine>, sources: &Sources, options: &Options) -> Result<Applied> {
    let plan = plan(engine, sources, options).await?;
    if plan.is_empty() {
        return Ok(Applied { notes: plan.notes, catalog: plan.catalog, ..Applied::default() });
    }
    run::run(engine, plan, options).await
}
