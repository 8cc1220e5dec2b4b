//! Rust text, read just well enough to tell code from comments, strings and tests.

/// A Rust file with everything but its code blanked out, and its string literals beside it.
pub(crate) struct Source {
    /// As long as the text, line for line: comments and the insides of literals are spaces.
    pub(crate) code: String,
    /// Line (from 1) and contents of each string literal.
    pub(crate) strings: Vec<(usize, String)>,
    /// Lines (from 0) that belong to `#[cfg(test)]` items.
    tests: Vec<bool>,
}

impl Source {
    pub(crate) fn read(text: &str) -> Source {
        let (code, strings) = blank(text);
        let tests = test_lines(&code);
        Source { code, strings, tests }
    }

    /// Whether a line (from 1) is part of a test.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        line.checked_sub(1).and_then(|at| self.tests.get(at)).copied().unwrap_or(false)
    }

    /// The functions: line of `fn` (from 1) and number of lines to the closing brace.
    pub(crate) fn functions(&self) -> Vec<(usize, usize)> {
        let bytes = self.code.as_bytes();
        let starts = self.code.match_indices("fn ").map(|(at, _)| at);
        let starts = starts.filter(|&at| at == 0 || !is_word(bytes[at - 1]));
        let named = starts.filter(|&at| bytes.get(at + 3).copied().is_some_and(is_word));
        named
            .filter_map(|at| {
                block(bytes, at).map(|end| (line_of(&self.code, at), lines(&self.code[at..=end])))
            })
            .collect()
    }
}

/// Blanks comments and literals.
fn blank(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at_word = code.bytes().next_back().is_none_or(|byte| !is_word(byte));
        if let Some(length) = comment(rest) {
            hide(&rest[..length], &mut code);
            rest = &rest[length..];
        } else if let Some((open, inside, close)) = string(rest, at_word) {
            strings.push((lines(&code), rest[open..open + inside].to_owned()));
            code.push_str(&rest[..open]);
            hide(&rest[open..open + inside], &mut code);
            code.push_str(&rest[open + inside..open + inside + close]);
            rest = &rest[open + inside + close..];
        } else if let Some(length) = character(rest) {
            hide(&rest[..length], &mut code);
            rest = &rest[length..];
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    (code, strings)
}

/// Spaces for everything but line ends.
fn hide(text: &str, code: &mut String) {
    code.extend(text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

/// How long the comment at the start of the text is.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| {
        let (mut depth, mut at) = (1, 2);
        while depth > 0 && at < text.len() {
            match text.as_bytes().get(at..at + 2) {
                Some(b"/*") => (depth, at) = (depth + 1, at + 2),
                Some(b"*/") => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
        }
        at.min(text.len())
    })
}

/// Lengths of the opening, the inside and the closing of the string literal at the start of the text.
fn string(text: &str, at_word: bool) -> Option<(usize, usize, usize)> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix);
        let hashes = after.map(|after| after.trim_start_matches('#'));
        let raw = prefix.ends_with('r');
        (prefix.is_empty() || at_word)
            && if raw { hashes } else { after }.is_some_and(|after| after.starts_with('"'))
    })?;
    if !prefix.ends_with('r') {
        let open = prefix.len() + 1;
        let inside = text[open..].char_indices().scan(false, |escaped, (at, c)| {
            let ends = c == '"' && !*escaped;
            *escaped = c == '\\' && !*escaped;
            Some((at, ends))
        });
        let inside = inside.filter(|&(_, ends)| ends).map(|(at, _)| at).next();
        return Some((open, inside.unwrap_or(text.len() - open), usize::from(inside.is_some())));
    }
    let hashes = text[prefix.len()..].bytes().take_while(|&byte| byte == b'#').count();
    let open = prefix.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    let inside = text[open..].find(&close);
    Some((open, inside.unwrap_or(text.len() - open), if inside.is_some() { close.len() } else { 0 }))
}

/// How long the character literal at the start of the text is; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        let after = 2 + inside.chars().nth(1)?.len_utf8();
        return text[after..].find('\'').map(|end| after + end + 1);
    }
    inside[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

/// Which lines lie in items under `#[cfg(test)]`.
fn test_lines(code: &str) -> Vec<bool> {
    let mut tests = vec![false; code.lines().count()];
    for (at, _) in code.match_indices("#[cfg(test)]") {
        let end = block(code.as_bytes(), at + "#[cfg(test)]".len()).unwrap_or(at);
        for line in line_of(code, at)..=line_of(code, end) {
            if let Some(test) = tests.get_mut(line - 1) {
                *test = true;
            }
        }
    }
    tests
}

/// Where the item that starts here ends: at its closing brace; `None` when it has no body.
fn block(code: &[u8], start: usize) -> Option<usize> {
    let (mut parens, mut braces) = (0_usize, 0_usize);
    for (at, byte) in code.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => parens += 1,
            b')' | b']' => parens = parens.saturating_sub(1),
            b'{' => braces += 1,
            b'}' if braces <= 1 => return (braces == 1).then_some(at),
            b'}' => braces -= 1,
            b';' if parens == 0 && braces == 0 => return None,
            _ => {}
        }
    }
    None
}

fn line_of(code: &str, at: usize) -> usize {
    lines(&code[..at])
}

/// Lines that a piece of text touches.
fn lines(text: &str) -> usize {
    1 + text.bytes().filter(|&byte| byte == b'\n').count()
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, strings: &[&str]) {
        let source = Source::read(text);
        assert_eq!(source.code, code);
        assert_eq!(source.strings.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), strings);
    }

    #[test]
    fn comments_are_blanked() {
        check("a // b\nc", "a     \nc", &[]);
        check("a /* b /* c */ d */ e", &format!("a{}e", " ".repeat(19)), &[]);
        check("\"// no\" x", "\"     \" x", &["// no"]);
    }

    #[test]
    fn strings_are_set_aside() {
        check(r#"f("a\"b", x)"#, r#"f("    ", x)"#, &[r#"a\"b"#]);
        check(r##"r#"a"b"# c"##, r##"r#"   "# c"##, &["a\"b"]);
        check("b\"x\" bar\"y\"", "b\" \" bar\" \"", &["x", "y"]);
        check("\"\\\\\" x", "\"  \" x", &["\\\\"]);
    }

    #[test]
    fn characters_are_blanked_and_lifetimes_kept() {
        check("'\"' + 'a' x", "    +     x", &[]);
        check(r"'\'' '\u{1}' '\\' x", &format!("{}x", " ".repeat(18)), &[]);
        check("&'a str", "&'a str", &[]);
    }

    #[test]
    fn functions_are_measured() {
        let source =
            Source::read("fn a() {\n  { }\n}\ntrait T { fn b(x: [u8; 2]); fn c() {} }\ntype F = fn (u8);\n");
        assert_eq!(source.functions(), [(1, 3), (4, 1)]);
    }

    #[test]
    fn tests_are_found() {
        let source = Source::read("fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n");
        let tests: Vec<usize> = (1..=6).filter(|&line| source.is_test(line)).collect();
        assert_eq!(tests, [2, 3, 4, 5]);
    }
}
