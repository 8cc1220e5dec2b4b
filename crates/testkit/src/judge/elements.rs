//! Rows whose order nobody determined, compared as a set.

/// The elements of a JSON array, or the lines of anything else, sorted.
pub(super) fn sorted(body: &str) -> Vec<&str> {
    let mut found = match body.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => split(inside, ','),
        None => body.lines().collect(),
    };
    found.sort_unstable();
    found
}

/// The parts between separators that stand in no brackets and no quotes.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut found, mut depth, mut quoted, mut escaped, mut start) = (Vec::new(), 0_usize, false, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '{' | '(' if !quoted => depth += 1,
            ']' | '}' | ')' if !quoted => depth = depth.saturating_sub(1),
            c if c == separator && !quoted && depth == 0 => {
                found.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    if !text.is_empty() {
        found.push(&text[start..]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_apart() {
        assert_eq!(sorted(r#"[{"b":[1,2]},{"a":"},{"}]"#), [r#"{"a":"},{"}"#, r#"{"b":[1,2]}"#]);
        assert_eq!(sorted("[]"), Vec::<&str>::new());
        assert_eq!(split("a,b(c,d),e", ','), ["a", "b(c,d)", "e"]);
    }
}
