//! Reading paths. Depth is bounded before anything recurses.

use super::{Chain, Literal, METHODS, Operator, Path, Pattern, Step, print};
use crate::numeric::Numeric;
use crate::{Code, Error, Result};

/// Longest text.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting; PostgreSQL's is that of its stack.
const DEPTH_MAX: usize = 64;

/// Most operators beside each other: the first is deepest in the tree.
const OPERATORS_MAX: usize = 64;

/// Most accessors behind each other.
const ACCESSORS_MAX: usize = 200;

/// Highest tree, where an accessor stands on the one before it: what looks at a path calls itself as often.
const HEIGHT_MAX: usize = 256;

/// Reads a path.
///
/// # Errors
/// `42601` and `22P02` with PostgreSQL's messages; `54001` when nested deeper than is read; `0A000` when PostgreSQL's text of
/// it, which is what is kept, says something else.
pub fn parse(text: &str) -> Result<Path> {
    let path = read(text)?;
    match read(&print(&path)) {
        Ok(again) if again == path => Ok(path),
        Err(error) if error.code() == Code::TOO_COMPLEX => Err(error),
        Ok(_) | Err(_) => {
            Err(Error::missing(format!("a path with accessors behind what stands in parentheses: `{text}`")))
        }
    }
}

fn read(text: &str) -> Result<Path> {
    bounded(text.len(), TEXT_BYTES_MAX)?;
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(Error::new(
            Code::INVALID_TEXT,
            format!("invalid input syntax for type jsonpath: \"{text}\""),
        ));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0, in_filter: 0, in_subscript: 0 };
    let is_strict = parser.word("strict");
    if !is_strict {
        parser.word("lax");
    }
    let read = parser.any()?;
    if parser.at < parser.tokens.len() {
        return Err(parser.unexpected());
    }
    Ok(Path { is_strict, chain: read.chain })
}

#[derive(Clone, Debug)]
enum Token {
    Word(String),
    String(String),
    Variable(String),
    Number(Numeric),
    Integer(String),
    Symbol(&'static str),
}

/// A token, and how it is written.
struct Written {
    token: Token,
    text: String,
}

/// Longer symbols before those that they begin with.
const SYMBOLS: &[&str] = &[
    "**", "&&", "||", "==", "!=", "<>", "<=", ">=", "$", "@", ".", "[", "]", "{", "}", "(", ")", "?", "*",
    ",", "!", "<", ">", "+", "-", "/", "%", "=", "&", "|", "#", ":",
];

/// Characters that end a name.
const SPECIAL: &str = "?%$.[]{}()|&!=<>@#,*:-+/\\\" \t\n\r\u{c}";

fn bounded(size: usize, size_max: usize) -> Result<usize> {
    if size <= size_max { Ok(size) } else { Err(Error::new(Code::TOO_COMPLEX, "stack depth limit exceeded")) }
}

fn syntax(message: impl Into<String>) -> Error {
    Error::new(Code::SYNTAX, message)
}

fn tokens(text: &str) -> Result<Vec<Written>> {
    let mut lexer = Lexer { rest: text };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'t> {
    rest: &'t str,
}

impl Lexer<'_> {
    fn skip_blanks(&mut self) -> Result<()> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            let Some(comment) = self.rest.strip_prefix("/*") else { return Ok(()) };
            let end = comment
                .find("*/")
                .ok_or_else(|| syntax("unexpected end of comment at end of jsonpath input"))?;
            self.rest = &comment[end + 2..];
        }
    }

    fn token(&mut self) -> Result<Option<Written>> {
        self.skip_blanks()?;
        let before = self.rest;
        let Some(first) = before.chars().next() else { return Ok(None) };
        let is_number =
            first.is_ascii_digit() || first == '.' && before[1..].starts_with(|c: char| c.is_ascii_digit());
        let token = if first == '"' {
            Token::String(self.string()?)
        } else if is_number {
            self.number()?
        } else if first == '$' && before[1..].starts_with(|c: char| c == '"' || !SPECIAL.contains(c)) {
            self.rest = &before[1..];
            Token::Variable(if self.rest.starts_with('"') { self.string()? } else { self.name()? })
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| before.starts_with(**symbol)) {
            self.rest = &before[symbol.len()..];
            Token::Symbol(symbol)
        } else {
            Token::Word(self.name()?)
        };
        let text = before[..before.len() - self.rest.len()].to_owned();
        Ok(Some(Written { token, text }))
    }

    fn number(&mut self) -> Result<Token> {
        let before = self.rest;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(before);
        let mut is_whole = true;
        if before[length..].starts_with('.') && !before[length..].starts_with(".*") {
            let behind = digits(&before[length + 1..]);
            is_whole = false;
            length += 1 + behind;
        }
        if let Some(exponent) = before[length..].strip_prefix(['e', 'E']) {
            let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits(signed) > 0 {
                is_whole = false;
                length += 1 + exponent.len() - signed.len() + digits(signed);
            }
        }
        let text = &before[..length];
        self.rest = &before[length..];
        if let Some(junk) = self.rest.chars().next().filter(|c| !SPECIAL.contains(*c)) {
            let message =
                format!("trailing junk after numeric literal at or near \"{text}{junk}\" of jsonpath input");
            return Err(syntax(message));
        }
        if is_whole { Ok(Token::Integer(text.to_owned())) } else { Ok(Token::Number(Numeric::parse(text)?)) }
    }

    fn name(&mut self) -> Result<String> {
        let mut out = String::new();
        while let Some(next) = self.rest.chars().next() {
            if next == '\\' {
                self.escape(&mut out)?;
            } else if SPECIAL.contains(next) {
                break;
            } else {
                out.push(next);
                self.rest = &self.rest[next.len_utf8()..];
            }
        }
        if out.is_empty() { Err(syntax("syntax error at end of jsonpath input")) } else { Ok(out) }
    }

    fn string(&mut self) -> Result<String> {
        let mut out = String::new();
        self.rest = &self.rest[1..];
        loop {
            match self.rest.chars().next() {
                None => return Err(syntax("unterminated quoted string at end of jsonpath input")),
                Some('"') => {
                    self.rest = &self.rest[1..];
                    return Ok(out);
                }
                Some('\\') => self.escape(&mut out)?,
                Some(other) => {
                    out.push(other);
                    self.rest = &self.rest[other.len_utf8()..];
                }
            }
        }
    }

    /// Behind a backslash; halves of a character beyond the first 65 536 stand beside each other.
    fn escape(&mut self, out: &mut String) -> Result<()> {
        self.rest = &self.rest[1..];
        let refused = || syntax("invalid Unicode escape sequence at or near \"\\u\" of jsonpath input");
        let Some(kind) = self.rest.chars().next() else {
            return Err(syntax("unexpected end after backslash at end of jsonpath input"));
        };
        self.rest = &self.rest[kind.len_utf8()..];
        let simple = match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => {
                let code = self.hex(2).ok_or_else(|| {
                    syntax("invalid hexadecimal character sequence at or near \"\\x\" of jsonpath input")
                })?;
                char::from_u32(code).ok_or_else(refused)?
            }
            'u' => {
                let first = self.unit().ok_or_else(refused)?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    self.rest = self.rest.strip_prefix("\\u").ok_or_else(refused)?;
                    let second = self.unit().filter(|unit| (0xdc00..0xe000).contains(unit));
                    0x10000 + ((first - 0xd800) << 10) + (second.ok_or_else(refused)? - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).filter(|c| *c != '\0').ok_or_else(refused)?
            }
            other => other,
        };
        out.push(simple);
        Ok(())
    }

    fn unit(&mut self) -> Option<u32> {
        let Some(braced) = self.rest.strip_prefix('{') else { return self.hex(4) };
        let end = braced.find('}').filter(|end| (1..=6).contains(end))?;
        let code = u32::from_str_radix(&braced[..end], 16).ok()?;
        self.rest = &braced[end + 1..];
        Some(code)
    }

    fn hex(&mut self, length: usize) -> Option<u32> {
        let digits =
            self.rest.get(..length).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.rest = &self.rest[length..];
        Some(code)
    }
}

/// What was read, and what may be done with it.
struct Read {
    chain: Chain,
    /// Of its tree; at most [`HEIGHT_MAX`].
    height: usize,
    is_condition: bool,
    /// A condition in parentheses, or `exists (…)`.
    is_delimited: bool,
}

impl Read {
    fn value(step: Step, height: usize) -> Read {
        Read { chain: vec![step], height, is_condition: false, is_delimited: false }
    }

    fn condition(step: Step, height: usize) -> Read {
        Read { is_condition: true, ..Read::value(step, height) }
    }

    /// The height of what is made of this.
    fn above(&self) -> Result<usize> {
        bounded(self.height + 1, HEIGHT_MAX)
    }

    /// The height of what is made of this and something else.
    fn above_both(&self, other: &Read) -> Result<usize> {
        self.above().and_then(|height| Ok(height.max(other.above()?)))
    }
}

/// A number with a sign is a number.
fn signed(sign: Operator, chain: Chain) -> Step {
    match &chain[..] {
        [Step::Number(Literal(number))] if sign == Operator::Minus => Step::Number(Literal(number.neg())),
        [Step::Number(number)] => Step::Number(number.clone()),
        _ => Step::Sign(sign, chain),
    }
}

const COMPARISONS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
];

struct Parser {
    tokens: Vec<Written>,
    at: usize,
    depth: usize,
    /// Around what is read: `@` and `last` stand within these alone.
    in_filter: usize,
    in_subscript: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|written| &written.token)
    }

    fn unexpected(&self) -> Error {
        match self.tokens.get(self.at) {
            // PostgreSQL has read the end behind a word before it knows that it does not fit.
            Some(written) if self.at + 1 < self.tokens.len() || !matches!(written.token, Token::Word(_)) => {
                syntax(format!("syntax error at or near \"{}\" of jsonpath input", written.text))
            }
            _ => syntax("syntax error at end of jsonpath input"),
        }
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> Result<Read> {
        self.depth += 1;
        bounded(self.depth, DEPTH_MAX)?;
        let read = self.junction(Operator::Or);
        self.depth -= 1;
        read
    }

    fn expr(&mut self) -> Result<Read> {
        let read = self.any()?;
        if read.is_condition { Err(self.unexpected()) } else { Ok(read) }
    }

    fn condition(&mut self) -> Result<Read> {
        let read = self.any()?;
        if read.is_condition { Ok(read) } else { Err(self.unexpected()) }
    }

    /// `||` of `&&` of comparisons.
    fn junction(&mut self, operator: Operator) -> Result<Read> {
        let next = |parser: &mut Parser| match operator {
            Operator::Or => parser.junction(Operator::And),
            _ => parser.comparison(),
        };
        let mut left = next(self)?;
        let mut count = 0;
        while left.is_condition && self.symbol(operator.symbol()) {
            count = bounded(count + 1, OPERATORS_MAX)?;
            let right = next(self)?;
            if !right.is_condition {
                return Err(self.unexpected());
            }
            let height = left.above_both(&right)?;
            left = Read::condition(Step::Operation(operator, left.chain, right.chain), height);
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Read> {
        if self.symbol("!") {
            let read = self.primary()?;
            if !read.is_delimited {
                return Err(self.unexpected());
            }
            let height = read.above()?;
            return Ok(Read::condition(Step::Not(read.chain), height));
        }
        let left = self.sum()?;
        if left.is_condition {
            return Ok(left);
        }
        let found = match self.peek() {
            Some(Token::Symbol(symbol)) => COMPARISONS.iter().find(|(known, _)| known == symbol),
            _ => None,
        };
        if let Some((_, operator)) = found {
            self.at += 1;
            let right = self.sum()?;
            if right.is_condition {
                return Err(self.unexpected());
            }
            let height = left.above_both(&right)?;
            return Ok(Read::condition(Step::Operation(*operator, left.chain, right.chain), height));
        }
        if self.word("starts") {
            return self.starts_with(left);
        }
        if self.word("like_regex") {
            let pattern = self.pattern()?;
            let height = left.above()?;
            return Ok(Read::condition(Step::LikeRegex(left.chain, pattern), height));
        }
        Ok(left)
    }

    fn starts_with(&mut self, left: Read) -> Result<Read> {
        if !self.word("with") {
            return Err(self.unexpected());
        }
        let right = match self.peek() {
            Some(Token::String(text)) => Step::String(text.clone()),
            Some(Token::Variable(name)) => Step::Variable(name.clone()),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        let height = left.above()?;
        Ok(Read::condition(Step::Operation(Operator::StartsWith, left.chain, vec![right]), height))
    }

    fn text(&mut self) -> Result<String> {
        let Some(Token::String(text)) = self.peek() else { return Err(self.unexpected()) };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    fn pattern(&mut self) -> Result<Pattern> {
        let text = self.text()?;
        let written = if self.word("flag") { self.text()? } else { String::new() };
        if let Some(unknown) = written.chars().find(|flag| !"ismxq".contains(*flag)) {
            return Err(syntax("invalid input syntax for type jsonpath").with_details(format!(
                "Unrecognized flag character \"{unknown}\" in LIKE_REGEX predicate."
            )));
        }
        let flags: String = "ismxq".chars().filter(|flag| written.contains(*flag)).collect();
        if flags.contains('x') && !flags.contains('q') {
            return Err(Error::new(
                Code::FEATURE_NOT_SUPPORTED,
                "XQuery \"x\" flag (expanded regular expressions) is not implemented",
            ));
        }
        Ok(Pattern { text, flags })
    }

    fn sum(&mut self) -> Result<Read> {
        self.chained(&[("+", Operator::Plus), ("-", Operator::Minus)], Parser::product)
    }

    fn product(&mut self) -> Result<Read> {
        let operators = [("*", Operator::Times), ("/", Operator::Over), ("%", Operator::Modulo)];
        self.chained(&operators, Parser::signed)
    }

    fn chained(
        &mut self,
        operators: &[(&str, Operator)],
        next: fn(&mut Parser) -> Result<Read>,
    ) -> Result<Read> {
        let mut left = next(self)?;
        let mut count = 0;
        while !left.is_condition
            && let Some((_, operator)) = operators.iter().find(|(symbol, _)| self.symbol(symbol))
        {
            count = bounded(count + 1, OPERATORS_MAX)?;
            let right = next(self)?;
            if right.is_condition {
                return Err(self.unexpected());
            }
            let height = left.above_both(&right)?;
            left = Read::value(Step::Operation(*operator, left.chain, right.chain), height);
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Read> {
        let mut signs = Vec::new();
        loop {
            if self.symbol("+") {
                signs.push(Operator::Plus);
            } else if self.symbol("-") {
                signs.push(Operator::Minus);
            } else {
                break;
            }
            bounded(signs.len(), OPERATORS_MAX)?;
        }
        let read = self.primary()?;
        if read.is_condition && !signs.is_empty() {
            return Err(self.unexpected());
        }
        signs.into_iter().rev().try_fold(read, |read, sign| {
            let height = read.above()?;
            Ok(Read::value(signed(sign, read.chain), height))
        })
    }

    /// Something with its accessors.
    fn primary(&mut self) -> Result<Read> {
        let mut read = self.first()?;
        let before = read.chain.len();
        while let Some((accessor, height)) = self.accessor()? {
            let count = bounded(read.chain.len(), ACCESSORS_MAX)?;
            read.height = bounded(read.height.max(count + height), HEIGHT_MAX)?;
            read.chain.push(accessor);
        }
        if read.chain.len() > before {
            return Ok(Read { is_condition: false, is_delimited: false, ..read });
        }
        if read.is_delimited && self.word("is") {
            if !self.word("unknown") {
                return Err(self.unexpected());
            }
            let height = read.above()?;
            return Ok(Read::condition(Step::IsUnknown(read.chain), height));
        }
        Ok(read)
    }

    fn first(&mut self) -> Result<Read> {
        let Some(token) = self.peek().cloned() else { return Err(self.unexpected()) };
        let step = match token {
            Token::String(text) => Step::String(text),
            Token::Variable(name) => Step::Variable(name),
            Token::Number(number) => Step::Number(Literal(number)),
            Token::Integer(text) => Step::Number(Literal(Numeric::parse(&text)?)),
            Token::Symbol("$") => Step::Root,
            Token::Symbol("@") => {
                if self.in_filter == 0 {
                    return Err(syntax("@ is not allowed in root expressions"));
                }
                Step::Current
            }
            Token::Symbol("(") => {
                self.at += 1;
                let read = self.any()?;
                self.expect(")")?;
                return Ok(Read { is_delimited: read.is_condition, ..read });
            }
            Token::Word(word) => return self.first_word(&word),
            Token::Symbol(_) => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(Read::value(step, 1))
    }

    fn first_word(&mut self, word: &str) -> Result<Read> {
        let step = match word {
            "null" => Step::Null,
            "true" => Step::Bool(true),
            "false" => Step::Bool(false),
            word if word.eq_ignore_ascii_case("last") => {
                if self.in_subscript == 0 {
                    return Err(syntax("LAST is allowed only in array subscripts"));
                }
                Step::Last
            }
            word if word.eq_ignore_ascii_case("exists") => {
                self.at += 1;
                self.expect("(")?;
                let operand = self.expr()?;
                self.expect(")")?;
                let height = operand.above()?;
                let exists = Read::condition(Step::Exists(operand.chain), height);
                return Ok(Read { is_delimited: true, ..exists });
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(Read::value(step, 1))
    }

    /// An accessor, and how high its tree is.
    fn accessor(&mut self) -> Result<Option<(Step, usize)>> {
        if self.symbol("[") {
            return self.subscripts().map(Some);
        }
        if self.symbol("?") {
            return self.filter().map(Some);
        }
        if !self.symbol(".") {
            return Ok(None);
        }
        self.member().map(|step| Some((step, 1)))
    }

    fn filter(&mut self) -> Result<(Step, usize)> {
        self.expect("(")?;
        self.in_filter += 1;
        let condition = self.condition();
        self.in_filter -= 1;
        let condition = condition?;
        self.expect(")")?;
        let height = condition.above()?;
        Ok((Step::Filter(condition.chain), height))
    }

    /// Behind a point.
    fn member(&mut self) -> Result<Step> {
        if self.symbol("**") {
            return self.levels();
        }
        if self.symbol("*") {
            return Ok(Step::AnyKey);
        }
        let (name, is_word) = match self.peek() {
            Some(Token::Word(name)) => (name.clone(), true),
            Some(Token::String(name)) => (name.clone(), false),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        if is_word && matches!(self.peek(), Some(Token::Symbol("("))) {
            return self.method(&name);
        }
        Ok(Step::Key(name))
    }

    fn method(&mut self, name: &str) -> Result<Step> {
        if name.eq_ignore_ascii_case("datetime") {
            self.expect("(")?;
            let template = match self.peek() {
                Some(Token::String(_)) => Some(self.text()?),
                _ => None,
            };
            self.expect(")")?;
            return Ok(Step::Datetime(template));
        }
        let found = METHODS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        let Some((method, _)) = found else { return Err(self.unexpected()) };
        self.expect("(")?;
        self.expect(")")?;
        Ok(Step::Method(*method))
    }

    fn subscripts(&mut self) -> Result<(Step, usize)> {
        if self.symbol("*") {
            self.expect("]")?;
            return Ok((Step::AnyElement, 1));
        }
        self.in_subscript += 1;
        let elements = self.elements();
        self.in_subscript -= 1;
        elements
    }

    fn elements(&mut self) -> Result<(Step, usize)> {
        let mut elements = Vec::new();
        let mut height = 1;
        loop {
            let from = self.expr()?;
            height = from.above()?.max(height);
            let to = if self.word("to") { Some(self.expr()?) } else { None };
            if let Some(to) = &to {
                height = to.above()?.max(height);
            }
            elements.push((from.chain, to.map(|to| to.chain)));
            if !self.symbol(",") {
                self.expect("]")?;
                return Ok((Step::Elements(elements), height));
            }
        }
    }

    fn levels(&mut self) -> Result<Step> {
        if !self.symbol("{") {
            return Ok(Step::Any { first: 0, last: u32::MAX });
        }
        let first = self.level()?;
        let last = if self.word("to") { self.level()? } else { first };
        self.expect("}")?;
        Ok(Step::Any { first, last })
    }

    fn level(&mut self) -> Result<u32> {
        if self.word("last") {
            return Ok(u32::MAX);
        }
        let level = match self.peek() {
            Some(Token::Integer(text)) => {
                text.parse::<i32>().ok().and_then(|level| u32::try_from(level).ok())
            }
            _ => None,
        };
        let Some(level) = level else { return Err(self.unexpected()) };
        self.at += 1;
        Ok(level)
    }
}
