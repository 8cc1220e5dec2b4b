//! Set-returning functions in `from` (PostgreSQL 7.2.1.4). Among targets: `expansions`.

use std::sync::Arc;

use catalog::ColumnId;
use sql::ast::{self, Call, TypeName};
use types::{Code, Error, Field, Result, Type, Value};

use super::Resolver;
use super::bodies::row_fields;
use super::calls::record;
use super::scope::Relation;
use crate::functions::sets::Columns as SetColumns;
use crate::functions::{Volatility, choose_aggregate, choose_set, sets};
use crate::ir::{Expr, Form, Output, Read, SetCall, Source, SourceId, Subquery};
use crate::visit;

/// Rows that stand beside others.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few, and not for long")]
pub(super) enum Set {
    /// Those of a function of ours.
    Call(SetCall),
    /// Those of a declared function.
    Rows(Read),
}

impl Set {
    /// The names of its columns.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        match self {
            Set::Call(call) => call.columns.iter().map(|field| field.name.clone()).collect(),
            Set::Rows(rows) => rows.outputs.iter().map(|output| output.name.clone()).collect(),
        }
    }

    /// Its columns as those of a source, from a position on.
    pub(super) fn columns(&self, source: SourceId, from: usize) -> Result<Vec<Expr>> {
        let types: Vec<Type> = match self {
            Set::Call(call) => call.columns.iter().map(|field| field.ty.clone()).collect(),
            Set::Rows(rows) => rows.outputs.iter().map(|output| output.expr.ty()).collect(),
        };
        let column = |(at, ty): (usize, Type)| {
            let column = ColumnId(u16::try_from(from + at).map_err(Error::internal)?);
            Ok(Expr::Column { source, column, ty })
        };
        types.into_iter().enumerate().map(column).collect()
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

/// Whether an expression may be another value each time that it is computed, or calls what could.
fn may_differ(expr: &Expr) -> bool {
    let mut found = false;
    visit::deep(expr, &mut |inner| {
        found |= match inner {
            Expr::Apply { function, .. } => function.volatility == Volatility::Volatile,
            Expr::Subquery(subquery) => visit::calls(subquery.read()),
            inner => matches!(inner, Expr::Call(_)),
        };
    });
    found
}

impl Resolver<'_> {
    /// Calls of set-returning functions that a call means: one, but `unnest` takes several arrays.
    pub(super) fn set_calls(
        &mut self,
        call: &Call,
        definitions: &[(String, TypeName)],
    ) -> Result<Vec<SetCall>> {
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
                Type::Composite(name) => self.catalog.fields(name),
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
        let (populated, base, args) = self.populated(name, args)?;
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let chosen = choose_set(name, &types)?;
        let mut args = self.coerce_all(args, &chosen.argument_types)?;
        args.extend(base);
        let own = populated.or_else(|| chosen.function.fields(&chosen.argument_types));
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
                .map(|(name, ty)| {
                    let (ty, modifier, domain) = self.find_type(ty)?;
                    Ok(Field { modifier, domain, ..Field::of(name.as_str().into(), ty) })
                })
                .collect::<Result<Vec<_>>>()?,
        };
        // Nobody looks at domains within rows: those are left to be refused.
        let told = |column: Field| {
            let told = self.catalog.with_fields(column.clone());
            if told.fields.iter().any(|field| self.has_domains(field)) { column } else { told }
        };
        let columns = columns.into_iter().map(told).collect();
        Ok(SetCall { function: chosen.function, args, columns })
    }

    /// Whether a field, or one within it, is of a domain that refuses some values.
    fn has_domains(&self, field: &Field) -> bool {
        field.domain.as_ref().is_some_and(|domain| self.is_constrained(domain))
            || field.fields.iter().any(|field| self.has_domains(field))
    }

    /// `json_populate_record(base, json)` has the fields of the base's type as columns. The fields of a base that is not null
    /// stand behind the JSON.
    #[expect(clippy::type_complexity, reason = "three parts of one call")]
    fn populated(
        &self,
        name: &str,
        mut args: Vec<Expr>,
    ) -> Result<(Option<Vec<Field>>, Vec<Expr>, Vec<Expr>)> {
        if !name.contains("_populate_record") || args.len() != 2 {
            return Ok((None, Vec::new(), args));
        }
        let base = args.remove(0);
        let fields = match &base.ty() {
            Type::Composite(name) => self.catalog.fields(name),
            _ => None,
        };
        let is_null = |expr: &Expr| matches!(expr, Expr::Const { value: Value::Null, .. });
        let is_nothing = is_null(&base) || row_fields(&base).is_some_and(|fields| fields.iter().all(is_null));
        let Some(fields) = fields else {
            return Err(Error::missing(format!("{name}() of a base without a composite type")));
        };
        if is_nothing {
            return Ok((Some(fields), Vec::new(), args));
        }
        if row_fields(&base).is_none() && may_differ(&base) {
            return Err(Error::missing(format!("{name}() of a base that is computed")));
        }
        let values = fields.iter().map(|field| self.field(&base, &field.name)).collect::<Result<_>>()?;
        Ok((Some(fields), values, args))
    }

    /// A function in `from`: a set-returning one of ours, or one row of any other.
    pub(super) fn function_of_table(&mut self, item: &ast::FromItem) -> Result<Source> {
        let ast::FromItem::Function { call, ordinality, alias, definitions, .. } = item else {
            return Err(Error::internal("not a function in FROM"));
        };
        let name = alias.as_ref().map_or(&call.name.name, |alias| &alias.name);
        let id = self.ids.fresh();
        let mut is_of_rows = !definitions.is_empty();
        let (source, mut columns) = if is_set(call) {
            let calls = self.set_calls(call, definitions)?;
            is_of_rows |= calls.iter().any(|call| matches!(call.function.columns, SetColumns::Written));
            let of_field = |field: &Field| (field.name.clone(), field.ty.clone());
            let mut columns: Vec<(Arc<str>, Type)> =
                calls.iter().flat_map(|call| call.columns.iter().map(of_field)).collect();
            if *ordinality {
                columns.push(("ordinality".into(), Type::Int8));
            }
            (self.source_of_calls(id, calls, *ordinality)?, columns)
        } else {
            let mut read = self.one_row(call, definitions)?;
            if *ordinality {
                read = self.numbered(read);
            }
            let columns = read.outputs.iter().map(|output| (output.name.clone(), output.expr.ty())).collect();
            (Source::Read { id, read: Box::new(read), view: None }, columns)
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
        relation.is_value = !is_of_rows && is_value(&relation.columns);
        relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
        self.add(relation)?;
        Ok(source)
    }

    /// The only row of a function that returns no set.
    fn one_row(&mut self, call: &Call, definitions: &[(String, TypeName)]) -> Result<Read> {
        if !definitions.is_empty() {
            let message = "a column definition list is only allowed for functions returning \"record\"";
            return Err(Error::new(Code::SYNTAX, message));
        }
        let value = self.call(call)?;
        let value = self.settled(value)?;
        self.refuse_aggregate(&value, "functions in FROM")?;
        let mut read = Read::from(Source::Unit);
        read.outputs.push(Output { name: call.name.name.as_str().into(), expr: value });
        Ok(read)
    }

    /// `rows from (…)`: the rows of functions side by side, nulls where one has fewer than another.
    pub(super) fn functions_of_table(
        &mut self,
        calls: &[(Call, Vec<(String, TypeName)>)],
        ordinality: bool,
        alias: Option<&ast::Alias>,
    ) -> Result<Source> {
        let mut sets = Vec::new();
        for (call, definitions) in calls {
            if let Some((_, rows)) = self.declared_rows(call, definitions, |_| true)? {
                sets.push(Set::Rows(rows));
            } else if is_set(call) {
                sets.extend(self.set_calls(call, definitions)?.into_iter().map(Set::Call));
            } else {
                sets.push(Set::Rows(self.one_row(call, definitions)?));
            }
        }
        let mut names: Vec<Arc<str>> = sets.iter().flat_map(Set::names).collect();
        let first = calls.first().map_or("", |(call, _)| call.name.name.as_str());
        let name = alias.map_or(first, |alias| &alias.name);
        if let ([column], [(call, _)], Some(alias)) = (&mut names[..], calls, alias)
            && **column == *call.name.name
        {
            *column = alias.name.as_str().into();
        }
        if ordinality {
            names.push("ordinality".into());
        }
        let mut read = self.side_by_side(sets, ordinality)?;
        for (output, name) in read.outputs.iter_mut().zip(names) {
            output.name = name;
        }
        let id = self.ids.fresh();
        let mut relation = Relation::of_outputs(name, &read.outputs, id);
        relation.relabel(alias.map_or(&[][..], |alias| &alias.columns))?;
        self.add(relation)?;
        Ok(Source::Read { id, read: Box::new(read), view: None })
    }

    /// The rows of set-returning functions as a source.
    pub(super) fn source_of_calls(
        &mut self,
        id: SourceId,
        calls: Vec<SetCall>,
        ordinality: bool,
    ) -> Result<Source> {
        let is_held = |field: &Field| field.domain.as_ref().is_some_and(|domain| self.is_constrained(domain));
        if !calls.iter().any(|call| call.columns.iter().any(is_held)) {
            return Ok(Source::Function { id, calls, ordinality });
        }
        let sets = calls.into_iter().map(Set::Call).collect();
        Ok(Source::Read { id, read: Box::new(self.side_by_side(sets, ordinality)?), view: None })
    }

    /// The condition that columns are values of their domains, which raises an error where one is none. Whoever reads rows of a
    /// call reads this, whatever columns are wanted. A row of no document is not looked at.
    fn are_of_domains(&mut self, id: SourceId, call: &SetCall) -> Result<Option<Expr>> {
        let mut tests = Vec::new();
        for (field, at) in call.columns.iter().zip(0..) {
            let Some(domain) = field.domain.as_ref().filter(|domain| self.is_constrained(domain)) else {
                continue;
            };
            let column = Expr::Column { source: id, column: ColumnId(at), ty: field.ty.clone() };
            let value = self.in_domain(column, domain)?;
            // True, whatever the value is.
            tests.push(Expr::test(Form::IsNotNull, vec![Expr::test(Form::IsNull, vec![value])]));
        }
        let (false, Some(document)) = (tests.is_empty(), call.args.first()) else { return Ok(None) };
        let is_none = Expr::test(Form::IsNull, vec![document.clone()]);
        Ok(Some(Expr::Case {
            branches: vec![(is_none, Expr::bool(true))],
            otherwise: Some(Box::new(Expr::test(Form::And, tests))),
            ty: Type::Bool,
        }))
    }

    /// A read of the rows of sets side by side.
    pub(super) fn side_by_side(&mut self, sets: Vec<Set>, ordinality: bool) -> Result<Read> {
        let id = self.ids.fresh();
        let (mut calls, mut outputs, mut filter) = (Vec::new(), Vec::new(), None);
        let is_alone = sets.len() == 1;
        for set in sets {
            let is_packed = matches!(set, Set::Rows(_));
            let call = match set {
                Set::Call(call) => call,
                Set::Rows(rows) => self.packed(rows)?,
            };
            let held = self.are_of_domains(id, &call)?;
            if held.is_some() && !is_alone {
                return Err(Error::missing("columns of domains among functions that stand side by side"));
            }
            filter = filter.or(held);
            for field in call.columns.iter() {
                let position = u16::try_from(outputs.len()).map_err(Error::internal)?;
                let column = Expr::Column { source: id, column: ColumnId(position), ty: field.ty.clone() };
                let is_document = is_packed && matches!(field.ty, Type::Json | Type::Jsonb);
                let expr = if is_document { self.unwrapped(column)? } else { column };
                outputs.push(Output { name: field.name.clone(), expr });
            }
            calls.push(call);
        }
        if ordinality {
            let position = u16::try_from(outputs.len()).map_err(Error::internal)?;
            let expr = Expr::Column { source: id, column: ColumnId(position), ty: Type::Int8 };
            outputs.push(Output { name: "ordinality".into(), expr });
        }
        Ok(Read { outputs, filter, ..Read::from(Source::Function { id, calls, ordinality }) })
    }

    /// Rows as those of a set-returning function of ours: they go through one JSON document. JSON itself stands in an array there,
    /// so that its null is not taken for none.
    fn packed(&mut self, rows: Read) -> Result<SetCall> {
        let mut rows = self.around(rows);
        let mut columns = Vec::new();
        for (at, output) in rows.outputs.iter_mut().enumerate() {
            output.name = format!("c{at}").into();
            let ty = output.expr.ty();
            columns.push(Field::of(output.name.clone(), ty.clone()));
            if matches!(ty, Type::Json | Type::Jsonb) {
                let is_null = Expr::test(Form::IsNull, vec![output.expr.clone()]);
                let wrapped = self.apply("json_build_array", vec![output.expr.clone()])?;
                let none = Expr::null(Type::Json);
                let branches = vec![(is_null, none)];
                output.expr = Expr::Case { branches, otherwise: Some(Box::new(wrapped)), ty: Type::Json };
            }
        }
        let (names, fields): (Vec<Arc<str>>, Vec<Expr>) =
            rows.outputs.drain(..).map(|output| (output.name, output.expr)).unzip();
        let row = Expr::Form { form: Form::Record(names.into()), args: fields, ty: record() };
        let chosen = choose_aggregate("json_agg", &[row.ty()])?;
        let expr = Expr::Aggregate {
            aggregate: chosen.aggregate,
            args: vec![row],
            distinct: false,
            filter: None,
            order: Vec::new(),
            ty: Type::Json,
        };
        rows.outputs.push(Output { name: "rows".into(), expr });
        let all = Expr::Subquery(Box::new(Subquery::Scalar(rows)));
        let none = Expr::Const { value: Value::text("[]"), ty: Type::Json };
        let all = Expr::Form { form: Form::Coalesce, args: vec![all, none], ty: Type::Json };
        let chosen = choose_set("json_to_recordset", &[Type::Json])?;
        Ok(SetCall { function: chosen.function, args: vec![all], columns: columns.into() })
    }

    /// The only element of an array.
    fn unwrapped(&self, array: Expr) -> Result<Expr> {
        self.binary(array, "->", Expr::Const { value: Value::Int(0), ty: Type::Int4 })
    }
}
