//! What real schemas become.

use super::*;

const HIRING: [(&str, &str); 4] = [
    ("schemas/01_company.sql", include_str!("../../../../../examples/hiring/schemas/01_company.sql")),
    ("schemas/02_jobs.sql", include_str!("../../../../../examples/hiring/schemas/02_jobs.sql")),
    ("schemas/03_hiring.sql", include_str!("../../../../../examples/hiring/schemas/03_hiring.sql")),
    ("schemas/04_access.sql", include_str!("../../../../../examples/hiring/schemas/04_access.sql")),
];

const SEED: &str = include_str!("../../../../../examples/hiring/seed.sql");

pub(super) fn hiring() -> Sources {
    let file = |(name, text): (&str, &str)| File { name: name.to_owned(), text: text.into() };
    Sources {
        schema: HIRING.into_iter().map(file).collect(),
        seeds: vec![file(("seed.sql", SEED))],
        ..declared("")
    }
}

#[test]
fn the_example_is_made_with_its_seed_and_a_second_start_does_nothing() {
    let fixture = Fixture::new();
    let first = fixture.apply(&hiring()).unwrap();
    assert!(first.rows > 40, "{} rows", first.rows);
    assert_eq!(fixture.rows("SELECT count(*) FROM \"public.skills\""), [["21"]]);
    assert_eq!(fixture.rows("SELECT count(*) FROM \"auth.users\""), [["0"]]);
    let before = std::time::Instant::now();
    let second = fixture.apply(&hiring()).unwrap();
    let took = before.elapsed();
    assert!(second.steps.is_empty() && second.files.is_empty() && second.rows == 0);
    assert!(took < Duration::from_millis(50), "{took:?}");
}
