//! Which tables and functions the API's roles reach, where a project has closed what nobody guards.
//!
//! The default privileges of a hosted project give `anon` and `authenticated` every new table. A project whose exposure is guarded
//! means only those with row-level security, or what was granted in words: its catalog says so, and the database is brought to
//! that. A grant that a program of the project makes, and no statement says, is none there.

use catalog::access::API_ROLES;
use catalog::{Catalog, Exposure, Function, Privilege, Table, TableId};
use render::postgres::{qualified, quote};
use tokio_postgres::Client;
use types::Result;
use types::ty::format_type;

/// The schema whose objects default privileges open.
const OPEN_SCHEMA: &str = "public";

/// Privileges on tables, with their words.
const PRIVILEGES: [(Privilege, &str); 7] = [
    (Privilege::Select, "select"),
    (Privilege::Insert, "insert"),
    (Privilege::Update, "update"),
    (Privilege::Delete, "delete"),
    (Privilege::Truncate, "truncate"),
    (Privilege::References, "references"),
    (Privilege::Trigger, "trigger"),
];

/// Takes from the API's roles what a project does not give them. A line for each object.
///
/// # Errors
/// The database's; nothing has changed then.
pub async fn settle(client: &Client, wanted: &Catalog, found: &Catalog) -> Result<Vec<String>> {
    if wanted.exposure == Exposure::Legacy {
        return Ok(Vec::new());
    }
    let (statements, lines) = closing(wanted, found);
    if !statements.is_empty() {
        super::within(client, super::run(client, &statements.join(";\n"))).await?;
    }
    Ok(lines)
}

/// The statements that close what is open, and what to say of each object.
fn closing(wanted: &Catalog, found: &Catalog) -> (Vec<String>, Vec<String>) {
    let (mut statements, mut lines) = (Vec::new(), Vec::new());
    for (id, table) in found.ids().zip(&found.tables) {
        let Some((known, _)) = wanted.table(&table.name).filter(|_| &*table.name.schema == OPEN_SCHEMA)
        else {
            continue;
        };
        let closed = of_table((wanted, known), (found, id), table);
        if !closed.is_empty() {
            lines.push(format!("Close {} to the API's roles: nothing guards its rows.", table.name));
        }
        statements.extend(closed);
    }
    for function in found.functions.iter().filter(|function| &*function.name.schema == OPEN_SCHEMA) {
        let closed = of_function(wanted, found, function);
        if !closed.is_empty() {
            lines.push(format!("Close {} to the API's roles.", function.signature()));
        }
        statements.extend(closed);
    }
    (statements, lines)
}

fn of_table(
    (wanted, known): (&Catalog, TableId),
    (found, id): (&Catalog, TableId),
    table: &Table,
) -> Vec<String> {
    let mut statements = Vec::new();
    for role in API_ROLES {
        let (roles, here) = (wanted.memberships(role), found.memberships(role));
        for (privilege, word) in PRIVILEGES {
            if !found.allows(&here, id, privilege) || wanted.allows(&roles, known, privilege) {
                continue;
            }
            let name = qualified(&table.name);
            statements.push(format!("revoke {word} on {name} from {}", quote(role)));
            // A revocation takes the columns' grants along.
            let columns = table.columns.iter().filter(|column| {
                wanted[known]
                    .column(&column.name)
                    .is_some_and(|(at, _)| wanted.allows_column(&roles, known, privilege, at))
            });
            let columns: Vec<String> = columns.map(|column| quote(&column.name)).collect();
            if !columns.is_empty() {
                statements.push(format!(
                    "grant {word} ({}) on {name} to {}",
                    columns.join(", "),
                    quote(role)
                ));
            }
        }
    }
    statements
}

fn of_function(wanted: &Catalog, found: &Catalog, function: &Function) -> Vec<String> {
    let same =
        |other: &&Function| other.name == function.name && other.input_types().eq(function.input_types());
    let Some(known) = wanted.functions.iter().find(same) else { return Vec::new() };
    let is_open = |role: &&str| {
        found.allows_function(&found.memberships(role), function)
            && !wanted.allows_function(&wanted.memberships(role), known)
    };
    let types: Vec<String> = function.input_types().map(|ty| format_type(ty, None)).collect();
    let name = format!("{}({})", qualified(&function.name), types.join(", "));
    let open = API_ROLES.into_iter().filter(is_open);
    open.map(|role| format!("revoke execute on function {name} from {}", quote(role))).collect()
}
