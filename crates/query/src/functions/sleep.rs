//! Functions that wait (PostgreSQL 9.9.5). Nothing here waits: whoever is around does, within the time of the request.

use std::time::Duration;

use types::{Result, Value, moment};

use super::Ty::{Float8 as F, Interval as V, Timestamptz as Z, Void};
use super::arguments::{float, interval, ok_text, timestamp};
use super::{Context, Function, around};

pub(super) static ROWS: &[Function] = &[
    Function::new("pg_sleep", &[F], Void, |_, a| sleep(float(a, 0)?)).volatile().around(),
    Function::new("pg_sleep_for", &[V], Void, |c, a| {
        let now = (c.clock)();
        sleep(seconds(now, moment::add(now, interval(a, 0)?, Some(c.session))?))
    })
    .volatile()
    .around(),
    Function::new("pg_sleep_until", &[Z], Void, |c, a| sleep(seconds_until(c, timestamp(a, 0)?)))
        .volatile()
        .around(),
];

fn seconds_until(context: &Context<'_>, end: i64) -> f64 {
    match end {
        i64::MAX => f64::INFINITY,
        i64::MIN => f64::NEG_INFINITY,
        end => seconds((context.clock)(), end),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody waits for a century to the microsecond")]
fn seconds(from: i64, to: i64) -> f64 {
    (i128::from(to) - i128::from(from)) as f64 / 1e6
}

/// Waits; `void` prints as nothing. No time, and none that is a number, is over at once.
fn sleep(seconds: f64) -> Result<Value> {
    if seconds > 0.0 {
        around::wait(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))?;
    }
    ok_text("")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use types::session::Session;
    use types::value::Interval;
    use types::{Error, Type};

    use super::*;
    use crate::functions::around::{Around, Counting};
    use crate::functions::{Kind, choose};

    #[derive(Default)]
    struct Waits(Mutex<Vec<Duration>>);

    impl Around for Waits {
        fn is_spent(&self) -> bool {
            false
        }

        fn wait(&self, time: Duration) -> Result<()> {
            self.0.lock().unwrap().push(time);
            Ok(())
        }

        fn count(&self, _: &Counting<'_>) -> Result<Value> {
            Err(Error::internal("no sequence"))
        }
    }

    fn call(name: &str, argument: &Type, value: Value) {
        let session = Session::utc(0);
        let clock = || 1_000_000;
        let mut context = Context { arguments: &[], session: &session, random: &mut |_| {}, clock: &clock };
        let function = choose(name, Kind::Function, std::slice::from_ref(argument)).unwrap().function;
        assert!(
            matches!(function.call(&mut context, &[value]).unwrap(), Value::Text(text) if text.is_empty())
        );
    }

    #[test]
    fn whoever_is_around_waits_for_what_is_left() {
        let waits = Arc::new(Waits::default());
        let float = |seconds| call("pg_sleep", &Type::Float8, Value::Float(seconds));
        float(1.0);
        let _entered = around::enter(waits.clone());
        [0.25, 0.0, -1.0, f64::NAN, f64::INFINITY].into_iter().for_each(float);
        let minute = Value::Interval(Interval { micros: 60_000_000, ..Interval::default() });
        call("pg_sleep_for", &Type::Interval, minute);
        for end in [3_500_000, 0, i64::MIN, i64::MAX] {
            call("pg_sleep_until", &Type::Timestamptz, Value::Timestamp(end));
        }
        let found = [
            Duration::from_millis(250),
            Duration::MAX,
            Duration::from_secs(60),
            Duration::from_millis(2_500),
            Duration::MAX,
        ];
        assert_eq!(*waits.0.lock().unwrap(), found);
    }
}
