//! The tables as pages, for `docs/reference`. Everything in them comes from the tables.

use std::fmt::Write;

use types::codes;

use super::{accepted, environment, table};

/// A page: its file name and its text.
pub struct Page {
    /// The name of its file.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// All pages.
pub fn pages() -> Vec<Page> {
    vec![Page { name: "settings.md", text: settings() }, Page { name: "errors.md", text: errors() }]
}

fn settings() -> String {
    let mut out = String::from(
        "# Settings\n\nIn `config.toml`, beside the SQL or below `supabase/`. The environment's name, where it is set, comes \
         first. `\"env(NAME)\"` stands for the value of the environment variable `NAME`.\n",
    );
    let mut section = String::new();
    for row in table::rows() {
        let (above, name) = row.path.rsplit_once('.').unwrap_or(("", &row.path));
        if above != section {
            section = above.to_owned();
            let _ = write!(
                out,
                "\n## `[{section}]`\n\n| key | kind | default | what it does | environment |\n|---|---|---|---|---|\n"
            );
        }
        let default = row.default.map_or_else(String::new, |default| format!("`{default}`"));
        let _ = writeln!(
            out,
            "| `{name}` | {} | {default} | {} | `{}` |",
            row.kind,
            row.doc,
            environment::name_of(&row.path)
        );
    }
    out.push_str("\n## Accepted without effect\n\nThese change nothing in this version; `backplane check` names the ones that a project has.\n\n| section | keys |\n|---|---|\n");
    for (section, keys) in accepted::TABLE {
        let keys =
            if *keys == "**" { "everything".into() } else { format!("`{}`", keys.replace(' ', "`, `")) };
        let _ = writeln!(
            out,
            "| {} | {keys} |",
            if section.is_empty() { "the top".into() } else { format!("`[{section}]`") }
        );
    }
    out
}

fn errors() -> String {
    let mut out = String::from("# Error codes\n\n| code | status | meaning |\n|---|---|---|\n");
    for row in codes::TABLE {
        let _ = writeln!(out, "| `{}` | {} | {} |", row.name, row.status, row.meaning);
    }
    out
}
