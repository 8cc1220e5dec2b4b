//! Types as compact text, for places where only text can travel: the first argument of a registered function.
//!
//! [`write()`] and [`parse`] are inverse to each other. The text is never stored.

use std::sync::Arc;

use crate::ty::EnumType;
use crate::{Field, Modifier, Name, Type};

/// Simple types and their words.
const SIMPLE: &[(Type, &str)] = &[
    (Type::Bool, "bool"),
    (Type::Int2, "int2"),
    (Type::Int4, "int4"),
    (Type::Int8, "int8"),
    (Type::Float4, "float4"),
    (Type::Float8, "float8"),
    (Type::Numeric, "numeric"),
    (Type::Text, "text"),
    (Type::Varchar, "varchar"),
    (Type::Bpchar, "bpchar"),
    (Type::Citext, "citext"),
    (Type::Uuid, "uuid"),
    (Type::Bytea, "bytea"),
    (Type::Json, "json"),
    (Type::Jsonb, "jsonb"),
    (Type::Date, "date"),
    (Type::Time, "time"),
    (Type::Timetz, "timetz"),
    (Type::Timestamp, "timestamp"),
    (Type::Timestamptz, "timestamptz"),
    (Type::Interval, "interval"),
    (Type::Inet, "inet"),
    (Type::Cidr, "cidr"),
    (Type::Tsvector, "tsvector"),
    (Type::Tsquery, "tsquery"),
    (Type::Jsonpath, "jsonpath"),
    (Type::Vector, "vector"),
    (Type::Bit, "bit"),
    (Type::Varbit, "varbit"),
    (Type::Unknown, "unknown"),
    (Type::Void, "void"),
];

/// Appends a type to a text: a word, or a constructor with its parts in parentheses.
pub fn write(out: &mut String, ty: &Type) {
    match ty {
        Type::Array(element) => constructor(out, "array", |out| write(out, element)),
        Type::Range(subtype) => constructor(out, "range", |out| write(out, subtype)),
        Type::Composite(name) => constructor(out, "row", |out| name_words(out, name)),
        Type::Opaque(name) => constructor(out, "opaque", |out| name_words(out, name)),
        Type::Enum(declared) => constructor(out, "enum", |out| {
            name_words(out, &declared.name);
            for label in &declared.labels {
                out.push(',');
                word(out, label);
            }
        }),
        simple => {
            let word = SIMPLE.iter().find(|(ty, _)| ty == simple).map_or("unknown", |(_, word)| word);
            out.push_str(word);
        }
    }
}

fn constructor(out: &mut String, name: &str, parts: impl FnOnce(&mut String)) {
    out.push_str(name);
    out.push('(');
    parts(out);
    out.push(')');
}

fn name_words(out: &mut String, name: &Name) {
    word(out, &name.schema);
    out.push(',');
    word(out, &name.name);
}

/// A word with the three characters that end it escaped.
fn word(out: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '(' | ')' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// Appends what a type is bounded by: nothing, or a letter and numbers.
pub fn write_modifier(out: &mut String, modifier: Option<Modifier>) {
    match modifier {
        None => {}
        Some(Modifier::Length(length)) => out.push_str(&format!("l{length}")),
        Some(Modifier::Precision { precision, scale }) => out.push_str(&format!("p{precision},{scale}")),
        Some(Modifier::Fraction(digits)) => out.push_str(&format!("f{digits}")),
    }
}

/// Reads what [`write_modifier`] made; `None` if it did not.
pub fn parse_modifier(text: &str) -> Option<Option<Modifier>> {
    let Some(kind) = text.chars().next() else { return Some(None) };
    let numbers = &text[kind.len_utf8()..];
    Some(Some(match kind {
        'l' => Modifier::Length(numbers.parse().ok()?),
        'p' => {
            let (precision, scale) = numbers.split_once(',')?;
            Modifier::Precision { precision: precision.parse().ok()?, scale: scale.parse().ok()? }
        }
        'f' => Modifier::Fraction(numbers.parse().ok()?),
        _ => return None,
    }))
}

/// Appends fields, each with those within it: a list in parentheses.
pub fn write_fields(out: &mut String, fields: &[Field]) {
    out.push('(');
    for field in fields {
        word(out, &field.name);
        out.push(',');
        write(out, &field.ty);
        out.push(',');
        let mut modifier = String::new();
        write_modifier(&mut modifier, field.modifier);
        word(out, &modifier);
        out.push(',');
        write_fields(out, &field.fields);
        out.push(';');
    }
    out.push(')');
}

/// Reads what [`write_fields`] made; `None` if it did not.
pub fn parse_fields(text: &str) -> Option<Vec<Field>> {
    let mut reader = Reader { rest: text };
    let fields = reader.fields()?;
    reader.rest.is_empty().then_some(fields)
}

/// Reads one type; `None` if the text is not one that [`write()`] made.
pub fn parse(text: &str) -> Option<Type> {
    let mut reader = Reader { rest: text };
    let ty = reader.ty()?;
    reader.rest.is_empty().then_some(ty)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn ty(&mut self) -> Option<Type> {
        let name = self.word();
        if !self.eat('(') {
            return SIMPLE.iter().find(|(_, word)| *word == name).map(|(ty, _)| ty.clone());
        }
        let ty = match name.as_str() {
            "array" => Type::Array(Arc::new(self.ty()?)),
            "range" => Type::Range(Arc::new(self.ty()?)),
            "row" => Type::Composite(self.name()?),
            "opaque" => Type::Opaque(self.name()?),
            "enum" => {
                let name = self.name()?;
                let mut labels = Vec::new();
                while self.eat(',') {
                    labels.push(self.word().into());
                }
                Type::Enum(Arc::new(EnumType { name, labels }))
            }
            _ => return None,
        };
        self.eat(')').then_some(ty)
    }

    fn fields(&mut self) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        self.eat('(').then_some(())?;
        while !self.eat(')') {
            let name = self.word().into();
            self.eat(',').then_some(())?;
            let ty = self.ty()?;
            self.eat(',').then_some(())?;
            let modifier = parse_modifier(&self.word())?;
            self.eat(',').then_some(())?;
            let within = self.fields()?.into();
            self.eat(';').then_some(())?;
            fields.push(Field { modifier, fields: within, ..Field::of(name, ty) });
        }
        Some(fields)
    }

    fn name(&mut self) -> Option<Name> {
        let schema = self.word();
        self.eat(',').then_some(())?;
        Some(Name::new(schema, self.word()))
    }

    fn word(&mut self) -> String {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        let end = loop {
            match chars.next() {
                None => break self.rest.len(),
                Some((at, ',' | '(' | ')' | ';')) => break at,
                Some((_, '\\')) => out.extend(chars.next().map(|(_, c)| c)),
                Some((_, c)) => out.push(c),
            }
        };
        self.rest = self.rest.get(end..).unwrap_or_default();
        out
    }

    fn eat(&mut self, c: char) -> bool {
        self.rest.strip_prefix(c).map(|rest| self.rest = rest).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_inverts_write() {
        let odd = EnumType {
            name: Name::new("pub(lic", "mo,od"),
            labels: vec!["a,b".into(), "c\\)".into(), "".into()],
        };
        let types = [
            Type::Timestamptz,
            Type::Text.array(),
            Type::Range(Arc::new(Type::Int4)).array(),
            Type::Enum(Arc::new(odd)).array(),
            Type::Composite(Name::new("public", "users")),
        ];
        for ty in types {
            let mut text = String::new();
            write(&mut text, &ty);
            assert_eq!(parse(&text), Some(ty), "{text}");
        }
    }

    #[test]
    fn parse_inverts_write_of_fields() {
        let within = [
            Field { modifier: Some(Modifier::Length(3)), ..Field::of("a;b".into(), Type::Varchar) },
            Field {
                modifier: Some(Modifier::Precision { precision: 8, scale: -2 }),
                ..Field::of("(n,\n".into(), Type::Numeric)
            },
            Field { modifier: Some(Modifier::Fraction(0)), ..Field::of("".into(), Type::Time) },
        ];
        let row = Type::Composite(Name::new("public", "t"));
        let outer = vec![
            Field { fields: within.into(), ..Field::of("rows".into(), row.array()) },
            Field::of("x".into(), Type::Text),
        ];
        for fields in [Vec::new(), outer] {
            let mut text = String::new();
            write_fields(&mut text, &fields);
            assert_eq!(parse_fields(&text), Some(fields), "{text}");
        }
        assert_eq!(parse_fields("(a,text,x3,();)"), None);
    }
}
