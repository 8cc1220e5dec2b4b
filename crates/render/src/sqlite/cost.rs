//! Which of several conditions is asked first: PostgreSQL's order (its planner's `order_qual_clauses` and `cost_qual_eval`). What
//! is cheap spares what is not, and with it errors; rows do not depend on it.

use std::borrow::Cow;

use catalog::ColumnId;
use query::functions::Volatility;
use query::visit;
use query::{Expr, Form, Source, SourceId, Subquery};
use types::{Type, Value};

use super::read::{all_conjuncts, conjuncts};

/// What an operator costs (`cpu_operator_cost`).
const OPERATOR: usize = 2;
/// What a declared function costs, unless it says so.
const FUNCTION: usize = 100 * OPERATOR;
/// What a subquery costs that is asked for each row: more than what is computed of a row alone.
const SUBQUERY: usize = 100 * FUNCTION;
/// What may be asked before policies, where it tells nothing, costs less than this.
const CHEAP: usize = 10 * OPERATOR;
/// What is known about the caller is read out of settings.
const CALLER: usize = 8 * OPERATOR;
/// So many elements has an array of which nothing is known.
const ELEMENTS: usize = 10;
/// A list of so many constants is hashed.
const HASHED: usize = 9;

/// Conditions on rows of a source that must all hold, the cheapest first.
pub(super) fn cheapest_first<'e>(filter: &'e Expr, from: &Source) -> Vec<&'e Expr> {
    let mut conditions = all_conjuncts(filter);
    conditions.sort_by_cached_key(|condition| cost(condition, from));
    conditions
}

/// The same as one condition.
pub(super) fn ordered<'e>(condition: &'e Expr, from: &Source) -> Cow<'e, Expr> {
    match all_conjuncts(condition)[..] {
        [] | [_] => Cow::Borrowed(condition),
        _ => Expr::all(cheapest_first(condition, from).into_iter().cloned())
            .map_or(Cow::Borrowed(condition), Cow::Owned),
    }
}

/// The conditions of policies, in their order; what is cheap and can raise no error is asked before.
pub(super) fn of_policies<'e>(guards: impl IntoIterator<Item = &'e Expr>) -> Vec<&'e Expr> {
    let mut conditions: Vec<&Expr> = guards.into_iter().flat_map(conjuncts).collect();
    conditions.sort_by_cached_key(|condition| {
        let cost = cost(condition, &Source::Unit);
        match cost < CHEAP && !query::may_raise(condition) {
            true => (false, cost),
            false => (true, 0),
        }
    });
    conditions
}

/// What it costs to ask of one row of a source: a column of a subquery costs what it is computed of.
fn cost(expr: &Expr, from: &Source) -> usize {
    if is_constant(expr) {
        return 0;
    }
    let own = match expr {
        Expr::Column { source, column, .. } => of_column(from, *source, *column),
        Expr::Const { .. } | Expr::Param { .. } | Expr::Case { .. } => 0,
        Expr::Caller(_) => CALLER,
        Expr::Apply { .. } => OPERATOR,
        Expr::Form { form, args, .. } => of_form(form, args),
        Expr::Cast { expr, ty, modifier, .. } => {
            conversion(&expr.ty(), ty) + if modifier.is_some() { OPERATOR } else { 0 }
        }
        Expr::Subquery(subquery) => match &**subquery {
            Subquery::Exists(_) | Subquery::Scalar(_) if !visit::depends_on_rows(expr) => 0,
            Subquery::Exists(_)
            | Subquery::Scalar(_)
            | Subquery::Any { .. }
            | Subquery::All { .. }
            | Subquery::Nest(_) => SUBQUERY,
        },
        Expr::Call(_) => FUNCTION,
        // They were computed before.
        Expr::Aggregate { .. } | Expr::Window { .. } => return 0,
    };
    own + visit::operands(expr).into_iter().map(|operand| cost(operand, from)).sum::<usize>()
}

fn of_column(from: &Source, source: SourceId, column: ColumnId) -> usize {
    let mut found = 0;
    visit::each_source(from, &mut |leaf| {
        if let Source::Read { id, read, .. } = leaf
            && *id == source
        {
            let output = read.outputs.get(usize::from(column.0));
            found = output.map_or(0, |output| cost(&output.expr, &read.from));
        }
    });
    found
}

fn of_form(form: &Form, args: &[Expr]) -> usize {
    match form {
        Form::Compare(_)
        | Form::Distinct
        | Form::NotDistinct
        | Form::NullIf
        | Form::Greatest
        | Form::Least
        | Form::Domain(_)
        | Form::Native(_) => OPERATOR,
        Form::And
        | Form::Or
        | Form::Not
        | Form::IsNull
        | Form::IsNotNull
        | Form::IsBool { .. }
        | Form::Coalesce
        | Form::Array
        | Form::Row
        | Form::Record(_)
        | Form::Field(_) => 0,
        Form::In => of_elements(args.len().saturating_sub(1)),
        Form::AnyOf(_) | Form::AllOf(_) | Form::AnyBy(_) | Form::AllBy(_) => of_elements(match args.last() {
            Some(Expr::Const { value: Value::Array(array), .. }) => array.elements.len(),
            Some(Expr::Form { form: Form::Array, args, .. }) => args.len(),
            _ => ELEMENTS,
        }),
    }
}

/// Half of the elements are looked at until one is found; many are hashed.
fn of_elements(count: usize) -> usize {
    if count >= HASHED { 2 * OPERATOR } else { count * OPERATOR / 2 }
}

/// What is kept alike is the same value; a text is written by one function and read by another.
fn conversion(from: &Type, to: &Type) -> usize {
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Varchar | Type::Bpchar);
    match (is_text(from), is_text(to)) {
        (true, true) => 0,
        (false, false) if from == to => 0,
        (false, false) => OPERATOR,
        (true, false) | (false, true) => 2 * OPERATOR,
    }
}

/// Whether PostgreSQL computes it before any row is read.
fn is_constant(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Const { .. }
        | Expr::Param { .. }
        | Expr::Form { .. }
        | Expr::Cast { .. }
        | Expr::Case { .. } => true,
        Expr::Apply { function, .. } => function.volatility == Volatility::Immutable,
        Expr::Column { .. }
        | Expr::Caller(_)
        | Expr::Subquery(_)
        | Expr::Call(_)
        | Expr::Window { .. }
        | Expr::Aggregate { .. } => false,
    };
    own && visit::operands(expr).into_iter().all(is_constant)
}
