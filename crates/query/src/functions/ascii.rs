//! `to_ascii` (PostgreSQL 9.4): each byte of a text, taken for a character of an encoding of one byte, as a letter near to it.
//!
//! The texts of a database in UTF-8 are no such bytes: what has accents becomes two letters, as in PostgreSQL.

use types::{Code, Error, Result, Value};

use super::Function;
use super::Ty::{Int4 as I, Text as T};
use super::arguments::{int, ok_text, text};

pub(super) static ROWS: &[Function] = &[
    Function::new("to_ascii", &[T], T, |_, _| Err(no_way("UTF8"))),
    Function::new("to_ascii", &[T, T], T, |_, a| {
        let name = text(a, 1)?;
        let found = ENCODINGS.iter().find(|known| is_called(known, name));
        converted(
            text(a, 0)?,
            found.ok_or_else(|| undefined(format!("{name} is not a valid encoding name")))?,
        )
    }),
    Function::new("to_ascii", &[T, I], T, |_, a| {
        let code = int(a, 1)?;
        let found = usize::try_from(code).ok().and_then(|code| ENCODINGS.get(code));
        converted(
            text(a, 0)?,
            found.ok_or_else(|| undefined(format!("{code} is not a valid encoding code")))?,
        )
    }),
];

/// PostgreSQL's encodings, by number: its name for each, and others.
#[rustfmt::skip]
const ENCODINGS: &[&[&str]] = &[
    &["SQL_ASCII"], &["EUC_JP"], &["EUC_CN"], &["EUC_KR"], &["EUC_TW"], &["EUC_JIS_2004"], &["UTF8", "UNICODE"],
    &["MULE_INTERNAL"], &["LATIN1", "ISO88591"], &["LATIN2", "ISO88592"], &["LATIN3", "ISO88593"], &["LATIN4", "ISO88594"],
    &["LATIN5", "ISO88599"], &["LATIN6", "ISO885910"], &["LATIN7", "ISO885913"], &["LATIN8", "ISO885914"],
    &["LATIN9", "ISO885915"], &["LATIN10", "ISO885916"], &["WIN1256", "WINDOWS1256"],
    &["WIN1258", "WINDOWS1258", "ABC", "TCVN", "TCVN5712", "VSCII"], &["WIN866", "WINDOWS866", "ALT"],
    &["WIN874", "WINDOWS874"], &["KOI8R", "KOI8"], &["WIN1251", "WINDOWS1251", "WIN"], &["WIN1252", "WINDOWS1252"],
    &["ISO_8859_5"], &["ISO_8859_6"], &["ISO_8859_7"], &["ISO_8859_8"], &["WIN1250", "WINDOWS1250"],
    &["WIN1253", "WINDOWS1253"], &["WIN1254", "WINDOWS1254"], &["WIN1255", "WINDOWS1255"], &["WIN1257", "WINDOWS1257"],
    &["KOI8U"], &["SJIS", "MSKANJI", "SHIFTJIS", "WIN932", "WINDOWS932"], &["BIG5", "WIN950", "WINDOWS950"],
    &["GBK", "WIN936", "WINDOWS936"], &["UHC", "WIN949", "WINDOWS949"], &["GB18030"], &["JOHAB"], &["SHIFT_JIS_2004"],
];

/// What stands for the bytes from 128 on. Those that no text in UTF-8 has are blanks.
#[rustfmt::skip]
const TABLES: &[(&str, &[u8; 128])] = &[
    ("LATIN1", b"                                  cL Y  \"Ca  -R     'u .,      ?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo           "),
    ("LATIN2", b"                                 A L LS \"SSTZ-ZZ a,l'ls ,sstz\"zz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo           "),
    ("LATIN9", b"                                  cL YS sCa  -R     Zu .z   EeY?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo           "),
    ("WIN1250", b"  ' \"    %S<STZZ `'\"\".--  s>stzz   L A  \"CS  -RZ  ,l'u .,as L\"lz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo           "),
];

/// Only letters and digits of a name count.
fn is_called(names: &[&str], asked: &str) -> bool {
    let bare = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    names.iter().any(|name| bare(name) == bare(asked))
}

fn converted(written: &str, names: &[&str]) -> Result<Value> {
    let name = names.first().copied().unwrap_or_default();
    let (_, table) = TABLES.iter().find(|(known, _)| *known == name).ok_or_else(|| no_way(name))?;
    let letter = |byte: u8| match byte.checked_sub(128).and_then(|at| table.get(usize::from(at))) {
        Some(letter) => char::from(*letter),
        None => char::from(byte),
    };
    ok_text(written.bytes().map(letter).collect::<String>())
}

fn undefined(message: String) -> Error {
    Error::new(Code::UNDEFINED_OBJECT, message)
}

fn no_way(name: &str) -> Error {
    let message = format!("encoding conversion from {name} to ASCII not supported");
    Error::new(Code::FEATURE_NOT_SUPPORTED, message)
}

#[cfg(test)]
mod tests {
    use types::session::Session;

    use super::super::Context;
    use super::*;

    #[track_caller]
    fn check(written: &str, encoding: Value, expected: &str) {
        let session = Session::utc(0);
        let clock = || 0;
        let mut context = Context { arguments: &[], session: &session, random: &mut |_| {}, clock: &clock };
        let declared = if matches!(encoding, Value::Int(_)) { I } else { T };
        let row = ROWS.iter().find(|row| row.arguments.get(1) == Some(&declared)).unwrap();
        let found = match row.call(&mut context, &[Value::text(written), encoding]) {
            Ok(Value::Text(text)) => text.to_string(),
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{written}");
    }

    #[test]
    fn bytes_become_letters() {
        check("Karel", Value::text("LATIN1"), "Karel");
        check("äöü", Value::text("iso-8859-1"), "A A A ");
        check("äöü", Value::Int(16), "A A AE");
        check("€", Value::text("Latin 9"), "a  ");
        check("ł", Value::text("WIN1250"), "L'");
    }

    #[test]
    fn other_encodings_are_refused() {
        check("x", Value::text("utf-8"), "0A000: encoding conversion from UTF8 to ASCII not supported");
        check("x", Value::text("nope"), "42704: nope is not a valid encoding name");
        check("x", Value::Int(-1), "42704: -1 is not a valid encoding code");
    }
}
