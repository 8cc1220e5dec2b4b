//! Window functions.

use query::{Expr, FrameBound, Window, WindowFunction};
use types::Result;

use super::{Writer, names};
use crate::frame;

impl Writer<'_> {
    pub(super) fn window(
        &mut self,
        function: WindowFunction,
        args: &[Expr],
        filter: Option<&Expr>,
        window: &Window,
    ) -> Result<()> {
        self.push(&names::own_name(function.name()));
        self.push("(");
        let counts_rows = args.is_empty() && matches!(function, WindowFunction::Aggregate(_));
        self.push(if counts_rows { "*" } else { "" });
        self.list(args, ", ", Writer::expr)?;
        self.push(")");
        if let Some(filter) = filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        self.push(" OVER (");
        if !window.partition.is_empty() {
            self.push("PARTITION BY ");
            self.list(&window.partition, ", ", Writer::expr)?;
        }
        self.order(&window.order)?;
        if let Some(frame) = &window.frame {
            self.push(frame::unit(frame.unit));
            self.frame_bound(&frame.start)?;
            self.push(" AND ");
            self.frame_bound(&frame.end)?;
            self.push(frame::exclusion(frame.exclude));
        }
        self.push(")");
        Ok(())
    }

    fn frame_bound(&mut self, bound: &FrameBound) -> Result<()> {
        let (offset, word) = frame::bound(bound);
        if let Some(offset) = offset {
            self.expr(offset)?;
        }
        self.push(word);
        Ok(())
    }
}
