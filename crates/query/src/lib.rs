//! The compiler's middle: what a request means, who may do it, and how an engine will.
//!
//! `resolve` binds SQL text's trees to the catalog, `authorize` compiles grants and policies in, `plan` cuts the result
//! into steps, `eval` computes expressions in memory. Pure; no engine is known here, only [`types::Capabilities`].

pub mod arbiters;
pub mod authorize;
mod check;
pub mod compute;
pub mod constants;
pub mod eval;
pub mod functions;
pub mod ir;
pub mod model;
pub mod partitions;
pub mod parts;
pub mod plan;
pub mod presentation;
pub mod reach;
pub mod resolve;
pub mod triggers;
mod truncate;
pub mod visit;

pub use authorize::{Authorized, authorize, delegated, permitted};
pub use ir::{
    Action, Assign, CallArgument, CalledBy, Caller, CallerField, Changed, Compare, Conflict, ConflictAction,
    Cte, DomainTest, Expr, Form, Frame, FrameBound, FrameExclusion, FrameUnit, FunctionCall, FunctionId,
    Guard, Insert, JoinKind, Judge, Native, Nest, Order, Output, Query, ROW_KEY, Read, Returned, RowCheck,
    RowValue, SetCall, SetOperator, Source, SourceId, Subquery, Transition, Window, WindowFunction, Write,
    WriteGuard,
};
pub use model::Model;
pub use plan::{Plan, Step, plan};
pub use presentation::{Aggregation, EXPLAIN_OPTIONS, Explain, Presentation};
pub use truncate::{Truncation, lock, truncation};
pub use visit::{SourceIds, computes_of_rows, has_aggregate, may_raise};
