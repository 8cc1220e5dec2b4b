//! Arrays: PostgreSQL's text form (chapter 8.15).

use crate::value::Array;
use crate::{Code, Error, Result, Value};

/// Deepest nesting.
const DIMENSIONS_MAX: usize = 6;

fn malformed(text: &str, details: &str) -> Error {
    Error::new(Code::INVALID_TEXT, format!("malformed array literal: \"{text}\"")).with_details(details)
}

/// An array from text; `element` reads one element.
///
/// # Errors
/// `22P02` for malformed text, and what `element` refuses.
pub fn parse(text: &str, element: &dyn Fn(&str) -> Result<Value>) -> Result<Array> {
    // What is wrong with the braces is told before what is wrong with an element.
    read(text, element).map_err(|error| read(text, &|_| Ok(Value::Null)).err().unwrap_or(error))
}

fn read(text: &str, element: &dyn Fn(&str) -> Result<Value>) -> Result<Array> {
    let (said, trimmed) = dimensions(text)?;
    if !trimmed.starts_with('{') {
        return Err(malformed(text, "Array value must start with \"{\" or dimension information."));
    }
    let mut reader = Reader { whole: text, rest: trimmed, element, array: Array::default() };
    reader.level(0)?;
    if !reader.rest.trim().is_empty() {
        return Err(malformed(text, "Junk after closing right brace."));
    }
    if reader.array.elements.is_empty() {
        reader.array.dimensions.clear();
    }
    if !said.is_empty() && said != reader.array.dimensions {
        return Err(malformed(text, "Specified array dimensions do not match array contents."));
    }
    Ok(reader.array)
}

/// The dimensions that stand before an array (`[1:2][1:3]=`), and what follows.
fn dimensions(text: &str) -> Result<(Vec<u32>, &str)> {
    let mut rest = text.trim();
    let mut said = Vec::new();
    while let Some(behind) = rest.strip_prefix('[') {
        let (bounds, behind) =
            behind.split_once(']').ok_or_else(|| malformed(text, "Missing \"]\" after array dimensions."))?;
        let (low, high) = bounds.split_once(':').unwrap_or(("1", bounds));
        let bound = |bound: &str| {
            let bound = bound.trim().parse::<i32>();
            bound.map_err(|_| malformed(text, "\"[\" must introduce explicitly-specified array dimensions."))
        };
        let (low, high) = (bound(low)?, bound(high)?);
        if high < low {
            let message = "upper bound cannot be less than lower bound";
            return Err(Error::new(Code::ARRAY_SUBSCRIPT, message));
        }
        if low != 1 {
            return Err(Error::missing("an array that begins elsewhere than at 1"));
        }
        said.push(u32::try_from(high).map_err(Error::internal)?);
        rest = behind.trim_start();
    }
    match (said.is_empty(), rest.strip_prefix('=')) {
        (true, _) => Ok((said, rest)),
        (false, Some(behind)) => Ok((said, behind.trim_start())),
        (false, None) => Err(malformed(text, "Missing \"=\" after array dimensions.")),
    }
}

struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
    element: &'a dyn Fn(&str) -> Result<Value>,
    array: Array,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, c: char) -> bool {
        self.rest.strip_prefix(c).map(|rest| self.rest = rest).is_some()
    }

    fn level(&mut self, depth: usize) -> Result<()> {
        if depth >= DIMENSIONS_MAX {
            return Err(Error::new(
                Code::LIMIT_EXCEEDED,
                format!(
                    "number of array dimensions ({}) exceeds the maximum allowed ({DIMENSIONS_MAX})",
                    depth + 1
                ),
            ));
        }
        self.eat('{');
        self.skip();
        let mut count = 0_u32;
        if self.eat('}') {
            return self.measured(depth, 0);
        }
        loop {
            self.skip();
            if self.rest.starts_with('{') {
                self.level(depth + 1)?;
            } else {
                if self.array.dimensions.len() > depth + 1 {
                    return Err(malformed(self.whole, "Unexpected array element."));
                }
                self.item()?;
            }
            count += 1;
            self.skip();
            if self.eat('}') {
                return self.measured(depth, count);
            }
            if !self.eat(',') {
                return Err(malformed(self.whole, "Unexpected end of input."));
            }
        }
    }

    /// All arrays of one level have the same length.
    fn measured(&mut self, depth: usize, count: u32) -> Result<()> {
        while self.array.dimensions.len() <= depth {
            self.array.dimensions.push(u32::MAX);
        }
        let known = self.array.dimensions[depth];
        if known != u32::MAX && known != count {
            return Err(malformed(
                self.whole,
                "Multidimensional arrays must have sub-arrays with matching dimensions.",
            ));
        }
        self.array.dimensions[depth] = count;
        Ok(())
    }

    fn item(&mut self) -> Result<()> {
        let (text, quoted) = if self.eat('"') { (self.quoted()?, true) } else { (self.plain()?, false) };
        let value =
            if !quoted && text.eq_ignore_ascii_case("null") { Value::Null } else { (self.element)(&text)? };
        self.array.elements.push(value);
        Ok(())
    }

    fn quoted(&mut self) -> Result<String> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(out);
                }
                '\\' => out.extend(chars.next().map(|(_, c)| c)),
                c => out.push(c),
            }
        }
        Err(malformed(self.whole, "Unexpected end of input."))
    }

    fn plain(&mut self) -> Result<String> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        let end = loop {
            match chars.next() {
                None => return Err(malformed(self.whole, "Unexpected end of input.")),
                Some((at, ',' | '}')) => break at,
                Some((_, '"')) => return Err(malformed(self.whole, "Unexpected array element.")),
                Some((_, '{')) => return Err(malformed(self.whole, "Unexpected \"{\" character.")),
                Some((_, '\\')) => out.extend(chars.next().map(|(_, c)| c)),
                Some((_, c)) => out.push(c),
            }
        };
        self.rest = &self.rest[end..];
        let text = out.trim_end().to_owned();
        if text.is_empty() {
            let found = if self.rest.starts_with(',') { "," } else { "}" };
            return Err(malformed(self.whole, &format!("Unexpected \"{found}\" character.")));
        }
        Ok(text)
    }
}

/// An array as text; `element` prints one element that is not null.
pub fn print(array: &Array, element: &dyn Fn(&Value) -> String) -> String {
    if array.elements.is_empty() {
        return "{}".to_owned();
    }
    let mut out = String::new();
    print_level(&array.dimensions, &array.elements, element, &mut out);
    out
}

fn print_level(dimensions: &[u32], elements: &[Value], element: &dyn Fn(&Value) -> String, out: &mut String) {
    out.push('{');
    match dimensions {
        [] | [_] => {
            for (position, value) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                match value {
                    Value::Null => out.push_str("NULL"),
                    value => quote(&element(value), out),
                }
            }
        }
        [_, inner @ ..] => {
            let size = inner.iter().map(|&length| length as usize).product::<usize>().max(1);
            for (position, part) in elements.chunks(size).enumerate() {
                if position > 0 {
                    out.push(',');
                }
                print_level(inner, part, element, out);
            }
        }
    }
    out.push('}');
}

fn quote(text: &str, out: &mut String) {
    let special =
        |c: char| matches!(c, '"' | '\\' | '{' | '}' | ',') || c.is_ascii_whitespace() || c == '\u{b}';
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.contains(special) {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse(text, &|text| Ok(Value::text(text))) {
            Ok(array) => format!("{:?}", array.dimensions),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn dimensions_may_be_said() {
        check("{a,b,c}", "[3]");
        check("[1:3]={a,b,c}", "[3]");
        check(" [2] [1:2] = {{a,b},{c,d}}", "[2, 2]");
        check("[1:2]={a,b,c}", "22P02: malformed array literal: \"[1:2]={a,b,c}\"");
        check("[1:1]={}", "22P02: malformed array literal: \"[1:1]={}\"");
        check("[a]={1}", "22P02: malformed array literal: \"[a]={1}\"");
        check("[1:0]={}", "2202E: upper bound cannot be less than lower bound");
        check("[0:1]={a,b}", "0A000: an array that begins elsewhere than at 1 is not supported");
    }
}
