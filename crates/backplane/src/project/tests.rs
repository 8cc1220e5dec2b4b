//! Projects as people have them, found and folded.

use super::*;
use crate::testing::Folder;

fn read(folder: &Folder, strictness: Strictness) -> Result<Project> {
    Project::read(folder.path(), &Environment::default(), strictness)
}

/// The tables of schema `public`, and the complaints as `file:line message`.
fn told(files: &[(&str, &str)], strictness: Strictness) -> (Vec<String>, Vec<String>) {
    let project = read(&Folder::of(files), strictness).unwrap();
    let tables = project.catalog.tables.iter().filter(|table| &*table.name.schema == "public");
    let complaints = project.complaints.iter().map(|complaint| {
        let word = if complaint.is_error() { "" } else { "warning: " };
        format!("{}:{} {word}{}", complaint.file.path.display(), complaint.place().0, complaint.message)
    });
    (tables.map(|table| table.name.name.to_string()).collect(), complaints.collect())
}

#[track_caller]
fn tables(files: &[(&str, &str)], wanted: &[&str]) {
    let (tables, complaints) = told(files, Strictness::Strict);
    assert!(complaints.is_empty(), "{complaints:?}");
    assert_eq!(tables, wanted);
}

const A: &str = "create table a (id int primary key);";
const B: &str = "create table b (a int references a);";

#[test]
fn a_schema_is_a_file_a_folder_or_migrations_also_below_supabase() {
    for prefix in ["", "supabase/"] {
        let name = |name: &str| format!("{prefix}{name}");
        tables(&[(&name("schema.sql"), A)], &["a"]);
        tables(&[(&name("schemas/1.sql"), A), (&name("schemas/deep/2.sql"), B)], &["a", "b"]);
        tables(&[(&name("migrations/2_b.sql"), B), (&name("migrations/1_a.sql"), A)], &["a", "b"]);
    }
}

#[test]
fn migrations_go_by_name_and_take_a_dash() {
    tables(
        &[
            ("migrations/20260102_b.sql", "alter table a add column x int"),
            ("migrations/20260101120000-f3.sql", A),
            ("migrations/notes.txt", ""),
        ],
        &["a"],
    );
    let folder = Folder::of(&[("migrations/10_b.sql", A), ("migrations/9_a.sql", B)]);
    let project = read(&folder, Strictness::Lenient).unwrap();
    let said = "migrations/10_b.sql is read before migrations/9_a.sql: migrations go by name, whose numbers want one length";
    assert_eq!(project.unread, [said]);
}

#[test]
fn a_folder_without_a_migrations_name_says_so() {
    let error = read(&Folder::of(&[("migrations/add_users.sql", A)]), Strictness::Lenient).unwrap_err();
    assert!(error.message().ends_with("has a migration's name"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("1 of other names")), "{error}");
}

#[test]
fn what_a_block_may_not_come_to_is_told_and_no_complaint() {
    let block = "create table t (a int);\ndo $$ begin\n  if exists (select from t) then\n    insert into nowhere values (1);\n  end if;\nend $$;";
    let project = read(&Folder::of(&[("migrations/1_a.sql", block)]), Strictness::Strict).unwrap();
    assert!(project.complaints.is_empty());
    let said = "migrations/1_a.sql:4 a do block: relation \"nowhere\" does not exist";
    assert_eq!(project.doubts, [said]);
}

#[test]
fn a_declared_schema_is_in_any_order() {
    tables(&[("schemas/1.sql", B), ("schemas/2.sql", A)], &["a", "b"]);
    tables(&[("schema.sql", &format!("{B}\n{A}"))], &["a", "b"]);
}

#[test]
fn paths_of_the_settings_are_read_in_their_order() {
    tables(
        &[
            ("config.toml", "[db.migrations]\nschema_paths = [\"./parts/z.sql\", \"./parts/*.sql\"]"),
            ("parts/a.sql", B),
            ("parts/z.sql", A),
        ],
        &["a", "b"],
    );
}

#[test]
fn what_is_beside_migrations_is_named() {
    let folder = Folder::of(&[("migrations/1_a.sql", A), ("schemas/1.sql", B), ("migrations/old.sql", "")]);
    let project = read(&folder, Strictness::Strict).unwrap();
    assert_eq!(project.origin, Origin::Migrations);
    assert_eq!(
        project.unread,
        [
            "migrations/old.sql is not read: a migration's name is NUMBER_name.sql",
            "schemas is not read: migrations are"
        ]
    );
}

#[test]
fn all_complaints_come_at_once_with_their_places() {
    let (_, complaints) = told(
        &[
            ("config.toml", "[api]\nprot = 1"),
            ("schemas/1.sql", "create tabel x ();\n\ncreate table y (z nothing);"),
            ("schemas/2.sql", "alter table missing add column a int;"),
            ("seed.sql", "insert into a values (1);\ninsert into nowhere values (1);"),
            ("schemas/3.sql", A),
        ],
        Strictness::Strict,
    );
    let places: Vec<&str> = complaints.iter().filter_map(|said| said.split(' ').next()).collect();
    assert_eq!(
        places,
        ["config.toml:2", "schemas/1.sql:1", "schemas/1.sql:3", "schemas/2.sql:1", "seed.sql:2"],
        "{complaints:?}"
    );
}

#[test]
fn keys_that_are_not_there_are_told_and_refused_where_it_counts() {
    let config = "[auth]\nsigning_keys_path = \"./keys.json\"";
    let files = [("schema.sql", A), ("config.toml", config)];
    let of = |word: &str| [format!("config.toml:2{word} there is no file \"./keys.json\" of signing keys")];
    assert_eq!(told(&files, Strictness::Lenient).1, of(" warning:"));
    assert_eq!(told(&files, Strictness::Strict).1, of(""));
}

#[test]
fn leniency_goes_on_after_what_is_there_or_missing() {
    let text = format!("{A}\n{A}\nalter table gone add column x int;\ncreate table c (x int, x int);");
    let files = [("migrations/1_a.sql", text.as_str())];
    let errors =
        |strictness| told(&files, strictness).1.iter().filter(|said| !said.contains("warning")).count();
    assert_eq!((errors(Strictness::Strict), errors(Strictness::Lenient) <= 1), (3, true));
    assert_eq!(told(&files, Strictness::Lenient).0, ["a"]);
}

#[test]
fn leniency_leaves_out_what_makes_something_and_is_refused() {
    let errors = |text: &str, strictness| {
        let files = [("migrations/1_a.sql", text)];
        told(&files, strictness).1.iter().filter(|said| !said.contains("warning")).count()
    };
    let made = "create table b (x int references a (id));
        -- words
        CREATE OR REPLACE
        FUNCTION f() returns text language sql as $$ select '1' $$;
        create function g(x int) returns int language sql as 'select 1';
        create function g(x text) returns int language sql as 'select 1';
        grant execute on function g to public;";
    let text = format!(
        "create table a (id int); create function f() returns int language sql as 'select 1'; {made}"
    );
    assert_eq!((errors(&text, Strictness::Lenient), errors(&text, Strictness::Strict)), (0, 3));
    // What would let somebody do more is not left out, nor what cannot be read.
    for text in
        ["revoke execute on function g from public", "drop function g", "create table c (x int,, y int)"]
    {
        let text = format!(
            "create table a (id int); create function g(x int) returns int language sql as 'select 1';
             create function g(x text) returns int language sql as 'select 1'; {text};"
        );
        assert_eq!(errors(&text, Strictness::Lenient), 1, "{text}");
    }
}

#[test]
fn a_setting_of_other_tools_keeps_nobody_from_trying_a_project() {
    let config = "[project]\nid = \"x\"\n[auth]\nenable_singup = true";
    let files = [("schema.sql", A), ("config.toml", config)];
    let lenient = told(&files, Strictness::Lenient).1;
    assert!(lenient.len() == 2 && lenient.iter().all(|said| said.contains("warning")), "{lenient:?}");
    assert!(told(&files, Strictness::Strict).1.iter().all(|said| !said.contains("warning")));
}

#[test]
fn rows_are_kept_for_who_runs_them() {
    let folder = Folder::of(&[
        ("migrations/1_a.sql", &format!("{A} insert into a values (1);")),
        ("seed.sql", "insert into a values (2);"),
    ]);
    let project = read(&folder, Strictness::Strict).unwrap();
    assert!(project.complaints.is_empty(), "{:?}", project.complaints);
    assert_eq!(project.sources.seeds.len(), 1);
    folder.write("config.toml", "[db.seed]\nenabled = false\n");
    assert_eq!(read(&folder, Strictness::Strict).unwrap().sources.seeds.len(), 0);
}

#[test]
fn seeds_are_named_by_the_settings() {
    let folder = Folder::of(&[
        ("schema.sql", A),
        ("config.toml", "[db.seed]\nsql_paths = [\"./seeds/*.sql\", \"./none.sql\"]\n"),
        ("seeds/1.sql", "insert into a values (1)"),
    ]);
    let project = read(&folder, Strictness::Strict).unwrap();
    assert_eq!(project.sources.seeds.len(), 1);
    assert_eq!(project.complaints[0].message, "no file is named by \"./none.sql\"");
    assert_eq!(project.complaints[0].place(), (2, 32));
}

#[test]
fn a_folder_of_files_that_is_not_there_is_said_so() {
    let config = "[server]\nstatic_dir = \"web\"\n";
    let (_, complaints) = told(&[("schema.sql", A), ("config.toml", config)], Strictness::Strict);
    assert_eq!(complaints, ["config.toml:2 warning: there is no folder \"web\" to serve at /app/"]);
    tables(&[("schema.sql", A), ("config.toml", config), ("web/index.html", "")], &["a"]);
}

#[test]
fn folders_without_a_project_are_refused_in_words() {
    let refused = |path: &Path| Project::read(path, &Environment::default(), Strictness::Strict).unwrap_err();
    let folder = Folder::of(&[("notes.txt", ""), ("both/schema.sql", A), ("both/schemas/1.sql", A)]);
    for (path, words) in [("none", "there is no directory "), ("", "there is no schema in "), ("both", "")] {
        let error = refused(&folder.path().join(path));
        assert!(error.message().starts_with(words), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(refused(&folder.path().join("notes.txt")).message().ends_with("is not a directory"));
}

#[test]
fn the_fingerprint_changes_with_the_files() {
    let folder = Folder::of(&[("schema.sql", A), ("data.txt", "")]);
    let before = fingerprint(folder.path()).unwrap();
    folder.write("data.txt", "more");
    assert_eq!(fingerprint(folder.path()).unwrap(), before);
    folder.write("schema.sql", &format!("{A} "));
    assert_ne!(fingerprint(folder.path()).unwrap(), before);
}

/// A PostgreSQL server reads its own SQL: what our reading refuses is worth knowing there, and a folder may have none.
#[test]
fn on_postgresql_the_database_has_the_word() {
    let config = ("config.toml", "[engine]\nurl = \"postgres://u@h/d\"");
    let schema = ("schema.sql", "create table a (b nothing);\ncreate table b (c int);");
    let (tables, complaints) = told(&[schema, config], Strictness::Strict);
    assert_eq!(tables, ["b"]);
    assert!(
        complaints.iter().all(|said| said.contains("warning: ")) && complaints.len() == 1,
        "{complaints:?}"
    );
    assert_eq!(told(&[config], Strictness::Strict), (Vec::new(), Vec::new()));
    assert!(read(&Folder::of(&[("config.toml", "")]), Strictness::Strict).is_err());
}
