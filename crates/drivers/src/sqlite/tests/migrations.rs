//! Changes of schemas with rows in them.
