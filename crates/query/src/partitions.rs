//! Which rows partitions take, as conditions over a row.

use catalog::{Bound, Catalog, End, PartitionKey, TableId};
use types::{Error, Result, Type, Value};

use crate::functions::choose::choose;
use crate::functions::{Kind, hash};
use crate::ir::{Expr, Form};
use crate::resolve;

/// A partition of a table.
#[derive(Debug)]
pub struct PartitionModel {
    /// The partition.
    pub table: TableId,
    /// Which rows of its table it takes: true or false of every row over [`ROW`](crate::model::ROW).
    pub takes: Result<Expr>,
}

/// The partitions of a table, the default one last.
pub(crate) fn models(catalog: &Catalog, table: TableId) -> Vec<PartitionModel> {
    let model = |partition| PartitionModel { table: partition, takes: takes(catalog, partition) };
    catalog.partitions(table).into_iter().map(model).collect()
}

/// Which rows of the table at the root a partition has.
pub(crate) fn whole(catalog: &Catalog, partition: TableId) -> Option<Result<Expr>> {
    catalog[partition].partition.as_ref()?;
    let mut conditions = Vec::new();
    let mut at = partition;
    while let Some(of) = &catalog[at].partition {
        match takes(catalog, at) {
            Ok(condition) => conditions.insert(0, condition),
            Err(error) => return Some(Err(error)),
        }
        let Some((parent, _)) = catalog.table(&of.of) else { break };
        at = parent;
    }
    Expr::all(conditions).map(Ok)
}

fn takes(catalog: &Catalog, partition: TableId) -> Result<Expr> {
    let none = || Error::internal("a partition of nothing");
    let own = catalog[partition].partition.as_ref().ok_or_else(none)?;
    let (parent, declared) = catalog.table(&own.of).ok_or_else(none)?;
    let partitioning = declared.partitioning.as_ref().ok_or_else(none)?;
    let key = |key: &PartitionKey| resolve::row_value(catalog, declared, &key.expr);
    let keys = partitioning.keys.iter().map(key).collect::<Result<Vec<_>>>()?;
    let terms = Terms { catalog, partitioned: &partitioning.keys, keys };
    match &own.bound {
        Bound::Default => {
            let others = catalog.partitions(parent).into_iter().filter(|other| *other != partition);
            let others = others.map(|other| takes(catalog, other)).collect::<Result<Vec<_>>>()?;
            Ok(Expr::test(Form::Not, vec![any(others)]))
        }
        Bound::List(values) => terms.listed(values),
        Bound::Range { from, to } => terms.within(from, to),
        Bound::Hash { modulus, remainder } => terms.hashed(*modulus, *remainder),
    }
}

/// The keys of a partitioned table.
struct Terms<'a> {
    catalog: &'a Catalog,
    partitioned: &'a [PartitionKey],
    /// The same over a row.
    keys: Vec<Expr>,
}

impl Terms<'_> {
    fn listed(&self, values: &[catalog::Datum]) -> Result<Expr> {
        let mut found = Vec::new();
        let key = self.keys.first().ok_or_else(|| Error::internal("a list without a key"))?;
        for datum in values {
            if datum.value.is_null() {
                found.push(Expr::test(Form::IsNull, vec![key.clone()]));
            } else {
                found.push(self.compared(0, "=", datum)?);
            }
        }
        let has_null = values.iter().any(|datum| datum.value.is_null());
        let known = (!has_null).then(|| Expr::test(Form::IsNotNull, vec![key.clone()]));
        // Beside `is null`, a comparison with null must be false, too.
        let any = Expr::test(Form::IsBool { value: true, negated: false }, vec![any(found)]);
        Ok(Expr::all(known.into_iter().chain([any])).unwrap_or_else(|| Expr::bool(false)))
    }

    fn within(&self, from: &[End], to: &[End]) -> Result<Expr> {
        let known = self.keys.iter().map(|key| Expr::test(Form::IsNotNull, vec![key.clone()]));
        let mut conditions: Vec<Expr> = known.collect();
        conditions.extend([self.beyond(from, 0, (">", ">="))?, self.beyond(to, 0, ("<", "<"))?]);
        Ok(Expr::all(conditions).unwrap_or_else(|| Expr::bool(true)))
    }

    /// Whether the keys from one on are beyond an end; `strictly` and `last` are how keys before the last and the last are compared.
    fn beyond(&self, ends: &[End], at: usize, (strictly, last): (&str, &str)) -> Result<Expr> {
        let is_lower = strictly == ">";
        match ends.get(at) {
            // All keys are equal, which is within a lower end alone.
            None => Ok(Expr::bool(is_lower)),
            Some(End::Min) => Ok(Expr::bool(is_lower)),
            Some(End::Max) => Ok(Expr::bool(!is_lower)),
            Some(End::Value(datum)) if at + 1 == ends.len() => self.compared(at, last, datum),
            Some(End::Value(datum)) => {
                let equal = self.compared(at, "=", datum)?;
                let rest = self.beyond(ends, at + 1, (strictly, last))?;
                let further = Expr::test(Form::And, vec![equal, rest]);
                Ok(any(vec![self.compared(at, strictly, datum)?, further]))
            }
        }
    }

    fn hashed(&self, modulus: u64, remainder: u64) -> Result<Expr> {
        let number = |number: u64| {
            let value = Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
            Expr::Const { value, ty: Type::Int8 }
        };
        let mut hash = number(0);
        for (key, declared) in self.keys.iter().zip(self.partitioned) {
            hash = applied(hash::KEY, (key.clone(), &declared.ty), hash)?;
        }
        let rest = applied(hash::REMAINDER, (hash, &Type::Int8), number(modulus))?;
        Ok(rest.equals(number(remainder)))
    }

    fn compared(&self, at: usize, symbol: &str, datum: &catalog::Datum) -> Result<Expr> {
        let (Some(key), Some(declared)) = (self.keys.get(at), self.partitioned.get(at)) else {
            return Err(Error::internal("a bound of more values than keys"));
        };
        let value = Expr::Const { value: datum.value.clone(), ty: declared.ty.clone() };
        resolve::operator(self.catalog, key.clone(), symbol, value)
    }
}

/// A function of a value of a type and a number.
fn applied(name: &str, (value, ty): (Expr, &Type), number: Expr) -> Result<Expr> {
    let chosen = choose(name, Kind::Function, &[ty.clone(), Type::Int8])?;
    Ok(Expr::Apply { function: chosen.function, args: vec![value, number], ty: Type::Int8 })
}

fn any(mut conditions: Vec<Expr>) -> Expr {
    match conditions.len() {
        0 => Expr::bool(false),
        1 => conditions.remove(0),
        _ => Expr::test(Form::Or, conditions),
    }
}
