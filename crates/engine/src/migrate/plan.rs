//! What is to be done: the files against what the ledger says.
//!
//! Pure. Between two points at which rows are touched there is one difference, so that what came and went between them never
//! exists.

use std::fmt;
use std::sync::Arc;

use catalog::Catalog;
use catalog::migration::{Migration, migrate};
use query::Model;
use render::schema::LedgerEntry;
use types::{Code, Error, Result};

use super::fold::{Folded, Point, Rows, fold};
use super::ledger::{FORMAT, MIGRATION, SCHEMA, SEED, SYSTEM, entry, format, layer_of};
use super::{File, Layout, Refusal, Sources};

/// The owner of our services' tables.
const SYSTEM_OWNER: &str = "supabase_auth_admin";

/// The owner of a project's tables.
const OWNER: &str = "postgres";

/// What applying would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// Changes of the schema with what happens to rows after each.
    pub(super) stages: Vec<Stage>,
    /// The model at the end, where an older version stored it otherwise.
    pub(super) settle: Option<Arc<Model>>,
    /// Layers that the ledger forgets.
    pub(super) forget: Vec<&'static str>,
    /// What the ledger notes.
    pub(super) entries: Vec<LedgerEntry>,
    /// What is worth knowing: a sentence each.
    pub notes: Vec<String>,
    /// Statements that are passed over.
    pub refused: Vec<Refusal>,
    /// The catalog in force at the end where it is not what the files say.
    pub catalog: Option<Arc<Catalog>>,
}

/// One change of the schema, and what happens to rows after it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) from: Arc<Model>,
    pub(super) to: Arc<Model>,
    pub(super) migration: Migration,
    pub(super) rows: Vec<Rows>,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.entries.is_empty() && self.forget.is_empty()
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &catalog::migration::Step> {
        self.stages.iter().flat_map(|stage| &stage.migration.steps)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stage in &self.stages {
            write!(f, "{}", stage.migration)?;
            match stage.rows.len() {
                0 => {}
                1 => writeln!(f, "Run 1 statement about rows.")?,
                many => writeln!(f, "Run {many} statements about rows.")?,
            }
        }
        Ok(())
    }
}

/// Compares sources with the entries of the ledger.
pub(super) fn plan(sources: &Sources, stored: &[LedgerEntry]) -> Result<Plan> {
    let system = fold(&sources.base, &sources.system, Layout::Declared, SYSTEM_OWNER);
    let mut plan = Plan { refused: system.refused.clone(), ..Plan::default() };
    let before = Before::of(sources, stored, &system)?;
    let current = before.current.clone();
    let mut points = match sources.layout {
        Layout::Declared => plan.declared(sources, stored, &system),
        Layout::Migrations => plan.migrations(sources, stored, (&system, &before))?,
    };
    plan.forget.extend([FORMAT, SYSTEM]);
    plan.entries.push(format());
    plan.entries.splice(0..0, sources.system.iter().map(|file| entry(SYSTEM, file)));
    plan.seeds(sources, stored, &mut points)?;
    let (stages, end) = stages(current, points);
    plan.stages = stages;
    let is_known = stored.iter().any(|entry| entry.layer == FORMAT && entry.name == format().name);
    plan.settle = (!is_known && !stored.is_empty()).then_some(end);
    Ok(plan)
}

/// The catalog in force, folded again from what was applied.
struct Before {
    current: Arc<Catalog>,
    /// The same without what seeds declare.
    schema: Arc<Catalog>,
    /// Whether our services' schemas are what they were.
    same_system: bool,
}

impl Before {
    fn of(sources: &Sources, stored: &[LedgerEntry], system: &Folded) -> Result<Before> {
        let of = |layer| files(stored, layer);
        let old_system = of(SYSTEM);
        let same_system = old_system == sources.system;
        let base = if same_system {
            system.catalog.clone()
        } else {
            fold(&sources.base, &old_system, Layout::Declared, SYSTEM_OWNER).catalog
        };
        let (declared, migrations) = (of(SCHEMA), of(MIGRATION));
        let current = match (declared.is_empty(), migrations.is_empty()) {
            (true, false) => fold(&base, &migrations, Layout::Migrations, OWNER).catalog,
            (_, true) => fold(&base, &declared, Layout::Declared, OWNER).catalog,
            (false, false) => {
                return Err(Error::internal("a ledger of a declared schema and of migrations"));
            }
        };
        let seeds = of(SEED);
        let schema = current.clone();
        let current = match seeds.is_empty() {
            true => current,
            false => fold(&current, &seeds, Layout::Migrations, OWNER).catalog,
        };
        Ok(Before { current, schema, same_system })
    }
}

fn files(stored: &[LedgerEntry], layer: &str) -> Vec<File> {
    let entries = stored.iter().filter(|entry| entry.layer == layer);
    entries.map(|entry| File { name: entry.name.clone(), text: entry.text.as_str().into() }).collect()
}

impl Plan {
    /// The declared end. Its statements about rows run when the database is made.
    fn declared(&mut self, sources: &Sources, stored: &[LedgerEntry], system: &Folded) -> Vec<Point> {
        let mut folded = fold(&system.catalog, &sources.schema, Layout::Declared, OWNER);
        self.refused.append(&mut folded.refused);
        self.forget.extend([SCHEMA, MIGRATION]);
        self.entries.extend(sources.schema.iter().map(|file| entry(SCHEMA, file)));
        if !files(stored, SCHEMA).is_empty() || !files(stored, MIGRATION).is_empty() {
            for point in &mut folded.points {
                if let Some(rows) = point.rows.first() {
                    self.notes.push(format!(
                        "{} holds statements about rows: they ran when the database was made and do not run again.",
                        rows.file
                    ));
                    point.rows.clear();
                }
            }
        }
        folded.points
    }

    /// The migrations that were not applied, on those that were.
    fn migrations(
        &mut self,
        sources: &Sources,
        stored: &[LedgerEntry],
        (system, before): (&Folded, &Before),
    ) -> Result<Vec<Point>> {
        if !files(stored, SCHEMA).is_empty() {
            let message = "the database was made from a declared schema, and the project has migrations";
            return Err(Error::new(Code::OBJECT_STATE, message)
                .with_hint("Go on with a declared schema, or start with a new database."));
        }
        let applied = files(stored, MIGRATION);
        let pending = pending(&applied, &sources.schema)?;
        let known = if before.same_system {
            before.schema.clone()
        } else {
            fold(&system.catalog, &applied, Layout::Migrations, OWNER).catalog
        };
        let mut folded = fold(&known, pending, Layout::Migrations, OWNER);
        self.refused.append(&mut folded.refused);
        self.entries.extend(pending.iter().map(|file| entry(MIGRATION, file)));
        let edited: Vec<&str> = applied
            .iter()
            .zip(&sources.schema)
            .filter(|(applied, file)| applied.text != file.text)
            .map(|(applied, _)| &*applied.name)
            .collect();
        if !edited.is_empty() {
            self.catalog = Some(folded.catalog.clone());
            let note =
                |name| format!("migration {name} was edited after it was applied: the edit has no effect.");
            self.notes.extend(edited.into_iter().map(note));
        }
        let mut points = vec![Point { catalog: known, rows: Vec::new() }];
        points.append(&mut folded.points);
        Ok(points)
    }

    /// Seeds, at the end: what they declare is declared, what they do to rows is done once.
    fn seeds(&mut self, sources: &Sources, stored: &[LedgerEntry], points: &mut Vec<Point>) -> Result<()> {
        if sources.seeds.is_empty() {
            return Ok(());
        }
        let end = points.last().ok_or_else(|| Error::internal("a schema without an end"))?.catalog.clone();
        let known = files(stored, SEED);
        let is_new = |name: &str| known.iter().all(|known| known.name != name);
        let mut folded = fold(&end, &sources.seeds, Layout::Migrations, OWNER);
        self.refused.append(&mut folded.refused);
        for point in &mut folded.points {
            point.rows.retain(|rows| is_new(&rows.file));
        }
        points.append(&mut folded.points);
        if self.catalog.is_some() {
            self.catalog = Some(folded.catalog);
        }
        if known.iter().any(|known| sources.seeds.iter().any(|seed| seed.name == known.name && seed != known))
        {
            self.forget.push(SEED);
            self.entries.extend(sources.seeds.iter().map(|file| entry(SEED, file)));
        } else {
            let new = sources.seeds.iter().filter(|seed| is_new(&seed.name));
            self.entries.extend(new.map(|file| entry(SEED, file)));
        }
        Ok(())
    }
}

/// The files after those that were applied.
fn pending<'f>(applied: &[File], files: &'f [File]) -> Result<&'f [File]> {
    for (position, known) in applied.iter().enumerate() {
        let message = match files.get(position) {
            Some(file) if file.name == known.name => continue,
            Some(file) if applied.iter().all(|known| known.name != file.name) => {
                format!("migration {} comes before {}, which is applied already", file.name, known.name)
            }
            _ => format!("migration {} is applied, and the project has none of this name", known.name),
        };
        return Err(Error::new(Code::OBJECT_STATE, message)
            .with_hint("Migrations are applied in order: a new one gets a greater number."));
    }
    Ok(files.get(applied.len()..).unwrap_or_default())
}

/// One stage for each point at which rows are touched, and one for the end; and the model at the end.
fn stages(current: Arc<Catalog>, points: Vec<Point>) -> (Vec<Stage>, Arc<Model>) {
    let last = points.len().saturating_sub(1);
    let mut from = Arc::new(Model::by_need(current));
    let mut stages = Vec::new();
    for (position, point) in points.into_iter().enumerate() {
        if point.rows.is_empty() && position < last {
            continue;
        }
        let to = Arc::new(Model::by_need(point.catalog));
        let migration = migrate(&from.catalog, &to.catalog);
        if !migration.is_empty() || !point.rows.is_empty() {
            stages.push(Stage { from, to: to.clone(), migration, rows: point.rows });
        }
        from = to;
    }
    (stages, from)
}

/// The layer of the project's files, for those who print it.
impl Sources {
    /// What the ledger calls the project's files.
    pub fn layer(&self) -> &'static str {
        layer_of(self.layout)
    }
}
