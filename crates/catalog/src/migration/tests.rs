//! Steps applied to a model of what an engine stores end where the wanted catalog is; on random histories of schemas.

use std::collections::BTreeMap;

use types::Type;

use super::*;
use crate::build::{Builder, Untyped};
use crate::diff::Constraint;
use crate::diff::table::{Definition, definitions, same_type};
use crate::expr::rename;
use crate::testing::{catalog, extended};
use crate::{DefaultValue, Index, Unique};

/// What an engine stores.
#[derive(Clone)]
struct Store {
    tables: BTreeMap<Name, Table>,
    sequences: BTreeMap<Name, Sequence>,
}

impl Store {
    fn of(catalog: &Catalog) -> Store {
        let stored = catalog.tables.iter().filter(|table| table.has_storage());
        let sequences = catalog.sequences.values().map(|sequence| (sequence.name.clone(), sequence.clone()));
        Store {
            tables: stored.map(|table| (table.name.clone(), table.clone())).collect(),
            sequences: sequences.collect(),
        }
    }

    /// Everything that matters of it, as text.
    fn says(&self) -> Vec<String> {
        let tables = self.tables.values().flat_map(table_says);
        let sequences = self.sequences.values().map(|s| {
            format!(
                "sequence {} {:?} {} {} {} {} {}",
                s.name, s.ty, s.start, s.increment, s.min, s.max, s.cycle
            )
        });
        tables.chain(sequences).collect()
    }

    fn apply(&mut self, action: &Action) {
        match action {
            Action::CreateTable(table) => {
                assert!(
                    self.tables.insert(table.name.clone(), (**table).clone()).is_none(),
                    "{} exists",
                    table.name
                );
            }
            Action::DropTable(table) => {
                self.tables.remove(&table.name).unwrap_or_else(|| panic!("no table {}", table.name));
            }
            Action::RenameTable { from, to } => self.rename_table(from, to),
            Action::RebuildTable(rebuild) => self.rebuild(rebuild),
            Action::AddColumn { table, column } => {
                let column = table[*column].clone();
                let stored = self.table(&table.name);
                assert!(stored.column(&column.name).is_none(), "column {} exists", column.name);
                stored.columns.push(column);
            }
            Action::RenameColumn { table, from, to } => self.rename_column(table, from, to),
            Action::DropColumn { table, column } => self.drop_column(table, column),
            Action::CreateIndex { table, index } => self.create_index(table, index),
            Action::DropIndex { table, index } => {
                let stored = self.table(&table.name);
                let before = stored.indexes.len() + stored.uniques.len();
                stored.indexes.retain(|other| other.name != *index);
                stored.uniques.retain(|other| other.name != *index);
                assert_eq!(stored.indexes.len() + stored.uniques.len() + 1, before, "one index {index}");
            }
            Action::CreateSequence(sequence) => {
                self.sequences.insert(sequence.name.clone(), sequence.clone());
            }
            Action::AlterSequence { from, to } => {
                self.sequences.remove(from).expect("a sequence");
                self.sequences.insert(to.name.clone(), to.clone());
            }
            Action::DropSequence(name) => {
                self.sequences.remove(name).expect("a sequence");
            }
            Action::RelabelRows { table, column, .. } => {
                let name = &table[*column].name;
                assert!(self.table(&table.name).column(name).is_some(), "no column {name}");
            }
            Action::Validate { table, .. } => {
                self.table(&table.name);
            }
            Action::DetachRows { partition, root } | Action::AttachRows { partition, root } => {
                self.table(&partition.name);
                self.table(root);
            }
            Action::DropRows { root, .. } => {
                self.table(root);
            }
            Action::Declare => {}
        }
    }

    fn table(&mut self, name: &Name) -> &mut Table {
        self.tables.get_mut(name).unwrap_or_else(|| panic!("no table {name}"))
    }

    fn rename_table(&mut self, from: &Name, to: &Name) {
        let mut table = self.tables.remove(from).unwrap_or_else(|| panic!("no table {from}"));
        rename::own_table(&mut table, to);
        assert!(self.tables.insert(to.clone(), table).is_none(), "{to} exists");
        for key in self.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.target == *from {
                key.target = to.clone();
            }
        }
    }

    fn rename_column(&mut self, table: &Name, from: &Arc<str>, to: &Arc<str>) {
        let stored = self.table(table);
        assert!(stored.column(to).is_none(), "column {to} exists");
        rename::own_columns(stored, &[(from.clone(), to.clone())]);
        self.follow_column(table, from, to);
    }

    fn follow_column(&mut self, table: &Name, from: &Arc<str>, to: &Arc<str>) {
        let keys = self.tables.values_mut().flat_map(|table| &mut table.foreign_keys);
        for key in keys.filter(|key| key.target == *table) {
            key.target_columns
                .iter_mut()
                .filter(|column| *column == from)
                .for_each(|column| *column = to.clone());
        }
    }

    fn drop_column(&mut self, table: &Name, column: &str) {
        let stored = self.table(table);
        let (id, _) = stored.column(column).expect("a column");
        let keys = stored.primary_key.iter().chain(&stored.uniques).flat_map(|key| &key.columns);
        let references = stored.foreign_keys.iter().flat_map(|key| &key.columns);
        assert!(keys.chain(references).all(|other| *other != id), "column {column} is in a key");
        stored.columns.remove(usize::from(id.0));
        crate::build::positions::close_gap(stored, id);
    }

    fn create_index(&mut self, table: &Table, name: &str) {
        let (index, unique) = portable(table, name);
        let stored = self.table(&table.name);
        stored.indexes.extend(index.map(|(index, columns)| at_home(stored_ids(stored, &columns), index)));
        let ids =
            |names: &[String]| names.iter().map(|name| stored.column(name).expect("a column").0).collect();
        let unique = unique.map(|(key, columns)| Unique { columns: ids(&columns), ..key });
        self.table(&table.name).uniques.extend(unique);
    }

    fn rebuild(&mut self, rebuild: &Rebuild) {
        let stored = self.table(&rebuild.new.name);
        assert_eq!(columns_say(stored), columns_say(&rebuild.old), "what is rebuilt is what is stored");
        assert_eq!(rebuild.sources.len(), rebuild.new.columns.len());
        *stored = (*rebuild.new).clone();
        for (column, source) in rebuild.new.columns.iter().zip(&rebuild.sources) {
            if let ColumnSource::Copy(from) = source {
                assert!(same_type(&rebuild.old[*from].ty, &column.ty), "{} is copied", column.name);
                assert_eq!(rebuild.old[*from].name, column.name);
            }
        }
    }
}

type Portable = (Option<(Index, Vec<Option<String>>)>, Option<(Unique, Vec<String>)>);

/// An index or unique constraint with its columns by name.
fn portable(table: &Table, name: &str) -> Portable {
    let name_of = |column: &ColumnId| table[*column].name.to_string();
    let index = table.indexes.iter().find(|index| &*index.name == name).map(|index| {
        let keys = index.keys.iter().map(|key| key.column.as_ref().map(name_of));
        (index.clone(), keys.collect())
    });
    let unique = table.uniques.iter().find(|key| &*key.name == name);
    let unique = unique.map(|key| (key.clone(), key.columns.iter().map(name_of).collect()));
    assert!(index.is_some() || unique.is_some(), "index {name} is declared");
    (index, unique)
}

fn stored_ids(table: &Table, columns: &[Option<String>]) -> Vec<Option<ColumnId>> {
    columns.iter().map(|name| name.as_ref().map(|name| table.column(name).expect("a column").0)).collect()
}

fn at_home(columns: Vec<Option<ColumnId>>, mut index: Index) -> Index {
    for (key, column) in index.keys.iter_mut().zip(columns) {
        key.column = column;
    }
    index
}

fn columns_say(table: &Table) -> Vec<String> {
    let says = table.columns.iter().map(|column| {
        let ty = match &column.ty {
            Type::Enum(_) => "enum".to_owned(),
            ty => format!("{ty:?}"),
        };
        let generated = matches!(column.default, Some(DefaultValue::Generated(_)));
        format!("{} {ty} {:?} {} {generated}", column.name, column.modifier, column.not_null)
    });
    let mut says: Vec<String> = says.collect();
    says.sort();
    says
}

fn table_says(table: &Table) -> Vec<String> {
    let name = |id: &ColumnId| table[*id].name.to_string();
    let mut says: Vec<String> = columns_say(table);
    for (kind, constraint, definition) in definitions(table) {
        match (kind, definition) {
            (Constraint::Check, _) => {}
            (_, Definition::Unique { columns, .. }) => says.push(format!("{kind} {constraint} {columns:?}")),
            (_, Definition::ForeignKey(_) | Definition::Check(_)) => {}
        }
    }
    for key in &table.foreign_keys {
        let columns: Vec<String> = key.columns.iter().map(name).collect();
        says.push(format!("foreign key {} {columns:?} {} {:?}", key.name, key.target, key.target_columns));
    }
    for index in &table.indexes {
        let keys: Vec<String> = index.keys.iter().map(|key| sql::print::expr(&key.expr)).collect();
        let columns: Vec<Option<String>> =
            index.keys.iter().map(|key| key.column.as_ref().map(name)).collect();
        let predicate = index.predicate.as_ref().map(|predicate| sql::print::expr(predicate));
        says.push(format!("index {} {} {keys:?} {columns:?} {predicate:?}", index.name, index.unique));
    }
    says.sort();
    says.into_iter().map(|said| format!("{} {said}", table.name)).collect()
}

/// A small generator of numbers (xorshift), so that failures repeat.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.roll(words.len())]
    }

    fn table(&mut self) -> &'static str {
        self.of(&["t", "u", "v", "w"])
    }

    fn column(&mut self) -> &'static str {
        self.of(&["id", "a", "b", "c", "d"])
    }

    fn ty(&mut self) -> &'static str {
        self.of(&["int", "bigint", "text", "varchar(9)", "numeric(6,2)", "uuid", "mood", "int[]"])
    }

    fn new_column(&mut self) -> String {
        let more = self.of(&[
            "",
            "",
            "",
            " not null",
            " default null",
            " unique",
            " check (true)",
            " references t",
            " generated always as identity",
        ]);
        format!("{} {}{more}", self.column(), self.ty())
    }

    fn statement(&mut self) -> String {
        let (t, u, a, b) = (self.table(), self.table(), self.column(), self.column());
        let new = self.new_column();
        match self.roll(28) {
            0..=2 => format!("create table {t} (id int primary key, {new})"),
            3 => format!(
                "create table {t} (id bigint generated always as identity, a int references {u}, b serial, primary key (id, a))"
            ),
            4 => format!("drop table {t} cascade"),
            5 | 6 => format!("alter table {t} rename to {u}"),
            7..=10 => format!("alter table {t} add column {new}"),
            11 => format!("alter table {t} drop column {a} cascade"),
            12 | 13 => format!("alter table {t} rename column {a} to {b}"),
            14 => format!("alter table {t} alter column {a} type {} using null", self.ty()),
            15 => format!("alter table {t} alter column {a} {} not null", self.of(&["set", "drop"])),
            16 => format!("alter table {t} alter column {a} set default null"),
            17 => format!(
                "alter table {t} add constraint {a}_{b} {}",
                self.of(&["unique (a)", "unique (a, b)", "check (a is not null)"])
            ),
            18 => format!("alter table {t} add foreign key ({a}) references {u}"),
            19 => format!("alter table {t} drop constraint {a}_{b} cascade"),
            20 => format!("alter table {t} drop constraint {u}_pkey cascade"),
            21 | 22 => format!(
                "create {} index on {t} ({a}, coalesce({b}, {b})) where {a} is not null",
                self.of(&["", "unique"])
            ),
            23 => format!("drop index {t}_{a}_idx"),
            24 => format!(
                "create policy {a} on {t} using ({b} is not null and exists (select from {u} where {u}.{a} is null))"
            ),
            25 => format!(
                "alter type mood {}",
                self.of(&["add value 'x'", "rename value 'x' to 'y'", "rename value 'y' to 'x'"])
            ),
            26 => format!(
                "alter table {t} rename column {a} to tmp; alter table {t} rename column {b} to {a}; alter table {t} rename column tmp to {b}"
            ),
            _ => format!(
                "alter table {t} rename to tmp; alter table {u} rename to {t}; alter table tmp rename to {u}"
            ),
        }
    }

    /// Goes on from a catalog with statements of which many are refused.
    fn grown(&mut self, base: Catalog, statements: usize) -> (Catalog, String) {
        let mut builder = Builder::new(base, &Untyped);
        let mut history = String::new();
        for _ in 0..statements {
            let text = self.statement();
            let (statements, complaints) = sql::parse(&text);
            assert!(complaints.is_empty(), "{complaints:?} {text}");
            if statements.iter().all(|statement| builder.apply(statement).is_ok()) {
                history.push_str(&text);
                history.push_str(";\n");
            }
        }
        (builder.finish(), history)
    }
}

/// Applies the steps from one catalog to another and compares.
fn check(from: &Catalog, to: &Catalog, history: &str) {
    let migration = migrate(from, to);
    let mut store = Store::of(from);
    for step in &migration.steps {
        store.apply(&step.action);
    }
    assert_eq!(store.says(), Store::of(to).says(), "\n{history}\n{migration}");
}

#[test]
fn a_catalog_does_not_differ_from_itself() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..40 {
        let (catalog, history) = dice.grown(catalog("create type mood as enum ('x', 'z')"), 60);
        assert_eq!(diff(&catalog, &catalog), [], "{history}");
        assert!(migrate(&catalog, &catalog).is_empty());
    }
}

#[test]
fn steps_lead_to_the_wanted_catalog() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for _ in 0..60 {
        let (first, before) = dice.grown(catalog("create type mood as enum ('x', 'z')"), 30);
        let (second, after) = dice.grown(first.clone(), 30);
        check(&first, &second, &format!("{before}--\n{after}"));
        check(&second, &first, &format!("{before}--\n{after}-- and back"));
    }
}

#[test]
fn steps_lead_from_any_catalog_to_any_other() {
    let mut dice = Dice(0xd1b5_4a32_d192_ed03);
    for _ in 0..60 {
        let (first, before) = dice.grown(catalog("create type mood as enum ('x', 'z')"), 30);
        let (second, after) = dice.grown(catalog("create type mood as enum ('x', 'z')"), 30);
        check(&first, &second, &format!("{before}--\n{after}"));
    }
}

/// What a change of `create table t (a int, b text)` costs, and how.
#[test]
fn partitions_come_and_go() {
    let base = "create table t (a int, b text) partition by range (a); create table low partition of t for values from (0) to (5);
        create table high partition of t for values from (5) to (9) partition by list (b);
        create table high_x partition of high for values in ('x'); create table other (a int, b text);";
    let changes = [
        "drop table low",
        "alter table t detach partition low",
        "alter table t detach partition low; alter table low rename to gone; alter table gone drop column b",
        "alter table t detach partition high",
        "alter table t detach partition high; alter table high detach partition high_x",
        "drop table high_x; alter table t detach partition high; alter table t rename to s",
        "alter table t attach partition other for values from (9) to (20)",
        "alter table high attach partition other for values in ('y'); alter table t detach partition high",
        "alter table t detach partition low; alter table t attach partition low for values from (1) to (3)",
        "drop table t",
    ];
    let base = catalog(base);
    for change in changes {
        let wanted = extended(base.clone(), change);
        check(&base, &wanted, change);
        check(&wanted, &base, change);
    }
}

#[test]
fn steps_say_what_they_do_and_may_lose() {
    let cases = [
        ("alter table t add column c int", "Add column c to table public.t.\n"),
        ("alter table t rename column a to z", "Rename column a of table public.t to z.\n"),
        ("alter table t rename to z", "Rename table public.t to public.z.\n"),
        ("alter table t drop column a", "Drop column a of table public.t. Loses: the values of column a.\n"),
        ("drop table t", "Drop table public.t. Loses: the table's rows.\n"),
        (
            "alter table t alter column a type bigint",
            "Rebuild table public.t: change the type of column a from integer to bigint. Locks: the whole table is rewritten.\n",
        ),
        (
            "alter table t alter column a type smallint",
            "Rebuild table public.t: change the type of column a from integer to smallint. \
             May fail: a value of a may not be one of the new type.\n",
        ),
        (
            "alter table t alter column b set not null",
            "Rebuild table public.t: refuse nulls in column b. May fail: a row may have no b.\n",
        ),
        (
            "alter table t add column c int not null default 0",
            "Rebuild table public.t: add column c. Locks: the whole table is rewritten.\n",
        ),
        (
            "alter table t add constraint positive check (a > 0)",
            "Test the rows of table public.t against check constraint positive. May fail: a row may violate positive.\n",
        ),
        (
            "alter table t add unique (a)",
            "Create index t_a_key on table public.t. May fail: two rows may be equal in t_a_key.\n",
        ),
        ("create index on t (a)", "Create index t_a_idx on table public.t. Locks: the rows are read once.\n"),
        ("alter table t alter column a set default 1", "Change the default of column a of table public.t.\n"),
        ("create policy p on t using (true)", "Create policy p on public.t.\n"),
        ("grant select on t to anon", "Change grants on public.t.\n"),
        ("create table n (a int references k)", "Create table public.n with 1 column.\n"),
    ];
    let base = catalog("create table t (a int, b text); create table k (id int primary key)");
    for (change, wanted) in cases {
        let migration = migrate(&base, &extended(base.clone(), change));
        assert_eq!(migration.to_string(), wanted, "{change}");
    }
}

#[test]
fn a_conversion_that_was_said_is_used() {
    let base = catalog("create table t (a text)");
    let wanted = extended(base.clone(), "alter table t alter column a type int using length(a)");
    let migration = migrate(&base, &wanted);
    let Action::RebuildTable(rebuild) = &migration.steps[0].action else { panic!("{migration}") };
    let ColumnSource::Using(using) = &rebuild.sources[0] else { panic!("{:?}", rebuild.sources) };
    assert_eq!(sql::print::expr(using), "length(a)");
}

#[test]
fn renamed_labels_are_rewritten_in_rows() {
    let base = catalog("create type mood as enum ('sad', 'ok'); create table t (m mood, l mood[])");
    let wanted = extended(
        base.clone(),
        "alter type mood rename value 'sad' to 'blue'; alter type mood add value 'fine'",
    );
    let migration = migrate(&base, &wanted);
    let relabeled =
        migration.steps.iter().filter(|step| matches!(step.action, Action::RelabelRows { .. })).count();
    assert_eq!(relabeled, 2, "{migration}");
}
