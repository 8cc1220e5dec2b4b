//! Parts of columns that are assigned: `set document['key'] = …`.

use sql::body::Part;
use types::cast::{Context, context};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Resolver;
use crate::functions::{Kind, choose, json_part};
use crate::ir::{Expr, Form};

impl Resolver<'_> {
    /// The value of a column with another part.
    pub(super) fn with_part(&mut self, whole: Expr, name: &str, parts: &[Part], part: Expr) -> Result<Expr> {
        if whole.ty() != Type::Jsonb {
            let ty = format_type(&whole.ty(), None);
            if let Type::Array(_) | Type::Composite(_) = whole.ty() {
                return Err(Error::missing(format!("assigning to a part of a column of type {ty}")));
            }
            let message = format!("cannot subscript type {ty} because it does not support subscripting");
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        let mut is_array = false;
        let mut keys = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let Part::Element(key) = part else {
                return Err(Error::new(Code::DATATYPE_MISMATCH, "jsonb subscript does not support slices"));
            };
            let key = self.expr(key)?;
            is_array |= at == 0 && is_number(&key.ty());
            keys.push(self.key(key)?);
        }
        let path = Expr::Form { form: Form::Array, args: keys, ty: Type::Text.array() };
        let is_array = Expr::Const { value: Value::Bool(is_array), ty: Type::Bool };
        let args = vec![whole, path, is_array, self.document(part, name)?];
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let chosen = choose(json_part::NAME, Kind::Operator, &types)?;
        Ok(Expr::Apply { function: chosen.function, args, ty: chosen.result })
    }

    /// A subscript as a text.
    fn key(&self, key: Expr) -> Result<Expr> {
        let ty = key.ty();
        if is_number(&ty) {
            return self.cast(self.coerce(key, &Type::Int4)?, &Type::Text, None);
        }
        if ty == Type::Unknown || ty == Type::Text || context(&ty, &Type::Text) == Some(Context::Implicit) {
            return self.coerce(key, &Type::Text);
        }
        let message = format!("subscript type {} is not supported", format_type(&ty, None));
        Err(Error::new(Code::DATATYPE_MISMATCH, message)
            .with_hint("jsonb subscript must be coercible to either integer or text."))
    }

    fn document(&self, part: Expr, name: &str) -> Result<Expr> {
        let ty = part.ty();
        let is_assigned = context(&ty, &Type::Jsonb).is_some_and(|context| context >= Context::Assignment);
        if ty == Type::Unknown || ty == Type::Jsonb || is_assigned {
            return self.coerce(part, &Type::Jsonb);
        }
        let ty = format_type(&ty, None);
        let message = format!(
            "subscripted assignment to \"{name}\" requires type jsonb but expression is of type {ty}"
        );
        Err(Error::new(Code::DATATYPE_MISMATCH, message)
            .with_hint("You will need to rewrite or cast the expression."))
    }
}

fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int2 | Type::Int4)
}
