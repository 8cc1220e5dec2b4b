//! Functions of a row: columns and related rows that are computed.

use catalog::{Function, TableId};
use query::{CallArgument, Expr, Form, FunctionId, Source, Subquery};
use types::{Result, Type};

use super::fields::Scope;
use super::tree::Link;
use super::{Pass, RESULT};

impl<'a> Pass<'a> {
    /// A function whose only argument is a row of a table.
    pub(super) fn function_of_row(&self, table: TableId, name: &str) -> Option<(FunctionId, &'a Function)> {
        if table == RESULT {
            return None;
        }
        let catalog = &self.model.catalog;
        let row = Type::Composite(catalog[table].name.clone());
        let is_meant = |function: &&Function| {
            let schema = &*function.name.schema;
            let is_found = schema == self.schema
                || self.exposed.extra_search_path.iter().any(|extra| extra.as_str() == schema);
            is_found && *function.name.name == *name && function.input_types().eq([&row])
        };
        let mut functions = catalog.functions.iter().enumerate();
        functions.find(|(_, function)| is_meant(function)).map(|(at, function)| (FunctionId(at), function))
    }

    /// The value of a computed column.
    pub(super) fn computed_column(&mut self, scope: &Scope, name: &str) -> Result<Option<Expr>> {
        let Some((id, _)) =
            self.function_of_row(scope.table, name).filter(|(_, function)| !function.returns_set)
        else {
            return Ok(None);
        };
        let row = self.row_of(scope);
        if self.model.is_native() {
            let read = self.native_rows(id, vec![of_row(row)], false)?;
            return Ok(Some(Expr::Subquery(Box::new(Subquery::Scalar(read)))));
        }
        self.typing.value_of_row(id, row, &mut self.ids).map(Some)
    }

    /// A relationship that is a function: to one row where it says that it returns one.
    pub(super) fn computed_link(&self, from: TableId, target: &str) -> Option<Link<'a>> {
        let (id, function) = self.function_of_row(from, target)?;
        let Type::Composite(name) = &function.returns else { return None };
        let (to, _) = self.model.catalog.table(name)?;
        let to_one = !function.returns_set || function.rows == Some(1);
        Some(Link::Computed { function: id, to, to_one })
    }

    /// The rows that a function returns for a row.
    pub(super) fn computed_rows(&mut self, parent: &Scope, function: FunctionId) -> Result<Source> {
        let row = self.row_of(parent);
        let read = if self.model.is_native() {
            self.native_rows(function, vec![of_row(row)], false)?
        } else {
            self.typing.rows_of_row(function, row, &mut self.ids)?
        };
        Ok(Source::Read { id: self.ids.fresh(), read: Box::new(read), view: None })
    }

    fn row_of(&self, scope: &Scope) -> Expr {
        let table = self.declared(scope.table);
        let args = table.column_ids().map(|column| scope.at(self, column)).collect();
        Expr::Form { form: Form::Row, args, ty: Type::Composite(table.name.clone()) }
    }
}

/// A row as the only argument.
fn of_row(row: Expr) -> CallArgument {
    CallArgument { name: None, variadic: false, value: row }
}
