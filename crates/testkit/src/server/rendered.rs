//! The commands that a read becomes, as the engine gets them: the road up to where it would run.

use auth::Credentials;
use backplane::app::App;
use query::{Caller, authorize, plan};
use render::Bindings;
use rest::resolve::{Exposed, resolve};
use rest::{Http, Offer};
use types::session::Session;
use types::{Error, Result};

use crate::play::Ask;

/// Where the Data API is.
const BASE: &str = "/rest/v1";

/// The text of each command, a line each.
pub(super) fn commands(app: &App, ask: &Ask) -> Result<String> {
    let headers: Vec<(String, &str)> =
        ask.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let caller = caller(app, &headers)?;
    let (path, query) = ask.target.split_once('?').unwrap_or((&ask.target, ""));
    let path = path.strip_prefix(BASE).ok_or_else(|| Error::missing("a stage of another API"))?;
    let http = Http { method: &ask.method, path, query, headers: &headers, body: ask.body.as_bytes() };
    let limits = &app.data_api.limits;
    let request = rest::parse(&http, limits)?;
    let session = Session::utc(app.clock.now_micros());
    let model = app.model();
    let offer = Offer { model: &model, schemas: &app.data_api.schemas, plans: false };
    let media = rest::negotiated(&request, &offer)?;
    let exposed = Exposed {
        schemas: &app.data_api.schemas,
        extra_search_path: &app.data_api.extra_search_path,
        rows_max: Some(limits.rows_max),
        aggregates: app.data_api.aggregates,
        pre_request: app.data_api.pre_request.as_deref(),
        limits,
        role: &caller.role,
        session: &session,
    };
    let resolved = resolve(&request, &media, &model, &exposed)?;
    let authorized = resolved.queries.into_iter().map(|query| authorize(query, &caller, &model, limits));
    let plan = plan(authorized.collect::<Result<_>>()?, &model)?;
    let reads =
        plan.reads().ok_or_else(|| Error::missing("the commands of a write, which follow from its rows"))?;
    let bindings = Bindings { caller: &caller, session: &session, parameters: &[], written: &[], given: &[] };
    let dialect = app.database.engine().dialect();
    let texts = reads.into_iter().map(|read| dialect.read(&model.catalog, read, &bindings));
    let texts = texts.map(|command| command.map(|command| format!("{};\n", command.text)));
    texts.collect()
}

fn caller(app: &App, headers: &[(&str, &str)]) -> Result<Caller> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let known = app.gateway.identify(Credentials::of_headers(headers), app.clock.now_unix());
    let known = known.map_err(auth::Refusal::for_data_api)?;
    let token = known.token.as_ref();
    Ok(Caller {
        uid: token.and_then(|token| token.uid),
        email: token.and_then(|token| token.email.clone()),
        claims: Some(known.claims),
        ..Caller::of_request(known.role)
    })
}
