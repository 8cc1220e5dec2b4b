//! Types by their numbers in the database.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::Catalog;
use sql::ast::{ObjectName, TypeName};
use types::ty::EnumType;
use types::{Modifier, Name, Span, Type};

use super::facts::Ty;

/// Domains over domains and arrays of arrays of types that are followed.
const DEPTH_MAX: usize = 32;

/// Bytes that PostgreSQL adds to the length that a modifier says.
const HEADER_BYTES: i32 = 4;

/// A type as a column has it: of a domain, its base type.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) ty: Type,
    pub(super) modifier: Option<Modifier>,
    pub(super) domain: Option<Name>,
}

/// Types by their numbers.
pub(super) struct Types<'f> {
    by_id: HashMap<i64, &'f Ty>,
    /// Knows PostgreSQL's own types by name.
    builtin: Catalog,
}

impl<'f> Types<'f> {
    pub(super) fn of(types: &'f [Ty]) -> Types<'f> {
        Types { by_id: types.iter().map(|ty| (ty.id, ty)).collect(), builtin: Catalog::default() }
    }

    /// The type with this number, with what its modifier adds.
    pub(super) fn get(&self, id: i64, modifier: i32) -> Typed {
        self.within(id, modifier, DEPTH_MAX)
    }

    fn within(&self, id: i64, modifier: i32, depth: usize) -> Typed {
        let plain = |ty| Typed { ty, modifier: None, domain: None };
        let Some((ty, depth)) = self.by_id.get(&id).zip(depth.checked_sub(1)) else {
            return plain(Type::Opaque(Name::new("pg_catalog", id.to_string())));
        };
        let name = || Name::new(ty.schema.as_str(), ty.name.as_str());
        if ty.element != 0 {
            let element = self.within(ty.element, modifier, depth);
            return Typed { ty: element.ty.array(), modifier: element.modifier, domain: None };
        }
        match ty.kind.as_str() {
            "d" => {
                let base = self.within(ty.base, ty.modifier, depth);
                Typed { domain: Some(name()), ..base }
            }
            "e" => {
                let labels = ty.labels.iter().map(|label| Arc::from(label.as_str())).collect();
                plain(Type::Enum(Arc::new(EnumType { name: name(), labels })))
            }
            "c" => plain(Type::Composite(name())),
            _ => {
                let found = self.builtin(ty);
                Typed { modifier: decoded(&found, modifier), ..plain(found) }
            }
        }
    }

    /// PostgreSQL's own types; those of extensions and ranges of a project's own pass through as text.
    fn builtin(&self, ty: &Ty) -> Type {
        let name = || Name::new(ty.schema.as_str(), ty.name.as_str());
        if ty.name == "vector" && ty.schema != "pg_catalog" {
            return Type::Vector;
        }
        if ty.name == "citext" && ty.schema != "pg_catalog" {
            return Type::Citext;
        }
        if ty.schema != "pg_catalog" {
            return Type::Opaque(name());
        }
        let object =
            ObjectName { schema: Some(ty.schema.clone()), name: ty.name.clone(), span: Span::default() };
        let written =
            TypeName { name: object, modifiers: Vec::new(), array_dims: 0, setof: false, of_column: None };
        self.builtin.find_type(&[], &written).map_or_else(|_| Type::Opaque(name()), |(ty, ..)| ty)
    }
}

/// What the number beside a type means.
fn decoded(ty: &Type, modifier: i32) -> Option<Modifier> {
    if modifier < 0 {
        return None;
    }
    let beyond = modifier - HEADER_BYTES;
    match ty {
        Type::Varchar | Type::Bpchar => u32::try_from(beyond).ok().map(Modifier::Length),
        Type::Bit | Type::Varbit | Type::Vector => u32::try_from(modifier).ok().map(Modifier::Length),
        Type::Numeric => {
            let precision = u16::try_from((beyond >> 16) & 0xffff).ok()?;
            // Eleven bits, the highest of them the sign.
            let scale = i16::try_from(((beyond & 0x7ff) ^ 0x400) - 0x400).ok()?;
            Some(Modifier::Precision { precision, scale })
        }
        Type::Time | Type::Timetz | Type::Timestamp | Type::Timestamptz => {
            u8::try_from(modifier).ok().map(Modifier::Fraction)
        }
        // Sixteen bits of digits below those of the fields; all of them set say nothing.
        Type::Interval => match modifier & 0xffff {
            0xffff => None,
            digits => u8::try_from(digits).ok().map(Modifier::Fraction),
        },
        _ => None,
    }
}
