//! Complaints about a project's own text, printed as a compiler prints them: place, source line, caret.
//!
//! Nothing here decides what is wrong; it is told where and why.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use types::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The project is not served with it.
    Error,
    /// It is worth knowing.
    Warning,
}

/// A text that somebody wrote, and where it was found.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path, relative to the project.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

/// One complaint.
#[derive(Clone, Debug)]
pub struct Complaint {
    /// The text that it is about.
    pub file: SourceFile,
    /// Where in the text.
    pub span: Span,
    /// How bad it is.
    pub severity: Severity,
    /// The code of SQL errors (their SQLSTATE).
    pub code: Option<Box<str>>,
    /// What is wrong.
    pub message: String,
    /// What would be right, if it can be said.
    pub hint: Option<String>,
}

impl Complaint {
    /// An error without a code and a hint.
    pub fn error(file: &SourceFile, span: Span, message: impl Into<String>) -> Complaint {
        let (file, severity) = (file.clone(), Severity::Error);
        Complaint { file, span, severity, code: None, message: message.into(), hint: None }
    }

    /// The same as something that is merely worth knowing.
    #[must_use]
    pub fn softened(self) -> Complaint {
        Complaint { severity: Severity::Warning, ..self }
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<String>) -> Complaint {
        self.hint = hint;
        self
    }

    /// Whether the project is not served with it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Line and column, both from 1.
    pub fn place(&self) -> (usize, usize) {
        sql::line_column(&self.file.text, self.span.start)
    }
}

/// The widest part of a source line that is shown, in characters.
const SHOWN_MAX: usize = 160;

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_error() { "error" } else { "warning" };
        let (line, column) = self.place();
        match &self.code {
            Some(code) => writeln!(f, "{word}[{code}]: {}", self.message)?,
            None => writeln!(f, "{word}: {}", self.message)?,
        }
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{margin}--> {}:{line}:{column}", self.file.path.display())?;
        let source = self.file.text.lines().nth(line - 1).unwrap_or_default();
        let (shown, at) = window(source, column);
        writeln!(f, "{margin} |\n{number} | {shown}")?;
        writeln!(f, "{margin} | {}{}", " ".repeat(at), "^".repeat(self.width(&shown, at)))?;
        match &self.hint {
            Some(hint) => writeln!(f, "{margin} = hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Complaint {
    /// How many characters of the shown line the caret goes along with.
    fn width(&self, shown: &str, at: usize) -> usize {
        let (start, end) = (self.span.start as usize, self.span.end as usize);
        let text = self.file.text.get(start..end).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        first.chars().count().min(shown.chars().count().saturating_sub(at)).max(1)
    }
}

/// The part of a line around a column, tabs as spaces, and how many characters of it come before the column.
fn window(line: &str, column: usize) -> (String, usize) {
    let at = column - 1;
    let skipped = at.saturating_sub(SHOWN_MAX / 2);
    let shown = line.chars().skip(skipped).take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c });
    (shown.collect(), at - skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "schema.sql".into(), text: text.into() }
    }

    #[test]
    fn a_complaint_shows_its_line_and_place() {
        let file = file("create table a ();\ncreate tabel b ();\n");
        let complaint =
            Complaint::error(&file, Span::new(26, 31), "syntax error").with_hint(Some("table".into()));
        assert_eq!(
            complaint.to_string(),
            "error: syntax error\n --> schema.sql:2:8\n  |\n2 | create tabel b ();\n  |        ^^^^^\n  = hint: table\n"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let file = file(&format!("{}x{}", "a".repeat(1000), "b".repeat(1000)));
        let shown = Complaint::error(&file, Span::new(1000, 1001), "here").to_string();
        assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
        assert!(shown.contains("schema.sql:1:1001") && shown.contains("axb"));
    }

    #[test]
    fn a_place_beyond_the_text_is_no_reason_to_fail() {
        let shown = Complaint::error(&file(""), Span::new(7, 9), "empty").to_string();
        assert!(shown.contains("schema.sql:1:1"), "{shown}");
    }
}
