//! Window functions: SQLite's where they do the same as PostgreSQL's, ours for aggregates, and ours over all rows of a partition
//! (`query::functions::frames`) for frames and numbers that SQLite does not know.

use query::functions::Aggregate;
use query::{Expr, Frame, FrameBound, FrameExclusion, FrameUnit, Window, WindowFunction};
use types::{Error, Result, Type, Value};

use super::Writer;
use super::names::Special;
use crate::frame;

impl Writer<'_> {
    pub(super) fn window(
        &mut self,
        function: WindowFunction,
        args: &[Expr],
        filter: Option<&Expr>,
        (window, ty): (&Window, &Type),
    ) -> Result<()> {
        if !is_native(function, args, window) {
            return self.framed(function, args, filter, (window, ty));
        }
        match function {
            WindowFunction::Aggregate(aggregate) => self.moving_aggregate(aggregate, args, window)?,
            WindowFunction::Ntile => self.ranked(function, args, 0)?,
            WindowFunction::NthValue => self.ranked(function, args, 1)?,
            WindowFunction::Lag | WindowFunction::Lead => self.ranked(function, args, 1)?,
            WindowFunction::RowNumber
            | WindowFunction::Rank
            | WindowFunction::DenseRank
            | WindowFunction::PercentRank
            | WindowFunction::CumeDist => {
                self.ranked(function, args, args.len())?;
                return self.over(&Window { frame: None, ..window.clone() });
            }
            WindowFunction::FirstValue | WindowFunction::LastValue => {
                self.ranked(function, args, args.len())?
            }
        }
        if let Some(filter) = filter {
            self.push(" FILTER (WHERE ");
            self.condition(filter)?;
            self.push(")");
        }
        self.over(window)
    }

    /// A function of SQLite's own; its count is the `counted`-th argument.
    fn ranked(&mut self, function: WindowFunction, args: &[Expr], counted: usize) -> Result<()> {
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
            self.frame(frame)?;
        }
        self.push(")");
        Ok(())
    }

    /// A function of ours over all rows of a partition, which counts frames itself.
    fn framed(
        &mut self,
        function: WindowFunction,
        args: &[Expr],
        filter: Option<&Expr>,
        (window, ty): (&Window, &Type),
    ) -> Result<()> {
        let symbol = match function {
            WindowFunction::Aggregate(aggregate) => aggregate.symbol(),
            function => function.name().to_owned(),
        };
        let (unit, start, end, exclude) = match &window.frame {
            None => ("range", "first", "current", "nothing"),
            Some(frame) => (
                unit_word(frame.unit),
                bound_word(&frame.start),
                bound_word(&frame.end),
                excluded(frame.exclude),
            ),
        };
        let order: String = window
            .order
            .iter()
            .flat_map(|key| [if key.descending { 'd' } else { 'a' }, if key.nulls_first { 'f' } else { 'l' }])
            .collect();
        let offsets: Vec<Option<&Expr>> = match &window.frame {
            None => vec![None, None],
            Some(frame) => vec![frame::bound(&frame.start).0, frame::bound(&frame.end).0],
        };
        let mut types = vec![ty.clone()];
        types.extend(args.iter().map(Expr::ty));
        types.extend(offsets.iter().map(|offset| offset.map_or(Type::Int8, Expr::ty)));
        types.extend(window.order.iter().map(|key| key.expr.ty()));
        self.push(Special::Framed.name());
        self.push("(");
        self.words(&format!("{symbol} {unit} {start} {end} {exclude} {} {order}", args.len()), &types);
        for arg in args {
            self.push(", ");
            self.expr(arg)?;
        }
        self.push(", ");
        match filter {
            None => self.push("1"),
            Some(filter) => self.expr(filter)?,
        }
        for offset in offsets {
            self.push(", ");
            match offset {
                None => self.push("NULL"),
                Some(offset) => self.expr(offset)?,
            }
        }
        for key in &window.order {
            self.push(", ");
            self.expr(&key.expr)?;
        }
        self.push(")");
        let all = Frame {
            unit: FrameUnit::Rows,
            start: FrameBound::First,
            end: FrameBound::Last,
            exclude: FrameExclusion::Nothing,
        };
        self.over(&Window { frame: Some(all), ..window.clone() })
    }

    fn frame(&mut self, frame: &Frame) -> Result<()> {
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

/// Whether SQLite's windows do the same as PostgreSQL's: offsets are constants, those of `range` of integers, and a count is one that
/// both take alike.
fn is_native(function: WindowFunction, args: &[Expr], window: &Window) -> bool {
    let is_at_least = |expr: &Expr, least: i64| matches!(expr, Expr::Const { value: Value::Int(count), .. } if *count >= least);
    let has_count = |at: usize, least: i64| args.get(at).is_none_or(|count| is_at_least(count, least));
    let is_counted = match function {
        WindowFunction::Ntile => has_count(0, 1),
        WindowFunction::NthValue => has_count(1, 1),
        WindowFunction::Lag | WindowFunction::Lead => has_count(1, 0),
        // They do not look at frames.
        WindowFunction::RowNumber
        | WindowFunction::Rank
        | WindowFunction::DenseRank
        | WindowFunction::PercentRank
        | WindowFunction::CumeDist => return true,
        WindowFunction::Aggregate(_) | WindowFunction::FirstValue | WindowFunction::LastValue => true,
    };
    let Some(frame) = &window.frame else { return is_counted };
    let offsets = [&frame.start, &frame.end].map(|bound| frame::bound(bound).0);
    let mut offsets = offsets.into_iter().flatten().peekable();
    let is_number = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
    let is_in_range = frame.unit == FrameUnit::Range && offsets.peek().is_some();
    let is_of_numbers = matches!(&window.order[..], [key] if is_number(&key.expr.ty()));
    is_counted && (!is_in_range || is_of_numbers) && offsets.all(|offset| is_at_least(offset, 0))
}

fn unit_word(unit: FrameUnit) -> &'static str {
    match unit {
        FrameUnit::Range => "range",
        FrameUnit::Rows => "rows",
        FrameUnit::Groups => "groups",
    }
}

fn bound_word(bound: &FrameBound) -> &'static str {
    match bound {
        FrameBound::First => "first",
        FrameBound::Preceding(_) => "before",
        FrameBound::Current => "current",
        FrameBound::Following(_) => "after",
        FrameBound::Last => "last",
    }
}

fn excluded(exclusion: FrameExclusion) -> &'static str {
    match exclusion {
        FrameExclusion::Nothing => "nothing",
        FrameExclusion::Current => "current",
        FrameExclusion::Group => "group",
        FrameExclusion::Ties => "ties",
    }
}
