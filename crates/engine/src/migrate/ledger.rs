//! The ledger: which files were applied, with their texts.

use std::any::Any;

use render::schema::{Ledger, LedgerEntry};
use sha2::{Digest, Sha256};
use types::session::Session;
use types::{Code, Error, Result, Type, Value};

use super::{File, Layout, Options, Sources};
use crate::{Engine, Values};

/// The layer of our services' schemas.
pub(super) const SYSTEM: &str = "system";
/// The layer of a declared schema.
pub(super) const SCHEMA: &str = "schema";
/// The layer of migrations.
pub(super) const MIGRATION: &str = "migration";
/// The layer of seeds.
pub(super) const SEED: &str = "seed";

/// The layer of the form in which schemas are stored.
pub(super) const FORMAT: &str = "format";

/// The number of this form. It grows when a version stores an unchanged schema otherwise (other names of functions in indexes,
/// other types of columns): the first start of that version then puts right what older ones stored.
const FORMAT_NUMBER: u32 = 3;

/// The form as an entry.
pub(super) fn format() -> LedgerEntry {
    let (layer, name) = (FORMAT.to_owned(), FORMAT_NUMBER.to_string());
    LedgerEntry { layer, hash: hash(&name), text: String::new(), name }
}

/// Refuses what a newer version stored.
pub(super) fn readable(state: &State) -> Result<()> {
    let numbers =
        state.files.iter().filter(|file| file[0] == FORMAT).filter_map(|file| file[1].parse::<u32>().ok());
    match numbers.max() {
        Some(number) if number > FORMAT_NUMBER => {
            let message = "the database was made by a newer version of Backplane";
            Err(Error::new(Code::OBJECT_STATE, message).with_hint("Use that version, or one after it."))
        }
        Some(_) | None => Ok(()),
    }
}

/// What the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Layer, name and hash of each file, in the order in which they were applied.
    pub files: Vec<[String; 3]>,
}

impl State {
    /// Whether nothing was ever applied.
    pub fn is_new(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether exactly these files were applied; seeds only need to be among them.
    pub(super) fn is_same(&self, sources: &Sources) -> bool {
        let wanted = |layer, files: &[File]| {
            files
                .iter()
                .map(|file| [String::from(layer), file.name.clone(), hash(&file.text)])
                .collect::<Vec<_>>()
        };
        let schema = layer_of(sources.layout);
        let [system, declared] = [wanted(SYSTEM, &sources.system), wanted(schema, &sources.schema)];
        let known =
            |name: &str| self.files.iter().filter(|file| file[0] == name).cloned().collect::<Vec<_>>();
        let other = if schema == SCHEMA { MIGRATION } else { SCHEMA };
        self.knows(FORMAT, &format().name)
            && known(SYSTEM) == system
            && known(schema) == declared
            && known(other).is_empty()
            && sources.seeds.iter().all(|seed| self.has_seed(seed))
    }

    /// Whether a seed ran, and declares nothing that it did not declare then.
    fn has_seed(&self, seed: &File) -> bool {
        let known = self.files.iter().find(|file| file[0] == SEED && file[1] == seed.name);
        known.is_some_and(|known| known[2] == hash(&seed.text) || !super::fold::declares(&seed.text))
    }

    fn knows(&self, layer: &str, name: &str) -> bool {
        self.files.iter().any(|file| file[0] == layer && file[1] == name)
    }
}

/// The layer of a project's files.
pub(super) fn layer_of(layout: Layout) -> &'static str {
    match layout {
        Layout::Declared => SCHEMA,
        Layout::Migrations => MIGRATION,
    }
}

/// What identifies a text.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file as an entry.
pub(super) fn entry(layer: &str, file: &File) -> LedgerEntry {
    let (name, text) = (file.name.clone(), file.text.to_string());
    LedgerEntry { layer: layer.to_owned(), name, hash: hash(&file.text), text }
}

/// Reads what the ledger says.
pub(super) async fn read(engine: &dyn Engine, options: &Options) -> Result<State> {
    let found = ask(engine, Ledger::Find, options, &[Type::Int8]).await?;
    let is_there = matches!(found.first().and_then(|row| row.first()), Some(Value::Int(1)));
    if !is_there {
        return Ok(State::default());
    }
    let rows = ask(engine, Ledger::Hashes, options, &[Type::Text, Type::Text, Type::Text]).await?;
    Ok(State { files: rows.into_iter().map(texts_of).collect::<Result<_>>()? })
}

/// Reads the texts of the entries.
pub(super) async fn texts(engine: &dyn Engine, state: &State, options: &Options) -> Result<Vec<LedgerEntry>> {
    if state.is_new() {
        return Ok(Vec::new());
    }
    let rows = ask(engine, Ledger::Texts, options, &[Type::Text, Type::Text, Type::Text]).await?;
    let entry = |row| {
        let [layer, name, text] = texts_of(row)?;
        Ok(LedgerEntry { layer, name, hash: hash(&text), text })
    };
    rows.into_iter().map(entry).collect()
}

async fn ask(
    engine: &dyn Engine,
    ledger: Ledger<'_>,
    options: &Options,
    types: &[Type],
) -> Result<Vec<Vec<Value>>> {
    let session = Session::utc((options.clock)());
    let command = engine.dialect().schema().ledger(ledger, &session);
    let sink = Box::new(Values::of(types.iter().cloned()));
    let sink: Box<dyn Any> = engine.read(vec![command], sink, crate::Run::of_system(options.timeout)).await?;
    let values = sink.downcast::<Values>().map_err(|_| Error::internal("another sink came back"))?;
    Ok(values.into_rows())
}

fn texts_of(row: Vec<Value>) -> Result<[String; 3]> {
    let texts = row.into_iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    });
    texts.collect::<Vec<_>>().try_into().map_err(|_| Error::internal("a row of the ledger"))
}
