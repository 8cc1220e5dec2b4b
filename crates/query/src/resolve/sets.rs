//! Set-returning functions in `from` and among the targets of a select (PostgreSQL 7.2.1.4, 38.5.9).

use std::sync::Arc;

use catalog::ColumnId;
use sql::ast::{self, Call, TypeName};
use types::{Code, Error, Result, Type, Value};

use super::Resolver;
use super::bodies::row_fields;
use super::scope::Relation;
use crate::functions::{choose_set, sets};
use crate::ir::{Expr, JoinKind, Output, Read, SetCall, Source, SourceId};
use crate::visit;

/// The set-returning functions among the targets of one select.
#[derive(Clone, Debug)]
pub(super) struct Expansions {
    id: SourceId,
    calls: Vec<SetCall>,
    /// The rows of a declared function.
    rows: Option<Source>,
}

impl Expansions {
    fn width(&self) -> usize {
        self.calls.iter().map(|call| call.columns.len()).sum()
    }
}

/// Whether a name is that of a set-returning function.
pub(super) fn is_set(call: &Call) -> bool {
    let is_ours = matches!(call.name.schema.as_deref(), None | Some("pg_catalog"));
    is_ours && sets().any(|function| function.name == call.name.name)
}

/// Whether a function's rows are values: one column that is no row.
pub(super) fn is_value(columns: &[(Arc<str>, Expr)]) -> bool {
    matches!(columns, [(_, value)] if !matches!(value.ty(), Type::Composite(_)))
}

impl Resolver<'_> {
    /// Calls of set-returning functions that a call means: one, but `unnest` takes several arrays.
    fn set_calls(&mut self, call: &Call, definitions: &[(String, TypeName)]) -> Result<Vec<SetCall>> {
        let args = self.arguments(call)?;
        if let ("unnest", [array]) = (call.name.name.as_str(), &args[..])
            && let Some(rows) = self.unnested_rows(array)?
        {
            return Ok(vec![rows]);
        }
        if call.name.name == "unnest" && args.len() > 1 {
            return args.into_iter().map(|arg| self.set_call("unnest", vec![arg], definitions)).collect();
        }
        Ok(vec![self.set_call(&call.name.name, args, definitions)?])
    }

    /// `unnest` of an array of rows: their fields are the columns.
    fn unnested_rows(&self, array: &Expr) -> Result<Option<SetCall>> {
        let fields = match &array.ty() {
            Type::Array(element) => match &**element {
                Type::Composite(name) => self.fields_of(name),
                _ => None,
            },
            _ => None,
        };
        let Some(fields) = fields else { return Ok(None) };
        let rows = self.apply("to_json", vec![array.clone()])?;
        let chosen = choose_set("json_to_recordset", &[Type::Json])?;
        Ok(Some(SetCall { function: chosen.function, args: vec![rows], columns: fields.into() }))
    }

    fn set_call(&self, name: &str, args: Vec<Expr>, definitions: &[(String, TypeName)]) -> Result<SetCall> {
        let (populated, args) = self.populated(name, args)?;
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let chosen = choose_set(name, &types)?;
        let args = self.coerce_all(args, &chosen.argument_types)?;
        let own = populated.or_else(|| chosen.function.column_types(&chosen.argument_types));
        let columns = match (own, definitions) {
            (Some(columns), []) => columns,
            (Some(_), _) => {
                let message = "a column definition list is only allowed for functions returning \"record\"";
                return Err(Error::new(Code::SYNTAX, message));
            }
            (None, []) => {
                let message = "a column definition list is required for functions returning \"record\"";
                return Err(Error::new(Code::SYNTAX, message));
            }
            (None, definitions) => definitions
                .iter()
                .map(|(name, ty)| match self.cast_target(ty)? {
                    (ty, None) => Ok((Arc::from(name.as_str()), ty)),
                    (_, Some(_)) => Err(Error::missing("a length or precision in a column definition list")),
                })
                .collect::<Result<Vec<_>>>()?,
        };
        Ok(SetCall { function: chosen.function, args, columns: columns.into() })
    }

    /// `json_populate_record(null::type, json)` has the fields of the type as columns.
    #[expect(clippy::type_complexity, reason = "two parts of one call")]
    fn populated(
        &self,
        name: &str,
        mut args: Vec<Expr>,
    ) -> Result<(Option<Vec<(Arc<str>, Type)>>, Vec<Expr>)> {
        if !name.contains("_populate_record") || args.len() != 2 {
            return Ok((None, args));
        }
        let base = args.remove(0);
        let fields = match &base.ty() {
            Type::Composite(name) => self.fields_of(name),
            _ => None,
        };
        let is_null = |expr: &Expr| matches!(expr, Expr::Const { value: Value::Null, .. });
        let is_nothing = is_null(&base) || row_fields(&base).is_some_and(|fields| fields.iter().all(is_null));
        match fields.filter(|_| is_nothing) {
            Some(fields) => Ok((Some(fields), args)),
            None => Err(Error::missing(format!("{name}() of anything but a null of a composite type"))),
        }
    }

    /// A function in `from`: a set-returning one of ours, or one row of any other.
    pub(super) fn function_of_table(&mut self, item: &ast::FromItem) -> Result<Source> {
        let ast::FromItem::Function { call, ordinality, alias, definitions, .. } = item else {
            return Err(Error::internal("not a function in FROM"));
        };
        let name = alias.as_ref().map_or(&call.name.name, |alias| &alias.name);
        let id = self.ids.fresh();
        let (source, mut columns) = if is_set(call) {
            let calls = self.set_calls(call, definitions)?;
            let mut columns: Vec<(Arc<str>, Type)> =
                calls.iter().flat_map(|call| call.columns.iter().cloned()).collect();
            if *ordinality {
                columns.push(("ordinality".into(), Type::Int8));
            }
            (Source::Function { id, calls, ordinality: *ordinality }, columns)
        } else {
            if *ordinality || !definitions.is_empty() {
                return Err(Error::missing(format!("function {}() in FROM", call.name.name)));
            }
            let value = self.call(call)?;
            let value = self.settled(value)?;
            self.refuse_aggregate(&value, "functions in FROM")?;
            let column: (Arc<str>, Type) = (call.name.name.as_str().into(), value.ty());
            let mut read = Read::from(Source::Unit);
            read.outputs.push(Output { name: column.0.clone(), expr: value });
            (Source::Read { id, read: Box::new(read), view: None }, vec![column])
        };
        if let [(column, _), rest @ ..] = &mut columns[..]
            && rest.len() == usize::from(*ordinality)
            && **column == *call.name.name
        {
            *column = name.as_str().into();
        }
        let column = |((name, ty), at): ((Arc<str>, Type), u16)| {
            (name, Expr::Column { source: id, column: ColumnId(at), ty })
        };
        let mut relation = Relation::of_columns(name, columns.into_iter().zip(0..).map(column).collect());
        relation.is_value = definitions.is_empty() && is_value(&relation.columns);
        relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
        self.add(relation)?;
        Ok(source)
    }

    /// A set-returning function among targets: its column, or one of its columns.
    pub(super) fn expanded(&mut self, call: &Call, field: Option<&str>) -> Result<Expr> {
        let Some(mut expansions) = self.expansions.take() else {
            return Err(Error::new(
                Code::FEATURE_NOT_SUPPORTED,
                format!("set-returning function {}() is not supported in this place", call.name.name),
            ));
        };
        let calls = self.set_calls(call, &[])?;
        let [found] = &calls[..] else {
            return Err(Error::missing(format!("{}() of several arguments among targets", call.name.name)));
        };
        let at = match (field, &found.columns[..]) {
            (None, [_]) => 0,
            (None, _) => return Err(Error::missing(format!("the rows of {}() as values", call.name.name))),
            (Some(field), columns) => {
                let at = columns.iter().position(|(name, _)| **name == *field);
                at.ok_or_else(|| {
                    let message = format!("column \"{field}\" not found in data type record");
                    Error::new(Code::UNDEFINED_COLUMN, message)
                })?
            }
        };
        let position = u16::try_from(expansions.width() + at).map_err(Error::internal)?;
        let ty = found.columns[at].1.clone();
        let expr = Expr::Column { source: expansions.id, column: ColumnId(position), ty };
        expansions.calls.extend(calls);
        self.expansions = Some(expansions);
        Ok(expr)
    }

    /// The rows of a declared function among targets, where it is the only one of its kind.
    pub(super) fn expanded_rows(&mut self, read: Read, name: &str) -> Result<Expr> {
        let refuse = || Error::missing(format!("the set-returning function {name}() in this place"));
        let id = match &mut self.expansions {
            Some(expansions) if expansions.calls.is_empty() && expansions.rows.is_none() => expansions.id,
            _ => return Err(refuse()),
        };
        let [output] = &read.outputs[..] else { return Err(refuse()) };
        let expr = Expr::Column { source: id, column: ColumnId(0), ty: output.expr.ty() };
        if let Some(expansions) = &mut self.expansions {
            expansions.rows = Some(Source::Read { id, read: Box::new(read), view: None });
        }
        Ok(expr)
    }

    /// Does something among targets, where set-returning functions may stand.
    pub(super) fn expanding<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, Expansions)> {
        let id = self.ids.fresh();
        let around = self.expansions.replace(Expansions { id, calls: Vec::new(), rows: None });
        let outcome = inner(self);
        let found = std::mem::replace(&mut self.expansions, around);
        let found = found.unwrap_or(Expansions { id, calls: Vec::new(), rows: None });
        Ok((outcome?, found))
    }

    /// Does something where no set-returning function may stand.
    pub(super) fn unexpanded<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let around = self.expansions.take();
        let outcome = inner(self);
        self.expansions = around;
        outcome
    }

    /// Joins the rows of the set-returning functions among its targets to a read: they are computed for each row of it, after it
    /// was grouped.
    pub(super) fn with_expansions(&mut self, read: Read, expansions: Expansions) -> Result<Read> {
        let Expansions { id, calls, rows } = expansions;
        if !calls.is_empty() && rows.is_some() {
            return Err(Error::missing("several set-returning functions among targets"));
        }
        let mut source = match rows {
            Some(source) => source,
            None if calls.is_empty() => return Ok(read),
            None => Source::Function { id, calls, ordinality: false },
        };
        let said =
            read.outputs.iter().map(|output| &output.expr).chain(read.order.iter().map(|key| &key.expr));
        let looks_at_rows =
            !read.group.is_empty() || read.having.is_some() || said.into_iter().any(visit::computes_of_rows);
        let mut read = if looks_at_rows { self.apart_from(read, id, &mut source)? } else { read };
        let from = std::mem::replace(&mut read.from, Source::Unit);
        read.from = match from {
            Source::Unit => source,
            from => Source::Join {
                kind: JoinKind::Inner,
                left: Box::new(from),
                right: Box::new(source),
                on: None,
            },
        };
        Ok(read)
    }

    /// A grouped read as the source of another one, in which the functions stand.
    fn apart_from(&mut self, mut read: Read, id: SourceId, source: &mut Source) -> Result<Read> {
        let outer_id = self.ids.fresh();
        let names_set = |expr: &Expr| {
            let mut found = false;
            visit::deep(expr, &mut |inner| {
                found |= matches!(inner, Expr::Column { source, .. } if *source == id)
            });
            found
        };
        let Source::Function { calls, .. } = source else {
            return Err(Error::missing("a set-returning function in a grouped select"));
        };
        let mut inner: Vec<Output> = Vec::new();
        let mut column = |expr: Expr, name: Arc<str>| {
            let at = u16::try_from(inner.len()).unwrap_or(u16::MAX);
            let ty = expr.ty();
            inner.push(Output { name, expr });
            Expr::Column { source: outer_id, column: ColumnId(at), ty }
        };
        for arg in calls.iter_mut().flat_map(|call| &mut call.args) {
            *arg = column(arg.clone(), "argument".into());
        }
        let mut outputs = Vec::new();
        for output in std::mem::take(&mut read.outputs) {
            let expr = match (names_set(&output.expr), &output.expr) {
                (false, _) => column(output.expr.clone(), output.name.clone()),
                (true, Expr::Column { .. }) => output.expr.clone(),
                (true, _) => {
                    return Err(Error::missing(
                        "an expression of a set-returning function in a grouped select",
                    ));
                }
            };
            outputs.push(Output { name: output.name, expr });
        }
        let mut order = std::mem::take(&mut read.order);
        for key in &mut order {
            if !names_set(&key.expr) {
                key.expr = column(key.expr.clone(), "key".into());
            }
        }
        let distinct = std::mem::take(&mut read.distinct);
        read.outputs = inner;
        Ok(Read {
            outputs,
            order,
            distinct,
            ..Read::from(Source::Read { id: outer_id, read: Box::new(read), view: None })
        })
    }
}
