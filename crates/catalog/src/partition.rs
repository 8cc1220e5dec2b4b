//! Partitioned tables: what decides where a row belongs, and which rows each partition takes.
//!
//! A partition is a table of its own in rights and policies; its rows are kept in the table at the root, whose columns it has in
//! the same order. Nothing here looks at rows.

use std::cmp::Ordering;
use std::sync::Arc;

use sql::ast;
use sql::print::{expr, quote_ident, quote_literal};
use types::session::Session;
use types::{Name, Type, Value, compare, text};

use crate::{Catalog, Table, TableId};

/// How the rows of a table are told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Partitioning {
    /// By what.
    pub strategy: Strategy,
    /// What decides.
    pub keys: Vec<PartitionKey>,
}

/// By what rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `range`
    Range,
    /// `list`
    List,
    /// `hash`
    Hash,
}

/// What decides where a row belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionKey {
    /// A column or another expression over the table's columns.
    pub expr: Arc<ast::Expr>,
    /// Its type.
    pub ty: Type,
}

/// What makes a table a partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// The partitioned table.
    pub of: Name,
    /// Which rows it takes.
    pub bound: Bound,
    /// The keys and indexes that it has from there: their names there and here.
    pub keys: Vec<(Arc<str>, Arc<str>)>,
}

/// Which rows a partition takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// Those that no other takes.
    Default,
    /// Those whose key is one of these; null is one of its own.
    List(Vec<Datum>),
    /// Those from a key on, up to the one before another.
    Range {
        /// The first.
        from: Vec<End>,
        /// The one after the last.
        to: Vec<End>,
    },
    /// Those whose hash has this remainder.
    Hash {
        /// `modulus`
        modulus: u64,
        /// `remainder`
        remainder: u64,
    },
}

/// A constant of a bound. Those that print alike are one.
#[derive(Clone, Debug)]
pub struct Datum {
    /// It, of its key's type.
    pub value: Value,
    /// How it prints.
    text: Arc<str>,
}

impl Datum {
    /// A value of a key's type.
    pub fn of(ty: &Type, value: Value) -> Datum {
        let text = constant(ty, &value).into();
        Datum { value, text }
    }
}

impl PartialEq for Datum {
    fn eq(&self, other: &Datum) -> bool {
        self.text == other.text
    }
}

/// An end of a range, in one key.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Before every value.
    Min,
    /// A value.
    Value(Datum),
    /// After every value.
    Max,
}

impl Catalog {
    /// Where the rows of a table are kept: of a partition, in the table at the root.
    pub fn kept_in(&self, table: TableId) -> TableId {
        let mut root = table;
        while let Some((parent, _)) = self[root].partition.as_ref().and_then(|own| self.table(&own.of)) {
            root = parent;
        }
        root
    }

    /// What a key or index of the table at the root is called in a partition.
    pub fn inherited_key(&self, partition: TableId, name: &str) -> Arc<str> {
        let Some(own) = &self[partition].partition else { return name.into() };
        let above =
            self.table(&own.of).map_or_else(|| name.into(), |(parent, _)| self.inherited_key(parent, name));
        own.keys.iter().find(|(of, _)| *of == above).map_or(above, |(_, own)| own.clone())
    }

    /// The partitions of a table in the order of their bounds, the default one last.
    pub fn partitions(&self, table: TableId) -> Vec<TableId> {
        let name = &self[table].name;
        let is_of = |id: &TableId| self[*id].partition.as_ref().is_some_and(|own| own.of == *name);
        let mut found: Vec<TableId> = match self[table].partitioning {
            Some(_) => self.ids().filter(is_of).collect(),
            None => Vec::new(),
        };
        if let Some(partitioning) = &self[table].partitioning {
            let bound = |id: &TableId| self[*id].partition.as_ref().map_or(&Bound::Default, |own| &own.bound);
            found.sort_by(|left, right| partitioning.bound_order(bound(left), bound(right)));
        }
        found
    }
}

impl Table {
    /// Whether it has a place of its own for its rows: a partition's are kept elsewhere.
    pub fn has_storage(&self) -> bool {
        self.is_stored() && self.partition.is_none()
    }
}

impl Partitioning {
    /// It as `pg_get_partkeydef` prints it.
    pub fn text(&self) -> String {
        let word = match self.strategy {
            Strategy::Range => "RANGE",
            Strategy::List => "LIST",
            Strategy::Hash => "HASH",
        };
        format!("{word} ({})", self.keys_text())
    }

    /// Its keys, with commas.
    pub fn keys_text(&self) -> String {
        let keys = self.keys.iter().map(|key| match &*key.expr.kind {
            ast::ExprKind::Column(parts) => parts.last().map(|name| quote_ident(name)).unwrap_or_default(),
            ast::ExprKind::Call(_) => expr(&key.expr),
            _ => format!("({})", expr(&key.expr)),
        });
        keys.collect::<Vec<_>>().join(", ")
    }

    /// Whether two partitions would take the same row.
    pub(crate) fn overlap(&self, left: &Bound, right: &Bound) -> bool {
        match (left, right) {
            (Bound::List(left), Bound::List(right)) => {
                left.iter().any(|value| right.iter().any(|other| self.is_same(&value.value, &other.value)))
            }
            (Bound::Range { from, to }, Bound::Range { from: other, to: end }) => {
                self.order(from, end).is_lt() && self.order(other, to).is_lt()
            }
            (Bound::Hash { modulus, remainder }, Bound::Hash { modulus: other, remainder: rest }) => {
                let common = (*modulus).min(*other).max(1);
                remainder % common == rest % common
            }
            _ => false,
        }
    }

    fn is_same(&self, left: &Value, right: &Value) -> bool {
        let Some(key) = self.keys.first() else { return false };
        match (left.is_null(), right.is_null()) {
            (false, false) => compare::equal(&key.ty, left, right),
            (left, right) => left && right,
        }
    }

    /// The order in which PostgreSQL goes through partitions (`partition_bounds_create`).
    fn bound_order(&self, left: &Bound, right: &Bound) -> Ordering {
        match (left, right) {
            (Bound::List(left), Bound::List(right)) => match (self.least(left), self.least(right)) {
                (Some(left), Some(right)) => {
                    self.keys.first().map_or(Ordering::Equal, |key| compare::compare(&key.ty, left, right))
                }
                // One of null alone is after those of values.
                (left, right) => left.is_none().cmp(&right.is_none()),
            },
            (Bound::Range { from, .. }, Bound::Range { from: other, .. }) => self.order(from, other),
            (Bound::Hash { modulus, remainder }, Bound::Hash { modulus: other, remainder: rest }) => {
                (modulus, remainder).cmp(&(other, rest))
            }
            (left, right) => (*left == Bound::Default).cmp(&(*right == Bound::Default)),
        }
    }

    fn least<'v>(&self, values: &'v [Datum]) -> Option<&'v Value> {
        let key = self.keys.first()?;
        let known = values.iter().map(|datum| &datum.value).filter(|value| !value.is_null());
        known.min_by(|left, right| compare::compare(&key.ty, left, right))
    }

    /// The order of two ends; what follows an end without a value decides nothing.
    pub(crate) fn order(&self, left: &[End], right: &[End]) -> Ordering {
        for ((left, right), key) in left.iter().zip(right).zip(&self.keys) {
            let order = match (left, right) {
                (End::Value(left), End::Value(right)) => compare::compare(&key.ty, &left.value, &right.value),
                (End::Min, End::Min) | (End::Max, End::Max) => return Ordering::Equal,
                (End::Min, _) | (_, End::Max) => Ordering::Less,
                (End::Max, _) | (_, End::Min) => Ordering::Greater,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl Bound {
    /// Its constants, each with the key that it is of.
    pub(crate) fn each_datum(
        &mut self,
        keys: &[PartitionKey],
        each: &mut impl FnMut(&PartitionKey, &mut Datum),
    ) {
        match self {
            Bound::List(values) => {
                if let Some(key) = keys.first() {
                    values.iter_mut().for_each(|datum| each(key, datum));
                }
            }
            Bound::Range { from, to } => {
                for (end, key) in from.iter_mut().zip(keys).chain(to.iter_mut().zip(keys)) {
                    if let End::Value(datum) = end {
                        each(key, datum);
                    }
                }
            }
            Bound::Default | Bound::Hash { .. } => {}
        }
    }

    /// It as `pg_get_expr` prints it.
    pub fn text(&self) -> String {
        match self {
            Bound::Default => "DEFAULT".to_owned(),
            Bound::List(values) => {
                let values: Vec<&str> = values.iter().map(|datum| &*datum.text).collect();
                format!("FOR VALUES IN ({})", values.join(", "))
            }
            Bound::Range { from, to } => format!("FOR VALUES FROM {} TO {}", ends_text(from), ends_text(to)),
            Bound::Hash { modulus, remainder } => {
                format!("FOR VALUES WITH (modulus {modulus}, remainder {remainder})")
            }
        }
    }
}

/// The ends of a range as PostgreSQL prints them.
pub(crate) fn ends_text(ends: &[End]) -> String {
    let end = |end: &End| match end {
        End::Min => "MINVALUE".to_owned(),
        End::Max => "MAXVALUE".to_owned(),
        End::Value(datum) => datum.text.to_string(),
    };
    format!("({})", ends.iter().map(end).collect::<Vec<_>>().join(", "))
}

/// A constant without its type, as PostgreSQL prints one (`get_const_expr`).
fn constant(ty: &Type, value: &Value) -> String {
    if value.is_null() {
        return "NULL".to_owned();
    }
    let text = text::print(ty, value, &Session::utc(0));
    let is_bare = match ty {
        Type::Bool => return (if matches!(value, Value::Bool(true)) { "true" } else { "false" }).to_owned(),
        Type::Int4 => !text.starts_with('-'),
        Type::Numeric => text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['e', 'E', '.']),
        _ => false,
    };
    if is_bare { text } else { quote_literal(&text) }
}
