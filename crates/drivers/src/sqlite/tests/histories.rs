//! Random histories of schemas, on real database files: wherever one starts, the end is what a fresh database has.

use render::Dialect as _;

use super::migrations::{dump, shape};
use super::*;

/// A small generator of numbers (xorshift), so that failures repeat.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.roll(words.len())]
    }

    fn column(&mut self) -> String {
        let name = self.of(&["a", "b", "c", "d"]);
        let ty = self.of(&[
            "int",
            "bigint",
            "text",
            "varchar(9)",
            "numeric(6,2)",
            "mood",
            "int[]",
            "jsonb",
            "timestamptz",
        ]);
        let more = self.of(&[
            "",
            "",
            "",
            " default null",
            " unique",
            " check (true)",
            " generated always as identity",
        ]);
        format!("{name} {ty}{more}")
    }

    fn statement(&mut self) -> String {
        let tables = ["t", "u", "v"];
        let (t, u) = (self.of(&tables), self.of(&tables));
        let (a, b) = (self.of(&["id", "a", "b", "c"]), self.of(&["a", "b", "c", "d"]));
        let column = self.column();
        match self.roll(20) {
            0..=2 => format!("create table {t} (id int primary key, {column})"),
            3 => format!(
                "create table {t} (id bigint generated always as identity, a int references {u}, b serial, primary key (id))"
            ),
            4 => format!("drop table {t} cascade"),
            5 => format!("alter table {t} rename to {u}"),
            6..=8 => format!("alter table {t} add column {column}"),
            9 => format!("alter table {t} drop column {a} cascade"),
            10 => format!("alter table {t} rename column {a} to {b}"),
            11 => format!(
                "alter table {t} alter column {a} type {} using null",
                self.of(&["text", "bigint", "numeric"])
            ),
            12 => format!("alter table {t} alter column {a} {} not null", self.of(&["set", "drop"])),
            13 => format!("alter table {t} add constraint {a}_{b} unique ({a}, {b})"),
            14 => format!(
                "alter table {t} add foreign key ({a}) references {u} {}",
                self.of(&[
                    "",
                    "on delete cascade",
                    "on delete set null",
                    "on update set default",
                    "match full"
                ])
            ),
            15 => format!("alter table {t} drop constraint {a}_{b} cascade"),
            16 => format!(
                "create {} index on {t} ({a}, coalesce({b}, {b})) where {a} is not null",
                self.of(&["", "unique"])
            ),
            17 => format!("drop index {t}_{a}_idx"),
            18 => format!("alter table {t} add unique nulls not distinct ({a})"),
            _ => format!(
                "alter table {t} rename to tmp; alter table {u} rename to {t}; alter table tmp rename to {u}"
            ),
        }
    }

    /// Statements that apply after those of `before`.
    fn history(&mut self, before: &str, count: usize) -> String {
        let folded = |text: &str| {
            migrate::fold(
                &Arc::new(catalog::builtin()),
                &migrations(&[("1.sql", text)]).schema,
                Layout::Migrations,
                "postgres",
            )
        };
        let mut text = String::new();
        for _ in 0..count {
            let next = format!("{text}{};\n", self.statement());
            let all = folded(&format!("{before}{next}"));
            let model = query::Model::new(all.catalog);
            if all.refused.is_empty() && render::sqlite::Sqlite.schema().review(&model).refused.is_empty() {
                text = next;
            }
        }
        text
    }
}

#[test]
fn migrations_lead_to_what_a_fresh_database_has() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let base = "create type mood as enum ('x', 'z');\n";
    for _ in 0..15 {
        let first = format!("{base}{}", dice.history(base, 20));
        let second = dice.history(&first, 20);
        let fixture = Fixture::new();
        fixture
            .apply_with(&migrations(&[("1.sql", &first)]), true)
            .unwrap_or_else(|error| panic!("{error}\n{first}"));
        let both = migrations(&[("1.sql", &first), ("2.sql", &second)]);
        fixture.apply_with(&both, true).unwrap_or_else(|error| panic!("{error}\n{first}--\n{second}"));
        let fresh = Fixture::new();
        fresh.apply_with(&migrations(&[("1.sql", &format!("{first}{second}"))]), true).unwrap();
        assert_eq!(shape(&fixture), shape(&fresh), "{first}--\n{second}");
    }
}

#[test]
fn declarations_lead_from_anywhere_to_anywhere_and_back() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let base = "create type mood as enum ('x', 'z');\n";
    for _ in 0..15 {
        let [first, second] = [0, 1].map(|_| format!("{base}{}", dice.history(base, 16)));
        let [first, second] = [first, second]
            .map(|text| Sources { layout: Layout::Declared, ..migrations(&[("1.sql", &text)]) });
        let fixture = Fixture::new();
        let mut shapes = Vec::new();
        for (from, sources) in [("nothing", &first), ("first", &second), ("second", &first)] {
            let text = &sources.schema[0].text;
            fixture.apply_with(sources, true).unwrap_or_else(|error| {
                panic!("{error}: from {from}:\n{}\n--\n{text}", first.schema[0].text)
            });
            shapes.push(shape(&fixture));
        }
        assert_eq!(shapes[0], shapes[2]);
        let _ = dump(&fixture);
    }
}
