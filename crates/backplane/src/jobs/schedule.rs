//! Commands at times: `cron.job` says which and when, `cron.job_run_details` what came of it.
//!
//! ```text
//! due ─▶ 'starting' ─▶ 'running' ─▶ 'succeeded' with what it changed, in one transaction
//!                               └─▶ 'failed' with the error, nothing changed
//! ```
//!
//! A run that is recorded and not ended when a server starts is run then. Times that pass while no server runs are passed over,
//! as by `pg_cron`, and a job is never run twice at once. Times are UTC.

use std::collections::HashMap;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use engine::Database;
use types::session::EPOCH_MICROS;
use types::{Error, Result, Value};

use super::statements;
use crate::app::App;

statements! {
    JOBS() "select jobid, schedule from cron.job where active order by jobid";
    RECORD(Int8, Timestamptz)
        "insert into cron.job_run_details (jobid, due, database, username, command, status)
         select jobid, $2, database, username, command, 'starting' from cron.job where jobid = $1
         on conflict (jobid, due) do nothing";
    UNFINISHED()
        "select runid from cron.job_run_details where status in ('starting', 'running') order by runid limit 100";
    BEGIN(Int8, Timestamptz)
        "update cron.job_run_details set status = 'running', start_time = $2 where runid = $1";
    RUN(Int8) "select cron.run($1)";
    FAIL(Int8, Text)
        "update cron.job_run_details
         set status = 'failed', return_message = $2, end_time = clock_timestamp() where runid = $1";
}

/// How long a statement of the schedule itself may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which jobs are known, and when each is due next.
pub(super) struct Schedule {
    database: Database,
    known: Known,
    timeout: Duration,
}

#[derive(Default)]
struct Known(HashMap<i64, Job>);

struct Job {
    schedule: String,
    /// `None` for a schedule that never comes.
    due: Option<i64>,
}

impl Schedule {
    pub(super) fn new(app: &App) -> Schedule {
        Schedule {
            database: app.database.clone(),
            known: Known::default(),
            timeout: app.settings.jobs_timeout.0,
        }
    }

    /// Records the runs that are due at a time, and runs what is recorded.
    ///
    /// # Errors
    /// What the database refuses the schedule itself; the failure of a job is recorded.
    pub(super) async fn tick(&mut self, now: i64) -> Result<()> {
        let jobs = self.query(&JOBS, Vec::new()).await?;
        let jobs = jobs.iter().filter_map(|row| match &row[..] {
            [Value::Int(id), Value::Text(schedule)] => Some((*id, schedule.to_string())),
            _ => None,
        });
        for due in self.known.due(jobs.collect(), now) {
            self.query(&RECORD, vec![Value::Int(due.0), Value::Timestamp(due.1)]).await?;
        }
        for row in self.query(&UNFINISHED, Vec::new()).await? {
            let Some(Value::Int(run)) = row.first() else { continue };
            self.run(*run, now).await?;
        }
        Ok(())
    }

    async fn run(&self, run: i64, now: i64) -> Result<()> {
        self.query(&BEGIN, vec![Value::Int(run), Value::Timestamp(now)]).await?;
        let done = self.database.transact(self.timeout, move |work| {
            Box::pin(async move { work.query(&RUN, vec![Value::Int(run)]).await })
        });
        let Err(error) = done.await else { return Ok(()) };
        tracing::warn!(run, code = error.state(), "a scheduled job failed: {}", error.message());
        let message = format!("ERROR: {}", error.message());
        self.query(&FAIL, vec![Value::Int(run), Value::text(message)]).await.map(drop)
    }

    async fn query(
        &self,
        statement: &'static engine::Statement,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>> {
        self.database
            .transact(PATIENCE, move |work| Box::pin(async move { work.query(statement, parameters).await }))
            .await
    }
}

impl Known {
    /// The jobs that are due, each with the time at which it is. Those that come or change are due later than now.
    fn due(&mut self, jobs: Vec<(i64, String)>, now: i64) -> Vec<(i64, i64)> {
        let mut known = std::mem::take(&mut self.0);
        let mut due = Vec::new();
        for (id, schedule) in jobs {
            let mut job = match known.remove(&id) {
                Some(job) if job.schedule == schedule => job,
                _ => Job { due: next(&schedule, now), schedule },
            };
            if let Some(at) = job.due.filter(|at| *at <= now) {
                due.push((id, at));
                job.due = next(&job.schedule, now);
            }
            self.0.insert(id, job);
        }
        due
    }
}

/// The first time after one at which a schedule is due.
fn next(schedule: &str, now: i64) -> Option<i64> {
    if let Some(seconds) = seconds(schedule) {
        return now.checked_add(seconds.checked_mul(1_000_000)?);
    }
    let cron = cron(schedule).ok()?;
    let now = chrono::DateTime::from_timestamp_micros(now.checked_add(EPOCH_MICROS)?)?;
    let next = cron.find_next_occurrence(&now, false).ok()?;
    next.timestamp_micros().checked_sub(EPOCH_MICROS)
}

/// `30 seconds`
fn seconds(schedule: &str) -> Option<i64> {
    let (number, unit) = schedule.trim().split_once(' ')?;
    let is_seconds = unit.eq_ignore_ascii_case("seconds") || unit.eq_ignore_ascii_case("second");
    number.parse().ok().filter(|number| is_seconds && (1..=59).contains(number))
}

fn cron(schedule: &str) -> Result<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    // The last day of a month is `$` to pg_cron and `L` to the library.
    parser.parse(&schedule.trim().replace('$', "L")).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, app_of, texts};

    /// Seconds since 2000-01-01 00:00 UTC, a Saturday.
    const fn at(days: i64, hours: i64, minutes: i64, seconds: i64) -> i64 {
        (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000
    }

    #[test]
    fn schedules_come_when_vixie_cron_says() {
        let cases = [
            ("* * * * *", at(0, 0, 0, 0), at(0, 0, 1, 0)),
            ("*/5 * * * *", at(0, 0, 0, 30), at(0, 0, 5, 0)),
            ("30 3 * * *", at(0, 4, 0, 0), at(1, 3, 30, 0)),
            ("0 0 * * sun", at(0, 0, 0, 0), at(1, 0, 0, 0)),
            ("0 0 * * 7", at(0, 0, 0, 0), at(1, 0, 0, 0)),
            ("0 12 $ * *", at(0, 0, 0, 0), at(30, 12, 0, 0)),
            // A day of the month or a day of the week: either.
            ("0 0 15 * 1", at(0, 0, 0, 0), at(2, 0, 0, 0)),
            ("@hourly", at(0, 0, 0, 1), at(0, 1, 0, 0)),
            ("10 seconds", at(0, 0, 0, 0), at(0, 0, 0, 10)),
        ];
        for (schedule, now, expected) in cases {
            assert_eq!(next(schedule, now), Some(expected), "{schedule}");
        }
        for never in ["0 0 30 2 *", "60 seconds", "a b c d e", ""] {
            assert_eq!(next(never, 0), None, "{never}");
        }
    }

    #[test]
    fn a_job_is_due_once_for_each_time() {
        let mut known = Known::default();
        let jobs = || vec![(1, "* * * * *".to_owned())];
        assert_eq!(known.due(jobs(), at(0, 0, 0, 10)), []);
        assert_eq!(known.due(jobs(), at(0, 0, 1, 1)), [(1, at(0, 0, 1, 0))]);
        assert_eq!(known.due(jobs(), at(0, 0, 1, 2)), []);
        // Times that passed unseen are one.
        assert_eq!(known.due(jobs(), at(0, 1, 0, 0)), [(1, at(0, 0, 2, 0))]);
        assert_eq!(known.due(vec![(1, "0 5 * * *".to_owned())], at(0, 2, 0, 0)), []);
        assert_eq!(known.due(Vec::new(), at(0, 6, 0, 0)), []);
    }

    statements! {
        RUNS() "select jobid || ' ' || status || ' ' || coalesce(return_message, '') from cron.job_run_details order by runid";
        NOTES() "select body from notes order by id";
        CRASH() "update cron.job_run_details set status = 'running' where runid = 1";
        UNSCHEDULE() "select cron.unschedule('say')";
    }

    #[tokio::test]
    async fn commands_run_when_they_are_due() {
        let folder = Folder::of(&[(
            "schema.sql",
            "create table notes (id int generated always as identity, body text);
             create extension if not exists pg_cron;
             select cron.schedule('say', '* * * * *', $$insert into notes (body) values ('said'); delete from notes where id = 0$$);
             select cron.schedule('fail', '* * * * *', $$insert into notes (body) values ('no'); select 1 / 0$$);",
        )]);
        let app = app_of(&folder).await;
        let mut schedule = Schedule::new(&app);
        let minute = 60_000_000;
        let now = app.clock.now_micros() / minute * minute;
        schedule.tick(now + 1).await.unwrap();
        assert!(texts(&app, &RUNS).await.is_empty());
        schedule.tick(now + minute).await.unwrap();
        assert_eq!(texts(&app, &RUNS).await, ["1 succeeded 0 rows", "2 failed ERROR: division by zero"]);
        assert_eq!(texts(&app, &NOTES).await, ["said"]);
        // A server that starts finds what was not ended.
        texts(&app, &CRASH).await;
        Schedule::new(&app).tick(now + minute + 1).await.unwrap();
        assert_eq!(texts(&app, &NOTES).await, ["said", "said"]);
        texts(&app, &UNSCHEDULE).await;
        schedule.tick(now + 2 * minute).await.unwrap();
        assert_eq!(texts(&app, &RUNS).await.len(), 3);
    }
}
