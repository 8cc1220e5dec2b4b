//! The same SQL text, resolved, written for PostgreSQL and run on it by the driver: what the renderer says is what was meant.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use drivers::postgres::{CAPABILITIES, Options, Postgres};
use engine::{Asked, Engine, Run, Sink};
use query::{Caller, Model, Query, delegated};
use render::Bindings;
use types::session::Session;
use types::stored::{Cell, decode};
use types::{Error, Result, Type, text};

use super::Outcome;

/// PostgreSQL, by the driver.
pub(crate) struct Native {
    postgres: Postgres,
    runtime: tokio::runtime::Runtime,
    run: Run,
}

impl Native {
    pub(crate) fn open(url: &str, now: i64) -> Native {
        assert!(CAPABILITIES.native_policies);
        let search_path = vec!["public".to_owned(), "extensions".to_owned()];
        let asked = Asked { search_path, ..Asked::default() };
        let run = Run {
            caller: Caller::role("postgres"),
            session: Session::utc(now),
            request: Some(Arc::new(asked)),
            ..Run::of_system(Duration::from_secs(20))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Native { postgres: Postgres::new(&Options::new(url)).unwrap(), runtime, run }
    }

    /// Answers a query of one column; `None` where the result travels as JSON.
    pub(crate) fn answer(&self, query: Query, model: &Model) -> Option<Outcome> {
        self.rows(query, model).unwrap_or_else(|error| Some(Outcome::error(&error)))
    }

    fn rows(&self, query: Query, model: &Model) -> Result<Option<Outcome>> {
        let authorized = delegated(query)?;
        let Query::Read(read) = authorized.get() else { return Err(Error::internal("a write")) };
        let bindings = Bindings {
            caller: &self.run.caller,
            session: &self.run.session,
            parameters: &[],
            written: &[],
            given: &[],
        };
        let command = render::postgres::read(&model.catalog, read, &bindings)?;
        let ty = command.outputs[0].1.clone();
        let found: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let sink = Texts { ty, session: self.run.session.clone(), is_json: false, rows: found.clone() };
        let sink: Box<dyn Sink> = Box::new(sink);
        let sink = self.runtime.block_on(self.postgres.read(vec![command], sink, self.run.clone()))?;
        let sink: Box<dyn std::any::Any> = sink;
        let is_json = sink.downcast::<Texts>().is_ok_and(|sink| sink.is_json);
        let rows = std::mem::take(&mut *found.lock().unwrap());
        Ok((!is_json).then_some(Outcome::Rows(rows)))
    }
}

struct Texts {
    ty: Type,
    session: Session,
    is_json: bool,
    rows: Arc<Mutex<Vec<Option<String>>>>,
}

impl Sink for Texts {
    fn row(&mut self, _: usize, cells: &[Cell<'_>]) -> Result<()> {
        self.is_json |= matches!(cells[0], Cell::Json(_));
        let value = decode(&self.ty, cells[0])?;
        let shown = (!value.is_null()).then(|| text::print(&self.ty, &value, &self.session));
        self.rows.lock().unwrap().push(shown);
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.lock().unwrap().clear();
    }
}
