//! Functions that come with extensions of PostgreSQL, a file for each. They are there whether or not a schema says
//! `create extension`: projects switch extensions on outside of their migrations.

mod accent_rules;
pub(super) mod accents;
pub(super) mod caseless;
pub(super) mod fuzzy;
pub(super) mod passwords;
pub(super) mod pgp;
pub(super) mod trigrams;
pub(super) mod uuids;
pub(super) mod vectors;
