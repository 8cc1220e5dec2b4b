//! Tables as they were when a statement began: what PostgreSQL shows to the statement's policies, to what it returns, and to the
//! stable functions called there, whatever the statement and its triggers have done since.
//!
//! What happens to rows is noted while somebody may look back; a read that looks back reads the tables without it. Volatile
//! functions, triggers and keys look at what is there.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{Catalog, ColumnId, Table, TableId, Volatility};
use query::{
    Compare, Expr, Form, FunctionId, Guard, Order, Output, ROW_KEY, Read, SetOperator, Source, SourceId,
    SourceIds, visit,
};
use types::{Error, Result, Type, Value};

use crate::work::{Bound, Tuple, Work};

/// How many things that happened are kept; of more, tables say that nobody knows how they were.
const EVENTS_MAX: usize = 100_000;

/// What rows that are kept may weigh, in bytes; of more, nobody knows either.
const EVENTS_BYTES_MAX: usize = 64 << 20;

/// The moment of a transaction at which a statement began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// How many things had happened.
    at: usize,
    /// Whether bodies of volatile functions in the statement see what has happened since: of a write, whose triggers they follow. Of
    /// a read nothing happens but what its own functions do.
    bodies_see_more: bool,
    /// Whether it is that of a statement of several parts.
    pub(crate) is_of_parts: bool,
}

/// What has happened to rows of a transaction since somebody may look back.
#[derive(Default)]
pub(crate) struct History(Mutex<Recorded>);

#[derive(Default)]
struct Recorded {
    /// Statements under way that may look back.
    watching: usize,
    /// How much had happened when the last of them began.
    youngest: usize,
    events: Vec<Event>,
    /// What their rows weigh.
    bytes: usize,
    /// What reads see; without it, what is there.
    moment: Option<Moment>,
    known: Option<Known>,
}

enum Event {
    /// A row came, went or changed: its key and values before, its key from then on.
    Row { table: TableId, old: Option<(i64, Arc<[Value]>)>, new: Option<i64> },
    /// The engine did something that nobody noted.
    Unknown(TableId),
}

impl Event {
    /// What is kept of it weighs so much, in bytes.
    fn weight(&self) -> usize {
        match self {
            Event::Row { old: Some((_, values)), .. } => values.iter().map(Value::weight).sum(),
            Event::Row { old: None, .. } | Event::Unknown(_) => 0,
        }
    }
}

/// How tables were at a moment, made of what had happened up to a later one.
struct Known {
    at: Moment,
    made_of: usize,
    tables: Arc<Tables>,
}

type Tables = BTreeMap<TableId, Was>;

/// How a table was.
#[derive(Clone, Default)]
struct Was {
    /// The keys of rows that are there and were not, as they are.
    new: Keys,
    /// Rows that are not there as they were, with their keys.
    old: Vec<(i64, Arc<[Value]>)>,
    is_unknown: bool,
}

/// Keys, as ranges from the first to the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(BTreeMap<i64, i64>);

impl Keys {
    fn range_of(&self, key: i64) -> Option<(i64, i64)> {
        self.0.range(..=key).next_back().map(|(first, last)| (*first, *last))
    }

    /// Whether one is among them.
    pub(crate) fn has(&self, key: i64) -> bool {
        self.range_of(key).is_some_and(|(_, last)| last >= key)
    }

    pub(crate) fn add(&mut self, key: i64) {
        let before = self.range_of(key);
        if before.is_some_and(|(_, last)| last >= key) {
            return;
        }
        let first = match before {
            Some((first, last)) if last.checked_add(1) == Some(key) => first,
            Some(_) | None => key,
        };
        let last = key.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(key);
        self.0.insert(first, last);
    }

    /// Whether it was there.
    fn remove(&mut self, key: i64) -> bool {
        let Some((first, last)) = self.range_of(key).filter(|(_, last)| *last >= key) else { return false };
        self.0.remove(&first);
        if first < key {
            self.0.insert(first, key - 1);
        }
        if key < last {
            self.0.insert(key + 1, last);
        }
        true
    }
}

impl Recorded {
    /// Every moment before now is behind the event; one that began after the last such event needs another.
    fn lose(&mut self, table: TableId) {
        let last = self.events.len().saturating_sub(1);
        let is_noted = matches!(self.events.last(), Some(Event::Unknown(known)) if *known == table);
        if !(is_noted && self.youngest <= last) {
            self.events.push(Event::Unknown(table));
        }
    }
}

impl Was {
    fn undo(&mut self, old: Option<&(i64, Arc<[Value]>)>, new: Option<i64>) {
        if let Some((key, values)) = old
            && !self.new.remove(*key)
        {
            self.old.push((*key, values.clone()));
        }
        new.into_iter().for_each(|key| self.new.add(key));
    }
}

impl History {
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a statement that may look back to this moment, until it is [`History::done`].
    pub(crate) fn begin(&self) -> Moment {
        let mut recorded = self.recorded();
        recorded.watching += 1;
        recorded.youngest = recorded.events.len();
        Moment { at: recorded.youngest, bodies_see_more: true, is_of_parts: false }
    }

    /// The same for a statement whose parts change rows one after the other.
    pub(crate) fn begin_parts(&self) -> Moment {
        Moment { is_of_parts: true, ..self.begin() }
    }

    /// The same for a statement that only reads.
    pub(crate) fn begin_read(&self) -> Moment {
        Moment { bodies_see_more: false, ..self.begin() }
    }

    /// Ends a statement.
    pub(crate) fn done(&self) {
        let mut recorded = self.recorded();
        recorded.watching = recorded.watching.saturating_sub(1);
        if recorded.watching == 0 {
            *recorded = Recorded::default();
        }
    }

    /// Has reads see what there was at a moment, or what is there; what they saw before.
    pub(crate) fn look(&self, moment: Option<Moment>) -> Option<Moment> {
        std::mem::replace(&mut self.recorded().moment, moment)
    }

    /// What reads see.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.recorded().moment
    }

    /// One of some tables to which something has happened since so much had.
    pub(crate) fn has_changed(&self, since: usize, tables: &BTreeSet<TableId>) -> Option<TableId> {
        let recorded = self.recorded();
        let mut changed = recorded.events.iter().skip(since).map(|event| match event {
            Event::Row { table, .. } | Event::Unknown(table) => *table,
        });
        changed.find(|table| tables.contains(table))
    }

    /// Whether somebody may look back.
    pub(crate) fn is_watched(&self) -> bool {
        self.recorded().watching > 0
    }

    /// Whether something has happened since a moment to one of the rows that a table had.
    pub(crate) fn has_touched(&self, since: Moment, table: TableId, keys: &BTreeSet<i64>) -> bool {
        let recorded = self.recorded();
        let mut events = recorded.events.iter().skip(since.at);
        events.any(|event| match event {
            Event::Row { table: of, old: Some((key, _)), .. } => *of == table && keys.contains(key),
            Event::Row { old: None, .. } => false,
            Event::Unknown(of) => *of == table,
        })
    }

    /// Whether a row of a table has come since a moment.
    pub(crate) fn has_come(&self, since: Moment, table: TableId, key: i64) -> bool {
        let recorded = self.recorded();
        let mut events = recorded.events.iter().skip(since.at);
        events.any(|event| matches!(event, Event::Row { table: of, new: Some(new), .. } if *of == table && *new == key))
    }

    /// How much has happened.
    pub(crate) fn length(&self) -> usize {
        self.recorded().events.len()
    }

    /// Forgets what was undone.
    pub(crate) fn shorten(&self, length: usize) {
        let mut recorded = self.recorded();
        let forgotten: usize = recorded.events.iter().skip(length).map(Event::weight).sum();
        recorded.bytes = recorded.bytes.saturating_sub(forgotten);
        recorded.events.truncate(length);
        if recorded.known.as_ref().is_some_and(|known| known.made_of > length) {
            recorded.known = None;
        }
    }

    /// Notes rows that came.
    pub(crate) fn came(&self, table: TableId, keys: &[i64]) {
        keys.iter().for_each(|key| self.note(table, None, Some(*key)));
    }

    /// Notes a row that went or changed.
    pub(crate) fn happened(&self, table: TableId, (key, values): (i64, &[Value]), new: Option<i64>) {
        self.note(table, Some((key, values)), new);
    }

    fn note(&self, table: TableId, old: Option<(i64, &[Value])>, new: Option<i64>) {
        let mut recorded = self.recorded();
        if recorded.watching == 0 {
            return;
        }
        let old = old.map(|(key, values)| (key, values.into()));
        let event = Event::Row { table, old, new };
        let weight = event.weight();
        if recorded.events.len() >= EVENTS_MAX || recorded.bytes.saturating_add(weight) > EVENTS_BYTES_MAX {
            return recorded.lose(table);
        }
        recorded.bytes += weight;
        recorded.events.push(event);
    }

    /// Notes that nobody knows what happened to a table.
    pub(crate) fn lost(&self, table: TableId) {
        let mut recorded = self.recorded();
        if recorded.watching > 0 {
            recorded.lose(table);
        }
    }

    /// How the tables were that are not as they were at the moment that reads see.
    fn tables(&self) -> Option<(Moment, Arc<Tables>)> {
        let mut recorded = self.recorded();
        let at = recorded.moment.filter(|moment| moment.at < recorded.events.len())?;
        let known = recorded.known.take().filter(|known| known.at == at);
        let mut known = known.unwrap_or(Known { at, made_of: at.at, tables: Arc::default() });
        let tables = Arc::make_mut(&mut known.tables);
        for event in recorded.events.iter().skip(known.made_of) {
            match event {
                Event::Row { table, old, new } => tables.entry(*table).or_default().undo(old.as_ref(), *new),
                Event::Unknown(table) => tables.entry(*table).or_default().is_unknown = true,
            }
        }
        known.made_of = recorded.events.len();
        let tables = known.tables.clone();
        recorded.known = Some(known);
        Some((at, tables))
    }
}

/// What reads saw before the body of a function, and whether it looks back to its own beginning.
#[must_use]
pub(crate) struct Around {
    seen: Option<Moment>,
    has_begun: bool,
}

impl Work<'_> {
    /// Has reads see what there was when the statement under way began; what they saw before.
    pub(crate) fn look_back(&self) -> Option<Moment> {
        self.in_force.history.look(self.since)
    }

    /// Has the body of a function see what PostgreSQL shows it: a volatile one what is there, others what their caller sees, or what
    /// there was when they began. It ends with [`Work::look_again`].
    pub(crate) fn look_from(&self, function: FunctionId) -> Around {
        let history = &self.in_force.history;
        let is_volatile = self.is_volatile(function);
        let has_begun = !is_volatile && history.moment().is_none();
        let seen = match (is_volatile, has_begun) {
            (true, _) => history.look(None),
            (false, true) => history.look(Some(history.begin())),
            (false, false) => history.moment(),
        };
        Around { seen, has_begun }
    }

    /// Whether a function sees what is there.
    pub(crate) fn is_volatile(&self, function: FunctionId) -> bool {
        let declared = self.served.model.catalog.functions.get(function.0);
        declared.is_none_or(|declared| declared.volatility == Volatility::Volatile)
    }

    /// Has reads see what they saw before the body of a function.
    pub(crate) fn look_again(&self, around: &Around) {
        self.in_force.history.look(around.seen);
        if around.has_begun {
            self.in_force.history.done();
        }
    }

    /// The value of an expression for which tables are as they were when the statement under way began.
    pub(crate) async fn value_at_start(
        &mut self,
        expr: &Expr,
        row: Option<Tuple<'_>>,
        parameters: &[Value],
    ) -> Result<Value> {
        let seen = self.look_back();
        let value = self.value(expr, row, parameters).await;
        self.in_force.history.look(seen);
        value
    }

    /// The rows of a read of tables as they were when the statement under way began.
    pub(crate) async fn rows_at_start(
        &mut self,
        read: &Read,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        let seen = self.look_back();
        let rows = self.rows(read, Bound { parameters, ..Bound::default() }).await;
        self.in_force.history.look(seen);
        rows
    }

    /// A read as it is to be run: of tables as they are to be seen.
    pub(crate) fn seen<'r>(&self, read: &'r Read) -> Result<Cow<'r, Read>> {
        let Some((moment, tables)) = self.in_force.history.tables() else { return Ok(Cow::Borrowed(read)) };
        let mut is_changed = false;
        visit::deep_sources(read, &mut |source| {
            is_changed |= matches!(source, Source::Table { table, .. } if tables.contains_key(table));
        });
        if !is_changed {
            return Ok(Cow::Borrowed(read));
        }
        let mut seen = read.clone();
        let ids = SourceIds::above(read);
        let catalog = &self.served.model.catalog;
        Past { catalog, tables: &tables, moment, ids }.read(&mut seen)?;
        Ok(Cow::Owned(seen))
    }
}

/// Puts tables as they were in the place of tables.
struct Past<'a> {
    catalog: &'a Catalog,
    tables: &'a Tables,
    moment: Moment,
    ids: SourceIds,
}

impl Past<'_> {
    fn read(&mut self, read: &mut Read) -> Result<()> {
        if read.sees_own_changes && self.moment.bodies_see_more {
            return Ok(());
        }
        let mut outcome = Ok(());
        let mut inner = |past: &mut Self, read: &mut Read| {
            if outcome.is_ok() {
                outcome = past.read(read);
            }
        };
        visit::own_expressions_mut(read, &mut |expr| {
            visit::each_subquery_mut(expr, &mut |read| inner(self, read));
        });
        visit::each_inner_read_mut(read, &mut |read| inner(self, read));
        outcome?;
        let mut outcome = Ok(());
        let mut keys = BTreeMap::new();
        visit::each_source_mut(&mut read.from, &mut |source| {
            if let Source::Table { id, table, guard } = source
                && let Some(was) = self.tables.get(table)
                && outcome.is_ok()
            {
                keys.insert(*id, key_column(&self.catalog[*table]));
                match self.source(*id, *table, guard, was) {
                    Ok(past) => *source = past,
                    Err(error) => outcome = Err(error),
                }
            }
        });
        visit::own_expressions_mut(read, &mut |expr| {
            visit::deep_mut(expr, &mut |expr| name_key(expr, &keys))
        });
        outcome
    }

    /// The rows that a guard shows of a table as it was, in their order.
    fn source(&mut self, id: SourceId, table: TableId, guard: &Guard, was: &Was) -> Result<Source> {
        let declared = &self.catalog[table];
        if was.is_unknown {
            let what = format!("a look at {} as it was before the statement", declared.name);
            return Err(Error::missing(what));
        }
        let kept = self.ids.fresh();
        let shown = self.shown(guard, id, kept);
        let guard = shown.map_or(Guard::Open, |expr| Guard::Rows(Box::new(expr)));
        let table = Source::Table { id: kept, table, guard: guard.clone() };
        let mut untouched = Read { filter: beyond(&was.new, kept), ..columns(declared, kept, table) };
        untouched.outputs.push(key_output(kept, ROW_KEY));
        let from = match &was.old[..] {
            [] => Source::Read { id: self.ids.fresh(), read: Box::new(untouched), view: None },
            old => {
                let other = self.ids.fresh();
                let mut gone = self.gone(declared, other, old);
                gone.filter = self.shown(&guard, kept, other);
                Source::Compound {
                    id: self.ids.fresh(),
                    operator: SetOperator::Union,
                    all: true,
                    left: Box::new(untouched),
                    right: Box::new(gone),
                }
            }
        };
        let around = visit::id_of(&from).unwrap_or(id);
        let mut read = columns(declared, around, from);
        let key = key_output(around, key_column(declared));
        read.order = vec![Order { expr: key.expr.clone(), descending: false, nulls_first: false }];
        read.outputs.push(key);
        Ok(Source::Read { id, read: Box::new(read), view: None })
    }

    /// The condition of a guard, about another source.
    fn shown(&mut self, guard: &Guard, from: SourceId, to: SourceId) -> Option<Expr> {
        match guard {
            Guard::Rows(expr) => Some(visit::instantiate(expr, from, to, &mut self.ids)),
            Guard::Unset | Guard::Open | Guard::Engine => None,
        }
    }

    /// Rows that are no longer there as they were.
    fn gone(&self, table: &Table, id: SourceId, rows: &[(i64, Arc<[Value]>)]) -> Read {
        let constant = |(value, ty): (&Value, &Type)| Expr::Const { value: value.clone(), ty: ty.clone() };
        let types = || table.columns.iter().map(|column| &column.ty);
        let row = |(key, values): &(i64, Arc<[Value]>)| {
            values.iter().zip(types()).map(constant).chain([int(*key)]).collect()
        };
        let rows = Source::Values { id, rows: rows.iter().map(row).collect() };
        let mut read = columns(table, id, rows);
        read.outputs.push(key_output(id, key_column(table)));
        read
    }
}

fn int(value: i64) -> Expr {
    Expr::Const { value: Value::Int(value), ty: Type::Int8 }
}

/// Where the key of a row stands: behind its columns.
pub(crate) fn key_column(table: &Table) -> ColumnId {
    ColumnId(u16::try_from(table.columns.len()).unwrap_or(u16::MAX))
}

/// Names the key of a row where it stands.
pub(crate) fn name_key(expr: &mut Expr, keys: &BTreeMap<SourceId, ColumnId>) {
    if let Expr::Column { source, column, .. } = expr
        && *column == ROW_KEY
        && let Some(key) = keys.get(source)
    {
        *column = *key;
    }
}

fn key_output(source: SourceId, column: ColumnId) -> Output {
    Output { name: "key".into(), expr: Expr::Column { source, column, ty: Type::Int8 } }
}

/// A read of all columns.
fn columns(table: &Table, source: SourceId, from: Source) -> Read {
    let output = |column: ColumnId| Output {
        name: table[column].name.clone(),
        expr: Expr::Column { source, column, ty: table[column].ty.clone() },
    };
    Read { outputs: table.column_ids().map(output).collect(), ..Read::from(from) }
}

/// That a row's key is none of some.
fn beyond(keys: &Keys, source: SourceId) -> Option<Expr> {
    let compare = |compare: Compare, to: i64| {
        let key = Expr::Column { source, column: ROW_KEY, ty: Type::Int8 };
        Expr::test(Form::Compare(compare), vec![key, int(to)])
    };
    let outside = |(first, last): (&i64, &i64)| match first == last {
        true => compare(Compare::Ne, *first),
        false => Expr::test(Form::Or, vec![compare(Compare::Lt, *first), compare(Compare::Gt, *last)]),
    };
    Expr::all(keys.0.iter().map(outside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ranges() {
        let mut keys = Keys::default();
        for key in [5, 3, 4, 9, 7, 8, i64::MAX] {
            keys.add(key);
        }
        assert_eq!(keys.0, BTreeMap::from([(3, 5), (7, 9), (i64::MAX, i64::MAX)]));
        assert!(keys.remove(4) && keys.remove(9) && !keys.remove(6));
        assert_eq!(keys.0, BTreeMap::from([(3, 3), (5, 5), (7, 8), (i64::MAX, i64::MAX)]));
    }

    #[test]
    fn a_row_is_what_it_was_before_all_that_happened_to_it() {
        let (history, table) = (History::default(), TableId(0));
        let row = |text: &str| vec![Value::text(text)];
        history.came(table, &[1]);
        assert_eq!(history.length(), 0, "nobody looks back");
        let moment = history.begin();
        history.happened(table, (7, &row("first")), Some(8));
        history.happened(table, (8, &row("second")), Some(9));
        history.came(table, &[10]);
        history.happened(table, (10, &row("new")), None);
        assert!(history.tables().is_none(), "what is there is seen");
        history.look(Some(moment));
        let (_, tables) = history.tables().unwrap();
        let was = &tables[&table];
        let [(7, values)] = &was.old[..] else { panic!("{:?}", was.old) };
        assert!(matches!(&values[..], [Value::Text(text)] if &**text == "first"));
        assert_eq!(was.new.0, BTreeMap::from([(9, 9)]));
        history.shorten(1);
        assert_eq!(history.tables().unwrap().1[&table].new.0, BTreeMap::from([(8, 8)]));
        history.done();
        assert!(history.tables().is_none());
    }

    #[test]
    fn what_nobody_noted_is_not_known() {
        let (history, table) = (History::default(), TableId(0));
        let moment = history.begin();
        history.look(Some(moment));
        history.lost(table);
        assert!(history.tables().unwrap().1[&table].is_unknown);
    }
}
