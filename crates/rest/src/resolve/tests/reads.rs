//! Columns, filters, orders, ranges, counts.

use super::*;

#[test]
fn columns_are_selected() {
    check("clients", "clients say [clients.id, clients.name] limit 1000");
    check("clients?select=name,n:id", "clients say [clients.name, n: clients.id] limit 1000");
    check("clients?select=", "clients say [] limit 1000");
    check("clients?select=id::text", "clients say [id: clients.id::text] limit 1000");
    check(
        "clients?select=x:id::double precision",
        "clients say [x: clients.id::double precision] limit 1000",
    );
    check(
        "projects?select=data->a->>b,data->0,tags->0,x:data->>c::int",
        "projects say [b: ((projects.data -> 'a') ->> 'b'), data: (projects.data -> 0), \
         tags: (to_jsonb(projects.tags) -> 0), x: (projects.data ->> 'c')::integer] limit 1000",
    );
    check(
        "odd table?select=\"a b\"&\"a b\"=eq.1",
        "odd table where (odd table.a b = 1) say [odd table.a b] limit 1000",
    );
    check(
        "clients?select=clients",
        "clients say [clients: one(unit say [clients.id, clients.name])] limit 1000",
    );
}

#[test]
fn every_operator_has_its_meaning() {
    for (filter, meaning) in [
        ("id=eq.1", "(projects.id = 1)"),
        ("id=not.eq.1", "not (projects.id = 1)"),
        ("id=neq.1", "(projects.id <> 1)"),
        ("rate=gte.1.50", "(projects.rate >= '1.50')"),
        ("at=lt.2024-01-02", "(projects.at < '2024-01-02 00:00:00+00')"),
        ("state=eq.open", "(projects.state = 'open')"),
        ("name=like.a*_", "(projects.name ~~ 'a%_')"),
        ("name=eq.a*", "(projects.name = 'a*')"),
        ("name=ilike(any).{a*,b}", "(projects.name ~~* any '{a%,b}')"),
        ("name=match.^a", "(projects.name ~ '^a')"),
        ("name=imatch(all).{a,b}", "(projects.name ~* all '{a,b}')"),
        ("id=eq(any).{1,2}", "(projects.id = any '{1,2}')"),
        ("id=not.gt(all).{1,2}", "not (projects.id > all '{1,2}')"),
        ("id=in.(1,2)", "(projects.id = any '{1,2}')"),
        ("id=in.()", "(projects.id = any '{}')"),
        ("name=not.in.(\"a,b\",c)", "not (projects.name = any '{\"a,b\",c}')"),
        ("name=is.null", "(projects.name is null)"),
        ("name=is.not_null", "(projects.name is not null)"),
        ("on_hold=not.is.true", "not (projects.on_hold is true)"),
        ("on_hold=is.unknown", "(projects.on_hold is null)"),
        ("name=isdistinct.x", "(projects.name is distinct from 'x')"),
        ("tags=cs.{a,b}", "(projects.tags @> '{a,b}')"),
        ("tags=cd.{a}", "(projects.tags <@ '{a}')"),
        ("tags=ov.{a}", "(projects.tags && '{a}')"),
        ("data=cs.{\"a\":1}", "(projects.data @> '{\"a\": 1}')"),
        ("data->>a=eq.x", "((projects.data ->> 'a') = 'x')"),
        ("data->a=eq.1", "((projects.data -> 'a') = '1')"),
        ("span=eq.[1,2]", "(projects.span = '[1,3)')"),
        (
            "or=(id.eq.1,not.and(name.is.null,rate.lt.2))",
            "((projects.id = 1) or not ((projects.name is null) and (projects.rate < '2')))",
        ),
        ("id=gt.1&id=lt.9", "((projects.id > 1) and (projects.id < 9))"),
    ] {
        let meaning = format!("projects where {meaning} say [projects.id] limit 1000");
        check(&format!("projects?select=id&{filter}"), &meaning);
    }
}

#[test]
fn rows_are_ordered_and_cut() {
    check(
        "clients?select=id&order=name.desc,id.nullsfirst&limit=5&offset=2",
        "clients say [clients.id] order clients.name desc, clients.id nulls first limit 5 offset 2",
    );
    check("clients?select=id&limit=5000", "clients say [clients.id] limit 1000");
    check("clients?select=id&limit=0", "clients say [clients.id] limit 0");
    check(
        "projects?select=id&order=data->>a.desc.nullslast",
        "projects say [projects.id] order (projects.data ->> 'a') desc nulls last limit 1000",
    );
}

#[test]
fn a_count_knows_filters_and_inner_resources_only() {
    for kind in ["exact", "planned", "estimated"] {
        let prefer = format!("count={kind}");
        let line =
            "GET /clients?select=id,projects!inner(id)&id=gt.1&projects.id=eq.2&order=id&limit=1&offset=1";
        let resolved = resolved(line, &[("prefer", &prefer)], "").unwrap();
        assert_eq!(
            printed(&resolved.queries[1]),
            "clients where ((clients.id > 1) and exists(projects where ((projects.client_id = clients.id) \
             and (projects.id = 2)) say [])) say [count: count()]"
        );
    }
    assert_eq!(resolved("GET /clients", &[], "").unwrap().queries.len(), 1);
}

#[test]
fn a_reply_knows_its_columns_and_schema() {
    let resolved = resolved("GET /projects?select=name,clients(*)", &[], "").unwrap();
    let columns: Vec<_> = resolved.columns.iter().map(|column| (&*column.name, column.ty.clone())).collect();
    assert_eq!(columns, [("name", Type::Text), ("clients", Type::Json)]);
    assert_eq!(resolved.profile.as_deref(), Some("public"));
    let other = super::resolved("GET /secrets", &[("accept-profile", "private")], "").unwrap();
    assert_eq!(other.profile.as_deref(), Some("private"));
}

#[test]
fn views_are_read() {
    check(
        "open_projects?select=name&id=eq.1",
        "open_projects where (view.id = 1) say [view.name] limit 1000",
    );
}

#[test]
fn aggregates_group_by_the_rest() {
    check("projects?select=count()", "projects say [count: count()] limit 1000");
    check(
        "projects?select=client_id,rate.sum(),n:id.count(),rate::int.max()::text",
        "projects group projects.client_id say [projects.client_id, sum: sum(projects.rate), \
         n: count(projects.id), max: max(projects.rate::integer)::text] limit 1000",
    );
    check(
        "projects?select=rate::int,count()&order=rate",
        "projects group projects.rate say [rate: projects.rate::integer, count: count()] \
         order projects.rate limit 1000",
    );
    check(
        "clients?select=name,projects(count(),rate.avg())",
        "clients say [clients.name, projects: many(projects where (projects.client_id = clients.id) \
         say [count: count(), avg: avg(projects.rate)] limit 1000)] limit 1000",
    );
    check(
        "clients?select=name,projects(n:count)",
        "clients say [clients.name, projects: many(projects where (projects.client_id = clients.id) \
         say [n: count()] limit 1000)] limit 1000",
    );
    let off = resolved_with("GET /clients?select=name,projects(count())", &[], "", false).unwrap_err();
    assert_eq!(off.to_string(), "PGRST123: Use of aggregate functions is not allowed");
}
