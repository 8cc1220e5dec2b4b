//! Exclusion constraints (PostgreSQL, `check_exclusion_or_unique_constraint`): a row is looked at as soon as it is stored, beside
//! those that are there by then.

use catalog::{ColumnId, TableId};
use query::arbiters::{UniqueModel, key_words};
use query::model::ROW;
use query::{Compare, Expr, Form, Guard, Source};
use types::text::print;
use types::{Code, Error, Named, Result, Type, Value};

use super::violations::about;
use super::{StoredRow, split};
use crate::work::{Bound, Tuple, Work};

/// Which rows a row is compared with.
#[derive(Clone, Copy)]
pub(super) enum Beside {
    /// All.
    All,
    /// Those that were stored before it.
    Earlier,
    /// All but itself.
    Others,
}

impl Work<'_> {
    /// Refuses stored rows, each with its key, that another row excludes.
    pub(super) async fn refuse_excluded(
        &mut self,
        table: TableId,
        (keys, rows): (&[i64], &[Vec<Value>]),
        beside: Beside,
    ) -> Result<()> {
        let model = self.served.model.clone();
        let at_once = |key: &&UniqueModel| key.excludes.is_some() && !key.deferrable;
        if !model[table].uniques.iter().any(|key| at_once(&key)) {
            return Ok(());
        }
        for (stored, row) in keys.iter().zip(rows) {
            for key in model[table].uniques.iter().filter(at_once) {
                if let Some(other) = self.excluding_stored(table, key, (row, *stored), beside).await? {
                    return Err(self.exclusion(table, key, row, &other.values).await);
                }
            }
        }
        Ok(())
    }

    /// A row that excludes one that is not stored.
    pub(super) async fn excluding(
        &mut self,
        table: TableId,
        key: &UniqueModel,
        row: &[Value],
        beside: Beside,
    ) -> Result<Option<StoredRow>> {
        self.excluding_stored(table, key, (row, 0), beside).await
    }

    /// A row that excludes one that is stored under a key of the engine.
    pub(super) async fn excluding_stored(
        &mut self,
        table: TableId,
        key: &UniqueModel,
        (row, stored): (&[Value], i64),
        beside: Beside,
    ) -> Result<Option<StoredRow>> {
        let tuple = Tuple { table, target: ROW, values: row, excluded: None };
        if let Some(predicate) = &key.predicate
            && !matches!(self.value(predicate, Some(tuple), &[]).await?, Value::Bool(true))
        {
            return Ok(None);
        }
        let values = self.key_values(key, tuple).await?;
        if values.iter().any(Value::is_null) {
            return Ok(None);
        }
        let excludes = key.excludes.as_ref().map_or(Ok(Vec::new()), Clone::clone)?;
        let apart = |compare| {
            let own = Expr::Column { source: ROW, column: query::ROW_KEY, ty: Type::Int8 };
            let stored = Expr::Const { value: Value::Int(stored), ty: Type::Int8 };
            Expr::test(Form::Compare(compare), vec![own, stored])
        };
        let apart = match beside {
            Beside::All => None,
            Beside::Earlier => Some(apart(Compare::Lt)),
            Beside::Others => Some(apart(Compare::Ne)),
        };
        let from = Source::Table { id: ROW, table, guard: Guard::Open };
        let mut read = self.whole_rows_of((ROW, table), from);
        read.filter = Expr::all(key.predicate.iter().cloned().chain(excludes).chain(apart));
        let width = read.outputs.len();
        let bound = Bound { parameters: &values, ..Bound::default() };
        let found = self.rows(&read, bound).await?.into_iter().next();
        found.map(|row| split(row, width).map(|(row, _)| row)).transpose()
    }

    async fn key_values(&mut self, key: &UniqueModel, row: Tuple<'_>) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(key.keys.len());
        for expr in &key.keys {
            values.push(self.value(expr, Some(row), &[]).await?);
        }
        Ok(values)
    }

    /// What is said of a row that another one excludes; values are said to those who may see them.
    pub(super) async fn exclusion(
        &mut self,
        table: TableId,
        key: &UniqueModel,
        row: &[Value],
        other: &[Value],
    ) -> Error {
        let model = self.served.model.clone();
        let message = format!("conflicting key value violates exclusion constraint \"{}\"", key.name);
        let error = about(Error::new(Code::EXCLUSION_VIOLATION, message), &model.catalog[table]);
        let error = error.naming(Named::Constraint, &*key.name);
        let columns: Option<Vec<ColumnId>> = key.columns();
        let sight = self.sight(table);
        if !sight.whole() && !columns.is_some_and(|columns| sight.columns(&columns)) {
            return error.with_details("Key conflicts with existing key.");
        }
        let (own, other) = (self.key_said(table, key, row).await, self.key_said(table, key, other).await);
        match (own, other) {
            (Some(own), Some(other)) => {
                error.with_details(format!("Key {own} conflicts with existing key {other}."))
            }
            _ => error,
        }
    }

    /// `(a, b)=(1, 2)`; `None` where a key is not written here as PostgreSQL writes it.
    async fn key_said(&mut self, table: TableId, key: &UniqueModel, row: &[Value]) -> Option<String> {
        let model = self.served.model.clone();
        let words: Option<Vec<String>> =
            key.keys.iter().map(|expr| key_words(&model.catalog[table], expr)).collect();
        let tuple = Tuple { table, target: ROW, values: row, excluded: None };
        let values = self.key_values(key, tuple).await.ok()?;
        let said = |(expr, value): (&Expr, &Value)| match value {
            Value::Null => "null".to_owned(),
            value => print(&expr.ty(), value, &self.run.session),
        };
        let texts: Vec<String> = key.keys.iter().zip(&values).map(said).collect();
        Some(format!("({})=({})", words?.join(", "), texts.join(", ")))
    }
}
