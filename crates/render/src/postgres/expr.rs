//! Expressions.

use catalog::ColumnId;
use query::functions::{Aggregate, Function, Kind, Ty};
use query::{Expr, Form, Native, Order, SourceId, Subquery};
use types::value::Array;
use types::{Error, Modifier, Result, Type, Value};

use super::read::Use;
use query::functions::sequences;

use super::{Columns, Writer, names, quote};

impl Writer<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Column { source, column, .. } => self.column(*source, *column),
            Expr::Const { value: Value::Bool(value), ty: Type::Bool } => {
                // Not the bare word: as a key of an order PostgreSQL refuses it.
                self.push(if *value { "true::bool" } else { "false::bool" });
                Ok(())
            }
            Expr::Const { value, ty } => {
                self.value(value, ty);
                Ok(())
            }
            Expr::Param { index, ty } => self.given(*index, ty),
            Expr::Caller(field) => self.field(field),
            Expr::Apply { function, args, .. } => self.apply(function, args),
            Expr::Form { form, args, ty } => self.form(form, args, ty),
            Expr::Cast { expr, ty, modifier, explicit } => self.cast(expr, ty, *modifier, *explicit),
            Expr::Case { branches, otherwise, .. } => self.case(branches, otherwise.as_deref()),
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Call(_) => {
                Err(Error::internal("a function is interpreted although the engine calls it itself"))
            }
            Expr::Window { function, args, filter, window, .. } => {
                self.window(*function, args, filter.as_deref(), window)
            }
            Expr::Aggregate { aggregate, args, distinct, filter, order, .. } => {
                self.aggregate(aggregate, args, *distinct, filter.as_deref(), order)
            }
        }
    }

    fn column(&mut self, source: SourceId, column: ColumnId) -> Result<()> {
        let columns = self.sources.get(&source).copied();
        let columns = columns.ok_or_else(|| Error::internal("a column of an unknown source"))?;
        if column == query::ROW_KEY {
            return Err(Error::internal("PostgreSQL's rows have no key of their own"));
        }
        match columns {
            Columns::Excluded(table) => {
                self.push("excluded.");
                self.table_column(table, column);
            }
            Columns::OfTable(table) => {
                self.alias(source);
                self.push(".");
                self.table_column(table, column);
            }
            Columns::Outputs => {
                self.alias(source);
                self.push(".c");
                self.number(column.0);
            }
            Columns::Values => {
                self.alias(source);
                self.push(".column");
                self.number(column.0 + 1);
            }
        }
        Ok(())
    }

    pub(super) fn table_column(&mut self, table: catalog::TableId, column: ColumnId) {
        let catalog = self.catalog;
        self.identifier(&catalog[table][column].name);
    }

    fn apply(&mut self, function: &Function, args: &[Expr]) -> Result<()> {
        match (function.kind, function.name, args) {
            (Kind::Operator, "[]", [array, subscripts @ ..]) => {
                self.push("(");
                self.expr(array)?;
                self.push(")");
                for subscript in subscripts {
                    self.push("[");
                    self.expr(subscript)?;
                    self.push("]");
                }
                Ok(())
            }
            (Kind::Operator, "[:]", [array, bounds @ ..]) => {
                self.push("(");
                self.expr(array)?;
                self.push(")");
                for bounds in bounds.chunks(2) {
                    for (at, bound) in bounds.iter().enumerate() {
                        self.push(if at == 0 { "[" } else { ":" });
                        self.expr(bound)?;
                    }
                    self.push("]");
                }
                Ok(())
            }
            (Kind::Operator, symbol, [left, right]) => self.infix(left, symbol, right),
            (Kind::Prefix, symbol, [operand]) => {
                self.push("(");
                self.push(symbol);
                self.push(" ");
                self.expr(operand)?;
                self.push(")");
                Ok(())
            }
            (Kind::Operator | Kind::Prefix, symbol, _) => {
                Err(Error::internal(format!("operator {symbol} of {} operands", args.len())))
            }
            (Kind::Function, _, [sequence, ..]) if sequences::counts(function) => {
                self.push("pg_catalog.nextval((");
                self.expr(sequence)?;
                self.push(")::regclass)");
                Ok(())
            }
            (Kind::Function, name, args) => {
                self.push(&names::function_name(function));
                self.push("(");
                let is_list = name.ends_with(query::functions::VARIADIC);
                self.list(args.iter().enumerate(), ", ", |writer, (position, arg)| {
                    writer.push(if is_list && position + 1 == args.len() { "VARIADIC " } else { "" });
                    writer.expr(arg)?;
                    // Three arguments are a configuration and two more, or two and options.
                    let is_configuration = name == "ts_headline"
                        && position == 0
                        && function.arguments.get(2) == Some(&Ty::Tsquery);
                    let special = is_configuration.then_some("regconfig");
                    if let Some(ty) = special.or(names::special_argument(name, args.len(), position)) {
                        writer.push("::");
                        writer.push(ty);
                    }
                    Ok(())
                })?;
                self.push(")");
                Ok(())
            }
        }
    }

    fn call(&mut self, name: &str, args: &[Expr]) -> Result<()> {
        self.push(name);
        self.push("(");
        self.list(args, ", ", Writer::expr)?;
        self.push(")");
        Ok(())
    }

    fn infix(&mut self, left: &Expr, symbol: &str, right: &Expr) -> Result<()> {
        self.push("(");
        self.expr(left)?;
        self.push(" ");
        self.push(symbol);
        self.push(" ");
        self.expr(right)?;
        self.push(")");
        Ok(())
    }

    fn form(&mut self, form: &Form, args: &[Expr], ty: &Type) -> Result<()> {
        match (form, args) {
            (Form::Compare(compare), [left, right]) => self.infix(left, compare.symbol(), right),
            (Form::Distinct, [left, right]) => self.infix(left, "IS DISTINCT FROM", right),
            (Form::NotDistinct, [left, right]) => self.infix(left, "IS NOT DISTINCT FROM", right),
            (Form::And, args) => self.connected(args, " AND ", "true"),
            (Form::Or, args) => self.connected(args, " OR ", "false"),
            (Form::Not, [arg]) => self.wrapped("(NOT ", arg, ")"),
            (Form::IsNull, [arg]) => self.wrapped("(", arg, " IS NULL)"),
            (Form::IsNotNull, [arg]) => self.wrapped("(", arg, " IS NOT NULL)"),
            (Form::IsBool { value, negated }, [arg]) => {
                let words = match (value, negated) {
                    (true, false) => " IS TRUE)",
                    (true, true) => " IS NOT TRUE)",
                    (false, false) => " IS FALSE)",
                    (false, true) => " IS NOT FALSE)",
                };
                self.wrapped("(", arg, words)
            }
            (Form::Coalesce, args) => self.call("coalesce", args),
            (Form::NullIf, args) => self.call("nullif", args),
            (Form::Greatest, args) => self.call("greatest", args),
            (Form::Least, args) => self.call("least", args),
            (Form::In, [operand, list @ ..]) => self.in_list(operand, list),
            (Form::AnyOf(compare), [operand, array]) => {
                self.quantified(operand, compare.symbol(), " ANY (", array)
            }
            (Form::AllOf(compare), [operand, array]) => {
                self.quantified(operand, compare.symbol(), " ALL (", array)
            }
            (Form::AnyBy(function), [operand, array]) => {
                self.quantified(operand, names::operator(function)?, " ANY (", array)
            }
            (Form::AllBy(function), [operand, array]) => {
                self.quantified(operand, names::operator(function)?, " ALL (", array)
            }
            (Form::Array, args) => {
                self.push("ARRAY[");
                self.list(args, ", ", Writer::expr)?;
                self.push("]::");
                self.push(&names::type_name(ty, None));
                Ok(())
            }
            (Form::Row, args) => {
                self.call("ROW", args)?;
                if let Type::Composite(name) = ty
                    && *name != types::Name::new("pg_catalog", "record")
                {
                    self.push("::");
                    self.push(&names::type_name(ty, None));
                }
                Ok(())
            }
            (Form::Field(name), [row]) => {
                self.push("(");
                self.expr(row)?;
                self.push(").");
                self.identifier(name);
                Ok(())
            }
            (Form::Domain(_), [value, ..]) => self.expr(value),
            (Form::Domain(_), []) => Err(Error::internal("a domain without a value")),
            (Form::Field(_), _) => Err(Error::internal("a field of several rows")),
            (Form::Record(_), _) => Err(Error::missing("a whole row as a value on this engine")),
            (Form::Native(Native::Function(name)), [arg]) => {
                self.push(&names::qualified(name));
                self.push("(");
                self.expr(arg)?;
                self.push(")");
                Ok(())
            }
            (Form::Native(Native::Operator(symbol)), [left, right]) => {
                self.push("(");
                self.untyped(left)?;
                self.push(&format!(" {symbol} "));
                self.untyped(right)?;
                self.push(")");
                Ok(())
            }
            (
                Form::Compare(_)
                | Form::Distinct
                | Form::NotDistinct
                | Form::Not
                | Form::IsNull
                | Form::IsNotNull
                | Form::IsBool { .. }
                | Form::In
                | Form::AnyOf(_)
                | Form::AllOf(_)
                | Form::AnyBy(_)
                | Form::AllBy(_)
                | Form::Native(_),
                _,
            ) => Err(Error::internal(format!("{form:?} of {} operands", args.len()))),
        }
    }

    /// A literal without a type is left to PostgreSQL, as in its own SQL.
    fn untyped(&mut self, operand: &Expr) -> Result<()> {
        match operand {
            Expr::Const { value: Value::Text(text), ty: Type::Unknown } => {
                let number = self.numbered("", text.to_string());
                self.push("$");
                self.number(number);
                Ok(())
            }
            operand => self.expr(operand),
        }
    }

    fn wrapped(&mut self, before: &str, arg: &Expr, after: &str) -> Result<()> {
        self.push(before);
        self.expr(arg)?;
        self.push(after);
        Ok(())
    }

    fn connected(&mut self, args: &[Expr], word: &str, none: &str) -> Result<()> {
        if args.is_empty() {
            self.push(none);
            return Ok(());
        }
        self.push("(");
        self.list(args, word, Writer::expr)?;
        self.push(")");
        Ok(())
    }

    /// Constants are one array, so that the text does not depend on how many there are.
    fn in_list(&mut self, operand: &Expr, list: &[Expr]) -> Result<()> {
        let constant = |expr: &Expr| match expr {
            Expr::Const { value, ty } if *ty == operand.ty() && !matches!(ty, Type::Array(_)) => {
                Some(value.clone())
            }
            _ => None,
        };
        self.push("(");
        self.expr(operand)?;
        if let Some(elements) = list.iter().map(constant).collect::<Option<Vec<Value>>>() {
            let length = u32::try_from(elements.len()).map_err(Error::internal)?;
            let dimensions = if elements.is_empty() { Vec::new() } else { vec![length] };
            let array = Value::Array(std::sync::Arc::new(Array { dimensions, elements }));
            self.push(" = ANY (");
            self.value(&array, &operand.ty().array());
            self.push("))");
            return Ok(());
        }
        self.push(" IN (");
        self.list(list, ", ", Writer::expr)?;
        self.push("))");
        Ok(())
    }

    fn quantified(&mut self, operand: &Expr, symbol: &str, word: &str, array: &Expr) -> Result<()> {
        self.push("(");
        self.expr(operand)?;
        self.push(" ");
        self.push(symbol);
        self.push(word);
        self.expr(array)?;
        self.push("))");
        Ok(())
    }

    /// An assignment's length is enforced where it is stored: written out, it would cut instead of refusing.
    fn cast(&mut self, expr: &Expr, ty: &Type, modifier: Option<Modifier>, explicit: bool) -> Result<()> {
        self.push("(");
        self.expr(expr)?;
        self.push(")::");
        self.push(&names::type_name(ty, modifier.filter(|_| explicit)));
        Ok(())
    }

    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<()> {
        self.push("CASE");
        for (condition, result) in branches {
            self.push(" WHEN ");
            self.expr(condition)?;
            self.push(" THEN ");
            self.expr(result)?;
        }
        self.clause(" ELSE ", otherwise)?;
        self.push(" END");
        Ok(())
    }

    fn subquery(&mut self, subquery: &Subquery) -> Result<()> {
        match subquery {
            Subquery::Exists(read) => {
                self.push("EXISTS (");
                self.read(read, Use::Set)?;
            }
            Subquery::Scalar(read) => {
                self.push("(");
                self.read(read, Use::Set)?;
            }
            Subquery::Any { operand, compare, read } => {
                self.compared(operand, compare.symbol(), " ANY (")?;
                self.read(read, Use::Set)?;
                self.push(")");
            }
            Subquery::All { operand, compare, read } => {
                self.compared(operand, compare.symbol(), " ALL (")?;
                self.read(read, Use::Set)?;
                self.push(")");
            }
            Subquery::Nest(nest) => {
                self.nest(nest)?;
                self.push("::json");
                return Ok(());
            }
        }
        self.push(")");
        Ok(())
    }

    fn compared(&mut self, operand: &Expr, symbol: &str, word: &str) -> Result<()> {
        self.push("(");
        self.expr(operand)?;
        self.push(" ");
        self.push(symbol);
        self.push(word);
        Ok(())
    }

    fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        args: &[Expr],
        distinct: bool,
        filter: Option<&Expr>,
        order: &[Order],
    ) -> Result<()> {
        // Those of an extension's type come with the extension.
        let is_of_extension = aggregate.arguments.iter().any(|ty| matches!(ty, Ty::Citext | Ty::Vector));
        let (said, falls) = match aggregate.name.strip_suffix(query::functions::DESCENDING) {
            Some(said) => (said, true),
            None => (aggregate.name, false),
        };
        let name = if is_of_extension { quote(said) } else { names::own_name(said) };
        self.push(&name);
        self.push(if distinct { "(DISTINCT " } else { "(" });
        match args.split_last() {
            None => self.push("*"),
            Some((key, direct)) if query::functions::is_ordered(aggregate.name) => {
                self.list(direct, ", ", Writer::expr)?;
                self.push(") WITHIN GROUP (ORDER BY ");
                self.expr(key)?;
                self.push(if falls { " DESC" } else { "" });
            }
            Some(_) => self.list(args, ", ", Writer::expr)?,
        }
        self.order(order)?;
        self.push(")");
        if let Some(filter) = filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        Ok(())
    }
}
