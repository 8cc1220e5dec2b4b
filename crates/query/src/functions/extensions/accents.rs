//! `unaccent`: text without accents, by the extension's own rules.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::Function;
use super::super::Ty::Text as T;
use super::super::arguments::{ok_text, text};
use super::accent_rules::RULES;
use types::{Code, Error};

pub(in super::super) static ROWS: &[Function] = &[
    Function::new("unaccent", &[T], T, |_, a| ok_text(unaccented(text(a, 0)?))).stable().of("unaccent"),
    Function::new("unaccent", &[T, T], T, |_, a| match text(a, 0)?.trim_start_matches("public.") {
        "unaccent" | "extensions.unaccent" => ok_text(unaccented(text(a, 1)?)),
        other => Err(Error::new(
            Code::UNDEFINED_OBJECT,
            format!("text search dictionary \"{other}\" does not exist"),
        )),
    })
    .stable()
    .of("unaccent"),
];

static REPLACED: LazyLock<HashMap<char, &'static str>> = LazyLock::new(|| {
    let each = |(by, letters): &(&'static str, &'static str)| {
        let by = *by;
        letters.chars().map(move |letter| (letter, by)).collect::<Vec<_>>()
    };
    RULES.iter().flat_map(each).collect()
});

fn unaccented(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match REPLACED.get(&c) {
            Some(by) => out.push_str(by),
            None => out.push(c),
        }
    }
    out
}
