//! The `Prefer` header (RFC 7240): a row per preference, read and echoed from the same words.

use types::{Code, Error, Result};

/// What the caller prefers. Of repeated preferences the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// `resolution=…`: what an insert does about duplicates.
    pub resolution: Option<Resolution>,
    /// `return=…`: what a write answers.
    pub representation: Option<Representation>,
    /// `count=…`: whether and how the total is found.
    pub count: Option<Count>,
    /// `tx=…`
    pub transaction: Option<TransactionEnd>,
    /// `missing=…`: what an absent key means.
    pub missing: Option<Missing>,
    /// `nested=insert`: rows of related tables stand in the rows of an insert.
    pub nested: Option<Nested>,
    /// `handling=…`
    pub handling: Option<Handling>,
    /// `timezone=…`
    pub time_zone: Option<String>,
    /// `max-affected=…`
    pub max_affected: Option<u64>,
    /// What is not a preference of ours.
    pub unknown: Vec<String>,
}

/// What an insert does about duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The existing row is updated.
    Merge,
    /// The new row is dropped.
    Ignore,
}

/// What a write answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// The rows.
    Full,
    /// Where the row is.
    HeadersOnly,
    /// Nothing.
    Minimal,
}

/// How the total is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// By counting.
    Exact,
    /// The planner's estimate.
    Planned,
    /// By counting as long as that is cheap.
    Estimated,
}

/// How the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// What was done stays.
    Commit,
    /// Everything is undone after the answer is made.
    Rollback,
}

/// What an absent key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// Null.
    Null,
}

/// What becomes of rows of related tables in the rows of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nested {
    /// They are inserted.
    Insert,
}

/// What happens to unknown preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// They are refused.
    Strict,
    /// They are ignored.
    Lenient,
}

const RESOLUTIONS: &[(&str, Resolution)] = &[
    ("resolution=merge-duplicates", Resolution::Merge),
    ("resolution=ignore-duplicates", Resolution::Ignore),
];
const REPRESENTATIONS: &[(&str, Representation)] = &[
    ("return=representation", Representation::Full),
    ("return=minimal", Representation::Minimal),
    ("return=headers-only", Representation::HeadersOnly),
];
const COUNTS: &[(&str, Count)] = &[
    ("count=exact", Count::Exact),
    ("count=planned", Count::Planned),
    ("count=estimated", Count::Estimated),
];
const TRANSACTIONS: &[(&str, TransactionEnd)] =
    &[("tx=commit", TransactionEnd::Commit), ("tx=rollback", TransactionEnd::Rollback)];
const MISSING: &[(&str, Missing)] = &[("missing=default", Missing::Default), ("missing=null", Missing::Null)];
const NESTED: &[(&str, Nested)] = &[("nested=insert", Nested::Insert)];
const HANDLINGS: &[(&str, Handling)] =
    &[("handling=strict", Handling::Strict), ("handling=lenient", Handling::Lenient)];

/// Reads the values of all `Prefer` headers.
pub(crate) fn prefer<'a>(headers: impl Iterator<Item = &'a str>) -> Prefer {
    let mut prefer = Prefer::default();
    for word in headers.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty()) {
        let known = set(&mut prefer.resolution, RESOLUTIONS, word)
            || set(&mut prefer.representation, REPRESENTATIONS, word)
            || set(&mut prefer.count, COUNTS, word)
            || set(&mut prefer.transaction, TRANSACTIONS, word)
            || set(&mut prefer.missing, MISSING, word)
            || set(&mut prefer.nested, NESTED, word)
            || set(&mut prefer.handling, HANDLINGS, word)
            || set_valued(&mut prefer, word);
        if !known {
            prefer.unknown.push(word.to_owned());
        }
    }
    prefer
}

fn set<T: Copy>(slot: &mut Option<T>, words: &[(&str, T)], word: &str) -> bool {
    let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    *slot = slot.or(found);
    found.is_some()
}

fn set_valued(prefer: &mut Prefer, word: &str) -> bool {
    if let Some(zone) = word.strip_prefix("timezone=") {
        prefer.time_zone.get_or_insert_with(|| zone.to_owned());
        return true;
    }
    match word.strip_prefix("max-affected=").map(str::parse) {
        Some(Ok(most)) => {
            prefer.max_affected.get_or_insert(most);
            true
        }
        Some(Err(_)) | None => false,
    }
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: Option<&T>) -> Option<&'static str> {
    words.iter().find(|(_, known)| Some(known) == value).map(|(word, _)| *word)
}

impl Prefer {
    /// Whether unknown preferences are refused.
    pub fn is_strict(&self) -> bool {
        self.handling == Some(Handling::Strict)
    }

    /// The most rows that a write may affect: asked for, and enforced under strict handling only.
    pub fn affected_max(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.is_strict())
    }

    /// Refuses unknown preferences if that was asked for.
    ///
    /// # Errors
    /// `PGRST122`
    pub(crate) fn check(&self) -> Result<()> {
        if self.unknown.is_empty() || !self.is_strict() {
            return Ok(());
        }
        let details = format!("Invalid preferences: {}", self.unknown.join(", "));
        Err(Error::new(Code::PREFERENCES, "Invalid preferences given with handling=strict")
            .with_details(details))
    }

    /// The value of `Preference-Applied`; `None` when there is nothing to say.
    pub fn applied(&self) -> Option<String> {
        let zone = self.time_zone.as_ref().map(|zone| format!("timezone={zone}"));
        let most = self.affected_max().map(|most| format!("max-affected={most}"));
        let words = [
            word_of(RESOLUTIONS, self.resolution.as_ref()),
            word_of(MISSING, self.missing.as_ref()),
            word_of(NESTED, self.nested.as_ref()),
            word_of(REPRESENTATIONS, self.representation.as_ref()),
            word_of(COUNTS, self.count.as_ref()),
            word_of(TRANSACTIONS, self.transaction.as_ref()),
            word_of(HANDLINGS, self.handling.as_ref()),
            zone.as_deref(),
            most.as_deref(),
        ];
        let said: Vec<&str> = words.into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Prefer {
        prefer(headers.iter().copied())
    }

    #[test]
    fn the_first_of_a_kind_counts() {
        for (headers, applied) in [
            (vec!["tx=commit, tx=rollback"], "tx=commit"),
            (
                vec!["resolution=ignore-duplicates", "resolution=merge-duplicates"],
                "resolution=ignore-duplicates",
            ),
            (
                vec!["count=exact,    tx=commit   ,return=representation , missing=default"],
                "missing=default, return=representation, count=exact, tx=commit",
            ),
            (
                vec![
                    "max-affected=10, timezone=America/Los_Angeles, handling=strict",
                    "return=minimal, count=planned",
                ],
                "return=minimal, count=planned, handling=strict, timezone=America/Los_Angeles, max-affected=10",
            ),
            (vec!["max-affected=10"], ""),
            (vec!["params=single-object"], ""),
        ] {
            assert_eq!(read(&headers).applied().unwrap_or_default(), applied, "{headers:?}");
        }
    }

    #[test]
    fn strict_handling_refuses_the_unknown() {
        assert!(read(&["anything, count=exact"]).check().is_ok());
        let error = read(&["handling=strict, anything, other=1"]).check().unwrap_err();
        assert_eq!(error.code(), Code::PREFERENCES);
        assert_eq!(
            error.details(),
            Some(&types::error::Details::Text("Invalid preferences: anything, other=1".into()))
        );
    }
}
