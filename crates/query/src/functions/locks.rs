//! Advisory locks (PostgreSQL 9.27.10): what one writer at a time makes of them.
//!
//! Statements that write run one after the other, and a request is a transaction and a session: nobody else can hold a lock
//! when it is asked for, so it is always granted. What a session holds decides what unlocking answers.

use types::{Result, Value};

use super::Ty::{Bool, Int4 as I, Int8 as L, Void};
use super::arguments::int;
use super::{Context, Function};

/// A lock until the end of the session, one until the end of the transaction, and what each answers.
macro_rules! rows {
    ($($name:literal $result:ident $eval:expr;)*) => {
        &[
            $(
                Function::new($name, &[L], $result, $eval).volatile(),
                Function::new($name, &[I, I], $result, $eval).volatile(),
            )*
            Function::new("pg_advisory_unlock_all", &[], Void, |c, _| {
                c.session.settings.set(HELD, "")?;
                Ok(nothing())
            })
            .volatile(),
        ]
    };
}

pub(super) static ROWS: &[Function] = rows! {
    "pg_advisory_lock" Void |c, a| take(c, 'x', a).map(|()| nothing());
    "pg_advisory_lock_shared" Void |c, a| take(c, 's', a).map(|()| nothing());
    "pg_try_advisory_lock" Bool |c, a| take(c, 'x', a).map(|()| Value::Bool(true));
    "pg_try_advisory_lock_shared" Bool |c, a| take(c, 's', a).map(|()| Value::Bool(true));
    "pg_advisory_xact_lock" Void |_, _| Ok(nothing());
    "pg_advisory_xact_lock_shared" Void |_, _| Ok(nothing());
    "pg_try_advisory_xact_lock" Bool |_, _| Ok(Value::Bool(true));
    "pg_try_advisory_xact_lock_shared" Bool |_, _| Ok(Value::Bool(true));
    "pg_advisory_unlock" Bool |c, a| give_back(c, 'x', a);
    "pg_advisory_unlock_shared" Bool |c, a| give_back(c, 's', a);
};

/// The setting with the locks of the session. Nobody else can name it: it has no dot.
const HELD: &str = "advisory_locks";

/// `void` prints as nothing.
fn nothing() -> Value {
    Value::text("")
}

/// A lock in one word: its mode and its key. Keys of one number and of two are different locks.
fn word(mode: char, arguments: &[Value]) -> Result<String> {
    let mut word = mode.to_string();
    for position in 0..arguments.len() {
        word.push_str(&format!(":{}", int(arguments, position)?));
    }
    Ok(word)
}

fn take(context: &Context<'_>, mode: char, arguments: &[Value]) -> Result<()> {
    let settings = &context.session.settings;
    let held = settings.get(HELD).unwrap_or_default();
    settings.set(HELD, &format!("{held}{} ", word(mode, arguments)?))
}

/// Whether the session held the lock; of one that was taken twice, one is left.
fn give_back(context: &Context<'_>, mode: char, arguments: &[Value]) -> Result<Value> {
    let settings = &context.session.settings;
    let held = settings.get(HELD).unwrap_or_default();
    let wanted = word(mode, arguments)?;
    let mut words: Vec<&str> = held.split_whitespace().collect();
    let Some(at) = words.iter().position(|word| *word == wanted) else { return Ok(Value::Bool(false)) };
    words.remove(at);
    let left: String = words.iter().map(|word| format!("{word} ")).collect();
    settings.set(HELD, &left)?;
    Ok(Value::Bool(true))
}
