//! Functions, as declared.

use std::sync::Arc;

use sql::ast::{self, ArgumentMode, CreateFunction, FunctionArgument, ObjectName, TypeName};
use types::ty::format_type;
use types::{Code, Error, Name, Result, Type};

use super::resolve::written;
use super::{Builder, Outcome};
use crate::role::ObjectKind;
use crate::{Argument, Function, Language, Volatility};

impl Builder<'_> {
    pub(super) fn create_function(&mut self, create: &CreateFunction) -> Result<Outcome> {
        let name = match create.name.schema.as_deref() {
            Some(super::TEMPORARY) => self.temporary(&create.name)?,
            _ => self.names().creation(&create.name)?,
        };
        let arguments =
            create.arguments.iter().map(|argument| self.argument(argument)).collect::<Result<Vec<_>>>()?;
        let (returns, returns_set) = self.returns(create, &arguments)?;
        let domain = create.returns.as_ref().map(|ty| self.names().ty(ty)).transpose()?;
        let function = Function {
            acl: self.initial_acl(ObjectKind::Function, Some(&name.schema)),
            name,
            arguments,
            returns_trigger: returns == trigger_type(),
            procedure: create.procedure,
            returns,
            domain: domain.and_then(|ty| ty.domain),
            returns_set,
            language: language(&create.language),
            body: create.body.as_str().into(),
            statements: Default::default(),
            volatility: volatility(create.volatility),
            strict: create.strict,
            security_definer: create.security_definer,
            settings: create
                .settings
                .iter()
                .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
                .collect(),
            rows: create.rows,
            owner: self.role.clone(),
            comment: None,
        };
        self.put_function(function, create.or_replace)
    }

    fn put_function(&mut self, mut function: Function, or_replace: bool) -> Result<Outcome> {
        let same = |other: &&mut Function| other.name == function.name && other.takes_as(&function);
        let Some(old) = self.catalog.functions.iter_mut().find(same) else {
            self.catalog.functions.push(function);
            return Ok(Outcome::Applied);
        };
        if !or_replace {
            let message =
                format!("function \"{}\" already exists with same argument types", function.name.name);
            return Err(Error::new(Code::DUPLICATE_FUNCTION, message));
        }
        replaceable(old, &function)?;
        function.owner = old.owner.clone();
        function.acl = old.acl.clone();
        function.comment = old.comment.clone();
        *old = function;
        Ok(Outcome::Applied)
    }

    fn argument(&self, argument: &FunctionArgument) -> Result<Argument> {
        let ty = self.names().ty(&argument.ty)?;
        Ok(Argument {
            name: argument.name.as_deref().map(Arc::from),
            ty: ty.ty,
            domain: ty.domain,
            mode: argument.mode,
            default: argument.default.as_ref().map(|default| self.bound_default(default)).transpose()?,
        })
    }

    /// The result type, and whether it is a set. Several result columns are a record.
    fn returns(&self, create: &CreateFunction, arguments: &[Argument]) -> Result<(Type, bool)> {
        if let Some(ty) = &create.returns {
            return Ok((self.names().ty(ty)?.ty, ty.setof));
        }
        let results: Vec<&Type> =
            arguments.iter().filter(|argument| argument.is_output()).map(|argument| &argument.ty).collect();
        let ty = match &results[..] {
            [] => Type::Void,
            [one] => (*one).clone(),
            _ => Type::Composite(Name::new("pg_catalog", "record")),
        };
        Ok((ty, create.returns_table))
    }

    /// Where the function with this name, and these argument types if said, stands.
    ///
    /// # Errors
    /// `42883` when there is none, `42725` when there are several.
    pub(super) fn function_position(
        &self,
        name: &ObjectName,
        arguments: Option<&[TypeName]>,
    ) -> Result<usize> {
        let Some(arguments) = arguments else { return self.only_function(name) };
        let types = arguments
            .iter()
            .map(|ty| self.names().ty(ty).map(|found| (found.ty, found.domain)))
            .collect::<Result<Vec<_>>>()?;
        let is = |found: &Name| self.position_of(found, &types).is_some();
        let found = self.names().first(name, is).and_then(|found| self.position_of(&found, &types));
        found.ok_or_else(|| {
            let types: Vec<String> = types.iter().map(|(ty, _)| format_type(ty, None)).collect();
            Error::new(
                Code::UNDEFINED_FUNCTION,
                format!("function {}({}) does not exist", written(name), types.join(", ")),
            )
        })
    }

    fn position_of(&self, name: &Name, types: &[(Type, Option<Name>)]) -> Option<usize> {
        let functions = &self.catalog.functions;
        let are = |arguments: Vec<&Argument>| {
            arguments.len() == types.len()
                && arguments
                    .iter()
                    .zip(types)
                    .all(|(argument, (ty, domain))| argument.ty == *ty && argument.domain == *domain)
        };
        let by_input =
            functions.iter().position(|function| function.name == *name && are(function.inputs().collect()));
        let all = |function: &Function| {
            are(function.arguments.iter().filter(|argument| argument.mode != ArgumentMode::Table).collect())
        };
        by_input.or_else(|| functions.iter().position(|function| function.name == *name && all(function)))
    }

    fn only_function(&self, name: &ObjectName) -> Result<usize> {
        let is = |name: &Name| self.catalog.functions.iter().any(|function| function.name == *name);
        let missing = || {
            Error::new(
                Code::UNDEFINED_FUNCTION,
                format!("could not find a function named \"{}\"", written(name)),
            )
        };
        let found = self.names().first(name, is).ok_or_else(missing)?;
        let mut positions = self
            .catalog
            .functions
            .iter()
            .enumerate()
            .filter(|(_, function)| function.name == found)
            .map(|(at, _)| at);
        match (positions.next(), positions.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err(Error::new(
                Code::AMBIGUOUS_FUNCTION,
                format!("function name \"{}\" is not unique", written(name)),
            )
            .with_hint("Specify the argument list to select the function unambiguously.")),
            (None, _) => Err(missing()),
        }
    }

    /// `alter function` with options, as written.
    pub(super) fn function_options(&mut self, at: usize, options: &[String]) -> Result<()> {
        options.iter().try_for_each(|option| set_option(&mut self.catalog.functions[at], option))
    }
}

/// `returns trigger`
fn trigger_type() -> Type {
    Type::Opaque(Name::new("pg_catalog", "trigger"))
}

fn replaceable(old: &Function, new: &Function) -> Result<()> {
    let refuse = |message: String| {
        let types: Vec<String> = old.input_types().map(|ty| format_type(ty, None)).collect();
        let hint = format!("Use DROP FUNCTION {}({}) first.", old.name.name, types.join(", "));
        Err(Error::new(Code::INVALID_FUNCTION_DEFINITION, message).with_hint(hint))
    };
    let outputs = |function: &Function| {
        let results = function.arguments.iter().filter(|argument| argument.is_output());
        results.map(|argument| (argument.name.clone(), argument.ty.clone())).collect::<Vec<_>>()
    };
    if old.returns != new.returns || old.returns_set != new.returns_set || outputs(old) != outputs(new) {
        return refuse("cannot change return type of existing function".to_owned());
    }
    let inputs = |function: &Function| {
        let inputs = function.arguments.iter().filter(|argument| argument.is_input());
        inputs.map(|argument| argument.name.clone()).collect::<Vec<_>>()
    };
    match inputs(old).into_iter().zip(inputs(new)).find(|(old, new)| old.is_some() && old != new) {
        Some((Some(name), _)) => refuse(format!("cannot change name of input parameter \"{name}\"")),
        _ => Ok(()),
    }
}

fn language(name: &str) -> Language {
    match name.to_lowercase().as_str() {
        "sql" => Language::Sql,
        "plpgsql" => Language::PlPgSql,
        other => Language::Other(other.into()),
    }
}

fn volatility(volatility: ast::Volatility) -> Volatility {
    match volatility {
        ast::Volatility::Immutable => Volatility::Immutable,
        ast::Volatility::Stable => Volatility::Stable,
        ast::Volatility::Volatile => Volatility::Volatile,
    }
}

/// One option of `alter function`, by its words.
fn set_option(function: &mut Function, option: &str) -> Result<()> {
    let words: Vec<&str> = option.split_whitespace().collect();
    match &words[..] {
        ["immutable"] => function.volatility = Volatility::Immutable,
        ["stable"] => function.volatility = Volatility::Stable,
        ["volatile"] => function.volatility = Volatility::Volatile,
        ["strict"] | ["returns", "null", "on", "null", "input"] => function.strict = true,
        ["called", "on", "null", "input"] => function.strict = false,
        ["security", "definer"] | ["external", "security", "definer"] => function.security_definer = true,
        ["security", "invoker"] | ["external", "security", "invoker"] => function.security_definer = false,
        ["leakproof"] | ["not", "leakproof"] | ["parallel", _] | ["cost", _] | ["support", _] => {}
        ["rows", rows] => function.rows = rows.parse().ok(),
        ["set", name, "to" | "=", value @ ..] => set_setting(function, name, Some(&value.join(" "))),
        ["reset", "all"] => function.settings.clear(),
        ["reset", name] => set_setting(function, name, None),
        _ => return Err(Error::missing(format!("function option {option}"))),
    }
    Ok(())
}

fn set_setting(function: &mut Function, name: &str, value: Option<&str>) {
    function.settings.retain(|(other, _)| **other != *name);
    function.settings.extend(value.map(|value| (Arc::from(name), Arc::from(value))));
}
