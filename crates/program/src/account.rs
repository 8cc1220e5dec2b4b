//! What rows and values of interpreted functions take of memory, all of a transaction together.
//!
//! Rows are counted while they come, so that a statement ends before it takes more than there may be; small variables are not
//! counted, for a body has only so many. A text that stands in several places counts in each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use types::{Code, Error, Result, Value};

/// Bytes up to which a variable is not counted.
const SMALL: usize = 4 << 10;

/// The bytes that a transaction's functions hold.
#[derive(Debug)]
pub struct Account {
    held: AtomicUsize,
    most: usize,
}

impl Account {
    /// One of at most so many bytes.
    pub fn of(most: usize) -> Arc<Account> {
        Arc::new(Account { held: AtomicUsize::new(0), most })
    }

    /// Begins to hold something.
    pub fn hold(self: &Arc<Account>) -> Held {
        self.hold_of("functions")
    }

    /// The same for somebody else, who is named where it is too much.
    pub fn hold_of(self: &Arc<Account>, who: &'static str) -> Held {
        Held { account: Some(self.clone()), bytes: 0, who }
    }
}

/// A part of what is held; given back when it is dropped. By default it counts nothing.
#[derive(Debug, Default)]
pub struct Held {
    account: Option<Arc<Account>>,
    bytes: usize,
    who: &'static str,
}

impl Held {
    /// Holds a row more.
    ///
    /// # Errors
    /// `54000` beyond what may be held.
    pub fn row(&mut self, row: &[Value]) -> Result<()> {
        self.grow(size_of::<Vec<Value>>() + row.iter().map(Value::weight).sum::<usize>())
    }

    /// Holds a value instead of what was held, if it is large.
    ///
    /// # Errors
    /// As [`Held::row`].
    pub fn value(&mut self, value: &Value) -> Result<()> {
        self.release();
        match value.weight() {
            bytes if bytes > SMALL => self.grow(bytes),
            _ => Ok(()),
        }
    }

    fn grow(&mut self, bytes: usize) -> Result<()> {
        let Some(account) = &self.account else { return Ok(()) };
        let before = account.held.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) <= account.most {
            return Ok(());
        }
        let message = format!("{} hold more than {} bytes of rows and values", self.who, account.most);
        Err(Error::new(Code::LIMIT_EXCEEDED, message))
    }

    fn release(&mut self) {
        if let Some(account) = &self.account {
            account.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
        self.bytes = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let account = Account::of(10_000);
        let big = Value::text("x".repeat(6_000));
        let mut first = account.hold();
        first.value(&big).unwrap();
        assert_eq!(account.hold().row(std::slice::from_ref(&big)).unwrap_err().code(), Code::LIMIT_EXCEEDED);
        first.value(&Value::Int(1)).unwrap();
        account.hold().row(std::slice::from_ref(&big)).unwrap();
        first.value(&big).unwrap();
        drop(first);
        account.hold().value(&big).unwrap();
        assert_eq!(account.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn values_weigh_what_they_point_to() {
        let text = Value::text("x".repeat(1_000));
        assert!(Value::Row(vec![text.clone(), text].into()).weight() > 2_000);
    }
}
