//! Schema-qualified names of catalog objects.

use std::fmt;
use std::sync::Arc;

/// A schema-qualified identifier, both parts as PostgreSQL stores them (folded, unquoted).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The schema (a PostgreSQL namespace).
    pub schema: Arc<str>,
    /// The object's own name.
    pub name: Arc<str>,
}

impl Name {
    /// The name `schema.name`.
    pub fn new(schema: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Name {
        Name { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
