//! File names with `*` and `?`, as `config.toml` has them. `**` is any number of folders.

use std::path::{Component, Path, PathBuf};

use types::{Code, Error, Result};

use super::files::entries;

/// The files below a folder that a pattern names, sorted.
pub(super) fn find(base: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
    let mut segments = Vec::new();
    for component in Path::new(pattern).components() {
        match component {
            Component::Normal(segment) => segments.push(segment.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                let message = format!("\"{pattern}\" leaves the project");
                return Err(Error::new(Code::IO_ERROR, message)
                    .with_hint(format!("Paths are below {}.", base.display())));
            }
        }
    }
    let mut found = Vec::new();
    descend(base, &segments, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn descend(folder: &Path, segments: &[String], found: &mut Vec<PathBuf>) -> Result<()> {
    let Some((first, rest)) = segments.split_first() else { return Ok(()) };
    if first == "**" {
        descend(folder, rest, found)?;
        for below in entries(folder)?.iter().filter(|path| path.is_dir()) {
            descend(below, segments, found)?;
        }
        return Ok(());
    }
    if !folder.is_dir() {
        return Ok(());
    }
    for path in entries(folder)? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !matches(first.as_bytes(), name.as_bytes()) {
            continue;
        }
        if rest.is_empty() && path.is_file() {
            found.push(path);
        } else if path.is_dir() {
            descend(&path, rest, found)?;
        }
    }
    Ok(())
}

/// Whether a name fits a pattern; linear but for the length of the pattern.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, fits) in [
            ("*.sql", "a.sql", true),
            ("*.sql", "a.sqlx", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?.sql", "a.sql", true),
            ("?.sql", "ab.sql", false),
            ("seed.sql", "seed.sql", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_stays_in_the_project() {
        for pattern in ["../other/*.sql", "/etc/*"] {
            assert!(find(Path::new("."), pattern).is_err(), "{pattern}");
        }
    }
}
