//! Embedded resources.

use super::*;

#[test]
fn resources_are_embedded_along_relationships() {
    for (select, nested) in [
        ("clients(name)", "clients: one(clients where (clients.id = projects.client_id) say [clients.name])"),
        ("c:client_id(name)", "c: one(clients where (clients.id = projects.client_id) say [clients.name])"),
        (
            "projects_client_id_fkey(id)",
            "projects_client_id_fkey: one(clients where (clients.id = projects.client_id) say [clients.id])",
        ),
        (
            "details(note)",
            "details: one(details where (details.project_id = projects.id) say [details.note])",
        ),
        (
            "t:tasks!project_id(id)",
            "t: many(tasks where (tasks.project_id = projects.id) say [tasks.id] limit 1000)",
        ),
    ] {
        check(
            &format!("projects?select=id,{select}"),
            &format!("projects say [projects.id, {nested}] limit 1000"),
        );
    }
    check(
        "tasks?select=users(email)",
        "tasks say [users: many(users join users_tasks on (users.id = users_tasks.user_id) where \
         (users_tasks.task_id = tasks.id) say [users.email] limit 1000)] limit 1000",
    );
    check(
        "users?select=tasks!users_tasks(id)",
        "users say [tasks: many(tasks join users_tasks on (tasks.id = users_tasks.task_id) where \
         (users_tasks.user_id = users.id) say [tasks.id] limit 1000)] limit 1000",
    );
    check(
        "open_projects?select=id,clients(name)",
        "open_projects say [view.id, clients: one(clients where (clients.id = view.client_id) \
         say [clients.name])] limit 1000",
    );
}

#[test]
fn a_table_is_related_to_itself_both_ways() {
    check(
        "tasks?select=id,tasks(id),parent_id(id)",
        "tasks say [tasks.id, tasks: many(tasks where (tasks.parent_id = tasks.id) say [tasks.id] limit 1000), \
         parent_id: one(tasks where (tasks.id = tasks.parent_id) say [tasks.id])] limit 1000",
    );
}

#[test]
fn conditions_on_a_resource_leave_its_parent() {
    check(
        "clients?select=id,p:projects(id)&p.id=gt.1&p.or=(name.eq.a,name.eq.b)&p.order=name.desc&p.limit=2&p.offset=1",
        "clients say [clients.id, p: many(projects where ((projects.client_id = clients.id) and \
         (projects.id > 1) and ((projects.name = 'a') or (projects.name = 'b'))) say [projects.id] \
         order projects.name desc limit 2 offset 1)] limit 1000",
    );
    check(
        "clients?select=id,projects(id,tasks(id))&projects.tasks.id=eq.3",
        "clients say [clients.id, projects: many(projects where (projects.client_id = clients.id) say \
         [projects.id, tasks: many(tasks where ((tasks.project_id = projects.id) and (tasks.id = 3)) \
         say [tasks.id] limit 1000)] limit 1000)] limit 1000",
    );
}

#[test]
fn an_inner_resource_and_a_filter_for_its_absence_are_the_parents_matter() {
    let there = "exists(projects where ((projects.client_id = clients.id) and (projects.id = 1)) say [])";
    let nested = "projects: many(projects where ((projects.client_id = clients.id) and (projects.id = 1)) \
                  say [projects.id] limit 1000)";
    check(
        "clients?select=id,projects!inner(id)&projects.id=eq.1",
        &format!("clients where {there} say [clients.id, {nested}] limit 1000"),
    );
    check(
        "clients?select=id,projects()&projects.id=eq.1&projects=is.null",
        &format!("clients where not {there} say [clients.id] limit 1000"),
    );
    check(
        "clients?select=id,p:projects()&p.id=eq.1&or=(p.not.is.null,id.eq.9)",
        &format!("clients where (not not {there} or (clients.id = 9)) say [clients.id] limit 1000"),
    );
    check(
        "clients?select=id,projects!inner(id)&projects.offset=2",
        "clients where exists(projects where (projects.client_id = clients.id) say [] offset 2) say \
         [clients.id, projects: many(projects where (projects.client_id = clients.id) say [projects.id] \
         limit 1000 offset 2)] limit 1000",
    );
}

#[test]
fn a_parent_is_ordered_by_a_resource_of_one() {
    check(
        "projects?select=id,clients()&order=clients(name).desc",
        "projects say [projects.id] order (clients where (clients.id = projects.client_id) say \
         [key: clients.name] limit 1) desc limit 1000",
    );
}

#[test]
fn spread_columns_are_the_parents() {
    check(
        "projects?select=id,...clients(n:name,id)",
        "projects say [projects.id, n: (clients where (clients.id = projects.client_id) say \
         [value: clients.name] limit 1), id: (clients where (clients.id = projects.client_id) say \
         [value: clients.id] limit 1)] limit 1000",
    );
    check(
        "clients?select=id,...projects(name)&projects.order=name",
        "clients say [clients.id, name: values(projects where (projects.client_id = clients.id) say \
         [value: projects.name] order projects.name limit 1000)] limit 1000",
    );
    check(
        "tasks?select=...projects(...clients(name))",
        "tasks say [name: (projects where (projects.id = tasks.project_id) say [value: (clients where \
         (clients.id = projects.client_id) say [value: clients.name] limit 1)] limit 1)] limit 1000",
    );
    check(
        "tasks?select=name,...projects(rate.sum(),count())",
        "tasks group tasks.name say [tasks.name, sum: sum((projects where (projects.id = tasks.project_id) \
         say [value: projects.rate] limit 1)), count: count((projects where (projects.id = \
         tasks.project_id) say [value: true] limit 1))] limit 1000",
    );
}

#[test]
fn an_alias_is_the_name_of_its_resource() {
    let resolved = resolved("GET /clients?select=id,p:projects(id)&projects.id=eq.1", &[], "").unwrap();
    assert_eq!(
        resolved.warnings,
        ["299 - \"Embedded resource was referenced by relation name even though it has an alias. This is \
          deprecated and will stop working in a future release. Update `projects` to `p` in query string \
          filters, orders or limits.\""]
    );
    let odd = "GET /clients?select=id,\"a\\\"%0d%0aX: y\":projects(id)&projects.id=eq.1";
    assert!(super::resolved(odd, &[], "").unwrap().warnings[0].contains("to `a\\\"X: y` in"));
    let resolved = super::resolved("GET /clients?select=id,p:projects(id)&p.id=eq.1", &[], "").unwrap();
    assert!(resolved.warnings.is_empty());
}
