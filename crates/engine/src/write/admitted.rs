//! What policies admitted of the rows of one statement: they are asked once for rows that look alike to them.
//!
//! All rows of such a statement are checked before the first is stored, so that what policies read stays as it is. One that says
//! something else each time is asked each time, and what is refused ends the statement.

use catalog::ColumnId;
use query::functions::Volatility as Effect;
use query::model::ROW;
use query::{Expr, Form, RowCheck, SourceId, visit};
use types::Value;

use crate::work::{Tuple, Work, has_subquery};

/// Rows that are remembered for a policy.
const REMEMBERED: usize = 64;

/// What the policies of a statement admitted so far.
#[derive(Debug, Default)]
pub(crate) struct Admitted(Vec<Policy>);

#[derive(Debug)]
struct Policy {
    /// Where its check lies in memory, which it does not leave during its statement.
    address: usize,
    /// The columns that it looks at.
    columns: Vec<ColumnId>,
    /// Their values in rows that it admitted.
    rows: Vec<Vec<Value>>,
    /// Which of them is forgotten next.
    oldest: usize,
}

impl Admitted {
    /// Of the policies of a statement, those that are worth it.
    fn of(policies: &[RowCheck], target: SourceId) -> Admitted {
        let steady = policies.iter().filter(|policy| has_subquery(&policy.expr));
        let steady = steady.filter(|policy| !changes_its_mind(&policy.expr));
        let policy = |check: &RowCheck| Policy {
            address: std::ptr::from_ref(check).addr(),
            columns: columns(&check.expr, target),
            rows: Vec::new(),
            oldest: 0,
        };
        Admitted(steady.map(policy).collect())
    }

    fn policy(&mut self, check: &RowCheck) -> Option<&mut Policy> {
        let address = std::ptr::from_ref(check).addr();
        self.0.iter_mut().find(|policy| policy.address == address)
    }

    /// Whether a policy admitted a row like this one.
    pub(super) fn knows(&mut self, check: &RowCheck, row: Tuple<'_>) -> bool {
        let Some(policy) = self.policy(check) else { return false };
        let looks_alike = |known: &Vec<Value>| {
            let own = policy.columns.iter().map(|column| row.values.get(usize::from(column.0)));
            own.zip(known).all(|(own, known)| own.is_some_and(|own| is_same(own, known)))
        };
        row.excluded.is_none() && policy.rows.iter().any(looks_alike)
    }

    /// Remembers a row that a policy admitted.
    pub(super) fn remember(&mut self, check: &RowCheck, row: Tuple<'_>) {
        let Some(policy) = self.policy(check) else { return };
        let values = policy.columns.iter().map(|column| row.values.get(usize::from(column.0)).cloned());
        let Some(values) = values.collect::<Option<Vec<Value>>>() else { return };
        if row.excluded.is_some() || !values.iter().all(|value| is_same(value, value)) {
            return;
        }
        if policy.rows.len() < REMEMBERED {
            policy.rows.push(values);
        } else if let Some(oldest) = policy.rows.get_mut(policy.oldest) {
            *oldest = values;
            policy.oldest = (policy.oldest + 1) % REMEMBERED;
        }
    }
}

impl Work<'_> {
    /// Begins to check the rows of a statement of which nothing is stored meanwhile; what is to be handed back at the end.
    pub(super) fn begin_admitting(&mut self, policies: &[RowCheck], target: SourceId) -> Admitted {
        let admitted = Admitted::of(policies, target);
        std::mem::replace(&mut self.admitted, admitted)
    }

    /// Goes back to the statement around.
    pub(super) fn end_admitting(&mut self, before: Admitted) {
        self.admitted = before;
    }
}

/// The columns of a row that an expression looks at.
fn columns(expr: &Expr, target: SourceId) -> Vec<ColumnId> {
    let mut found = Vec::new();
    visit::deep(expr, &mut |inner| {
        if let Expr::Column { source, column, .. } = inner
            && (*source == target || *source == ROW)
            && !found.contains(column)
        {
            found.push(*column);
        }
    });
    found
}

/// Whether an expression may say something else for the same row.
fn changes_its_mind(expr: &Expr) -> bool {
    let mut changes = false;
    visit::deep(expr, &mut |inner| {
        changes |= match inner {
            Expr::Call(call) => call.is_volatile,
            Expr::Apply { function, .. } => {
                function.volatility == Effect::Volatile || function.name == "current_setting"
            }
            Expr::Form { form, .. } => matches!(form, Form::Native(_)),
            Expr::Column { .. }
            | Expr::Const { .. }
            | Expr::Param { .. }
            | Expr::Caller(_)
            | Expr::Cast { .. }
            | Expr::Case { .. }
            | Expr::Subquery(_)
            | Expr::Aggregate { .. }
            | Expr::Window { .. } => false,
        };
    });
    visit::each_subquery(expr, &mut |read| {
        visit::each_read(read, &mut |read| changes |= read.sees_own_changes);
    });
    changes
}

/// Whether two values are the same to everybody. Where equal ones may differ, as the texts of `1.0` and `1.00` do, they are not.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right))
        | (Value::Time(left), Value::Time(right))
        | (Value::Timestamp(left), Value::Timestamp(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Uuid(left), Value::Uuid(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::Date(left), Value::Date(right)) => left == right,
        _ => false,
    }
}
