//! Names inside stored expressions and queries.
//!
//! PostgreSQL stores what names mean, not the names: a renamed column keeps its policies, a dropped one takes its
//! indexes along. We store trees; so names are made explicit when a tree is stored (`bind`), found again when something
//! is dropped (`uses`), and rewritten when something is renamed (`rename`). All three are visitors of one walk
//! that knows what is in scope. Types of expressions are of no concern here.

pub(crate) mod bind;
pub(crate) mod figure;
pub(crate) mod rename;
pub(crate) mod scope;
pub(crate) mod uses;
pub(crate) mod walk;
