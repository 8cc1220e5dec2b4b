//! A database with people, and the Data API over it.

use std::sync::Arc;
use std::time::Duration;

use backplane::road::{self, DataApi, Description, Memory};
use drivers::postgres::{Options, Postgres};
use engine::Database;
use query::{Caller, Model};
use rest::Http;
use rest::respond::Reply;
use types::Limits;

use crate::fold::fold;
use crate::server::{Fresh, script};

/// Roles and functions as Supabase's conventions have them.
pub(crate) const FOUNDATION: &str = "
    do $$
    declare wanted record;
    begin
        for wanted in select * from (values
            ('anon', 'nologin'), ('authenticated', 'nologin'), ('service_role', 'nologin bypassrls'),
            ('authenticator', 'login noinherit')
        ) roles (name, options) loop
            if not exists (select from pg_roles where rolname = wanted.name) then
                begin
                    execute format('create role %I %s', wanted.name, wanted.options);
                exception when duplicate_object or unique_violation then null;
                end;
            end if;
        end loop;
    end $$;
    grant anon, authenticated, service_role to authenticator;
    create schema auth;
    grant usage on schema auth to public;
    create function auth.uid() returns uuid language sql stable as
        $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
    create function auth.role() returns text language sql stable as
        $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $$;
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
";

pub(crate) const ALICE: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const BOB: &str = "22222222-2222-4222-8222-222222222222";

/// A caller with a token of a user.
pub(crate) fn person(id: &str) -> Caller {
    let claims = format!(r#"{{"sub":"{id}","role":"authenticated"}}"#);
    let uid = uuid(id);
    Caller { claims: Some(claims.into()), uid: Some(uid), ..Caller::role("authenticated") }
}

fn uuid(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
}

pub(crate) fn anon() -> Caller {
    Caller::role("anon")
}

/// A served database.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) api: DataApi,
    pub(crate) url: String,
}

impl World {
    /// A database of its own with a schema, served as `authenticator`.
    pub(crate) async fn new(test: &str, schema: &str) -> World {
        World::with(test, schema, |_| {}).await
    }

    /// The same with other limits of the driver.
    pub(crate) async fn with(test: &str, schema: &str, limit: impl FnOnce(&mut Options)) -> World {
        let fresh = Fresh::empty(test).await;
        let session = fresh.session().await;
        script(&session, FOUNDATION).await;
        script(&session, schema).await;
        let mut options = Options::new(fresh.url().replace("postgres@", "authenticator@"));
        limit(&mut options);
        World::serve(&options, schema, fresh.url())
    }

    /// The database at an address, which has this schema.
    pub(crate) fn serve(options: &Options, schema: &str, url: String) -> World {
        let model = Model::of_native_views(Arc::new(fold(&[schema])));
        let postgres = Arc::new(Postgres::new(options).unwrap());
        let database = Database::new(
            postgres,
            Arc::new(model),
            Arc::new(|bytes: &mut [u8]| bytes.fill(7)),
            Arc::new(|| 800_000_000_000_000),
        );
        let api = DataApi {
            schemas: vec!["public".to_owned()],
            extra_search_path: vec!["public".to_owned(), "extensions".to_owned()],
            aggregates: true,
            honors_tx: true,
            rolls_back: false,
            description: Description { served: true, all: false, token: false },
            pre_request: None,
            explain: true,
            anon_role: "anon".into(),
            server_url: "http://localhost".to_owned(),
            limits: Limits::default(),
            aside: None,
            memory: Memory::default(),
        };
        World { database, api, url }
    }

    /// With another schema as the model: of things that only PostgreSQL can make.
    pub(crate) fn also(&mut self, schema: &str) {
        self.database.replace(Arc::new(Model::of_native_views(Arc::new(fold(&[schema])))));
    }

    /// With rows in it.
    pub(crate) async fn filled(self, rows: &str) -> World {
        script(&self.owner().await, rows).await;
        self
    }

    /// Asks: a line like `GET /films?a=eq.1`, headers and a body.
    pub(crate) async fn ask(
        &self,
        caller: &Caller,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let http = Http { method, path, query, headers, body: body.as_bytes() };
        let ticks = || Duration::ZERO;
        road::serve(&self.database, &self.api, caller, &http, 800_000_000_000_000, &ticks).await.0
    }

    /// What is answered to a `GET`: status and body.
    pub(crate) async fn get(&self, caller: &Caller, target: &str) -> (u16, String) {
        said(self.ask(caller, &format!("GET {target}"), &[], "").await)
    }

    /// A session of the database's owner.
    pub(crate) async fn owner(&self) -> tokio_postgres::Client {
        crate::server::session(&self.url).await
    }
}

/// Status and body.
pub(crate) fn said(reply: Reply) -> (u16, String) {
    (reply.status, String::from_utf8(reply.body.in_memory().unwrap()).unwrap())
}
