//! Which declared function a call means: places of its arguments, then PostgreSQL's choice among those that take them (10.3).

use catalog::{Argument, Function};
use sql::ast::{ArgumentMode, Call};
use types::cast::{self, Context};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Resolver;
use super::declared::inputs;
use crate::functions::{Families, category, is_polymorphic, preferred};
use crate::ir::{Expr, Form};

/// An argument of a call, as written.
struct Written<'c> {
    name: Option<&'c str>,
    arg: Expr,
    ty: Type,
}

/// How a function would take the arguments.
#[derive(Clone)]
struct Fit {
    at: usize,
    /// The parameter of each argument.
    places: Vec<usize>,
    /// What is declared for each argument: of a list of variadic ones the element's type.
    types: Vec<Type>,
    /// Whether the last arguments are a list.
    is_list: bool,
    /// How many parameters have their default.
    defaults: usize,
}

impl Resolver<'_> {
    /// The function that a call means, and its arguments, of the types declared.
    pub(super) fn matched(&mut self, call: &Call, candidates: &[usize]) -> Result<(usize, Vec<Expr>)> {
        let (at, args) = self.found(call, candidates)?;
        let function = &self.catalog.functions[at];
        if function.procedure {
            let types = call.args.iter().map(|argument| Ok(self.expr(&argument.value)?.ty()));
            let types = types.collect::<Result<Vec<Type>>>()?;
            let types: Vec<String> = types.iter().map(|ty| format_type(ty, None)).collect();
            let message = format!("{}({}) is a procedure", function.name.name, types.join(", "));
            return Err(
                Error::new(Code::WRONG_OBJECT_TYPE, message).with_hint("To call a procedure, use CALL.")
            );
        }
        Ok((at, args))
    }

    /// The function or procedure.
    pub(super) fn found(&mut self, call: &Call, candidates: &[usize]) -> Result<(usize, Vec<Expr>)> {
        let name = &self.catalog.functions[candidates[0]].name;
        if call.star || call.distinct || call.filter.is_some() || !call.order_by.is_empty() {
            let message =
                format!("DISTINCT, FILTER, ORDER BY or * specified, but {name} is not an aggregate function");
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        let mut written: Vec<Written<'_>> = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            if argument.name.is_none() && written.last().is_some_and(|before| before.name.is_some()) {
                let message = "positional argument cannot follow named argument";
                return Err(Error::new(Code::SYNTAX, message));
            }
            let arg = self.expr(&argument.value)?;
            written.push(Written { name: argument.name.as_deref(), ty: arg.ty(), arg });
        }
        let is_whole = call.args.last().is_some_and(|argument| argument.variadic);
        let fits =
            candidates.iter().filter_map(|at| fit(*at, &self.catalog.functions[*at], &written, is_whole));
        let fits: Vec<Fit> = fits.filter(|fit| self.takes(fit, &written)).collect();
        let shown = || {
            let shown = written.iter().map(|written| match written.name {
                Some(name) => format!("{name} => {}", format_type(&written.ty, None)),
                None => format_type(&written.ty, None),
            });
            format!(
                "function {}({})",
                crate::resolve::calls::shown_name(call),
                shown.collect::<Vec<_>>().join(", ")
            )
        };
        if fits.is_empty() {
            let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
            let message = format!("{} does not exist", shown());
            return Err(Error::new(Code::UNDEFINED_FUNCTION, message).with_hint(hint));
        }
        let types: Vec<&Type> = written.iter().map(|written| &written.ty).collect();
        let Some(chosen) = best(fits, &types) else {
            let hint =
                "Could not choose a best candidate function. You might need to add explicit type casts.";
            let message = format!("{} is not unique", shown());
            return Err(Error::new(Code::AMBIGUOUS_FUNCTION, message).with_hint(hint));
        };
        let args = self.given(&chosen, written)?;
        Ok((chosen.at, args))
    }

    /// Whether arguments may stand where such types are declared.
    fn takes(&self, fit: &Fit, written: &[Written<'_>]) -> bool {
        let each =
            fit.types.iter().zip(written).all(|(declared, written)| self.converts(&written.arg, declared));
        let actual: Vec<Type> = written.iter().map(|written| written.ty.clone()).collect();
        each && Families::of(&fit.types, &actual).is_some()
    }

    fn converts(&self, arg: &Expr, to: &Type) -> bool {
        let from = arg.ty();
        match to {
            to if from == *to || is_polymorphic(to) => true,
            Type::Composite(name) if &*name.name == "record" => matches!(from, Type::Composite(_)),
            Type::Composite(_) => {
                matches!(arg, Expr::Const { ty: Type::Unknown, .. } | Expr::Form { form: Form::Row, .. })
            }
            Type::Opaque(_) => is_null(arg),
            to => cast::context(&from, to) == Some(Context::Implicit),
        }
    }

    /// A value for each parameter: arguments converted, lists as arrays, defaults.
    fn given(&mut self, fit: &Fit, written: Vec<Written<'_>>) -> Result<Vec<Expr>> {
        let function = &self.catalog.functions[fit.at];
        let actual: Vec<Type> = written.iter().map(|written| written.ty.clone()).collect();
        let families = Families::of(&fit.types, &actual)
            .ok_or_else(|| Error::internal("a function was chosen that does not take its arguments"))?;
        let parameters: Vec<&Argument> = inputs(function).collect();
        let mut values: Vec<Vec<Expr>> = vec![Vec::new(); parameters.len()];
        for ((place, declared), written) in fit.places.iter().zip(&fit.types).zip(written) {
            let ty = families.apply(declared)?;
            let arg = self.converted_argument(written.arg, &ty)?;
            if let Some(place) = values.get_mut(*place) {
                place.push(arg);
            }
        }
        let last = parameters.len().wrapping_sub(1);
        let mut args = Vec::with_capacity(parameters.len());
        for (position, (parameter, mut values)) in parameters.into_iter().zip(values).enumerate() {
            let arg = match (values.pop(), &parameter.default) {
                (Some(value), _) if position == last && fit.is_list => {
                    let ty = value.ty().array();
                    values.push(value);
                    Expr::Form { form: Form::Array, args: values, ty }
                }
                (Some(value), _) => value,
                (None, Some(default)) => {
                    let default = self.constant_default(default)?;
                    self.coerce(default, &families.apply(&parameter.ty)?)?
                }
                (None, None) => return Err(Error::internal("a parameter without a value")),
            };
            args.push(match &parameter.domain {
                Some(domain) => self.in_domain(arg, domain)?,
                None => arg,
            });
        }
        Ok(args)
    }

    fn converted_argument(&mut self, arg: Expr, to: &Type) -> Result<Expr> {
        match to {
            Type::Composite(name) if &*name.name == "record" => Ok(arg),
            Type::Composite(_) | Type::Opaque(_) if is_null(&arg) => Ok(Expr::null(to.clone())),
            Type::Composite(_) if super::bodies::row_fields(&arg).is_some() && arg.ty() != *to => {
                let row = self.row_as(&arg, to, Context::Implicit)?;
                self.row_in_domains(row)
            }
            Type::Composite(_) if arg.ty() != *to => self.cast(arg, to, None),
            to => self.coerce(arg, to),
        }
    }
}

fn is_null(arg: &Expr) -> bool {
    matches!(arg, Expr::Const { value: Value::Null, ty: Type::Unknown })
}

/// The places of arguments among a function's parameters, if there is one for each.
fn fit(at: usize, function: &Function, written: &[Written<'_>], is_whole: bool) -> Option<Fit> {
    let parameters: Vec<&Argument> = inputs(function).collect();
    let last = parameters.len().checked_sub(1);
    let is_variadic = parameters.last().is_some_and(|last| last.mode == ArgumentMode::Variadic);
    let is_named = written.iter().any(|written| written.name.is_some());
    let is_list = is_variadic && !is_whole && !is_named && written.len() >= parameters.len();
    // Parameters that a list would be of have no names.
    if is_whole && !is_variadic || is_named && is_variadic && !is_whole {
        return None;
    }
    let mut places = Vec::with_capacity(written.len());
    for (position, written) in written.iter().enumerate() {
        let place = match written.name {
            Some(name) => parameters.iter().position(|known| known.name.as_deref() == Some(name))?,
            None if is_list => position.min(last?),
            None => position,
        };
        if place >= parameters.len() || (places.contains(&place) && !(is_list && Some(place) == last)) {
            return None;
        }
        places.push(place);
    }
    let absent = || parameters.iter().enumerate().filter(|(place, _)| !places.contains(place));
    if absent().any(|(_, parameter)| parameter.default.is_none()) {
        return None;
    }
    let defaults = absent().count();
    let declared = |place: &usize| {
        let ty = &parameters[*place].ty;
        if is_list && Some(*place) == last { element(ty) } else { Some(ty.clone()) }
    };
    let types = places.iter().map(declared).collect::<Option<Vec<_>>>()?;
    Some(Fit { at, places, types, is_list, defaults })
}

/// The type of a list's arguments.
fn element(ty: &Type) -> Option<Type> {
    match ty {
        Type::Array(element) => Some((**element).clone()),
        Type::Opaque(name) => {
            let plain = match &*name.name {
                "anyarray" => "anyelement",
                "anycompatiblearray" => "anycompatible",
                _ => return None,
            };
            Some(Type::Opaque(types::Name::new("pg_catalog", plain)))
        }
        _ => None,
    }
}

/// The one that is meant: `func_select_candidate`, step by step; before, of two that look alike the one that needs less.
fn best(mut fits: Vec<Fit>, actual: &[&Type]) -> Option<Fit> {
    let all = fits.clone();
    fits.retain(|fit| {
        let alike = all.iter().filter(|other| other.types == fit.types);
        alike.clone().all(|other| (fit.is_list, fit.defaults) <= (other.is_list, other.defaults))
    });
    let known = || actual.iter().enumerate().filter(|(_, ty)| ***ty != Type::Unknown);
    let is_exact = |fit: &&Fit| fit.types.iter().eq(actual.iter().copied());
    match (fits.iter().find(is_exact).cloned(), fits.iter().filter(is_exact).count()) {
        (Some(exact), 1) => return Some(exact),
        (Some(_), _) => return None,
        (None, _) => {}
    }
    let is = |fit: &Fit, at: usize, ty: &Type| fit.types[at] == *ty;
    keep_best(&mut fits, |fit| known().filter(|(at, ty)| is(fit, *at, ty)).count());
    let prefers = |fit: &Fit, at: usize, ty: &Type| {
        category(&fit.types[at]) == category(ty) && preferred(&fit.types[at])
    };
    keep_best(&mut fits, |fit| known().filter(|(at, ty)| is(fit, *at, ty) || prefers(fit, *at, ty)).count());
    if fits.len() > 1 {
        narrow_by_category(&mut fits, actual);
    }
    match fits.len() {
        1 => fits.pop(),
        _ => None,
    }
}

fn keep_best(fits: &mut Vec<Fit>, score: impl Fn(&Fit) -> usize) {
    let best = fits.iter().map(&score).max();
    fits.retain(|fit| Some(score(fit)) == best);
}

/// For each unknown argument: strings if any candidate takes one, else the category that all agree on.
fn narrow_by_category(fits: &mut Vec<Fit>, actual: &[&Type]) {
    let kind = |ty: &Type| if is_polymorphic(ty) { ('P', false) } else { (category(ty), preferred(ty)) };
    for at in (0..actual.len()).filter(|at| *actual[*at] == Type::Unknown) {
        let kinds: Vec<(char, bool)> = fits.iter().map(|fit| kind(&fit.types[at])).collect();
        let wanted = match kinds.iter().any(|(category, _)| *category == 'S') {
            true => 'S',
            false => kinds[0].0,
        };
        if wanted != 'S' && kinds.iter().any(|(category, _)| *category != wanted) {
            return;
        }
        let is_preferred = kinds.contains(&(wanted, true));
        fits.retain(|fit| {
            let (category, preferred) = kind(&fit.types[at]);
            category == wanted && (preferred || !is_preferred)
        });
    }
}
