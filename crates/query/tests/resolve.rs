//! Every expression of a real schema is resolved and authorized.

use std::sync::Arc;

use catalog::{Catalog, builtin};
use query::authorize::authorize;
use query::{Caller, Model, Query, resolve};
use types::Limits;

fn parsed(text: &str) -> Vec<sql::ast::Statement> {
    let (statements, diagnostics) = sql::parse(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    statements
}

fn folded(base: Catalog, text: &str, owner: &str) -> Catalog {
    let statements = parsed(text);
    let mut builder = catalog::Builder::new(base, &resolve::Views).owned_by(owner);
    for statement in &statements {
        builder.apply(statement).unwrap_or_else(|complaint| panic!("{:?}", complaint.error));
    }
    builder.finish()
}

fn example() -> Arc<Model> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let read = |path: String| std::fs::read_to_string(path).unwrap();
    let auth = read(format!("{root}crates/auth/src/schema.sql"));
    let mut catalog = folded(builtin(), &auth, "supabase_auth_admin");
    let mut files: Vec<_> = std::fs::read_dir(format!("{root}examples/hiring/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        catalog = folded(catalog, &read(file.display().to_string()), "postgres");
    }
    Arc::new(Model::new(Arc::new(catalog)))
}

#[test]
fn the_example_application_is_resolved_whole() {
    let refused = example().refused();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_table_of_the_example_can_be_asked_for_by_everybody() {
    let model = example();
    for id in model.catalog.ids() {
        let name = &model.catalog[id].name;
        let text = format!("select * from \"{}\".\"{}\"", name.schema, name.name);
        let statement = parsed(&text).remove(0);
        for role in ["anon", "authenticated", "service_role", "postgres"] {
            let query = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap();
            assert!(matches!(query, Query::Read(_)));
            let answer = authorize(query, &Caller::role(role), &model, &Limits::default());
            if let Err(error) = answer {
                assert!(["42501"].contains(&error.code().name()), "{name} as {role}: {error}");
            }
        }
    }
}
