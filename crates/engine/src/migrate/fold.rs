//! Texts to catalogs: the points of a folder at which rows are touched, and its end.
//!
//! A declared schema is said in any order: a statement that needs what comes later is tried again. Migrations keep their order, and
//! each file is a session of its own. What is refused is passed over and told.

use std::sync::Arc;

use catalog::build::Complaint;
use catalog::{Builder, Catalog, Outcome};
use query::resolve::Views;
use sql::ast::{Statement, StatementKind};
use types::{Code, Error};

use super::rows::is_setting;
use super::{File, Layout, Refusal};

/// A statement about rows.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The file that it stands in.
    pub file: Arc<str>,
    /// The statement.
    pub statement: StatementKind,
}

/// A catalog, and what happens to rows when it is in force.
#[derive(Clone, Debug)]
pub struct Point {
    /// The catalog.
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
}

/// Folds files on a catalog; new objects belong to `owner`.
pub fn fold(base: &Catalog, files: &[File], layout: Layout, owner: &str) -> Folded {
    let mut fold = Fold { points: Vec::new(), refused: Vec::new() };
    let catalog = match layout {
        Layout::Declared => fold.declared(base, files, owner),
        Layout::Migrations => fold.migrations(base, files, owner),
    };
    Folded { points: fold.points, catalog, refused: fold.refused }
}

/// Statements about rows of seeds.
pub(super) fn seeds(files: &[File]) -> (Vec<Rows>, Vec<Refusal>) {
    let mut fold = Fold { points: Vec::new(), refused: Vec::new() };
    let mut rows = Vec::new();
    for file in files {
        let name: Arc<str> = file.name.as_str().into();
        for statement in fold.parse(file) {
            match statement.kind {
                _ if is_setting(&statement.kind) => {}
                StatementKind::Insert(_)
                | StatementKind::Update(_)
                | StatementKind::Delete(_)
                | StatementKind::Query(_)
                | StatementKind::AlterSequence { .. }
                | StatementKind::Truncate { .. } => {
                    rows.push(Rows { file: name.clone(), statement: statement.kind });
                }
                StatementKind::Transaction(_) | StatementKind::Set { .. } | StatementKind::Reset(_) => {}
                _ => fold.refuse(
                    file,
                    &statement,
                    Error::missing("anything but statements about rows in a seed"),
                ),
            }
        }
    }
    (rows, fold.refused)
}

/// What a statement does to rows: a materialized view that is made is filled.
fn about_rows(statement: StatementKind) -> StatementKind {
    match statement {
        StatementKind::CreateView(create) => StatementKind::Refresh { name: create.name, with_data: true },
        other => other,
    }
}

struct Fold {
    points: Vec<Point>,
    refused: Vec<Refusal>,
}

impl Fold {
    fn parse(&mut self, file: &File) -> Vec<Statement> {
        let (statements, broken) = sql::parse(&file.text);
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

    /// Passes over what waits for something until a pass gets nowhere.
    fn declared(&mut self, base: &Catalog, files: &[File], owner: &str) -> Arc<Catalog> {
        let mut builder = Builder::new(base.clone(), &Views).owned_by(owner);
        let mut rows = Vec::new();
        let mut waiting: Vec<(&File, Statement)> = Vec::new();
        for file in files {
            waiting.extend(self.parse(file).into_iter().map(|statement| (file, statement)));
        }
        loop {
            let before = waiting.len();
            let mut refused = Vec::new();
            for (file, statement) in waiting {
                match builder.apply(&statement) {
                    Ok(Outcome::Data) => {
                        rows.push(Rows {
                            file: file.name.as_str().into(),
                            statement: about_rows(statement.kind),
                        });
                    }
                    Ok(_) => {}
                    Err(said) if said.complaint == Complaint::Missing => {
                        refused.push((file, statement, said.error))
                    }
                    Err(said) => self.refuse(file, &statement, said.error),
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
        let catalog = Arc::new(builder.finish());
        self.points.push(Point { catalog: catalog.clone(), rows });
        catalog
    }

    fn migrations(&mut self, base: &Catalog, files: &[File], owner: &str) -> Arc<Catalog> {
        let mut catalog = base.clone();
        for file in files {
            let statements = self.parse(file);
            let mut builder = Builder::new(catalog, &Views).owned_by(owner);
            for statement in statements {
                match builder.apply(&statement) {
                    Ok(Outcome::Data) => self.touch(&builder, file, about_rows(statement.kind)),
                    Ok(_) => {}
                    Err(said) => self.refuse(file, &statement, said.error),
                }
            }
            catalog = builder.finish();
        }
        let catalog = Arc::new(catalog);
        self.points.push(Point { catalog: catalog.clone(), rows: Vec::new() });
        catalog
    }

    /// Notes a statement about rows, at the last point if nothing was declared since.
    fn touch(&mut self, builder: &Builder<'_>, file: &File, statement: StatementKind) {
        let rows = Rows { file: file.name.as_str().into(), statement };
        let snapshot = builder.snapshot();
        match self.points.last_mut() {
            Some(point) if *point.catalog == snapshot => point.rows.push(rows),
            _ => self.points.push(Point { catalog: Arc::new(snapshot), rows: vec![rows] }),
        }
    }
}
