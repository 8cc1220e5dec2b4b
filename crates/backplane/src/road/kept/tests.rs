//! What is kept of a read is used again, and never for what it was not made for.

use query::Caller;

use super::*;
use crate::app::App;
use crate::project::{Project, Strictness};
use crate::road::serve;
use crate::settings::Environment;
use crate::testing::{Folder, app_of};

const SCHEMA: &str = "
    create schema other;
    create table notes (id int primary key, owner uuid, at timestamptz not null default '2020-01-01', done bool not null default false);
    create table other.notes (id int primary key, word text);
    alter table notes enable row level security;
    create policy own on notes for select to authenticated using (owner = auth.uid());
    grant usage on schema other to anon, authenticated, service_role;
    revoke all on notes from anon;
    grant select on notes to authenticated, service_role;
    grant select on other.notes to anon, authenticated, service_role;
";

const ROWS: &str = "
    insert into notes (id, owner) values (1, '00000001-0000-4000-8000-000000000000'), (2, '00000002-0000-4000-8000-000000000000');
    insert into other.notes values (1, 'one'), (2, 'two');
";

const CONFIG: &str = "[api]\nschemas = [\"public\", \"other\"]\n";

fn folder() -> Folder {
    Folder::of(&[("schema.sql", SCHEMA), ("seed.sql", ROWS), ("config.toml", CONFIG)])
}

fn person(number: u8) -> Caller {
    let uid = [0, 0, 0, number, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0];
    Caller { uid: Some(uid), claims: Some("{}".into()), ..Caller::role("authenticated") }
}

async fn asked(app: &App, caller: &Caller, query: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let http = Http { method: "GET", path: "/notes", query, headers, body: b"" };
    let ticks = || std::time::Duration::ZERO;
    let (reply, _) = serve(&app.database, &app.data_api, caller, &http, 0, &ticks).await;
    let (_, body) = reply.body.into_parts();
    (reply.status, String::from_utf8(body).unwrap())
}

/// How many shapes are kept, and of how many it is known that they cannot be.
fn known(app: &App) -> (usize, usize) {
    let known = app.data_api.memory.0.lock().unwrap();
    let entries = || known.young.values().chain(known.old.values());
    let kept = entries().filter(|entry| matches!(entry, Entry::Kept(_))).count();
    (kept, entries().count() - kept)
}

#[tokio::test]
async fn people_of_one_role_share_what_is_kept_and_see_what_is_theirs() {
    let folder = folder();
    let app = app_of(&folder).await;
    for _ in 0..3 {
        for (caller, id, expected) in [
            (person(1), 1, r#"[{"id":1}]"#),
            (person(2), 1, "[]"),
            (person(2), 2, r#"[{"id":2}]"#),
            (person(1), 2, "[]"),
        ] {
            let answer = asked(&app, &caller, &format!("select=id&id=eq.{id}"), &[]).await;
            assert_eq!(answer, (200, expected.to_owned()));
        }
    }
    assert_eq!(known(&app), (1, 0));
}

#[tokio::test]
async fn roles_share_nothing() {
    let folder = folder();
    let app = app_of(&folder).await;
    for _ in 0..2 {
        let answer = asked(&app, &Caller::role("service_role"), "select=id&order=id", &[]).await;
        assert_eq!(answer, (200, r#"[{"id":1},{"id":2}]"#.to_owned()));
        assert_eq!(asked(&app, &person(1), "select=id&order=id", &[]).await.1, r#"[{"id":1}]"#);
        let (status, body) = asked(&app, &Caller::role("anon"), "select=id&order=id", &[]).await;
        assert!(status == 401 && body.contains("42501"), "{status} {body}");
        let (status, body) = asked(&app, &Caller::role("postgres"), "select=id&order=id", &[]).await;
        assert!(status == 403 && body.contains("permission denied to set role"), "{status} {body}");
    }
    assert_eq!(known(&app), (2, 0));
}

#[tokio::test]
async fn schemas_zones_and_forms_share_nothing() {
    let folder = folder();
    let app = app_of(&folder).await;
    let service = Caller::role("service_role");
    for _ in 0..2 {
        let other = asked(&app, &service, "id=eq.2", &[("accept-profile", "other")]).await;
        assert_eq!(other.1, r#"[{"id":2,"word":"two"}]"#);
        for (zone, shown) in [("UTC", "2020-01-01T00:00:00+00:00"), ("+02", "2020-01-01T02:00:00+02:00")] {
            let zone = format!("timezone={zone}");
            let answer = asked(&app, &service, "select=at&id=eq.2", &[("prefer", &zone)]).await;
            assert_eq!(answer.1, format!(r#"[{{"at":"{shown}"}}]"#), "{zone}");
        }
        let accept = ("accept", "application/vnd.pgrst.object+json");
        assert_eq!(asked(&app, &service, "select=id&id=eq.2", &[accept]).await.1, r#"{"id":2}"#);
        assert_eq!(asked(&app, &service, "select=id&id=eq.2", &[]).await.1, r#"[{"id":2}]"#);
        assert_eq!(asked(&app, &service, "select=id&id=eq.3", &[accept]).await.0, 406);
    }
    assert_eq!(known(&app), (5, 0));
}

#[tokio::test]
async fn values_are_read_as_if_nothing_were_kept() {
    let folder = folder();
    let app = app_of(&folder).await;
    let service = Caller::role("service_role");
    for _ in 0..2 {
        for (query, status, says) in [
            ("select=id&id=eq.2", 200, r#"[{"id":2}]"#),
            ("select=id&id=eq.x", 400, "invalid input syntax for type integer: \\\"x\\\""),
            ("select=id&id=eq.99999999999", 400, "22003"),
            ("select=id&at=lt.2021-01-01&order=id.desc", 200, r#"[{"id":2},{"id":1}]"#),
            ("select=id&at=lt.1999-01-01&order=id.desc", 200, "[]"),
            ("select=id&at=lt.now&order=id.desc", 200, "[]"),
            ("select=id&at=lt.%00&order=id.desc", 400, "22021"),
            ("select=id&done=eq.true", 200, "[]"),
            ("select=id&done=eq.f&order=id", 200, r#"[{"id":1},{"id":2}]"#),
            ("select=id&gone=eq.1", 400, "42703"),
            ("select=id&id=in.(1,2)&order=id", 200, r#"[{"id":1},{"id":2}]"#),
        ] {
            let answer = asked(&app, &service, query, &[]).await;
            assert!(answer.0 == status && answer.1.contains(says), "{query} {answer:?}");
        }
    }
    assert_eq!(known(&app), (3, 1));
}

/// What was a header's line in the key of a shape is a filter of a column that there is not.
#[tokio::test]
async fn a_query_spells_no_header() {
    let folder = folder();
    let app = app_of(&folder).await;
    let service = Caller::role("service_role");
    for _ in 0..2 {
        let headed = asked(&app, &service, "", &[("accept", "application/json;a=is.null")]).await;
        assert_eq!(headed.0, 200, "{headed:?}");
        let written = asked(&app, &service, "accept:application/json;a=is.null&", &[]).await;
        assert!(written.0 == 400 && !written.1.contains("XX000"), "{written:?}");
    }
    assert_eq!(known(&app), (1, 0));
}

/// Of what nobody asks here.
const AT: &str = r#","at":"2020-01-01T00:00:00+00:00""#;

#[tokio::test]
async fn another_model_is_asked_anew() {
    let folder = folder();
    let app = app_of(&folder).await;
    for (policy, column, id, expected) in [
        (
            "owner = auth.uid()",
            "",
            1,
            r#"[{"id":1,"owner":"00000001-0000-4000-8000-000000000000","done":false}]"#,
        ),
        ("id = 2", ", extra int not null default 7", 1, "[]"),
        (
            "id = 2",
            ", extra int not null default 7",
            2,
            r#"[{"id":2,"owner":"00000002-0000-4000-8000-000000000000","done":false,"extra":7}]"#,
        ),
        ("false", ", extra int not null default 7", 2, "[]"),
    ] {
        let schema = SCHEMA
            .replace("owner = auth.uid()", policy)
            .replace("default false", &format!("default false{column}"));
        folder.write("schema.sql", &schema);
        let project = Project::read(folder.path(), &Environment::default(), Strictness::Strict).unwrap();
        app.change(&project).await.unwrap();
        for _ in 0..2 {
            let answer = asked(&app, &person(1), &format!("id=eq.{id}"), &[]).await;
            assert_eq!(answer.1.replace(AT, ""), expected, "{policy}");
        }
        assert_eq!(known(&app).0, 1);
    }
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_of_one_model() {
    let folders = [folder(), folder()];
    let (one, other) = (app_of(&folders[0]).await.model(), app_of(&folders[1]).await.model());
    let memory = Memory::default();
    let key = |number: usize| Key { role: "r".into(), shape: number.to_string() };
    for number in 0..3 * SHAPES_MAX {
        memory.put(&one, key(number), Entry::Never);
        assert!(memory.get(&one, &key(0)).is_some(), "what is asked for stays: {number}");
    }
    let held = || {
        let known = memory.0.lock().unwrap();
        known.young.len() + known.old.len()
    };
    assert!(held() <= 2 * SHAPES_MAX, "{}", held());
    assert!(memory.get(&one, &Key { role: "s".into(), ..key(0) }).is_none());
    assert!(memory.get(&other, &key(0)).is_none());
    assert_eq!(held(), 0);
}
