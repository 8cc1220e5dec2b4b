//! PostgreSQL's system relations (its chapters 37 and 53), as rows made from a catalog: what guards of migrations and functions
//! look things up in.
//!
//! Object ids are positions in the catalog, so that they join as PostgreSQL's do; they are the same as long as the catalog is.
//! What a relation here does not have as a column, it does not have: nothing is made up. Expressions are printed as they were
//! written, where PostgreSQL prints what it made of them.

mod access;
mod belongs;
mod constraints;
mod found;
mod objects;
mod relations;
mod schema;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use types::value::Array;
use types::{Name, Type, Value};

use crate::build::resolve::index_names;
use crate::{Catalog, Table};
pub use found::{Found, Rows};

/// The schema of what only functions of the system look into. Nobody can make one of this name: it holds a dot.
pub const INTERNAL: &str = "backplane.system";

/// The type of a system relation's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    /// `oid` and its like, as numbers.
    Oid,
    /// Small numbers.
    Int,
    /// Large numbers.
    Long,
    /// `name`, `text`, `"char"`
    Text,
    /// `boolean`
    Bool,
    /// `timestamp with time zone`
    Time,
    /// Arrays of names.
    Texts,
    /// Arrays of ids.
    Oids,
    /// Arrays of column numbers.
    Ints,
}

/// A system relation.
pub struct SystemRelation {
    /// Its schema.
    pub schema: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Ty)],
    /// Whether its last column says which roles see a row, instead of being one.
    pub is_guarded: bool,
    rows: fn(&Objects<'_>) -> Vec<Vec<Value>>,
}

/// The lists of relations.
const LISTS: &[&[SystemRelation]] = &[
    relations::ROWS,
    objects::ROWS,
    constraints::ROWS,
    schema::ROWS,
    access::ROWS,
    belongs::ROWS,
    words::ROWS,
];

/// The system relation of a name. Without a schema it is one of `pg_catalog`, which is searched first.
pub fn relation(schema: Option<&str>, name: &str) -> Option<&'static SystemRelation> {
    let schema = schema.unwrap_or("pg_catalog");
    LISTS.iter().flat_map(|list| list.iter()).find(|known| known.schema == schema && known.name == name)
}

impl fmt::Debug for SystemRelation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl SystemRelation {
    /// Its rows: made once for a catalog.
    pub fn rows(&self, catalog: &Catalog) -> Arc<Rows> {
        catalog.found.rows(self, catalog)
    }
}

impl Ty {
    /// As a type of values.
    pub fn of(self) -> Type {
        match self {
            Ty::Oid | Ty::Long => Type::Int8,
            Ty::Int => Type::Int4,
            Ty::Text => Type::Text,
            Ty::Bool => Type::Bool,
            Ty::Time => Type::Timestamptz,
            Ty::Texts => Type::Text.array(),
            Ty::Oids => Type::Int8.array(),
            Ty::Ints => Type::Int4.array(),
        }
    }
}

/// The first id of each kind of object: more of a kind than lie between two does no project have.
const NAMESPACES: i64 = 20_000;
const ROLES: i64 = 30_000;
const CLASSES: i64 = 1_000_000;
const TYPES: i64 = 2_000_000;
const ARRAYS: i64 = 3_000_000;
const FUNCTIONS: i64 = 4_000_000;
const CONSTRAINTS: i64 = 5_000_000;
const TRIGGERS: i64 = 6_000_000;
const POLICIES: i64 = 7_000_000;
const EXTENSIONS: i64 = 8_000_000;
const PUBLICATIONS: i64 = 8_100_000;

/// PostgreSQL's own types: id, name, the name that it prints, and the id of the array.
pub(crate) const BASE_TYPES: &[(i64, &str, &str, i64)] = &[
    (16, "bool", "boolean", 1000),
    (17, "bytea", "bytea", 1001),
    (20, "int8", "bigint", 1016),
    (21, "int2", "smallint", 1005),
    (23, "int4", "integer", 1007),
    (25, "text", "text", 1009),
    (26, "oid", "oid", 1028),
    (114, "json", "json", 199),
    (650, "cidr", "cidr", 651),
    (700, "float4", "real", 1021),
    (701, "float8", "double precision", 1022),
    (869, "inet", "inet", 1041),
    (1042, "bpchar", "character", 1014),
    (1043, "varchar", "character varying", 1015),
    (1082, "date", "date", 1182),
    (1083, "time", "time without time zone", 1183),
    (1114, "timestamp", "timestamp without time zone", 1115),
    (1184, "timestamptz", "timestamp with time zone", 1185),
    (1186, "interval", "interval", 1187),
    (1266, "timetz", "time with time zone", 1270),
    (1700, "numeric", "numeric", 1231),
    (2249, "record", "record", 2287),
    (2278, "void", "void", 0),
    (2279, "trigger", "trigger", 0),
    (2950, "uuid", "uuid", 2951),
    (3614, "tsvector", "tsvector", 3643),
    (3615, "tsquery", "tsquery", 3645),
    (3802, "jsonb", "jsonb", 3807),
    (3904, "int4range", "int4range", 3905),
    (3906, "numrange", "numrange", 3907),
    (3908, "tsrange", "tsrange", 3909),
    (3910, "tstzrange", "tstzrange", 3911),
    (3912, "daterange", "daterange", 3913),
    (3926, "int8range", "int8range", 3927),
];

/// The ids of a catalog's objects.
pub(crate) struct Numbers {
    /// Tables, views, indexes and sequences.
    classes: HashMap<Name, i64>,
    /// Types that are declared, rows of tables included, with their ids.
    types: HashMap<Name, i64>,
    /// The names of such types, in the order of their ids.
    type_names: Vec<Name>,
    /// Each role with the roles whose privileges it has.
    memberships: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

impl Numbers {
    fn of(catalog: &Catalog) -> Numbers {
        let mut names: Vec<Name> = Vec::new();
        for table in &catalog.tables {
            names.push(table.name.clone());
            names.extend(index_names(table).map(|index| beside(table, index)));
        }
        let mut sequences: Vec<Name> = catalog.sequences.keys().cloned().collect();
        sequences.sort();
        names.extend(sequences);
        let mut declared: Vec<Name> = catalog.types.keys().cloned().collect();
        declared.sort();
        let of_rows = catalog.tables.iter().map(|table| table.name.clone());
        let of_rows: Vec<Name> = of_rows.filter(|name| !catalog.types.contains_key(name)).collect();
        declared.extend(of_rows);
        Numbers {
            classes: names.into_iter().zip(CLASSES..).collect(),
            types: declared.iter().cloned().zip(TYPES..).collect(),
            type_names: declared,
            memberships: {
                let roles = catalog.roles.iter().map(|role| &role.name);
                roles.map(|name| (name.clone(), catalog.memberships(name))).collect()
            },
        }
    }
}

/// A catalog with the ids of its objects.
pub(crate) struct Objects<'c> {
    pub(crate) catalog: &'c Catalog,
    numbers: Arc<Numbers>,
}

impl<'c> Objects<'c> {
    fn of(catalog: &'c Catalog) -> Objects<'c> {
        Objects { catalog, numbers: catalog.found.numbers(catalog) }
    }

    /// Each role with the roles whose privileges it has.
    pub(crate) fn memberships(&self) -> &[(Arc<str>, Vec<Arc<str>>)] {
        &self.numbers.memberships
    }

    /// The names of declared types, rows of tables included, in the order of their ids.
    pub(crate) fn type_names(&self) -> &[Name] {
        &self.numbers.type_names
    }

    pub(crate) fn class(&self, name: &Name) -> i64 {
        self.numbers.classes.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn namespace(&self, schema: &str) -> i64 {
        match schema {
            "pg_catalog" => 11,
            "public" => 2200,
            "information_schema" => 13_000,
            _ => self.at(self.catalog.schemas.iter().map(|(name, _)| name), schema, NAMESPACES),
        }
    }

    pub(crate) fn role(&self, name: &str) -> i64 {
        match name {
            "postgres" => 10,
            _ => self.at(self.catalog.roles.iter().map(|role| &role.name), name, ROLES),
        }
    }

    fn at<'n>(&self, mut names: impl Iterator<Item = &'n Arc<str>>, wanted: &str, first: i64) -> i64 {
        let at = names.position(|name| **name == *wanted);
        at.and_then(|at| i64::try_from(at).ok()).map_or(0, |at| first + at)
    }

    /// The id of a declared type.
    pub(crate) fn declared_type(&self, name: &Name) -> i64 {
        self.numbers.types.get(name).copied().unwrap_or(0)
    }

    /// The id of the array of a declared type.
    pub(crate) fn declared_array(&self, name: &Name) -> i64 {
        self.numbers.types.get(name).map_or(0, |id| id - TYPES + ARRAYS)
    }

    /// The id of a type.
    pub(crate) fn ty(&self, ty: &Type) -> i64 {
        let base =
            |name: &str| BASE_TYPES.iter().find(|(_, known, printed, _)| *known == name || *printed == name);
        match ty {
            Type::Array(element) => match &**element {
                Type::Enum(declared) => self.declared_array(&declared.name),
                Type::Composite(name) | Type::Opaque(name) => self.declared_array(name),
                other => base(&types::ty::format_type(other, None)).map_or(0, |(.., array)| *array),
            },
            Type::Enum(declared) => self.declared_type(&declared.name),
            Type::Composite(name) | Type::Opaque(name) => match self.declared_type(name) {
                0 => base(&name.name).map_or(0, |(id, ..)| *id),
                id => id,
            },
            other => base(&types::ty::format_type(other, None)).map_or(0, |(id, ..)| *id),
        }
    }

    /// Whether a name of a relation or type means this one in the default path.
    pub(crate) fn shown(&self, name: &Name) -> String {
        let quoted = sql::print::quote_ident(&name.name);
        match &*name.schema {
            "public" | "pg_catalog" => quoted,
            schema if crate::build::is_temporary(schema) => quoted,
            "extensions" if !self.numbers.classes.contains_key(&Name::new("public", name.name.clone())) => {
                quoted
            }
            schema => format!("{}.{quoted}", sql::print::quote_ident(schema)),
        }
    }
}

/// A name in the schema of a table.
pub(crate) fn beside(table: &Table, name: &Arc<str>) -> Name {
    Name::new(table.name.schema.clone(), name.clone())
}

pub(crate) fn text(text: impl AsRef<str>) -> Value {
    Value::text(text.as_ref())
}

pub(crate) fn maybe(text: Option<impl AsRef<str>>) -> Value {
    text.map_or(Value::Null, |text| Value::text(text.as_ref()))
}

pub(crate) fn flag(value: bool) -> Value {
    Value::Bool(value)
}

/// `YES` or `NO`, as the information schema has it.
pub(crate) fn yes(value: bool) -> Value {
    Value::text(if value { "YES" } else { "NO" })
}

pub(crate) fn id(value: i64) -> Value {
    Value::Int(value)
}

pub(crate) fn number(value: usize) -> Value {
    i64::try_from(value).map_or(Value::Null, Value::Int)
}

pub(crate) fn list(elements: Vec<Value>) -> Value {
    let dimensions = match u32::try_from(elements.len()) {
        Ok(length) if length > 0 => vec![length],
        _ => Vec::new(),
    };
    Value::Array(Arc::new(Array { dimensions, elements }))
}

/// The position of a column, from 1.
pub(crate) fn attribute(column: crate::ColumnId) -> Value {
    Value::Int(i64::from(column.0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalog;

    #[test]
    fn every_row_has_its_columns() {
        let catalog = catalog(
            "create type mood as enum ('sad', 'ok');
             create table a (id bigint generated always as identity primary key, m mood default 'ok', t text unique check (t <> ''));
             create table b (a bigint references a on delete cascade, x int[] not null);
             create index on b (a) where a > 1;
             alter table a enable row level security;
             create policy p on a for select to anon using (id = 1);
             create view v as select id from a;
             create materialized view m as select id from a;
             create policy q on a for insert with check (true);
             create function f() returns trigger language plpgsql as 'begin return new; end';
             create function g(x int, y text default 'z') returns int language sql as 'select 1';
             create trigger t before insert or update of t on a for each row execute function f();
             comment on table a is 'words';
             alter publication supabase_realtime add table a;
             create table parts (id int) partition by list (id);
             create table part partition of parts for values in (1);",
        );
        for relation in LISTS.iter().flat_map(|list| list.iter()) {
            let rows = relation.rows(&catalog);
            for row in rows.all() {
                assert_eq!(row.len(), relation.columns.len(), "{}.{}", relation.schema, relation.name);
            }
            assert!(!rows.all().is_empty(), "{}.{}", relation.schema, relation.name);
        }
    }

    #[test]
    fn rows_are_those_of_the_catalog_as_it_is() {
        let has = |catalog: &Catalog, name: &str| {
            let rows = relation(None, "pg_tables").unwrap().rows(catalog);
            rows.with(1, &Value::text(name)).unwrap().len()
        };
        let mut builder = crate::Builder::new(catalog("create table a (id int)"), &crate::build::Untyped);
        let before = builder.shared();
        assert_eq!((has(builder.catalog(), "a"), has(builder.catalog(), "b")), (1, 0));
        for (text, wanted) in [("create table b (id int)", 1), ("alter table b rename to c", 0)] {
            let (statements, _) = sql::parse(text);
            builder.apply(&statements[0]).unwrap();
            assert_eq!(has(builder.catalog(), "b"), wanted, "{text}");
        }
        assert_eq!((has(&before, "a"), has(&before, "b")), (1, 0));
        let mut copy = (*before).clone();
        copy.tables.clear();
        assert_eq!(has(&copy, "a"), 0);
    }

    #[test]
    fn ids_of_two_relations_are_the_same() {
        let catalog = catalog("create table a (id int primary key); create table b (a int references a);");
        let rows = |name: &str| relation(None, name).unwrap().rows(&catalog).all().to_vec();
        let id_of = |wanted: &str| {
            rows("pg_class").iter().find_map(|row| match (&row[0], &row[1]) {
                (Value::Int(id), Value::Text(name)) if **name == *wanted => Some(*id),
                _ => None,
            })
        };
        let constraints = rows("pg_constraint");
        let key =
            constraints.iter().find(|row| matches!(&row[1], Value::Text(name) if &**name == "b_a_fkey"));
        let words: Vec<String> =
            key.into_iter().flat_map(|row| row.iter()).map(|value| format!("{value:?}")).collect();
        for table in ["a", "b"] {
            assert!(words.contains(&format!("Int({})", id_of(table).unwrap())), "{words:?}");
        }
    }
}
