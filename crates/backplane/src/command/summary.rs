//! What a catalog exposes, as a table for people.

use catalog::access::API_ROLES;
use catalog::{Catalog, Policy, Privilege, Table, TableId, TableKind, ViewRights};

/// A headline with a line each, or nothing.
pub(super) fn list(headline: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.into_iter().map(|line| format!("  {line}\n")).collect();
    format!("{headline}:\n{lines}\n")
}

/// Every table and view of the project: what guards its rows, and which roles reach it.
pub(super) fn exposure(catalog: &Catalog) -> String {
    let mut rows: Vec<[String; 4]> =
        catalog.ids().filter(|id| is_own(&catalog[*id])).map(|id| row(catalog, id)).collect();
    rows.sort();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, kind, guard) = (width(0), width(1), width(2).max(32));
    let lines = rows.iter().map(|row| {
        let [table, what, guarded, roles] = row;
        format!("{table:name$}  {what:kind$}  {guarded:guard$}  {roles}")
    });
    list("Tables, what guards their rows, and which roles of the API reach them", lines.collect())
}

/// Schemas of our services: their tables are no project's.
const SERVICES: [&str; 3] = ["auth", "storage", "realtime"];

/// Whether a table is one of the project, not of our services.
pub(super) fn is_own(table: &Table) -> bool {
    !SERVICES.contains(&&*table.name.schema)
}

fn row(catalog: &Catalog, id: TableId) -> [String; 4] {
    let table = &catalog[id];
    let roles: Vec<&str> = API_ROLES.into_iter().filter(|role| reaches(catalog, id, role)).collect();
    let kind = match table.kind {
        TableKind::Table => "table",
        TableKind::View { .. } => "view",
    };
    let reached = if roles.is_empty() { "nobody".to_owned() } else { roles.join(", ") };
    [table.name.to_string(), kind.to_owned(), guard(table, !roles.is_empty()), reached]
}

/// Whether a role holds a privilege on a table and, where rows are guarded, some policy is for it.
fn reaches(catalog: &Catalog, id: TableId, role: &str) -> bool {
    let (table, roles) = (&catalog[id], catalog.memberships(role));
    let commands = [Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::Delete];
    let is_for = |policy: &Policy| {
        policy.roles.is_empty() || policy.roles.iter().any(|name| &**name == "public" || roles.contains(name))
    };
    catalog.allows_schema(&roles, &table.name.schema)
        && commands.into_iter().any(|command| catalog.allows_some(&roles, id, command))
        && (!table.row_security || table.policies.iter().any(is_for))
}

fn guard(table: &Table, is_reached: bool) -> String {
    let policies = match table.policies.len() {
        0 => "no policy: no rows".to_owned(),
        1 => "1 policy".to_owned(),
        many => format!("{many} policies"),
    };
    match table.kind {
        TableKind::View { materialized: true, .. } => "materialized".to_owned(),
        TableKind::View { rights: ViewRights::Callers, .. } => "as the caller".to_owned(),
        TableKind::View { .. } if is_reached => "AS ITS OWNER".to_owned(),
        TableKind::View { .. } => "as its owner".to_owned(),
        TableKind::Table if table.row_security => format!("row-level security, {policies}"),
        TableKind::Table if is_reached => "NO ROW-LEVEL SECURITY".to_owned(),
        TableKind::Table => "no row-level security".to_owned(),
    }
}
