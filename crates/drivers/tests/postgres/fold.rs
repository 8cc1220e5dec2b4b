//! What our own reading of a schema's statements says it declares.

use catalog::{Builder, Catalog, Exposure, builtin};
use query::resolve::Views;

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
    let base = Catalog { exposure: Exposure::Legacy, ..builtin() };
    let mut builder = Builder::new(base, &Views);
    for text in texts {
        let (statements, complaints) = sql::parse(text);
        assert!(complaints.is_empty(), "{complaints:?}");
        for statement in statements {
            if let Err(said) = builder.apply(&statement) {
                let (start, end) = (said.span.start as usize, said.span.end as usize);
                panic!("{} in {}", said.error, &text[start..end]);
            }
        }
    }
    builder.finish()
}
