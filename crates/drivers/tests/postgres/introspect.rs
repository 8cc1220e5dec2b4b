//! What the database declares is what its schema's statements declare.

use drivers::postgres::introspect::introspect;

use crate::fold::{AUTH, HIRING, fold};
use crate::server::{Fresh, script};
use crate::shape::Printer;

const FOUNDATION: &str = include_str!("../../src/postgres/native/foundation.sql");
const PRIVILEGES: &str = include_str!("../../src/postgres/native/privileges.sql");

/// What Backplane's compiler knows by itself and a database has as functions.
const SKIPS: [&str; 4] = ["auth.uid", "auth.role", "auth.email", "auth.jwt"];

/// Applies texts as they are, reads them back, and compares with what they fold to.
async fn check(test: &str, texts: &[&str]) {
    let database = Fresh::empty(test).await;
    let mut client = database.session().await;
    script(&client, FOUNDATION).await;
    script(&client, PRIVILEGES).await;
    script(&client, "set search_path = public, extensions").await;
    for text in texts {
        script(&client, text).await;
    }
    let reading = introspect(&mut client, &["public".into()]).await.unwrap();
    let folded = fold(texts);
    let printer = Printer { client: &client, skips: &SKIPS };
    let (found, wanted) = (printer.lines(&reading.catalog).await, printer.lines(&folded).await);
    let missing: Vec<_> = wanted.difference(&found).map(|line| format!("- {line}\n")).collect();
    let added: Vec<_> = found.difference(&wanted).map(|line| format!("+ {line}\n")).collect();
    assert!(wanted.len() > 100, "{} lines", wanted.len());
    assert!(
        missing.is_empty() && added.is_empty(),
        "{} lines\n{}{}",
        wanted.len(),
        missing.concat(),
        added.concat()
    );
    assert_eq!(reading.catalog.not_running, Vec::<String>::new());
}

#[tokio::test]
async fn the_example_reads_as_it_was_written() {
    let mut texts = vec![AUTH];
    texts.extend(HIRING);
    check("hiring", &texts).await;
}
