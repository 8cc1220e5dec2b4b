//! What our own reading of a schema's statements says it declares.

use std::sync::Arc;

use catalog::{Catalog, Exposure, builtin};
use engine::migrate::{self, File, Layout};

/// The tables of the Auth API.
pub(crate) const AUTH: &str = include_str!("../../../auth/src/schema.sql");

/// The example's schema, file by file.
pub(crate) const HIRING: [&str; 4] = [
    include_str!("../../../../examples/hiring/schemas/01_company.sql"),
    include_str!("../../../../examples/hiring/schemas/02_jobs.sql"),
    include_str!("../../../../examples/hiring/schemas/03_hiring.sql"),
    include_str!("../../../../examples/hiring/schemas/04_access.sql"),
];

/// Folds texts on the builtin catalog, with the privileges that Supabase's defaults give.
#[track_caller]
pub(crate) fn fold(texts: &[&str]) -> Catalog {
    let base = Arc::new(Catalog { exposure: Exposure::Legacy, ..builtin() });
    let file = |(at, text): (usize, &&str)| File { name: format!("{at}.sql"), text: (*text).into() };
    let files: Vec<File> = texts.iter().enumerate().map(file).collect();
    let folded = migrate::fold(&base, &files, Layout::Migrations, "postgres");
    assert!(folded.refused.is_empty(), "{:?}", folded.refused);
    (*folded.catalog).clone()
}
