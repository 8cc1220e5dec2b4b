//! What users do to themselves.

use auth::Method;

use crate::fixture::{PASSWORD, Project};

const NEW_PASSWORD: &str = "seven lives of a green dog";

#[tokio::test]
async fn users_see_themselves() {
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    let user = project.ask_as(&reply.access(), Method::Get, "/user", "").await.expect(200);
    assert_eq!(Some(&user.json()), reply.json().get("user"));
}

#[tokio::test]
async fn metadata_is_merged_and_nulls_take_away() {
    let project = Project::new().await;
    let token = project.sign_up("a@b.c").await.access();
    let put = async |body: &str| project.ask_as(&token, Method::Put, "/user", body).await;
    put(r#"{"data":{"a":1,"b":{"c":2}}}"#).await.expect(200);
    let reply = put(r#"{"data":{"a":null,"d":1.50},"unknown":true}"#).await.expect(200);
    assert_eq!(
        (reply.at("user_metadata.a"), reply.at("user_metadata.b")),
        (String::new(), r#"{"c":2}"#.into())
    );
    assert_eq!(reply.at("user_metadata.d"), "1.50");
    assert_eq!(reply.at("user_metadata.email"), "a@b.c");
    assert_eq!(reply.at("email"), "a@b.c");
    let large = format!(r#"{{"data":{{"x":"{}"}}}}"#, "x".repeat(7_000));
    put(&large).await.expect(200);
    put(&large.replace("\"x\"", "\"y\"")).await.refuses(400, "validation_failed");
}

#[tokio::test]
async fn a16_nobody_gives_themselves_rights() {
    let project = Project::new().await;
    let token = project.sign_up("a@b.c").await.access();
    let reply = project.ask_as(&token, Method::Put, "/user", r#"{"app_metadata":{"admin":true}}"#).await;
    reply.refuses(403, "not_admin");
    let body =
        r#"{"role":"service_role","data":{"role":"service_role"},"aud":"x","email_confirmed_at":null}"#;
    let reply = project.ask_as(&token, Method::Put, "/user", body).await.expect(200);
    assert_eq!((reply.at("role"), reply.at("aud")), ("authenticated".into(), "authenticated".into()));
    let session = project.sign_in("a@b.c", PASSWORD).await.expect(200);
    assert_eq!(session.claims().get("role").unwrap().as_str(), Some("authenticated"));
}

#[tokio::test]
async fn g13_a_new_password_ends_the_other_sessions() {
    let project = Project::new().await;
    let here = project.sign_up("a@b.c").await;
    let there = project.sign_in("a@b.c", PASSWORD).await.expect(200);
    let body = |password: &str| format!(r#"{{"password":"{password}"}}"#);
    let put =
        async |password: &str| project.ask_as(&here.access(), Method::Put, "/user", &body(password)).await;
    let same = put(PASSWORD).await.refuses(422, "same_password");
    assert_eq!(same.at("msg"), "New password should be different from the old password.");
    put("short").await.refuses(422, "weak_password");
    put(&"x".repeat(1_025)).await.refuses(400, "validation_failed");
    put(NEW_PASSWORD).await.expect(200);
    project.ask_as(&here.access(), Method::Get, "/user", "").await.expect(200);
    project.refresh(&here.refresh()).await.expect(200);
    project.ask_as(&there.access(), Method::Get, "/user", "").await.refuses(403, "session_not_found");
    project.refresh(&there.refresh()).await.refuses(400, "refresh_token_not_found");
    project.sign_in("a@b.c", PASSWORD).await.refuses(400, "invalid_credentials");
    project.sign_in("a@b.c", NEW_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_old_password_may_be_asked_for() {
    let project = Project::with(|config| config.email.require_current_password = true).await;
    let token = project.sign_up("a@b.c").await.access();
    let put = async |body: &str| project.ask_as(&token, Method::Put, "/user", body).await;
    put(r#"{"password":"seven lives of a green dog"}"#).await.refuses(400, "current_password_required");
    put(r#"{"password":"seven lives of a green dog","current_password":"no"}"#)
        .await
        .refuses(400, "current_password_invalid");
    let body = format!(r#"{{"password":"{NEW_PASSWORD}","current_password":"{PASSWORD}"}}"#);
    put(&body).await.expect(200);
}

#[tokio::test]
async fn an_old_session_wants_a_nonce_when_told_to() {
    let project = Project::with(|config| {
        config.email.secure_password_change = true;
        config.jwt_expiry_s = 200_000;
    })
    .await;
    let token = project.sign_up("a@b.c").await.access();
    let put = async |body: &str| project.ask_as(&token, Method::Put, "/user", body).await;
    project.clock.forward_s(86_401);
    put(r#"{"password":"seven lives of a green dog"}"#).await.refuses(400, "reauthentication_needed");
    put(r#"{"password":"seven lives of a green dog","nonce":"123456"}"#)
        .await
        .refuses(422, "reauthentication_not_valid");
    put(r#"{"data":{"a":1}}"#).await.expect(200);
}

#[tokio::test]
async fn another_address_needs_mail_but_for_anonymous_users() {
    let project = Project::new().await;
    let named = project.sign_up("a@b.c").await.access();
    let put = async |token: &str, body: &str| project.ask_as(token, Method::Put, "/user", body).await;
    put(&named, r#"{"email":"new@b.c"}"#).await.refuses(422, "feature_disabled");
    put(&named, r#"{"email":"A@b.c "}"#).await.expect(200);
    put(&named, r#"{"email":"x"}"#).await.refuses(400, "validation_failed");
    put(&named, r#"{"phone":"+4930123"}"#).await.refuses(400, "phone_provider_disabled");

    let anonymous = project.post("/signup", "{}").await.expect(200);
    let token = anonymous.access();
    put(&token, r#"{"password":"seven lives of a green dog"}"#).await.refuses(422, "validation_failed");
    put(&token, r#"{"email":"a@b.c"}"#).await.refuses(422, "email_exists");
    let body = r#"{"email":"now@b.c","password":"seven lives of a green dog"}"#;
    let reply = put(&token, body).await.expect(200);
    assert_eq!((reply.at("email"), reply.at("is_anonymous")), ("now@b.c".into(), "false".into()));
    assert_eq!(reply.at("identities.0.identity_data.email_verified"), "true");
    assert_eq!(reply.at("app_metadata.provider"), "email");
    assert_eq!(reply.at("id"), anonymous.at("user.id"));
    project.sign_in("now@b.c", NEW_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn what_is_done_is_in_the_audit_log() {
    static ACTIONS: engine::Statement = engine::Statement {
        sql: "select payload ->> 'action', payload ->> 'actor_username', ip_address from auth.audit_log_entries",
        parameters: &[],
    };
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    project
        .ask_as(&reply.access(), Method::Put, "/user", r#"{"password":"seven lives of a green dog"}"#)
        .await
        .expect(200);
    project.refresh(&reply.refresh()).await.expect(200);
    project.ask_as(&reply.access(), Method::Post, "/logout", "").await.expect(204);
    let rows = project.rows(&ACTIONS).await;
    let actions: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        actions,
        ["user_signedup", "login", "user_updated_password", "user_modified", "token_refreshed", "logout"]
    );
    assert!(rows.iter().all(|row| row[1] == "a@b.c" && row[2] == "127.0.0.1"), "{rows:?}");
}
