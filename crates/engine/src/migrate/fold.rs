//! Texts to catalogs: the points of a folder at which rows are touched, and its end.
//!
//! A declared schema is said in any order: a statement that needs what comes later is tried again. Migrations keep their order, and
//! each file is a session of its own. What is refused is passed over and told.

mod block;

use std::sync::Arc;

use catalog::build::Complaint;
use catalog::{Builder, Catalog, Outcome};
use query::Plan;
use query::resolve::Views;
use sql::ast::{AlterTableAction, ObjectName, Statement, StatementKind, TriggerMode};
use types::{Code, Error, Name, Result, Value};

use super::{File, Layout, Refusal, rows, session};
use block::Came;

/// Something that is done to rows.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The file that it stands in.
    pub file: Arc<str>,
    /// The line that it begins in.
    pub line: usize,
    /// What is done.
    pub doing: Doing,
    /// Where names are looked for.
    pub path: Arc<[Arc<str>]>,
    /// Statements of one name share a session.
    pub session: Arc<str>,
    /// Whose rights it has, where its file took on a role.
    pub role: Option<Arc<str>>,
    /// The catalog that it sees, where that is not its point's.
    pub sees: Option<Arc<Catalog>>,
}

/// What is done to rows.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are statements")]
pub enum Doing {
    /// A statement, as it is written.
    Statement(StatementKind),
    /// A statement of a block, with the values of its variables.
    Planned(Arc<Plan>, Arc<[Value]>),
}

/// A catalog, and what happens to rows when it is in force.
#[derive(Clone, Debug)]
pub struct Point {
    /// The catalog. Statements about rows ask for no relationships: only that of the end has its own.
    pub catalog: Arc<Catalog>,
    /// Statements about rows, in order.
    pub rows: Vec<Rows>,
}

/// What files say.
#[derive(Clone, Debug)]
pub struct Folded {
    /// Catalogs in order; the last is the end.
    pub points: Vec<Point>,
    /// The end.
    pub catalog: Arc<Catalog>,
    /// What was passed over.
    pub refused: Vec<Refusal>,
    /// What of a block could not run if the block came there.
    pub doubts: Vec<Refusal>,
    /// How many statements there were.
    pub statements: usize,
}

/// Folds files on a catalog; new objects belong to `owner`.
pub fn fold(base: &Arc<Catalog>, files: &[File], layout: Layout, owner: &str) -> Folded {
    let mut fold = Fold {
        owner,
        points: Vec::new(),
        refused: Vec::new(),
        doubts: Vec::new(),
        statements: 0,
        is_changed: true,
        settings: Vec::new(),
    };
    let catalog = match layout {
        Layout::Declared => fold.declared(base, files),
        Layout::Migrations => fold.migrations(base, files),
    };
    let Fold { points, refused, doubts, statements, .. } = fold;
    Folded { points, catalog, refused, doubts, statements }
}

/// Whether a text declares something besides what it does to rows.
pub(super) fn declares(text: &str) -> bool {
    let (statements, _) = sql::parse(text);
    statements.iter().any(|statement| {
        !matches!(
            statement.kind,
            StatementKind::Insert(_)
                | StatementKind::Update(_)
                | StatementKind::Delete(_)
                | StatementKind::Truncate { .. }
                | StatementKind::Query(_)
                | StatementKind::Set { .. }
                | StatementKind::SetConstraints { .. }
                | StatementKind::Reset(_)
                | StatementKind::Transaction(_)
        )
    })
}

/// What a statement does to rows, for whoever has them: a materialized view and a table of a query are filled, under the names
/// that they got.
fn about_rows(builder: &Builder<'_>, statement: StatementKind) -> StatementKind {
    let named = |name: ObjectName| match found(builder, &name) {
        Some(found) => {
            ObjectName { schema: Some(found.schema.to_string()), name: found.name.to_string(), ..name }
        }
        None => name,
    };
    match statement {
        StatementKind::CreateView(create) => {
            StatementKind::Refresh { name: named(create.name), with_data: true }
        }
        StatementKind::CreateTableAs { name, query, .. } => {
            let (name, query) = (sql::print::object_name(&named(name)), sql::print::query(&query));
            rows::parsed(&format!("insert into {name} {query}"))
        }
        other => other,
    }
}

/// The relation that a name means.
fn found(builder: &Builder<'_>, name: &ObjectName) -> Option<Name> {
    let catalog = builder.catalog();
    let known = |schema: &str| catalog.table(&Name::new(schema, name.name.as_str()));
    let table = match &name.schema {
        Some(schema) => known(schema),
        None => builder.path().iter().find_map(|schema| known(schema)),
    };
    table.map(|(_, table)| table.name.clone())
}

/// Whether a statement about rows leaves the catalog as it is.
fn is_about_rows_alone(statement: &StatementKind) -> bool {
    matches!(
        statement,
        StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Truncate { .. }
            | StatementKind::Query(_)
            | StatementKind::Do { .. }
            | StatementKind::Set { .. }
            | StatementKind::SetConstraints { .. }
            | StatementKind::Reset(_)
    )
}

struct Fold<'o> {
    owner: &'o str,
    points: Vec<Point>,
    refused: Vec<Refusal>,
    doubts: Vec<Refusal>,
    statements: usize,
    /// Whether the catalog may be another than that of the last point.
    is_changed: bool,
    /// Statements about settings for which none about rows came yet.
    settings: Vec<Rows>,
}

/// What a declared schema does to rows, in the order in which it is understood.
struct Noted<'f> {
    file: &'f File,
    statement: Statement,
    doing: Doing,
    /// How many triggers and rules there were.
    reacting: usize,
    role: Option<Arc<str>>,
}

/// What statements about rows meet at a table, by the table and its name.
enum Reacting {
    Trigger(Name, String),
    Rule(Name, Arc<str>),
    /// Triggers of a table were switched: how they are from then on, and whether its keys rest.
    Switched(Name, Vec<(Arc<str>, TriggerMode)>, bool),
}

impl Reacting {
    fn on(&self) -> &Name {
        let (Reacting::Trigger(on, _) | Reacting::Rule(on, _) | Reacting::Switched(on, ..)) = self;
        on
    }
}

/// The line that a statement begins in.
fn line_of(file: &File, statement: &Statement) -> usize {
    let before = file.text.get(..statement.span.start as usize).unwrap_or_default();
    1 + before.matches('\n').count()
}

impl Fold<'_> {
    fn parse(&mut self, file: &File) -> Vec<Statement> {
        let (statements, broken) = sql::parse(&file.text);
        self.statements += statements.len();
        self.refused.extend(broken.into_iter().map(|said| Refusal {
            file: file.name.clone(),
            span: said.span,
            error: Error::new(Code::SYNTAX, said.message),
        }));
        statements
    }

    fn refuse(&mut self, file: &File, statement: &Statement, error: Error) {
        self.refused.push(Refusal { file: file.name.clone(), span: statement.span, error });
    }

    fn doubt(&mut self, file: &File, statement: &Statement, doubts: Vec<(u32, Error)>) {
        let span = statement.span;
        let text = file.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let body = match &statement.kind {
            StatementKind::Do { body, .. } => text.find(body.as_str()).and_then(|at| u32::try_from(at).ok()),
            _ => None,
        };
        let body = body.unwrap_or_default();
        self.doubts.extend(doubts.into_iter().map(|(at, error)| {
            let start = span.start.saturating_add(body).saturating_add(at);
            Refusal { file: file.name.clone(), span: types::Span::new(start, span.end), error }
        }));
    }

    /// Passes over what waits for something until a pass gets nowhere.
    fn declared(&mut self, base: &Arc<Catalog>, files: &[File]) -> Arc<Catalog> {
        let mut builder = Builder::new(base.clone(), &Views).owned_by(self.owner);
        let mut waiting: Vec<(&File, Statement)> = Vec::new();
        for file in files {
            waiting.extend(self.parse(file).into_iter().map(|statement| (file, statement)));
        }
        let mut noted: Vec<Noted<'_>> = Vec::new();
        // Those of the project, as they were made.
        let mut reacting: Vec<Reacting> = Vec::new();
        loop {
            let before = waiting.len();
            let mut refused = Vec::new();
            for (file, statement) in waiting {
                match applied(&mut builder, &statement) {
                    Ok((doings, doubts)) => {
                        self.doubt(file, &statement, doubts);
                        reacting.extend(made(&builder, &statement.kind));
                        let role = session::taken_on(builder.role(), self.owner);
                        noted.extend(doings.into_iter().map(|(_, doing)| {
                            // What cannot run yet comes after everything else.
                            let is_early = checked(builder.catalog(), builder.path(), &doing).is_err();
                            let reacting = if is_early { usize::MAX } else { reacting.len() };
                            Noted { file, statement: statement.clone(), doing, reacting, role: role.clone() }
                        }));
                    }
                    Err(error) if Complaint::of(&error) == Complaint::Missing => {
                        refused.push((file, statement, error))
                    }
                    Err(error) => self.refuse(file, &statement, error),
                }
            }
            if refused.is_empty() || refused.len() == before {
                for (file, statement, error) in refused {
                    self.refuse(file, &statement, error);
                }
                break;
            }
            waiting = refused.into_iter().map(|(file, statement, _)| (file, statement)).collect();
        }
        let path: Arc<[Arc<str>]> = builder.path().into();
        builder.end_session();
        let catalog = Arc::new(builder.finish());
        let rows = self.rows_of(noted, &catalog, &path, &reacting);
        self.points.push(Point { catalog: catalog.clone(), rows });
        catalog
    }

    /// The rows of a declared schema: triggers and rules that were made after a statement are not for it.
    fn rows_of(
        &mut self,
        mut noted: Vec<Noted<'_>>,
        catalog: &Arc<Catalog>,
        path: &Arc<[Arc<str>]>,
        reacting: &[Reacting],
    ) -> Vec<Rows> {
        noted.sort_by_key(|noted| noted.reacting == usize::MAX);
        let mut rows = Vec::new();
        let mut seen: Option<(usize, Arc<Catalog>)> = None;
        for Noted { file, statement, doing, reacting: there, role } in noted {
            if let Err(error) = checked(catalog, path, &doing) {
                self.refuse(file, &statement, error);
                continue;
            }
            let (earlier, later) = reacting.split_at(there.min(reacting.len()));
            let sees = (!later.is_empty()).then(|| match &seen {
                Some((count, catalog)) if *count == there => catalog.clone(),
                _ => Arc::new(without(catalog, earlier, later)),
            });
            seen = sees.clone().map(|sees| (there, sees));
            let line = line_of(file, &statement);
            let file: Arc<str> = file.name.as_str().into();
            rows.push(Rows { file, line, doing, path: path.clone(), session: Arc::default(), role, sees });
        }
        rows
    }

    fn migrations(&mut self, base: &Arc<Catalog>, files: &[File]) -> Arc<Catalog> {
        let mut catalog = base.clone();
        for file in files {
            let statements = self.parse(file);
            let mut builder = Builder::new(catalog, &Views).owned_by(self.owner);
            for statement in statements {
                match applied(&mut builder, &statement) {
                    Ok((doings, doubts)) => {
                        self.doubt(file, &statement, doubts);
                        // What is only about rows leaves the catalog as it is.
                        self.is_changed |= doings.is_empty() || !is_about_rows_alone(&statement.kind);
                        let declares = doings.iter().any(|(at, _)| at.is_some());
                        for (at, doing) in doings {
                            self.touch(&builder, at, file, &statement, doing);
                        }
                        self.is_changed |= declares || matches!(statement.kind, StatementKind::Do { .. });
                    }
                    Err(error) => self.refuse(file, &statement, error),
                }
            }
            builder.end_session();
            self.settings.clear();
            self.is_changed = true;
            catalog = builder.pause();
        }
        let catalog = Arc::new(Builder::new(catalog, &Views).finish());
        self.points.push(Point { catalog: catalog.clone(), rows: Vec::new() });
        catalog
    }

    /// Notes what is done to rows, at the last point if nothing was declared since.
    fn touch(
        &mut self,
        builder: &Builder<'_>,
        at: Option<Arc<Catalog>>,
        file: &File,
        statement: &Statement,
        doing: Doing,
    ) {
        let path: Arc<[Arc<str>]> = builder.path().into();
        if let Err(error) = checked(at.as_deref().unwrap_or(builder.catalog()), &path, &doing) {
            return self.refuse(file, statement, error);
        }
        let name: Arc<str> = file.name.as_str().into();
        let role = session::taken_on(builder.role(), self.owner);
        let line = line_of(file, statement);
        let rows = Rows { file: name.clone(), line, doing, path, session: name, role, sees: None };
        if rows.is_of_session() {
            return self.settings.push(rows);
        }
        let rows = self.settings.drain(..).chain([rows]).collect::<Vec<_>>();
        let is_changed = std::mem::take(&mut self.is_changed) || at.is_some();
        let catalog = at.unwrap_or_else(|| builder.shared());
        match self.points.last_mut() {
            Some(point) if !is_changed || is_same(&point.catalog, &catalog) => point.rows.extend(rows),
            _ => self.points.push(Point { catalog, rows }),
        }
    }
}

/// Whether two catalogs say the same.
fn is_same(one: &Arc<Catalog>, other: &Arc<Catalog>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// What a statement made that statements about rows meet.
fn made(builder: &Builder<'_>, statement: &StatementKind) -> Option<Reacting> {
    match statement {
        StatementKind::CreateTrigger(create) => {
            Some(Reacting::Trigger(found(builder, &create.table)?, create.name.clone()))
        }
        StatementKind::CreateRule(create) => {
            let table = found(builder, &create.table)?;
            let (_, declared) = builder.catalog().table(&table)?;
            let (rule, _) = declared.rules.last()?;
            Some(Reacting::Rule(table, rule.clone()))
        }
        StatementKind::AlterTable(alter) => {
            let switches = |action: &AlterTableAction| matches!(action, AlterTableAction::Trigger { .. });
            alter.actions.iter().any(switches).then_some(())?;
            let (_, table) = builder.catalog().table(&found(builder, &alter.name)?)?;
            let modes = table.triggers.iter().map(|trigger| (trigger.name.clone(), trigger.mode));
            Some(Reacting::Switched(table.name.clone(), modes.collect(), table.keys_rest))
        }
        _ => None,
    }
}

/// A catalog in which triggers and rules are not there, and triggers are as they were.
fn without(catalog: &Catalog, earlier: &[Reacting], later: &[Reacting]) -> Catalog {
    let mut catalog = catalog.clone();
    for reacting in later {
        let Some(table) = catalog.tables.iter_mut().find(|table| table.name == *reacting.on()) else {
            continue;
        };
        match reacting {
            Reacting::Switched(..) => {
                let before = earlier.iter().rev().find_map(|known| match known {
                    Reacting::Switched(on, modes, rest) if *on == table.name => Some((&modes[..], *rest)),
                    Reacting::Switched(..) | Reacting::Trigger(..) | Reacting::Rule(..) => None,
                });
                let (modes, keys_rest) = before.unwrap_or((&[], false));
                table.keys_rest = keys_rest;
                for trigger in &mut table.triggers {
                    let known = modes.iter().find(|(name, _)| *name == trigger.name);
                    trigger.mode = known.map_or(TriggerMode::Enabled, |(_, mode)| *mode);
                }
            }
            Reacting::Trigger(_, name) => table.triggers.retain(|trigger| *trigger.name != **name),
            Reacting::Rule(_, name) => table.rules.retain(|(rule, _)| rule != name),
        }
    }
    catalog
}

/// What a statement does to rows, each with the catalog at that point where that is not the builder's; and what of a block could
/// not run if the block came there.
fn applied(builder: &mut Builder<'_>, statement: &Statement) -> Result<(Doings, Vec<(u32, Error)>)> {
    if session::settings(&statement.kind).is_some() {
        // A query only changes what it is about; `reset all` changes more.
        if !matches!(statement.kind, StatementKind::Query(_)) {
            builder.apply(statement).map_err(|said| said.error)?;
        }
        return Ok((vec![(None, Doing::Statement(statement.kind.clone()))], Vec::new()));
    }
    match builder.apply(statement).map_err(|said| said.error)? {
        Outcome::Data => {}
        Outcome::Applied | Outcome::Skipped(_) | Outcome::NotRunning(_) | Outcome::NoEffect => {
            return Ok((Vec::new(), Vec::new()));
        }
    }
    if let StatementKind::Query(_) = &statement.kind
        && let Some(came) = block::called(builder, &statement.kind)
    {
        return Ok(doings(came, &statement.kind));
    }
    let StatementKind::Do { body, .. } = &statement.kind else {
        let doing = Doing::Statement(about_rows(builder, statement.kind.clone()));
        return Ok((vec![(None, doing)], Vec::new()));
    };
    Ok(doings(block::interpreted(builder, body)?, &statement.kind))
}

/// What is done to rows, each with the catalog at that point where that is not the builder's.
type Doings = Vec<(Option<Arc<Catalog>>, Doing)>;

fn doings(came: Came, statement: &StatementKind) -> (Doings, Vec<(u32, Error)>) {
    match came {
        Came::AboutRows(doubts) => (vec![(None, Doing::Statement(statement.clone()))], doubts),
        Came::Declared(noted) => {
            (noted.into_iter().map(|(at, doing)| (Some(at), doing)).collect(), Vec::new())
        }
    }
}

/// Refuses what could not run.
fn checked(catalog: &Catalog, path: &[Arc<str>], doing: &Doing) -> Result<()> {
    match doing {
        // A block was looked at when it was interpreted; a statement of one was planned.
        Doing::Statement(StatementKind::Do { .. }) | Doing::Planned(..) => Ok(()),
        Doing::Statement(statement) => rows::check(catalog, path, statement),
    }
}
