//! What statements of one file share: settings, whom they are made for, and what waits for the end of their transaction.
//!
//! A file is a session and a transaction, whatever it says of them, as on PostgreSQL (`native`). Nothing here looks at rows.

use std::sync::Arc;

use query::functions::settings::{REPLICATION, replicate};
use query::{Caller, Model};
use sql::ast::{Call, Expr, ExprKind, Literal, Query, QueryBody, StatementKind};
use types::json::{self, Json};
use types::session::Session;
use types::{Error, Name, Result, text};

use super::fold::Rows;
use crate::constraints::Constraints;
use crate::in_force::Deferred;
use crate::sequences::Given;
use crate::statement::SYSTEM;
use crate::work::Work;

/// The setting that says for whom a request is.
const CLAIMS: &str = "request.jwt.claims";

/// The same for the user alone, in projects that are older.
const SUBJECT: &str = "request.jwt.claim.sub";

/// How deep the values of claims may be.
const DEPTH_MAX: usize = 64;

/// The session of a file.
pub(super) struct FileSession {
    /// What it is known by.
    pub(super) name: Arc<str>,
    session: Session,
    caller: Caller,
    /// What waits, in terms of the model.
    waiting: Vec<Deferred>,
    constraints: Constraints,
    /// What sequences have given to it.
    given: Given,
    model: Arc<Model>,
}

/// A setting that a statement changes.
pub(super) enum Setting<'a> {
    /// To this; nothing is its default.
    To(&'a str, Option<String>),
    /// To what an expression says.
    Computed(&'a str, &'a Expr),
}

impl FileSession {
    pub(super) fn begin(name: Arc<str>, now: i64, model: Arc<Model>) -> FileSession {
        let (session, caller) = (Session::utc(now), Caller::role(SYSTEM));
        let (waiting, constraints) = (Vec::new(), Constraints::default());
        FileSession { name, session, caller, waiting, constraints, given: Given::default(), model }
    }

    /// Whether something waits for its end.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Settings, time and time zone.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The model that what waits is of.
    pub(super) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Puts the session in force for a statement, which is made as a role.
    pub(super) fn enter(
        &mut self,
        work: &mut Work<'_>,
        model: &Arc<Model>,
        role: Option<&Arc<str>>,
    ) -> Result<()> {
        if !Arc::ptr_eq(&self.model, model) {
            let waiting = std::mem::take(&mut self.waiting);
            let moved = waiting.into_iter().map(|deferred| moved(deferred, &self.model, model));
            self.waiting = moved.collect::<Result<_>>()?;
            self.model = model.clone();
        }
        work.run.session = self.session.clone();
        work.run.caller = self.caller.clone();
        if let Some(role) = role {
            work.run.caller.role = role.clone();
            work.run.caller.taken_on = (**role != *SYSTEM).then(|| role.clone());
        }
        work.install();
        work.in_force.constrain(|said| *said = self.constraints.clone());
        work.in_force.given(|given| *given = self.given.clone());
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|deferred| work.in_force.defer(deferred))
    }

    /// Takes back what is in force after a statement; of one that failed only what was there before.
    pub(super) fn leave(&mut self, work: &Work<'_>, before: usize, is_done: bool) {
        let waiting = work.in_force.take_deferred().into_iter();
        self.waiting = waiting.take(if is_done { usize::MAX } else { before }).collect();
        self.given = work.in_force.given(|given| given.clone());
        if is_done {
            self.constraints = work.in_force.constraints();
            self.session = work.run.session.clone();
        }
    }

    /// How many things wait.
    pub(super) fn count(&self) -> usize {
        self.waiting.len()
    }

    /// Changes a setting for the statements that follow.
    ///
    /// # Errors
    /// `22023` for a time zone that there is not, `54000` for more than settings hold.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let lower = name.to_ascii_lowercase();
        match (lower.as_str(), value) {
            ("all", None) => {
                self.session = Session::utc(self.session.now);
                self.caller = Caller::role(SYSTEM);
            }
            ("timezone", value) => {
                let mut session = Session::in_zone(value.unwrap_or("UTC"), self.session.now)?;
                session.settings = self.session.settings.clone();
                self.session = session;
            }
            (CLAIMS, value) => self.caller = claimed(value.unwrap_or_default()),
            (REPLICATION, value) => replicate(&self.session.settings, value.unwrap_or_default())?,
            (SUBJECT, value) => self.caller.uid = value.and_then(text::uuid),
            _ => {}
        }
        if lower.contains('.') && lower != CLAIMS {
            self.session.settings.set(&lower, value.unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Whom claims are about. What is no object is nobody's: whoever reads it is refused then.
fn claimed(claims: &str) -> Caller {
    let read = json::parse(claims, DEPTH_MAX).ok();
    let claim = |name: &str| read.as_ref().and_then(|claims| claims.get(name)).and_then(Json::as_str);
    Caller {
        claims: (!claims.is_empty()).then(|| claims.into()),
        uid: claim("sub").and_then(text::uuid),
        email: claim("email").map(Arc::from),
        ..Caller::role(SYSTEM)
    }
}

/// The settings that a statement changes and that others of its session may see; `None` for one that does something else.
pub(super) fn settings(statement: &StatementKind) -> Option<Vec<Setting<'_>>> {
    match statement {
        StatementKind::Set { name, values, .. } => {
            let value = (!values.is_empty()).then(|| values.join(", ").trim_matches('\'').to_owned());
            is_seen(name).then(|| vec![Setting::To(name, value)])
        }
        StatementKind::Reset(name) => (name == "all" || is_seen(name)).then(|| vec![Setting::To(name, None)]),
        StatementKind::Query(query) => configured(query),
        _ => None,
    }
}

/// Whether a statement that follows may ask for a setting: those that somebody made up, the time zone,
/// and whether triggers and foreign keys do anything.
fn is_seen(name: &str) -> bool {
    name.contains('.') || name.eq_ignore_ascii_case("timezone") || name.eq_ignore_ascii_case(REPLICATION)
}

/// `select set_config('name', value, …) [, …]`
fn configured(query: &Query) -> Option<Vec<Setting<'_>>> {
    let QueryBody::Select(select) = &query.body else { return None };
    if !select.from.is_empty() || select.targets.is_empty() {
        return None;
    }
    let calls = select.targets.iter().map(|target| match &*target.expr.kind {
        ExprKind::Call(call) if call.name.name == "set_config" => setting(call),
        _ => None,
    });
    calls.collect()
}

fn setting(call: &Call) -> Option<Setting<'_>> {
    let [name, value, ..] = &call.args[..] else { return None };
    match &*name.value.kind {
        ExprKind::Literal(Literal::String(name)) if is_seen(name) => {
            Some(Setting::Computed(name, &value.value))
        }
        _ => None,
    }
}

/// What waits, in terms of another model.
///
/// # Errors
/// `55006` when what it is about was changed meanwhile.
fn moved(deferred: Deferred, from: &Model, to: &Model) -> Result<Deferred> {
    let table_of = |table: catalog::TableId| -> Result<catalog::TableId> {
        let before = &from.catalog[table];
        let found = to.catalog.table(&before.name);
        let same = found.filter(|(_, now)| now.columns == before.columns);
        same.map(|(id, _)| id).ok_or_else(|| pending(&before.name))
    };
    let key_of = |table: catalog::TableId, key: usize| -> Result<(catalog::TableId, usize)> {
        let there = table_of(table)?;
        let name = &from.catalog[table].foreign_keys[key].name;
        let at = to.catalog[there].foreign_keys.iter().position(|known| known.name == *name);
        Ok((there, at.ok_or_else(|| pending(&from.catalog[table].name))?))
    };
    match deferred {
        Deferred::Trigger { table, trigger, operation, old, new } => {
            let there = table_of(table)?;
            let name = &from[table].triggers[trigger].name;
            let at = to[there].triggers.iter().position(|known| known.name == *name);
            let trigger = at.ok_or_else(|| pending(&from.catalog[table].name))?;
            Ok(Deferred::Trigger { table: there, trigger, operation, old, new })
        }
        Deferred::Reference { from: table, key, at, row } => {
            let (from, key) = key_of(table, key)?;
            Ok(Deferred::Reference { from, key, at, row })
        }
        Deferred::Left { from: table, key, values, restricts } => {
            let (from, key) = key_of(table, key)?;
            Ok(Deferred::Left { from, key, values, restricts })
        }
        Deferred::Unique { table, key, row } => {
            let there = table_of(table)?;
            let name = &from[table].uniques[key].name;
            let at = to[there].uniques.iter().position(|known| known.name == *name);
            let key = at.ok_or_else(|| pending(&from.catalog[table].name))?;
            Ok(Deferred::Unique { table: there, key, row })
        }
    }
}

fn pending(table: &Name) -> Error {
    let message = format!("cannot ALTER TABLE \"{}\" because it has pending trigger events", table.name);
    Error::raised("55006", message)
}

/// The role that rows are touched as, where a file took on another than its owner. Those of the service are superusers where
/// projects come from.
pub(super) fn taken_on(role: &Arc<str>, owner: &str) -> Option<Arc<str>> {
    (&**role != owner && &**role != SYSTEM && !role.starts_with("supabase_")).then(|| role.clone())
}

impl Rows {
    /// Whether it changes nothing but settings of its session.
    pub(super) fn is_of_session(&self) -> bool {
        matches!(&self.doing, super::fold::Doing::Statement(statement) if settings(statement).is_some())
    }
}
