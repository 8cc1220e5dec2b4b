//! What this machine can do at most: SQLite behind a bare web framework, for `cargo xtask bench` to compare with.
//!
//! The statements are the ones that the server has to run, written by hand: JSON made by SQLite's functions, the policy a
//! fixed condition, reads on the worker thread, inserts through one writer that commits waiting requests together. There
//! is no token, no catalog, no routing by table, no logging. An upper bound, not a product.
//!
//! ```text
//! ceiling ADDRESS DATABASE OWNER [FULL|NORMAL]
//!   GET  /hello                 nothing but the web framework
//!   GET  /readyz                204
//!   GET  /book?N  /list?YEAR  /embed?YEAR  /page
//!   POST /authors  /books       a row, or an array of rows
//! ```
#![expect(clippy::print_stderr, reason = "a program for a terminal")]

use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::oneshot;
use types::json::{self, Json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Worker threads: the machine of the published figures has two cores.
const WORKERS: usize = 2;

/// Most inserts of one commit.
const GROUP_MAX: usize = 256;

/// Deepest JSON of a body: an array of rows.
const JSON_DEPTH_MAX: usize = 4;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS books (
  id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors, owner_id TEXT NOT NULL, title TEXT NOT NULL,
  year INTEGER NOT NULL, price REAL NOT NULL, published INTEGER NOT NULL, summary TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS books_year ON books (year);
CREATE INDEX IF NOT EXISTS books_author ON books (author_id);";

const BOOK: &str = "
SELECT json_object('id', id, 'author_id', author_id, 'owner_id', owner_id, 'title', title, 'year', year, 'price', price,
                   'published', json(iif(published, 'true', 'false')), 'summary', summary)
FROM books WHERE id = ?1 AND (published OR owner_id = ?2)";

const LIST: &str = "
SELECT json_group_array(json_object('id', id, 'author_id', author_id, 'owner_id', owner_id, 'title', title, 'year', year,
                                    'price', price, 'published', json(iif(published, 'true', 'false')), 'summary', summary))
FROM (SELECT * FROM books WHERE year = ?1 AND (published OR owner_id = ?2) ORDER BY id LIMIT 20)";

const PAGE: &str = "
SELECT json_group_array(json_object('id', id, 'author_id', author_id, 'owner_id', owner_id, 'title', title, 'year', year,
                                    'price', price, 'published', json(iif(published, 'true', 'false')), 'summary', summary))
FROM (SELECT * FROM books WHERE (published OR owner_id = ?2) AND ?1 = 0 ORDER BY id LIMIT 1000)";

const EMBED: &str = "
SELECT json_group_array(json_object('id', id, 'title', title, 'year', year, 'price', price,
                                    'authors', json_object('id', author_id, 'name', name)))
FROM (SELECT books.*, authors.name FROM books JOIN authors ON authors.id = books.author_id
      WHERE year = ?1 AND (published OR owner_id = ?2) ORDER BY books.id LIMIT 20)";

const INSERT_BOOK: &str = "
INSERT INTO books (author_id, owner_id, title, year, price, published, summary)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?2 = ?8 OR ?8 IS NULL";

const INSERT_AUTHOR: &str = "INSERT INTO authors (name, country) VALUES (?1, ?2)";

/// The database and the one who asks.
struct Ceiling {
    database: String,
    owner: String,
    writer: SyncSender<Insert>,
}

/// What waits for the writer.
struct Insert {
    table: Table,
    body: String,
    reply: oneshot::Sender<rusqlite::Result<()>>,
}

#[derive(Clone, Copy)]
enum Table {
    Authors,
    Books,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (address, database, owner, synchronous) = match words.as_slice() {
        [address, database, owner] => (address, database, owner, "FULL"),
        [address, database, owner, synchronous] => (address, database, owner, synchronous.as_str()),
        _ => {
            eprintln!("usage: ceiling ADDRESS DATABASE OWNER [FULL|NORMAL]");
            return ExitCode::from(2);
        }
    };
    match serve(address, database, owner, synchronous) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str, database: &str, owner: &str, synchronous: &str) -> Result<(), String> {
    let connection = open(database, synchronous).map_err(|error| format!("{database}: {error}"))?;
    connection.execute_batch(SCHEMA).map_err(|error| format!("{database}: {error}"))?;
    let (writer, inserts) = sync_channel(1_024);
    let of_owner = owner.to_owned();
    std::thread::spawn(move || write(&connection, &of_owner, &inserts));
    let ceiling = Arc::new(Ceiling { database: database.to_owned(), owner: owner.to_owned(), writer });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(accept(address, router(ceiling)))
}

fn router(ceiling: Arc<Ceiling>) -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/readyz", get(async || StatusCode::NO_CONTENT))
        .route("/book", get(book))
        .route("/list", get(list))
        .route("/embed", get(embed))
        .route("/page", get(page))
        .route("/authors", post(async |state, body| insert(state, Table::Authors, body).await))
        .route("/books", post(async |state, body| insert(state, Table::Books, body).await))
        .with_state(ceiling)
}

async fn accept(address: &str, router: Router) -> Result<(), String> {
    let listener =
        tokio::net::TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
        // Small answers: waiting for more to send would cost a delayed acknowledgement.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let service = TowerToHyperService::new(router.clone());
        // A client that goes away is nobody's error.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn book(State(ceiling): State<Arc<Ceiling>>, RawQuery(id): RawQuery) -> Response {
    let row = ceiling.text(BOOK, id).map(|row| row.map_or("[]".to_owned(), |row| format!("[{row}]")));
    reply(row)
}

async fn list(State(ceiling): State<Arc<Ceiling>>, RawQuery(year): RawQuery) -> Response {
    reply(ceiling.text(LIST, year).map(Option::unwrap_or_default))
}

async fn page(State(ceiling): State<Arc<Ceiling>>) -> Response {
    reply(ceiling.text(PAGE, None).map(Option::unwrap_or_default))
}

async fn embed(State(ceiling): State<Arc<Ceiling>>, RawQuery(year): RawQuery) -> Response {
    reply(ceiling.text(EMBED, year).map(Option::unwrap_or_default))
}

fn reply(body: rusqlite::Result<String>) -> Response {
    match body {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

thread_local! {
    /// The connection of a worker thread.
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

impl Ceiling {
    /// The text that a statement makes for a number and the owner.
    fn text(&self, statement: &str, number: Option<String>) -> rusqlite::Result<Option<String>> {
        let number: i64 = number.and_then(|number| number.parse().ok()).unwrap_or_default();
        READER.with_borrow_mut(|reader| {
            let connection = match reader {
                Some(connection) => connection,
                empty => empty.insert(open(&self.database, "FULL")?),
            };
            let mut statement = connection.prepare_cached(statement)?;
            statement.query_row((number, &self.owner), |row| row.get(0)).optional()
        })
    }
}

fn open(database: &str, synchronous: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA foreign_keys=ON;
         PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;"
    ))?;
    Ok(connection)
}

async fn insert(State(ceiling): State<Arc<Ceiling>>, table: Table, body: String) -> Response {
    let (reply, answer) = oneshot::channel();
    if ceiling.writer.try_send(Insert { table, body, reply }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answer.await {
        Ok(Ok(())) => StatusCode::CREATED.into_response(),
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The writer: what waits is committed together and answered after the commit.
fn write(connection: &Connection, owner: &str, inserts: &Receiver<Insert>) {
    while let Ok(first) = inserts.recv() {
        let group: Vec<Insert> =
            std::iter::once(first).chain(inserts.try_iter().take(GROUP_MAX - 1)).collect();
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let outcomes: Vec<_> = group.iter().map(|insert| in_savepoint(connection, owner, insert)).collect();
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
        for (insert, outcome) in group.into_iter().zip(outcomes) {
            let outcome = if committed.is_ok() { outcome } else { Err(rusqlite::Error::InvalidQuery) };
            // Nobody waits for the answer of a request that was given up.
            let _ = insert.reply.send(outcome);
        }
    }
}

fn in_savepoint(connection: &Connection, owner: &str, insert: &Insert) -> rusqlite::Result<()> {
    connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let outcome = rows(connection, owner, insert);
    if outcome.is_err() {
        connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    connection.prepare_cached("RELEASE job")?.execute([])?;
    outcome
}

fn rows(connection: &Connection, owner: &str, insert: &Insert) -> rusqlite::Result<()> {
    match json::parse(&insert.body, JSON_DEPTH_MAX).map_err(|_| rusqlite::Error::InvalidQuery)? {
        // Only the seed comes as an array: it has rows of other owners.
        Json::Array(rows) => rows.iter().try_for_each(|row| one(connection, None, insert.table, row)),
        row => one(connection, Some(owner), insert.table, &row),
    }
}

fn one(connection: &Connection, owner: Option<&str>, table: Table, row: &Json) -> rusqlite::Result<()> {
    let text = |key| row.get(key).and_then(Json::as_str);
    let inserted = match table {
        Table::Authors => {
            connection.prepare_cached(INSERT_AUTHOR)?.execute((text("name"), text("country")))?
        }
        Table::Books => connection.prepare_cached(INSERT_BOOK)?.execute((
            integer(row, "author_id"),
            text("owner_id"),
            text("title"),
            integer(row, "year"),
            number(row, "price"),
            row.get("published") == Some(&Json::Bool(true)),
            text("summary"),
            owner,
        ))?,
    };
    if inserted == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(inserted)) }
}

fn integer(row: &Json, key: &str) -> Option<i64> {
    written(row, key)?.parse().ok()
}

fn number(row: &Json, key: &str) -> Option<f64> {
    written(row, key)?.parse().ok()
}

fn written<'a>(row: &'a Json, key: &str) -> Option<&'a str> {
    match row.get(key)? {
        Json::Number(text) => Some(text),
        _ => None,
    }
}
