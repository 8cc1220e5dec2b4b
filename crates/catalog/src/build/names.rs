//! PostgreSQL's automatic names for constraints, indexes and sequences.
//!
//! `makeObjectName`, `ChooseRelationName`, `ChooseConstraintName` and `ChooseIndexNameAddition` of PostgreSQL 15:
//! two parts and a label, cut to 63 bytes with the longer part cut first, numbered when taken.

use std::sync::Arc;

/// Longest identifier, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 63;

/// An identifier cut as PostgreSQL cuts it: to 63 bytes, never inside a character.
pub(crate) fn truncated(name: &str) -> Arc<str> {
    clip(name, NAME_BYTES_MAX).into()
}

/// The first of `first_second_label`, `first_second_label1`, … that is not taken.
pub(crate) fn choose(
    first: &str,
    second: Option<&str>,
    label: &str,
    taken: impl Fn(&str) -> bool,
) -> Arc<str> {
    let mut candidate = object_name(first, second, label);
    let mut number = 0u32;
    while taken(&candidate) {
        number += 1;
        candidate = object_name(first, second, &format!("{label}{number}"));
    }
    candidate.into()
}

/// The middle part of a key's name: its columns, an underscore between, until the longest identifier is reached.
pub(crate) fn columns_part<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for column in columns {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(column);
        if out.len() > NAME_BYTES_MAX {
            break;
        }
    }
    out
}

/// Names of an index's keys, a number after those that are not new.
pub(crate) fn key_names(keys: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let mut name = key.clone();
        let mut number = 0u32;
        while names.contains(&name) {
            number += 1;
            let suffix = number.to_string();
            name = format!("{}{suffix}", clip(&key, NAME_BYTES_MAX - suffix.len()));
        }
        names.push(name);
    }
    names
}

fn object_name(first: &str, second: Option<&str>, label: &str) -> String {
    let overhead = label.len() + 1 + second.map_or(0, |_| 1);
    let available = NAME_BYTES_MAX.saturating_sub(overhead);
    let (mut first_bytes, mut second_bytes) = (first.len(), second.map_or(0, str::len));
    while first_bytes + second_bytes > available {
        if first_bytes > second_bytes {
            first_bytes -= 1;
        } else {
            second_bytes -= 1;
        }
    }
    let mut out = clip(first, first_bytes).to_owned();
    if let Some(second) = second {
        out.push('_');
        out.push_str(clip(second, second_bytes));
    }
    out.push('_');
    out.push_str(label);
    out
}

/// The longest prefix of at most so many bytes that ends between characters.
fn clip(name: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(name.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_part_is_cut_first() {
        let long = "a".repeat(50);
        let name = choose(&long, Some("organization_id"), "fkey", |_| false);
        assert_eq!(name.len(), 63);
        assert_eq!(&*name, format!("{}_organization_id_fkey", "a".repeat(42)));
        let both = choose(&"b".repeat(60), Some(&"c".repeat(60)), "key", |_| false);
        assert_eq!(&*both, format!("{}_{}_key", "b".repeat(29), "c".repeat(29)));
    }

    #[test]
    fn a_taken_name_is_numbered() {
        let taken = ["t_a_key", "t_a_key1"];
        assert_eq!(&*choose("t", Some("a"), "key", |name| taken.contains(&name)), "t_a_key2");
        assert_eq!(&*choose("t", None, "pkey", |_| false), "t_pkey");
    }

    #[test]
    fn repeated_keys_are_numbered() {
        let keys = ["expr", "expr", "lower", "expr"].map(str::to_owned);
        assert_eq!(key_names(keys), ["expr", "expr1", "lower", "expr2"]);
    }

    #[test]
    fn no_character_is_cut_in_two() {
        assert_eq!(truncated(&"é".repeat(40)).len(), 62);
    }
}
