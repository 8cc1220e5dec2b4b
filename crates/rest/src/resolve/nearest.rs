//! The known name that a mistyped one may have meant.
//!
//! PostgREST's measure: of the names that share three letters in a row with the asked one (two, if none does), the one with
//! the fewest edits in relation to its length.

use std::collections::HashSet;

/// The known name most alike, if it is alike enough: 1 is the same, 0 has nothing in common.
pub(super) fn nearest<'a>(
    known: impl IntoIterator<Item = &'a str>,
    asked: &str,
    score_min: f64,
) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let asked = normal(asked);
    [3, 2].into_iter().find_map(|size| {
        let wanted = grams(&asked, size);
        let shared = known.iter().filter(|name| !grams(&normal(name), size).is_disjoint(&wanted));
        let scored = shared.map(|name| (score(&asked, &normal(name)), *name));
        let best = scored.filter(|(score, _)| *score >= score_min).max_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, name)| name)
    })
}

/// The least number of letters to insert, remove or replace.
pub(super) fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, left) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

fn normal(name: &str) -> Vec<char> {
    name.to_lowercase().chars().collect()
}

/// Runs of letters, the ends marked.
fn grams(name: &[char], size: usize) -> HashSet<Vec<char>> {
    let kept = name.iter().copied().filter(|c| c.is_alphanumeric() || matches!(c, '_' | ',' | ' '));
    let marked: Vec<char> = ['-'].into_iter().chain(kept).chain(['-']).collect();
    marked.windows(size).map(<[char]>::to_vec).collect()
}

fn score(left: &[char], right: &[char]) -> f64 {
    let longest = left.len().max(right.len()).max(1);
    let (left, right): (String, String) = (left.iter().collect(), right.iter().collect());
    #[expect(clippy::cast_precision_loss, reason = "names are short")]
    let share = edits(&left, &right) as f64 / longest as f64;
    1.0 - share
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgREST's own examples.
    #[test]
    fn names_alike_are_found() {
        let known = ["films", "directors", "roles", "actors"];
        for (asked, score_min, found) in [
            ("film", 0.33, Some("films")),
            ("role", 0.75, Some("roles")),
            ("Actor", 0.75, Some("actors")),
            ("noclosealternative", 0.33, None),
            ("dirs", 0.75, None),
            ("", 0.0, None),
        ] {
            assert_eq!(nearest(known, asked, score_min), found, "{asked}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (left, right, count) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("äb", "ab", 1)] {
            assert_eq!(edits(left, right), count, "{left} {right}");
        }
    }
}
