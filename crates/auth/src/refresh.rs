//! Refresh tokens: used once, each answered by its successor.
//!
//! A successor is derived from its parent with a secret of the project, so that a client that lost an answer gets the
//! same token again although only digests are stored. A token that comes back too late ends its session: somebody has
//! a copy.

use engine::Work;
use ring::hmac;
use types::text::print_uuid;
use types::{Result, Value};

use crate::encoding::{encode, sha256};
use crate::entropy::{Random, bytes};
use crate::error::AuthResult;
use crate::instant::SECOND;
use crate::sessions::{self, Scope, Session};
use crate::statements as sql;
use crate::store::{Columns, first};

/// Bytes of a token's secret: 128 bits.
const TOKEN_BYTES: usize = 16;

/// How many successors are tried to get from a used token to the one in force.
const CHAIN_MAX: usize = 64;

/// The bounds of a token's length: GoTrue's first generation had 12 characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=128;

/// Whether a text can be a refresh token.
pub(crate) fn is_well_formed(token: &str) -> bool {
    LENGTHS.contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What is stored of a token.
fn stored(token: &str) -> String {
    encode(&sha256(token.as_bytes()))
}

/// The token that follows a token.
fn successor(secret: &[u8; 32], token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, format!("refresh-token:{token}").as_bytes());
    encode(&tag.as_ref()[..TOKEN_BYTES])
}

/// A token's row.
pub(crate) struct Known {
    id: i64,
    stored: String,
    parent: Option<String>,
    revoked: bool,
    updated_at: i64,
    /// Its session.
    pub(crate) session: [u8; 16],
}

fn read(mut row: Columns) -> Result<Known> {
    Ok(Known {
        id: row.number().unwrap_or_default(),
        stored: row.text().unwrap_or_default(),
        parent: row.text(),
        revoked: row.flag(),
        updated_at: row.time().unwrap_or_default(),
        session: row.uuid()?,
    })
}

/// The row of a token. It is looked up by its digest: the time that takes says nothing about other tokens.
pub(crate) async fn find(work: &mut Work<'_>, token: &str) -> AuthResult<Option<Known>> {
    let row = first(work, &sql::REFRESH_TOKEN, vec![Value::text(stored(token))]).await?;
    Ok(row.map(read).transpose()?)
}

/// The first token of a session.
pub(crate) async fn begin(
    work: &mut Work<'_>,
    session: ([u8; 16], [u8; 16]),
    random: &dyn Random,
    now: i64,
) -> AuthResult<String> {
    let token = encode(&bytes::<TOKEN_BYTES>(random));
    insert(work, &token, None, session, now).await?;
    Ok(token)
}

async fn insert(
    work: &mut Work<'_>,
    token: &str,
    parent: Option<&str>,
    (session, user): ([u8; 16], [u8; 16]),
    now: i64,
) -> AuthResult<()> {
    let values = vec![
        Value::text(stored(token)),
        parent.map_or(Value::Null, Value::text),
        Value::text(print_uuid(&user)),
        Value::Uuid(session),
        Value::Timestamp(now),
    ];
    work.query(&sql::REFRESH_TOKEN_INSERT, values).await?;
    Ok(())
}

/// By which rules tokens rotate.
pub(crate) struct Rotation<'a> {
    pub(crate) secret: &'a [u8; 32],
    pub(crate) random: &'a dyn Random,
    /// Whether reuse ends the session.
    pub(crate) is_strict: bool,
    pub(crate) reuse_interval_s: u32,
    pub(crate) now: i64,
}

/// What came of a presented token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rotated {
    /// It was used for the first time; this is its successor.
    Fresh(String),
    /// It was used before, and may be; this is the token in force, and why.
    Again(String, &'static str),
    /// It was used before, and may not be.
    Reused,
}

/// Uses a token.
pub(crate) async fn rotate(
    work: &mut Work<'_>,
    token: &str,
    known: &Known,
    session: &Session,
    rotation: &Rotation<'_>,
) -> AuthResult<Rotated> {
    if !known.revoked {
        let next = successor(rotation.secret, token);
        replace(work, known, &next, session, rotation.now).await?;
        return Ok(Rotated::Fresh(next));
    }
    let row = first(work, &sql::REFRESH_TOKEN_ACTIVE, vec![Value::Uuid(session.id)]).await?;
    let active = row.map(read).transpose()?;
    let is_parent = active.as_ref().is_some_and(|active| active.parent.as_ref() == Some(&known.stored));
    let window = i64::from(rotation.reuse_interval_s).saturating_mul(SECOND);
    let is_recent = rotation.now <= known.updated_at.saturating_add(window);
    match active {
        Some(active) if is_parent || is_recent => {
            let cause = if is_recent { "concurrent-refresh" } else { "fail-to-save" };
            Ok(Rotated::Again(in_force(work, token, &active, session, rotation).await?, cause))
        }
        _ => {
            if rotation.is_strict {
                sessions::end(work, session.user, Scope::Local(session.id)).await?;
            }
            Ok(Rotated::Reused)
        }
    }
}

/// The text of the active token, found from one of its ancestors; another one when it was derived with another secret.
async fn in_force(
    work: &mut Work<'_>,
    ancestor: &str,
    active: &Known,
    session: &Session,
    rotation: &Rotation<'_>,
) -> AuthResult<String> {
    let mut token = ancestor.to_owned();
    for _ in 0..CHAIN_MAX {
        token = successor(rotation.secret, &token);
        if stored(&token) == active.stored {
            return Ok(token);
        }
    }
    let other = encode(&bytes::<TOKEN_BYTES>(rotation.random));
    replace(work, active, &other, session, rotation.now).await?;
    Ok(other)
}

/// Revokes a token and puts another in its place.
async fn replace(work: &mut Work<'_>, old: &Known, new: &str, session: &Session, now: i64) -> AuthResult<()> {
    work.query(&sql::REFRESH_TOKEN_REVOKED, vec![Value::Int(old.id), Value::Timestamp(now)]).await?;
    insert(work, new, Some(&old.stored), (session.id, session.user), now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g15_what_is_stored_is_a_digest() {
        assert_eq!(stored("token").len(), 43);
        assert_ne!(stored("token"), "token");
    }

    #[test]
    fn successors_are_tokens_that_only_the_secret_gives() {
        let (one, two) = (successor(&[1; 32], "parent"), successor(&[2; 32], "parent"));
        assert!(is_well_formed(&one) && one.len() == 22 && one != two);
        assert_eq!(one, successor(&[1; 32], "parent"));
    }

    #[test]
    fn g11_what_cannot_be_a_token_is_not_looked_up() {
        for text in
            ["", "short", "with space in it", "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", &"x".repeat(129)]
        {
            assert!(!is_well_formed(text), "{text}");
        }
        assert!(is_well_formed("abcdefgh1234"));
    }
}
