//! Refreshing and ending sessions.

use std::sync::Arc;

use auth::Method;
use engine::Statement;

use crate::fixture::{PASSWORD, Project};

#[tokio::test]
async fn a_refresh_token_gives_the_next() {
    let project = Project::new().await;
    let first = project.sign_up("a@b.c").await;
    project.clock.forward_s(5);
    let second = project.refresh(&first.refresh()).await.expect(200);
    assert_ne!(second.refresh(), first.refresh());
    assert_ne!(second.access(), first.access());
    assert_eq!(second.claims().get("session_id"), first.claims().get("session_id"));
    assert_eq!(second.claims().get("amr"), first.claims().get("amr"));
    assert_eq!(second.at("user.id"), first.at("user.id"));
    project.refresh(&second.refresh()).await.expect(200);
}

#[tokio::test]
async fn g9_a_token_that_comes_back_late_ends_its_session() {
    let project = Project::new().await;
    let first = project.sign_up("a@b.c").await;
    let second = project.refresh(&first.refresh()).await.expect(200);
    let third = project.refresh(&second.refresh()).await.expect(200);
    project.clock.forward_s(11);
    let reply = project.refresh(&first.refresh()).await.refuses(400, "refresh_token_already_used");
    assert_eq!(reply.at("msg"), "Invalid Refresh Token: Already Used");
    project.refresh(&third.refresh()).await.refuses(400, "refresh_token_not_found");
    project.ask_as(&third.access(), Method::Get, "/user", "").await.refuses(403, "session_not_found");
}

#[tokio::test]
async fn reuse_without_rotation_only_fails() {
    let project = Project::with(|config| config.enable_refresh_token_rotation = false).await;
    let first = project.sign_up("a@b.c").await;
    let second = project.refresh(&first.refresh()).await.expect(200);
    let third = project.refresh(&second.refresh()).await.expect(200);
    project.clock.forward_s(11);
    project.refresh(&first.refresh()).await.refuses(400, "refresh_token_already_used");
    project.refresh(&third.refresh()).await.expect(200);
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_at_any_time() {
    let project = Project::new().await;
    let first = project.sign_up("a@b.c").await;
    let second = project.refresh(&first.refresh()).await.expect(200);
    project.clock.forward_s(86_400);
    let again = project.refresh(&first.refresh()).await.expect(200);
    assert_eq!(again.refresh(), second.refresh());
    assert_eq!(again.0.header("sb-auth-refresh-token-reuse-cause"), Some("fail-to-save"));
}

#[tokio::test]
async fn within_the_interval_every_ancestor_gives_the_token_in_force() {
    let project = Project::new().await;
    let first = project.sign_up("a@b.c").await;
    let mut last = first.refresh();
    for _ in 0..5 {
        last = project.refresh(&last).await.expect(200).refresh();
    }
    project.clock.forward_s(9);
    assert_eq!(project.refresh(&first.refresh()).await.expect(200).refresh(), last);
}

#[tokio::test]
async fn g10_parallel_refreshes_have_one_successor() {
    static ACTIVE: Statement =
        Statement { sql: "select token from auth.refresh_tokens where revoked = false", parameters: &[] };
    let project = Arc::new(Project::new().await);
    let token = project.sign_up("a@b.c").await.refresh();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (project, token) = (project.clone(), token.clone());
            tokio::spawn(async move { project.refresh(&token).await.expect(200).refresh() })
        })
        .collect();
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.unwrap());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_eq!(project.rows(&ACTIVE).await.len(), 1);
    project.refresh(&tokens[0]).await.expect(200);
}

#[tokio::test]
async fn g11_what_is_no_token_of_ours_is_refused() {
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    let truncated = &reply.refresh()[..21];
    project.refresh(truncated).await.refuses(400, "refresh_token_not_found");
    project.refresh("AAAAAAAAAAAAAAAAAAAAAA").await.refuses(400, "refresh_token_not_found");
    for text in ["", "short", "invalid refresh token", &reply.access()] {
        let reply = project.refresh(text).await.refuses(400, "validation_failed");
        assert_eq!(reply.at("msg"), "Refresh token is not valid");
    }
    project.ask_as(&reply.access(), Method::Post, "/logout", "").await.expect(204);
    project.refresh(&reply.refresh()).await.refuses(400, "refresh_token_not_found");
}

#[tokio::test]
async fn g12_leaving_ends_what_its_scope_says() {
    let project = Project::new().await;
    project.sign_up("a@b.c").await;
    for (scope, own, other) in
        [("", 403, 403), ("?scope=global", 403, 403), ("?scope=local", 403, 200), ("?scope=others", 200, 403)]
    {
        let here = project.sign_in("a@b.c", PASSWORD).await.expect(200);
        let there = project.sign_in("a@b.c", PASSWORD).await.expect(200);
        let left =
            project.ask_as(&here.access(), Method::Post, &format!("/logout{scope}"), "").await.expect(204);
        assert!(left.0.body.is_empty());
        for (session, status) in [(&here, own), (&there, other)] {
            project.ask_as(&session.access(), Method::Get, "/user", "").await.expect(status);
            let refreshed = project.refresh(&session.refresh()).await;
            assert_eq!(refreshed.0.status, if status == 200 { 200 } else { 400 }, "{scope}");
            let token = project.gateway.verifier.verify(&session.access(), 1_767_225_600).unwrap();
            assert_eq!(
                project.service.check_session(&token).await.unwrap().is_ok(),
                status == 200,
                "{scope}"
            );
        }
    }
    let here = project.sign_in("a@b.c", PASSWORD).await.expect(200);
    let reply = project.ask_as(&here.access(), Method::Post, "/logout?scope=everywhere", "").await;
    assert_eq!(reply.refuses(400, "validation_failed").at("msg"), "Unsupported logout scope \"everywhere\"");
}

#[tokio::test]
async fn a23_banned_and_deleted_users_are_out_at_once() {
    let project = Project::new().await;
    let banned = project.sign_up("banned@b.c").await;
    let deleted = project.sign_up("deleted@b.c").await;
    let path = |reply: &crate::fixture::Reply| format!("/admin/users/{}", reply.at("user.id"));
    project.administer(Method::Put, &path(&banned), r#"{"ban_duration":"24h"}"#).await.expect(200);
    project.administer(Method::Delete, &path(&deleted), "").await.expect(200);
    project.ask_as(&banned.access(), Method::Get, "/user", "").await.refuses(403, "user_banned");
    project.refresh(&banned.refresh()).await.refuses(400, "user_banned");
    project.ask_as(&deleted.access(), Method::Get, "/user", "").await.refuses(403, "user_not_found");
    project.refresh(&deleted.refresh()).await.refuses(400, "refresh_token_not_found");
    for session in [&banned, &deleted] {
        let token = project.gateway.verifier.verify(&session.access(), 1_767_225_600).unwrap();
        assert!(project.service.check_session(&token).await.unwrap().is_err());
    }
    project.administer(Method::Put, &path(&banned), r#"{"ban_duration":"none"}"#).await.expect(200);
    project.ask_as(&banned.access(), Method::Get, "/user", "").await.expect(200);
}

#[tokio::test]
async fn g14_a_token_ends_at_its_time_although_it_was_good_before() {
    let project = Project::new().await;
    let reply = project.sign_up("a@b.c").await;
    project.ask_as(&reply.access(), Method::Get, "/user", "").await.expect(200);
    project.clock.forward_s(3_631);
    let reply = project.ask_as(&reply.access(), Method::Get, "/user", "").await.refuses(403, "bad_jwt");
    assert!(reply.at("msg").starts_with("invalid JWT: unable to parse or verify signature, "));
}

#[tokio::test]
async fn g15_the_database_holds_digests_only() {
    static ROWS: Statement =
        Statement { sql: "select token, coalesce(parent, '') from auth.refresh_tokens", parameters: &[] };
    let project = Project::new().await;
    let first = project.sign_up("a@b.c").await;
    let second = project.refresh(&first.refresh()).await.expect(200);
    let stored = project.rows(&ROWS).await.concat();
    assert_eq!(stored.len(), 4);
    for token in [first.refresh(), second.refresh()] {
        assert!(stored.iter().all(|text| !text.contains(&token)), "{stored:?}");
    }
}

#[tokio::test]
async fn g16_sessions_end_by_age_silence_and_number() {
    let project = Project::with(|config| {
        config.sessions.timebox_s = Some(1_000);
        config.sessions.inactivity_timeout_s = Some(600);
    })
    .await;
    let old = project.sign_up("a@b.c").await;
    let silent = project.sign_in("a@b.c", PASSWORD).await.expect(200);
    project.clock.forward_s(550);
    let old = project.refresh(&old.refresh()).await.expect(200);
    project.clock.forward_s(100);
    project.refresh(&silent.refresh()).await.refuses(400, "session_expired");
    let old = project.refresh(&old.refresh()).await.expect(200);
    project.clock.forward_s(400);
    project.refresh(&old.refresh()).await.refuses(400, "session_expired");

    let project = Project::with(|config| config.sessions.single_per_user = true).await;
    let before = project.sign_up("a@b.c").await;
    project.clock.forward_s(1);
    let after = project.sign_in("a@b.c", PASSWORD).await.expect(200);
    let reply = project.refresh(&before.refresh()).await.refuses(400, "session_expired");
    assert!(reply.at("msg").ends_with("(Revoked by Newer Login)"));
    project.refresh(&after.refresh()).await.expect(200);
}
