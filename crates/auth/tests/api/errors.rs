//! Both formats of errors, routes that are not here, and what anybody may know.

use auth::{Method, ROUTES};

use crate::fixture::{PASSWORD, Project, credentials};

#[tokio::test]
async fn errors_have_the_format_that_the_client_knows() {
    let project = Project::new().await;
    let body = credentials("a@b.c", PASSWORD);
    let ask = async |version: &str| {
        let headers = [("x-supabase-api-version", version)];
        project.ask(Method::Post, "/token?grant_type=password", &body, &headers).await.expect(400)
    };
    let old = project.post("/token?grant_type=password", &body).await.expect(400);
    let text = r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#;
    assert_eq!(old.text(), text);
    assert_eq!(old.0.header("x-supabase-api-version"), None);
    for version in ["2023-12-31", "nonsense", ""] {
        assert_eq!(ask(version).await.text(), text, "{version}");
    }
    for version in ["2024-01-01", "2030-01-01"] {
        let reply = ask(version).await;
        assert_eq!(reply.text(), r#"{"code":"invalid_credentials","message":"Invalid login credentials"}"#);
        assert_eq!(reply.0.header("x-supabase-api-version"), Some("2024-01-01"));
        assert_eq!(reply.0.header("x-sb-error-code"), Some("invalid_credentials"));
    }
}

#[tokio::test]
async fn every_route_that_is_not_here_says_so_by_a_code() {
    let project = Project::new().await;
    let user = project.sign_up("a@b.c").await.access();
    for route in ROUTES.iter().filter(|route| !route.is_supported()) {
        let path = route.path.replace(['{', '}'], "");
        let reply = match path.starts_with("/admin") || path == "/invite" {
            true => project.administer(route.method, &path, "{}").await,
            false => project.ask_as(&user, route.method, &path, "{}").await,
        };
        assert!((400..500).contains(&reply.0.status), "{path}: {}", reply.text());
        assert!(
            !reply.at("error_code").is_empty() && !reply.at("msg").is_empty(),
            "{path}: {}",
            reply.text()
        );
    }
    let anon = project.keys.anon_key.clone();
    project.ask_as(&anon, Method::Post, "/factors", "{}").await.refuses(403, "bad_jwt");
    let reply = project.post("/nowhere", "{}").await.expect(404);
    assert_eq!(reply.text(), "404 page not found\n");
    project.ask(Method::Delete, "/signup", "", &[]).await.expect(405);
}

#[tokio::test]
async fn codes_that_were_never_sent_are_never_right() {
    let project = Project::new().await;
    for (body, status, code, message) in [
        (
            r#"{"type":"sms","phone":"1234567890","token":"123456"}"#,
            403,
            "otp_expired",
            "Token has expired or is invalid",
        ),
        (
            r#"{"type":"email","email":"a@b.c","token":"1"}"#,
            403,
            "otp_expired",
            "Token has expired or is invalid",
        ),
        (r#"{"type":"email","token_hash":"x"}"#, 403, "otp_expired", "Email link is invalid or has expired"),
        (
            r#"{"type":"sms","phone":"123-invalid","token":"1"}"#,
            400,
            "validation_failed",
            "Invalid phone number format (E.164 required)",
        ),
        (r#"{"token":"1"}"#, 400, "validation_failed", "Verify requires a verification type"),
    ] {
        let reply = project.post("/verify", body).await.refuses(status, code);
        assert_eq!(reply.at("msg"), message, "{body}");
    }
    let link = "/verify?token=x&type=signup&redirect_to=https://evil.example";
    let reply = project.ask(Method::Get, link, "", &[]).await.expect(303);
    let location = reply.0.header("location").unwrap();
    assert!(
        location.starts_with("http://127.0.0.1:3000#error=access_denied&error_code=otp_expired"),
        "{location}"
    );
}

#[tokio::test]
async fn anybody_may_know_the_settings_and_the_public_keys() {
    let project = Project::new().await;
    let get = async |path: &str| project.ask(Method::Get, path, "", &[]).await.expect(200);
    assert_eq!(get("/health").await.at("name"), "GoTrue");
    let settings = get("/settings").await;
    assert_eq!(
        (settings.at("external.email"), settings.at("external.github")),
        ("true".into(), "false".into())
    );
    assert_eq!(
        (settings.at("disable_signup"), settings.at("mailer_autoconfirm")),
        ("false".into(), "true".into())
    );
    let keys = get("/.well-known/jwks.json").await;
    assert_eq!(
        (keys.at("keys.0.kty"), keys.at("keys.0.alg"), keys.at("keys.1")),
        ("EC".into(), "ES256".into(), String::new())
    );
    assert_eq!(keys.at("keys.0.d"), "");
    assert_eq!(keys.0.header("cache-control"), Some("public, max-age=600"));
    let discovery = get("/.well-known/openid-configuration").await;
    assert_eq!(discovery.at("jwks_uri"), "http://127.0.0.1:54321/auth/v1/.well-known/jwks.json");
}

#[tokio::test]
async fn nul_bytes_go_nowhere() {
    let project = Project::new().await;
    for body in [
        "{\"email\":\"a\\u0000@b.c\",\"password\":\"nine lives of a purple cat\"}",
        "{\"email\":\"a@b.c\",\"password\":\"nine lives of a \\u0000 purple cat\"}",
        "{\"email\":\"a@b.c\",\"password\":\"nine lives of a purple cat\",\"data\":{\"a\":\"\\u0000\"}}",
        "{\"email\":\"a\0@b.c\"}",
    ] {
        project.post("/signup", body).await.refuses(400, "bad_json");
    }
    project.post("/token?grant_type=%00", "{}").await.refuses(400, "validation_failed");
}

#[tokio::test]
async fn an_old_token_does_not_keep_anybody_from_a_new_one() {
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    project.clock.forward_s(7_200);
    let headers = [("authorization", format!("Bearer {}", reply.access()))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let body = format!(r#"{{"refresh_token":"{}"}}"#, reply.refresh());
    project.ask(Method::Post, "/token?grant_type=refresh_token", &body, &headers).await.expect(200);
}
