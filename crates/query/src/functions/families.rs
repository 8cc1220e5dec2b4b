//! Declared functions with parameters of `anyelement` and its like: what these stand for in one call (PostgreSQL 38.2.5).

use std::borrow::Cow;

use catalog::Function;
use types::{Code, Error, Result, Type};

use super::ty::{Bindings, Ty, unify};

/// The families by their names.
const FAMILIES: &[(&str, Ty)] = &[
    ("anyelement", Ty::AnyElement),
    ("anyarray", Ty::AnyArray),
    ("anynonarray", Ty::AnyNonArray),
    ("anyenum", Ty::AnyEnum),
    ("anyrange", Ty::AnyRange),
    ("anycompatible", Ty::AnyCompatible),
    ("anycompatiblearray", Ty::AnyCompatibleArray),
    ("anycompatiblenonarray", Ty::AnyCompatibleNonArray),
    ("anycompatiblerange", Ty::AnyCompatibleRange),
];

/// The family that a declared type is.
fn family(ty: &Type) -> Option<Ty> {
    let Type::Opaque(name) = ty else { return None };
    let known = FAMILIES.iter().find(|(family, _)| *family == &*name.name && &*name.schema == "pg_catalog");
    known.map(|(_, ty)| *ty)
}

/// Whether what a declared type stands for depends on the call.
pub fn is_polymorphic(ty: &Type) -> bool {
    family(ty).is_some()
}

/// What the families of declared types stand for.
pub(crate) struct Families(Bindings);

impl Families {
    /// What they stand for where such arguments are given; `None` where these contradict each other.
    pub(crate) fn of(declared: &[Type], actual: &[Type]) -> Option<Families> {
        let declared: Vec<Ty> = declared.iter().map(|ty| family(ty).unwrap_or(Ty::Any)).collect();
        unify(&declared, actual).map(|bindings| Families(bindings.or_text()))
    }

    /// What a declared type is in this call.
    ///
    /// # Errors
    /// `42804` where nothing says it.
    pub(crate) fn apply(&self, declared: &Type) -> Result<Type> {
        let Some(family) = family(declared) else { return Ok(declared.clone()) };
        self.0.apply(family).ok_or_else(|| {
            let message = "could not determine polymorphic type because input has type unknown";
            Error::new(Code::DATATYPE_MISMATCH, message)
        })
    }
}

/// A function as one call of it sees it, where its parameters are given arguments of these types.
///
/// # Errors
/// `42804` where these do not say what it is.
pub fn instance<'f>(function: &'f Function, actual: &[Type]) -> Result<Cow<'f, Function>> {
    let is_one = |ty: &Type| is_polymorphic(ty);
    if !function.arguments.iter().any(|argument| is_one(&argument.ty)) && !is_one(&function.returns) {
        return Ok(Cow::Borrowed(function));
    }
    let declared: Vec<Type> = function.input_types().cloned().collect();
    let families = Families::of(&declared, actual).ok_or_else(|| {
        Error::new(Code::DATATYPE_MISMATCH, "arguments declared \"anyelement\" are not all alike")
    })?;
    let mut function = function.clone();
    for argument in &mut function.arguments {
        argument.ty = families.apply(&argument.ty)?;
    }
    function.returns = families.apply(&function.returns)?;
    Ok(Cow::Owned(function))
}
