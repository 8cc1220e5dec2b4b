//! Privileges, exactly as the database has them.
//!
//! A [`Catalog`](catalog::Catalog) implies some privileges that Supabase's conventions give. A database says all of them: so an
//! object's list begins with a revocation of what would be implied.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::role::AclEntry;
use catalog::{Acl, ColumnId, Privilege};

use super::facts::Grant;

/// Roles that a catalog gives privileges without being told.
const IMPLIED: [&str; 4] = ["public", "anon", "authenticated", "service_role"];

/// All grants of a database, by object.
pub(super) struct Grants {
    by_object: HashMap<(String, i64), Vec<Grant>>,
}

impl Grants {
    pub(super) fn of(grants: Vec<Grant>) -> Grants {
        let mut by_object: HashMap<_, Vec<Grant>> = HashMap::new();
        for grant in grants {
            by_object.entry((grant.kind.clone(), grant.object)).or_default().push(grant);
        }
        Grants { by_object }
    }

    /// The list of an object that has one; `column` finds a column by its number.
    pub(super) fn explicit(
        &self,
        kind: &str,
        id: i64,
        owner: &str,
        column: impl Fn(i32) -> Option<ColumnId>,
    ) -> Acl {
        let mut entries = vec![nothing(Some(owner))];
        for grant in self.by_object.get(&(kind.to_owned(), id)).into_iter().flatten() {
            let columns = match grant.part {
                0 => Vec::new(),
                number => match column(number) {
                    Some(column) => vec![column],
                    None => continue,
                },
            };
            entries.extend(entry(&grant.role, &grant.privileges, columns));
        }
        Acl(entries)
    }

    /// The list of a table that has none of its own: its columns' grants, and what its owner always has.
    pub(super) fn of_columns(&self, id: i64, column: impl Fn(i32) -> Option<ColumnId>) -> Acl {
        let Acl(mut entries) = self.explicit("relation", id, "", column);
        entries[0] = nothing(None);
        Acl(entries)
    }
}

/// A grant, unless it is of privileges that a catalog does not know.
pub(super) fn entry(role: &str, privileges: &[String], columns: Vec<ColumnId>) -> Option<AclEntry> {
    let privileges: Vec<Privilege> = privileges.iter().filter_map(|word| privilege(word)).collect();
    let roles = vec![Arc::from(role)];
    (!privileges.is_empty()).then_some(AclEntry { grant: true, privileges, columns, roles })
}

/// Takes back what a catalog would imply.
fn nothing(owner: Option<&str>) -> AclEntry {
    let roles = IMPLIED.into_iter().chain(owner).map(Arc::from).collect();
    AclEntry { grant: false, privileges: Vec::new(), columns: Vec::new(), roles }
}

fn privilege(word: &str) -> Option<Privilege> {
    Some(match word {
        "select" => Privilege::Select,
        "insert" => Privilege::Insert,
        "update" => Privilege::Update,
        "delete" => Privilege::Delete,
        "truncate" => Privilege::Truncate,
        "references" => Privilege::References,
        "trigger" => Privilege::Trigger,
        "usage" => Privilege::Usage,
        "execute" => Privilege::Execute,
        "create" => Privilege::Create,
        // What newer versions add (`maintain`) is nothing that a request could need.
        _ => return None,
    })
}
