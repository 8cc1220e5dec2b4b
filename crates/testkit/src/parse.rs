//! The text of a file to a [`Case`]. Every section and every word in a heading is known, or is a complaint.

mod exchange;
mod sections;

pub use sections::{Section, sections};

use crate::case::{Case, Complaint, Person, Rows, Signature, Skip, Step, Token};
use crate::clients;
use crate::lacking::{self, ENGINES};

/// A kind of section: the first word of its heading, and what it does to the case.
struct Row {
    word: &'static str,
    read: fn(&mut Case, &Section<'_>) -> Result<(), Complaint>,
}

const SECTIONS: &[Row] = &[
    Row { word: "schema", read: schema },
    Row { word: "rows", read: rows },
    Row { word: "config", read: config },
    Row { word: "people", read: people },
    Row { word: "token", read: token },
    Row { word: "policy", read: policy },
    Row { word: "skip", read: skip },
    Row { word: "lacking", read: lacking },
    Row { word: "since", read: since },
    Row { word: "later", read: later },
    Row { word: "request", read: exchange::request },
    Row { word: "response", read: exchange::response },
    Row { word: "sqlite", read: exchange::stage },
];

/// Reads a file.
///
/// # Errors
/// The first thing that is not understood.
pub fn parse(text: &str) -> Result<Case, Complaint> {
    let mut case = Case { capabilities: capabilities(text)?, ..Case::default() };
    for section in sections(text) {
        let word = section.words.first().copied().unwrap_or_default();
        let row = SECTIONS.iter().find(|row| row.word == word).ok_or_else(|| unknown(&section, word))?;
        (row.read)(&mut case, &section)?;
    }
    if case.steps.is_empty() {
        return Err(Complaint::new(1, "a case asks something: `== request as anon`"));
    }
    Ok(case)
}

/// What begins the line of prose that names capabilities.
const CAPABILITIES: &str = "capabilities:";

/// The capabilities of client libraries that the prose names.
fn capabilities(text: &str) -> Result<Vec<String>, Complaint> {
    let prose = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("== "));
    let mut found = Vec::new();
    for (at, ids) in prose.filter_map(|(at, line)| Some((at, line.strip_prefix(CAPABILITIES)?))) {
        for id in ids.split(',').map(str::trim) {
            if !clients::is_known(id) {
                return Err(Complaint::new(
                    at + 1,
                    format!("no client has a capability `{id}`: `CLIENTS` has no such row"),
                ));
            }
            found.push(id.to_owned());
        }
    }
    Ok(found)
}

fn unknown(section: &Section<'_>, word: &str) -> Complaint {
    let known: Vec<&str> = SECTIONS.iter().map(|row| row.word).collect();
    section.complain(format!("there is no section `{word}`; there are: {}", known.join(", ")))
}

fn schema(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    section.words_are(&["schema"])?;
    section.is_before(&case.steps)?;
    case.schema.push_str(&section.text());
    Ok(())
}

fn config(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    section.words_are(&["config"])?;
    section.is_before(&case.steps)?;
    case.config.push_str(&section.text());
    Ok(())
}

fn policy(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    section.words_are(&["policy"])?;
    section.has_no_body()?;
    case.is_policy = true;
    Ok(())
}

fn rows(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    let [_, table] = section.words[..] else { return Err(section.complain("write `== rows TABLE`")) };
    section.is_before(&case.steps)?;
    case.rows.push(Rows { table: table.to_owned(), text: section.text(), line: section.line + 1 });
    Ok(())
}

fn people(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    section.words_are(&["people"])?;
    for (at, line) in section.body.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut words = line.trim().splitn(3, ' ');
        let (Some(name), Some(role)) = (words.next(), words.next()) else {
            return Err(Complaint::new(section.line + 1 + at, "write `NAME ROLE CLAIMS`"));
        };
        let claims = words.next().unwrap_or("{}").trim();
        let inside = claims.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let inside = inside
            .ok_or_else(|| Complaint::new(section.line + 1 + at, "claims are a JSON object on one line"))?;
        case.people.push(Person { name: name.into(), role: role.into(), claims: inside.into() });
    }
    Ok(())
}

fn token(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    let [_, name] = section.words[..] else { return Err(section.complain("write `== token NAME`")) };
    let mut token = Token {
        name: name.to_owned(),
        header: String::new(),
        claims: String::new(),
        signature: Signature::None,
        line: section.line,
    };
    for (at, line) in section.body.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match line.trim().split_once(' ') {
            Some(("header", text)) => token.header = text.to_owned(),
            Some(("claims", text)) => token.claims = text.to_owned(),
            Some(("sign", words)) => token.signature = signature(words, section.line + 1 + at)?,
            _ => return Err(Complaint::new(section.line + 1 + at, "write `header …`, `claims …`, `sign …`")),
        }
    }
    case.tokens.push(token);
    Ok(())
}

fn signature(words: &str, line: usize) -> Result<Signature, Complaint> {
    match words.split_once(' ').unwrap_or((words, "")) {
        ("none", "") => Ok(Signature::None),
        ("project", "") => Ok(Signature::Project),
        ("secret", "") => Ok(Signature::Secret),
        ("public-keys", "") => Ok(Signature::PublicKeys),
        ("foreign", "") => Ok(Signature::Foreign),
        ("zero", "") => Ok(Signature::Zero),
        ("with", text) => Ok(Signature::Text(text.to_owned())),
        ("literal", text) => Ok(Signature::Literal(text.to_owned())),
        _ => Err(Complaint::new(
            line,
            "a signature is one of: none, project, secret, public-keys, foreign, zero, with TEXT, literal TEXT",
        )),
    }
}

fn skip(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    case.skips.push(capability(section)?);
    Ok(())
}

fn lacking(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    case.lacking = Some(capability(section)?);
    Ok(())
}

fn since(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    section.has_no_body()?;
    let shape = || section.complain("write `== since ENGINE RELEASE`, the release as a number");
    let [_, engine, release] = section.words[..] else { return Err(shape()) };
    is_engine(section, engine)?;
    case.since.push((engine.to_owned(), release.parse().map_err(|_| shape())?));
    Ok(())
}

fn is_engine(section: &Section<'_>, engine: &str) -> Result<(), Complaint> {
    if ENGINES.iter().any(|(known, _)| *known == engine) {
        return Ok(());
    }
    let known: Vec<&str> = ENGINES.iter().map(|(known, _)| *known).collect();
    let known = known.join(", ");
    Err(section.complain(format!("there is no engine `{engine}`; there are: {known}")))
}

/// An engine and a capability that it is known to lack.
fn capability(section: &Section<'_>) -> Result<Skip, Complaint> {
    section.has_no_body()?;
    let shape = || section.complain(format!("write `== {} ENGINE: CAPABILITY`", section.words[0]));
    let [_, engine, ..] = section.words[..] else { return Err(shape()) };
    let engine = engine.strip_suffix(':').ok_or_else(shape)?;
    let capability = section.words[2..].join(" ");
    is_engine(section, engine)?;
    if capability.is_empty() {
        return Err(shape());
    }
    if lacking::find(engine, &capability).is_none() {
        let message = format!("nothing says that {engine} lacks {capability}: `LACKING` has no such row");
        return Err(section.complain(message));
    }
    Ok(Skip { engine: engine.to_owned(), capability })
}

fn later(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    section.has_no_body()?;
    let seconds = match section.words[..] {
        [_, seconds] => seconds.parse().ok(),
        _ => None,
    };
    let seconds = seconds.ok_or_else(|| section.complain("write `== later SECONDS`"))?;
    case.steps.push(Step::Later { seconds });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, line: usize, words: &str) {
        let complaint = parse(text).unwrap_err();
        assert_eq!(complaint.line, line, "{complaint:?}");
        assert!(complaint.message.contains(words), "{complaint:?}");
    }

    const ASK: &str = "== request as anon\nGET /rest/v1/t\n";

    #[test]
    fn a_file_is_prose_and_sections() {
        let text = format!(
            "Why this is.\n\n== schema\ncreate table t (a int);\n\n== rows t\na\n1\n== people\ncarol admin {{\"sub\":\"x\"}}\n{ASK}"
        );
        let case = parse(&text).unwrap();
        assert_eq!(case.schema, "create table t (a int);\n");
        assert_eq!(case.rows[0], Rows { table: "t".into(), text: "a\n1\n".into(), line: 7 });
        assert_eq!(
            case.people,
            [Person { name: "carol".into(), role: "admin".into(), claims: "\"sub\":\"x\"".into() }]
        );
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        refused("== shcema\n", 1, "no section `shcema`; there are: schema, rows");
        refused("== schema now\n", 1, "`== schema`");
        refused("== rows\n", 1, "== rows TABLE");
        refused("== skip oracle: x\n", 1, "no engine `oracle`");
        refused("== since oracle 1\n", 1, "no engine `oracle`");
        refused("== since postgres 15.20\n", 1, "the release as a number");
        refused("== skip sqlite: speed\n", 1, "`LACKING` has no such row");
        refused("== skip sqlite:\n", 1, "== skip ENGINE: CAPABILITY");
        refused("== lacking sqlite: speed\n", 1, "`LACKING` has no such row");
        refused("== later soon\n", 1, "== later SECONDS");
        refused("== token t\nsign somehow\n", 2, "a signature is one of");
        refused("words only\n", 1, "asks something");
        refused("Why.\ncapabilities: database.query.rpc, x\n", 2, "no client has a capability `x`");
        refused("== policy\nx\n", 1, "has no body");
        refused(&format!("{ASK}== schema\n"), 3, "before the first request");
    }

    #[test]
    fn tokens_are_three_lines() {
        let text = format!("== token t\nheader {{}}\nclaims {{\"a\":1}}\nsign with a b\n{ASK}");
        let token = parse(&text).unwrap().tokens.remove(0);
        assert_eq!((token.header.as_str(), token.claims.as_str()), ("{}", "{\"a\":1}"));
        assert_eq!(token.signature, Signature::Text("a b".into()));
    }
}
