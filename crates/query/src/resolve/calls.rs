//! Calls: facts about the caller and the moment, aggregates, the table of functions, casts in function notation.

use std::sync::Arc;

use sql::ast::{self, Call, ExprKind, ObjectName, TypeName};
use types::ty::format_type;
use types::{Code, Error, Modifier, Name, Result, Type, Value};

use super::Resolver;
use crate::functions::sequences::is_hidden;
use crate::functions::{
    DESCENDING, GROUPING, Kind, VARIADIC, aggregates, candidates, choose, choose_aggregate,
    choose_comparison, is_lacking, is_ordered,
};
use crate::ir::{CallerField, Expr, Form, Order, Output, Source, Subquery};

/// Settings that are the same in a whole request, bound like everything about its caller.
const SETTINGS: &[&str] =
    &["request.jwt.claims", "request.method", "request.path", "request.headers", "request.cookies", "role"];

/// The extensions that are there from the beginning, in the schema `extensions`. Where others are, `create extension` says.
const IN_EXTENSIONS: [&str; 2] = ["pgcrypto", "uuid-ossp"];

/// The names of parameters, of functions of ours that have any.
const PARAMETERS: &[(&[&str], &[&str])] = &[
    (&["make_interval"], &["years", "months", "weeks", "days", "hours", "mins", "secs"]),
    (&["make_date"], &["year", "month", "day"]),
    (&["make_time"], &["hour", "min", "sec"]),
    (&["make_timestamp"], &["year", "month", "mday", "hour", "min", "sec"]),
    (&["make_timestamptz"], &["year", "month", "mday", "hour", "min", "sec", "timezone"]),
    (&["jsonb_set"], &["jsonb_in", "path", "replacement", "create_if_missing"]),
    (&["jsonb_set_lax"], &["jsonb_in", "path", "replacement", "create_if_missing", "null_value_treatment"]),
    (&["jsonb_insert"], &["jsonb_in", "path", "replacement", "insert_after"]),
    (&["parse_ident"], &["str", "strict"]),
    (&["json_array_elements", "json_array_elements_text", "json_each", "json_each_text"], &["from_json"]),
    (&["jsonb_array_elements", "jsonb_array_elements_text", "jsonb_each", "jsonb_each_text"], &["from_json"]),
    (
        &[
            "json_populate_record",
            "json_populate_recordset",
            "jsonb_populate_record",
            "jsonb_populate_recordset",
        ],
        &["base", "from_json"],
    ),
];

/// The position of a parameter by its name.
fn place(function: &str, name: &str) -> Result<usize> {
    let known = PARAMETERS.iter().find(|(functions, _)| functions.contains(&function));
    let (_, names) = known.ok_or_else(|| Error::missing(format!("named arguments of {function}()")))?;
    names.iter().position(|known| *known == name).ok_or_else(|| {
        let message = format!("function {function}({name} => …) does not exist");
        Error::new(Code::UNDEFINED_FUNCTION, message)
    })
}

impl Resolver<'_> {
    /// The meaning of a call.
    pub(super) fn call(&mut self, call: &Call) -> Result<Expr> {
        let name = call.name.name.as_str();
        if let Some(over) = &call.over {
            return self.unexpanded("window function calls", |resolver| resolver.windowed(call, over));
        }
        if let Some(fact) = self.fact(call)? {
            return Ok(fact);
        }
        if let Some(value) = self.declared_call(call)? {
            return Ok(value);
        }
        if let Some(value) = self.system_call(call)? {
            return Ok(value);
        }
        if let Some(value) = self.sequence_call(call)? {
            return Ok(value);
        }
        if is_aggregate(name) {
            return self.unexpanded("aggregate function calls", |resolver| resolver.aggregate(call));
        }
        if super::hypothetical::is_hypothetical(name) && !call.within_group.is_empty() {
            return self.unexpanded("aggregate function calls", |resolver| resolver.hypothetical(call));
        }
        if super::hypothetical::is_hypothetical(name) && !call.args.is_empty() {
            let message = format!("WITHIN GROUP is required for ordered-set aggregate {name}");
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        if super::windows::is_window_function(name) {
            let message = format!("window function {name} requires an OVER clause");
            return Err(Error::new(Code::WINDOWING, message));
        }
        if super::sets::is_set(call) {
            return self.expanded(call);
        }
        if call.star || call.distinct || call.filter.is_some() || !call.order_by.is_empty() {
            let message =
                format!("DISTINCT, FILTER, ORDER BY or * specified, but {name} is not an aggregate function");
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        if matches!(name, "coalesce" | "nullif" | "greatest" | "least") {
            if call.args.iter().any(|argument| argument.variadic) {
                return Err(Error::new(Code::SYNTAX, "syntax error at or near \"variadic\""));
            }
            let place = if name == "coalesce" { "COALESCE" } else { "" };
            let args = self.unexpanded(place, |resolver| resolver.arguments(call))?;
            return self.lazy(name, args);
        }
        if name == "grouping" && call.name.schema.is_none() {
            let args = self.arguments(call)?;
            return Ok(Expr::Apply { function: &GROUPING, args, ty: Type::Int4 });
        }
        let args = self.arguments(call)?;
        self.of_arguments(call, args)
    }

    /// A call of a function of ours with its arguments.
    fn of_arguments(&mut self, call: &Call, args: Vec<Expr>) -> Result<Expr> {
        let is_list = |argument: &ast::Argument| {
            argument.variadic && !matches!(&*argument.value.kind, ExprKind::Array(_))
        };
        // A format alone takes no list: it is the list's only element.
        let is_format = call.name.name == "format" && args.len() == 1;
        if call.args.last().is_some_and(is_list) && !is_format {
            let name = format!("{}{VARIADIC}", call.name.name);
            let of_any = crate::functions::Ty::Array(&crate::functions::Ty::Any);
            let takes_any = candidates(&name, Kind::Function).any(|function| {
                function.arguments.len() == args.len() && function.arguments.last() == Some(&of_any)
            });
            if takes_any && args.last().is_some_and(|list| !matches!(list.ty(), Type::Array(_))) {
                let message = "VARIADIC argument must be an array";
                return Err(Error::new(Code::DATATYPE_MISMATCH, message));
            }
            return self.function(&ObjectName { name, ..call.name.clone() }, args);
        }
        self.function(&call.name, args)
    }

    /// The arguments of a function of ours, in their order.
    pub(super) fn arguments(&mut self, call: &Call) -> Result<Vec<Expr>> {
        let mut args = Vec::new();
        let mut named: Vec<(usize, Expr)> = Vec::new();
        for argument in &call.args {
            match (&argument.name, &*argument.value.kind) {
                (Some(name), _) => named.push((place(&call.name.name, name)?, self.expr(&argument.value)?)),
                // What stands in a list that is written is written itself.
                (None, ExprKind::Array(elements)) if argument.variadic => {
                    args.extend(
                        elements.iter().map(|element| self.expr(element)).collect::<Result<Vec<_>>>()?,
                    );
                }
                (None, _) if argument.variadic && !has_list_form(&call.name.name) => {
                    return Err(Error::missing(format!("VARIADIC in a call of {}()", call.name.name)));
                }
                (None, _) => args.push(self.named_or_value(&argument.value)?),
            }
        }
        named.sort_by_key(|(place, _)| *place);
        for (place, arg) in named {
            // Only whole numbers are left out before another one, and all of these are 0.
            args.resize(place.max(args.len()), Expr::Const { value: Value::Int(0), ty: Type::Int4 });
            if args.len() > place {
                let message = format!("argument names of {}() are used more than once", call.name.name);
                return Err(Error::new(Code::SYNTAX, message));
            }
            args.push(arg);
        }
        Ok(args)
    }

    /// A call of a row of the table of functions, or a cast in function notation.
    fn function(&mut self, name: &ObjectName, args: Vec<Expr>) -> Result<Expr> {
        let is_ours = matches!(name.schema.as_deref(), None | Some("pg_catalog" | "extensions" | "public"))
            && !is_hidden(&name.name)
            && !crate::functions::records::is_hidden(&name.name);
        if is_ours && is_lacking(&name.name) {
            return self.apply(&name.name, args);
        }
        // A function for the very type comes before a cast, and that before one that takes what converts.
        let is_for_it = |function: &crate::functions::Function| {
            function.takes(args.len())
                && function.argument(0).zip(args.first()).is_some_and(|(declared, arg)| {
                    declared.to_type().is_none_or(|declared| declared == arg.ty())
                })
        };
        if is_ours && args.len() == 1 && !candidates(&name.name, Kind::Function).any(is_for_it) {
            let ty = TypeName {
                name: name.clone(),
                modifiers: Vec::new(),
                array_dims: 0,
                setof: false,
                of_column: None,
            };
            if let (Ok((ty, None::<Modifier>, None)), Some(arg)) = (self.find_type(&ty), args.first())
                && types::cast::context(&arg.ty(), &ty).is_some()
            {
                return self.cast(arg.clone(), &ty, None);
            }
        }
        if (is_ours && !self.is_out_of_reach(name)) || self.is_of_extension(name) {
            return self.apply(&name.name, args);
        }
        let types: Vec<String> = args.iter().map(|arg| format_type(&arg.ty(), None)).collect();
        let schema = name.schema.as_deref().map(|schema| format!("{schema}.")).unwrap_or_default();
        if let Some(schema) = &name.schema
            && !self.catalog.schemas.iter().any(|(known, _)| **known == **schema)
        {
            return Err(Error::new(Code::UNDEFINED_SCHEMA, format!("schema \"{schema}\" does not exist")));
        }
        let message = format!("function {schema}{}({}) does not exist", name.name, types.join(", "));
        Err(Error::new(Code::UNDEFINED_FUNCTION, message)
            .with_hint("No function matches the given name and argument types. You might need to add explicit type casts."))
    }

    /// Whether a function comes with an extension that was put into the schema that is said.
    fn is_of_extension(&self, name: &ObjectName) -> bool {
        let Some(schema) = &name.schema else { return false };
        let is_there = |extension: &str| {
            let mut placed = self.catalog.extension_schemas.iter();
            placed.any(|(known, at)| **known == *extension && **at == **schema)
        };
        candidates(&name.name, Kind::Function).any(|function| function.extension.is_some_and(is_there))
    }

    /// Whether a function comes with an extension of the schema `extensions`, and is looked for elsewhere.
    fn is_out_of_reach(&self, name: &ObjectName) -> bool {
        let extension = candidates(&name.name, Kind::Function).next().and_then(|function| function.extension);
        let is_looked_for = match name.schema.as_deref() {
            None => self.path.iter().any(|schema| &**schema == "extensions"),
            Some(schema) => schema == "extensions",
        };
        extension.is_some_and(|extension| IN_EXTENSIONS.contains(&extension)) && !is_looked_for
    }

    /// A call of a row of the table of functions.
    pub(super) fn apply(&self, name: &str, args: Vec<Expr>) -> Result<Expr> {
        let args = args.into_iter().map(|arg| self.shown(arg)).collect::<Result<Vec<_>>>()?;
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let chosen = choose(name, Kind::Function, &types)?;
        let args = self.printed_for(chosen.function, self.coerce_all(args, &chosen.argument_types)?)?;
        Ok(Expr::Apply { function: chosen.function, args, ty: chosen.result })
    }

    /// What is known of the caller and the moment; `None` for other calls.
    fn fact(&mut self, call: &Call) -> Result<Option<Expr>> {
        let field = match (call.name.schema.as_deref(), call.name.name.as_str(), call.args.len()) {
            (Some("auth"), "uid", 0) => CallerField::Uid,
            (Some("auth"), "role", 0) => CallerField::ClaimedRole,
            (Some("auth"), "email", 0) => CallerField::Email,
            (Some("auth"), "jwt", 0) => CallerField::Claims,
            (
                None | Some("pg_catalog"),
                "now" | "current_timestamp" | "transaction_timestamp" | "statement_timestamp",
                0,
            ) => CallerField::Now,
            (None | Some("pg_catalog"), "session_user", 0) => CallerField::Login,
            (None | Some("pg_catalog"), "current_user" | "current_role" | "user", 0) => {
                return Ok(Some(self.role_in_force()));
            }
            (
                None | Some("pg_catalog"),
                "current_date" | "localtimestamp" | "localtime" | "current_time",
                0,
            ) => {
                let ty = match call.name.name.as_str() {
                    "current_date" => Type::Date,
                    "current_time" => Type::Timetz,
                    "localtimestamp" => Type::Timestamp,
                    _ => Type::Time,
                };
                return self.cast(Expr::Caller(CallerField::Now), &ty, None).map(Some);
            }
            (
                None | Some("pg_catalog"),
                "current_timestamp" | "localtimestamp" | "localtime" | "current_time",
                1,
            ) => {
                let digits = match call.args.first().map(|argument| &*argument.value.kind) {
                    Some(ExprKind::Literal(ast::Literal::Integer(digits))) => digits.parse::<u8>().ok(),
                    _ => None,
                };
                let Some(digits) = digits else { return Ok(None) };
                let whole = Call { args: Vec::new(), ..call.clone() };
                let Some(now) = self.fact(&whole)? else { return Ok(None) };
                let ty = now.ty();
                return self.cast(now, &ty, Some(Modifier::Fraction(digits.min(6)))).map(Some);
            }
            (None | Some("pg_catalog"), "current_setting", _) => match setting(call) {
                Some(name) => CallerField::Setting(name),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Expr::Caller(field)))
    }

    /// `current_user` and its like: in the body of a definer's function its owner.
    pub(super) fn role_in_force(&self) -> Expr {
        let role = Expr::Caller(CallerField::Role);
        match &self.owner {
            Some(owner) => Expr::Const { value: Value::text(&**owner), ty: role.ty() },
            None => role,
        }
    }

    fn aggregate(&mut self, call: &Call) -> Result<Expr> {
        let args = self.ordered_arguments(call)?;
        if args.iter().any(crate::visit::has_aggregate) {
            return Err(Error::new(Code::GROUPING, "aggregate function calls cannot be nested"));
        }
        if args.iter().any(crate::visit::has_window) {
            return Err(Error::new(
                Code::GROUPING,
                "aggregate function calls cannot contain window function calls",
            ));
        }
        let args = args.into_iter().map(|arg| self.shown(arg)).collect::<Result<Vec<_>>>()?;
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let falls = call.within_group.first().is_some_and(|key| key.descending);
        let word = if falls { DESCENDING } else { "" };
        let chosen = choose_aggregate(&format!("{}{word}", call.name.name), &types)?;
        let args = self.coerce_all(args, &chosen.argument_types)?;
        let filter = call.filter.as_ref().map(|filter| self.boolean(filter, "FILTER")).transpose()?;
        let order = self.order_keys(&call.order_by)?;
        if call.distinct {
            let words: Vec<String> = args.iter().map(|arg| format!("{arg:?}")).collect();
            if order.iter().any(|key| !words.contains(&format!("{:?}", key.expr))) {
                let message =
                    "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
                return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
            }
        }
        let aggregate = Expr::Aggregate {
            aggregate: chosen.aggregate,
            args,
            distinct: call.distinct,
            filter: filter.map(Box::new),
            order,
            ty: chosen.result,
        };
        Ok(self.of_outer_query(&aggregate)?.unwrap_or(aggregate))
    }

    /// The arguments of an aggregate; of one of an order the key of its order last.
    fn ordered_arguments(&mut self, call: &Call) -> Result<Vec<Expr>> {
        let name = &call.name.name;
        let mut args = self.arguments(call)?;
        match (is_ordered(name), &call.within_group[..]) {
            (false, []) => {}
            (true, [key]) => {
                let key = self.expr(&key.expr)?;
                // What has no order here cannot be put in one.
                let ty = key.ty();
                choose_comparison("<", &ty, &ty).map_err(|error| match error.code() {
                    Code::UNDEFINED_FUNCTION => no_order(&ty),
                    _ => error,
                })?;
                args.push(key);
            }
            (true, []) => {
                let message = format!("WITHIN GROUP is required for ordered-set aggregate {name}");
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
            }
            (true, _) => {
                let message = format!("function {name} does not take several keys of an order");
                return Err(Error::new(Code::UNDEFINED_FUNCTION, message));
            }
            (false, _) => {
                let message =
                    format!("{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP");
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
            }
        }
        Ok(args)
    }

    pub(super) fn order_keys(&mut self, items: &[ast::OrderItem]) -> Result<Vec<Order>> {
        items
            .iter()
            .map(|item| {
                let expr = self.expr(&item.expr)?;
                ordered(self.settled(expr)?, item)
            })
            .collect()
    }

    /// `array(select …)`: the rows' only column, in their order; empty instead of null.
    pub(super) fn array_of_rows(&mut self, query: &ast::Query) -> Result<Expr> {
        let read = self.query(query)?;
        let [output] = &read.outputs[..] else { return Err(super::compare::one_column()) };
        let element = output.expr.ty();
        let id = self.ids.fresh();
        let column = Expr::Column { source: id, column: catalog::ColumnId(0), ty: element.clone() };
        let chosen = choose_aggregate("array_agg", std::slice::from_ref(&element))?;
        let collected = Expr::Aggregate {
            aggregate: chosen.aggregate,
            args: vec![column],
            distinct: false,
            filter: None,
            order: Vec::new(),
            ty: chosen.result.clone(),
        };
        let mut outer = crate::ir::Read::from(Source::Read { id, read: Box::new(read), view: None });
        outer.outputs.push(Output { name: "array".into(), expr: collected });
        let rows = Expr::Subquery(Box::new(Subquery::Scalar(outer)));
        let none = Expr::Form { form: Form::Array, args: Vec::new(), ty: chosen.result.clone() };
        Ok(Expr::Form { form: Form::Coalesce, args: vec![rows, none], ty: chosen.result })
    }

    /// Refuses aggregates where there are no groups.
    pub(super) fn refuse_aggregate(&self, expr: &Expr, word: &str) -> Result<()> {
        if crate::visit::has_aggregate(expr) {
            let message = format!("aggregate functions are not allowed in {word}");
            return Err(Error::new(Code::GROUPING, message));
        }
        self.refuse_window(expr, word)
    }
}

/// An order key as asked; nulls are the largest values.
///
/// # Errors
/// `42883` for a type without an order.
pub(super) fn ordered(expr: Expr, item: &ast::OrderItem) -> Result<Order> {
    match expr.ty() {
        ty @ (Type::Json | Type::Jsonpath) => Err(no_order(&ty)),
        _ => {
            let nulls_first = item.nulls_first.unwrap_or(item.descending);
            Ok(Order { expr, descending: item.descending, nulls_first })
        }
    }
}

/// The type of any row.
pub(super) fn record() -> Type {
    Type::Composite(Name::new("pg_catalog", "record"))
}

/// `42883` of what has no order.
fn no_order(ty: &Type) -> Error {
    let message = format!("could not identify an ordering operator for type {}", format_type(ty, None));
    Error::new(Code::UNDEFINED_FUNCTION, message)
        .with_hint("Use an explicit ordering operator or modify the query.")
}

/// Whether a function takes what is behind `variadic` as the array that it is.
fn has_list_form(name: &str) -> bool {
    candidates(&format!("{name}{VARIADIC}"), Kind::Function).next().is_some()
}

pub(super) fn is_aggregate(name: &str) -> bool {
    aggregates().any(|aggregate| aggregate.name == name)
}

/// The setting that `current_setting` is asked for, where it is one that a request has from its beginning.
fn setting(call: &Call) -> Option<Arc<str>> {
    let name = call.args.first().and_then(|argument| argument.value.text())?.to_ascii_lowercase();
    SETTINGS.contains(&&*name).then(|| name.into())
}

/// A function's name as it was called.
pub(super) fn shown_name(call: &Call) -> String {
    match &call.name.schema {
        Some(schema) => format!("{schema}.{}", call.name.name),
        None => call.name.name.clone(),
    }
}
