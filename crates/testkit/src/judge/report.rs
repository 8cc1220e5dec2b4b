//! A difference as a case file.

use std::fs;
use std::path::Path;

use super::ask::Asked;
use super::pair::Difference;
use super::shrink::Finding;

/// The case: PostgreSQL's answer is what is expected.
pub(super) fn case(finding: &Finding, seed: u64, number: u64) -> String {
    let difference = &finding.difference;
    let mut out = format!(
        "prose: found by `cargo xtask differential --seed {seed} --first {number} --schemas 1`: {}\n\n",
        difference.what
    );
    out.push_str(&finding.world.text());
    for asked in &finding.requests {
        out.push_str(&asked.section());
        out.push('\n');
    }
    if let Some(looked) = &difference.looked {
        out.push_str(&looked.section());
        out.push('\n');
    }
    out.push_str(&difference.postgres.section(None));
    out.push_str(&format!("\n# SQLite instead ({}):\n", difference.what));
    for line in difference.sqlite.section(None).lines() {
        out.push_str(&format!("# {line}\n"));
    }
    out
}

/// The request and both answers, for one that is not made smaller.
pub(super) fn brief_of(finding: &Finding, number: u64) -> String {
    let nothing = Asked::default();
    brief(finding.requests.last().unwrap_or(&nothing), &finding.difference, number)
}

/// The same of a difference.
pub(super) fn brief(asked: &Asked, difference: &Difference, number: u64) -> String {
    let asked = asked.section();
    let (sqlite, postgres) = (difference.sqlite.section(None), difference.postgres.section(None));
    format!("Project {number}, {}:\n{asked}\nPostgreSQL:\n{postgres}\nSQLite:\n{sqlite}", difference.what)
}

/// Writes it where differences are kept.
pub(super) fn write(folder: &Path, number: u64, signature: &str, text: &str) {
    let words: String = signature
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(60)
        .collect();
    // The text is printed as well.
    let _ = fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join(format!("{number}-{words}.case")), text));
}
