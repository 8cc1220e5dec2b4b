//! Signing in with a password.

use auth::Method;

use crate::fixture::{PASSWORD, Project, credentials};

#[tokio::test]
async fn a_password_gives_a_session() {
    let project = Project::new().await;
    let signed_up = project.sign_up("ada@example.org").await;
    project.clock.forward_s(60);
    let reply = project.sign_in(" ADA@example.org", PASSWORD).await.expect(200);
    assert_eq!(reply.at("user.id"), signed_up.at("user.id"));
    assert_eq!(reply.at("user.last_sign_in_at"), "2026-01-01T00:01:00Z");
    assert_ne!(reply.claims().get("session_id"), signed_up.claims().get("session_id"));
    assert_eq!(reply.at("weak_password"), "");
}

#[tokio::test]
async fn a9_unknown_users_and_wrong_passwords_have_one_answer() {
    let project = Project::new().await;
    project.sign_up("ada@example.org").await;
    let banned = r#"{"email":"banned@b.c","password":"nine lives of a purple cat","email_confirm":true,"ban_duration":"24h"}"#;
    project.administer(Method::Post, "/admin/users", banned).await.expect(200);
    let unconfirmed = credentials("unconfirmed@b.c", PASSWORD);
    project.administer(Method::Post, "/admin/users", &unconfirmed).await.expect(200);
    let without = r#"{"email":"without@b.c","email_confirm":true}"#;
    project.administer(Method::Post, "/admin/users", without).await.expect(200);
    let known =
        project.sign_in("ada@example.org", "not this one, no").await.refuses(400, "invalid_credentials");
    assert_eq!(known.at("msg"), "Invalid login credentials");
    for email in ["nobody@b.c", "banned@b.c", "unconfirmed@b.c", "without@b.c", "no address", "\u{fc}@b.c"] {
        let reply = project.sign_in(email, "not this one, no").await;
        assert_eq!((reply.0.status, reply.text()), (400, known.text()), "{email}");
    }
}

#[tokio::test]
async fn who_knows_the_password_learns_why_not() {
    let project = Project::new().await;
    let banned = r#"{"email":"banned@b.c","password":"nine lives of a purple cat","email_confirm":true,"ban_duration":"1h"}"#;
    project.administer(Method::Post, "/admin/users", banned).await.expect(200);
    project.administer(Method::Post, "/admin/users", &credentials("new@b.c", PASSWORD)).await.expect(200);
    project.sign_in("banned@b.c", PASSWORD).await.refuses(400, "user_banned");
    let reply = project.sign_in("new@b.c", PASSWORD).await.refuses(400, "email_not_confirmed");
    assert_eq!(reply.at("msg"), "Email not confirmed");
    project.clock.forward_s(3_601);
    project.sign_in("banned@b.c", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn h1_an_imported_hash_is_made_anew_at_the_first_sign_in() {
    static HASH: engine::Statement =
        engine::Statement { sql: "select encrypted_password from auth.users", parameters: &[] };
    let project = Project::new().await;
    let hash = bcrypt::hash("correct horse", 4).unwrap();
    let body = format!(r#"{{"email":"a@b.c","password_hash":"{hash}","email_confirm":true}}"#);
    project.administer(Method::Post, "/admin/users", &body).await.expect(200);
    assert_eq!(project.rows(&HASH).await, [[hash.clone()]]);
    project.sign_in("a@b.c", "wrong horse").await.refuses(400, "invalid_credentials");
    let reply = project.sign_in("a@b.c", "correct horse").await.expect(200);
    assert_eq!(reply.at("weak_password.reasons"), r#"["length"]"#);
    let stored = project.rows(&HASH).await;
    assert!(stored[0][0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored:?}");
    project.sign_in("a@b.c", "correct horse").await.expect(200);
}

#[tokio::test]
async fn h2_all_bytes_of_a_password_count() {
    let project = Project::new().await;
    let long = format!("{}{}", "correct horse battery staple ".repeat(3), "a");
    project.post("/signup", &credentials("a@b.c", &long)).await.expect(200);
    let other = format!("{}b", &long[..long.len() - 1]);
    project.sign_in("a@b.c", &other).await.refuses(400, "invalid_credentials");
    project.sign_in("a@b.c", &long).await.expect(200);
}

#[tokio::test]
async fn h3_composed_and_decomposed_are_one_password() {
    let project = Project::new().await;
    project.post("/signup", &credentials("a@b.c", "gr\u{fc}ne pferde reiten schnell")).await.expect(200);
    project.sign_in("a@b.c", "gru\u{308}ne pferde reiten schnell").await.expect(200);
}

#[tokio::test]
async fn f9_a_huge_password_is_refused_without_hashing() {
    let project = Project::new().await;
    project.sign_up("a@b.c").await;
    let huge = "x".repeat(900_000);
    project.sign_in("a@b.c", &huge).await.refuses(400, "invalid_credentials");
    project.post("/signup", &credentials("b@b.c", &huge)).await.refuses(400, "validation_failed");
    let beyond = "x".repeat(2 << 20);
    project.sign_in("a@b.c", &beyond).await.refuses(413, "request_entity_too_large");
}

#[tokio::test]
async fn f1_a_body_of_depths_is_refused() {
    let project = Project::new().await;
    let deep = format!(r#"{{"email":{}"#, "[".repeat(400_000));
    project.post("/signup", &deep).await.refuses(400, "bad_json");
}

#[tokio::test]
async fn other_grants_say_what_is_missing() {
    let project = Project::new().await;
    for (query, body, status, code) in [
        ("", "{}", 400, "invalid_credentials"),
        ("?grant_type=client_credentials", "{}", 400, "invalid_credentials"),
        ("?grant_type=pkce", "{}", 400, "validation_failed"),
        ("?grant_type=pkce", r#"{"auth_code":"a","code_verifier":"b"}"#, 404, "flow_state_not_found"),
        ("?grant_type=id_token", "{}", 400, "provider_disabled"),
        ("?grant_type=web3", "{}", 422, "web3_provider_disabled"),
        ("?grant_type=password", "{}", 400, "validation_failed"),
        ("?grant_type=password", r#"{"phone":"+4930123","password":"x"}"#, 422, "phone_provider_disabled"),
        ("?grant_type=password", "", 400, "bad_json"),
    ] {
        project.post(&format!("/token{query}"), body).await.refuses(status, code);
    }
    let reply = project.post("/token", "{}").await;
    assert_eq!(reply.at("msg"), "unsupported_grant_type");
}

#[tokio::test]
async fn one_address_may_not_ask_without_end() {
    let project = Project::with(|config| {
        config.rate_limit.token_refresh = 2;
        config.rate_limit.header = Some("x-forwarded-for".into());
    })
    .await;
    for _ in 0..2 {
        project.sign_in("a@b.c", PASSWORD).await.refuses(400, "invalid_credentials");
    }
    let reply = project.sign_in("a@b.c", PASSWORD).await.refuses(429, "over_request_rate_limit");
    assert_eq!(reply.at("msg"), "Request rate limit reached");
    assert!(reply.0.header("retry-after").is_some());
    let other = [("x-forwarded-for", "192.0.2.1, 10.0.0.1")];
    let body = credentials("a@b.c", PASSWORD);
    let reply = project.ask(Method::Post, "/token?grant_type=password", &body, &other).await;
    reply.refuses(400, "invalid_credentials");
    project.clock.forward_s(300);
    project.sign_in("a@b.c", PASSWORD).await.refuses(400, "invalid_credentials");
}
