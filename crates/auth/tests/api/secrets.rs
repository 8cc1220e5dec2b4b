//! Tokens that are not what they seem, on a route that users use.

use auth::{KeySet, Method};

use crate::fixture::{Project, Reply};

/// A token of the project's own secret with these claims.
fn signed(keys: &KeySet, claims: &str) -> String {
    let key = auth::jwk::Key::secret("", keys.secret.as_bytes()).unwrap();
    auth::token::sign_with(&key, claims).unwrap()
}

async fn user(project: &Project, token: &str) -> Reply {
    project.ask_as(token, Method::Get, "/user", "").await
}

#[tokio::test]
async fn g1_g3_g4_a_forged_header_is_refused() {
    let project = Project::new().await;
    let token = project.sign_up("a@b.c").await.access();
    let (_, rest) = token.split_once('.').unwrap();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"nOnE"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":["ES256"]}"#,
        r#"{"alg":"ES256","kid":"../../dev/null"}"#,
        r#"{"alg":"ES256","kid":"' or 1=1 --","jku":"https://evil.example"}"#,
        r#"{"alg":"ES256","crit":["exp"]}"#,
        r#"{"alg":"ES256","zip":"DEF"}"#,
        r#"{"alg":"HS256"}"#,
    ] {
        let forged = format!("{}.{rest}", auth::encoding::encode(header.as_bytes()));
        user(&project, &forged).await.refuses(403, "bad_jwt");
    }
    let unsigned =
        format!("{}.{}.", auth::encoding::encode(br#"{"alg":"none"}"#), rest.split('.').next().unwrap());
    user(&project, &unsigned).await.refuses(403, "bad_jwt");
}

#[tokio::test]
async fn g2_a_public_key_is_no_secret() {
    let project = Project::new().await;
    let keys = project.ask(Method::Get, "/.well-known/jwks.json", "", &[]).await.text();
    let id = project.sign_up("a@b.c").await.at("user.id");
    let key = auth::jwk::Key::secret("", keys.as_bytes()).unwrap();
    let claims = format!(r#"{{"sub":"{id}","role":"authenticated","aud":"authenticated","exp":1999999999}}"#);
    let token = auth::token::sign_with(&key, &claims).unwrap();
    user(&project, &token).await.refuses(403, "bad_jwt");
}

#[tokio::test]
async fn g6_times_are_checked() {
    let project = Project::new().await;
    let id = project.sign_up("a@b.c").await.at("user.id");
    let claims =
        |times: &str| format!(r#"{{"sub":"{id}","aud":"authenticated","role":"authenticated"{times}}}"#);
    user(&project, &signed(&project.keys, &claims(r#","exp":1767229200"#))).await.expect(200);
    for times in [
        "",
        r#","exp":1767225500"#,
        r#","exp":9223372036854775808"#,
        r#","exp":"1767229200""#,
        r#","exp":1767229200.5"#,
        r#","exp":1767229200,"nbf":1767229200"#,
        r#","exp":1767229200,"iat":1767229200"#,
    ] {
        user(&project, &signed(&project.keys, &claims(times))).await.refuses(403, "bad_jwt");
    }
}

#[tokio::test]
async fn g7_other_kinds_of_tokens_are_no_user_s() {
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    for token in [&project.keys.service_role_key, &project.keys.anon_key] {
        let refused = user(&project, token).await.refuses(403, "bad_jwt");
        assert_eq!(refused.at("msg"), "invalid claim: missing sub claim");
    }
    user(&project, &reply.refresh()).await.refuses(403, "bad_jwt");
    project.refresh(&reply.access()).await.refuses(400, "validation_failed");
    let id = reply.at("user.id");
    for (claims, status, code) in [
        (format!(r#"{{"sub":"{id}","aud":"other","exp":1767229200}}"#), 400, "validation_failed"),
        (format!(r#"{{"sub":"{id}","exp":1767229200}}"#), 400, "validation_failed"),
        (r#"{"sub":"1234567890","aud":"authenticated","exp":1767229200}"#.to_owned(), 400, "bad_jwt"),
        (
            format!(r#"{{"sub":"{id}","aud":"authenticated","session_id":"x","exp":1767229200}}"#),
            403,
            "bad_jwt",
        ),
        (
            r#"{"sub":"83fd9e20-7a80-46e4-bf29-a86e3d6bbf66","aud":"authenticated","exp":1767229200}"#
                .to_owned(),
            403,
            "user_not_found",
        ),
        (
            format!(
                r#"{{"sub":"{id}","aud":"authenticated","session_id":"83fd9e20-7a80-46e4-bf29-a86e3d6bbf66","exp":1767229200}}"#
            ),
            403,
            "session_not_found",
        ),
    ] {
        user(&project, &signed(&project.keys, &claims)).await.refuses(status, code);
    }
}

#[tokio::test]
async fn g7_a_session_of_somebody_else_does_not_help() {
    let project = Project::new().await;
    let (one, two) = (project.sign_up("one@b.c").await, project.sign_up("two@b.c").await);
    let session = one.claims().get("session_id").unwrap().compact();
    let id = two.at("user.id");
    let claims = format!(r#"{{"sub":"{id}","aud":"authenticated","session_id":{session},"exp":1767229200}}"#);
    user(&project, &signed(&project.keys, &claims)).await.refuses(403, "session_not_found");
}

#[tokio::test]
async fn g8_a_token_of_a_key_that_is_gone_is_refused() {
    let project = Project::new().await;
    let token = project.sign_up("a@b.c").await.access();
    user(&project, &token).await.expect(200);
    let clock = project.clock.clone();
    struct Zero;
    impl auth::Random for Zero {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }
    let others = KeySet::generate(&*clock, &Zero).unwrap();
    project.gateway.verifier.replace_keys(others.keys().unwrap());
    user(&project, &token).await.refuses(403, "bad_jwt");
    let again = project.sign_in("a@b.c", crate::fixture::PASSWORD).await.expect(200);
    user(&project, &again.access()).await.expect(200);
}

#[tokio::test]
async fn g17_credentials_have_one_meaning() {
    let project = Project::new().await;
    let token = project.sign_up("a@b.c").await.access();
    let ask = async |headers: &[(&str, &str)]| project.ask(Method::Get, "/user", "", headers).await;
    let bearer = format!("Bearer {token}");
    ask(&[("authorization", &bearer), ("authorization", &bearer)]).await.refuses(401, "no_authorization");
    ask(&[("authorization", &format!("bearer   {token}"))]).await.expect(200);
    ask(&[("authorization", &format!("Bearer\t{token}"))]).await.refuses(403, "bad_jwt");
    ask(&[("authorization", &bearer), ("apikey", "sb_secret_nonsense")]).await.expect(200);
    ask(&[("authorization", "Bearer sb_secret_x"), ("apikey", &project.keys.secret_keys[0])])
        .await
        .refuses(403, "bad_jwt");
    let legacy = ask(&[("apikey", &project.keys.anon_key)]).await.refuses(401, "no_authorization");
    assert_eq!(legacy.at("msg"), "This endpoint requires a valid Bearer token");
    ask(&[]).await.refuses(401, "no_authorization");
}

#[tokio::test]
async fn h9_answers_and_errors_hold_no_secrets() {
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    let shown = project.ask_as(&reply.access(), Method::Get, "/user", "").await.text();
    let listed = project.administer(Method::Get, "/admin/users", "").await.text();
    for text in [reply.text(), shown, listed] {
        for canary in [crate::fixture::PASSWORD, "argon2id", &project.keys.secret, "encrypted_password"] {
            assert!(!text.contains(canary), "{canary}");
        }
    }
}
