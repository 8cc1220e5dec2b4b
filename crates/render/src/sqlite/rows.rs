//! Rows that depend on what stands beside them: set-returning functions and lateral reads.
//!
//! SQLite knows one kind: table-valued functions. So rows are made as one JSON array of arrays of stored values, which
//! `json_each` takes apart again.

use query::{Expr, Read, SetCall, SourceId};
use types::stored::Stored;
use types::{Result, Type, signature};

use super::Writer;
use super::compound::Compound;
use super::names::Special;
use super::read::Use;

impl Writer<'_> {
    /// Set-returning functions, side by side.
    pub(super) fn functions(&mut self, id: SourceId, calls: &[SetCall]) -> Result<()> {
        self.push("json_each(");
        match calls {
            [call] => self.set_call(call)?,
            calls => {
                let widths: Vec<String> = calls.iter().map(|call| call.columns.len().to_string()).collect();
                self.push(Special::Zip.name());
                self.push("(");
                self.literal(&Stored::Text(widths.join(";").into()));
                self.push(", ");
                self.list(calls, ", ", Writer::set_call)?;
                self.push(")");
            }
        }
        self.push(") AS ");
        self.alias(id);
        Ok(())
    }

    fn set_call(&mut self, call: &SetCall) -> Result<()> {
        let mut columns = String::new();
        signature::write_fields(&mut columns, &call.columns);
        self.push(&call.function.symbol());
        self.push("(");
        self.literal(&Stored::Text(columns.into()));
        self.push(", ");
        let types: Vec<Type> = call.args.iter().map(Expr::ty).collect();
        self.signature(&types);
        for arg in &call.args {
            self.push(", ");
            self.expr(arg)?;
        }
        self.push(")");
        Ok(())
    }

    /// A read that names what stands beside it.
    pub(super) fn lateral(&mut self, id: SourceId, read: &Read) -> Result<()> {
        self.packed(id, read, |writer| writer.read(read, Use::Rows))
    }

    /// A set operation that names what stands beside it.
    pub(super) fn lateral_compound(&mut self, id: SourceId, compound: Compound<'_>) -> Result<()> {
        self.packed(id, compound.left, |writer| writer.compound(compound))
    }

    fn packed(
        &mut self,
        id: SourceId,
        read: &Read,
        rows: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.push("json_each((SELECT ");
        self.push(Special::Pack.name());
        self.push("(");
        self.columns(read);
        self.push(") FROM (");
        rows(self)?;
        self.push("))) AS ");
        self.alias(id);
        Ok(())
    }

    /// A column of such rows.
    pub(super) fn unpacked(&mut self, id: SourceId, position: u16, ty: &Type) {
        // What JSON has no exact form of is read by a function of ours.
        let is_special = matches!(ty, Type::Float4 | Type::Float8 | Type::Bytea);
        self.push(if is_special { Special::Cell.name() } else { "json_extract" });
        self.push("(");
        self.alias(id);
        if is_special {
            self.number(format_args!(".value, {position})"));
        } else {
            self.number(format_args!(".value, '$[{position}]')"));
        }
    }
}
