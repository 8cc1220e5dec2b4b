//! Window functions: SQLite's where they do the same as PostgreSQL's, ours for aggregates, a refusal for the rest.

use query::functions::Aggregate;
use query::{Expr, Frame, FrameBound, FrameUnit, Window, WindowFunction};
use types::{Error, Result, Type, Value};

use super::Writer;
use crate::frame;

impl Writer<'_> {
    pub(super) fn window(
        &mut self,
        function: WindowFunction,
        args: &[Expr],
        filter: Option<&Expr>,
        window: &Window,
    ) -> Result<()> {
        match function {
            WindowFunction::Aggregate(aggregate) => self.moving_aggregate(aggregate, args, window)?,
            WindowFunction::Ntile => self.ranked(function, args, 0, 1)?,
            WindowFunction::NthValue => self.ranked(function, args, 1, 1)?,
            WindowFunction::Lag | WindowFunction::Lead => self.ranked(function, args, 1, 0)?,
            WindowFunction::RowNumber
            | WindowFunction::Rank
            | WindowFunction::DenseRank
            | WindowFunction::PercentRank
            | WindowFunction::CumeDist
            | WindowFunction::FirstValue
            | WindowFunction::LastValue => self.ranked(function, args, args.len(), 0)?,
        }
        if let Some(filter) = filter {
            self.push(" FILTER (WHERE ");
            self.condition(filter)?;
            self.push(")");
        }
        self.over(window)
    }

    /// A function of SQLite's own. Its count (the `counted`-th argument) must be one that both take alike.
    fn ranked(&mut self, function: WindowFunction, args: &[Expr], counted: usize, least: i64) -> Result<()> {
        if let Some(count) = args.get(counted)
            && !matches!(count, Expr::Const { value: Value::Int(count), .. } if *count >= least)
        {
            return Err(Error::missing(format!("{}() with a computed or negative number", function.name())));
        }
        self.push(function.name());
        self.push("(");
        self.list(args.iter().enumerate(), ", ", |writer, (position, arg)| match arg {
            Expr::Const { value: Value::Int(count), .. } if position == counted => {
                writer.number(count);
                Ok(())
            }
            arg => writer.expr(arg),
        })?;
        self.push(")");
        Ok(())
    }

    fn moving_aggregate(&mut self, aggregate: &Aggregate, args: &[Expr], window: &Window) -> Result<()> {
        let moves = window.frame.as_ref().is_some_and(|frame| !matches!(frame.start, FrameBound::First));
        if aggregate.name == "count" {
            self.push("count(");
            self.push(if args.is_empty() { "*" } else { "" });
        } else {
            self.push(&if moves { aggregate.moving_symbol() } else { aggregate.symbol() });
            self.push("(");
            if aggregate.is_polymorphic() {
                self.signature(&args.iter().map(Expr::ty).collect::<Vec<_>>());
                self.push(", ");
            }
        }
        self.list(args, ", ", Writer::expr)?;
        self.push(")");
        Ok(())
    }

    fn over(&mut self, window: &Window) -> Result<()> {
        self.push(" OVER (");
        if !window.partition.is_empty() {
            self.push("PARTITION BY ");
            self.list(&window.partition, ", ", Writer::distinguished)?;
            self.push(" ");
        }
        if !window.order.is_empty() {
            self.push("ORDER BY ");
            self.list(&window.order, ", ", Writer::order_key)?;
        }
        if let Some(frame) = &window.frame {
            self.frame(frame, window)?;
        }
        self.push(")");
        Ok(())
    }

    fn frame(&mut self, frame: &Frame, window: &Window) -> Result<()> {
        let has_offset = [&frame.start, &frame.end]
            .iter()
            .any(|end| matches!(end, FrameBound::Preceding(_) | FrameBound::Following(_)));
        if frame.unit == FrameUnit::Range && has_offset {
            let is_number = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
            if !matches!(&window.order[..], [key] if is_number(&key.expr.ty())) {
                return Err(Error::missing(
                    "RANGE with offset PRECEDING/FOLLOWING over anything but integers",
                ));
            }
        }
        self.push(frame::unit(frame.unit));
        self.frame_bound(&frame.start)?;
        self.push(" AND ");
        self.frame_bound(&frame.end)?;
        self.push(frame::exclusion(frame.exclude));
        Ok(())
    }

    fn frame_bound(&mut self, bound: &FrameBound) -> Result<()> {
        let (offset, word) = frame::bound(bound);
        match offset {
            None => {}
            Some(Expr::Const { value: Value::Int(offset), .. }) if *offset >= 0 => self.number(offset),
            Some(_) => return Err(Error::missing("a computed offset of a frame")),
        }
        self.push(word);
        Ok(())
    }
}
