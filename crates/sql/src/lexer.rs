//! Text to tokens: PostgreSQL's lexical rules (chapter 4.1).

use types::Span;

use crate::Diagnostic;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// An identifier or keyword, folded to lower case.
    Word(String),
    /// A quoted identifier.
    Quoted(String),
    /// Digits.
    Integer(String),
    /// A number with a point or exponent.
    Number(String),
    /// A string, decoded; the span of its content lies inside of the token's.
    String(String),
    /// `B'…'` or `X'…'`
    Bits(String),
    /// `$1`
    Param(u32),
    /// An operator, `::`, `:=`, `=>`, `..` and `:` included.
    Op(String),
    /// `(`, `)`, `[`, `]`, `,`, `;`, `.`
    Mark(char),
}

/// A token with its place.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) span: Span,
    /// The place of a string's content.
    pub(crate) content: Span,
    /// How many tokens ahead an opening mark is closed; 0 of everything else.
    pub(crate) closed_ahead: usize,
}

/// All tokens of a text, and what could not be read.
pub(crate) fn tokens(text: &str) -> (Vec<Placed>, Vec<Diagnostic>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), diagnostics: Vec::new() };
    lexer.run();
    let mut tokens = join_strings(text, lexer.tokens);
    pair_marks(&mut tokens);
    (tokens, lexer.diagnostics)
}

/// Says of every opening mark where it is closed.
pub(crate) fn pair_marks(tokens: &mut [Placed]) {
    let mut open = Vec::new();
    for at in 0..tokens.len() {
        match tokens[at].token {
            Token::Mark('(' | '[') => open.push(at),
            Token::Mark(')' | ']') => {
                if let Some(from) = open.pop() {
                    tokens[from].closed_ahead = at - from;
                }
            }
            Token::Mark(';') => open.clear(),
            _ => {}
        }
    }
}

/// Strings with a line break between them are one string.
fn join_strings(text: &str, tokens: Vec<Placed>) -> Vec<Placed> {
    let breaks =
        |from: u32, to: u32| text.get(from as usize..to as usize).is_some_and(|gap| gap.contains('\n'));
    let mut out: Vec<Placed> = Vec::with_capacity(tokens.len());
    for next in tokens {
        if let (Some(Placed { token: Token::String(before), span, .. }), Token::String(more)) =
            (out.last_mut(), &next.token)
            && breaks(span.end, next.span.start)
        {
            before.push_str(more);
            span.end = next.span.end;
            continue;
        }
        out.push(next);
    }
    out
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Placed>,
    diagnostics: Vec<Diagnostic>,
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|&c| keep(c)).collect();
        self.at += taken.len();
        taken
    }

    fn complain(&mut self, start: usize, message: &str) {
        self.diagnostics.push(Diagnostic::new(Span::new(offset(start), offset(self.at)), message));
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            if c.is_whitespace() || c == '\u{feff}' {
                self.at += c.len_utf8();
            } else if self.rest().starts_with("--") {
                self.take_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.comment();
            } else {
                let start = self.at;
                let (token, content) = self.token(c);
                if let Some(token) = token {
                    let span = Span::new(offset(start), offset(self.at));
                    self.tokens.push(Placed {
                        token,
                        span,
                        content: content.unwrap_or(span),
                        closed_ahead: 0,
                    });
                }
            }
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        let mut depth = 0_u32;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else if let Some(c) = rest.chars().next() {
                self.at += c.len_utf8();
            } else {
                return self.complain(start, "unterminated comment");
            }
        }
    }

    fn token(&mut self, c: char) -> (Option<Token>, Option<Span>) {
        let next = self.rest().chars().nth(1);
        match c {
            '\'' => return self.quoted_string(false),
            'e' | 'E' if next == Some('\'') => {
                self.at += 1;
                return self.quoted_string(true);
            }
            'n' | 'N' if next == Some('\'') => {
                self.at += 1;
                return self.quoted_string(false);
            }
            'b' | 'B' | 'x' | 'X' if next == Some('\'') => {
                self.at += 1;
                let (token, content) = self.quoted_string(false);
                let bits = token.map(|token| match token {
                    Token::String(text) => Token::Bits(format!("{}{text}", c.to_ascii_uppercase())),
                    other => other,
                });
                return (bits, content);
            }
            'u' | 'U' if self.rest().get(1..3) == Some("&'") => {
                self.at += 2;
                let (token, content) = self.quoted_string(false);
                let decoded = token.map(|token| match token {
                    Token::String(text) => Token::String(unicode_escapes(&text)),
                    other => other,
                });
                return (decoded, content);
            }
            '$' => return self.dollar(),
            _ => {}
        }
        let token = match c {
            '"' => self.quoted_identifier(),
            '(' | ')' | '[' | ']' | ',' | ';' => {
                self.at += 1;
                Some(Token::Mark(c))
            }
            '.' if next == Some('.') => {
                self.at += 2;
                Some(Token::Op("..".to_owned()))
            }
            '.' if !next.is_some_and(|c| c.is_ascii_digit()) => {
                self.at += 1;
                Some(Token::Mark('.'))
            }
            '0'..='9' | '.' => Some(self.number()),
            ':' => Some(self.colon()),
            c if c == '_' || c.is_alphabetic() => {
                let word = self.take_while(|c| c == '_' || c == '$' || c.is_alphanumeric());
                Some(Token::Word(fold(&word)))
            }
            c if is_operator(c) => Some(Token::Op(self.operator())),
            c => {
                let start = self.at;
                self.at += c.len_utf8();
                self.complain(start, &format!("syntax error at or near \"{c}\""));
                None
            }
        };
        (token, None)
    }

    fn colon(&mut self) -> Token {
        let op = ["::", ":="].into_iter().find(|op| self.rest().starts_with(op)).unwrap_or(":");
        self.at += op.len();
        Token::Op(op.to_owned())
    }

    fn number(&mut self) -> Token {
        let mut text = self.take_while(|c| c.is_ascii_digit() || c == '_').replace('_', "");
        let mut whole = true;
        if self.rest().starts_with('.') && !self.rest().starts_with("..") {
            whole = false;
            self.at += 1;
            text.push('.');
            text += &self.take_while(|c| c.is_ascii_digit());
        }
        let mut ahead = self.rest().chars();
        if matches!(ahead.next(), Some('e' | 'E')) {
            let second = ahead.next();
            let signed = matches!(second, Some('+' | '-'));
            let digit = if signed { ahead.next() } else { second };
            if digit.is_some_and(|c| c.is_ascii_digit()) {
                whole = false;
                let length = if signed { 2 } else { 1 };
                text += self.rest().get(..length).unwrap_or_default();
                self.at += length;
                text += &self.take_while(|c| c.is_ascii_digit());
            }
        }
        if whole { Token::Integer(text) } else { Token::Number(text) }
    }

    /// PostgreSQL's rule: an operator of several characters ends in `+` or `-` only if it has one of the unusual ones.
    fn operator(&mut self) -> String {
        let mut op = self.take_while(is_operator);
        for comment in ["--", "/*"] {
            if let Some(at) = op.find(comment) {
                self.at -= op.len() - at;
                op.truncate(at);
            }
        }
        while op.len() > 1
            && op.ends_with(['+', '-'])
            && !op.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?'])
        {
            op.pop();
            self.at -= 1;
        }
        op
    }

    fn quoted_string(&mut self, escapes: bool) -> (Option<Token>, Option<Span>) {
        let start = self.at;
        self.at += 1;
        let content_start = self.at;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with("''") {
                out.push('\'');
                self.at += 2;
            } else if rest.starts_with('\'') {
                let content = Span::new(offset(content_start), offset(self.at));
                self.at += 1;
                return (Some(Token::String(out)), Some(content));
            } else if escapes && rest.starts_with('\\') {
                self.at += 1;
                self.escape(&mut out);
            } else if let Some(c) = rest.chars().next() {
                out.push(c);
                self.at += c.len_utf8();
            } else {
                self.complain(start, "unterminated quoted string");
                return (None, None);
            }
        }
    }

    fn escape(&mut self, out: &mut String) {
        let Some(c) = self.peek() else { return };
        self.at += c.len_utf8();
        let simple = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => return self.code_point(4, out),
            'U' => return self.code_point(8, out),
            '0'..='7' => {
                self.at -= 1;
                return self.bytes(out);
            }
            'x' if self.peek().is_some_and(|c| c.is_ascii_hexdigit()) => {
                self.at -= 1;
                return self.bytes(out);
            }
            c => c,
        };
        out.push(simple);
    }

    /// Bytes by their numbers, behind a backslash, which are characters together: `\\303\\244`, `\\xc3\\xa4`.
    fn bytes(&mut self, out: &mut String) {
        let start = self.at;
        let mut found = Vec::new();
        loop {
            let (mark, radix, most) = if self.rest().starts_with('x') { (1, 16, 2) } else { (0, 8, 3) };
            let digits: String =
                self.rest().chars().skip(mark).take(most).take_while(|c| c.is_digit(radix)).collect();
            self.at += mark + digits.len();
            found.push(u32::from_str_radix(&digits, radix).map_or(0, |byte| byte & 0xff));
            let behind = self.rest().strip_prefix('\\').unwrap_or("");
            let goes_on = match behind.strip_prefix('x') {
                Some(digits) => digits.starts_with(|c: char| c.is_ascii_hexdigit()),
                None => behind.starts_with(|c: char| c.is_digit(8)),
            };
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        let found: Vec<u8> = found.into_iter().filter_map(|byte| u8::try_from(byte).ok()).collect();
        match String::from_utf8(found) {
            Ok(text) if !text.contains('\0') => out.push_str(&text),
            _ => self.complain(start, "invalid byte sequence for encoding \"UTF8\""),
        }
    }

    fn code_point(&mut self, digits: usize, out: &mut String) {
        let hex: String = self.rest().chars().take(digits).take_while(char::is_ascii_hexdigit).collect();
        self.at += hex.len();
        match u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32) {
            Some(c) => out.push(c),
            None => self.complain(self.at - hex.len(), "invalid escape sequence"),
        }
    }

    fn quoted_identifier(&mut self) -> Option<Token> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with("\"\"") {
                out.push('"');
                self.at += 2;
            } else if rest.starts_with('"') {
                self.at += 1;
                return Some(Token::Quoted(out));
            } else if let Some(c) = rest.chars().next() {
                out.push(c);
                self.at += c.len_utf8();
            } else {
                self.complain(start, "unterminated quoted identifier");
                return None;
            }
        }
    }

    /// `$1`, or a dollar-quoted string.
    fn dollar(&mut self) -> (Option<Token>, Option<Span>) {
        let start = self.at;
        self.at += 1;
        let digits = self.take_while(|c| c.is_ascii_digit());
        if !digits.is_empty() {
            return (digits.parse().ok().map(Token::Param), None);
        }
        let tag = self.take_while(|c| c == '_' || c.is_alphanumeric());
        if !self.rest().starts_with('$') {
            self.complain(start, "syntax error at or near \"$\"");
            return (None, None);
        }
        self.at += 1;
        let content_start = self.at;
        let closing = format!("${tag}$");
        match self.rest().find(&closing) {
            Some(length) => {
                let body = self.rest().get(..length).unwrap_or_default().to_owned();
                self.at += length + closing.len();
                let content = Span::new(offset(content_start), offset(content_start + length));
                (Some(Token::String(body)), Some(content))
            }
            None => {
                self.at = self.text.len();
                self.complain(start, "unterminated dollar-quoted string");
                (None, None)
            }
        }
    }
}

fn is_operator(c: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(c)
}

/// Folds an unquoted identifier: only ASCII letters, as PostgreSQL does in UTF-8 databases.
fn fold(word: &str) -> String {
    word.to_ascii_lowercase()
}

/// `\0041` and `\+000041` of `U&'…'` strings.
fn unicode_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let (skip, digits) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
        let decoded = rest
            .get(skip..skip + digits)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32);
        match decoded {
            Some(c) => {
                out.push(c);
                rest = rest.get(skip + digits..).unwrap_or_default();
            }
            None => {
                out.push('\\');
                rest = rest.strip_prefix('\\').unwrap_or(rest);
            }
        }
    }
    out + rest
}
