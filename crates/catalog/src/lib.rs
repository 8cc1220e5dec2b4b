//! Everything declared: statements to a [`Catalog`], two catalogs to their difference, the difference to a [`Migration`].
//!
//! Pure: text comes from `sql`, steps go to `render` and `engine`. A catalog is immutable once built and is replaced whole.
//! What is understood and does not run in this version is kept here and named by [`Catalog::not_running`];
//! nothing is dropped in silence.

pub mod access;
pub mod build;
pub mod diff;
mod expr;
pub mod function;
pub mod history;
pub mod index;
pub mod media;
pub mod migration;
pub mod partition;
pub mod policy;
pub mod relationship;
mod report;
pub mod role;
pub mod system;
pub mod table;
#[cfg(test)]
mod testing;

pub use access::Exposure;
pub use build::{Builder, Diagnostic, Outcome, build, builtin, search_path};
pub use diff::diff;
pub use expr::figure::column_name;
pub use function::{Argument, Function, Language, Trigger, Volatility};
pub use index::{Index, IndexKey};
pub use migration::Migration;
pub use partition::{Bound, Datum, End, Partition, PartitionKey, Partitioning, Strategy};
pub use policy::{Policy, PolicyCommand};
pub use relationship::{Cardinality, Relationship, Through};
pub use role::{Acl, Privilege, Role};
pub use table::{
    Age, Check, Column, ColumnId, DefaultValue, Domain, ForeignKey, Generated, ReferentialAction,
    Representation, Sequence, Table, TableId, TableKind, Unique, ViewRights,
};

mod catalog;
pub use catalog::Catalog;
