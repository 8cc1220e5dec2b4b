//! Evaluation of huge values looks now and then whether it may go on, and refuses to make what does not fit.
//!
//! Whoever is [around] is asked.

use std::cell::Cell;

use types::{Code, Error, Result, Value};

use super::around;

/// Largest value that is made here: PostgreSQL's bound is a gigabyte, of memory that others share.
pub(super) const VALUE_BYTES_MAX: usize = 128 << 20;

/// Most elements of an array that is made of a text.
const ELEMENTS_MAX: usize = 4_000_000;

/// Most bytes of all operands of a function.
const OPERANDS_BYTES_MAX: usize = 2 * VALUE_BYTES_MAX;

/// Steps between two looks.
const STEPS_PER_LOOK: usize = 256;

/// Bytes that are worked on in about the time of a step.
const BYTES_PER_STEP: usize = 4096;

thread_local! {
    /// Steps since the last look that were made of calls.
    static CALLED: Cell<usize> = const { Cell::new(0) };
}

/// Refuses to go on when the time is over.
fn check() -> Result<()> {
    if around::is_spent() {
        return Err(Error::new(Code::QUERY_CANCELED, "canceling statement due to statement timeout"));
    }
    Ok(())
}

/// Steps of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Steps(usize);

impl Steps {
    /// One more.
    ///
    /// # Errors
    /// `57014` when the time is over.
    pub(super) fn next(&mut self) -> Result<()> {
        self.many(1)
    }

    /// As many as so many bytes are worth, and one more.
    ///
    /// # Errors
    /// As [`Steps::next`].
    pub(super) fn over(&mut self, bytes: usize) -> Result<()> {
        self.many(1 + bytes / BYTES_PER_STEP)
    }

    fn many(&mut self, steps: usize) -> Result<()> {
        self.0 = self.0.saturating_add(steps);
        if self.0 < STEPS_PER_LOOK {
            return Ok(());
        }
        self.0 = 0;
        check()
    }
}

/// Begins a function: what it is given is bounded, and many short ones look at the time like a long one.
///
/// # Errors
/// `54000` for operands that are too long together, `57014` when the time is over.
pub(super) fn begin(operands: &[Value]) -> Result<()> {
    let bytes = operands.iter().map(|operand| match operand {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    });
    let bytes = bytes.sum::<usize>();
    if bytes > OPERANDS_BYTES_MAX {
        return Err(Error::new(
            Code::LIMIT_EXCEEDED,
            format!("operands of more than {OPERANDS_BYTES_MAX} bytes"),
        ));
    }
    let steps = CALLED.get() + 1 + bytes / BYTES_PER_STEP;
    CALLED.set(if steps < STEPS_PER_LOOK { steps } else { 0 });
    if steps < STEPS_PER_LOOK { Ok(()) } else { check() }
}

/// Refuses what a function has made, where it is more than there may be.
///
/// # Errors
/// `54000`
pub(super) fn made(value: Value) -> Result<Value> {
    match &value {
        Value::Text(text) => fits(text.len())?,
        Value::Bytes(bytes) => fits(bytes.len())?,
        Value::Array(array) => fits_elements(array.elements.len())?,
        _ => {}
    }
    Ok(value)
}

/// Refuses to write out what holds more than there may be: of many elements that are one text in memory, each is written.
///
/// # Errors
/// `54000`
pub(crate) fn writable(value: &Value) -> Result<()> {
    match value {
        Value::Array(_) | Value::Row(_) => fits(value.weight()),
        _ => Ok(()),
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
    use std::sync::Arc;

    use super::*;
    use crate::functions::around::spent;

    #[test]
    fn what_functions_are_given_and_make_is_bounded() {
        let long = Value::text("x".repeat(VALUE_BYTES_MAX));
        begin(&[long.clone(), long.clone()]).unwrap();
        assert_eq!(
            begin(&[long.clone(), long.clone(), long.clone()]).unwrap_err().code(),
            Code::LIMIT_EXCEEDED
        );
        made(long.clone()).unwrap();
        assert!(made(Value::text("x".repeat(VALUE_BYTES_MAX + 1))).is_err());
        let shared = |times| {
            let elements = vec![Value::text("x".repeat(1 << 20)); times];
            Value::Array(Arc::new(types::value::Array { dimensions: vec![1], elements }))
        };
        writable(&shared(100)).unwrap();
        assert!(writable(&shared(200)).is_err() && made(shared(200)).is_ok());
    }

    #[test]
    fn calls_look_at_the_time_by_what_they_are_given() {
        let _around = spent(true);
        let word = [Value::text("x")];
        assert!((0..STEPS_PER_LOOK).any(|_| begin(&word).is_err()));
        assert!(begin(&[Value::text("x".repeat(STEPS_PER_LOOK * BYTES_PER_STEP))]).is_err());
    }

    #[test]
    fn steps_end_when_the_time_is_over() {
        let many = || (0..1_000).try_for_each(|_| Steps::default().next());
        let far = || {
            let mut steps = Steps::default();
            (0..1_000).try_for_each(|_| steps.next())
        };
        far().unwrap();
        {
            let _around = spent(true);
            many().unwrap();
            assert_eq!(far().unwrap_err().code(), Code::QUERY_CANCELED);
            {
                let _inner = spent(false);
                far().unwrap();
            }
            assert!(far().is_err());
        }
        far().unwrap();
    }
}
