//! Window functions (PostgreSQL 4.2.8, 9.22).

use sql::ast::{self, Call};
use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::Resolver;
use crate::functions::{choose_aggregate, common_type};
use crate::ir::{Expr, Frame, FrameBound, FrameExclusion, FrameUnit, Read, Window, WindowFunction};
use crate::visit;

/// What an argument of a window function is, and what its result is.
enum Shape {
    /// Nothing; the result is of this type.
    Alone(Type),
    /// `integer`, which the result is, too.
    Buckets,
    /// A value, an offset, another value; the first and the last are of a common type.
    Beside,
    /// A value.
    Value,
    /// A value and an `integer`.
    Nth,
}

/// The window functions that are no aggregates.
const FUNCTIONS: &[(&str, WindowFunction, Shape)] = &[
    ("row_number", WindowFunction::RowNumber, Shape::Alone(Type::Int8)),
    ("rank", WindowFunction::Rank, Shape::Alone(Type::Int8)),
    ("dense_rank", WindowFunction::DenseRank, Shape::Alone(Type::Int8)),
    ("percent_rank", WindowFunction::PercentRank, Shape::Alone(Type::Float8)),
    ("cume_dist", WindowFunction::CumeDist, Shape::Alone(Type::Float8)),
    ("ntile", WindowFunction::Ntile, Shape::Buckets),
    ("lag", WindowFunction::Lag, Shape::Beside),
    ("lead", WindowFunction::Lead, Shape::Beside),
    ("first_value", WindowFunction::FirstValue, Shape::Value),
    ("last_value", WindowFunction::LastValue, Shape::Value),
    ("nth_value", WindowFunction::NthValue, Shape::Nth),
];

/// Whether a name is that of a function that only a window can have.
pub(super) fn is_window_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, ..)| *known == name)
}

impl Resolver<'_> {
    /// `function(…) over (…)`
    pub(super) fn windowed(&mut self, call: &Call, over: &ast::Window) -> Result<Expr> {
        let name = call.name.name.as_str();
        let refuse = |what: &str| Err(Error::new(Code::FEATURE_NOT_SUPPORTED, what));
        if call.distinct {
            return refuse("DISTINCT is not implemented for window functions");
        }
        if !call.order_by.is_empty() {
            return refuse("aggregate ORDER BY is not implemented for window functions");
        }
        let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
        if known.is_some() && call.filter.is_some() {
            return refuse("FILTER is not implemented for non-aggregate window functions");
        }
        if known.is_none() && !super::calls::is_aggregate(name) {
            let message =
                format!("OVER specified, but {name} is not a window function nor an aggregate function");
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        let args = self.arguments(call)?;
        let (function, args, ty) = match known {
            Some((_, function, shape)) => {
                let (args, ty) = self.shaped_arguments(name, shape, args)?;
                (*function, args, ty)
            }
            None => {
                let types: Vec<Type> = args.iter().map(Expr::ty).collect();
                let chosen = choose_aggregate(name, &types)?;
                let args = self.coerce_all(args, &chosen.argument_types)?;
                (WindowFunction::Aggregate(chosen.aggregate), args, chosen.result)
            }
        };
        let filter = call.filter.as_ref().map(|filter| self.boolean(filter, "FILTER")).transpose()?;
        let window = Box::new(self.window(over)?);
        let expr = Expr::Window { function, args, filter: filter.map(Box::new), window, ty };
        if visit::operands(&expr).into_iter().any(visit::has_window) {
            return Err(Error::new(Code::WINDOWING, "window function calls cannot be nested"));
        }
        Ok(expr)
    }

    fn shaped_arguments(&self, name: &str, shape: &Shape, args: Vec<Expr>) -> Result<(Vec<Expr>, Type)> {
        let none = |args: &[Expr]| {
            let types: Vec<String> = args.iter().map(|arg| format_type(&arg.ty(), None)).collect();
            let message = format!("function {name}({}) does not exist", types.join(", "));
            Error::new(Code::UNDEFINED_FUNCTION, message).with_hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            )
        };
        let mut args = args;
        let (ty, wanted): (Type, Vec<Type>) = match (shape, args.len()) {
            (Shape::Alone(ty), 0) => (ty.clone(), Vec::new()),
            (Shape::Buckets, 1) => (Type::Int4, vec![Type::Int4]),
            (Shape::Value, 1) => (args[0].ty(), vec![args[0].ty()]),
            (Shape::Nth, 2) => (args[0].ty(), vec![args[0].ty(), Type::Int4]),
            (Shape::Beside, 1) => (args[0].ty(), vec![args[0].ty()]),
            (Shape::Beside, 2) => (args[0].ty(), vec![args[0].ty(), Type::Int4]),
            (Shape::Beside, 3) => {
                let ty = common_type(&name.to_uppercase(), &[args[0].ty(), args[2].ty()])
                    .map_err(|_| none(&args))?;
                (ty.clone(), vec![ty.clone(), Type::Int4, ty])
            }
            _ => return Err(none(&args)),
        };
        if ty == Type::Unknown {
            let message = "could not determine polymorphic type because input has type unknown";
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        for (arg, wanted) in args.iter_mut().zip(&wanted) {
            let fits = arg.ty() == *wanted
                || arg.ty() == Type::Unknown
                || types::cast::context(&arg.ty(), wanted) == Some(types::cast::Context::Implicit);
            if !fits {
                return Err(none(std::slice::from_ref(arg)));
            }
            *arg = self.coerce(arg.clone(), wanted)?;
        }
        Ok((args, ty))
    }

    /// What a window says, together with the one that it names.
    fn window(&mut self, over: &ast::Window) -> Result<Window> {
        let over = self.completed_window(over)?;
        let mut partition = Vec::new();
        for key in &over.partition_by {
            let key = self.expr(key)?;
            partition.push(self.settled(key)?);
        }
        let order = self.order_keys(&over.order_by)?;
        let mut frame = over.frame.as_deref().map(|frame| self.frame(frame)).transpose()?;
        if let Some(frame) = frame.as_mut().filter(|frame| frame.unit == FrameUnit::Range) {
            self.in_range(frame, &order)?;
        }
        if let Some(frame) = &frame
            && frame.unit == FrameUnit::Groups
            && order.is_empty()
        {
            return Err(Error::new(Code::WINDOWING, "GROUPS mode requires an ORDER BY clause"));
        }
        Ok(Window { partition, order, frame })
    }

    fn completed_window(&self, over: &ast::Window) -> Result<ast::Window> {
        let Some(name) = &over.name else { return Ok(over.clone()) };
        let found = self.windows.iter().rev().find(|(known, _)| known == name);
        let base = match found {
            Some((_, base)) => self.completed_window(base)?,
            None => {
                return Err(Error::new(Code::UNDEFINED_OBJECT, format!("window \"{name}\" does not exist")));
            }
        };
        if !over.partition_by.is_empty() {
            return Err(Error::new(
                Code::WINDOWING,
                format!("cannot override PARTITION BY clause of window \"{name}\""),
            ));
        }
        if !over.order_by.is_empty() && !base.order_by.is_empty() {
            return Err(Error::new(
                Code::WINDOWING,
                format!("cannot override ORDER BY clause of window \"{name}\""),
            ));
        }
        let order_by = if over.order_by.is_empty() { base.order_by } else { over.order_by.clone() };
        Ok(ast::Window {
            name: None,
            partition_by: base.partition_by,
            order_by,
            frame: over.frame.clone().or(base.frame),
        })
    }

    /// A frame as written.
    fn frame(&mut self, written: &str) -> Result<Frame> {
        let lower = written.to_ascii_lowercase();
        let (unit, rest) = lower.trim().split_once(char::is_whitespace).unwrap_or((&lower, ""));
        let unit = match unit {
            "rows" => FrameUnit::Rows,
            "groups" => FrameUnit::Groups,
            _ => FrameUnit::Range,
        };
        let (bounds, excluded) = rest.split_once("exclude").unwrap_or((rest, ""));
        let exclude = match excluded.trim() {
            "" => FrameExclusion::Nothing,
            words if words.starts_with("current") => FrameExclusion::Current,
            "group" => FrameExclusion::Group,
            "ties" => FrameExclusion::Ties,
            _ => FrameExclusion::Nothing,
        };
        let bounds = bounds.trim();
        let (start, end) = match bounds.strip_prefix("between") {
            Some(both) => both.split_once(" and ").unwrap_or((both, "current row")),
            None => (bounds, "current row"),
        };
        let (start, end) = (self.frame_bound(start.trim(), unit)?, self.frame_bound(end.trim(), unit)?);
        check_frame(&start, &end)?;
        Ok(Frame { unit, start, end, exclude })
    }

    fn frame_bound(&mut self, written: &str, unit: FrameUnit) -> Result<FrameBound> {
        let words: Vec<&str> = written.split_whitespace().collect();
        Ok(match &words[..] {
            ["unbounded", "preceding"] => FrameBound::First,
            ["unbounded", "following"] => FrameBound::Last,
            ["current", "row"] => FrameBound::Current,
            [offset @ .., side] => {
                let parsed = sql::parse_expr(&offset.join(" "))
                    .map_err(|_| Error::missing(format!("the frame bound `{written}`")))?;
                let offset = self.expr(&parsed)?;
                let offset = self.offset(offset, unit)?;
                if *side == "preceding" {
                    FrameBound::Preceding(offset)
                } else {
                    FrameBound::Following(offset)
                }
            }
            [] => FrameBound::Current,
        })
    }

    /// An offset, which is the same for all rows.
    fn offset(&mut self, offset: Expr, unit: FrameUnit) -> Result<Expr> {
        let word = match unit {
            FrameUnit::Range => "RANGE",
            FrameUnit::Rows => "ROWS",
            FrameUnit::Groups => "GROUPS",
        };
        let mut is_of_row = false;
        if let Some(level) = self.levels.last() {
            visit::deep(&offset, &mut |inner| {
                is_of_row |= matches!(inner, Expr::Column { source, .. } if level.shows(*source));
            });
        }
        if is_of_row {
            let message = format!("argument of {word} must not contain variables");
            return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
        }
        if unit == FrameUnit::Range {
            return Ok(offset);
        }
        match (&offset, offset.ty()) {
            (Expr::Const { value, .. }, Type::Int2 | Type::Int4 | Type::Int8) => {
                Ok(Expr::Const { value: value.clone(), ty: Type::Int8 })
            }
            (_, Type::Int2 | Type::Int4 | Type::Int8 | Type::Unknown) => self.coerce(offset, &Type::Int8),
            (_, other) => {
                let message =
                    format!("argument of {word} must be type bigint, not type {}", format_type(&other, None));
                Err(Error::new(Code::DATATYPE_MISMATCH, message))
            }
        }
    }

    /// The offsets of `range` are added to the only key of the order.
    fn in_range(&self, frame: &mut Frame, order: &[crate::ir::Order]) -> Result<()> {
        let offsets = [&mut frame.start, &mut frame.end].into_iter().filter_map(|bound| match bound {
            FrameBound::Preceding(offset) | FrameBound::Following(offset) => Some(offset),
            FrameBound::First | FrameBound::Current | FrameBound::Last => None,
        });
        for offset in offsets {
            let [key] = order else {
                let message = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
                return Err(Error::new(Code::WINDOWING, message));
            };
            let ty = key.expr.ty();
            let refuse = |what: &str| {
                let message = format!(
                    "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}{what}",
                    format_type(&ty, None)
                );
                Error::new(Code::FEATURE_NOT_SUPPORTED, message)
            };
            let wanted = match &ty {
                Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric => ty.clone(),
                Type::Float4 | Type::Float8 => Type::Float8,
                Type::Date | Type::Time | Type::Timestamp | Type::Timestamptz | Type::Interval => {
                    Type::Interval
                }
                _ => return Err(refuse("")),
            };
            let given = offset.ty();
            let is_integer = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
            let is_implicit = types::cast::context(&given, &wanted) == Some(types::cast::Context::Implicit);
            if given == wanted || (is_integer(&given) && is_integer(&wanted)) {
                continue;
            }
            if given != Type::Unknown && !is_implicit {
                let what = format!(" and offset type {}", format_type(&given, None));
                return Err(refuse(&what).with_hint("Cast the offset value to an appropriate type."));
            }
            *offset = self.coerce(offset.clone(), &wanted)?;
        }
        Ok(())
    }

    /// Refuses window functions where rows are still being chosen.
    pub(super) fn refuse_window(&self, expr: &Expr, word: &str) -> Result<()> {
        if visit::has_window(expr) {
            return Err(Error::new(Code::WINDOWING, format!("window functions are not allowed in {word}")));
        }
        Ok(())
    }

    /// `distinct` looks at what windows say: they are computed in a read of their own.
    pub(super) fn distinct_of_windows(&mut self, mut read: Read) -> Read {
        let said = read.outputs.iter().any(|output| visit::has_window(&output.expr));
        if !read.distinct || !said {
            return read;
        }
        let order = std::mem::take(&mut read.order);
        read.distinct = false;
        let keys: Vec<Option<usize>> = order
            .iter()
            .map(|key| {
                read.outputs
                    .iter()
                    .position(|output| format!("{:?}", output.expr) == format!("{:?}", key.expr))
            })
            .collect();
        let mut outer = self.around(read);
        outer.distinct = true;
        let shown = order.into_iter().zip(keys).filter_map(|(key, at)| {
            let expr = outer.outputs.get(at?)?.expr.clone();
            Some(crate::ir::Order { expr, ..key })
        });
        outer.order = shown.collect();
        outer
    }
}

fn check_frame(start: &FrameBound, end: &FrameBound) -> Result<()> {
    let refuse = |message: &str| Err(Error::new(Code::WINDOWING, message));
    match (start, end) {
        (FrameBound::Last, _) => refuse("frame start cannot be UNBOUNDED FOLLOWING"),
        (_, FrameBound::First) => refuse("frame end cannot be UNBOUNDED PRECEDING"),
        (FrameBound::Current, FrameBound::Preceding(_)) => {
            refuse("frame starting from current row cannot have preceding rows")
        }
        (FrameBound::Following(_), FrameBound::Preceding(_) | FrameBound::Current) => {
            refuse("frame starting from following row cannot have preceding rows")
        }
        _ => Ok(()),
    }
}
