//! The body of a reply: in memory while it is short; of a long one, all but the end is put aside.
//!
//! A reply says how many rows it has before the first of them, and what fails at the last row is a refusal, not half a body:
//! so a body is whole before its reply begins. Where the rest of a long one is kept is not known here.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use types::Result;

/// What was put aside of one body. It is gone when nobody holds it any more.
pub trait Spool: Any + Debug + Send + Sync {
    /// Adds to its end.
    ///
    /// # Errors
    /// `53100` when there is no space left, `BP429` when all bodies together are too long, `58030` when it cannot be written.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// How many bytes it holds.
    fn length(&self) -> u64;
}

/// Where long bodies are put aside.
pub trait Spools: Debug + Send + Sync {
    /// A new one, empty.
    ///
    /// # Errors
    /// `53100` and `58030` as [`Spool::append`].
    fn open(&self) -> Result<Box<dyn Spool>>;
}

/// From which length on a body is put aside, and where.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Bytes that stay in memory.
    pub memory_bytes_max: usize,
    /// Where the others go.
    pub spools: Arc<dyn Spools>,
}

/// A body.
#[derive(Clone, Debug, Default)]
pub struct Body {
    spool: Option<Arc<dyn Spool>>,
    bytes: Vec<u8>,
}

impl Body {
    /// A body of which all but the end was put aside.
    pub(super) fn new(spool: Option<Box<dyn Spool>>, bytes: Vec<u8>) -> Body {
        Body { spool: spool.map(Arc::from), bytes }
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        let aside = self.spool.as_ref().map_or(0, |spool| spool.length());
        aside.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length() == 0
    }

    /// All of it, unless something was put aside.
    pub fn in_memory(self) -> Option<Vec<u8>> {
        self.spool.is_none().then_some(self.bytes)
    }

    /// What was put aside, and what comes after it.
    pub fn into_parts(self) -> (Option<Arc<dyn Spool>>, Vec<u8>) {
        (self.spool, self.bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body { spool: None, bytes }
    }
}

impl PartialEq for Body {
    /// What was put aside is equal to itself alone.
    fn eq(&self, other: &Body) -> bool {
        let same = match (&self.spool, &other.spool) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (Some(_), None) | (None, Some(_)) => false,
        };
        same && self.bytes == other.bytes
    }
}

impl Eq for Body {}
