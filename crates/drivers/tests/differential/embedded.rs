//! Our side: the same SQL text, resolved, computed in memory and on SQLite.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::{Catalog, ColumnId, TableId};
use drivers::sqlite::{Options, Sqlite};
use engine::{Engine, Run, Sink, Transaction};
use query::eval::{NoRow, Row, Scope, eval, is_true};
use query::{Caller, Expr, Model, Query, Read, Source, SourceId, authorize, resolve};
use render::{Bindings, Command};
use types::session::Session;
use types::stored::{Cell, decode};
use types::{Code, Error, Limits, Name, Result, Type, Value, compare, text};

use super::Outcome;

/// Long enough for any expression; one that hangs is a failure.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A database with one table of values.
pub(crate) struct Embedded {
    pub(crate) model: Model,
    table: TableId,
    rows: Vec<Vec<Value>>,
    sqlite: Sqlite,
    runtime: tokio::runtime::Runtime,
    caller: Caller,
    session: Session,
    folder: std::path::PathBuf,
}

/// One query's answers.
pub(crate) struct Answers {
    /// In memory; `None` for what only an engine does.
    pub(crate) memory: Option<Outcome>,
    /// By SQLite.
    pub(crate) sqlite: Outcome,
    /// The functions and aggregates that the query uses, by their symbols.
    pub(crate) uses: Vec<String>,
}

impl Embedded {
    /// A new database with the table `v` of a schema, filled with texts of values.
    pub(crate) fn open(schema: &str, rows: &[Vec<Option<String>>], now: i64) -> Embedded {
        let catalog = catalog_of(schema);
        let table = catalog.ids().find(|id| catalog[*id].name == Name::new("public", "v")).unwrap();
        let session = Session::utc(now);
        let value = |row: &Vec<Option<String>>| -> Vec<Value> {
            let cells = row.iter().zip(&catalog[table].columns);
            cells
                .map(|(cell, column)| match cell {
                    None => Value::Null,
                    Some(written) => {
                        let value = text::parse(&column.ty, written, &session);
                        value.unwrap_or_else(|error| panic!("{written} as {:?}: {error}", column.ty))
                    }
                })
                .collect()
        };
        let rows = rows.iter().map(value).collect();
        let folder = std::env::temp_dir().join(format!("backplane-differential-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let sqlite = Sqlite::open(&Options {
            path: folder.join("data.db"),
            readers: 1,
            write_queue_max: 8,
            value_bytes_max: 64 << 20,
            sleep_max: Duration::from_secs(1),
            random: Arc::new(|bytes| bytes.fill(7)),
            clock: Arc::new(move || now),
        })
        .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let caller = Caller::role("postgres");
        let model = Model::new(Arc::new(catalog));
        let embedded = Embedded { model, table, rows, sqlite, runtime, caller, session, folder };
        embedded.fill();
        embedded
    }

    fn bindings(&self) -> Bindings<'_> {
        Bindings { caller: &self.caller, session: &self.session, parameters: &[], written: &[], given: &[] }
    }

    fn fill(&self) {
        let table = &self.model.catalog[self.table];
        let columns = table.columns.iter().map(|column| {
            let collation = render::sqlite::collation(&column.ty).map(|name| format!(" COLLATE {name}"));
            format!("{} ANY{}", render::sqlite::quote(&column.name), collation.unwrap_or_default())
        });
        let columns: Vec<String> = columns.collect();
        let name = render::sqlite::quote(&render::sqlite::table_name(&table.name));
        let create = Command {
            text: format!("CREATE TABLE {name} ({}) STRICT", columns.join(", ")).into(),
            parameters: Vec::new(),
            session: self.session.clone(),
            outputs: Arc::from([]),
            counts_changes: false,
            calls: false,
        };
        let insert = |row: &Vec<Value>| {
            let rows = std::slice::from_ref(row);
            render::sqlite::insert(&self.model.catalog, self.table, rows, &self.bindings()).unwrap()
        };
        let commands: Vec<Command> = std::iter::once(create).chain(self.rows.iter().map(insert)).collect();
        let job: engine::Job = Box::new(move |transaction: &mut dyn Transaction| {
            Box::pin(async move {
                for command in &commands {
                    transaction.run(command, 0, &mut Cells::default()).await?;
                }
                Ok(())
            })
        });
        self.runtime.block_on(self.sqlite.migrate(job, TIMEOUT)).unwrap();
    }

    /// Answers a query of one column.
    pub(crate) fn answer(&self, sql: &str) -> Answers {
        let read = match self.resolved(sql) {
            Ok(read) => read,
            Err(error) => {
                let refused = Outcome::error(&error);
                return Answers { memory: None, sqlite: refused, uses: Vec::new() };
            }
        };
        let mut uses = Vec::new();
        query::visit::deep_read(&read, &mut |expr| match expr {
            Expr::Apply { function, .. } => uses.push(function.symbol()),
            Expr::Aggregate { aggregate, .. } => uses.push(aggregate.symbol()),
            _ => {}
        });
        let memory = self.in_memory(&read);
        Answers { memory, sqlite: self.by_sqlite(&read).unwrap_or_else(|error| Outcome::error(&error)), uses }
    }

    /// What a query means, before anybody has looked at rights.
    pub(crate) fn meant(&self, sql: &str) -> Result<Query> {
        let (statements, diagnostics) = sql::parse(sql);
        if let Some(diagnostic) = diagnostics.first() {
            return Err(Error::new(Code::SYNTAX, diagnostic.message.clone()));
        }
        resolve::statement(&self.model.catalog, &statements[0].kind, &[])
    }

    fn resolved(&self, sql: &str) -> Result<Read> {
        let authorized = authorize(self.meant(sql)?, &self.caller, &self.model, &Limits::default())?;
        match authorized.get() {
            Query::Read(read) => Ok(read.clone()),
            Query::Write(_) => Err(Error::internal("a write")),
        }
    }

    fn by_sqlite(&self, read: &Read) -> Result<Outcome> {
        let command = render::sqlite::read(&self.model.catalog, read, &self.bindings())?;
        let ty = command.outputs[0].1.clone();
        let rows: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let sink = Box::new(Cells { ty: Some(ty), session: Some(self.session.clone()), rows: rows.clone() });
        let done = self.runtime.block_on(self.sqlite.read(vec![command], sink, Run::of_system(TIMEOUT)));
        done.map_err(Error::from)?;
        let rows = std::mem::take(&mut *rows.lock().unwrap());
        Ok(Outcome::Rows(rows))
    }

    /// What `eval` makes of a select without groups; `None` for other reads.
    fn in_memory(&self, read: &Read) -> Option<Outcome> {
        let has_aggregate = read.outputs.iter().any(|output| query::has_aggregate(&output.expr));
        if has_aggregate || !read.group.is_empty() || read.distinct {
            return None;
        }
        let outcome = match &read.from {
            Source::Unit => self.computed(&read.outputs[0].expr, &NoRow).map(|value| vec![value]),
            Source::Table { id, .. } => self.selected(read, *id),
            _ => return None,
        };
        let ty = read.outputs[0].expr.ty();
        let shown = |value: Value| (!value.is_null()).then(|| text::print(&ty, &value, &self.session));
        Some(match outcome {
            Ok(values) => Outcome::Rows(values.into_iter().map(shown).collect()),
            Err(error) => Outcome::error(&error),
        })
    }

    fn computed(&self, expr: &Expr, row: &dyn Row) -> Result<Value> {
        let now = self.session.now;
        let clock = || now;
        let mut random = |bytes: &mut [u8]| bytes.fill(7);
        let scope = &mut Scope {
            caller: &self.caller,
            params: &[],
            session: &self.session,
            random: &mut random,
            clock: &clock,
        };
        eval(expr, row, scope)
    }

    fn selected(&self, read: &Read, id: SourceId) -> Result<Vec<Value>> {
        let mut found: Vec<(Vec<Value>, Value)> = Vec::new();
        for cells in &self.rows {
            let row = StoredRow { id, cells };
            if let Some(filter) = &read.filter
                && !is_true(&self.computed(filter, &row)?)
            {
                continue;
            }
            let keys = read.order.iter().map(|key| self.computed(&key.expr, &row));
            let keys = keys.collect::<Result<Vec<_>>>()?;
            found.push((keys, self.computed(&read.outputs[0].expr, &row)?));
        }
        found.sort_by(|(left, _), (right, _)| ordered(read, left, right));
        Ok(found.into_iter().map(|(_, value)| value).collect())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn ordered(read: &Read, left: &[Value], right: &[Value]) -> Ordering {
    let orders = read.order.iter().zip(left.iter().zip(right)).map(|(key, (left, right))| {
        let nulls = |null: bool| if null == key.nulls_first { Ordering::Less } else { Ordering::Greater };
        match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => nulls(true),
            (false, true) => nulls(false),
            (false, false) if key.descending => compare::compare(&key.expr.ty(), right, left),
            (false, false) => compare::compare(&key.expr.ty(), left, right),
        }
    });
    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// A row of the table.
struct StoredRow<'a> {
    id: SourceId,
    cells: &'a [Value],
}

impl Row for StoredRow<'_> {
    fn column(&self, source: SourceId, column: ColumnId) -> Result<Value> {
        let cell = self.cells.get(usize::from(column.0)).filter(|_| source == self.id);
        cell.cloned().ok_or_else(|| Error::internal("a column of another table"))
    }
}

fn catalog_of(schema: &str) -> Catalog {
    let (statements, diagnostics) = sql::parse(schema);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let mut builder = catalog::Builder::new(catalog::builtin(), &resolve::Views).owned_by("postgres");
    for statement in &statements {
        builder.apply(statement).unwrap_or_else(|complaint| panic!("{:?}", complaint.error));
    }
    builder.finish()
}

/// The texts of the only column of each row.
#[derive(Default)]
struct Cells {
    ty: Option<Type>,
    session: Option<Session>,
    rows: Arc<Mutex<Vec<Option<String>>>>,
}

impl Sink for Cells {
    fn row(&mut self, _: usize, cells: &[Cell<'_>]) -> Result<()> {
        let (Some(ty), Some(session)) = (&self.ty, &self.session) else { return Ok(()) };
        let value = decode(ty, cells[0])?;
        let shown = (!value.is_null()).then(|| text::print(ty, &value, session));
        self.rows.lock().unwrap().push(shown);
        Ok(())
    }

    fn restart(&mut self) {
        self.rows.lock().unwrap().clear();
    }
}
