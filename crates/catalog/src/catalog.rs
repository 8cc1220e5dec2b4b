//! The catalog: everything declared, by name and by position.

use std::collections::HashMap;
use std::sync::Arc;

use types::{Field, Name, Type};

use crate::access::Exposure;
use crate::history::History;
use crate::media::MediaHandler;
use crate::role::{Acl, DefaultPrivilege, Role};
use crate::system::Found;
use crate::{Column, Domain, Function, Relationship, Sequence, Table, TableId};

/// Deepest rows within rows of which fields are told.
const ROWS_DEPTH_MAX: usize = 8;

/// Everything declared. Immutable once built; replaced whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// Schemas, with their grants.
    pub schemas: Vec<(Arc<str>, Acl)>,
    /// Tables and views; `TableId` is the position. A dropped table leaves no hole: ids belong to one catalog.
    pub tables: Vec<Table>,
    /// Positions by name.
    pub table_ids: HashMap<Name, TableId>,
    /// Enums, domains' base types, composite types by name.
    pub types: HashMap<Name, Type>,
    /// Fields of composite types declared with `create type … as`.
    pub composites: HashMap<Name, Vec<Field>>,
    /// Domains.
    pub domains: HashMap<Name, Domain>,
    /// Sequences.
    pub sequences: HashMap<Name, Sequence>,
    /// Functions, overloads included.
    pub functions: Vec<Function>,
    /// What makes whole replies of rows.
    pub media_handlers: Vec<MediaHandler>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Relationships, by the table they leave.
    pub relationships: HashMap<TableId, Vec<Relationship>>,
    /// Extensions created, by name.
    pub extensions: Vec<Arc<str>>,
    /// Extensions that were put into a schema, and which.
    pub extension_schemas: Vec<(Arc<str>, Arc<str>)>,
    /// Publications: name and tables (`None` is all tables).
    pub publications: Vec<(Arc<str>, Option<Vec<Name>>)>,
    /// Schema comments.
    pub schema_comments: HashMap<Arc<str>, String>,
    /// What is declared and does not run yet: a sentence each, with the object's name first.
    pub not_running: Vec<String>,
    /// Which tables API roles reach without an explicit grant.
    pub exposure: Exposure,
    /// `alter default privileges`, in order.
    pub default_privileges: Vec<DefaultPrivilege>,
    /// Comments on types and domains.
    pub type_comments: HashMap<Name, String>,
    /// What building on would need to know of the past.
    pub history: History,
    /// What was made of all this for those who look into the system relations.
    pub found: Found,
}

impl Catalog {
    /// The table or view with this name.
    pub fn table(&self, name: &Name) -> Option<(TableId, &Table)> {
        let id = *self.table_ids.get(name)?;
        Some((id, &self[id]))
    }

    /// The fields of a row type: of a table, or of a composite type.
    pub fn fields(&self, name: &Name) -> Option<Vec<Field>> {
        match self.table(name) {
            Some((_, table)) => Some(table.columns.iter().map(Column::field).collect()),
            None => self.composites.get(name).cloned(),
        }
    }

    /// A field with the fields of the rows in it.
    pub fn with_fields(&self, field: Field) -> Field {
        self.within(field, ROWS_DEPTH_MAX)
    }

    fn within(&self, field: Field, depth: usize) -> Field {
        let ty = match &field.ty {
            Type::Array(element) => &**element,
            ty => ty,
        };
        let row = match ty {
            Type::Composite(name) if depth > 0 => self.fields(name),
            _ => None,
        };
        let within = row.unwrap_or_default().into_iter().map(|field| self.within(field, depth - 1));
        let fields = within.collect();
        Field { fields, ..field }
    }

    /// Positions of all tables, in order.
    pub fn ids(&self) -> impl Iterator<Item = TableId> + use<> {
        (0..u32::try_from(self.tables.len()).unwrap_or(u32::MAX)).map(TableId)
    }

    /// The role with this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| &*role.name == name)
    }

    /// The edges that leave a table.
    pub fn relationships_of(&self, table: TableId) -> &[Relationship] {
        self.relationships.get(&table).map_or(&[], Vec::as_slice)
    }

    /// A role and every role whose privileges it has, itself first.
    pub fn memberships(&self, role: &str) -> Vec<Arc<str>> {
        self.reachable(role, |role| role.inherits)
    }

    /// A role and every role that it may become, itself first.
    pub fn lent(&self, role: &str) -> Vec<Arc<str>> {
        self.reachable(role, |_| true)
    }

    fn reachable(&self, role: &str, is_followed: impl Fn(&Role) -> bool) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = vec![role.into()];
        let mut next = 0;
        while next < found.len() {
            let role = self.role(&found[next]).filter(|role| is_followed(role));
            for parent in role.map_or(&[][..], |role| &role.member_of) {
                if !found.contains(parent) {
                    found.push(parent.clone());
                }
            }
            next += 1;
        }
        found
    }
}

impl std::ops::Index<TableId> for Catalog {
    type Output = Table;

    fn index(&self, id: TableId) -> &Table {
        &self.tables[id.0 as usize]
    }
}
