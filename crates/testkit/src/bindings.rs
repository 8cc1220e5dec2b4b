//! Names in angle brackets: what they stand for in requests, and what they bind in answers.
//!
//! In a request `<alice>` is what the name is bound to, `<now+60>` a time, `<repeat 3 ab>` is `ababab`. A name that is not
//! bound is a complaint: it would be a typing error.

use std::collections::BTreeMap;

/// What names are bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    names: BTreeMap<String, String>,
    now_unix: i64,
}

/// The most bytes that a repetition may make.
const REPEATED_BYTES_MAX: usize = 32 << 20;

impl Bindings {
    /// No names, at a time in seconds since the Unix epoch.
    pub fn at(now_unix: i64) -> Bindings {
        Bindings { names: BTreeMap::new(), now_unix }
    }

    /// The clock moves on.
    pub fn set_now(&mut self, now_unix: i64) {
        self.now_unix = now_unix;
    }

    /// Binds a name, anew if need be.
    pub fn bind(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.names.insert(name.into(), value.into());
    }

    /// What a name is bound to.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// A text with every name replaced.
    ///
    /// # Errors
    /// A name that is not bound.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, inside, after)) = bracketed(rest) {
            out.push_str(before);
            out.push_str(&self.value(inside)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, inside: &str) -> Result<String, String> {
        if let Some(value) = self.names.get(inside) {
            return Ok(value.clone());
        }
        if let Some(rest) = inside.strip_prefix("repeat ") {
            return repeated(rest).ok_or_else(|| format!("write `<repeat COUNT TEXT>`: <{inside}>"));
        }
        if let Some(offset) = inside.strip_prefix("now") {
            let offset = if offset.is_empty() { Some(0) } else { offset.parse::<i64>().ok() };
            return offset
                .map(|offset| self.now_unix.saturating_add(offset).to_string())
                .ok_or_else(|| format!("write `<now>`, `<now+SECONDS>` or `<now-SECONDS>`: <{inside}>"));
        }
        let known: Vec<&str> = self.names.keys().map(String::as_str).collect();
        Err(format!("<{inside}> is bound to nothing; there are: {}", known.join(", ")))
    }
}

fn repeated(words: &str) -> Option<String> {
    let (count, text) = words.split_once(' ')?;
    let count = count.parse::<usize>().ok()?;
    (count.checked_mul(text.len())? <= REPEATED_BYTES_MAX).then(|| text.repeat(count))
}

/// The first `<…>` that begins like a name: what stands before, inside and after it.
pub(crate) fn bracketed(text: &str) -> Option<(&str, &str, &str)> {
    let starts = text.match_indices('<').map(|(at, _)| at);
    let is_name = |at: &usize| text[at + 1..].starts_with(|c: char| c.is_ascii_lowercase());
    let mut found = starts.filter(is_name).filter_map(|at| {
        let (inside, after) = text[at + 1..].split_once('>')?;
        Some((&text[..at], inside, after))
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_times_and_repetitions_are_filled_in() {
        let mut bindings = Bindings::at(100);
        bindings.bind("alice", "1");
        for (text, filled) in [
            ("no names", "no names"),
            ("a=<alice>&b=<alice>", "a=1&b=1"),
            ("<now> <now+5> <now-5>", "100 105 95"),
            ("<repeat 3 ab>!", "ababab!"),
            ("1 < 2 > 0, <=, <@, <1>", "1 < 2 > 0, <=, <@, <1>"),
        ] {
            assert_eq!(bindings.fill(text).as_deref(), Ok(filled));
        }
    }

    #[test]
    fn a_typing_error_is_a_complaint() {
        let mut bindings = Bindings::at(0);
        bindings.bind("alice", "1");
        for (text, words) in [
            ("<alise>", "bound to nothing; there are: alice"),
            ("<now+x>", "<now+SECONDS>"),
            ("<repeat x y>", "<repeat COUNT TEXT>"),
            ("<repeat 99999999999 y>", "<repeat COUNT TEXT>"),
        ] {
            assert!(bindings.fill(text).unwrap_err().contains(words), "{text}");
        }
    }
}
