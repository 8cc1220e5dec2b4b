//! Kinds of values, and how each is read from `config.toml` or the environment.
//!
//! Text is taken for every kind: `env(NAME)` and the environment know nothing else.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// A value as it stands in `config.toml`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Raw>),
    /// Anything else, by the name of its kind.
    Other(&'static str),
}

impl Raw {
    fn kind(&self) -> &'static str {
        match self {
            Raw::Text(_) => "text",
            Raw::Integer(_) => "a number",
            Raw::Bool(_) => "a boolean",
            Raw::List(_) => "a list",
            Raw::Other(kind) => kind,
        }
    }

    fn text(&self) -> Result<&str, String> {
        match self {
            Raw::Text(text) => Ok(text),
            other => Err(format!("text is expected, not {}", other.kind())),
        }
    }
}

/// A kind of value.
pub(super) trait Kind: Sized {
    /// Its name in the reference.
    const NAME: &'static str;
    /// Reads it.
    fn read(raw: &Raw) -> Result<Self, String>;
    /// The value as one would write it; `None` for no value.
    fn show(&self) -> Option<String>;
}

impl Kind for bool {
    const NAME: &'static str = "boolean";

    fn read(raw: &Raw) -> Result<bool, String> {
        match raw {
            Raw::Bool(value) => Ok(*value),
            Raw::Text(text) if text == "true" || text == "1" => Ok(true),
            Raw::Text(text) if text == "false" || text == "0" => Ok(false),
            Raw::Text(text) => Err(format!("`true` or `false` is expected, not `{text}`")),
            other => Err(format!("`true` or `false` is expected, not {}", other.kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for u64 {
    const NAME: &'static str = "number";

    fn read(raw: &Raw) -> Result<u64, String> {
        let number = match raw {
            Raw::Integer(value) => u64::try_from(*value).ok(),
            Raw::Text(text) => text.parse().ok(),
            Raw::Bool(_) | Raw::List(_) | Raw::Other(_) => None,
        };
        number.ok_or_else(|| "a whole number, zero or more, is expected".into())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for u16 {
    const NAME: &'static str = "port";

    fn read(raw: &Raw) -> Result<u16, String> {
        u64::read(raw)?.try_into().map_err(|_| "a port is expected: 0 to 65535".into())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for String {
    const NAME: &'static str = "text";

    fn read(raw: &Raw) -> Result<String, String> {
        raw.text().map(str::to_owned)
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl<T: Kind> Kind for Option<T> {
    const NAME: &'static str = T::NAME;

    fn read(raw: &Raw) -> Result<Option<T>, String> {
        match raw {
            Raw::Text(text) if text.is_empty() => Ok(None),
            raw => T::read(raw).map(Some),
        }
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(Kind::show)
    }
}

impl Kind for Vec<String> {
    const NAME: &'static str = "list";

    fn read(raw: &Raw) -> Result<Vec<String>, String> {
        match raw {
            Raw::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            Raw::Text(text) if text.is_empty() => Ok(Vec::new()),
            Raw::Text(text) => Ok(text.split(',').map(|item| item.trim().to_owned()).collect()),
            other => Err(format!("a list of text is expected, not {}", other.kind())),
        }
    }

    fn show(&self) -> Option<String> {
        let items: Vec<String> = self.iter().map(|item| format!("\"{item}\"")).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

impl Kind for SocketAddr {
    const NAME: &'static str = "address";

    fn read(raw: &Raw) -> Result<SocketAddr, String> {
        let text = raw.text()?;
        text.parse().map_err(|_| format!("an address is expected, like `127.0.0.1:54321`, not `{text}`"))
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Kind for Secret {
    const NAME: &'static str = "secret";

    fn read(raw: &Raw) -> Result<Secret, String> {
        raw.text().map(|text| Secret(text.to_owned()))
    }

    fn show(&self) -> Option<String> {
        None
    }
}

/// A length of time, written as in `"1h30m"`, `"250ms"`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(pub Duration);

/// Units, the longer of two that begin alike first.
const UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

impl Kind for Period {
    const NAME: &'static str = "period";

    fn read(raw: &Raw) -> Result<Period, String> {
        let millis = match raw {
            Raw::Integer(seconds) => {
                u64::try_from(*seconds).ok().and_then(|seconds| seconds.checked_mul(1_000))
            }
            Raw::Text(text) => millis(text),
            Raw::Bool(_) | Raw::List(_) | Raw::Other(_) => None,
        };
        let period = millis.map(|millis| Period(Duration::from_millis(millis)));
        period.ok_or_else(|| {
            "a period is expected, like `10s`, `250ms`, `1h30m`, or a number of seconds".into()
        })
    }

    fn show(&self) -> Option<String> {
        let millis = self.0.as_millis();
        let exact =
            UNITS.iter().rev().find(|(_, unit)| millis > 0 && millis.is_multiple_of(u128::from(*unit)));
        Some(match exact {
            Some((name, unit)) => format!("\"{}{name}\"", millis / u128::from(*unit)),
            None => "\"0s\"".into(),
        })
    }
}

fn millis(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000);
    }
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let (name, unit) = UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
        rest = rest.strip_prefix(name)?;
        total = total.checked_add(number.checked_mul(*unit)?)?;
    }
    (!text.is_empty()).then_some(total)
}

macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident { $($variant:ident = $word:literal, $meaning:literal;)* })*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $meaning] $variant,)* }

        impl Kind for $name {
            const NAME: &'static str = concat!("one of", $(" `", $word, "`",)*);

            fn read(raw: &Raw) -> Result<$name, String> {
                match raw.text()? {
                    $($word => Ok($name::$variant),)*
                    other => Err(format!("{} is expected, not `{other}`", Self::NAME)),
                }
            }

            fn show(&self) -> Option<String> {
                let word = match self { $($name::$variant => $word,)* };
                Some(format!("\"{word}\""))
            }
        }
    )* };
}

words! {
    /// How log lines look.
    LogFormat {
        Text = "text", "For people.";
        Json = "json", "For machines: a JSON object a line.";
    }

    /// Which kinds of characters a password must have.
    Requirements {
        None = "", "None.";
        LettersDigits = "letters_digits", "Letters and digits.";
        LowerUpperLettersDigits = "lower_upper_letters_digits", "Small letters, capitals and digits.";
        LowerUpperLettersDigitsSymbols = "lower_upper_letters_digits_symbols", "And other characters.";
    }

    /// Who may read `/metrics`.
    MetricsAccess {
        Off = "off", "Nobody.";
        Local = "local", "Programs on this machine that no proxy stands before, and holders of a secret key.";
        Open = "open", "Everybody who reaches the server.";
    }

    /// Which tables of schema `public` the roles `anon` and `authenticated` reach without an explicit grant.
    Exposure {
        Guarded = "guarded", "Those with row-level security.";
        Legacy = "legacy", "All of them.";
    }

    /// What the API describes at its root.
    OpenApi {
        FollowPrivileges = "follow-privileges", "What the caller may use.";
        IgnorePrivileges = "ignore-privileges", "Everything, to everybody.";
        Disabled = "disabled", "Nothing.";
    }

    /// Whose the schema of a PostgreSQL database is.
    Keeping {
        Auto = "auto", "The project's, if the database is empty or has Backplane's ledger.";
        Project = "project", "The project's: its files are applied.";
        Database = "database", "The database's own: it is used as it is.";
    }
}
