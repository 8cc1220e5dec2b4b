//! Sessions: one per sign-in. A session's row is what makes its tokens good; deleting it ends them all.

use engine::Work;
use types::json::Json;
use types::text::print_uuid;
use types::{Result, Value};

use crate::codes;
use crate::config::Sessions as Rules;
use crate::entropy::uuid;
use crate::error::{AuthError, AuthResult};
use crate::fields::{number, object, string};
use crate::grants::Origin;
use crate::instant::SECOND;
use crate::statements as sql;
use crate::store::{Columns, first, text_or_null};

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: [u8; 16],
    pub(crate) user: [u8; 16],
    pub(crate) created_at: i64,
    not_after: Option<i64>,
    refreshed_at: Option<i64>,
}

/// How somebody proved who they are, for the claim `amr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// With a password.
    Password,
    /// Not at all.
    Anonymous,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::Anonymous => "anonymous",
        }
    }
}

/// Methods that are second factors.
const SECOND_FACTORS: &[&str] = &["totp", "mfa/phone", "mfa/webauthn"];

/// The methods of a session, with their times; the newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Methods(Vec<(String, i64)>);

impl Methods {
    /// The claim `aal`.
    pub(crate) fn level(&self) -> &'static str {
        let is_second = |method: &str| SECOND_FACTORS.contains(&method);
        if self.0.iter().any(|(method, _)| is_second(method)) { "aal2" } else { "aal1" }
    }

    /// Whether the session began with a link for those who forgot their password.
    pub(crate) fn is_recovery(&self) -> bool {
        self.0.iter().any(|(method, _)| method == "recovery")
    }

    /// The claim `amr`.
    pub(crate) fn json(&self) -> Json {
        let unix = |micros: i64| micros.saturating_add(types::session::EPOCH_MICROS).div_euclid(SECOND);
        let entry = |(method, at): &(String, i64)| {
            object([("method", string(method)), ("timestamp", number(unix(*at)))])
        };
        Json::Array(self.0.iter().map(entry).collect())
    }
}

fn read(mut row: Columns) -> Result<Session> {
    Ok(Session {
        id: row.uuid()?,
        user: row.uuid()?,
        created_at: row.time().unwrap_or_default(),
        not_after: row.time(),
        refreshed_at: row.time(),
    })
}

/// The session of an id.
pub(crate) async fn by_id(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<Option<Session>> {
    let row = first(work, &sql::SESSION_BY_ID, vec![Value::Uuid(id)]).await?;
    Ok(row.map(read).transpose()?)
}

/// The methods of a session.
pub(crate) async fn methods(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<Methods> {
    let rows = work.query(&sql::METHODS, vec![Value::Uuid(id)]).await?;
    let method = |row| {
        let mut row = Columns::of(row);
        (row.text().unwrap_or_default(), row.time().unwrap_or_default())
    };
    Ok(Methods(rows.into_iter().map(method).collect()))
}

/// Begins a session.
pub(crate) async fn begin(
    work: &mut Work<'_>,
    user: [u8; 16],
    method: Method,
    origin: &Origin,
) -> AuthResult<([u8; 16], Methods)> {
    let id = uuid(&*origin.random);
    let (now, agent) = (Value::Timestamp(origin.now), text_or_null(origin.user_agent.as_deref()));
    let ip = Value::text(origin.ip.as_str());
    work.query(&sql::SESSION_INSERT, vec![Value::Uuid(id), Value::Uuid(user), now.clone(), agent, ip])
        .await?;
    let claim = vec![Value::Uuid(uuid(&*origin.random)), Value::Uuid(id), now, Value::text(method.name())];
    work.query(&sql::METHOD_INSERT, claim).await?;
    Ok((id, Methods(vec![(method.name().into(), origin.now)])))
}

/// Says that a session was refreshed, from where.
pub(crate) async fn refreshed(work: &mut Work<'_>, id: [u8; 16], origin: &Origin) -> AuthResult<()> {
    let now = Value::Timestamp(origin.now);
    let values = vec![
        Value::Uuid(id),
        now.clone(),
        now,
        text_or_null(origin.user_agent.as_deref()),
        Value::text(origin.ip.as_str()),
    ];
    work.query(&sql::SESSION_REFRESHED, values).await?;
    Ok(())
}

/// Which sessions of a user end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    Global,
    /// This one.
    Local([u8; 16]),
    /// All but this one.
    Others([u8; 16]),
}

/// Ends sessions of a user.
pub(crate) async fn end(work: &mut Work<'_>, user: [u8; 16], scope: Scope) -> AuthResult<()> {
    let user = Value::Uuid(user);
    match scope {
        Scope::Global => work.query(&sql::SESSIONS_DELETE, vec![user]).await?,
        Scope::Local(session) => work.query(&sql::SESSION_DELETE, vec![Value::Uuid(session)]).await?,
        Scope::Others(session) => {
            work.query(&sql::SESSIONS_DELETE_OTHERS, vec![user, Value::Uuid(session)]).await?
        }
    };
    Ok(())
}

impl Session {
    fn last_refreshed_at(&self) -> i64 {
        self.refreshed_at.unwrap_or(self.created_at)
    }

    /// Why the session may not go on at a time; `None` when it may.
    fn ended(&self, rules: &Rules, now: i64) -> Option<&'static str> {
        let after = |start: i64, seconds: Option<u64>| {
            let length = seconds.filter(|seconds| *seconds > 0)?;
            Some(start.saturating_add(i64::try_from(length).unwrap_or(i64::MAX).saturating_mul(SECOND)))
        };
        let is_past = |end: Option<i64>| end.is_some_and(|end| now > end);
        if is_past(self.not_after) || is_past(after(self.created_at, rules.timebox_s)) {
            return Some("Invalid Refresh Token: Session Expired");
        }
        is_past(after(self.last_refreshed_at(), rules.inactivity_timeout_s))
            .then_some("Invalid Refresh Token: Session Expired (Inactivity)")
    }
}

/// Refuses to refresh a session that has ended.
pub(crate) async fn check(work: &mut Work<'_>, session: &Session, rules: &Rules, now: i64) -> AuthResult<()> {
    let refuse = |why: &str| Err(AuthError::new(codes::SESSION_EXPIRED_ON_REFRESH, why));
    if let Some(why) = session.ended(rules, now) {
        return refuse(why);
    }
    if !rules.single_per_user {
        return Ok(());
    }
    let rows = work.query(&sql::SESSIONS_OF_USER, vec![Value::Uuid(session.user)]).await?;
    for row in rows {
        let other = read(Columns::of(row))?;
        let is_newer = other.last_refreshed_at() > session.last_refreshed_at();
        if other.id != session.id && other.ended(rules, now).is_none() && is_newer {
            return refuse("Invalid Refresh Token: Session Expired (Revoked by Newer Login)");
        }
    }
    Ok(())
}

/// The session's id as text.
pub(crate) fn name(id: &[u8; 16]) -> String {
    print_uuid(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(created_at: i64, refreshed_at: Option<i64>) -> Session {
        Session { id: [1; 16], user: [2; 16], created_at, not_after: None, refreshed_at }
    }

    #[test]
    fn g16_a_session_ends_by_its_age_and_by_its_silence() {
        let rules = Rules { timebox_s: Some(100), inactivity_timeout_s: Some(10), single_per_user: false };
        let at = |seconds: i64| seconds * SECOND;
        assert_eq!(session(0, None).ended(&rules, at(10)), None);
        assert!(session(0, None).ended(&rules, at(11)).is_some_and(|why| why.ends_with("(Inactivity)")));
        assert_eq!(session(0, Some(at(95))).ended(&rules, at(100)), None);
        let expired = Some("Invalid Refresh Token: Session Expired");
        assert_eq!(session(0, Some(at(95))).ended(&rules, at(101)), expired);
        assert_eq!(session(0, None).ended(&Rules::default(), i64::MAX), None);
        let given = Session { not_after: Some(5), ..session(0, None) };
        assert_eq!(given.ended(&Rules::default(), 6), expired);
    }

    #[test]
    fn a_second_factor_raises_the_level() {
        let methods = |names: &[&str]| Methods(names.iter().map(|name| ((*name).to_owned(), 0)).collect());
        assert_eq!(methods(&["password"]).level(), "aal1");
        assert_eq!(methods(&["totp", "password"]).level(), "aal2");
        let json = methods(&["password"]).json().compact();
        assert_eq!(json, r#"[{"method":"password","timestamp":946684800}]"#);
    }
}
