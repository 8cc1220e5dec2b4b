//! Indexes: of keys, of unique constraints, and those that only make reads fast.
//!
//! A unique index that cannot be stored is refused, another one is left out: no answer depends on it.

use catalog::{Catalog, ColumnId, Index, IndexKey, Table, Unique};
use query::functions::Volatility;
use query::{Expr, Source, Subquery, resolve, visit};
use types::session::Session;
use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::{alone, exclusion, kept, plain, stored_name};
use crate::schema::{KeyWords, Task, Test, duplicated};
use crate::sqlite::names::{NULLS, collation, index_name, is_kept_alike, native_equality, quote};

/// Access methods whose indexes hold one entry for a key, in an order.
const ORDERED: [&str; 2] = ["btree", "hash"];

/// What becomes of an index.
pub(super) enum Fate {
    /// Statements that make it: its stored name and text each.
    Stored(Vec<(String, String)>),
    /// It is left out; why.
    LeftOut(String),
}

/// One key of an index, as text.
struct Key {
    text: String,
    /// What stands for null among its values: a value of another kind.
    null: &'static str,
    collation: Option<&'static str>,
    descending: bool,
    column: Option<ColumnId>,
}

/// Makes an index, by name.
pub(super) fn create(catalog: &Catalog, table: &Table, name: &str, session: &Session) -> Result<Vec<Task>> {
    let fate = match table.indexes.iter().find(|index| &*index.name == name) {
        Some(index) => of_index(catalog, table, index, session)?,
        None => {
            let mut constraints = table.primary_key.iter().chain(&table.uniques);
            let unique = constraints.find(|unique| &*unique.name == name);
            of_unique(catalog, table, unique.ok_or_else(|| Error::internal(format!("index {name}")))?)?
        }
    };
    let Fate::Stored(texts) = fate else { return Ok(Vec::new()) };
    let deferrable = deferrable(table, name);
    let is_unique =
        deferrable.is_none() && table.indexes.iter().all(|index| &*index.name != name || index.unique);
    let tasks = texts.into_iter().map(|(_, text)| task(table, name, is_unique, text, session));
    let mut tasks = tasks.collect::<Result<Vec<_>>>()?;
    if let Some(unique) = deferrable {
        let nulls = if unique.nulls_not_distinct { Nulls::Equal } else { Nulls::Distinct };
        let test = duplicates(table, (name, &unique.columns), nulls, session)?;
        tasks.push(Task::Refuse(Box::new(test)));
    }
    Ok(tasks)
}

/// A key of this name whose rows may be equal for a while: its index is one that only finds them.
fn deferrable<'t>(table: &'t Table, name: &str) -> Option<&'t Unique> {
    let mut constraints = table.primary_key.iter().chain(&table.uniques);
    constraints.find(|unique| &*unique.name == name && unique.deferrable)
}

/// Makes an index of a table that may have rows, which an exclusion constraint may refuse.
pub(super) fn add(catalog: &Catalog, table: &Table, name: &str, session: &Session) -> Result<Vec<Task>> {
    let mut tasks = create(catalog, table, name, session)?;
    if let Some(index) = table.indexes.iter().find(|index| index.is_exclusion() && &*index.name == name) {
        tasks.push(exclusion::test(catalog, table, index, session)?);
    }
    Ok(tasks)
}

fn task(table: &Table, name: &str, is_unique: bool, text: String, session: &Session) -> Result<Task> {
    let command = plain(text, session);
    if !is_unique {
        return Ok(Task::Run(command));
    }
    let test = match constraint_columns(table, name) {
        Some(columns) => duplicates(table, (name, &columns), Nulls::Distinct, session)?,
        None => Test {
            command: plain("SELECT 1 WHERE false".to_owned(), session),
            error: duplicated(name),
            key: None,
        },
    };
    Ok(Task::Unique(command, Box::new(test)))
}

/// The columns of a key that has no expressions and holds every row.
fn constraint_columns(table: &Table, name: &str) -> Option<Vec<ColumnId>> {
    let mut constraints = table.primary_key.iter().chain(&table.uniques);
    if let Some(unique) = constraints.find(|unique| &*unique.name == name) {
        return Some(unique.columns.clone());
    }
    let index = table.indexes.iter().find(|index| &*index.name == name && index.predicate.is_none())?;
    index.keys.iter().map(|key| key.column).collect()
}

/// What nulls of a key are to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nulls {
    Equal,
    Distinct,
}

/// Finds a key that two rows have.
fn duplicates(
    table: &Table,
    (name, columns): (&str, &[ColumnId]),
    nulls: Nulls,
    session: &Session,
) -> Result<Test> {
    let mut command = super::rules::key_query(table, columns, session);
    let names: Vec<String> = columns.iter().map(|&column| quote(&table[column].name)).collect();
    let known: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    let known = match nulls {
        Nulls::Equal => String::new(),
        Nulls::Distinct => format!(" WHERE {}", known.join(" AND ")),
    };
    let text = format!("{}{known} GROUP BY {} HAVING count(*) > 1 LIMIT 1", command.text, names.join(", "));
    command.text = text.into();
    let words: Vec<&str> = columns.iter().map(|&column| &*table[column].name).collect();
    let key = Some(KeyWords { columns: words.join(", "), after: "is duplicated.".to_owned(), of_two: false });
    Ok(Test { command, error: duplicated(name), key })
}

/// Makes all indexes of a table.
pub(super) fn create_all(catalog: &Catalog, table: &Table, session: &Session) -> Result<Vec<Task>> {
    let constraints = table.primary_key.iter().chain(&table.uniques).map(|unique| &unique.name);
    let names = constraints.chain(table.indexes.iter().map(|index| &index.name));
    let mut tasks = Vec::new();
    for name in names {
        tasks.extend(create(catalog, table, name, session)?);
    }
    Ok(tasks)
}

/// Drops an index, by name.
pub(super) fn drop(table: &Table, name: &str, session: &Session) -> Vec<Task> {
    let stored = index_name(&table.name.schema, name);
    [stored.clone(), format!("{stored}{NULLS}")]
        .into_iter()
        .map(|name| Task::Run(plain(format!("DROP INDEX IF EXISTS {}", quote(&name)), session)))
        .collect()
}

/// The index of a primary key or unique constraint.
pub(super) fn of_unique(catalog: &Catalog, table: &Table, unique: &Unique) -> Result<Fate> {
    let keys = unique.columns.iter().map(|&column| column_key((catalog, table), &unique.name, column, true));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    // The rows of a key that is deferrable may be equal for a while: they are looked at where they are written.
    let is_unique = !unique.deferrable;
    let shape =
        Shape { table, name: &unique.name, unique: is_unique, nulls_not_distinct: unique.nulls_not_distinct };
    Ok(Fate::Stored(shape.texts(&keys, None)))
}

/// An index that no constraint owns.
pub(super) fn of_index(catalog: &Catalog, table: &Table, index: &Index, session: &Session) -> Result<Fate> {
    if index.is_exclusion() {
        return exclusion::helper(catalog, table, index, session).map(Fate::Stored);
    }
    if !ORDERED.contains(&&*index.method) {
        return Ok(Fate::LeftOut(format!("the access method {}", index.method)));
    }
    match stored(catalog, table, index, session) {
        Ok(texts) => Ok(Fate::Stored(texts)),
        Err(error) if index.unique => Err(error),
        Err(error) => Ok(Fate::LeftOut(error.message().to_owned())),
    }
}

pub(super) fn stored(
    catalog: &Catalog,
    table: &Table,
    index: &Index,
    session: &Session,
) -> Result<Vec<(String, String)>> {
    let keys = index.keys.iter().map(|key| index_key(catalog, table, index, key, session));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let predicate = index.predicate.as_ref().map(|predicate| {
        let condition = bare(catalog, resolve::row_condition(catalog, table, predicate)?);
        immutable(&condition)?;
        kept(&alone(table), session, |writer| writer.expr(&condition))
    });
    let shape = Shape {
        table,
        name: &index.name,
        unique: index.unique,
        nulls_not_distinct: index.nulls_not_distinct,
    };
    Ok(shape.texts(&keys, predicate.transpose()?.as_deref()))
}

fn column_key(
    (catalog, table): (&Catalog, &Table),
    index: &str,
    column: ColumnId,
    unique: bool,
) -> Result<Key> {
    let declared = &table[column];
    comparable(catalog, &declared.ty, index, unique)?;
    let null = stand_in(&declared.ty);
    let collation = collation(&declared.ty);
    Ok(Key { text: quote(&declared.name), null, collation, descending: false, column: Some(column) })
}

fn index_key(
    catalog: &Catalog,
    table: &Table,
    index: &Index,
    key: &IndexKey,
    session: &Session,
) -> Result<Key> {
    if let Some(column) = key.column {
        let plain = column_key((catalog, table), &index.name, column, index.unique)?;
        return Ok(Key { descending: key.descending, ..plain });
    }
    let expr = bare(catalog, resolve::row_value(catalog, table, &key.expr)?);
    immutable(&expr)?;
    let ty = expr.ty();
    comparable(catalog, &ty, &index.name, index.unique)?;
    let text = kept(&alone(table), session, |writer| writer.expr(&expr))?;
    let (null, collation) = (stand_in(&ty), collation(&ty));
    Ok(Key { text: format!("({text})"), null, collation, descending: key.descending, column: None })
}

/// Refuses a unique key whose equal values may be stored differently.
fn comparable(catalog: &Catalog, ty: &Type, index: &str, unique: bool) -> Result<()> {
    if unique && !native_equality(ty) && !are_equal_texts(catalog, ty) {
        let ty = format_type(ty, None);
        return Err(Error::missing(format!("unique index \"{index}\" over values of type {ty}")));
    }
    Ok(())
}

/// Whether equal values of a composite type are kept as the same text. Nulls within them are equal, as for PostgreSQL's keys.
fn are_equal_texts(catalog: &Catalog, ty: &Type) -> bool {
    let Type::Composite(name) = ty else { return false };
    let fields = catalog.composites.get(name);
    fields.is_some_and(|fields| fields.iter().all(|field| is_kept_alike(&field.ty)))
}

/// A value that no value of the type is stored as.
fn stand_in(ty: &Type) -> &'static str {
    if *ty == Type::Bytea { "''" } else { "x''" }
}

/// An expression with the bodies of immutable functions in place of their calls, where a body is one expression.
fn bare(catalog: &Catalog, mut expr: Expr) -> Expr {
    visit::deep_mut(&mut expr, &mut |inner| {
        while let Some(body) = body(catalog, inner) {
            *inner = body;
        }
    });
    expr
}

fn body(catalog: &Catalog, call: &Expr) -> Option<Expr> {
    let Expr::Subquery(subquery) = call else { return None };
    let Subquery::Scalar(read) = &**subquery else { return None };
    let function = catalog.functions.get(read.called?.0)?;
    let is_one = matches!(read.from, Source::Unit)
        && read.filter.is_none()
        && read.having.is_none()
        && read.limit.is_none()
        && read.offset.is_none();
    match &read.outputs[..] {
        [output] if is_one && function.volatility == catalog::Volatility::Immutable => {
            Some(output.expr.clone())
        }
        _ => None,
    }
}

/// Refuses an expression whose value depends on more than the row.
///
/// # Errors
/// As PostgreSQL: `42P17`, `0A000` for a subquery.
pub(super) fn immutable(expr: &Expr) -> Result<()> {
    let moving = || {
        let message = "functions in index expression must be marked IMMUTABLE";
        Err(Error::new(Code::INVALID_OBJECT_DEFINITION, message))
    };
    match expr {
        Expr::Apply { function, .. } if function.volatility != Volatility::Immutable => return moving(),
        Expr::Caller(_) | Expr::Param { .. } => return moving(),
        Expr::Cast { expr, ty, .. } if depends_on_session(&expr.ty(), ty) => return moving(),
        Expr::Subquery(_) => return Err(Error::missing("a subquery in an index")),
        Expr::Call(_) => return Err(Error::missing("a function that is interpreted in an index")),
        Expr::Aggregate { .. } => return Err(Error::missing("an aggregate in an index")),
        Expr::Window { .. } => return Err(Error::missing("a window function in an index")),
        Expr::Apply { .. }
        | Expr::Cast { .. }
        | Expr::Column { .. }
        | Expr::Const { .. }
        | Expr::Form { .. }
        | Expr::Case { .. } => {}
    }
    visit::operands(expr).into_iter().try_for_each(immutable)
}

/// Whether a cast reads the time zone.
fn depends_on_session(from: &Type, to: &Type) -> bool {
    (*from == Type::Timestamptz) != (*to == Type::Timestamptz)
}

/// An index about to be written.
struct Shape<'a> {
    table: &'a Table,
    name: &'a str,
    unique: bool,
    nulls_not_distinct: bool,
}

impl Shape<'_> {
    fn texts(&self, keys: &[Key], predicate: Option<&str>) -> Vec<(String, String)> {
        let name = index_name(&self.table.name.schema, self.name);
        let plain = keys.iter().map(|key| {
            let collation = match key.column {
                None => collate(key),
                // A column brings its own.
                Some(_) => String::new(),
            };
            format!("{}{collation}{}", key.text, if key.descending { " DESC" } else { "" })
        });
        let mut plain: Vec<String> = plain.collect();
        if !self.unique
            && let Some(key) = self.counted_key()
            && keys.iter().all(|own| own.column != Some(key))
        {
            plain.push(quote(&self.table[key].name));
        }
        let mut texts = vec![(name.clone(), self.text(&name, &plain, predicate))];
        if self.unique && self.nulls_not_distinct {
            texts.push(self.of_nulls(&format!("{name}{NULLS}"), keys, predicate));
        }
        texts
    }

    /// The primary key, when it is one integer: a few bytes at the end of every other index, and a page of equal keys in the
    /// order of the primary key is read without sorting.
    fn counted_key(&self) -> Option<ColumnId> {
        let [column] = self.table.primary_key.as_ref()?.columns[..] else { return None };
        matches!(self.table[column].ty, Type::Int2 | Type::Int4 | Type::Int8).then_some(column)
    }

    /// The rows that hold nulls, with a stand-in for null: two of them are equal.
    fn of_nulls(&self, name: &str, keys: &[Key], predicate: Option<&str>) -> (String, String) {
        let filled = keys.iter().map(|key| format!("coalesce({}, {}){}", key.text, key.null, collate(key)));
        let nulls: Vec<String> = keys.iter().map(|key| format!("{} IS NULL", key.text)).collect();
        let nulls = format!("({})", nulls.join(" OR "));
        let predicate = predicate.map_or(nulls.clone(), |predicate| format!("{nulls} AND {predicate}"));
        (name.to_owned(), self.text(name, &filled.collect::<Vec<_>>(), Some(&predicate)))
    }

    fn text(&self, name: &str, keys: &[String], predicate: Option<&str>) -> String {
        format!(
            "CREATE {}INDEX {} ON {} ({}){}",
            if self.unique { "UNIQUE " } else { "" },
            quote(name),
            stored_name(&self.table.name),
            keys.join(", "),
            predicate.map(|predicate| format!(" WHERE {predicate}")).unwrap_or_default()
        )
    }
}

fn collate(key: &Key) -> String {
    key.collation.map(|collation| format!(" COLLATE {collation}")).unwrap_or_default()
}
