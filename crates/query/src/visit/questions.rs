//! What is asked of whole trees: whether they aggregate, raise, call, change, depend on rows.

use catalog::ColumnId;

use super::{
    action_expressions, deep, deep_read, deep_sources, each_read, each_source, each_subquery, id_of,
};
use super::{inner_reads, operands, own_expressions};
use crate::functions::Volatility;
use crate::ir::{Action, Expr, Read, Source, SourceId, Subquery, Write};

/// Whether the body of a declared function is read somewhere in place of its call.
pub fn reads_functions(read: &Read) -> bool {
    let mut is_read = false;
    each_read(read, &mut |read| is_read |= read.called.is_some());
    is_read
}

/// Whether an expression aggregates the rows of its own read.
pub fn has_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate { .. }) || operands(expr).into_iter().any(has_aggregate)
}

/// Whether an expression looks at several rows of its own read: by an aggregate or a window.
pub fn computes_of_rows(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate { .. } | Expr::Window { .. })
        || operands(expr).into_iter().any(computes_of_rows)
}

/// Whether an expression holds a window function of its own read.
pub fn has_window(expr: &Expr) -> bool {
    matches!(expr, Expr::Window { .. }) || operands(expr).into_iter().any(has_window)
}

/// Whether a read can raise an error for some row.
pub fn read_may_raise(read: &Read) -> bool {
    let mut raises = false;
    deep_read(read, &mut |inner| {
        raises |= raises_itself(inner)
            || matches!(inner, Expr::Subquery(subquery) if matches!(**subquery, Subquery::Scalar(_)));
    });
    deep_sources(read, &mut |source| {
        raises |= match source {
            Source::Function { calls, .. } => calls.iter().any(|call| !call.function.leakproof),
            Source::Call { .. } => true,
            Source::Unit
            | Source::Table { .. }
            | Source::Read { .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Cte { .. }
            | Source::Compound { .. }
            | Source::Values { .. }
            | Source::System { .. }
            | Source::Join { .. } => false,
        }
    });
    raises
}

/// Whether an expression can raise an error for some row: it must not see rows that the caller may not see.
pub fn may_raise(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Subquery(subquery) => {
            matches!(**subquery, Subquery::Scalar(_)) || read_may_raise(subquery.read())
        }
        expr => raises_itself(expr),
    };
    own || operands(expr).into_iter().any(may_raise)
}

/// Whether a value that an expression computes may raise an error, in a subquery, too: that it has several rows is none.
pub fn computed_may_raise(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Subquery(subquery) => read_computed_may_raise(subquery.read()),
        expr => raises_itself(expr),
    };
    own || operands(expr).into_iter().any(computed_may_raise)
}

fn read_computed_may_raise(read: &Read) -> bool {
    let mut raises = false;
    own_expressions(read, &mut |expr| raises |= computed_may_raise(expr));
    raises || inner_reads(read).into_iter().any(read_computed_may_raise)
}

fn raises_itself(expr: &Expr) -> bool {
    match expr {
        Expr::Apply { function, .. } => !function.leakproof,
        Expr::Cast { expr, ty, modifier, .. } => {
            modifier.is_some() || !types::stored::is_alike(&expr.ty(), ty)
        }
        Expr::Form { form, .. } => form.raises(),
        Expr::Aggregate { .. } | Expr::Window { .. } | Expr::Call(_) => true,
        Expr::Column { .. }
        | Expr::Const { .. }
        | Expr::Param { .. }
        | Expr::Caller(_)
        | Expr::Case { .. }
        | Expr::Subquery(_) => false,
    }
}

/// Whether an expression calls a function that is interpreted.
pub fn has_call(expr: &Expr) -> bool {
    let mut found = false;
    deep(expr, &mut |inner| found |= matches!(inner, Expr::Call(_)));
    found
}

/// Whether a write calls functions that are interpreted: in what it does, and in what is asked of its rows by policies and views.
pub fn write_calls(write: &Write) -> bool {
    let is_read = |read: &Option<Read>| read.as_ref().is_some_and(calls);
    let beside = |source: &Source| calls(&Read::from(source.clone()));
    action_expressions(&write.action).into_iter().any(has_call)
        || matches!(&write.action, Action::Insert(insert) if is_read(&insert.read))
        || write.guard.conditions().any(has_call)
        || write.beside.as_ref().is_some_and(beside)
}

/// Whether rows are locked anywhere in a read.
pub fn locks(read: &Read) -> bool {
    let mut found = false;
    each_read(read, &mut |read| found |= !read.locked.is_empty());
    found
}

/// Whether a read calls a function that may change something.
pub fn changes(read: &Read) -> bool {
    let mut found = false;
    own_expressions(read, &mut |expr| found |= changes_something(expr));
    each_source(&read.from, &mut |source| found |= matches!(source, Source::Call { changes: true, .. }));
    found || inner_reads(read).into_iter().any(changes)
}

/// Volatile columns of subqueries that are kept apart (they have both bounds): they are computed for each row, whether or not
/// somebody reads what they say.
pub fn computed_apart(read: &Read) -> Vec<Expr> {
    let mut computed = Vec::new();
    each_source(&read.from, &mut |source| {
        let Source::Read { id, read, .. } = source else { return };
        if read.limit.is_none() || read.offset.is_none() {
            return;
        }
        let volatile = read.outputs.iter().zip(0..).filter(|(_, at)| is_volatile_output(read, *at));
        computed.extend(volatile.map(|(output, at)| Expr::Column {
            source: *id,
            column: ColumnId(at),
            ty: output.expr.ty(),
        }));
    });
    computed
}

/// Whether an output of a read, or of one side of the set operation that it shows, is volatile.
fn is_volatile_output(read: &Read, at: u16) -> bool {
    let Some(output) = read.outputs.get(usize::from(at)) else { return false };
    is_volatile(&output.expr)
        || matches!(&read.from, Source::Compound { id, left, right, .. }
            if output.expr.is_column(*id, ColumnId(at))
                && (is_volatile_output(left, at) || is_volatile_output(right, at)))
}

/// Whether an expression, or something in it, may say something else each time.
pub fn is_volatile(expr: &Expr) -> bool {
    let mut found = false;
    deep(expr, &mut |inner| found |= is_volatile_itself(inner));
    found
}

/// Whether something in a read may say something else each time.
pub fn read_is_volatile(read: &Read) -> bool {
    let mut found = false;
    deep_read(read, &mut |inner| found |= is_volatile_itself(inner));
    found
}

/// Whether an expression calls a function that may say something else each time, its operands excepted.
pub fn is_volatile_itself(expr: &Expr) -> bool {
    matches!(expr, Expr::Apply { function, .. } if function.volatility == Volatility::Volatile)
        || matches!(expr, Expr::Call(call) if call.is_volatile)
}

fn changes_something(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Call(call) => call.changes,
        Expr::Apply { function, .. } => function.changes,
        Expr::Subquery(subquery) => changes(subquery.read()),
        Expr::Column { .. }
        | Expr::Const { .. }
        | Expr::Param { .. }
        | Expr::Caller(_)
        | Expr::Form { .. }
        | Expr::Cast { .. }
        | Expr::Case { .. }
        | Expr::Window { .. }
        | Expr::Aggregate { .. } => false,
    };
    own || operands(expr).into_iter().any(changes_something)
}

/// Whether a read calls functions that are interpreted.
pub fn calls(read: &Read) -> bool {
    let mut found = false;
    deep_read(read, &mut |expr| found |= matches!(expr, Expr::Call(_)));
    found || calls_for_rows(read)
}

/// Whether a read asks tables or interpreted functions, what was written by its own statement excepted.
pub fn asks_tables(read: &Read) -> bool {
    let mut asks = calls(read);
    deep_sources(read, &mut |source| asks |= matches!(source, Source::Table { .. }));
    asks
}

/// Whether rows of a read are those of a function.
pub fn calls_for_rows(read: &Read) -> bool {
    let mut found = false;
    deep_sources(read, &mut |source| found |= matches!(source, Source::Call { .. }));
    found
}

/// Whether an expression names columns of sources that are not its own.
pub fn depends_on_rows(expr: &Expr) -> bool {
    let mut own = Vec::new();
    each_subquery(expr, &mut |read| deep_sources(read, &mut |source| own.extend(id_of(source))));
    let mut found = false;
    deep(expr, &mut |inner| found |= matches!(inner, Expr::Column { source, .. } if !own.contains(source)));
    found
}

/// Whether something in a read names one of some sources.
pub fn names_any(read: &Read, sources: &[SourceId]) -> bool {
    let mut found = false;
    deep_read(read, &mut |expr| {
        found |= matches!(expr, Expr::Column { source, .. } if sources.contains(source));
    });
    found
}
