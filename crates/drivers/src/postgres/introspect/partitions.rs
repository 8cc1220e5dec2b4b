//! Partitioned tables and their partitions, which the database keeps apart by itself.

use std::collections::HashMap;

use catalog::{Catalog, Partition};
use sql::ast::StatementKind;

use super::facts;
use super::relations::ById;
use super::text;

/// Says which tables are partitioned, by what, and which are partitions.
pub(super) fn partitions(catalog: &mut Catalog, places: &HashMap<i64, ById>, found: Vec<facts::Partition>) {
    let place = |id: &i64| places.get(id).map(|place| place.table);
    for partition in &found {
        let (Some(id), Some(said)) = (place(&partition.relation), &partition.key) else { continue };
        let name = catalog[id].name.clone();
        let written = format!("create table t () partition by {said}");
        let what = || format!("the partition key of table {name}");
        let Some(StatementKind::CreateTable(create)) = text::statement(catalog, &written, what) else {
            continue;
        };
        let read = create.partition_by.and_then(|by| catalog::build::partitioning(&catalog[id], &by));
        catalog.tables[id.0 as usize].partitioning = read;
    }
    for partition in found {
        let (Some(id), Some(parent)) = (place(&partition.relation), place(&partition.parent)) else {
            continue;
        };
        let name = catalog[id].name.clone();
        let said = partition.bound.unwrap_or_default();
        let written = format!("create table t partition of t {said}");
        let what = || format!("the bound of partition {name}");
        let statement = text::statement(catalog, &written, what);
        let of = match statement {
            Some(StatementKind::CreateTable(create)) => create.partition_of,
            _ => None,
        };
        // Whatever it takes, it is a partition.
        let bound = of.and_then(|of| catalog::build::partition_bound(&catalog[parent], &of.bound));
        let bound = bound.unwrap_or(catalog::Bound::Default);
        let of = catalog[parent].name.clone();
        catalog.tables[id.0 as usize].partition = Some(Partition { of, bound, keys: Vec::new() });
    }
}
