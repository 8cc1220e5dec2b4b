//! Statements that change settings while they read: what functions say of a setting is asked each time then.
//!
//! PostgreSQL calls a stable function for every row; engines that run them through us may call it once, which is the same as long as
//! nothing that it reads changes within the statement. Settings may: `set_config` is a function, too.

use crate::ir::{Action, Expr, Insert, Read, Write};
use crate::visit;

/// Has functions of a read called each time, where something in it may change a setting.
pub(super) fn follow(read: &mut Read) {
    let mut moves = false;
    visit::deep_read(read, &mut |expr| moves |= may_set(expr));
    if moves {
        visit::deep_read_mut(read, &mut call_each_time);
    }
}

/// The same in the reads of a write, each of which is a statement of the engine.
pub(super) fn follow_in(write: &mut Write) {
    write.before.iter_mut().for_each(|changed| follow_in(&mut changed.write));
    [&mut write.returning, &mut write.counted].into_iter().flatten().for_each(follow);
    if let Action::Insert(Insert { read: Some(read), .. }) = &mut write.action {
        follow(read);
    }
    let mut exprs = visit::action_expressions_mut(&mut write.action);
    exprs.extend(&mut write.guard.touch);
    let mut moves = false;
    exprs.iter().for_each(|expr| visit::deep(expr, &mut |inner| moves |= may_set(inner)));
    if moves {
        exprs.into_iter().for_each(|expr| visit::deep_mut(expr, &mut call_each_time));
    }
}

fn may_set(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => call.is_volatile,
        Expr::Apply { function, .. } => function.name == "set_config",
        _ => false,
    }
}

fn call_each_time(expr: &mut Expr) {
    if let Expr::Call(call) = expr {
        call.is_volatile = true;
    }
}
