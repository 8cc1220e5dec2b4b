//! Evaluation of huge values looks now and then whether it may go on, and refuses to make what does not fit.
//!
//! What is asked belongs to the thread on which an engine evaluates ([`watch`]), so that no function has to be told. Nobody asks
//! where nobody watches.

use std::cell::RefCell;
use std::sync::Arc;

use types::{Code, Error, Result};

/// Says whether nothing is left of the time.
pub type Spent = Arc<dyn Fn() -> bool + Send + Sync>;

/// Largest value that is made here: PostgreSQL's bound is a gigabyte, of memory that others share.
pub(super) const VALUE_BYTES_MAX: usize = 128 << 20;

/// Most elements of an array that is made of a text.
const ELEMENTS_MAX: usize = 4_000_000;

/// Steps between two looks.
const STEPS_PER_LOOK: u32 = 256;

thread_local! {
    static WATCHED: RefCell<Option<Spent>> = const { RefCell::new(None) };
}

/// As long as it lives, evaluation on this thread ends when nothing is left of the time.
pub struct Watch(Option<Spent>);

/// Watches the evaluation on this thread.
pub fn watch(spent: Spent) -> Watch {
    Watch(WATCHED.replace(Some(spent)))
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(self.0.take());
    }
}

/// Refuses to go on when the time is over.
fn check() -> Result<()> {
    let is_spent = WATCHED.with_borrow(|watched| watched.as_ref().is_some_and(|spent| spent()));
    if is_spent {
        return Err(Error::new(Code::QUERY_CANCELED, "canceling statement due to statement timeout"));
    }
    Ok(())
}

/// Steps of one evaluation.
#[derive(Default)]
pub(super) struct Steps(u32);

impl Steps {
    /// One more.
    ///
    /// # Errors
    /// `57014` when the time is over.
    pub(super) fn next(&mut self) -> Result<()> {
        self.0 += 1;
        if self.0 < STEPS_PER_LOOK {
            return Ok(());
        }
        self.0 = 0;
        check()
    }
}

/// Refuses a value of more bytes than there may be.
pub(super) fn fits(bytes: usize) -> Result<()> {
    if bytes <= VALUE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(Code::LIMIT_EXCEEDED, format!("a value of more than {VALUE_BYTES_MAX} bytes")))
}

/// Refuses an array of more elements than there may be.
pub(super) fn fits_elements(count: usize) -> Result<()> {
    if count <= ELEMENTS_MAX {
        return Ok(());
    }
    let message = format!("array size exceeds the maximum allowed ({ELEMENTS_MAX})");
    Err(Error::new(Code::LIMIT_EXCEEDED, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_when_the_time_is_over() {
        let many = || (0..1_000).try_for_each(|_| Steps::default().next());
        let far = || {
            let mut steps = Steps::default();
            (0..1_000).try_for_each(|_| steps.next())
        };
        far().unwrap();
        {
            let _watch = watch(Arc::new(|| true));
            many().unwrap();
            assert_eq!(far().unwrap_err().code(), Code::QUERY_CANCELED);
            {
                let _inner = watch(Arc::new(|| false));
                far().unwrap();
            }
            assert!(far().is_err());
        }
        far().unwrap();
    }
}
