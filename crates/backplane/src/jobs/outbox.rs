//! Requests to other servers: rows of `net.http_request_queue`, sent after they are committed, answered in `net._http_response`.
//!
//! Each is sent at least once: it is taken for a time, and is due again when that passes without a word of its end. No answer, or
//! one that says *later* (429, 502, 503, 504), is a reason to try again after a while that doubles; after the last try the request
//! is dead and stays in the queue. Redirects are not followed. What is sent carries `Idempotency-Key`, the same at each try.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use engine::Database;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use types::json::{self, Json};
use types::value::Interval;
use types::{Error, Result, Value};

use super::address::{self, Resolver};
use super::statements;
use crate::app::App;

/// How many requests are under way at once.
const TOGETHER_MAX: usize = 32;

/// How much of an answer is kept.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How long a request may take, whatever it asks for.
const TIMEOUT_MAX: Duration = Duration::from_mins(5);

/// How long after its time a request that nobody ended is due again.
const GRACE: Duration = Duration::from_secs(30);

/// How long until the second try; each further one takes twice as long.
const PAUSE: Duration = Duration::from_secs(5);

/// How long answers are kept, as by `pg_net`.
const KEPT: Duration = Duration::from_hours(6);

statements! {
    TAKE(Timestamptz, Int8, Interval)
        "update net.http_request_queue
         set attempts = attempts + 1,
           due = $1 + $3 + timeout_milliseconds * interval '1 millisecond'
         where id in (
           select id from net.http_request_queue where not is_dead and due <= $1 order by due, id limit $2
           for update skip locked
         )
         returning id, method, url, headers::text, body, timeout_milliseconds, attempts";
    ANSWER(Int8, Int8, Text, Text, Text, Bool, Text)
        "insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
         values ($1, $2, $3, $4::jsonb, $5, $6, $7)";
    DONE(Int8) "delete from net.http_request_queue where id = $1";
    AGAIN(Int8, Timestamptz, Text)
        "update net.http_request_queue set due = $2, failure = $3 where id = $1";
    GIVE_UP(Int8, Text)
        "update net.http_request_queue set is_dead = true, failure = $2 where id = $1";
    FORGET(Timestamptz) "delete from net._http_response where created < $1";
}

/// How long a statement of the outbox may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends requests.
pub(super) struct Outbox {
    sender: Arc<Sender>,
    under_way: JoinSet<()>,
}

/// How requests are sent.
struct Sender {
    database: Database,
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    allows_private: bool,
    attempts_max: i64,
}

/// A request, taken for one try.
struct Taken {
    id: i64,
    method: String,
    url: String,
    headers: String,
    body: Vec<u8>,
    timeout: Duration,
    /// Which try this is, from 1.
    attempt: i64,
}

/// What came of a try.
enum Outcome {
    Answer {
        status: StatusCode,
        content_type: Option<String>,
        headers: String,
        content: String,
    },
    TimedOut(String),
    Failed(String),
    /// Trying again would change nothing.
    Wrong(String),
}

impl Outbox {
    pub(super) fn new(app: &App) -> Result<Outbox> {
        let allows_private = app.settings.jobs_private_addresses;
        let mut http = HttpConnector::new_with_resolver(Resolver::new(allows_private));
        http.enforce_http(false);
        http.set_connect_timeout(Some(PATIENCE));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(provider)
            .map_err(Error::internal)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new()).build(https);
        let attempts_max = i64::try_from(app.settings.jobs_attempts).unwrap_or(i64::MAX);
        let sender = Sender { database: app.database.clone(), client, allows_private, attempts_max };
        Ok(Outbox { sender: Arc::new(sender), under_way: JoinSet::new() })
    }

    /// Takes what is due at a time and sends it, without waiting for answers.
    ///
    /// # Errors
    /// What the database refuses.
    pub(super) async fn tick(&mut self, now: i64) -> Result<()> {
        while self.under_way.try_join_next().is_some() {}
        let free = TOGETHER_MAX.saturating_sub(self.under_way.len());
        if free == 0 {
            return Ok(());
        }
        let limit = Value::Int(i64::try_from(free).unwrap_or(i64::MAX));
        let parameters = vec![Value::Timestamp(now), limit, Value::Interval(interval(GRACE))];
        let rows = self
            .sender
            .database
            .transact(PATIENCE, move |work| Box::pin(async move { work.query(&TAKE, parameters).await }))
            .await?;
        for taken in rows.into_iter().filter_map(|row| Taken::of(&row)) {
            let sender = self.sender.clone();
            self.under_way.spawn(async move { sender.send(taken, now).await });
        }
        Ok(())
    }

    /// Waits until nothing is under way.
    #[cfg(test)]
    async fn settle(&mut self) {
        while self.under_way.join_next().await.is_some() {}
    }
}

impl Taken {
    fn of(row: &[Value]) -> Option<Taken> {
        let [
            Value::Int(id),
            Value::Text(method),
            Value::Text(url),
            Value::Text(headers),
            body,
            timeout,
            attempt,
        ] = row
        else {
            return None;
        };
        let body = if let Value::Bytes(body) = body { body.to_vec() } else { Vec::new() };
        let (Value::Int(millis), Value::Int(attempt)) = (timeout, attempt) else { return None };
        let timeout = Duration::from_millis(u64::try_from(*millis).unwrap_or(0)).min(TIMEOUT_MAX);
        Some(Taken {
            id: *id,
            method: method.to_string(),
            url: url.to_string(),
            headers: headers.to_string(),
            body,
            timeout,
            attempt: *attempt,
        })
    }

    /// As HTTP has it; what is wrong with it otherwise.
    fn request(&self) -> Result<Request<Full<Bytes>>, String> {
        let uri: Uri = self.url.parse().map_err(|error| format!("{}: {error}", self.url))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!("{}: an http or https address is expected", self.url));
        }
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|error| error.to_string())?;
        let mut request = Request::new(Full::from(self.body.clone()));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let headers = request.headers_mut();
        headers.insert("idempotency-key", HeaderValue::from(self.id));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("backplane"));
        if let Ok(Json::Object(fields)) = json::parse(&self.headers, 2) {
            for (name, value) in &fields {
                let name =
                    HeaderName::try_from(&**name).map_err(|error| format!("header {name}: {error}"))?;
                let text = value.as_str().map_or_else(|| value.compact(), str::to_owned);
                let value = HeaderValue::try_from(text).map_err(|error| format!("header {name}: {error}"))?;
                headers.insert(name, value);
            }
        }
        Ok(request)
    }
}

impl Sender {
    async fn send(&self, taken: Taken, now: i64) {
        let outcome = match taken.request() {
            Err(wrong) => Outcome::Wrong(wrong),
            Ok(request) => match tokio::time::timeout(taken.timeout, self.answered(request)).await {
                Ok(outcome) => outcome,
                Err(_) => Outcome::TimedOut(format!("Timeout of {} ms reached", taken.timeout.as_millis())),
            },
        };
        // What is not recorded is sent again when its time is over.
        if let Err(error) = self.record(&taken, outcome, now).await {
            tracing::error!(request = taken.id, code = error.state(), "{}", error.message());
        }
    }

    async fn answered(&self, request: Request<Full<Bytes>>) -> Outcome {
        if !self.may_reach(request.uri()) {
            return Outcome::Wrong(address::Refused.to_string());
        }
        match self.client.request(request).await {
            Ok(response) => answer(response).await,
            Err(error) => match address::is_refusal(&error) {
                true => Outcome::Wrong(address::Refused.to_string()),
                false => Outcome::Failed(causes(&error)),
            },
        }
    }

    /// Whether an address that stands in a URL may be connected to; names are looked at when they are looked up.
    fn may_reach(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or_default();
        let written = host.trim_start_matches('[').trim_end_matches(']').parse();
        self.allows_private || written.map_or(true, address::is_public)
    }

    async fn record(&self, taken: &Taken, outcome: Outcome, now: i64) -> Result<()> {
        let (id, is_last) = (Value::Int(taken.id), taken.attempt >= self.attempts_max);
        let again = outcome.failure().filter(|_| !is_last);
        if let Some(failure) = again {
            let parameters =
                vec![id, Value::Timestamp(now.saturating_add(pause(taken.attempt))), Value::text(failure)];
            return self.run(vec![(&AGAIN, parameters)]).await;
        }
        let end = match outcome.is_answered() {
            true => (&DONE, vec![id.clone()]),
            false => (&GIVE_UP, vec![id.clone(), Value::text(outcome.failure().unwrap_or_default())]),
        };
        let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
        let forgotten = vec![Value::Timestamp(now.saturating_sub(kept))];
        self.run(vec![(&ANSWER, outcome.row(id)), end, (&FORGET, forgotten)]).await
    }

    async fn run(&self, statements: Vec<(&'static engine::Statement, Vec<Value>)>) -> Result<()> {
        self.database
            .transact(PATIENCE, move |work| {
                Box::pin(async move {
                    for (statement, parameters) in statements {
                        work.query(statement, parameters).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

impl Outcome {
    fn is_answered(&self) -> bool {
        matches!(self, Outcome::Answer { .. }) && self.failure().is_none()
    }

    /// Why it may be tried again.
    fn failure(&self) -> Option<String> {
        match self {
            Outcome::Answer { status, .. } if is_passing(*status) => Some(format!("answered {status}")),
            Outcome::TimedOut(said) | Outcome::Failed(said) => Some(said.clone()),
            Outcome::Answer { .. } | Outcome::Wrong(_) => None,
        }
    }

    /// The values of [`ANSWER`].
    fn row(self, id: Value) -> Vec<Value> {
        let text = |text: Option<String>| text.map_or(Value::Null, Value::text);
        match self {
            Outcome::Answer { status, content_type, headers, content } => vec![
                id,
                Value::Int(status.as_u16().into()),
                text(content_type),
                Value::text(headers),
                Value::text(content),
                Value::Bool(false),
                Value::Null,
            ],
            Outcome::TimedOut(said) => failed(id, said, true),
            Outcome::Failed(said) | Outcome::Wrong(said) => failed(id, said, false),
        }
    }
}

fn failed(id: Value, said: String, is_timeout: bool) -> Vec<Value> {
    let nothing = || Value::Null;
    vec![id, nothing(), nothing(), nothing(), nothing(), Value::Bool(is_timeout), Value::text(said)]
}

/// Answers after which the same request may do better (RFC 9110 section 15.6, RFC 6585 section 4).
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

async fn answer(response: Response<Incoming>) -> Outcome {
    let (head, body) = response.into_parts();
    let content = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(content) => String::from_utf8_lossy(&content.to_bytes()).replace('\0', "\u{fffd}"),
        Err(error) => return Outcome::Wrong(format!("the answer could not be kept: {error}")),
    };
    let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let content_type = head.headers.get(header::CONTENT_TYPE).map(shown);
    let fields = head.headers.iter().map(|(name, value)| (name.to_string(), Json::String(shown(value))));
    Outcome::Answer {
        status: head.status,
        content_type,
        headers: Json::Object(fields.collect()).compact(),
        content,
    }
}

/// An error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    said
}

/// Microseconds until the next try.
fn pause(attempt: i64) -> i64 {
    let doubled = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(12);
    i64::try_from(PAUSE.as_micros()).unwrap_or(i64::MAX).saturating_mul(1 << doubled)
}

fn interval(length: Duration) -> Interval {
    Interval { micros: i64::try_from(length.as_micros()).unwrap_or(i64::MAX), ..Interval::default() }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::Router;
    use axum::http::HeaderMap;
    use axum::routing::any;
    use hyper::server::conn::http1;
    use hyper_util::rt::TokioIo;
    use hyper_util::service::TowerToHyperService;

    use super::*;
    use crate::testing::{Folder, app_of, texts};

    /// A server that answers with these statuses in turn, and what it was sent.
    async fn server(statuses: Vec<u16>) -> (String, Arc<Mutex<Vec<String>>>) {
        let (statuses, heard) = (Arc::new(Mutex::new(statuses)), Arc::new(Mutex::new(Vec::new())));
        let told = heard.clone();
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: String| async move {
            let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
            told.lock().unwrap().push(format!("{method} {uri} {key} {body}"));
            let mut statuses = statuses.lock().unwrap();
            let status = if statuses.len() > 1 { statuses.remove(0) } else { statuses[0] };
            (StatusCode::from_u16(status).unwrap(), "heard")
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = TowerToHyperService::new(Router::new().fallback(any(answer)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                tokio::spawn(connection);
            }
        });
        (format!("http://{address}"), heard)
    }

    const SCHEMA: &str = "
        create table notes (id int primary key, body text);
        grant all on notes to anon;
        create function tell() returns trigger language plpgsql as $$
        begin
          perform net.http_post(url := new.body, body := jsonb_build_object('id', new.id), params := '{\"a b\": \"ü\"}');
          if new.id < 0 then raise exception 'no'; end if;
          return new;
        end $$;
        create trigger tells after insert on notes for each row execute function tell();";

    async fn outbox(config: &str) -> (Folder, Arc<App>, Outbox) {
        let folder = Folder::of(&[("schema.sql", SCHEMA), ("config.toml", config)]);
        let app = app_of(&folder).await;
        let outbox = Outbox::new(&app).unwrap();
        (folder, app, outbox)
    }

    async fn insert(app: &Arc<App>, id: i64, url: &str) -> StatusCode {
        let body = format!("{{\"id\":{id},\"body\":\"{url}\"}}");
        let request = Request::post("/rest/v1/notes").header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body)).unwrap();
        tower::ServiceExt::oneshot(app.router(), request).await.unwrap().status()
    }

    statements! {
        RESPONSES() "select coalesce(status_code::text, error_msg) || coalesce(' ' || content, '') from net._http_response order by created, id";
        QUEUE() "select id || ' ' || attempts || ' ' || is_dead from net.http_request_queue order by id";
        REVIVE() "select net.http_retry(1)";
    }

    #[tokio::test]
    async fn a_request_is_sent_once_it_is_committed() {
        let (url, heard) = server(vec![200]).await;
        let (_folder, app, mut outbox) = outbox("[jobs]\nprivate_addresses = true").await;
        assert_eq!(insert(&app, -1, &url).await, StatusCode::BAD_REQUEST);
        assert_eq!(insert(&app, 7, &url).await, StatusCode::CREATED);
        let now = app.clock.now_micros();
        outbox.tick(now).await.unwrap();
        outbox.settle().await;
        assert_eq!(*heard.lock().unwrap(), ["POST /?a%20b=%C3%BC 2 {\"id\": 7}"]);
        assert_eq!(texts(&app, &RESPONSES).await, ["200 heard"]);
        assert!(texts(&app, &QUEUE).await.is_empty());
        outbox.tick(now).await.unwrap();
        outbox.settle().await;
        assert_eq!(heard.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_request_is_tried_again_and_given_up() {
        let (url, heard) = server(vec![503, 503, 503, 200]).await;
        let (_folder, app, mut outbox) = outbox("[jobs]\nprivate_addresses = true\nattempts = 3").await;
        insert(&app, 7, &url).await;
        let mut now = app.clock.now_micros();
        for (heard_by_then, queue) in [(1, "1 1 false"), (1, "1 1 false"), (2, "1 2 false"), (3, "1 3 true")]
        {
            outbox.tick(now).await.unwrap();
            outbox.settle().await;
            assert_eq!(heard.lock().unwrap().len(), heard_by_then);
            assert_eq!(texts(&app, &QUEUE).await, [queue]);
            // The second look is before the pause is over.
            now += if heard_by_then == 1 { 3_000_000 } else { pause(heard_by_then as i64) };
        }
        assert_eq!(texts(&app, &RESPONSES).await, ["503 heard"]);
        texts(&app, &REVIVE).await;
        outbox.tick(now).await.unwrap();
        outbox.settle().await;
        assert_eq!(texts(&app, &RESPONSES).await, ["503 heard", "200 heard"]);
        assert!(texts(&app, &QUEUE).await.is_empty());
    }

    #[tokio::test]
    async fn a_private_address_is_not_reached() {
        let (url, heard) = server(vec![200]).await;
        let (_folder, app, mut outbox) = outbox("").await;
        let port = url.rsplit(':').next().unwrap().to_owned();
        let urls = [
            url.clone(),
            format!("http://localhost:{port}"),
            format!("http://[::ffff:127.0.0.1]:{port}"),
            format!("http://127.1:{port}"),
            format!("http://2130706433:{port}"),
            "file:///etc/passwd".to_owned(),
            "nothing".to_owned(),
        ];
        for (id, url) in (1_i64..).zip(&urls) {
            insert(&app, id, url).await;
        }
        outbox.tick(app.clock.now_micros()).await.unwrap();
        outbox.settle().await;
        assert!(heard.lock().unwrap().is_empty());
        let said = texts(&app, &RESPONSES).await;
        assert_eq!(said.len(), urls.len(), "{said:?}");
        let refused = said.iter().filter(|said| said.contains("private_addresses")).count();
        assert!(refused >= 3, "{said:?}");
        assert_eq!(texts(&app, &QUEUE).await.len(), urls.len());
    }
}
