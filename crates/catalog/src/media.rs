//! Domains that are media types, and what makes replies of such types of whole results (PostgREST, "Media Type Handlers").

use std::sync::Arc;

use types::{Name, Type};

/// The media type that stands for all.
pub const ANY_MEDIA: &str = "*/*";

/// An aggregate that makes one document of all rows. Only engines that run functions themselves have some.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaHandler {
    /// The media type: the name of the domain of its result, in lower case.
    pub media: Arc<str>,
    /// The aggregate.
    pub function: Name,
    /// The table whose rows it takes; any rows otherwise.
    pub of: Option<Name>,
    /// What its result is: `text` or `bytea`.
    pub ty: Type,
}

/// Whether the name of a domain is a media type.
pub fn is_media_type(name: &str) -> bool {
    let is_part = |part: &str, further: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || further.contains(c);
        !part.is_empty() && part.chars().all(fits)
    };
    name == ANY_MEDIA
        || name.split_once('/').is_some_and(|(kind, sub)| is_part(kind, ".-") && is_part(sub, ".+-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_media_types_or_not() {
        for name in ["text/html", "*/*", "application/vnd.twkb", "image/svg+xml", "a.b-c/d"] {
            assert!(is_media_type(name), "{name}");
        }
        for name in ["text", "text/", "/html", "text/html/x", "text/*", "a b/c", "te+xt/html"] {
            assert!(!is_media_type(name), "{name}");
        }
    }
}
