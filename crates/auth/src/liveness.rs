//! Whether the session of a token is still there, for the APIs that do not look users up themselves.
//!
//! What was found out is believed for five seconds: so long may a token outlive its session on another node. On the node
//! that ends it, it ends at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use engine::Database;
use types::{Result, Value};

use crate::instant::SECOND;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::statements as sql;
use crate::store::Columns;
use crate::token::Verified;

/// For how long an answer is believed.
pub(crate) const BELIEVED: i64 = 5 * SECOND;

/// Sessions that are remembered. Beyond, all are forgotten: each is asked for again.
const SESSIONS_MAX: usize = 65_536;

/// What is known about sessions: when it was found out, and until when (microseconds) the session is good.
#[derive(Default)]
pub(crate) struct Liveness(Mutex<HashMap<[u8; 16], Found>>);

#[derive(Clone, Copy)]
struct Found {
    at: i64,
    is_live: bool,
}

impl Liveness {
    fn get(&self, session: &[u8; 16], now: i64) -> Option<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).copied()?;
        (known.at..=known.at.saturating_add(BELIEVED)).contains(&now).then_some(known.is_live)
    }

    fn put(&self, session: [u8; 16], found: Found) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SESSIONS_MAX {
            known.clear();
        }
        known.insert(session, found);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Service {
    /// Forgets what it believes about sessions: some have just ended.
    pub(crate) fn forget_sessions(&self) {
        self.liveness.clear();
    }

    /// Whether the session of a verified token is still there, its user neither deleted nor banned. Tokens without a
    /// session (keys, tokens of other issuers) are always good.
    ///
    /// # Errors
    /// [`Refusal::Revoked`] inside; outside, what the database refuses.
    pub async fn check_session(&self, token: &Verified) -> Result<Result<(), Refusal>> {
        let Some(session) = token.session else { return Ok(Ok(())) };
        let now = self.clock.now_micros();
        let is_live = match self.liveness.get(&session, now) {
            Some(is_live) => is_live,
            None => {
                let is_live = is_live(&self.database, self.config.statement_timeout, session, now).await?;
                self.liveness.put(session, Found { at: now, is_live });
                is_live
            }
        };
        Ok(if is_live { Ok(()) } else { Err(Refusal::Revoked) })
    }
}

async fn is_live(
    database: &Database,
    timeout: std::time::Duration,
    session: [u8; 16],
    now: i64,
) -> Result<bool> {
    let rows = database.transact(timeout, move |work| {
        Box::pin(async move { work.query(&sql::SESSION_LIVE, vec![Value::Uuid(session)]).await })
    });
    let banned_until = rows.await?.into_iter().next().map(|row| Columns::of(row).time());
    Ok(banned_until.is_some_and(|until| until.is_none_or(|until| now >= until)))
}
