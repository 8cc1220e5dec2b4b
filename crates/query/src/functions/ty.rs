//! The types of the table's rows: PostgreSQL's, its polymorphic families included.
//!
//! A declared type is a constant; what it stands for in one call is found by [`unify`] (PostgreSQL 38.2.5).

use std::sync::Arc;

use types::Type;

use super::common::common_type_or_none;

/// A declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are PostgreSQL's")]
pub enum Ty {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Varchar,
    Bpchar,
    Citext,
    Uuid,
    Bytea,
    Json,
    Jsonb,
    Jsonpath,
    Date,
    Time,
    Timetz,
    Timestamp,
    Timestamptz,
    Interval,
    Inet,
    Cidr,
    Tsvector,
    Tsquery,
    Vector,
    Bit,
    Varbit,
    Void,
    Array(&'static Ty),
    Range(&'static Ty),
    /// Any type at all, unrelated to the other arguments.
    Any,
    /// A row of any composite type.
    Record,
    AnyElement,
    AnyArray,
    AnyNonArray,
    AnyEnum,
    AnyRange,
    AnyCompatible,
    AnyCompatibleArray,
    AnyCompatibleNonArray,
    AnyCompatibleRange,
}

/// Declared types that stand for one type each, with that type.
const CONCRETE: &[(Ty, Type)] = &[
    (Ty::Bool, Type::Bool),
    (Ty::Int2, Type::Int2),
    (Ty::Int4, Type::Int4),
    (Ty::Int8, Type::Int8),
    (Ty::Float4, Type::Float4),
    (Ty::Float8, Type::Float8),
    (Ty::Numeric, Type::Numeric),
    (Ty::Text, Type::Text),
    (Ty::Varchar, Type::Varchar),
    (Ty::Bpchar, Type::Bpchar),
    (Ty::Citext, Type::Citext),
    (Ty::Uuid, Type::Uuid),
    (Ty::Bytea, Type::Bytea),
    (Ty::Json, Type::Json),
    (Ty::Jsonb, Type::Jsonb),
    (Ty::Date, Type::Date),
    (Ty::Time, Type::Time),
    (Ty::Timetz, Type::Timetz),
    (Ty::Timestamp, Type::Timestamp),
    (Ty::Timestamptz, Type::Timestamptz),
    (Ty::Interval, Type::Interval),
    (Ty::Inet, Type::Inet),
    (Ty::Cidr, Type::Cidr),
    (Ty::Tsvector, Type::Tsvector),
    (Ty::Tsquery, Type::Tsquery),
    (Ty::Jsonpath, Type::Jsonpath),
    (Ty::Vector, Type::Vector),
    (Ty::Bit, Type::Bit),
    (Ty::Varbit, Type::Varbit),
    (Ty::Void, Type::Void),
];

impl Ty {
    /// The one type that this stands for; `None` for polymorphic types.
    pub fn to_type(self) -> Option<Type> {
        match self {
            Ty::Array(element) => Some(Type::Array(Arc::new(element.to_type()?))),
            Ty::Range(subtype) => Some(Type::Range(Arc::new(subtype.to_type()?))),
            simple => CONCRETE.iter().find(|(ty, _)| *ty == simple).map(|(_, ty)| ty.clone()),
        }
    }

    /// Whether values of the type are texts or bytes, as long as what they were made of.
    pub(super) fn is_written(self) -> bool {
        matches!(
            self,
            Ty::Text
                | Ty::Varchar
                | Ty::Bpchar
                | Ty::Citext
                | Ty::Bytea
                | Ty::Json
                | Ty::Jsonb
                | Ty::Tsvector
        )
    }

    /// Whether what it stands for depends on the call.
    pub fn is_polymorphic(self) -> bool {
        match self {
            Ty::Array(element) | Ty::Range(element) => element.is_polymorphic(),
            simple => !CONCRETE.iter().any(|(ty, _)| *ty == simple),
        }
    }

    /// Whether it is one of the families whose members agree with each other in one call.
    pub fn is_unified(self) -> bool {
        self.is_polymorphic() && !matches!(self, Ty::Any | Ty::Record)
    }

    /// Its word in symbols.
    pub(super) fn word(self, out: &mut String) {
        match self {
            Ty::Array(element) => {
                element.word(out);
                out.push('s');
            }
            Ty::Range(subtype) => {
                subtype.word(out);
                out.push_str("range");
            }
            simple => out.push_str(&format!("{simple:?}").to_ascii_lowercase()),
        }
    }
}

/// What the polymorphic families stand for in one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings {
    element: Option<Type>,
    compatible: Option<Type>,
}

/// Finds what the families stand for, or `None` when the arguments contradict each other or say nothing.
///
/// Unknown arguments take part in nothing; a family about which nothing is known stays unbound.
pub(super) fn unify(declared: &[Ty], actual: &[Type]) -> Option<Bindings> {
    let mut bindings = Bindings::default();
    let mut compatible: Vec<Type> = Vec::new();
    let mut compatible_range = None;
    for (declared, actual) in declared.iter().zip(actual).filter(|(_, actual)| **actual != Type::Unknown) {
        match declared {
            Ty::AnyElement | Ty::AnyNonArray | Ty::AnyEnum => bind(&mut bindings.element, actual)?,
            Ty::AnyArray => bind(&mut bindings.element, element(actual)?)?,
            Ty::AnyRange => bind(&mut bindings.element, subtype(actual)?)?,
            Ty::AnyCompatible | Ty::AnyCompatibleNonArray => compatible.push(actual.clone()),
            Ty::AnyCompatibleArray => compatible.push(element(actual)?.clone()),
            Ty::AnyCompatibleRange => bind(&mut compatible_range, subtype(actual)?)?,
            _ => {}
        }
    }
    compatible.extend(compatible_range.clone());
    if !compatible.is_empty() {
        let common = common_type_or_none(&compatible)?;
        (compatible_range.is_none() || compatible_range.as_ref() == Some(&common)).then_some(())?;
        bindings.compatible = Some(common);
    }
    fits(declared, &bindings).then_some(bindings)
}

fn bind(slot: &mut Option<Type>, ty: &Type) -> Option<()> {
    match slot {
        Some(bound) => (bound == ty).then_some(()),
        None => {
            *slot = Some(ty.clone());
            Some(())
        }
    }
}

/// Whether what the families are bound to is of their kind.
fn fits(declared: &[Ty], bindings: &Bindings) -> bool {
    let array = |ty: &Option<Type>| matches!(ty, Some(Type::Array(_)));
    declared.iter().all(|declared| match declared {
        Ty::AnyNonArray => !array(&bindings.element),
        Ty::AnyCompatibleNonArray => !array(&bindings.compatible),
        Ty::AnyEnum => matches!(bindings.element, None | Some(Type::Enum(_))),
        Ty::AnyArray => !array(&bindings.element),
        Ty::AnyCompatibleArray => !array(&bindings.compatible),
        _ => true,
    })
}

/// The element type of an array type.
pub(super) fn element(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Array(element) => Some(element),
        _ => None,
    }
}

/// The subtype of a range type.
pub(super) fn subtype(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Range(subtype) => Some(subtype),
        _ => None,
    }
}

impl Bindings {
    /// What a declared type stands for; `None` when its family is unbound.
    pub(super) fn apply(&self, declared: Ty) -> Option<Type> {
        match declared {
            Ty::AnyElement | Ty::AnyNonArray | Ty::AnyEnum => self.element.clone(),
            Ty::AnyArray => self.element.clone().map(Type::array),
            Ty::AnyRange => self.element.clone().map(|subtype| Type::Range(Arc::new(subtype))),
            Ty::AnyCompatible | Ty::AnyCompatibleNonArray => self.compatible.clone(),
            Ty::AnyCompatibleArray => self.compatible.clone().map(Type::array),
            Ty::AnyCompatibleRange => self.compatible.clone().map(|subtype| Type::Range(Arc::new(subtype))),
            concrete => concrete.to_type(),
        }
    }

    /// The compatible family is text when nothing is known about it, as in PostgreSQL.
    pub(super) fn or_text(mut self) -> Bindings {
        self.compatible.get_or_insert(Type::Text);
        self
    }
}

/// The result type of a call with arguments of these declared and actual types.
pub(super) fn result(declared: &[Ty], result: Ty, actual: &[Type]) -> Option<Type> {
    unify(declared, actual)?.or_text().apply(result)
}
