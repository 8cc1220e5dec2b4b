//! One row about to be stored: completed and checked.

use catalog::ColumnId;
use query::model::Fill;
use query::{RowCheck, SourceId, Write};
use types::{Code, Error, Named, Result, Value};

use crate::work::{Tuple, Work};

impl Work<'_> {
    /// The value of a column that a write does not name.
    pub(super) async fn fill(&mut self, write: &Write, column: ColumnId) -> Result<Value> {
        let model = self.served.model.clone();
        match &model[write.named()].fills[usize::from(column.0)] {
            Fill::Null | Fill::Generated(_) => Ok(Value::Null),
            Fill::Identity { sequence, .. } => self.next_value(sequence).await,
            Fill::Default(expr) => {
                let expr = expr.as_ref().map_err(Clone::clone)?;
                self.value_at_start(expr, None, &[]).await
            }
        }
    }

    /// Computes the generated columns of a row.
    pub(super) async fn generate(&mut self, write: &Write, values: &mut [Value]) -> Result<Vec<ColumnId>> {
        let model = self.served.model.clone();
        let mut generated = Vec::new();
        for (column, fill) in model.catalog[write.table].column_ids().zip(&model[write.table].fills) {
            if let Fill::Generated(expr) = fill {
                let expr = expr.as_ref().map_err(Clone::clone)?;
                let value = self.value_at_start(expr, Some(tuple(write, values, None)), &[]).await?;
                values[usize::from(column.0)] = value;
                generated.push(column);
            }
        }
        Ok(generated)
    }

    /// Refuses a row that a domain, a policy, a not-null column or a check does not admit, in PostgreSQL's order.
    /// `assigned`: the columns that the statement itself names, whose values the caller knows.
    pub(super) async fn admit(
        &mut self,
        write: &Write,
        policies: &[RowCheck],
        values: &[Value],
        assigned: &[ColumnId],
    ) -> Result<()> {
        let model = self.served.model.clone();
        let (table, checks) = (&model.catalog[write.table], &model[write.table].checks);
        let row = tuple(write, values, None);
        for column in table.column_ids() {
            self.admit_null_of_domain(write, column, values)?;
        }
        for check in checks {
            let Some(domain) = &check.domain else { continue };
            let expr = check.expr.as_ref().map_err(Clone::clone)?;
            if matches!(self.value_at_start(expr, Some(row), &[]).await?, Value::Bool(false)) {
                let (name, check) = (&domain.name, &check.name);
                let message = format!("value for domain {name} violates check constraint \"{check}\"");
                let error = Error::new(Code::CHECK_VIOLATION, message).naming(Named::Schema, &*domain.schema);
                return Err(error.naming(Named::Type, &**name).naming(Named::Constraint, &**check));
            }
        }
        self.admit_by_policies(policies, row).await?;
        for column in table.column_ids() {
            if table[column].not_null && values[usize::from(column.0)].is_null() {
                let relation = self.relation_of(write.named(), values).await?;
                return Err(self.null_violation((write, relation), column, values, assigned));
            }
        }
        for check in checks.iter().filter(|check| check.domain.is_none()) {
            let expr = check.expr.as_ref().map_err(Clone::clone)?;
            if matches!(self.value_at_start(expr, Some(row), &[]).await?, Value::Bool(false)) {
                let relation = self.relation_of(write.named(), values).await?;
                return Err(self.check_violation((write, relation), &check.name, values, assigned));
            }
        }
        self.refuse_beyond(write, values, assigned).await
    }

    /// Refuses a row that a view on the way does not admit.
    pub(super) async fn admit_by_views(
        &mut self,
        write: &Write,
        values: &[Value],
        assigned: &[ColumnId],
    ) -> Result<()> {
        let row = tuple(write, values, None);
        for check in &write.guard.views {
            if !matches!(self.value_at_start(&check.expr, Some(row), &[]).await?, Value::Bool(true)) {
                return Err(self.with_failing_row(check.violation.clone(), write, values, assigned));
            }
        }
        Ok(())
    }

    fn admit_null_of_domain(&self, write: &Write, column: ColumnId, values: &[Value]) -> Result<()> {
        let catalog = &self.served.model.catalog;
        let domain = catalog[write.table][column].domain.as_ref().and_then(|name| catalog.domains.get(name));
        match domain {
            Some(domain) if domain.not_null && values[usize::from(column.0)].is_null() => {
                let message = format!("domain {} does not allow null values", domain.name.name);
                Err(Error::new(Code::NOT_NULL_VIOLATION, message))
            }
            _ => Ok(()),
        }
    }

    /// Anything but true refuses.
    pub(super) async fn admit_by_policies(&mut self, policies: &[RowCheck], row: Tuple<'_>) -> Result<()> {
        for policy in policies {
            if self.admitted.knows(policy, row) {
                continue;
            }
            if !matches!(self.value_at_start(&policy.expr, Some(row), &[]).await?, Value::Bool(true)) {
                return Err(policy.violation.clone());
            }
            self.admitted.remember(policy, row);
        }
        Ok(())
    }
}

/// A row of the target of a write.
pub(super) fn tuple<'a>(
    write: &Write,
    values: &'a [Value],
    excluded: Option<(SourceId, &'a [Value])>,
) -> Tuple<'a> {
    Tuple { table: write.table, target: write.target, values, excluded }
}
