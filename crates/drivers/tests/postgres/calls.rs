//! Functions over the road: PostgreSQL runs them, in any language, with its own defaults and rights.

use crate::world::{ALICE, World, anon, person, said};

const SCHEMA: &str = "
    create table items (id int primary key, name text, owner uuid);
    create table parts (id int primary key, item_id int references items);
    alter table items enable row level security;
    create policy own on items for select using (owner is null or owner = auth.uid());
    create function add(a int, b int default 10) returns int language plpgsql immutable as $$ begin return a + b; end $$;
    create function total(variadic numbers int[]) returns bigint language sql stable as $$ select sum(n) from unnest(numbers) n $$;
    create function all_items() returns setof items language sql stable as $$ select * from items $$;
    create function every_item() returns setof items language sql stable security definer as $$ select * from items $$;
    create function first_item() returns items language sql stable as $$ select * from items order by id limit 1 $$;
    create function pairs(n int) returns table (k int, v text) language plpgsql stable as $$
        begin return query select g, repeat('x', g) from generate_series(1, n) g; end $$;
    create function named(id int, out label text, out size int) language sql stable as $$ select 'n' || id, id $$;
    create function put(id int, name text) returns void language plpgsql as $$ begin insert into items values (id, name); end $$;
    create function whole(jsonb) returns jsonb language sql immutable as $$ select $1 -> 'a' $$;
    create function shouted(items) returns text language sql stable as $$ select upper($1.name) $$;
    create function parts_of(items) returns setof parts rows 10 language sql stable as $$ select * from parts where item_id = $1.id $$;
    create function hidden() returns int language sql as $$ select 1 $$;
    revoke execute on function hidden() from public;
    create function numbers() returns setof int language sql immutable as $$ values (3), (1), (2) $$;
";

async fn world(test: &str) -> World {
    let rows = format!(
        "insert into items values (1, 'nut', null), (2, 'bolt', '{ALICE}'), (3, 'nail', gen_random_uuid());
        insert into parts values (1, 1), (2, 1), (3, 2);"
    );
    World::new(test, SCHEMA).await.filled(&rows).await
}

#[tokio::test]
async fn results_of_every_shape_are_answered() {
    let world = world("calls").await;
    let alice = person(ALICE);
    for (target, answer) in [
        ("/rpc/add?a=1&b=2", "3"),
        ("/rpc/add?a=1", "11"),
        ("/rpc/total?numbers=1&numbers=2", "3"),
        (
            "/rpc/all_items?select=id,parts(id)&order=id.desc",
            r#"[{"id":2,"parts":[{"id":3}]},{"id":1,"parts":[{"id":1},{"id":2}]}]"#,
        ),
        ("/rpc/every_item?select=id&order=id", r#"[{"id":1},{"id":2},{"id":3}]"#),
        ("/rpc/first_item?select=id,name", r#"{"id":1,"name":"nut"}"#),
        ("/rpc/pairs?n=2", r#"[{"k":1,"v":"x"},{"k":2,"v":"xx"}]"#),
        ("/rpc/pairs?n=3&k=gt.1&select=v", r#"[{"v":"xx"},{"v":"xxx"}]"#),
        ("/rpc/named?id=4", r#"{"label":"n4","size":4}"#),
        ("/rpc/numbers", "[3,1,2]"),
        (
            "/items?select=name,shouted,parts_of(id)&order=id",
            r#"[{"name":"nut","shouted":"NUT","parts_of":[{"id":1},{"id":2}]},{"name":"bolt","shouted":"BOLT","parts_of":[{"id":3}]}]"#,
        ),
        ("/items?shouted=eq.BOLT&select=id", r#"[{"id":2}]"#),
    ] {
        assert_eq!(world.get(&alice, target).await, (200, answer.to_owned()), "{target}");
    }
    let body = world.ask(&alice, "POST /rpc/whole", &[], r#"{"a":[1, 2]}"#).await;
    assert_eq!(said(body), (200, "[1, 2]".to_owned()));
    let counted = world.ask(&alice, "GET /rpc/pairs?n=5&limit=2", &[("prefer", "count=exact")], "").await;
    assert_eq!((counted.status, counted.header("content-range")), (206, Some("0-1/5")));
}

#[tokio::test]
async fn functions_change_things_by_post_alone() {
    let world = world("changing_calls").await;
    let called = world.ask(&anon(), "POST /rpc/put", &[], r#"{"id":9,"name":"peg"}"#).await;
    let (status, body) = said(called);
    assert!(status == 401 && body.contains("row-level security"), "{status} {body}");
    let owner = world.owner().await;
    owner.batch_execute("create policy add on items for insert with check (true)").await.unwrap();
    let called = world.ask(&anon(), "POST /rpc/put", &[], r#"{"id":9,"name":"peg"}"#).await;
    assert_eq!(said(called), (204, String::new()));
    let read = world.get(&anon(), "/rpc/put?id=8&name=x").await;
    assert!(read.0 == 405 && read.1.contains("25006"), "{read:?}");
    assert_eq!(world.get(&anon(), "/items?select=id&order=id").await.1, r#"[{"id":1},{"id":9}]"#);
    let hidden = world.get(&anon(), "/rpc/hidden").await;
    assert!(hidden.0 == 401 && hidden.1.contains("permission denied for function hidden"), "{hidden:?}");
}
