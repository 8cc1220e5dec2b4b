//! Declared functions as sources of rows: in `from`, and as the only target of a select.

use catalog::{Argument, Function};
use sql::ast::{self, Call};
use types::{Code, Error, Field, Name, Result, Type};

use super::super::Resolver;
use super::super::bodies::row_fields;
use super::super::scope::Relation;
use super::{any_null, is_readable, is_simple, mismatch};
use crate::ir::{Expr, FunctionId, Output, Read, Source, Window, WindowFunction};
use crate::visit;

impl Resolver<'_> {
    /// The rows of a call of a declared function that returns a set, with their type, if they have one; `None` for other calls.
    pub(in crate::resolve) fn declared_rows(
        &mut self,
        call: &Call,
        defined: &[(String, ast::TypeName)],
        wanted: impl Fn(&Function) -> bool,
    ) -> Result<Option<(Option<Name>, Read)>> {
        let candidates = self.declared(call.name.schema.as_deref(), &call.name.name);
        let is_wanted = |at: &usize| wanted(&self.catalog.functions[*at]);
        if !candidates.iter().any(is_wanted) {
            return Ok(None);
        }
        // Of several functions of the name, the arguments decide which one is meant.
        let (at, args) = self.matched(call, &candidates)?;
        if !wanted(&self.catalog.functions[at]) {
            return Ok(None);
        }
        let row_type = match &self.instance(at, &args)?.returns {
            Type::Composite(name) if &*name.name != "record" => Some(name.clone()),
            _ => None,
        };
        let defined = self.definitions(at, defined)?;
        Ok(Some((row_type, self.rows_of_call(at, args, defined)?)))
    }

    /// The columns that a call says, of a function that does not.
    fn definitions(&self, at: usize, defined: &[(String, ast::TypeName)]) -> Result<Vec<Argument>> {
        let function = &self.catalog.functions[at];
        let is_record = matches!(&function.returns, Type::Opaque(name) if &*name.name == "record");
        let is_told = function.arguments.iter().any(Argument::is_output);
        let word = match (is_record && !is_told, defined.is_empty()) {
            (true, true) => "required",
            (false, false) => "only allowed",
            _ => "",
        };
        if !word.is_empty() {
            let message = format!("a column definition list is {word} for functions returning \"record\"");
            return Err(Error::new(Code::SYNTAX, message));
        }
        let column = |(name, ty): &(String, ast::TypeName)| match self.cast_target(ty)? {
            (ty, None) => Ok(Argument {
                name: Some(name.as_str().into()),
                ty,
                domain: None,
                mode: ast::ArgumentMode::Table,
                default: None,
            }),
            (_, Some(_)) => Err(Error::missing("a length or precision in a column definition list")),
        };
        defined.iter().map(column).collect()
    }

    /// The rows of a call: those of a set, or one; with the columns that the call says.
    pub(super) fn rows_of_call(
        &mut self,
        at: usize,
        args: Vec<Expr>,
        defined: Vec<Argument>,
    ) -> Result<Read> {
        if self.is_interpreted(at)? {
            if !defined.is_empty() {
                let name = &self.catalog.functions[at].name;
                return Err(Error::missing(format!("column definitions of function {name}()")));
            }
            return match args.iter().any(visit::depends_on_rows) {
                true => self.interpreted_rows_beside(at, args),
                false => self.interpreted_rows(FunctionId(at), args),
            };
        }
        let mut function = self.instance(at, &args)?;
        if !defined.is_empty() {
            let told = function.to_mut();
            told.returns = Type::Composite(Name::new("pg_catalog", "record"));
            told.arguments.extend(defined);
        }
        let is_simple = args.iter().all(is_simple);
        let (source, args) = if is_simple { (None, args) } else { self.computed_once(args) };
        let null = function.strict.then(|| any_null(&args)).flatten();
        let read = self.body_of(at, args)?;
        let read = self.shaped(read, FunctionId(at), &function)?;
        if source.is_none() && null.is_none() {
            return Ok(read);
        }
        let mut outer = self.around(read);
        outer.filter = null.map(super::super::expr::not);
        if let Some(source) = source {
            let body = std::mem::replace(&mut outer.from, Source::Unit);
            outer.from = Source::Join {
                kind: crate::ir::JoinKind::Inner,
                left: Box::new(source),
                right: Box::new(body),
                on: None,
            };
        }
        Ok(outer)
    }

    /// A body's rows with the columns that its function declares.
    pub(in crate::resolve) fn in_columns(
        &mut self,
        mut read: Read,
        columns: Vec<Field>,
        function: &Function,
    ) -> Result<Read> {
        // One whole row is as good as its fields.
        if let [output] = &read.outputs[..]
            && output.expr.ty() == function.returns
            && matches!(function.returns, Type::Composite(_))
        {
            if row_fields(&output.expr).is_none() {
                read = self.around(read);
            }
            let row = read.outputs.pop().map_or(Expr::null(Type::Unknown), |output| output.expr);
            let field = |(at, column): (usize, &Field)| {
                let expr = match row_fields(&row) {
                    Some(fields) => fields.get(at).cloned().ok_or_else(|| mismatch(function))?,
                    None => self.field(&row, &column.name)?,
                };
                Ok(Output { name: column.name.clone(), expr })
            };
            read.outputs = columns.iter().enumerate().map(field).collect::<Result<_>>()?;
            return Ok(read);
        }
        if read.outputs.len() != columns.len() {
            return Err(mismatch(function));
        }
        let from = &read.from;
        for (output, column) in read.outputs.iter_mut().zip(columns) {
            output.expr = self.returned_field(from, &output.expr, &column, function)?;
            output.name = column.name;
        }
        Ok(read)
    }

    /// A function in `from`.
    pub(in crate::resolve) fn function_source(&mut self, item: &ast::FromItem) -> Result<Source> {
        let ast::FromItem::Function { call, ordinality, alias, definitions, .. } = item else {
            return Err(Error::internal("not a function in FROM"));
        };
        let Some((row_type, mut read)) = self.declared_rows(call, definitions, |_| true)? else {
            return self.function_of_table(item);
        };
        if *ordinality {
            read = self.numbered(read);
        }
        let name = alias.as_ref().map_or(&call.name.name, |alias| &alias.name);
        let id = self.ids.fresh();
        let mut relation = Relation::of_outputs(name, &read.outputs, id);
        if let [(column, _), rest @ ..] = &mut relation.columns[..]
            && rest.len() == usize::from(*ordinality)
            && **column == *call.name.name
        {
            *column = name.as_str().into();
        }
        relation.is_value = super::super::sets::is_value(&relation.columns);
        relation.row_type = row_type.filter(|_| !*ordinality);
        relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
        self.add(relation)?;
        Ok(Source::Read { id, read: Box::new(read), view: None })
    }

    /// Rows with their numbers: `with ordinality`.
    pub(in crate::resolve) fn numbered(&mut self, read: Read) -> Read {
        let mut outer = self.around(read);
        let window = Window { partition: Vec::new(), order: Vec::new(), frame: None };
        let expr = Expr::Window {
            function: WindowFunction::RowNumber,
            args: Vec::new(),
            filter: None,
            window: Box::new(window),
            ty: Type::Int8,
        };
        outer.outputs.push(Output { name: "ordinality".into(), expr });
        outer
    }

    /// `select f()` of a set: a row for each of its rows.
    pub(in crate::resolve) fn rows_alone(&mut self, select: &ast::Select) -> Result<Option<Read>> {
        let is_alone = select.from.is_empty()
            && select.filter.is_none()
            && select.group_by.is_empty()
            && select.having.is_none()
            && select.distinct == ast::Distinct::No;
        let ([target], true) = (&select.targets[..], is_alone) else { return Ok(None) };
        let ast::ExprKind::Call(call) = &*target.expr.kind else { return Ok(None) };
        // A row or nothing is no value: it is asked for as rows.
        let is_row = |ty: &Type| matches!(ty, Type::Composite(_) | Type::Opaque(_) | Type::Void);
        let is_set = |function: &Function| {
            function.returns_set || (!is_readable(function, self.catalog) && is_row(&function.returns))
        };
        let Some((_, rows)) = self.declared_rows(call, &[], is_set)? else { return Ok(None) };
        let [output] = &rows.outputs[..] else { return Ok(None) };
        let id = self.ids.fresh();
        let ty = output.expr.ty();
        let name = target.alias.as_deref().unwrap_or(&call.name.name).into();
        let mut read = Read::from(Source::Read { id, read: Box::new(rows), view: None });
        let expr = Expr::Column { source: id, column: catalog::ColumnId(0), ty };
        read.outputs.push(Output { name, expr });
        Ok(Some(read))
    }
}
