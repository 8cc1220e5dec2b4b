//! Schemas, roles, types and sequences, extensions and publications.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::role::{AclEntry, DefaultPrivilege, ObjectKind};
use catalog::{Acl, Catalog, Check, Domain, Representation, Role, TableId};
use sql::ast::Literal;
use types::{Field, Name};

use super::acl::{Grants, entry};
use super::facts::{self, Column, Constraint, Publication, Ty};
use super::relations::ById;
use super::text;
use super::type_ids::{Typed, Types};

pub(super) fn schemas(catalog: &mut Catalog, found: Vec<facts::Schema>, grants: &Grants) {
    for schema in found {
        let name: Arc<str> = schema.name.into();
        let acl = match schema.has_acl {
            true => grants.explicit("schema", schema.id, &schema.owner, |_| None),
            false => Acl(entry(&schema.owner, &["usage".into(), "create".into()], Vec::new())
                .into_iter()
                .collect()),
        };
        catalog.schemas.push((name.clone(), acl));
        catalog.schema_comments.extend(schema.comment.map(|comment| (name, comment)));
    }
}

pub(super) fn roles(catalog: &mut Catalog, found: Vec<facts::Role>) {
    catalog.roles.extend(found.into_iter().map(|role| Role {
        name: role.name.into(),
        bypass_row_security: role.bypasses || role.superuser,
        superuser: role.superuser,
        inherits: role.inherits,
        member_of: role.member_of.into_iter().map(Arc::from).collect(),
        settings: role.settings.iter().filter_map(|setting| setting_of(setting)).collect(),
    }));
}

/// `name=value`
fn setting_of(text: &str) -> Option<(Arc<str>, String)> {
    let (name, value) = text.split_once('=')?;
    Some((name.to_lowercase().into(), value.to_owned()))
}

pub(super) fn rest(
    catalog: &mut Catalog,
    extensions: Vec<String>,
    publications: Vec<Publication>,
    default_privileges: Vec<facts::DefaultPrivilege>,
) {
    catalog.extensions = extensions.into_iter().map(Arc::from).collect();
    for found in publications {
        let name: Arc<str> = found.name.into();
        if catalog.publications.last().is_none_or(|(last, _)| *last != name) {
            catalog.publications.push((name, (!found.is_of_all).then(Vec::new)));
        }
        if let (Some((_, Some(tables))), Some(schema), Some(table)) =
            (catalog.publications.last_mut(), found.schema, found.table)
        {
            tables.push(Name::new(schema, table));
        }
    }
    catalog.default_privileges = default_privileges.into_iter().filter_map(default_privilege).collect();
}

fn default_privilege(found: facts::DefaultPrivilege) -> Option<DefaultPrivilege> {
    let kind = match found.kind.as_str() {
        "r" => ObjectKind::Table,
        "S" => ObjectKind::Sequence,
        "f" => ObjectKind::Function,
        "T" => ObjectKind::Type,
        "n" => ObjectKind::Schema,
        _ => return None,
    };
    let entry: AclEntry = entry(&found.role, &found.privileges, Vec::new())?;
    Some(DefaultPrivilege { owner: found.owner.into(), schema: found.schema.map(Arc::from), kind, entry })
}

/// Enumerated and composite types and domains, and comments on them.
pub(super) fn user_types(
    catalog: &mut Catalog,
    found: &[Ty],
    types: &Types<'_>,
    columns: &[Column],
    constraints: &[Constraint],
) {
    let mut fields: HashMap<i64, Vec<Field>> = HashMap::new();
    for column in columns {
        let Typed { ty, modifier, domain } = types.get(column.ty, column.modifier);
        let field = Field { modifier, domain, ..Field::of(column.name.as_str().into(), ty) };
        fields.entry(column.relation).or_default().push(field);
    }
    for ty in found {
        let name = Name::new(ty.schema.as_str(), ty.name.as_str());
        let is_declared = match ty.kind.as_str() {
            "e" => true,
            "c" => ty.is_composite,
            "d" => !matches!(ty.schema.as_str(), "information_schema" | "pg_catalog"),
            _ => false,
        };
        if !is_declared {
            continue;
        }
        catalog.types.insert(name.clone(), types.get(ty.id, -1).ty);
        if ty.is_composite {
            catalog.composites.insert(name.clone(), fields.remove(&ty.relation).unwrap_or_default());
        }
        if ty.kind == "d" {
            let domain = domain(catalog, ty, types, constraints);
            catalog.domains.insert(name.clone(), domain);
        }
        catalog.type_comments.extend(ty.comment.clone().map(|comment| (name, comment)));
    }
}

/// How domains are shown and read.
pub(super) fn representations(catalog: &mut Catalog, found: Vec<facts::Representation>) {
    for cast in found {
        let Some(domain) = catalog.domains.get_mut(&Name::new(cast.schema.as_str(), cast.domain.as_str()))
        else {
            continue;
        };
        let Representation { shown, read, parsed } = &mut domain.representation;
        let by = match (cast.is_shown, cast.is_of_json) {
            (true, _) => shown,
            (false, true) => read,
            (false, false) => parsed,
        };
        *by = Some(Name::new(cast.of_schema.as_str(), cast.function.as_str()));
    }
}

fn domain(catalog: &mut Catalog, ty: &Ty, types: &Types<'_>, constraints: &[Constraint]) -> Domain {
    let name = Name::new(ty.schema.as_str(), ty.name.as_str());
    let base = types.get(ty.id, -1);
    let default = ty.default.as_deref();
    let default = default
        .map(|said| text::expr(catalog, said, Literal::Null, || format!("the default of domain {name}")));
    let mut checks = Vec::new();
    for constraint in constraints.iter().filter(|constraint| constraint.domain == ty.id) {
        let what = || format!("check {} of domain {name}", constraint.name);
        let expr = constraint.check.as_deref().and_then(|said| text::maybe_expr(catalog, said, what));
        checks.extend(expr.map(|expr| Check {
            name: constraint.name.as_str().into(),
            expr: Arc::new(expr),
            not_valid: !constraint.validated,
        }));
    }
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    Domain {
        name,
        ty: base.ty,
        modifier: base.modifier,
        not_null: ty.not_null,
        default,
        checks,
        representation: Representation::default(),
    }
}

/// Sequences; those of identity columns are named in their columns.
pub(super) fn sequences(
    catalog: &mut Catalog,
    found: Vec<facts::Sequence>,
    types: &Types<'_>,
    grants: &Grants,
    by_id: &HashMap<i64, ById>,
) {
    for sequence in found {
        let name = Name::new(sequence.schema, sequence.name);
        let owner = by_id.get(&sequence.relation).and_then(|table| {
            let column = table.column(sequence.column)?;
            Some((table.table, column))
        });
        let owned_by = owner.map(|(table, column)| {
            let table = &catalog[table];
            (table.name.clone(), table[column].name.clone())
        });
        if let Some((table, column)) = owner {
            name_identity(catalog, table, column, &name);
        }
        let acl = match sequence.has_acl {
            true => grants.explicit("relation", sequence.id, &sequence.owner, |_| None),
            false => grants.of_columns(sequence.id, |_| None),
        };
        let sequence = catalog::Sequence {
            name: name.clone(),
            ty: types.get(sequence.ty, -1).ty,
            start: sequence.start,
            increment: sequence.increment,
            min: sequence.min,
            max: sequence.max,
            cycle: sequence.cycle,
            owned_by,
            acl,
        };
        catalog.sequences.insert(name, sequence);
    }
}

fn name_identity(catalog: &mut Catalog, table: TableId, column: catalog::ColumnId, name: &Name) {
    let table = catalog.tables.get_mut(table.0 as usize);
    let column = table.and_then(|table| table.columns.get_mut(usize::from(column.0)));
    if let Some(catalog::DefaultValue::Identity { sequence, .. }) =
        column.and_then(|column| column.default.as_mut())
    {
        *sequence = name.clone();
    }
}
