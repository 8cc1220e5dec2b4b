//! `declare`: variables with their types and first values.

use std::sync::Arc;

use sql::ast::TypeName;
use sql::body::{AliasOf, Declaration, Declared, VariableType};
use types::{Code, Error, Name, Result, Type, Value};

use super::Frame;
use crate::environment::{Kind, Variable, not_a_variable, shape_of};

impl Frame<'_> {
    pub(super) async fn declare(&mut self, declaration: &Declaration) -> Result<()> {
        let name = &declaration.name;
        match &declaration.kind {
            Declared::Alias(of) => {
                let slot = match of {
                    AliasOf::Variable(parts) => {
                        let found = self.environment.find(parts).filter(|found| found.parts == parts.len());
                        found.map(|found| found.slot).ok_or_else(|| not_a_variable(&parts.join(".")))?
                    }
                    AliasOf::Parameter(position) => self.positional(*position).map_err(|_| {
                        let message = format!("variable \"${position}\" does not exist");
                        Error::new(Code::UNDEFINED_OBJECT, message)
                    })?,
                };
                self.environment.alias(name, slot);
                Ok(())
            }
            Declared::Cursor { is_forward_only, parameters, query } => {
                let query = Arc::new((**query).clone());
                let parameters = parameters.clone().into();
                let kind = Kind::Cursor { is_forward_only: *is_forward_only, parameters, query };
                self.environment.declare(Variable::new(name.as_str(), kind));
                Ok(())
            }
            Declared::Variable { ty, constant, not_null, default } => {
                let kind = self.kind(ty)?;
                let first = match default {
                    Some(default) => Some(self.value(default).await?),
                    None => None,
                };
                let slot = self.environment.declare(Variable::new(name.as_str(), kind));
                self.environment.get_mut(slot)?.not_null = *not_null;
                match first {
                    Some((value, ty)) => self.assign(slot, value, &ty)?,
                    None if *not_null => {
                        let message = format!(
                            "variable \"{name}\" must have a default value, since it's declared NOT NULL"
                        );
                        return Err(Error::new(Code::NULL_NOT_ALLOWED, message));
                    }
                    // Null is no value of some domains.
                    None if matches!(
                        self.environment.get(slot)?.kind,
                        Kind::Scalar { domain: Some(_), .. }
                    ) =>
                    {
                        self.assign(slot, Value::Null, &Type::Unknown)?;
                    }
                    None => {}
                }
                self.environment.get_mut(slot)?.constant = *constant;
                Ok(())
            }
        }
    }

    /// The slot of `$n`.
    pub(super) fn positional(&self, position: u32) -> Result<usize> {
        let index = usize::try_from(position).unwrap_or(usize::MAX).wrapping_sub(1);
        let slot = self.environment.positional.get(index).copied();
        slot.ok_or_else(|| {
            Error::new(Code::UNDEFINED_PARAMETER, format!("there is no parameter ${position}"))
        })
    }

    pub(super) fn kind(&self, ty: &VariableType) -> Result<Kind> {
        match ty {
            VariableType::Named(name) => self.named_kind(name),
            VariableType::Like(parts, dimensions) => self.kind_like(parts, *dimensions),
            VariableType::RowOf(table) => {
                let path = self.usable_path(table.schema.as_deref())?;
                let found = match &table.schema {
                    Some(schema) => Some(Name::new(schema.as_str(), table.name.as_str())),
                    None => path
                        .iter()
                        .map(|schema| Name::new(schema.clone(), table.name.as_str()))
                        .find(|name| shape_of(&self.host.model().catalog, name).is_some()),
                };
                let missing = || {
                    let message = format!("relation \"{}\" does not exist", table.name);
                    Error::new(Code::UNDEFINED_TABLE, message)
                };
                let name = found.ok_or_else(missing)?;
                let shape = shape_of(&self.host.model().catalog, &name).ok_or_else(missing)?;
                Ok(Kind::Row { name, shape })
            }
        }
    }

    /// A type by its name.
    pub(super) fn named_kind(&self, name: &TypeName) -> Result<Kind> {
        let is_plain = name.name.schema.is_none() && name.array_dims == 0;
        match name.name.name.as_str() {
            "record" if is_plain => return Ok(Kind::Record),
            "refcursor" if is_plain => {
                return Ok(Kind::Scalar { ty: Type::Text, modifier: None, domain: None });
            }
            _ => {}
        }
        let catalog = &self.host.model().catalog;
        let path = self.usable_path(name.name.schema.as_deref())?;
        let (ty, modifier, domain) = catalog.find_type(&path, name)?;
        match ty {
            Type::Composite(name) => {
                let shape = shape_of(catalog, &name);
                let shape = shape.ok_or_else(|| Error::missing(format!("a variable of type {name}")))?;
                Ok(Kind::Row { name, shape })
            }
            Type::Opaque(name) => match stands_for(&name) {
                Some(ty) => Ok(Kind::Scalar { ty, modifier: None, domain: None }),
                None => Err(Error::missing(format!("a variable of type {}", name.name))),
            },
            ty => Ok(Kind::Scalar { ty, modifier, domain }),
        }
    }

    /// Where a name is looked for: schemas that the role in force may not use are as if they were not on the path.
    fn usable_path(&self, schema: Option<&str>) -> Result<Vec<Arc<str>>> {
        let catalog = &self.host.model().catalog;
        let roles = catalog.memberships(&self.host.caller().role);
        if let Some(schema) = schema {
            let is_there = catalog.schemas.iter().any(|(known, _)| **known == *schema);
            if is_there && !catalog.allows_schema(&roles, schema) {
                return Err(Error::new(Code::PRIVILEGE, format!("permission denied for schema {schema}")));
            }
        }
        let path = self.host.path().iter();
        Ok(path.filter(|schema| catalog.allows_schema(&roles, schema)).cloned().collect())
    }

    /// `variable%type`, `table.column%type`
    fn kind_like(&self, parts: &[String], dimensions: u8) -> Result<Kind> {
        let found = self.environment.find(parts).filter(|found| found.parts == parts.len());
        let slot = match (found, parts) {
            (Some(found), _) => Some(found.slot),
            (None, [name]) => match name.strip_prefix('$').and_then(|position| position.parse().ok()) {
                Some(position) => Some(self.positional(position)?),
                None => None,
            },
            (None, _) => None,
        };
        let kind = match slot {
            Some(slot) => self.environment.get(slot)?.kind.clone(),
            None => {
                let (schema, table, column) = match parts {
                    [table, column] => (None, table, column),
                    [schema, table, column] => (Some(schema.clone()), table, column),
                    _ => return Err(not_a_variable(&parts.join("."))),
                };
                let span = types::Span::default();
                let name = sql::ast::ObjectName { schema, name: table.clone(), span };
                let name = TypeName {
                    name,
                    modifiers: Vec::new(),
                    array_dims: 0,
                    setof: false,
                    of_column: Some(column.clone()),
                };
                self.named_kind(&name)?
            }
        };
        match kind {
            Kind::Scalar { ty, modifier, .. } if dimensions > 0 && !matches!(ty, Type::Array(_)) => {
                Ok(Kind::Scalar { ty: ty.array(), modifier, domain: None })
            }
            kind => Ok(kind),
        }
    }

    /// A variable of its own, in a scope that is open.
    pub(super) fn local(&mut self, name: &str, ty: Type) -> usize {
        self.environment.declare(Variable::scalar(name, ty, Value::Null))
    }
}

/// What a variable of PostgreSQL's types for names and ids holds: what prints as a name is kept as the name.
fn stands_for(name: &Name) -> Option<Type> {
    match (&*name.schema, &*name.name) {
        ("pg_catalog", "oid") => Some(Type::Int8),
        (
            "pg_catalog",
            "name" | "regclass" | "regproc" | "regprocedure" | "regtype" | "regnamespace" | "regrole",
        ) => Some(Type::Text),
        _ => None,
    }
}
