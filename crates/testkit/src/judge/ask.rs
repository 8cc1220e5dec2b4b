//! A drawn request, in parts that can be left out.

use crate::play::{Ask, encoded};

/// A request.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) person: &'static str,
    pub(super) method: &'static str,
    /// Below the Data API: a table, or `rpc/…`.
    pub(super) path: String,
    /// `name=value`, encoded.
    pub(super) parameters: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// Whether the order of the rows is determined; else they are compared as a set.
    pub(super) is_ordered: bool,
    /// Whether it may change what is stored.
    pub(super) changes: bool,
    /// Whether the embedded engine may refuse it by the name of what it lacks.
    pub(super) may_lack: bool,
}

impl Asked {
    pub(super) fn target(&self) -> String {
        let question = if self.parameters.is_empty() { "" } else { "?" };
        format!("/rest/v1/{}{question}{}", self.path, self.parameters.join("&"))
    }

    /// With the headers of whoever asks.
    pub(super) fn ask(&self, person: &[(String, String)]) -> Ask {
        let mut headers = person.to_vec();
        headers.extend(self.headers.iter().cloned());
        if !self.body.is_empty() && self.headers.iter().all(|(name, _)| name != "Content-Type") {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        Ask {
            method: self.method.to_owned(),
            target: encoded(&self.target()),
            headers,
            body: self.body.clone(),
        }
    }

    /// As a section of a case.
    pub(super) fn section(&self) -> String {
        let mut out = format!("== request as {}\n{} {}\n", self.person, self.method, self.target());
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\n"));
        }
        if !self.body.is_empty() {
            out.push_str(&format!("\n{}\n", self.body));
        }
        out
    }

    pub(super) fn prefers(&self, word: &str) -> bool {
        self.headers.iter().any(|(name, value)| name == "Prefer" && value.contains(word))
    }
}

/// A value where a parameter has one.
pub(super) fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:*!'(),/{}[]@$".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
