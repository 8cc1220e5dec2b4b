//! A batch on the road: its requests, each as if it came alone, in one transaction.
//!
//! A request that waits for no result is prepared before the transaction begins, one that refers to others when they have
//! answered; both by the one function that prepares every request. The first that fails undoes all of them and is the reply.

use std::sync::Arc;

use engine::{Access, Database, Run, Sink, Work};
use query::{Caller, Model};
use rest::batch::{Answered, Batch, Entry, Kind, refused};
use rest::prefer::Prefer;
use rest::{Http, Reply};
use types::session::Session;
use types::{Capabilities, Code, Error, Name, Result};

use super::{DataApi, Ground, Mark, Planned, Prepared, check_role, prepared, rolls_back, timeout};
use crate::asked::search_path;

/// Whether a request is a batch: one that could be an insert into a table of that name is one.
pub(super) fn is_meant(http: &Http<'_>, ground: Ground<'_>) -> Result<bool> {
    match rest::batch::kind(http) {
        Kind::No => Ok(false),
        Kind::Certainly => Ok(true),
        Kind::Perhaps => {
            let schema = rest::resolve::schema(http.header("content-profile"), &ground.api.schemas)?;
            Ok(ground.model.catalog.table(&Name::new(schema, NAME)).is_none())
        }
    }
}

/// The table that would be meant otherwise.
const NAME: &str = "batch";

/// Answers a batch.
pub(super) async fn answer(
    database: &Database,
    ground: Ground<'_>,
    http: &Http<'_>,
    mark: Mark<'_>,
) -> Result<Reply> {
    let batch = rest::batch::parse(http, &ground.api.limits)?;
    mark("parse");
    check_role(ground.model, &ground.caller.role, ground.api)?;
    let applied = applied(ground.api, &batch.prefer);
    let headers = http.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let owned = Owned::of(ground, headers.collect());
    let run = Run {
        caller: ground.caller.clone(),
        session: Session::utc(ground.now),
        timeout: timeout(ground.api, ground.caller, ground.model),
        roll_back: rolls_back(ground.api, &batch.prefer),
        request: ground.capabilities.native_functions.then(Arc::default),
        search_path: search_path(ground.api.schemas.first().map_or("public", String::as_str), ground.api),
        routines: None,
    };
    let access = if batch.only_reads() { Access::Read } else { Access::Write };
    let early = owned.early(&batch);
    mark("plan");
    let answered = database
        .together(ground.model.clone(), run, access, move |work| {
            Box::pin(async move { owned.all(&batch, early, work).await })
        })
        .await?;
    mark("run");
    let reply = rest::batch::respond(answered, applied);
    mark("respond");
    Ok(reply)
}

/// How the transaction ended, where that was asked for.
fn applied(api: &DataApi, prefer: &Prefer) -> Option<(&'static str, String)> {
    let kept = Prefer {
        transaction: prefer.transaction.filter(|_| api.honors_tx),
        handling: prefer.handling,
        ..Prefer::default()
    };
    kept.applied().map(|value| ("preference-applied", value))
}

/// The ground of a batch, and its headers: kept beyond the task that asked.
struct Owned {
    model: Arc<Model>,
    capabilities: &'static Capabilities,
    api: DataApi,
    caller: Caller,
    now: i64,
    headers: Vec<(String, String)>,
}

impl Owned {
    fn of(ground: Ground<'_>, headers: Vec<(String, String)>) -> Owned {
        let Ground { model, capabilities, api, caller, now } = ground;
        // Replies are put together in memory.
        let api = DataApi { aside: None, ..api.clone() };
        Owned { model: model.clone(), capabilities, api, caller: caller.clone(), now, headers }
    }

    fn ground(&self) -> Ground<'_> {
        let Owned { model, capabilities, api, caller, now, headers: _ } = self;
        Ground { model, capabilities, api, caller, now: *now }
    }

    /// What can be prepared before the transaction begins.
    fn early(&self, batch: &Batch) -> Vec<Option<Result<Prepared>>> {
        let prepared = |entry: &Entry| (!entry.refers()).then(|| self.prepared(entry, &[]));
        batch.entries.iter().map(prepared).collect()
    }

    /// One request, after those that have answered.
    fn prepared(&self, entry: &Entry, answered: &[Answered]) -> Result<Prepared> {
        let of_batch: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let asking = entry.asking(answered, &of_batch, &self.api.limits)?;
        let headers = asking.headers();
        let http = asking.http(&headers);
        if is_meant(&http, self.ground())? {
            return Err(refused("A batch cannot be in a batch"));
        }
        let prepared = prepared(&http, self.ground(), &mut |_| {})?;
        match &prepared {
            Prepared::Planned(planned) if planned.ending.meaning.request.prefer.transaction.is_some() => {
                Err(refused("How a transaction ends is said by the `Prefer: tx=…` of the batch"))
            }
            Prepared::Planned(_) | Prepared::Answered(_) => Ok(prepared),
        }
    }

    /// Runs every request, in order.
    async fn all(
        &self,
        batch: &Batch,
        early: Vec<Option<Result<Prepared>>>,
        work: &mut Work<'_>,
    ) -> Result<Vec<Answered>> {
        let mut answered = Vec::with_capacity(early.len());
        let mut room = self.api.limits.reply_bytes_max;
        let mut referable = self.api.limits.body_bytes_max;
        for (position, (entry, early)) in batch.entries.iter().zip(early).enumerate() {
            let one = async {
                let prepared = early.unwrap_or_else(|| self.prepared(entry, &answered))?;
                let reply = self.reply(prepared, work).await?;
                let length = usize::try_from(reply.body.length()).map_err(Error::internal)?;
                room = room.checked_sub(length).ok_or_else(|| self.too_long())?;
                match batch.is_referred_to(position) {
                    true => Answered::referable(reply, &mut referable),
                    false => Answered::of(reply),
                }
            };
            let one = one.await.map_err(|error| error.in_request(position))?;
            answered.push(one);
        }
        Ok(answered)
    }

    /// Runs one request.
    async fn reply(&self, prepared: Prepared, work: &mut Work<'_>) -> Result<Reply> {
        let Planned { plan, run, mut sink, ending } = match prepared {
            Prepared::Answered(reply) => return Ok(reply),
            Prepared::Planned(planned) => *planned,
        };
        let reads = plan.reads().is_some();
        work.turn(run, if reads { Access::Read } else { Access::Write }).await?;
        let applied = work.perform(&plan, &mut sink).await?;
        sink.end()?;
        let outcome = if reads { sink.read()? } else { sink.written(&applied) };
        match rest::respond::unsatisfied(&ending.meaning.request, &outcome) {
            Some(error) => Err(error),
            None => ending.reply(&self.api, outcome),
        }
    }

    fn too_long(&self) -> Error {
        let most = self.api.limits.reply_bytes_max;
        Error::new(Code::LIMIT_EXCEEDED, format!("the replies of the batch are longer than {most} bytes"))
    }
}
