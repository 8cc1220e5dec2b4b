//! What administrators do.

use auth::Method;

use crate::fixture::{PASSWORD, Project, Reply, credentials};

fn path(reply: &Reply) -> String {
    format!("/admin/users/{}", reply.at("id"))
}

#[tokio::test]
async fn an_administrator_makes_users_as_they_like() {
    let project = Project::new().await;
    let body = r#"{"id":"11111111-1111-4111-8111-111111111111","email":"Ada@b.c","phone":"+49 30 123","password":"x",
        "role":"teacher","email_confirm":true,"phone_confirm":true,"user_metadata":{"a":1},
        "app_metadata":{"roles":["editor"]},"ban_duration":"1h"}"#;
    let reply = project.administer(Method::Post, "/admin/users", body).await.expect(200);
    assert_eq!(reply.at("id"), "11111111-1111-4111-8111-111111111111");
    assert_eq!((reply.at("email"), reply.at("phone")), ("ada@b.c".into(), "4930123".into()));
    assert_eq!(reply.at("role"), "teacher");
    assert_eq!(reply.at("email_confirmed_at"), "2026-01-01T00:00:00Z");
    assert_eq!(reply.at("banned_until"), "2026-01-01T01:00:00Z");
    assert_eq!(reply.at("app_metadata.roles"), r#"["editor"]"#);
    assert_eq!(reply.at("app_metadata.providers"), r#"["email","phone"]"#);
    assert_eq!(reply.at("user_metadata"), r#"{"a":1,"email_verified":true}"#);
    assert_eq!(reply.at("identities.1.provider"), "phone");
    let shown = project.administer(Method::Get, &path(&reply), "").await.expect(200);
    assert_eq!(shown.json(), reply.json());
    project.clock.forward_s(3_601);
    let session = project.sign_in("ada@b.c", "x").await.expect(200);
    assert_eq!(session.claims().get("role").unwrap().as_str(), Some("teacher"));
}

#[tokio::test]
async fn what_cannot_be_made_is_refused() {
    let project = Project::new().await;
    project
        .administer(Method::Post, "/admin/users", r#"{"email":"a@b.c","phone":"+1234"}"#)
        .await
        .expect(200);
    for (body, status, code) in [
        ("{}", 400, "validation_failed"),
        (r#"{"email":"A@b.c"}"#, 422, "email_exists"),
        (r#"{"phone":"1234"}"#, 422, "phone_exists"),
        (r#"{"email":"xx:;x@x.x"}"#, 400, "validation_failed"),
        (r#"{"email":"b@b.c","id":"x"}"#, 400, "validation_failed"),
        (r#"{"email":"b@b.c","id":"00000000-0000-0000-0000-000000000000"}"#, 400, "validation_failed"),
        (r#"{"email":"b@b.c","ban_duration":"1 day"}"#, 400, "validation_failed"),
        (r#"{"email":"b@b.c","password":"x","password_hash":"y"}"#, 400, "validation_failed"),
        (r#"{"email":"b@b.c","password_hash":"plain"}"#, 400, "validation_failed"),
        (r#"{"email":"b@b.c","user_metadata":[]}"#, 400, "bad_json"),
        ("not json", 400, "bad_json"),
    ] {
        project.administer(Method::Post, "/admin/users", body).await.refuses(status, code);
    }
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let project = Project::new().await;
    for number in 0..5 {
        let body =
            format!(r#"{{"email":"user{number}@b.c","user_metadata":{{"full_name":"Name {number}%"}}}}"#);
        project.administer(Method::Post, "/admin/users", &body).await.expect(200);
        project.clock.forward_s(1);
    }
    let list = async |query: &str| project.administer(Method::Get, &format!("/admin/users{query}"), "").await;
    let all = list("").await.expect(200);
    assert_eq!((all.at("users.0.email"), all.at("users.4.email")), ("user4@b.c".into(), "user0@b.c".into()));
    assert_eq!(all.at("aud"), "authenticated");
    assert_eq!(all.0.header("x-total-count"), Some("5"));
    let page = list("?page=2&per_page=2").await.expect(200);
    assert_eq!((page.at("users.0.email"), page.at("users.2")), ("user2@b.c".into(), String::new()));
    assert_eq!(
        page.0.header("link"),
        Some(
            "</admin/users?page=3&per_page=2>; rel=\"next\", </admin/users?page=3&per_page=2>; rel=\"last\""
        )
    );
    assert_eq!(list("?sort=created_at%20asc").await.at("users.0.email"), "user0@b.c");
    assert_eq!(list("?filter=user3").await.at("users.0.email"), "user3@b.c");
    assert_eq!(list("?filter=NAME+2").await.at("users.0.email"), "user2@b.c");
    assert_eq!(list("?filter=2%25").await.0.header("x-total-count"), Some("1"));
    assert_eq!(list("?filter=_").await.0.header("x-total-count"), Some("0"));
    assert_eq!(list("?email=USER1%40b.c").await.at("users.0.email"), "user1@b.c");
    for query in [
        "?page=-1",
        "?page=0",
        "?per_page=x",
        "?per_page=999999",
        "?sort=email",
        "?filter=%00",
        "?filter=%ff",
    ] {
        list(query).await.refuses(400, "validation_failed");
    }
}

#[tokio::test]
async fn an_administrator_changes_users() {
    let project = Project::new().await;
    let reply =
        project.administer(Method::Post, "/admin/users", &credentials("a@b.c", PASSWORD)).await.expect(200);
    assert_eq!(reply.at("email_confirmed_at"), "");
    let put = async |body: &str| project.administer(Method::Put, &path(&reply), body).await;
    let confirmed = put(r#"{"email_confirm":true}"#).await.expect(200);
    assert_eq!(confirmed.at("email_confirmed_at"), "2026-01-01T00:00:00Z");
    let session = project.sign_in("a@b.c", PASSWORD).await.expect(200);
    let renamed =
        put(r#"{"email":"New@b.c","user_metadata":{"a":1},"app_metadata":{"b":2,"provider":null}}"#)
            .await
            .expect(200);
    assert_eq!((renamed.at("email"), renamed.at("identities.0.email")), ("new@b.c".into(), "new@b.c".into()));
    assert_eq!(
        (renamed.at("user_metadata.a"), renamed.at("app_metadata")),
        ("1".into(), r#"{"b":2,"providers":["email"]}"#.into())
    );
    project.ask_as(&session.access(), Method::Get, "/user", "").await.refuses(403, "session_not_found");
    put(r#"{"password":"short"}"#).await.refuses(422, "weak_password");
    let session = project.sign_in("new@b.c", PASSWORD).await.expect(200);
    put(r#"{"password":"seven lives of a green dog"}"#).await.expect(200);
    project.refresh(&session.refresh()).await.refuses(400, "refresh_token_not_found");
    project.sign_in("new@b.c", "seven lives of a green dog").await.expect(200);
}

#[tokio::test]
async fn a_deleted_user_is_gone_and_a_softly_deleted_one_unreadable() {
    let project = Project::new().await;
    let (hard, soft) = (project.sign_up("hard@b.c").await, project.sign_up("soft@b.c").await);
    let user = |reply: &Reply| format!("/admin/users/{}", reply.at("user.id"));
    let deleted =
        project.administer(Method::Delete, &user(&hard), r#"{"should_soft_delete":false}"#).await.expect(200);
    assert_eq!(deleted.text(), "{}");
    project.administer(Method::Get, &user(&hard), "").await.refuses(404, "user_not_found");
    project.sign_up("hard@b.c").await;

    project.administer(Method::Delete, &user(&soft), r#"{"should_soft_delete":true}"#).await.expect(200);
    project.administer(Method::Delete, &user(&soft), r#"{"should_soft_delete":true}"#).await.expect(200);
    let left = project.administer(Method::Get, &user(&soft), "").await.expect(200);
    assert_eq!(left.at("deleted_at"), "2026-01-01T00:00:00Z");
    assert!(!left.text().contains("soft@b.c"), "{}", left.text());
    assert_eq!((left.at("email").len(), left.at("phone").len()), (43, 15));
    project.ask_as(&soft.access(), Method::Get, "/user", "").await.refuses(403, "session_not_found");
    project.sign_in("soft@b.c", PASSWORD).await.refuses(400, "invalid_credentials");
    project.sign_up("soft@b.c").await;
}

#[tokio::test]
async fn a24_ids_are_uuids_and_nothing_else() {
    let project = Project::new().await;
    for id in ["..%2f..%2fsettings", "x", "1", "%00", "11111111-1111-4111-8111-11111111111"] {
        let reply = project.administer(Method::Get, &format!("/admin/users/{id}"), "").await;
        assert_eq!(reply.refuses(404, "validation_failed").at("msg"), "user_id must be an UUID", "{id}");
    }
    let absent = "/admin/users/83fd9e20-7a80-46e4-bf29-a86e3d6bbf66";
    for (method, path) in [
        (Method::Get, absent.to_owned()),
        (Method::Put, absent.to_owned()),
        (Method::Delete, absent.to_owned()),
        (Method::Get, format!("{absent}/factors")),
        (Method::Delete, format!("{absent}/factors/83fd9e20-7a80-46e4-bf29-a86e3d6bbf66")),
    ] {
        project.administer(method, &path, "{}").await.refuses(404, "user_not_found");
    }
}

#[tokio::test]
async fn only_administrators_administer() {
    let project = Project::new().await;
    let user = project.sign_up("a@b.c").await.access();
    let (anon, service) = (project.keys.anon_key.clone(), project.keys.service_role_key.clone());
    let list = "/admin/users";
    project.ask(Method::Get, list, "", &[]).await.refuses(401, "no_authorization");
    for token in [&user, &anon] {
        let reply = project.ask_as(token, Method::Get, list, "").await.refuses(403, "not_admin");
        assert_eq!(reply.at("msg"), "User not allowed");
    }
    let publishable = project.keys.publishable_keys[0].clone();
    project.ask(Method::Get, list, "", &[("apikey", &publishable)]).await.refuses(403, "not_admin");
    project.ask_as("nonsense", Method::Get, list, "").await.refuses(403, "bad_jwt");
    project.ask_as(&service, Method::Get, list, "").await.expect(200);
    let both = [("apikey", publishable.as_str()), ("authorization", &format!("Bearer {service}"))];
    project.ask(Method::Get, list, "", &both).await.expect(200);
}
