//! `config.toml`: each key is set, accepted without effect, or refused by name.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use types::Span;

use super::nearest::nearest;
use super::value::Raw;
use super::{Environment, Loaded, accepted, table};
use crate::complaint::{Complaint, SourceFile};

/// Reads a document.
pub(super) fn read(file: &SourceFile, environment: &Environment, loaded: &mut Loaded) {
    let (document, errors) = DeTable::parse_recoverable(&file.text);
    let broken = errors.iter().map(|error| {
        let span = error.span().map_or_else(Span::default, span);
        Complaint::error(file, span, error.message())
    });
    loaded.complaints.extend(broken);
    // What could be read of a broken document would only lead to complaints that are not true.
    if loaded.complaints.is_empty() {
        Reader { file, environment, loaded }.table(document.get_ref(), &[]);
        refuse_two_names(file, loaded);
    }
}

fn refuse_two_names(file: &SourceFile, loaded: &mut Loaded) {
    let is_set_twice = loaded.settings.api_max_rows.is_some()
        && loaded.settings.limits.rows_max != types::Limits::default().rows_max;
    if is_set_twice {
        let message = "\"api.max_rows\" and \"limits.rows_max\" are one setting: keep one of them";
        loaded.complaints.push(Complaint::error(file, Span::default(), message));
    }
}

struct Reader<'a> {
    file: &'a SourceFile,
    environment: &'a Environment,
    loaded: &'a mut Loaded,
}

impl Reader<'_> {
    fn table(&mut self, found: &DeTable<'_>, above: &[&str]) {
        let mut entries: Vec<_> = found.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let path: Vec<&str> = above.iter().copied().chain([key.get_ref().as_ref()]).collect();
            match value.get_ref() {
                DeValue::Table(inner) if !accepted::holds(&path) && is_section(&path) => {
                    self.table(inner, &path)
                }
                _ => self.value(&path, key.span(), value),
            }
        }
    }

    fn value(&mut self, path: &[&str], key: std::ops::Range<usize>, value: &Spanned<DeValue<'_>>) {
        let dotted = path.join(".");
        if accepted::holds(path) {
            let (line, _) = sql::line_column(&self.file.text, span(key).start);
            self.loaded.without_effect.push((dotted, line));
            return;
        }
        let raw = match self.substituted(raw(value.get_ref())) {
            Ok(raw) => raw,
            Err(name) => {
                let message = format!("environment variable \"{name}\" of setting \"{dotted}\" is not set");
                return self.complain(value.span(), message);
            }
        };
        match self.loaded.settings.set(&dotted, &raw) {
            Some(Ok(())) => {}
            Some(Err(message)) => self.complain(value.span(), format!("setting \"{dotted}\": {message}")),
            None => {
                let message = format!("unknown setting \"{dotted}\"");
                let complaint = Complaint::error(self.file, span(key), message).with_hint(hint(path));
                self.loaded.unknown.push(complaint);
            }
        }
    }

    /// `env(NAME)` is the environment's value; the name when there is none.
    fn substituted(&self, raw: Raw) -> Result<Raw, String> {
        Ok(match raw {
            Raw::Text(text) => match text.strip_prefix("env(").and_then(|rest| rest.strip_suffix(')')) {
                Some(name) => {
                    Raw::Text(self.environment.get(name).ok_or_else(|| name.to_owned())?.to_owned())
                }
                None => Raw::Text(text),
            },
            Raw::List(items) => {
                Raw::List(items.into_iter().map(|item| self.substituted(item)).collect::<Result<_, _>>()?)
            }
            other => other,
        })
    }

    fn complain(&mut self, place: std::ops::Range<usize>, message: String) {
        self.loaded.complaints.push(Complaint::error(self.file, span(place), message));
    }
}

/// Whether settings stand below a path.
fn is_section(path: &[&str]) -> bool {
    let prefix = format!("{}.", path.join("."));
    accepted::is_section(path) || table::paths().any(|known| known.starts_with(&prefix))
}

/// The known name that an unknown one is nearest to: the whole path may be wrong, or its last part.
fn hint(path: &[&str]) -> Option<String> {
    let known: Vec<String> = table::paths().chain(accepted::paths()).collect();
    let section = path.split_last().map(|(_, above)| above.join(".")).unwrap_or_default();
    let in_section = known.iter().filter_map(|known| {
        let (above, name) = known.rsplit_once('.').unwrap_or(("", known));
        (above == section).then_some(name)
    });
    let sections = known.iter().filter_map(|known| known.split('.').next());
    let names: Vec<&str> =
        if section.is_empty() { in_section.chain(sections).collect() } else { in_section.collect() };
    let found = nearest(path.last()?, names);
    let whole = || nearest(&path.join("."), known.iter().map(String::as_str)).map(str::to_owned);
    let join = |name: &str| if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    found.map(join).or_else(whole).map(|name| format!("did you mean \"{name}\"?"))
}

fn span(range: std::ops::Range<usize>) -> Span {
    let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span::new(clamp(range.start), clamp(range.end))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number out of range"), Raw::Integer),
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Float(_) => Raw::Other("a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
