//! The road of a request of the Data API: parse, resolve, authorize, plan, run, respond.
//!
//! Written once, here. Each phase is a function of the crate that does it; this module knows their order and nothing of what
//! they do. A refusal at any phase is the reply.

mod batch;
mod kept;
mod sink;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::Role;
use catalog::access::{API_ROLES, SERVICE_ROLE};
use engine::{Database, Run, Sink};
use query::{Authorized, Caller, Model, Plan, Query, permitted, plan};
use rest::media::Media;
use rest::prefer::{Prefer, TransactionEnd};
use rest::resolve::{Exposed, Resolved, resolve};
use rest::respond::{Column, Heading, Outcome, Reply, Rows, Served, Shape, told};
use rest::{Action, Http, Offer, Request, Target};
use types::session::Session;
use types::{Capabilities, Code, Error, Limits, Result, Type, Value};

pub use kept::Memory;

use sink::{Answer, Called};

use crate::asked::{asked, search_path, tell};

/// How the Data API is served.
#[derive(Clone, Debug)]
pub struct DataApi {
    /// The schemas that are served, the default one first.
    pub schemas: Vec<String>,
    /// Schemas in which types are looked for besides.
    pub extra_search_path: Vec<String>,
    /// Whether `sum()`, `count()`, … may be asked for.
    pub aggregates: bool,
    /// Whether `Prefer: tx=…` is honored.
    pub honors_tx: bool,
    /// How the API describes itself.
    pub description: Description,
    /// Whether a transaction is rolled back unless its request prefers to commit it.
    pub rolls_back: bool,
    /// The role of callers without a token: what they may not do is 401, not 403.
    pub anon_role: Arc<str>,
    /// The function that is called before each request, by schema and name.
    pub pre_request: Option<String>,
    /// Whether plans are told.
    pub explain: bool,
    /// Where the API is, for its own description: `https://example.com/rest/v1`.
    pub server_url: String,
    /// The limits in force.
    pub limits: Limits,
    /// Where long replies are put aside; all in memory without it.
    pub aside: Option<rest::Aside>,
    /// What is kept of its reads.
    pub memory: Memory,
}

/// The role that the API has before it takes its caller's.
const AUTHENTICATOR: &str = "authenticator";

/// The role whose statements get more time.
const SERVICE: &str = "service_role";

/// How the API describes itself at its root.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Whether it does at all.
    pub served: bool,
    /// Whether to everybody all is described.
    pub all: bool,
    /// Whether it says how a token is sent.
    pub token: bool,
}

/// How long each phase of a request took, in order.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    /// The phase's name, and its time.
    pub taken: Vec<(&'static str, Duration)>,
}

/// A monotonic clock: the time since some moment.
pub type Ticks<'a> = &'a (dyn Fn() -> Duration + Sync);

/// Measures phases one after the other.
struct Measured<'a> {
    ticks: Ticks<'a>,
    since: Duration,
    phases: Phases,
}

impl Measured<'_> {
    fn end(&mut self, phase: &'static str) {
        let now = (self.ticks)();
        self.phases.taken.push((phase, now.saturating_sub(self.since)));
        self.since = now;
    }
}

/// Answers a request of a caller. `now` is the time of its transaction: microseconds since 2000-01-01 UTC.
pub async fn serve(
    database: &Database,
    api: &DataApi,
    caller: &Caller,
    http: &Http<'_>,
    now: i64,
    ticks: Ticks<'_>,
) -> (Reply, Phases) {
    let mut measured = Measured { ticks, since: ticks(), phases: Phases::default() };
    let reply = answer(database, api, caller, http, now, &mut measured).await;
    let reply = reply.unwrap_or_else(|error| refusal(&error, caller, api));
    (reply, measured.phases)
}

/// The reply that an error is for a caller.
pub fn refusal(error: &Error, caller: &Caller, api: &DataApi) -> Reply {
    if let Some(cause) = error.cause() {
        tracing::error!(code = error.state(), cause, "{}", error.message());
    }
    rest::failure(error, caller.role == api.anon_role)
}

/// What every request of a caller goes by.
#[derive(Clone, Copy)]
struct Ground<'a> {
    model: &'a Arc<Model>,
    capabilities: &'static Capabilities,
    api: &'a DataApi,
    caller: &'a Caller,
    now: i64,
}

/// What is told of the end of each phase.
type Mark<'a> = &'a mut (dyn FnMut(&'static str) + Send);

async fn answer(
    database: &Database,
    api: &DataApi,
    caller: &Caller,
    http: &Http<'_>,
    now: i64,
    measured: &mut Measured<'_>,
) -> Result<Reply> {
    let model = database.model();
    let ground = Ground { model: &model, capabilities: database.engine().capabilities(), api, caller, now };
    if batch::is_meant(http, ground)? {
        return Box::pin(batch::answer(database, ground, http, &mut |phase| measured.end(phase))).await;
    }
    if let Some(shape) = kept::shape(http, ground)
        && let Some(reply) = kept::answer(database, ground, http, shape, measured).await?
    {
        return Ok(reply);
    }
    let planned = match prepared(http, ground, &mut |phase| measured.end(phase))? {
        Prepared::Planned(planned) => planned,
        Prepared::Answered(reply) => return Ok(reply),
    };
    let Planned { plan, run, sink, ending } = *planned;
    let outcome = ran(database, model.clone(), plan, run, sink).await?;
    measured.end("run");
    let reply = ending.reply(api, outcome)?;
    measured.end("respond");
    Ok(reply)
}

/// A request before it runs.
enum Prepared {
    /// It needs no rows.
    Answered(Reply),
    /// How it will be done.
    Planned(Box<Planned>),
}

/// How a request will be done, for whom, and where its rows go.
struct Planned {
    plan: Plan,
    run: Run,
    sink: Answer,
    ending: Ending,
}

/// What a request means, apart from who asks and how it is done.
struct Meaning {
    request: Request,
    media: Media,
    /// The reply that is there already, of a request that only calls what goes before every request.
    described: Option<Reply>,
    shape: Shape,
    rows_at: usize,
    heading: Heading,
    key: Vec<Column>,
    exact_max: Option<u64>,
    profile: Option<String>,
    is_void: bool,
    has_conflict_target: bool,
    warnings: Vec<String>,
}

/// What is kept for the reply.
struct Ending {
    meaning: Arc<Meaning>,
    /// The query string in one spelling.
    canonical: Option<String>,
    session: Session,
}

/// What a request means, and how it will be done.
struct Intent {
    meaning: Meaning,
    plan: Plan,
    /// The parameters of the plan, by their numbers.
    parameters: BTreeMap<usize, (Value, Type)>,
    session: Session,
}

/// A request of which is known what it means.
enum Meant {
    Answered(Reply),
    Planned(Box<Intent>),
}

/// For whom something runs, and where its rows go.
struct Begun {
    run: Run,
    sink: Answer,
    ending: Ending,
}

/// The road up to where something runs.
fn prepared(http: &Http<'_>, ground: Ground<'_>, mark: Mark<'_>) -> Result<Prepared> {
    let Intent { meaning, plan, session, .. } = match meant(http, ground, None, mark)? {
        Meant::Answered(reply) => return Ok(Prepared::Answered(reply)),
        Meant::Planned(intent) => *intent,
    };
    let canonical = meaning.request.canonical.clone();
    let Begun { run, sink, ending } = begun(http, ground, Arc::new(meaning), session, canonical)?;
    Ok(Prepared::Planned(Box::new(Planned { plan, run, sink, ending })))
}

/// The road up to the plan; values of a shape become its parameters.
fn meant(http: &Http<'_>, ground: Ground<'_>, of: Option<&rest::Shape<'_>>, mark: Mark<'_>) -> Result<Meant> {
    let Ground { model, capabilities, api, caller, now } = ground;
    let mut request = match of {
        None => rest::parse(http, &api.limits)?,
        Some(shape) => rest::parse(&shape.http(http), &api.limits)?,
    };
    if let Some(shape) = of {
        shape.lift(&mut request);
    }
    let offer = Offer { model, schemas: &api.schemas, plans: api.explain || is_declared(model, PLANS) };
    let media = rest::negotiated(&request, &offer)?;
    mark("parse");
    check_role(model, &caller.role, api)?;
    let session = session(&request, caller, model, now)?;
    let described = described(api, caller, &request, &media, model)?;
    let is_asked_before = request.action != Action::Options && pre_request(model, api).is_some();
    let described = match described {
        Some(reply) if !is_asked_before => return Ok(Meant::Answered(reply)),
        described => described,
    };
    let resolved = resolve(&request, &media, model, &exposed(model, api, caller, &session))?;
    mark("resolve");
    let Resolved {
        queries,
        rows_at,
        again,
        presentations,
        exact_max,
        columns,
        shape,
        is_void,
        key,
        profile,
        has_conflict_target,
        warnings,
        parameters,
    } = resolved;
    let authorized =
        queries.into_iter().map(|query| permitted(query, caller, model, &api.limits, capabilities));
    let authorized = authorized.collect::<Result<Vec<Authorized<Query>>>>()?;
    mark("authorize");
    let plan = plan(authorized, model)?;
    let plan = again.into_iter().fold(plan, |plan, of| plan.reading_again(rows_at, of));
    let plan = presentations.into_iter().fold(plan, |plan, (at, how)| plan.presenting(at, how));
    mark("plan");
    let heading = columns.into();
    let meaning = Meaning {
        request,
        media,
        described,
        shape,
        rows_at,
        heading,
        key,
        exact_max,
        profile,
        is_void,
        has_conflict_target,
        warnings,
    };
    Ok(Meant::Planned(Box::new(Intent { meaning, plan, parameters, session })))
}

/// What a run of something needs besides its plan.
fn begun(
    http: &Http<'_>,
    ground: Ground<'_>,
    meaning: Arc<Meaning>,
    session: Session,
    canonical: Option<String>,
) -> Result<Begun> {
    let Ground { model, capabilities, api, caller, now: _ } = ground;
    let Meaning { request, media, shape, heading, key, rows_at, exact_max, is_void, .. } = &*meaning;
    let rows = Rows::new(media, *shape, heading.clone(), session.clone(), api.limits.reply_bytes_max)
        .with(api.aside.clone());
    let called = matches!(request.target, Target::Function(_)).then(|| Called {
        single: !is_void && *shape != Shape::Value && matches!(media, Media::Object { .. }),
        affected_max: request.prefer.affected_max(),
    });
    let sink = Answer {
        rows,
        rows_at: *rows_at,
        called,
        key: key.clone(),
        session: session.clone(),
        keys: 0,
        location: Vec::new(),
        total: None,
        exact_max: *exact_max,
    };
    let run = Run {
        caller: caller.clone(),
        session: session.clone(),
        timeout: timeout(api, caller, model),
        roll_back: rolls_back(api, &request.prefer),
        request: match capabilities.native_functions {
            true => Some(Arc::new(asked(http, request, model, api)?)),
            false => {
                tell(http, caller, &session)?;
                None
            }
        },
        search_path: search_path(rest::resolve::schema(request.profile.as_deref(), &api.schemas)?, api),
        routines: None,
    };
    Ok(Begun { run, sink, ending: Ending { meaning, canonical, session } })
}

impl Ending {
    /// The reply to what was done.
    fn reply(self, api: &DataApi, outcome: Outcome) -> Result<Reply> {
        let Ending { meaning, canonical, session } = self;
        let Meaning { described, request, media, profile, is_void, has_conflict_target, warnings, .. } =
            &*meaning;
        if let Some(reply) = described {
            return Ok(reply.clone());
        }
        let outcome = Outcome { is_void: *is_void, has_conflict_target: *has_conflict_target, ..outcome };
        let (profile, canonical) = (profile.as_deref(), canonical.as_deref());
        let served = Served { profile, honors_tx: api.honors_tx, canonical };
        let mut reply = rest::respond(request, &served, media, outcome);
        reply.headers.extend(warnings.iter().map(|warning| ("warning", warning.clone())));
        told(reply, &session.settings)
    }
}

/// A token may ask for the roles that the API was made a member of, as in PostgreSQL, and for no other: least of all for
/// one above policies. A role that does not exist is refused where rights are looked up.
fn check_role(model: &Model, role: &str, api: &DataApi) -> Result<()> {
    let catalog = &model.catalog;
    let lent = match catalog.role(AUTHENTICATOR) {
        Some(_) => catalog.lent(AUTHENTICATOR),
        // A database that somebody made without it: the conventional roles, and none that is more.
        None => API_ROLES.into_iter().chain([SERVICE_ROLE]).map(Arc::from).collect(),
    };
    let is_lent = *role == *api.anon_role || lent.iter().any(|lent| **lent == *role);
    if role != AUTHENTICATOR && (catalog.role(role).is_none() || is_lent) {
        return Ok(());
    }
    Err(Error::new(Code::PRIVILEGE, format!("permission denied to set role \"{role}\"")))
}

/// What is answered without rows: which methods a resource has, and the description of the API.
fn described(
    api: &DataApi,
    caller: &Caller,
    request: &Request,
    media: &Media,
    model: &Model,
) -> Result<Option<Reply>> {
    let is_root = request.target == Target::Root;
    if request.action != Action::Options && !is_root {
        return Ok(None);
    }
    let schema = rest::resolve::schema(request.profile.as_deref(), &api.schemas)?;
    if request.action == Action::Options {
        return rest::options(model, schema, &request.target).map(Some);
    }
    if !api.description.served {
        return Err(Error::new(Code::ROOT_DISABLED, "Root endpoint metadata is disabled"));
    }
    let settings = rest::openapi::Settings {
        server_url: &api.server_url,
        title: "Data API",
        description: "",
        version: env!("CARGO_PKG_VERSION"),
        describes_token: api.description.token,
        describes_all: api.description.all,
    };
    let describe = if *media == Media::OpenApi3 { rest::openapi_3 } else { rest::openapi };
    let body = describe(model, &caller.role, schema, &settings).into_bytes().into();
    let profile = (api.schemas.len() > 1).then_some(schema);
    let served = Served { profile, honors_tx: api.honors_tx, canonical: None };
    Ok(Some(rest::respond(request, &served, media, Outcome { body, ..Outcome::default() })))
}

/// The zone that is preferred, else that of the role (`alter role … set timezone`).
fn session(request: &Request, caller: &Caller, model: &Model, now: i64) -> Result<Session> {
    let of_role = || model.catalog.role(&caller.role).and_then(|role| role.setting("timezone"));
    match request.prefer.time_zone.as_deref().or_else(of_role) {
        Some(zone) => Session::in_zone(zone, now),
        None => Ok(Session::utc(now)),
    }
}

/// What a schema may say of the API itself, as with PostgREST: settings of the role that it has before its caller's.
const PLANS: &str = "pgrst.db_plan_enabled";
const AGGREGATES: &str = "pgrst.db_aggregates_enabled";
const PRE_REQUEST: &str = "pgrst.db_pre_request";

fn declared<'m>(model: &'m Model, setting: &str) -> Option<&'m str> {
    model.catalog.role(AUTHENTICATOR)?.setting(setting).filter(|value| !value.is_empty())
}

fn is_declared(model: &Model, setting: &str) -> bool {
    declared(model, setting).is_some_and(|value| matches!(value, "true" | "on" | "1" | "yes"))
}

/// The function that is called before each request.
pub(crate) fn pre_request<'a>(model: &'a Model, api: &'a DataApi) -> Option<&'a str> {
    api.pre_request.as_deref().or_else(|| declared(model, PRE_REQUEST))
}

fn exposed<'a>(model: &'a Model, api: &'a DataApi, caller: &'a Caller, session: &'a Session) -> Exposed<'a> {
    Exposed {
        schemas: &api.schemas,
        extra_search_path: &api.extra_search_path,
        rows_max: Some(api.limits.rows_max),
        aggregates: api.aggregates || is_declared(model, AGGREGATES),
        pre_request: pre_request(model, api),
        limits: &api.limits,
        role: &caller.role,
        session,
    }
}

fn rolls_back(api: &DataApi, prefer: &Prefer) -> bool {
    match prefer.transaction {
        Some(end) if api.honors_tx => end == TransactionEnd::Rollback,
        Some(_) | None => api.rolls_back,
    }
}

/// The limit of the settings, or that of the role (`alter role … set statement_timeout`) where it is shorter.
fn timeout(api: &DataApi, caller: &Caller, model: &Model) -> Duration {
    let limit = Duration::from_millis(if &*caller.role == SERVICE {
        api.limits.service_statement_timeout_ms
    } else {
        api.limits.statement_timeout_ms
    });
    let of_role = model.catalog.role(&caller.role).and_then(Role::statement_timeout);
    of_role.map_or(limit, |of_role| of_role.min(limit))
}

/// Runs a plan; what the reply says of it.
async fn ran(database: &Database, model: Arc<Model>, plan: Plan, run: Run, sink: Answer) -> Result<Outcome> {
    if plan.reads().is_some() {
        let mut sink = database.read(&model, &plan, &run, sink).await?;
        sink.end()?;
        return sink.read();
    }
    let (sink, applied) = Box::pin(database.write(model, plan, run, sink)).await?;
    Ok(sink.written(&applied))
}
