//! Conditions: filters and logical trees.

use query::functions::{Kind, candidates, check_regex};
use query::resolve::Typing;
use query::{Expr, Form, Native, Subquery};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Pass;
use super::fields::Scope;
use super::tree::{Condition, Node, not_embedded};
use crate::field::Field;
use crate::filter::{Filter, Operands, Test, Truth};
use crate::logic::Logic;
use crate::operators::Meaning;

impl<'a> Pass<'a> {
    /// A condition on the rows of a scope; `node` is the resource that they are of, where its embedded ones can be asked for.
    pub(super) fn condition(
        &mut self,
        scope: &Scope,
        node: Option<&Node<'a>>,
        condition: Condition<'a>,
    ) -> Result<Expr> {
        match condition {
            Condition::Filter(filter) => self.filter(scope, node, filter),
            Condition::Logic(Logic::Filter(filter)) => self.filter(scope, node, filter),
            Condition::Logic(Logic::Related { path, condition }) => {
                self.some_row(scope, node, path, condition)
            }
            Condition::Logic(Logic::Group { negated, any, members }) => {
                let members = members
                    .iter()
                    .map(|member| self.condition(scope, node, Condition::Logic(member)))
                    .collect::<Result<_>>()?;
                let group = Expr::test(if *any { Form::Or } else { Form::And }, members);
                Ok(negated_if(*negated, group))
            }
        }
    }

    /// Whether some row of an embedded resource meets a condition: one of those that belong to the row, that the caller sees
    /// and that the resource's own filters leave. Its order and range play no part.
    fn some_row(
        &mut self,
        scope: &Scope,
        node: Option<&Node<'a>>,
        path: &[String],
        condition: &'a Logic,
    ) -> Result<Expr> {
        let Some((name, deeper)) = path.split_first() else {
            return self.condition(scope, node, Condition::Logic(condition));
        };
        let node = node.ok_or_else(|| Error::missing("a condition on an embedded resource of a write"))?;
        let child = node.child(name).ok_or_else(|| not_embedded(name))?;
        let (mut read, inner) = self.related(scope, child)?;
        let met = self.some_row(&inner, Some(child), deeper, condition)?;
        read.and_where(met);
        Ok(Expr::Subquery(Box::new(Subquery::Exists(read))))
    }

    fn filter(&mut self, scope: &Scope, node: Option<&Node<'a>>, filter: &Filter) -> Result<Expr> {
        let test = match self.embedded(scope, node, &filter.field) {
            Some(child) => self.presence_tested(scope, child, &filter.test)?,
            None => {
                let field = self.field(scope, &filter.field)?;
                match self.parsed_test(scope, filter, &field)? {
                    Some(test) => test,
                    None => {
                        let test = self.test(field, &filter.test)?;
                        match filter.test.parameter {
                            Some(index) => self.with_parameter(index, test),
                            None => test,
                        }
                    }
                }
            }
        };
        Ok(negated_if(filter.test.negated, test))
    }

    /// A comparison with a parameter of the read in place of its value, where that is the same each time it is read.
    fn with_parameter(&mut self, index: usize, mut compared: Expr) -> Expr {
        let Expr::Form { form: Form::Compare(_), args, .. } = &mut compared else { return compared };
        if let [_, operand] = &mut args[..]
            && let Expr::Const { ty, .. } = operand
            && *ty != Type::Bool
        {
            let parameter = Expr::Param { index, ty: ty.clone() };
            if let Expr::Const { value, ty } = std::mem::replace(operand, parameter) {
                self.parameters.insert(index, (value, ty));
            }
        }
        compared
    }

    /// The embedded resource that a field names, unless it is a column.
    fn embedded<'n>(&self, scope: &Scope, node: Option<&'n Node<'a>>, field: &Field) -> Option<&'n Node<'a>> {
        let is_column = self.declared(scope.table).column(&field.name).is_some();
        let child = node?.child(&field.name)?;
        (field.path.is_empty() && !is_column).then_some(child)
    }

    /// Whether there is a row of an embedded resource.
    fn presence_tested(&mut self, scope: &Scope, child: &Node<'a>, test: &Test) -> Result<Expr> {
        let there = self.presence(scope, child)?;
        match test.value {
            Operands::Truth(Truth::Null) => Ok(negated_if(true, there)),
            Operands::Truth(Truth::NotNull) => Ok(there),
            _ => {
                let name = child.key().unwrap_or_default();
                let message = format!("Bad operator on the '{name}' embedded resource");
                Err(Error::new(Code::EMBED_OPERATOR, message)
                    .with_details("Only is null or not is null filters are allowed on embedded resources"))
            }
        }
    }

    /// A comparison with values that a function of the schema reads.
    fn parsed_test(&mut self, scope: &Scope, filter: &Filter, field: &Expr) -> Result<Option<Expr>> {
        let test = &filter.test;
        Ok(match (test.operator.meaning, &test.value) {
            (Meaning::Operator(symbol), Operands::One(value)) if !test.operator.takes_pattern() => {
                let Some(value) = self.parsed(scope, &filter.field, value)? else { return Ok(None) };
                Some(self.typing.binary(field.clone(), symbol, value)?)
            }
            (Meaning::In, Operands::List(values)) if **values != [String::new()] => {
                let values = values.iter().map(|value| self.parsed(scope, &filter.field, value));
                let Some(values) = values.collect::<Result<Option<Vec<Expr>>>>()? else { return Ok(None) };
                Some(self.typing.in_list(field.clone(), values)?)
            }
            _ => None,
        })
    }

    /// An operator of a type that only PostgreSQL knows, between a field and a literal.
    fn natively(&self, field: &Expr, symbol: &str, value: &str) -> Option<Expr> {
        if !self.model.is_native() || !matches!(field.ty(), Type::Opaque(_)) {
            return None;
        }
        let value = Expr::Const { value: Value::text(value), ty: Type::Unknown };
        let form = Form::Native(Native::Operator(symbol.into()));
        Some(Expr::Form { form, args: vec![field.clone(), value], ty: Type::Bool })
    }

    fn test(&self, field: Expr, test: &Test) -> Result<Expr> {
        match (test.operator.meaning, &test.value) {
            (Meaning::Operator(symbol), Operands::One(value)) => {
                let value = self.pattern(test, value);
                if let Some(compared) = self.natively(&field, symbol, &value) {
                    return Ok(compared);
                }
                let value = Typing::untyped(&value);
                let compared =
                    self.operator(field, symbol, |field| self.typing.binary(field, symbol, value))?;
                self.whole(symbol, &compared)?;
                Ok(compared)
            }
            (Meaning::Operator(symbol), Operands::Any(list)) => self.quantified(field, symbol, test, list),
            (Meaning::Operator(symbol), Operands::All(list)) => self.quantified(field, symbol, test, list),
            (Meaning::In, Operands::List(values)) => {
                if self.natively(&field, "=", "").is_some() {
                    let values = values.iter().filter(|value| values.len() > 1 || !value.is_empty());
                    let tests = values.filter_map(|value| self.natively(&field, "=", value)).collect();
                    return Ok(Expr::Form { form: Form::Or, args: tests, ty: Type::Bool });
                }
                self.operator(field, "=", |field| self.one_of(field, values))
            }
            (Meaning::Is, Operands::Truth(truth)) => is(field, *truth),
            (Meaning::Distinct, Operands::One(value)) => {
                let value = Typing::untyped(value);
                self.operator(field, "=", |field| self.typing.distinct(field, value))
            }
            (Meaning::Search(function), Operands::Search { configuration, query }) => {
                self.search(field, function, configuration.as_deref(), query)
            }
            _ => Err(Error::internal("an operator with another one's operand")),
        }
    }

    /// `*` stands for `%` where patterns are.
    fn pattern(&self, test: &Test, value: &str) -> String {
        if test.operator.takes_pattern() { value.replace('*', "%") } else { value.to_owned() }
    }

    /// An operator that PostgreSQL has for a type of which we know only some is refused by name.
    fn operator(&self, field: Expr, symbol: &str, apply: impl FnOnce(Expr) -> Result<Expr>) -> Result<Expr> {
        let ty = field.ty();
        apply(field).map_err(|error| match (error.code(), &ty) {
            (
                Code::UNDEFINED_FUNCTION,
                Type::Range(_)
                | Type::Opaque(_)
                | Type::Inet
                | Type::Cidr
                | Type::Tsvector
                | Type::Tsquery
                | Type::Jsonpath
                | Type::Bytea,
            ) => Error::missing(format!("operator {symbol} of type {}", format_type(&ty, None))),
            _ => error,
        })
    }

    fn quantified(&self, field: Expr, symbol: &str, test: &Test, list: &str) -> Result<Expr> {
        let all = matches!(test.value, Operands::All(_));
        let list = Typing::untyped(&self.pattern(test, list));
        let compared =
            self.operator(field, symbol, |field| self.typing.quantified(field, symbol, all, list))?;
        self.bounded(&compared)?;
        self.whole(symbol, &compared)?;
        Ok(compared)
    }

    /// A broken regular expression is refused whether or not a row is compared with it: PostgreSQL's planner reads it.
    fn whole(&self, symbol: &str, compared: &Expr) -> Result<()> {
        if self.model.is_native() || !matches!(symbol, "~" | "~*") {
            return Ok(());
        }
        let (Expr::Apply { args, .. } | Expr::Form { args, .. }) = compared else { return Ok(()) };
        match args.last() {
            Some(Expr::Const { value: Value::Text(pattern), .. }) => check_regex(pattern),
            Some(Expr::Const { value: Value::Array(array), .. }) => {
                array.elements.iter().try_for_each(|element| match element {
                    Value::Text(pattern) => check_regex(pattern),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    /// The elements of an array literal are values of a list.
    fn bounded(&self, quantified: &Expr) -> Result<()> {
        let Expr::Form { args, .. } = quantified else { return Ok(()) };
        let Some(Expr::Const { value: Value::Array(array), .. }) = args.last() else { return Ok(()) };
        crate::budget::Budget::new(self.exposed.limits).values(array.elements.len())
    }

    /// `in`: an array, so that lists of every length are one statement. The list of one empty value is the empty list.
    fn one_of(&self, field: Expr, values: &[String]) -> Result<Expr> {
        let empty = matches!(values, [value] if value.is_empty());
        let values: Vec<&String> = values.iter().filter(|_| !empty).collect();
        let operand = self.typing.binary(field, "=", Expr::null(Type::Unknown))?;
        let Expr::Form { args, .. } = operand else { return Err(Error::internal("equality is a form")) };
        let Some(field) = args.into_iter().next() else {
            return Err(Error::internal("equality has operands"));
        };
        let ty = field.ty();
        if matches!(ty, Type::Array(_)) {
            // A list of them would be an array of arrays, which is no type.
            return self.typing.quantified(field, "=", false, Typing::untyped("{}"));
        }
        let literals = values.into_iter().map(|value| self.typing.literal(value, &ty));
        let literals = literals.collect::<Result<Vec<Expr>>>()?;
        let constant = |literal: &Expr| match literal {
            Expr::Const { value, .. } => Some(value.clone()),
            _ => None,
        };
        let constants: Option<Vec<Value>> = literals.iter().map(constant).collect();
        match constants {
            Some(elements) => {
                let length = u32::try_from(elements.len()).map_err(Error::internal)?;
                let dimensions = if length == 0 { Vec::new() } else { vec![length] };
                let array = types::value::Array { dimensions, elements };
                let array = Expr::Const { value: Value::Array(array.into()), ty: ty.array() };
                self.typing.quantified(field, "=", false, array)
            }
            None => self.typing.in_list(field, literals),
        }
    }

    fn search(&self, field: Expr, function: &str, configuration: Option<&str>, query: &str) -> Result<Expr> {
        if candidates(function, Kind::Function).next().is_none() {
            return Err(Error::missing(format!("full-text search with {function}()")));
        }
        let with = |value: Expr| {
            configuration.map(Typing::untyped).into_iter().chain([value]).collect::<Vec<Expr>>()
        };
        let document = match field.ty() {
            Type::Tsvector => field,
            _ => self.typing.call("to_tsvector", with(field))?,
        };
        let query = self.typing.call(function, with(Typing::untyped(query)))?;
        self.typing.binary(document, "@@", query)
    }
}

fn negated_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::test(Form::Not, vec![expr]) } else { expr }
}

/// `is null`, `is true`, …
fn is(field: Expr, truth: Truth) -> Result<Expr> {
    let (form, word) = match truth {
        Truth::Null => return Ok(Expr::test(Form::IsNull, vec![field])),
        Truth::NotNull => return Ok(Expr::test(Form::IsNotNull, vec![field])),
        Truth::True => (Form::IsBool { value: true, negated: false }, "IS TRUE"),
        Truth::False => (Form::IsBool { value: false, negated: false }, "IS FALSE"),
        Truth::Unknown => (Form::IsNull, "IS UNKNOWN"),
    };
    match field.ty() {
        Type::Bool => Ok(Expr::test(form, vec![field])),
        other => {
            let ty = format_type(&other, None);
            let message = format!("argument of {word} must be type boolean, not type {ty}");
            Err(Error::new(Code::DATATYPE_MISMATCH, message))
        }
    }
}
