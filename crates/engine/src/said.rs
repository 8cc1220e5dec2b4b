//! What functions of the database want the reply to be: read before their transaction ends, kept in the session's settings.

use std::any::Any;

use types::session::Settings;
use types::stored::Cell;
use types::{Error, Result};

use crate::contract::Sink;

/// Passes rows on, but for those of the command that asks.
pub(crate) struct Heard {
    /// Where rows go.
    inner: Option<Box<dyn Sink>>,
    /// The position of the command that asks.
    at: usize,
    /// Where the answer goes.
    settings: Settings,
}

impl Heard {
    /// The command at this position asks; rows of others go to a sink.
    pub(crate) fn passing(inner: Box<dyn Sink>, at: usize, settings: Settings) -> Heard {
        Heard { inner: Some(inner), at, settings }
    }

    /// The only command asks.
    pub(crate) fn alone(settings: Settings) -> Heard {
        Heard { inner: None, at: 0, settings }
    }

    /// The sink inside of one that came back.
    pub(crate) fn into_inner(sink: Box<dyn Sink>) -> Result<Box<dyn Sink>> {
        let sink: Box<dyn Any> = sink;
        let heard = sink.downcast::<Heard>().ok().and_then(|heard| heard.inner);
        heard.ok_or_else(|| Error::internal("another sink came back"))
    }
}

impl Sink for Heard {
    fn row(&mut self, command: usize, cells: &[Cell<'_>]) -> Result<()> {
        if command != self.at {
            return self.inner.as_mut().map_or(Ok(()), |inner| inner.row(command, cells));
        }
        match cells {
            // What was emptied says nothing.
            [Cell::Text(name), Cell::Text(value), ..] if !value.is_empty() => self.settings.set(name, value),
            _ => Ok(()),
        }
    }

    fn restart(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.restart();
        }
    }

    fn end(&mut self) -> Result<()> {
        self.inner.as_mut().map_or(Ok(()), |inner| inner.end())
    }
}
