//! The driver and the schema road against real database files.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::migrate::{self, Applied, File, Layout, Sources};
use engine::{Engine, Failure, Job, Run, Values};
use render::Command;
use types::session::Session;
use types::stored::Stored;
use types::{Error, Result, Type};

use super::{Options, Sqlite};

mod calls;
mod contract;
mod guard;
mod histories;
mod migrations;
mod partitions;
mod schema;

/// Long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that is gone when the test ends.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Folder {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("backplane-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(super) fn options(&self) -> Options {
        let count = AtomicU64::new(1);
        Options {
            path: self.0.join("data.db"),
            readers: 2,
            write_queue_max: 1_024,
            value_bytes_max: 64 << 20,
            sleep_max: Duration::from_secs(1),
            // Randomness that repeats, and no two alike.
            random: Arc::new(move |buffer| {
                let number = count.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                buffer.iter_mut().zip(number.to_le_bytes().iter().cycle()).for_each(|(to, from)| *to = *from);
            }),
            clock: Arc::new(|| 800_000_000_000_000),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is a nuisance, no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An open database in a folder of its own.
struct Fixture {
    engine: Arc<dyn Engine>,
    options: Options,
    _folder: Folder,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = Folder::new();
        let options = folder.options();
        Fixture { engine: Arc::new(Sqlite::open(&options).unwrap()), options, _folder: folder }
    }

    fn migration_options(&self) -> migrate::Options {
        migrate::Options {
            allow_loss: false,
            is_lenient: false,
            timeout: PATIENCE,
            random: self.options.random.clone(),
            clock: self.options.clock.clone(),
        }
    }

    /// Applies sources of which every statement is understood.
    fn apply(&self, sources: &Sources) -> Result<Applied> {
        self.apply_with(sources, false)
    }

    fn apply_with(&self, sources: &Sources, allow_loss: bool) -> Result<Applied> {
        let options = migrate::Options { allow_loss, ..self.migration_options() };
        if let Some(refusal) = block(migrate::plan(&self.engine, sources, &options))?.refused.first() {
            return Err(refusal.error.clone());
        }
        block(migrate::apply(&self.engine, sources, &options))
    }

    /// Rows of a query, cells as text.
    fn rows(&self, text: &str) -> Vec<Vec<String>> {
        ask(&*self.engine, text, &[]).unwrap()
    }

    /// Runs commands in one transaction; returns what the last one found.
    fn transact(&self, texts: &[&str]) -> Result<(), Error> {
        block(self.engine.transact(job(texts), Run::of_system(PATIENCE)))
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn command(text: &str, parameters: &[Stored]) -> Command {
    Command {
        text: text.into(),
        parameters: parameters.to_vec(),
        session: Session::utc(800_000_000_000_000),
        // As many as any test asks for: rows have no more cells than outputs.
        outputs: std::iter::repeat_n((Arc::from("column"), Type::Text), 16).collect(),
        counts_changes: false,
        calls: false,
    }
}

/// A job of these commands.
fn job(texts: &[&str]) -> Job {
    let commands: Vec<Command> = texts.iter().map(|text| command(text, &[])).collect();
    Box::new(move |transaction| {
        Box::pin(async move {
            for command in &commands {
                transaction.run(command, 0, &mut Values::default()).await?;
            }
            Ok(())
        })
    })
}

/// A sink that keeps cells as text.
#[derive(Default)]
struct Cells(Vec<Vec<String>>);

impl engine::Sink for Cells {
    fn row(&mut self, _: usize, cells: &[types::stored::Cell<'_>]) -> Result<()> {
        use types::stored::Cell;
        let words = cells.iter().map(|cell| match cell {
            Cell::Null => "null".to_owned(),
            Cell::Int(value) => value.to_string(),
            Cell::Real(value) => format!("{value:?}"),
            Cell::Text(text) => (*text).to_owned(),
            Cell::Blob(bytes) => format!("{bytes:?}"),
            Cell::Json(text) => format!("{text:?}"),
        });
        self.0.push(words.collect());
        Ok(())
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

fn ask(engine: &dyn Engine, text: &str, parameters: &[Stored]) -> Result<Vec<Vec<String>>, Failure> {
    ask_within(engine, text, parameters, PATIENCE)
}

fn ask_within(
    engine: &dyn Engine,
    text: &str,
    parameters: &[Stored],
    timeout: Duration,
) -> Result<Vec<Vec<String>>, Failure> {
    let sink = block(engine.read(
        vec![command(text, parameters)],
        Box::new(Cells::default()),
        Run::of_system(timeout),
    ))?;
    let sink: Box<dyn Any> = sink;
    Ok(sink.downcast::<Cells>().unwrap().0)
}

/// A declared schema on top of the services' own.
fn declared(schema: &str) -> Sources {
    Sources {
        base: Arc::new(catalog::builtin()),
        system: vec![File { name: "auth".to_owned(), text: AUTH.into() }],
        layout: Layout::Declared,
        schema: vec![File { name: "schema.sql".to_owned(), text: schema.into() }],
        seeds: Vec::new(),
    }
}

/// Migrations without the services' schemas.
fn migrations(files: &[(&str, &str)]) -> Sources {
    let files = files.iter().map(|(name, text)| File { name: (*name).to_owned(), text: (*text).into() });
    Sources {
        base: Arc::new(catalog::builtin()),
        system: Vec::new(),
        layout: Layout::Migrations,
        schema: files.collect(),
        seeds: Vec::new(),
    }
}

const AUTH: &str = include_str!("../../../auth/src/schema.sql");

#[test]
fn values_of_another_type_are_damage() {
    let fixture = Fixture::new();
    let sink = Box::new(Values::of([Type::Uuid]));
    let command = command("SELECT 'x'", &[]);
    let failure = block(fixture.engine.read(vec![command], sink, Run::of_system(PATIENCE))).err().unwrap();
    assert!(matches!(failure, Failure::Error(error) if error.code() == types::Code::DATA_CORRUPTED));
}
