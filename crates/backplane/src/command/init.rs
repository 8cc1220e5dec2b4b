//! `init`: a new project that says what to write where.

use std::fs;
use std::path::Path;

use types::{Code, Error, Result};

use super::say;

/// The files of a new project.
const FILES: &[(&str, &str)] = &[
    ("config.toml", CONFIG),
    ("schema.sql", SCHEMA),
    (
        "seed.sql",
        "insert into notes (body, is_public) values ('Hello. Everybody can read this note.', true);\n",
    ),
    (".gitignore", ".backplane/\n"),
];

const CONFIG: &str = "\
# How this project is served. What is left out has its default.

[api]
schemas = [\"public\"]

[auth]
site_url = \"http://127.0.0.1:3000\"
enable_signup = true
";

const SCHEMA: &str = "\
-- What this project is made of, in PostgreSQL's SQL. Change it: `backplane dev` follows.

create table notes (
  id bigint generated always as identity primary key,
  owner uuid default auth.uid() references auth.users (id) on delete cascade,
  body text not null check (length(body) between 1 and 10000),
  is_public boolean not null default false,
  created_at timestamptz not null default now()
);

create index notes_owner on notes (owner);

-- Nobody reaches a row that no policy lets them reach.
alter table notes enable row level security;

create policy \"public notes are for everybody\" on notes
  for select using (is_public);

create policy \"owners do what they like\" on notes
  for all to authenticated
  using (owner = (select auth.uid()))
  with check (owner = (select auth.uid()));
";

/// Makes a project. A folder that holds one already is left as it is.
///
/// # Errors
/// `58030` when a file is there or cannot be written.
pub(super) fn run(dir: &Path) -> Result<()> {
    let failed = |path: &Path, error: std::io::Error| {
        Error::new(Code::IO_ERROR, format!("could not write {}: {error}", path.display()))
    };
    let taken = ["config.toml", "schema.sql", "schemas", "migrations", "supabase", "seed.sql"];
    if let Some(name) = taken.iter().find(|name| dir.join(name).exists()) {
        let message = format!("{} is there already", dir.join(name).display());
        return Err(Error::new(Code::IO_ERROR, message).with_hint("`backplane dev DIR` serves it."));
    }
    fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    for (name, text) in FILES {
        let path = dir.join(name);
        if !path.exists() {
            fs::write(&path, text).map_err(|error| failed(&path, error))?;
        }
    }
    let shown = dir.display();
    say(&format!("{shown} is a project.\n\n  backplane dev {shown}\n  backplane keys {shown} --env\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Project, Strictness};
    use crate::settings::Environment;
    use crate::testing::Folder;

    #[test]
    fn a_new_project_has_nothing_wrong() {
        let folder = Folder::new();
        run(folder.path()).unwrap();
        let project = Project::read(folder.path(), &Environment::default(), Strictness::Strict).unwrap();
        assert!(project.complaints.is_empty(), "{:?}", project.complaints);
        assert!(project.model().refused().is_empty());
        assert_eq!(project.sources.seeds.len(), 1);
        assert!(run(folder.path()).unwrap_err().message().ends_with("is there already"));
    }
}
