//! Calls of functions: arguments by the types of their parameters, the rows of the result as those of a table.

use std::sync::Arc;

use catalog::{Argument, Column as TableColumn, ColumnId, Function, Table, TableId, TableKind, Volatility};
use query::resolve::{Body, Invocation, Typing};
use query::{CallArgument, Expr, Form, FunctionId, Output, Presentation, Query, Source, visit};
use sql::ast::ArgumentMode;
use types::json::Json;
use types::json_value::from_json;
use types::value::Array;
use types::{Code, Error, Name, Result, Type, Value};

use super::choice::{Callee, name};
use super::reads::columns;
use super::tree::Node;
use super::{Pass, RESULT, Resolved};
use crate::media::Media;
use crate::payload::{Payload, Rows};
use crate::prefer::Count;
use crate::request::Action;
use crate::respond::Shape;
use crate::select::SelectItem;

/// What PostgREST calls the only column of a function that returns values.
const VALUE: &str = "pgrst_scalar";

impl<'a> Callee<'a> {
    /// Whether the result is values and no rows.
    fn returns_values(&self) -> bool {
        let has_columns = self.function.arguments.iter().any(Argument::is_output);
        !has_columns && !matches!(self.function.returns, Type::Composite(_))
    }

    /// What the rows are on the wire.
    fn shape(&self) -> Shape {
        match (self.returns_values(), self.function.returns_set) {
            (true, true) => Shape::Values,
            (true, false) => Shape::Value,
            (false, true) => Shape::Rows,
            (false, false) => Shape::Row,
        }
    }

    /// The table or view whose rows it returns.
    fn table(&self, pass: &Pass<'_>) -> Option<TableId> {
        match &self.function.returns {
            Type::Composite(name) => pass.model.catalog.table(name).map(|(id, _)| id),
            _ => None,
        }
    }

    /// Its rows as those of a table of its own.
    pub(super) fn row(&self, typing: &Typing<'_>) -> Result<Table> {
        let columns = match (&self.function.returns, self.returns_values()) {
            (Type::Void, _) => vec![(VALUE.into(), Type::Text)],
            (ty, true) => vec![(VALUE.into(), ty.clone())],
            (_, false) => typing.columns(self.id)?,
        };
        Ok(row_table(self.function.name.clone(), columns))
    }
}

/// A table that nobody declared.
fn row_table(name: Name, columns: Vec<(Arc<str>, Type)>) -> Table {
    let column = |(name, ty)| TableColumn::of(name, ty);
    Table {
        columns: columns.into_iter().map(column).collect(),
        ..Table::new(name, TableKind::Table, "postgres".into())
    }
}

fn denied(function: &Function) -> Error {
    Error::new(Code::PRIVILEGE, format!("permission denied for function {}", function.name.name))
}

impl<'a> Pass<'a> {
    /// A call.
    pub(super) fn call_request(&mut self, callee: Callee<'a>) -> Result<Resolved> {
        self.check_max_affected(&callee)?;
        let table = callee.table(self).unwrap_or(RESULT);
        let root = self.tree_under(table, self.label_of_result())?;
        // As in PostgREST, nothing is expected of a function: its rows are counted or not.
        let counts = matches!(self.request.prefer.count, Some(Count::Exact | Count::Estimated));
        let is_run = counts || root.range.limit != Some(0);
        let body = self.body_of(&callee, is_run)?;
        let rows_at = body.before.len();
        let mut queries = body.before;
        let mut presentations = Vec::new();
        let outputs = match body.result {
            Query::Read(result) => {
                if counts && visit::changes(&result) {
                    // Its rows and their number are of one call.
                    presentations.push((rows_at, Presentation::WithTotal));
                }
                let counted = counts.then(|| visit::instantiate_read(&result, &mut self.ids));
                let read = self.result_rows(&root, result)?;
                let outputs = columns(&read.outputs);
                queries.push(Query::Read(read));
                if let Some(counted) = counted {
                    let source = self.source_of(counted);
                    queries.push(Query::Read(self.count(&root, source)?));
                }
                outputs
            }
            Query::Write(mut write) => {
                let result =
                    write.returning.take().ok_or_else(|| Error::internal("a result without rows"))?;
                if counts {
                    let counted = visit::instantiate_read(&result, &mut self.ids);
                    let source = self.source_of(counted);
                    write.counted = Some(self.count(&root, source)?);
                }
                let read = self.result_rows(&root, result)?;
                let outputs = columns(&read.outputs);
                write.returning = Some(read);
                queries.push(Query::Write(write));
                outputs
            }
        };
        let is_void = callee.function.returns == Type::Void;
        let shape = callee.shape();
        Ok(Resolved {
            queries,
            rows_at,
            presentations,
            columns: outputs,
            shape,
            is_void,
            ..Resolved::default()
        })
    }

    fn source_of(&mut self, read: query::Read) -> Source {
        Source::Read { id: self.ids.fresh(), read: Box::new(read), view: None }
    }

    fn result_rows(&mut self, root: &Node<'a>, result: query::Read) -> Result<query::Read> {
        let source = self.source_of(result);
        self.rows(root, source)
    }

    /// What PostgreSQL's messages call the rows: PostgREST selects named columns from the call, all of them from what it said.
    fn label_of_result(&self) -> String {
        let all = self.request.select.iter().any(|item| matches!(item, SelectItem::All));
        if all { "pgrst_source" } else { "pgrst_call" }.to_owned()
    }

    fn check_max_affected(&self, callee: &Callee<'_>) -> Result<()> {
        if callee.function.returns_set || self.request.prefer.affected_max().is_none() {
            return Ok(());
        }
        let message =
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict";
        Err(Error::new(Code::MAX_AFFECTED_FUNCTION, message))
    }

    /// What each parameter is given. What is wrong with values of a body is for those who may call: PostgreSQL asks for that right
    /// before it reads a body, and after it has read what stands in a URL.
    fn given(&self, callee: &Callee<'a>) -> Result<Vec<Option<Expr>>> {
        let is_told = || self.request.payload.is_none() || self.may_call(callee.function);
        self.arguments(callee).map_err(|error| if is_told() { error } else { denied(callee.function) })
    }

    fn may_call(&self, function: &Function) -> bool {
        self.model.catalog.allows_function(&self.roles(), function)
    }

    /// The statements of the call. What is wrong with a function's body is for those who may call it.
    fn body_of(&mut self, callee: &Callee<'a>, is_run: bool) -> Result<Body> {
        if self.model.is_native() {
            return self.native_call(callee);
        }
        self.check_schema()?;
        let args = self.given(callee)?;
        let read_only = matches!(self.request.action, Action::Read { .. });
        let invocation = Invocation { function: callee.id, args, read_only, is_run };
        let may_call = self.may_call(callee.function);
        let body = self.typing.body(invocation, &mut self.ids);
        body.map_err(|error| if may_call { error } else { denied(callee.function) })
    }

    /// A call by the engine, which knows who may call.
    fn native_call(&mut self, callee: &Callee<'a>) -> Result<Body> {
        let changes = callee.function.volatility == Volatility::Volatile
            && !matches!(self.request.action, Action::Read { .. });
        let given = self.given(callee)?;
        let argument = |(parameter, value): (&Argument, Option<Expr>)| {
            let variadic = parameter.mode == ArgumentMode::Variadic;
            Some(CallArgument { name: parameter.name.clone(), variadic, value: value? })
        };
        let args = callee.parameters().zip(given).filter_map(argument).collect();
        let result = self.native_rows(callee.id, args, changes)?;
        Ok(Body { before: Vec::new(), result: Query::Read(result) })
    }

    /// The rows of a function that the engine runs.
    pub(super) fn native_rows(
        &mut self,
        function: FunctionId,
        args: Vec<CallArgument>,
        changes: bool,
    ) -> Result<query::Read> {
        let columns = match self.model.catalog.functions.get(function.0) {
            Some(Function { returns: Type::Void, .. }) => vec![(VALUE.into(), Type::Text)],
            // What we know nothing of but its name, PostgreSQL knows.
            Some(Function { returns: ty @ Type::Opaque(name), .. }) if &*name.name != "record" => {
                vec![(VALUE.into(), ty.clone())]
            }
            _ => self.typing.columns(function)?,
        };
        let id = self.ids.fresh();
        let output = |(position, (name, ty)): (u16, &(Arc<str>, Type))| Output {
            name: name.clone(),
            expr: Expr::Column { source: id, column: ColumnId(position), ty: ty.clone() },
        };
        let outputs = (0..).zip(&columns).map(output).collect();
        let call = Source::Call { id, function, args, columns: columns.len(), changes, role: None };
        Ok(query::Read { outputs, ..query::Read::from(call) })
    }

    fn check_schema(&self) -> Result<()> {
        if self.model.catalog.allows_schema(&self.roles(), self.schema) {
            return Ok(());
        }
        Err(Error::new(Code::PRIVILEGE, format!("permission denied for schema {}", self.schema)))
    }

    /// What each parameter is given.
    fn arguments(&self, callee: &Callee<'a>) -> Result<Vec<Option<Expr>>> {
        let parameters: Vec<&Argument> = callee.parameters().collect();
        if let [only] = parameters[..]
            && only.name.is_none()
        {
            return self.whole_argument(only).map(|arg| vec![Some(arg)]);
        }
        match &self.request.payload {
            Some(Payload::Raw(_) | Payload::Objects(_)) => Ok(vec![None; parameters.len()]),
            Some(Payload::Rows(rows)) if self.request.content_type != Media::Form => {
                parameters.into_iter().map(|parameter| self.argument_of_row(parameter, rows)).collect()
            }
            Some(Payload::Rows(rows)) => self.text_arguments(&parameters, &rows.form),
            None => self.text_arguments(&parameters, &self.request.arguments),
        }
    }

    /// What the only parameter is given, which has no name: the whole body, or the whole query string as an object.
    fn whole_argument(&self, parameter: &Argument) -> Result<Expr> {
        match &self.request.payload {
            Some(Payload::Objects(_)) => Err(Error::internal("rows with rows in them are no arguments")),
            Some(Payload::Raw(bytes)) => self.raw_argument(&parameter.ty, bytes),
            Some(Payload::Rows(rows)) => self.body_argument(&parameter.ty, &rows.text),
            None => {
                let field = |(name, value): &(String, String)| (name.clone(), Json::String(value.clone()));
                let given = self.request.arguments.iter().map(field).collect();
                self.body_argument(&parameter.ty, &Json::Object(given).compact())
            }
        }
    }

    fn argument_of_row(&self, parameter: &Argument, rows: &Rows) -> Result<Option<Expr>> {
        if !rows.columns.iter().any(|column| column == name(parameter)) {
            return Ok(None);
        }
        let json = rows.first(name(parameter)).unwrap_or(&Json::Null);
        self.json_argument(parameter, json).map(Some)
    }

    fn text_arguments(
        &self,
        parameters: &[&Argument],
        given: &[(String, String)],
    ) -> Result<Vec<Option<Expr>>> {
        parameters.iter().map(|parameter| self.text_argument(parameter, given)).collect()
    }

    /// Bytes as the only argument.
    fn raw_argument(&self, ty: &Type, bytes: &[u8]) -> Result<Expr> {
        if *ty == Type::Bytea {
            return Ok(Expr::Const { value: Value::Bytes(bytes.into()), ty: ty.clone() });
        }
        let refuse = |_| Error::new(Code::NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"");
        self.body_argument(ty, std::str::from_utf8(bytes).map_err(refuse)?)
    }

    /// A text as the only argument.
    fn body_argument(&self, ty: &Type, text: &str) -> Result<Expr> {
        match ty {
            Type::Opaque(_) => Ok(Expr::Const { value: Value::text(text), ty: ty.clone() }),
            ty => self.typing.literal(text, ty),
        }
    }

    /// An argument as text: of several the last counts, unless the parameter is variadic.
    fn text_argument(&self, parameter: &Argument, given: &[(String, String)]) -> Result<Option<Expr>> {
        let values: Vec<&str> = given
            .iter()
            .filter(|(found, _)| found == name(parameter))
            .map(|(_, value)| value.as_str())
            .collect();
        let Some(last) = values.last() else { return Ok(None) };
        match (&parameter.ty, parameter.mode) {
            (Type::Array(element), ArgumentMode::Variadic) => {
                let values = values.iter().map(|value| match self.typing.literal(value, element)? {
                    Expr::Const { value, .. } => Ok(value),
                    _ => Err(Error::missing("a variadic argument that moves with time")),
                });
                let elements = values.collect::<Result<Vec<Value>>>()?;
                let length = u32::try_from(elements.len()).map_err(Error::internal)?;
                let array = Array { dimensions: vec![length], elements };
                Ok(Some(Expr::Const { value: Value::Array(array.into()), ty: parameter.ty.clone() }))
            }
            (ty @ Type::Composite(_), _) => {
                let shown = types::ty::format_type(ty, None);
                Err(Error::missing(format!("an argument of type {shown} as text")))
            }
            (ty, _) => self.body_argument(ty, last).map(Some),
        }
    }

    /// An argument as JSON: what `json_to_record` makes of it.
    fn json_argument(&self, parameter: &Argument, json: &Json) -> Result<Expr> {
        self.json_value(&parameter.ty, json).map_err(|error| match error.message() {
            "expected JSON array" => {
                error.with_hint(format!("See the value of key \"{}\".", name(parameter)))
            }
            _ => error,
        })
    }

    fn json_value(&self, ty: &Type, json: &Json) -> Result<Expr> {
        let (Type::Composite(row), Json::Object(given)) = (ty, json) else {
            let value = from_json(ty, None, json, self.exposed.session)?;
            return Ok(Expr::Const { value, ty: ty.clone() });
        };
        let fields =
            self.typing.fields(row).ok_or_else(|| Error::missing(format!("an argument of type {row}")))?;
        let field = |(name, ty): (Arc<str>, Type)| {
            let value = given.iter().rev().find(|(key, _)| **key == *name).map(|(_, value)| value);
            self.json_value(&ty, value.unwrap_or(&Json::Null))
        };
        let args = fields.into_iter().map(field).collect::<Result<Vec<Expr>>>()?;
        Ok(Expr::Form { form: Form::Row, args, ty: ty.clone() })
    }
}
