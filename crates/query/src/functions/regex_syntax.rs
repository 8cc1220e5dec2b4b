//! Translation of PostgreSQL's regular expression syntax to the engine's.
//!
//! Every character class is spelled out, so that nothing depends on the engine's own idea of words and digits.

use types::{Code, Error, Result};

use super::text::{lower_char, upper_char};

/// What flags say about an expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Case is ignored.
    pub insensitive: bool,
    /// `^` and `$` match at newlines.
    pub anchors_at_newlines: bool,
    /// `.` and negated brackets do not match newlines.
    pub newlines_apart: bool,
    /// White space and comments are ignored.
    pub expanded: bool,
    /// No character is special.
    pub literal: bool,
}

/// A translated expression.
pub(super) struct Translated {
    /// For the engine.
    pub text: String,
    /// Whether the shortest match is preferred.
    pub shortest: bool,
    /// Capturing groups.
    pub groups: usize,
    /// Whether there are alternatives.
    pub alternatives: bool,
}

const ALPHA: &str = r"\p{Alphabetic}\p{Nd}--0-9";
const ALNUM: &str = r"\p{Alphabetic}\p{Nd}";
const SPACE: &str =
    r"\x09-\x0d\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200a}\u{2028}\u{2029}\u{205f}\u{3000}";

/// Character classes by name.
const CLASSES: &[(&str, &str)] = &[
    ("alpha", ALPHA),
    ("alnum", ALNUM),
    ("word", r"\p{Alphabetic}\p{Nd}_"),
    ("digit", "0-9"),
    ("space", SPACE),
    ("blank", r"\x09\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200a}\u{205f}\u{3000}"),
    ("upper", r"\p{Uppercase}\p{Lt}"),
    ("lower", r"\p{Lowercase}"),
    ("punct", r"[\p{P}\p{S}\p{M}\p{Cf}\p{Co}]--[\p{Alphabetic}\p{Nd}]"),
    ("xdigit", "0-9A-Fa-f"),
    ("cntrl", r"\x00-\x1f\x7f-\x9f\u{2028}\u{2029}"),
    ("print", r"[^\x00-\x1f\x7f-\x9f\u{2028}\u{2029}\p{Cn}\p{Cs}]"),
    ("graph", r"[^\x00-\x20\x7f-\x9f\u{2028}\u{2029}\p{Cn}\p{Cs}]--[\p{Z}]"),
];

/// Classes by escape, as they stand in brackets.
const SHORTHANDS: &[(&str, &str)] = &[
    (r"\d", "[0-9]"),
    (r"\D", "[^0-9]"),
    (r"\w", r"[\p{Alphabetic}\p{Nd}_]"),
    (r"\W", r"[^\p{Alphabetic}\p{Nd}_]"),
    (r"\s", r"[\x09-\x0d\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200a}\u{2028}\u{2029}\u{205f}\u{3000}]"),
    (r"\S", r"[^\x09-\x0d\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200a}\u{2028}\u{2029}\u{205f}\u{3000}]"),
];

fn refuse(why: &str) -> Error {
    Error::new(Code::INVALID_REGEX, format!("invalid regular expression: {why}"))
}

/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 100;
/// Most repetitions in braces.
const REPEAT_MAX: u32 = 255;

/// Translates an expression; `reversed` writes alternatives last to first.
pub(super) fn translate(pattern: &str, options: Options, reversed: bool) -> Result<Translated> {
    let mut options = options;
    let body = prefix(pattern, &mut options)?;
    if options.literal {
        let mut text = String::new();
        body.chars().for_each(|c| literal(&mut text, c, options));
        return Ok(Translated { text, shortest: false, groups: 0, alternatives: false });
    }
    let mut parser = Parser {
        rest: body,
        options,
        reversed,
        depth: 0,
        groups: 0,
        alternatives: false,
        all_groups: groups_in(body),
    };
    let (text, preference) = parser.alternatives()?;
    if !parser.rest.is_empty() {
        return Err(refuse("parentheses () not balanced"));
    }
    let shortest = preference == Some(Preference::Shortest);
    Ok(Translated { text, shortest, groups: parser.groups, alternatives: parser.alternatives })
}

/// Directors and embedded options at the start: `***=`, `***:`, `(?i)`.
fn prefix<'a>(pattern: &'a str, options: &mut Options) -> Result<&'a str> {
    if let Some(rest) = pattern.strip_prefix("***") {
        return match rest.strip_prefix('=') {
            Some(rest) => {
                options.literal = true;
                Ok(rest)
            }
            None => match rest.strip_prefix(':') {
                Some(rest) => prefix_options(rest, options),
                None => Err(refuse("quantifier operand invalid")),
            },
        };
    }
    if options.literal { Ok(pattern) } else { prefix_options(pattern, options) }
}

fn prefix_options<'a>(pattern: &'a str, options: &mut Options) -> Result<&'a str> {
    let Some(rest) = pattern.strip_prefix("(?") else { return Ok(pattern) };
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(pattern);
    }
    let Some((flags, rest)) = rest.split_once(')') else { return Err(refuse("invalid embedded option")) };
    for flag in flags.chars() {
        set(options, flag).map_err(|()| refuse("invalid embedded option"))?;
    }
    Ok(rest)
}

/// Applies one flag letter.
pub(super) fn set(options: &mut Options, flag: char) -> Result<(), ()> {
    match flag {
        'i' => options.insensitive = true,
        'c' => options.insensitive = false,
        'm' | 'n' => (options.anchors_at_newlines, options.newlines_apart) = (true, true),
        's' => (options.anchors_at_newlines, options.newlines_apart) = (false, false),
        'p' => (options.anchors_at_newlines, options.newlines_apart) = (false, true),
        'w' => (options.anchors_at_newlines, options.newlines_apart) = (true, false),
        'x' => options.expanded = true,
        't' => options.expanded = false,
        'q' => options.literal = true,
        'e' => options.literal = false,
        _ => return Err(()),
    }
    Ok(())
}

/// Capturing parentheses in an expression, roughly: enough to tell a back reference from an octal escape.
fn groups_in(pattern: &str) -> usize {
    pattern.matches('(').count() - pattern.matches("(?").count()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preference {
    Longest,
    Shortest,
}

struct Parser<'a> {
    rest: &'a str,
    options: Options,
    reversed: bool,
    depth: usize,
    groups: usize,
    alternatives: bool,
    all_groups: usize,
}

/// Appends one character as itself, in both cases when case is ignored.
fn literal(out: &mut String, c: char, options: Options) {
    let (lower, upper) = (lower_char(c), upper_char(c));
    if options.insensitive && (lower != c || upper != c) {
        out.push('[');
        [lower, upper, c].into_iter().for_each(|c| code(out, c));
        out.push(']');
    } else {
        code(out, c);
    }
}

fn code(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() { out.push(c) } else { out.push_str(&format!("\\u{{{:x}}}", u32::from(c))) }
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or("");
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).map(|rest| self.rest = rest).is_some()
    }

    /// White space and comments, where they are ignored; `(?#…)` always.
    fn skip(&mut self) {
        loop {
            if self.rest.starts_with("(?#") {
                let end = self.rest.find(')').map_or(self.rest.len(), |at| at + 1);
                self.rest = self.rest.get(end..).unwrap_or("");
            } else if self.options.expanded && self.rest.starts_with(char::is_whitespace) {
                self.next();
            } else if self.options.expanded && self.rest.starts_with('#') {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = self.rest.get(end..).unwrap_or("");
            } else {
                return;
            }
        }
    }

    fn alternatives(&mut self) -> Result<(String, Option<Preference>)> {
        let first = self.branch()?;
        if !self.rest.starts_with('|') {
            return Ok(first);
        }
        self.alternatives = true;
        let mut branches = vec![first.0];
        while self.eat("|") {
            branches.push(self.branch()?.0);
        }
        if self.reversed {
            branches.reverse();
        }
        let branches: Vec<String> = branches.into_iter().map(|branch| format!("(?:{branch})")).collect();
        Ok((format!("(?:{})", branches.join("|")), Some(Preference::Longest)))
    }

    fn branch(&mut self) -> Result<(String, Option<Preference>)> {
        let mut out = String::new();
        let mut preference = None;
        loop {
            self.skip();
            match self.peek() {
                None | Some('|') => break,
                Some(')') if self.depth > 0 => break,
                Some(_) => {}
            }
            let (piece, own) = self.piece()?;
            out.push_str(&piece);
            preference = preference.or(own);
        }
        Ok((out, preference))
    }

    /// An atom with its quantifier, or a constraint.
    fn piece(&mut self) -> Result<(String, Option<Preference>)> {
        let (atom, own, constraint) = self.atom()?;
        self.skip();
        let Some((least, most, fixed)) = self.quantifier()? else { return Ok((atom, own)) };
        if constraint {
            return Err(refuse("quantifier operand invalid"));
        }
        let shortest = self.eat("?");
        self.skip();
        if matches!(self.peek(), Some('*' | '+' | '?')) || self.braces() {
            return Err(refuse("quantifier operand invalid"));
        }
        let lazy = if shortest { "?" } else { "" };
        let bounds = match (least, most) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        // `{m}` keeps the atom's preference.
        let preference = match (fixed, shortest) {
            (true, _) => own,
            (false, true) => Some(Preference::Shortest),
            (false, false) => Some(Preference::Longest),
        };
        Ok((format!("(?:{atom}){bounds}{lazy}"), preference))
    }

    fn braces(&self) -> bool {
        let mut chars = self.rest.chars();
        chars.next() == Some('{') && chars.next().is_some_and(|c| c.is_ascii_digit())
    }

    /// Least and most repetitions, and whether they were written as one number.
    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>, bool)>> {
        if self.eat("*") {
            return Ok(Some((0, None, false)));
        }
        if self.eat("+") {
            return Ok(Some((1, None, false)));
        }
        if self.eat("?") {
            return Ok(Some((0, Some(1), false)));
        }
        if !self.braces() {
            return Ok(None);
        }
        self.next();
        let least = self.number()?;
        let fixed = !self.eat(",");
        let most = match (fixed, self.rest.starts_with('}')) {
            (true, _) => Some(least),
            (false, true) => None,
            (false, false) => Some(self.number()?),
        };
        if !self.eat("}") {
            return Err(refuse(if self.rest.is_empty() {
                "braces {} not balanced"
            } else {
                "invalid repetition count(s)"
            }));
        }
        if most.is_some_and(|most| most < least) {
            return Err(refuse("invalid repetition count(s)"));
        }
        Ok(Some((least, most, fixed)))
    }

    fn number(&mut self) -> Result<u32> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        match digits.parse() {
            Ok(number) if number <= REPEAT_MAX => Ok(number),
            _ => Err(refuse("invalid repetition count(s)")),
        }
    }

    /// An atom, its preference, and whether it is a constraint that takes no quantifier.
    fn atom(&mut self) -> Result<(String, Option<Preference>, bool)> {
        let mut out = String::new();
        match self.next() {
            Some('(') => return self.group(),
            Some('[') => out = self.bracket()?,
            Some('.') => out.push_str(if self.options.newlines_apart { r"[^\n]" } else { "(?s:.)" }),
            Some('^') => {
                return Ok((
                    if self.options.anchors_at_newlines { "(?m:^)" } else { r"\A" }.to_owned(),
                    None,
                    true,
                ));
            }
            Some('$') => {
                return Ok((
                    if self.options.anchors_at_newlines { "(?m:$)" } else { r"\z" }.to_owned(),
                    None,
                    true,
                ));
            }
            Some('\\') => return self.escape(),
            Some(')') => return Err(refuse("parentheses () not balanced")),
            Some('*' | '+' | '?') => return Err(refuse("quantifier operand invalid")),
            Some('{') if self.rest.starts_with(|c: char| c.is_ascii_digit()) => {
                return Err(refuse("quantifier operand invalid"));
            }
            Some(c) => literal(&mut out, c, self.options),
            None => {}
        }
        Ok((out, None, false))
    }

    fn group(&mut self) -> Result<(String, Option<Preference>, bool)> {
        let capturing = if self.eat("?") {
            match self.next() {
                Some(':') => false,
                Some('=' | '!' | '<') => return Err(Error::missing("lookaround in a regular expression")),
                _ => return Err(refuse("invalid regular expression")),
            }
        } else {
            true
        };
        if capturing {
            self.groups += 1;
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(refuse("regular expression is too complex"));
        }
        let (inner, preference) = self.alternatives()?;
        self.depth -= 1;
        if !self.eat(")") {
            return Err(refuse("parentheses () not balanced"));
        }
        Ok((format!("({}{inner})", if capturing { "" } else { "?:" }), preference, false))
    }

    fn escape(&mut self) -> Result<(String, Option<Preference>, bool)> {
        let class = SHORTHANDS.iter().find(|(written, _)| written.ends_with(self.peek().unwrap_or(' ')));
        if let Some((_, class)) = class {
            self.next();
            return Ok(((*class).to_owned(), None, false));
        }
        let constraint = |text: &str| Ok((text.to_owned(), None, true));
        match self.peek() {
            None => return Err(refuse("invalid escape \\ sequence")),
            Some(c) if !c.is_ascii_alphanumeric() => {}
            Some('A') => return self.consume(constraint(r"\A")),
            Some('Z') => return self.consume(constraint(r"\z")),
            Some('m') => return self.consume(constraint(r"\b{start}")),
            Some('M') => return self.consume(constraint(r"\b{end}")),
            Some('y') => return self.consume(constraint(r"\b")),
            Some('Y') => return self.consume(constraint(r"\B")),
            Some('1'..='9') if self.is_reference() => {
                return Err(Error::missing("a back reference in a regular expression"));
            }
            Some(_) => {}
        }
        let c = self.character()?;
        let mut out = String::new();
        literal(&mut out, c, self.options);
        Ok((out, None, false))
    }

    fn consume<T>(&mut self, result: Result<T>) -> Result<T> {
        self.next();
        result
    }

    /// One digit is always a back reference; more are if there are so many groups.
    fn is_reference(&self) -> bool {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let digits = self.rest.get(..end).unwrap_or("");
        digits.len() == 1 || digits.parse::<usize>().is_ok_and(|number| number <= self.all_groups)
    }

    /// The character that an escape stands for, after the backslash.
    fn character(&mut self) -> Result<char> {
        let invalid = || refuse("invalid escape \\ sequence");
        if self.rest.starts_with(|c: char| c.is_digit(8)) {
            return self.coded(8, 1, 3);
        }
        let c = self.next().ok_or_else(invalid)?;
        Ok(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'B' => '\\',
            'c' => char::from_u32(u32::from(self.next().ok_or_else(invalid)?) & 0x1f).ok_or_else(invalid)?,
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'u' => self.coded(16, 4, 4)?,
            'U' => self.coded(16, 8, 8)?,
            'x' => self.coded(16, 1, 255)?,
            c if c.is_ascii_alphanumeric() => return Err(invalid()),
            c => c,
        })
    }

    fn coded(&mut self, radix: u32, least: usize, most: usize) -> Result<char> {
        let digits = self.rest.chars().take(most).take_while(|c| c.is_digit(radix)).count();
        let (text, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if digits < least {
            return Err(refuse("invalid escape \\ sequence"));
        }
        u32::from_str_radix(text, radix)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| Error::missing("a code that is no character in a regular expression"))
    }

    /// A bracket expression, after the bracket.
    fn bracket(&mut self) -> Result<String> {
        for (written, meant) in [("[:<:]]", r"\b{start}"), ("[:>:]]", r"\b{end}")] {
            if self.eat(written) {
                return Ok(meant.to_owned());
            }
        }
        let negated = self.eat("^");
        let mut items = String::new();
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            self.bracket_item(&mut items)?;
            first = false;
        }
        self.next();
        let apart = if negated && self.options.newlines_apart { r"\n" } else { "" };
        Ok(format!("[{}{items}{apart}]", if negated { "^" } else { "" }))
    }

    /// A class, a character or a range.
    fn bracket_item(&mut self, items: &mut String) -> Result<()> {
        if self.eat("[:") {
            let (name, rest) =
                self.rest.split_once(":]").ok_or_else(|| refuse("brackets [] not balanced"))?;
            self.rest = rest;
            let name =
                if self.options.insensitive && matches!(name, "upper" | "lower") { "alpha" } else { name };
            let (_, class) = CLASSES
                .iter()
                .find(|(class, _)| *class == name)
                .ok_or_else(|| refuse("invalid character class"))?;
            items.push_str(&format!("[{class}]"));
            return Ok(());
        }
        if let Some((_, class)) = SHORTHANDS.iter().find(|(written, _)| self.eat(written)) {
            items.push_str(class);
            return Ok(());
        }
        let start = self.bracket_character()?;
        if !self.rest.starts_with('-') || self.rest.starts_with("-]") {
            self.range(items, start, start);
            return Ok(());
        }
        self.next();
        let end = self.bracket_character()?;
        if start > end {
            return Err(refuse("invalid character range"));
        }
        self.range(items, start, end);
        Ok(())
    }

    fn bracket_character(&mut self) -> Result<char> {
        let unbalanced = || refuse("brackets [] not balanced");
        for (open, close) in [("[.", ".]"), ("[=", "=]")] {
            if self.eat(open) {
                let (name, rest) = self.rest.split_once(close).ok_or_else(unbalanced)?;
                self.rest = rest;
                let mut chars = name.chars();
                return chars
                    .next()
                    .filter(|_| chars.next().is_none())
                    .ok_or_else(|| refuse("invalid collating element"));
            }
        }
        match self.next().ok_or_else(unbalanced)? {
            '\\' => self.character(),
            c => Ok(c),
        }
    }

    fn range(&self, items: &mut String, start: char, end: char) {
        code(items, start);
        if start != end {
            items.push('-');
            code(items, end);
        }
        if self.options.insensitive {
            (start..=end)
                .flat_map(|c| [lower_char(c), upper_char(c)])
                .filter(|c| !(start..=end).contains(c))
                .for_each(|c| code(items, c));
        }
    }
}
