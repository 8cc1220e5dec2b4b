//! What may stand in a `config.toml`, and what is refused by name.

use std::time::Duration;

use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let file = SourceFile { path: "config.toml".into(), text: text.into() };
    read_text(&file, &Environment::of(environment.iter().copied()))
}

#[track_caller]
fn good(text: &str) -> Settings {
    let loaded = load(text, &[]);
    assert!(loaded.complaints.is_empty() && loaded.unknown.is_empty(), "{loaded:?}");
    loaded.settings
}

/// The complaints, each as `line:column message`, with its hint after `; `.
#[track_caller]
fn refused(text: &str, wanted: &[&str]) {
    let loaded = load(text, &[]);
    let said: Vec<String> = loaded
        .complaints
        .iter()
        .chain(&loaded.unknown)
        .map(|complaint| {
            let (line, column) = complaint.place();
            let hint = complaint.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("{line}:{column} {}{hint}", complaint.message)
        })
        .collect();
    assert_eq!(said, wanted);
}

#[test]
fn what_is_not_written_has_its_default() {
    assert_eq!(good(""), Settings::default());
    assert_eq!(Settings::default().listen().to_string(), "127.0.0.1:54321");
}

#[test]
fn each_kind_of_value_is_read() {
    let settings = good(
        "[api]\nport = 8000\nschemas = [\"public\", \"app\"]\nmax_rows = 7\nexposure = \"legacy\"\n\
         [auth]\nenable_signup = false\njwt_secret = \"x\"\n[auth.sessions]\ntimebox = \"1h30m\"\n\
         [server]\nstatic_dir = \"web\"\ndrain_delay = 5\n[limits]\nbody_bytes_max = 10\n",
    );
    assert_eq!(settings.listen().to_string(), "127.0.0.1:8000");
    assert_eq!(settings.api_schemas, ["public", "app"]);
    assert_eq!(settings.limits.rows_max, 7);
    assert_eq!(settings.api_exposure, Exposure::Legacy);
    assert!(!settings.auth_enable_signup);
    assert_eq!(settings.auth_sessions_timebox, Some(Period(Duration::from_secs(5400))));
    assert_eq!(settings.server_static_dir.as_deref(), Some("web"));
    assert_eq!(settings.server_drain_delay, Period(Duration::from_secs(5)));
    assert_eq!(settings.limits.body_bytes_max, 10);
}

#[test]
fn secrets_do_not_show() {
    let settings = good("[auth]\njwt_secret = \"hush-hush\"");
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn unknown_keys_are_refused_with_what_was_meant() {
    refused(
        "[auth]\nenable_singup = true\n[auht]\nsite_url = \"\"\n[limits]\nrows = 1\n[api]\n  x.y = 1\n",
        &[
            "2:1 unknown setting \"auth.enable_singup\"; did you mean \"auth.enable_signup\"?",
            "3:2 unknown setting \"auht\"; did you mean \"auth\"?",
            "6:1 unknown setting \"limits.rows\"",
            "8:3 unknown setting \"api.x\"",
        ],
    );
}

#[test]
fn values_of_another_kind_are_refused() {
    refused(
        "[api]\nenabled = \"maybe\"\nport = 65536\nschemas = 1\nmax_rows = -1\n[server]\nlisten = \"here\"\nmetrics = \"all\"\nhead_timeout = \"5 s\"",
        &[
            "2:11 setting \"api.enabled\": `true` or `false` is expected, not `maybe`",
            "3:8 setting \"api.port\": a port is expected: 0 to 65535",
            "4:11 setting \"api.schemas\": a list of text is expected, not a number",
            "5:12 setting \"api.max_rows\": a whole number, zero or more, is expected",
            "7:10 setting \"server.listen\": an address is expected, like `127.0.0.1:54321`, not `here`",
            "8:11 setting \"server.metrics\": one of `off` `local` `open` is expected, not `all`",
            "9:16 setting \"server.head_timeout\": a period is expected, like `10s`, `250ms`, `1h30m`, or a number of seconds",
        ],
    );
}

#[test]
fn a_broken_document_is_refused_with_its_line() {
    let complaints = load("[api]\nport = = 1\n", &[]).complaints;
    assert_eq!(complaints[0].place().0, 2);
}

#[test]
fn what_projects_have_today_is_accepted_and_named() {
    let text = "project_id = \"x\"\n[db]\nport = 54322\n[functions.hello]\nverify_jwt = false\n[auth.external.apple]\n\
                secret = \"env(NOT_SET)\"\n[auth.sms.test_otp]\n4152127777 = \"1\"\n[storage.buckets.images]\npublic = true\n\
                [experimental]\n[[experimental.inspect.rules]]\nname = \"a\"\n[auth.mfa.totp]\nenroll_enabled = true\n";
    let loaded = load(text, &[]);
    assert!(loaded.complaints.is_empty() && loaded.unknown.is_empty(), "{loaded:?}");
    let names: Vec<&str> = loaded.without_effect.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        names,
        [
            "project_id",
            "db.port",
            "functions.hello.verify_jwt",
            "auth.external.apple.secret",
            "auth.sms.test_otp.4152127777",
            "storage.buckets.images.public",
            "experimental.inspect",
            "auth.mfa.totp.enroll_enabled",
        ]
    );
    assert_eq!(loaded.without_effect[1].1, 3);
}

#[test]
fn no_setting_is_both_acted_on_and_accepted_without_effect() {
    for path in table::paths() {
        assert!(!accepted::holds(&path.split('.').collect::<Vec<_>>()), "{path}");
    }
}

#[test]
fn names_of_the_environment_are_told_apart() {
    let mut names: Vec<String> = table::paths().map(|path| environment::name_of(&path)).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_environment_comes_first() {
    let loaded = load(
        "[api]\nport = 1\n",
        &[("BACKPLANE_API_PORT", "2"), ("BACKPLANE_API_SCHEMAS", "a, b"), ("API_PORT", "3")],
    );
    assert_eq!((loaded.settings.api_port, loaded.settings.api_schemas), (2, vec!["a".into(), "b".into()]));
    let wrong = load("", &[("BACKPLANE_API_PORT", "x"), ("BACKPLANE_LIMITS_ROWS", "1")]);
    assert!(wrong.complaints[0].message.starts_with("environment variable BACKPLANE_API_PORT: "));
    assert_eq!(wrong.strangers, ["BACKPLANE_LIMITS_ROWS"]);
}

#[test]
fn env_stands_for_the_environment() {
    let text = "[auth]\nsite_url = \"env(SITE)\"\njwt_expiry = \"env(EXPIRY)\"\nadditional_redirect_urls = [\"a\", \"env(SITE)\"]\n";
    let loaded = load(text, &[("SITE", "http://here"), ("EXPIRY", "60")]);
    assert!(loaded.complaints.is_empty(), "{:?}", loaded.complaints);
    assert_eq!(loaded.settings.auth_site_url, "http://here");
    assert_eq!(loaded.settings.auth_jwt_expiry, 60);
    assert_eq!(loaded.settings.auth_additional_redirect_urls, ["a", "http://here"]);
    refused(
        "[auth]\nsite_url = \"env(SITE)\"",
        &["2:12 environment variable \"SITE\" of setting \"auth.site_url\" is not set"],
    );
}

#[test]
fn the_same_limit_is_not_set_by_two_names() {
    refused(
        "[api]\nmax_rows = 1\n[limits]\nrows_max = 2\n",
        &["1:1 \"api.max_rows\" and \"limits.rows_max\" are one setting: keep one of them"],
    );
}

#[test]
fn the_reference_has_every_setting() {
    let page = &reference::pages()[0].text;
    for path in table::paths() {
        assert!(page.contains(&format!("`{}`", environment::name_of(&path))), "{path}");
    }
}
