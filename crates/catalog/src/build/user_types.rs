//! Enumerated types, composite types and domains.

use std::sync::Arc;

use sql::ast::{AlterTypeAction, ColumnConstraint, ColumnConstraintKind, Expr, ObjectName, TypeName};
use types::ty::{EnumType, format_type};
use types::{Code, Error, Field, Name, Result, Type};

use super::resolve::written;
use super::{Builder, Outcome, names};
use crate::expr::bind;
use crate::expr::rename::Rename;
use crate::expr::scope::Source;
use crate::{Catalog, Check, Domain, Function, Representation};

impl Builder<'_> {
    pub(super) fn create_enum(&mut self, name: &ObjectName, labels: &[String]) -> Result<Outcome> {
        let name = self.new_type(name)?;
        if let Some(label) =
            labels.iter().enumerate().find_map(|(at, label)| labels[..at].contains(label).then_some(label))
        {
            let message = "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"";
            return Err(Error::new(Code::UNIQUE_VIOLATION, message)
                .with_details(format!("Label \"{label}\" is given twice.")));
        }
        let labels = labels.iter().map(|label| label.as_str().into()).collect();
        let ty = Type::Enum(Arc::new(EnumType { name: name.clone(), labels }));
        self.catalog.types.insert(name, ty);
        Ok(Outcome::Applied)
    }

    pub(super) fn create_composite(
        &mut self,
        name: &ObjectName,
        fields: &[(String, TypeName)],
    ) -> Result<Outcome> {
        let name = self.new_type(name)?;
        let fields =
            fields.iter().map(|(field, ty)| self.attribute(field, ty)).collect::<Result<Vec<_>>>()?;
        self.catalog.types.insert(name.clone(), Type::Composite(name.clone()));
        self.catalog.composites.insert(name, fields);
        Ok(Outcome::Applied)
    }

    fn attribute(&self, name: &str, ty: &TypeName) -> Result<Field> {
        let found = self.names().ty(ty)?;
        Ok(Field {
            modifier: found.modifier,
            domain: found.domain,
            ..Field::of(names::truncated(name), found.ty)
        })
    }

    pub(super) fn create_domain(
        &mut self,
        name: &ObjectName,
        ty: &TypeName,
        default: Option<&Expr>,
        constraints: &[ColumnConstraint],
    ) -> Result<Outcome> {
        let name = self.new_type(name)?;
        let base = self.names().ty(ty)?;
        let mut domain = Domain {
            name: name.clone(),
            ty: base.ty.clone(),
            modifier: base.modifier,
            not_null: constraints.iter().any(|constraint| constraint.kind == ColumnConstraintKind::NotNull),
            default: default.map(|default| self.bound_default(default)).transpose()?,
            checks: Vec::new(),
            representation: Representation::default(),
        };
        for constraint in constraints {
            if let ColumnConstraintKind::Check { expr, .. } = &constraint.kind {
                let check = self.domain_check(&domain, constraint.name.as_deref(), expr)?;
                domain.checks.push(check);
            }
        }
        self.catalog.types.insert(name.clone(), base.ty);
        self.catalog.domains.insert(name, domain);
        Ok(Outcome::Applied)
    }

    fn domain_check(&self, domain: &Domain, name: Option<&str>, expr: &Expr) -> Result<Check> {
        let value = Source::named("", Some(vec!["value".to_owned()]));
        let expr = bind::expr(&self.names(), vec![value], expr)?;
        let taken = |name: &str| domain.checks.iter().any(|check| &*check.name == name);
        let name = match name {
            Some(name) if taken(name) => {
                let message =
                    format!("constraint \"{name}\" for domain \"{}\" already exists", domain.name.name);
                return Err(Error::new(Code::DUPLICATE_OBJECT, message));
            }
            Some(name) => names::truncated(name),
            None => names::choose(&domain.name.name, None, "check", taken),
        };
        Ok(Check { name, expr: Arc::new(expr), not_valid: false })
    }

    /// A cast between a domain and what requests and replies are made of. Of casts in expressions there are PostgreSQL's alone.
    pub(super) fn create_cast(
        &mut self,
        from: &TypeName,
        to: &TypeName,
        function: Option<&ObjectName>,
    ) -> Result<Outcome> {
        let (source, target) = (self.names().ty(from)?, self.names().ty(to)?);
        let refused = || {
            let (from, to) = (written(&from.name), written(&to.name));
            Error::missing(format!("create cast ({from} as {to})"))
        };
        let function = function.ok_or_else(refused)?;
        let converts = |other: &Function| {
            let takes = other
                .arguments
                .first()
                .is_some_and(|argument| argument.ty == source.ty && argument.domain == source.domain);
            takes && other.returns == target.ty && other.domain == target.domain
        };
        let found =
            |name: &Name| self.catalog.functions.iter().any(|other| other.name == *name && converts(other));
        let function = self.names().first(function, found).ok_or_else(|| {
            let message =
                format!("function {}({}) does not exist", written(function), format_type(&source.ty, None));
            Error::new(Code::UNDEFINED_FUNCTION, message)
        })?;
        let (domain, shows) = match (&source.domain, &target.domain) {
            (Some(domain), None) if target.ty == Type::Json => (domain, true),
            (None, Some(domain)) if matches!(source.ty, Type::Json | Type::Text) => (domain, false),
            _ => return Err(refused()),
        };
        let representation = &mut self.catalog.domains.get_mut(domain).ok_or_else(refused)?.representation;
        let by = match (shows, source.ty == Type::Json) {
            (true, _) => &mut representation.shown,
            (false, true) => &mut representation.read,
            (false, false) => &mut representation.parsed,
        };
        if by.is_some() {
            let (from, to) = (written(&from.name), written(&to.name));
            let message = format!("cast from type {from} to type {to} already exists");
            return Err(Error::new(Code::DUPLICATE_OBJECT, message));
        }
        *by = Some(function);
        Ok(Outcome::Applied)
    }

    /// The name of a new type. Types and tables share their names.
    fn new_type(&self, name: &ObjectName) -> Result<Name> {
        let name = self.names().creation(name)?;
        if self.catalog.types.contains_key(&name) || self.catalog.table_ids.contains_key(&name) {
            return Err(Error::new(Code::DUPLICATE_OBJECT, format!("type \"{}\" already exists", name.name)));
        }
        Ok(name)
    }

    pub(super) fn user_type(&self, name: &ObjectName) -> Result<Name> {
        let missing =
            || Error::new(Code::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", written(name)));
        self.names().user_type_name(name).ok_or_else(missing)
    }

    pub(super) fn alter_type(&mut self, name: &ObjectName, action: &AlterTypeAction) -> Result<Outcome> {
        let name = self.user_type(name)?;
        match action {
            AlterTypeAction::AddValue { label, if_not_exists, before, after } => {
                return self.add_label(&name, label, *if_not_exists, before.as_deref(), after.as_deref());
            }
            AlterTypeAction::RenameValue { from, to } => self.rename_label(&name, from, to)?,
            AlterTypeAction::AddAttribute(field, ty) => {
                let field = self.attribute(field, ty)?;
                let fields = self.fields(&name)?;
                if fields.iter().any(|other| other.name == field.name) {
                    return Err(Error::new(
                        Code::DUPLICATE_COLUMN,
                        format!("column \"{}\" of relation \"{}\" already exists", field.name, name.name),
                    ));
                }
                fields.push(field);
            }
            AlterTypeAction::DropAttribute(field) => {
                let fields = self.fields(&name)?;
                let missing = || {
                    Error::new(
                        Code::UNDEFINED_COLUMN,
                        format!("column \"{field}\" of relation \"{}\" does not exist", name.name),
                    )
                };
                let at = fields.iter().position(|other| *other.name == **field).ok_or_else(missing)?;
                fields.remove(at);
            }
            AlterTypeAction::Other(words) => {
                return Err(Error::missing(format!("alter type {name} {words}")));
            }
        }
        Ok(Outcome::Applied)
    }

    fn fields(&mut self, name: &Name) -> Result<&mut Vec<Field>> {
        let wrong = || Error::new(Code::WRONG_OBJECT_TYPE, format!("type {name} is not a composite type"));
        self.catalog.composites.get_mut(name).ok_or_else(wrong)
    }

    fn labels(&self, name: &Name) -> Result<Vec<Arc<str>>> {
        match self.catalog.types.get(name) {
            Some(Type::Enum(declared)) if !self.catalog.domains.contains_key(name) => {
                Ok(declared.labels.clone())
            }
            _ => Err(Error::new(Code::WRONG_OBJECT_TYPE, format!("{} is not an enum", name.name))),
        }
    }

    fn add_label(
        &mut self,
        name: &Name,
        label: &str,
        if_not_exists: bool,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<Outcome> {
        let mut labels = self.labels(name)?;
        if labels.iter().any(|other| &**other == label) {
            let message = format!("enum label \"{label}\" already exists");
            return if if_not_exists {
                Ok(Outcome::Skipped(message))
            } else {
                Err(Error::new(Code::DUPLICATE_OBJECT, message))
            };
        }
        let at = match (before, after) {
            (Some(neighbor), _) => position(&labels, neighbor)?,
            (None, Some(neighbor)) => position(&labels, neighbor)? + 1,
            (None, None) => labels.len(),
        };
        labels.insert(at, label.into());
        self.set_labels(name, labels);
        Ok(Outcome::Applied)
    }

    fn rename_label(&mut self, name: &Name, from: &str, to: &str) -> Result<()> {
        let mut labels = self.labels(name)?;
        let at = position(&labels, from)?;
        if labels.iter().any(|other| &**other == to) {
            return Err(Error::new(Code::DUPLICATE_OBJECT, format!("enum label \"{to}\" already exists")));
        }
        let from = std::mem::replace(&mut labels[at], to.into());
        self.catalog.history.renamed_labels.push((name.clone(), from.clone(), to.into()));
        self.set_labels(name, labels);
        self.rename_label_in_bounds(name, &from, to);
        Ok(())
    }

    fn set_labels(&mut self, name: &Name, labels: Vec<Arc<str>>) {
        let changed = Arc::new(EnumType { name: name.clone(), labels });
        self.each_type(&mut |ty| {
            if let Type::Enum(declared) = ty
                && declared.name == *name
            {
                *declared = changed.clone();
            }
        });
    }

    /// A type under another name or in another schema.
    pub(super) fn rename_type(&mut self, from: &Name, to: &Name) -> Result<()> {
        if self.catalog.types.contains_key(to) || self.catalog.table_ids.contains_key(to) {
            return Err(Error::new(Code::DUPLICATE_OBJECT, format!("type \"{}\" already exists", to.name)));
        }
        self.rewrite(&Rename::Type(from.clone(), to.clone()));
        self.each_type(&mut |ty| {
            swap_composite(ty, from, to);
            if let Type::Enum(declared) = ty
                && declared.name == *from
            {
                *declared = Arc::new(EnumType { name: to.clone(), labels: declared.labels.clone() });
            }
        });
        if let Some(ty) = self.catalog.types.remove(from) {
            self.catalog.types.insert(to.clone(), ty);
        }
        if let Some(fields) = self.catalog.composites.remove(from) {
            self.catalog.composites.insert(to.clone(), fields);
        }
        if let Some(mut domain) = self.catalog.domains.remove(from) {
            domain.name = to.clone();
            self.catalog.domains.insert(to.clone(), domain);
        }
        let catalog: &mut Catalog = &mut self.catalog;
        let columns = catalog.tables.iter_mut().flat_map(|table| &mut table.columns);
        let fields = catalog.composites.values_mut().flatten().map(|field| &mut field.domain);
        columns
            .map(|column| &mut column.domain)
            .chain(fields)
            .filter_map(Option::as_mut)
            .filter(|domain| *domain == from)
            .for_each(|domain| *domain = to.clone());
        Ok(())
    }

    /// Changes every type that the catalog mentions, from the inside out.
    pub(super) fn each_type(&mut self, change: &mut impl FnMut(&mut Type)) {
        let catalog: &mut Catalog = &mut self.catalog;
        let of_tables = catalog.tables.iter_mut().flat_map(|table| {
            let keys = table.partitioning.iter_mut().flat_map(|partitioning| &mut partitioning.keys);
            table.columns.iter_mut().map(|column| &mut column.ty).chain(keys.map(|key| &mut key.ty))
        });
        let of_domains = catalog.domains.values_mut().map(|domain| &mut domain.ty);
        let of_fields = catalog.composites.values_mut().flatten().map(|field| &mut field.ty);
        let of_functions = catalog.functions.iter_mut().flat_map(|function| {
            let arguments = function.arguments.iter_mut().map(|argument| &mut argument.ty);
            arguments.chain(std::iter::once(&mut function.returns))
        });
        let all = catalog
            .types
            .values_mut()
            .chain(of_tables)
            .chain(of_domains)
            .chain(of_fields)
            .chain(of_functions);
        all.for_each(|ty| inside_out(ty, change));
    }
}

fn inside_out(ty: &mut Type, change: &mut impl FnMut(&mut Type)) {
    if let Type::Array(element) | Type::Range(element) = ty {
        let mut inner = (**element).clone();
        inside_out(&mut inner, change);
        if inner != **element {
            *element = Arc::new(inner);
        }
    }
    change(ty);
}

/// A row type under its table's or its own new name.
pub(super) fn swap_composite(ty: &mut Type, from: &Name, to: &Name) {
    if let Type::Composite(name) = ty
        && name == from
    {
        *name = to.clone();
    }
}

fn position(labels: &[Arc<str>], label: &str) -> Result<usize> {
    let found = labels.iter().position(|other| &**other == label);
    found.ok_or_else(|| {
        Error::new(Code::INVALID_PARAMETER, format!("\"{label}\" is not an existing enum label"))
    })
}
