//! The router as a client sees it, in process.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::app::Parts;
use crate::keys::DemoKeys;
use crate::project::{Project, Strictness};
use crate::settings::Environment;
use crate::testing::{FixedClock, Folder, SeededRandom};

struct Server {
    app: Arc<App>,
    folder: Folder,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

const SCHEMA: &str = "create table notes (id int primary key); alter table notes enable row level security;";

async fn server(config: &str) -> Server {
    let folder = Folder::of(&[
        ("p/schema.sql", SCHEMA),
        ("p/config.toml", config),
        ("p/web/index.html", "<p>hi"),
        ("p/web/.env", "SECRET=1"),
        ("p/secret.txt", "outside"),
    ]);
    let project =
        Project::read(&folder.path().join("p"), &Environment::default(), Strictness::Strict).unwrap();
    assert!(project.complaints.is_empty(), "{:?}", project.complaints);
    let app = App::open(Parts {
        project,
        data_dir: folder.path().join("data"),
        demo_keys: DemoKeys::Refused,
        allow_loss: false,
        clock: Arc::new(FixedClock),
        random: Arc::new(SeededRandom),
    });
    Server { app: app.await.unwrap(), folder }
}

impl Server {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(method).uri(target);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    fn keys(&self) -> auth::KeySet {
        let text = std::fs::read_to_string(self.folder.path().join("data/keys.json")).unwrap();
        auth::KeySet::of_json(&text).unwrap()
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[]).await
    }
}

#[tokio::test]
async fn probes_say_alive_and_ready_until_the_end() {
    let server = server("").await;
    assert_eq!(server.get("/livez").await.status, 200);
    assert_eq!(server.get("/readyz").await.body, r#"{"status":"ready"}"#);
    server.app.stop();
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/livez").await.status, 200);
}

#[tokio::test]
async fn nowhere_is_404_in_json() {
    let server = server("").await;
    for path in ["/", "/rest", "/rest/v2/notes", "/config.toml", "/restful/v1/notes"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.starts_with(r#"{"code":"PGRST125""#), "{path} {}", answer.body);
    }
}

#[tokio::test]
async fn every_answer_has_a_name_and_the_headers_of_a_careful_server() {
    let server = server("").await;
    for path in ["/livez", "/nowhere", "/rest/v1/notes"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
    let named = server.ask("GET", "/livez", &[("x-request-id", "abc-1")]).await;
    assert_eq!(named.header("x-request-id"), Some("abc-1"));
    let odd = server.ask("GET", "/livez", &[("x-request-id", "a b")]).await;
    assert_ne!(odd.header("x-request-id"), Some("a b"));
}

#[tokio::test]
async fn heads_and_bodies_over_their_limits_are_refused() {
    let server = server("[limits]\nurl_bytes_max = 100\nheader_bytes_max = 200\nbody_bytes_max = 10\n").await;
    let long = "a".repeat(300);
    assert_eq!(server.get(&format!("/rest/v1/{long}")).await.status, 414);
    assert_eq!(server.ask("GET", "/rest/v1/notes", &[("x-long", &long)]).await.status, 431);
    let post = |body: Body| Request::builder().method("POST").uri("/rest/v1/notes").body(body).unwrap();
    assert_eq!(server.send(post(Body::from(long.clone()))).await.status, 413);
    let mut said = post(Body::empty());
    said.headers_mut().insert("content-length", "11".parse().unwrap());
    assert_eq!(server.send(said).await.status, 413);
}

#[tokio::test]
async fn refusals_are_readable_for_pages_of_other_origins() {
    let server = server("[limits]\nbody_bytes_max = 10\n").await;
    let request =
        Request::builder().method("POST").uri("/rest/v1/notes").header("origin", "http://a.example");
    let answer = server.send(request.body(Body::from("x".repeat(11))).unwrap()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (413, Some("*")));
    let preflight = [("origin", "http://a.example"), ("access-control-request-method", "POST")];
    let answer = server.ask("OPTIONS", "/rest/v1/notes", &preflight).await;
    assert_eq!((answer.status, answer.header("access-control-max-age")), (200, Some("86400")));
}

#[tokio::test]
async fn keys_are_asked_for_only_where_the_settings_say_so() {
    let server = server("[api]\nrequire_key = true\n").await;
    let answer = server.get("/rest/v1/notes").await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("No API key found in request"), "{}", answer.body);
    let answer = server.ask("GET", "/rest/v1/notes", &[("apikey", "sb_secret_wrong")]).await;
    assert!(answer.status == 401 && answer.body.contains("Invalid API key"), "{}", answer.body);
}

#[tokio::test]
async fn files_are_served_from_their_folder_alone() {
    let server = server("[server]\nstatic_dir = \"web\"\n").await;
    let page = server.get("/app/index.html").await;
    assert_eq!(
        (page.status, page.body.as_str(), page.header("content-type")),
        (200, "<p>hi", Some("text/html"))
    );
    assert_eq!(server.get("/app/").await.body, "<p>hi");
    assert_eq!(server.get("/app").await.header("location"), Some("/app/"));
    for path in
        ["/app/.env", "/app/../secret.txt", "/app/%2e%2e/secret.txt", "/app/..%2fsecret.txt", "/app/none"]
    {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.starts_with('{') && !answer.body.contains("outside"), "{path}");
    }
    #[cfg(unix)]
    {
        let web = server.folder.path().join("p/web");
        std::os::unix::fs::symlink("../secret.txt", web.join("link.txt")).unwrap();
        assert_eq!(server.get("/app/link.txt").await.status, 404);
    }
    assert_eq!(server.ask("POST", "/app/index.html", &[]).await.status, 405);
    let head = server.ask("HEAD", "/app/index.html", &[]).await;
    assert_eq!((head.status, head.body.as_str(), head.header("content-length")), (200, "", Some("5")));
}

#[tokio::test]
async fn h11_metrics_are_for_this_machine_and_for_secret_keys() {
    let server = server("").await;
    assert!(server.get("/metrics").await.body.contains("http_server_request_duration_seconds_count"));
    let proxied = [("x-forwarded-for", "203.0.113.7")];
    assert_eq!(server.ask("GET", "/metrics", &proxied).await.status, 404);
    let mut far = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    far.extensions_mut().insert(Peer("203.0.113.7:80".parse().unwrap()));
    assert_eq!(server.send(far).await.status, 404);
    let keys = server.keys();
    for (key, status) in [(&keys.secret_keys[0], 200), (&keys.service_role_key, 200), (&keys.anon_key, 404)] {
        let answer = server.ask("GET", "/metrics", &[proxied[0], ("apikey", key)]).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn data_is_opened_by_one_process_at_a_time() {
    let first = server("").await;
    let project =
        Project::read(&first.folder.path().join("p"), &Environment::default(), Strictness::Strict).unwrap();
    let second = App::open(Parts {
        project,
        data_dir: first.folder.path().join("data"),
        demo_keys: DemoKeys::Refused,
        allow_loss: false,
        clock: Arc::new(FixedClock),
        random: Arc::new(SeededRandom),
    });
    let error = second.await.err().unwrap();
    assert_eq!(error.code(), types::Code::LOCK_NOT_AVAILABLE);
    assert!(error.message().starts_with("the data directory is in use by another process"), "{error}");
}

impl Server {
    async fn post(&self, target: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let request =
            Request::builder().method("POST").uri(target).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

const ADA: &str = r#"{"email":"ada@example.com","password":"correct horse battery"}"#;

fn token(answer: &Answer) -> String {
    let (_, rest) =
        answer.body.split_once(r#""access_token":""#).unwrap_or_else(|| panic!("{}", answer.body));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn people_sign_up_and_are_known_to_the_data_api_until_they_leave() {
    let server = server("").await;
    let signed_up = server.post("/auth/v1/signup", ADA, &[]).await;
    assert_eq!(signed_up.status, 200, "{}", signed_up.body);
    let bearer = format!("Bearer {}", token(&signed_up));
    let as_ada = [("authorization", bearer.as_str())];
    assert_eq!(server.ask("GET", "/auth/v1/user", &as_ada).await.status, 200);
    let rows = server.ask("GET", "/rest/v1/notes", &as_ada).await;
    assert_eq!((rows.status, rows.body.as_str()), (200, "[]"));
    assert!(rows.header("server-timing").unwrap().contains("jwt;dur="));
    assert_eq!(server.post("/auth/v1/logout", "", &as_ada).await.status, 204);
    assert_eq!(server.ask("GET", "/rest/v1/notes", &as_ada).await.status, 401);
}

#[tokio::test]
async fn the_auth_api_refuses_in_its_own_words() {
    let server = server("[limits]\nbody_bytes_max = 20\n").await;
    let answer = server.post("/auth/v1/signup", ADA, &[("origin", "http://a.example")]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains(r#""error_code":"request_entity_too_large""#), "{}", answer.body);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let newer = server.post("/auth/v1/signup", ADA, &[("x-supabase-api-version", "2024-01-01")]).await;
    assert!(newer.body.contains(r#""code":"request_entity_too_large""#), "{}", newer.body);
    assert_eq!(server.ask("OPTIONS", "/auth/v1/signup", &[]).await.status, 204);
    assert_eq!(server.ask("TRACE", "/auth/v1/signup", &[]).await.status, 405);
    let head = server.ask("HEAD", "/auth/v1/health", &[]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn an_api_that_is_switched_off_is_not_there() {
    let server = server("[auth]\nenabled = false\n[api]\nenabled = false\n").await;
    assert_eq!(server.get("/auth/v1/health").await.status, 404);
    assert_eq!(server.get("/rest/v1/notes").await.status, 404);
}

#[tokio::test]
async fn a_change_of_the_project_is_served_at_once() {
    let server = server("").await;
    let path = "/rest/v1/later";
    assert_eq!(server.get(path).await.status, 404);
    let more = "create table later (id int); alter table later enable row level security;";
    server.folder.write("p/schema.sql", &format!("{SCHEMA} {more}"));
    let root = server.folder.path().join("p");
    let project = Project::read(&root, &Environment::default(), Strictness::Strict).unwrap();
    let done = server.app.change(&project).await.unwrap();
    assert!(done.iter().any(|line| line.contains("later")), "{done:?}");
    assert_eq!(server.get(path).await.body, "[]");
    let key = server.keys().secret_keys.remove(0);
    assert_eq!(server.post(path, r#"{"id":1}"#, &[("apikey", &key)]).await.status, 201);
    server.folder.write("p/schema.sql", SCHEMA);
    let project = Project::read(&root, &Environment::default(), Strictness::Strict).unwrap();
    assert!(server.app.change(&project).await.is_err(), "a table with its rows is not dropped unasked");
    assert_eq!(server.get(path).await.body, "[]");
}

/// By settings of the role that the API has before its caller's, as PostgREST reads them. No case says this: on PostgreSQL a
/// role's settings are the whole server's.
#[tokio::test]
async fn a_schema_switches_on_what_the_settings_do_not() {
    let server = server("").await;
    let (sum, plan) = ("/rest/v1/notes?select=id.sum()", [("accept", "application/vnd.pgrst.plan+json")]);
    assert_eq!(server.get(sum).await.status, 400);
    assert_eq!(server.ask("GET", "/rest/v1/notes", &plan).await.status, 406);
    let more = "alter role authenticator set pgrst.db_plan_enabled to 'true';
        alter role authenticator set pgrst.db_aggregates_enabled = 'true';
        alter role authenticator set pgrst.db_pre_request = 'public.before_each';
        create function before_each() returns void language sql as
            $$ select set_config('response.headers', '[{\"X-Before\":\"yes\"}]', true) $$;";
    server.folder.write("p/schema.sql", &format!("{SCHEMA} {more}"));
    let root = server.folder.path().join("p");
    let project = Project::read(&root, &Environment::default(), Strictness::Strict).unwrap();
    server.app.change(&project).await.unwrap();
    let summed = server.get(sum).await;
    assert_eq!((summed.status, summed.header("x-before")), (200, Some("yes")), "{}", summed.body);
    assert_eq!(server.ask("GET", "/rest/v1/notes", &plan).await.status, 200);
}

/// Of a file or of memory: the same bytes, the same headers, and nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_replies_are_files_until_they_are_sent() {
    let server = server("[limits]\nreply_memory_bytes_max = 100\nrows_max = 100_000\nspool_bytes_max = 2_000_000\nreply_bytes_max = 1_000_000\n").await;
    let key = server.keys().secret_keys.remove(0);
    let as_service = [("apikey", key.as_str())];
    let path = "/rest/v1/notes?order=id";
    let fill = |from: u32, to: u32| {
        let rows: Vec<String> = (from..to).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        format!("[{}]", rows.join(","))
    };
    assert_eq!(server.post("/rest/v1/notes", &fill(0, 60_000), &as_service).await.status, 201);
    let whole = server.ask("GET", path, &[as_service[0], ("prefer", "count=exact")]).await;
    assert_eq!((whole.status, whole.header("content-range")), (200, Some("0-59999/60000")));
    assert_eq!(whole.header("content-length"), Some(whole.body.len().to_string().as_str()));
    assert!(whole.body == fill(0, 60_000), "{} bytes", whole.body.len());
    let names = std::fs::read_dir(server.folder.path().join("data")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{names:?}");
    let head = server.ask("HEAD", path, &as_service).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    // A client that does not take its answer holds the room of its file, and gives it back when it goes.
    let request =
        |target: &str| Request::builder().uri(target).header("apikey", &key).body(Body::empty()).unwrap();
    let mut held = Vec::new();
    for expected in [200, 200, 503] {
        let response = server.app.router().oneshot(request(path)).await.unwrap();
        assert_eq!(response.status().as_u16(), expected);
        held.push(response);
    }
    drop(held);
    assert_eq!(server.ask("GET", path, &as_service).await.status, 200);
    // What fails at a late row is a refusal, and no part of the rows.
    assert_eq!(server.post("/rest/v1/notes", &fill(60_000, 120_000), &as_service).await.status, 201);
    let long = server.ask("GET", path, &as_service).await;
    assert_eq!((long.status, long.body.contains("54000")), (500, true), "{}", long.body);
}
