//! Signing up.

use auth::Method;
use engine::Statement;
use types::json::Json;

use crate::fixture::{PASSWORD, Project, credentials};

#[tokio::test]
async fn signing_up_gives_a_session_with_the_user() {
    let project = Project::new().await;
    let body =
        format!(r#"{{"email":" Ada@Example.ORG ","password":"{PASSWORD}","data":{{"full_name":"Ada"}}}}"#);
    let reply = project.post("/signup", &body).await.expect(200);
    assert_eq!((reply.at("token_type"), reply.at("expires_in")), ("bearer".into(), "3600".into()));
    assert_eq!(reply.at("user.email"), "ada@example.org");
    assert_eq!(reply.at("user.phone"), "");
    assert_eq!(reply.at("user.aud"), "authenticated");
    assert_eq!(reply.at("user.role"), "authenticated");
    assert_eq!(reply.at("user.email_confirmed_at"), "2026-01-01T00:00:00Z");
    assert_eq!(reply.at("user.confirmed_at"), "2026-01-01T00:00:00Z");
    assert_eq!(reply.at("user.last_sign_in_at"), "2026-01-01T00:00:00Z");
    assert_eq!(reply.at("user.app_metadata"), r#"{"provider":"email","providers":["email"]}"#);
    assert_eq!(reply.at("user.user_metadata.full_name"), "Ada");
    assert_eq!(reply.at("user.user_metadata.email_verified"), "true");
    assert_eq!(reply.at("user.user_metadata.sub"), reply.at("user.id"));
    assert_eq!(reply.at("user.identities.0.provider"), "email");
    assert_eq!(reply.at("user.identities.0.id"), reply.at("user.id"));
    assert_eq!(reply.at("user.identities.0.identity_data.email"), "ada@example.org");
    assert_eq!(reply.at("user.identities.0.email"), "ada@example.org");
    assert_eq!(reply.at("user.is_anonymous"), "false");
    assert_eq!(reply.at("user.encrypted_password"), "");
}

#[tokio::test]
async fn an_access_token_says_what_gotrue_s_says() {
    let project = Project::new().await;
    let reply = project.sign_up("ada@example.org").await;
    let Json::Object(fields) = reply.claims() else { panic!() };
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "email",
            "phone",
            "app_metadata",
            "user_metadata",
            "role",
            "aal",
            "amr",
            "session_id",
            "is_anonymous"
        ]
    );
    let claims = reply.claims();
    assert_eq!(claims.get("iss").unwrap().as_str(), Some("http://127.0.0.1:54321/auth/v1"));
    assert_eq!(claims.get("aud").unwrap().as_str(), Some("authenticated"));
    assert_eq!(claims.get("aal").unwrap().as_str(), Some("aal1"));
    assert_eq!(claims.get("amr").unwrap().compact(), r#"[{"method":"password","timestamp":1767225600}]"#);
    assert_eq!(claims.get("exp").unwrap().compact(), reply.at("expires_at"));
    let verified = project.gateway.verifier.verify(&reply.access(), 1_767_225_600).unwrap();
    assert_eq!(verified.role.as_deref(), Some("authenticated"));
    let header = auth::encoding::decode(reply.access().split('.').next().unwrap()).unwrap();
    assert!(String::from_utf8(header).unwrap().contains(r#""alg":"ES256""#));
}

#[tokio::test]
async fn an_address_is_signed_up_once() {
    let project = Project::new().await;
    project.sign_up("ada@example.org").await;
    for email in ["ada@example.org", "ADA@example.org "] {
        let reply = project.post("/signup", &credentials(email, "another purple cat of mine")).await;
        let reply = reply.refuses(422, "user_already_exists");
        assert_eq!(reply.at("msg"), "User already registered");
    }
    project.sign_in("ada@example.org", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_unconfirmed_account_is_not_taken_over_by_signing_up() {
    let project = Project::new().await;
    let body = credentials("ada@example.org", PASSWORD);
    project.administer(Method::Post, "/admin/users", &body).await.expect(200);
    let reply = project.post("/signup", &credentials("ada@example.org", "a stranger's password")).await;
    reply.refuses(422, "user_already_exists");
}

#[tokio::test]
async fn a25_parallel_sign_ups_make_one_user() {
    let project = std::sync::Arc::new(Project::new().await);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let project = project.clone();
            tokio::spawn(
                async move { project.post("/signup", &credentials("a@b.c", PASSWORD)).await.0.status },
            )
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [&[200][..], &[422; 19]].concat());
}

#[tokio::test]
async fn a15_fields_of_the_server_s_own_are_passed_over() {
    let project = Project::new().await;
    let body = format!(
        r#"{{"email":"a@b.c","password":"{PASSWORD}","role":"service_role","aud":"other","app_metadata":{{"admin":true}},
            "email_confirmed_at":"2000-01-01","is_super_admin":true,"id":"11111111-1111-4111-8111-111111111111",
            "banned_until":"2000-01-01","is_sso_user":true,"phone_confirmed_at":"2000-01-01"}}"#
    );
    let reply = project.post("/signup", &body).await.expect(200);
    assert_eq!(reply.at("user.role"), "authenticated");
    assert_eq!(reply.at("user.aud"), "authenticated");
    assert_eq!(reply.at("user.app_metadata.admin"), "");
    assert_ne!(reply.at("user.id"), "11111111-1111-4111-8111-111111111111");
    static SUPER: Statement = Statement {
        sql: "select is_super_admin, is_sso_user, phone_confirmed_at from auth.users",
        parameters: &[],
    };
    assert_eq!(project.rows(&SUPER).await, [["Null", "Bool(false)", "Null"]]);
}

#[tokio::test]
async fn what_gotrue_refuses_is_refused_with_its_words() {
    let project = Project::with(|config| {
        config.password.minimum_length = 6;
        config.password.refuse_common = false;
    })
    .await;
    for (body, status, code, message) in [
        (r#"{"email":"a@b.c"}"#, 400, "validation_failed", "Signup requires a valid password"),
        (
            r#"{"email":"a@b.c","password":"123"}"#,
            422,
            "weak_password",
            "Password should be at least 6 characters.",
        ),
        (
            r#"{"email":"a","password":"123456"}"#,
            400,
            "validation_failed",
            "Unable to validate email address: invalid format",
        ),
        (
            r#"{"email":"a@b.c","phone":"+1","password":"123456"}"#,
            400,
            "validation_failed",
            "Only an email address or phone number should be provided on signup.",
        ),
        (
            r#"{"phone":"+4930123","password":"123456"}"#,
            400,
            "phone_provider_disabled",
            "Phone signups are disabled",
        ),
        (
            r#"{"email":"a@b.c","password":"123456","code_challenge":"x"}"#,
            400,
            "validation_failed",
            "PKCE flow requires code_challenge_method and code_challenge",
        ),
        (
            r#"{"email":{"$gt":""},"password":"123456"}"#,
            400,
            "bad_json",
            "Could not parse request body as JSON: `email` must be text",
        ),
    ] {
        let reply = project.post("/signup", body).await.refuses(status, code);
        assert_eq!(reply.at("msg"), message, "{body}");
    }
    let reply = project.post("/signup", r#"{"email":"a@b.c","password":"123"}"#).await;
    assert_eq!(reply.at("weak_password.reasons"), r#"["length"]"#);
    project
        .post("/signup", r#"{"email":"a@b.c","password":"123456","captcha_token":"x","channel":"sms"}"#)
        .await
        .expect(200);
}

#[tokio::test]
async fn sign_up_may_be_closed() {
    let closed = Project::with(|config| config.enable_signup = false).await;
    closed.post("/signup", &credentials("a@b.c", PASSWORD)).await.refuses(422, "signup_disabled");
    closed.post("/signup", "{}").await.refuses(422, "signup_disabled");
    let without_email = Project::with(|config| config.email.enable_signup = false).await;
    let reply = without_email.post("/signup", &credentials("a@b.c", PASSWORD)).await;
    reply.refuses(400, "email_provider_disabled");
}

#[tokio::test]
async fn confirmations_without_mail_are_refused_the_same_for_everybody() {
    let project = Project::with(|config| config.email.enable_confirmations = true).await;
    let body = r#"{"email":"known@b.c","password":"nine lives of a purple cat","email_confirm":true}"#;
    project.administer(Method::Post, "/admin/users", body).await.expect(200);
    let known =
        project.post("/signup", &credentials("known@b.c", PASSWORD)).await.refuses(422, "feature_disabled");
    let unknown =
        project.post("/signup", &credentials("new@b.c", PASSWORD)).await.refuses(422, "feature_disabled");
    assert_eq!(known.text(), unknown.text());
    project.sign_in("known@b.c", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn anonymous_users_have_a_session_and_nothing_else() {
    let project = Project::new().await;
    let reply = project.post("/signup", r#"{"data":{"theme":"dark"}}"#).await.expect(200);
    assert_eq!(reply.at("user.is_anonymous"), "true");
    assert_eq!(reply.at("user.email"), "");
    assert_eq!(reply.at("user.identities"), "[]");
    assert_eq!(reply.at("user.app_metadata"), "{}");
    assert_eq!(reply.at("user.user_metadata"), r#"{"theme":"dark"}"#);
    assert_eq!(reply.claims().get("is_anonymous"), Some(&Json::Bool(true)));
    project.post("/signup", "{}").await.expect(200);
    let closed = Project::with(|config| config.enable_anonymous_sign_ins = false).await;
    let reply = closed.post("/signup", "{}").await.refuses(422, "anonymous_provider_disabled");
    assert_eq!(reply.at("msg"), "Anonymous sign-ins are disabled");
}

#[tokio::test]
async fn tables_of_the_project_may_refer_to_users() {
    let schema = "create table profiles (id uuid primary key references auth.users (id) on delete cascade);";
    let project = Project::on_schema(schema, |_| {}).await;
    project.sign_up("a@b.c").await;
}
