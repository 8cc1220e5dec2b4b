//! The keys of a project on the disk: made at the first start, readable by their owner only.
//!
//! `keys.json` holds what this project made for itself. What the settings say comes on top and is not written down, but
//! for legacy keys that follow from a secret of the settings: they stay the same from one start to the next.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use auth::keys::{self, DEMO, KeySet};
use auth::{Clock, Random};
use types::{Code, Error, Result};

use crate::settings::{Secret, Settings};

/// Whether keys that everybody knows may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoKeys {
    /// They are refused.
    Refused,
    /// They are used: for trying things out on one's own machine.
    Used,
}

/// What makes keys.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// When they are made.
    pub clock: &'a dyn Clock,
    /// From what.
    pub random: &'a dyn Random,
}

/// The file in a data directory.
pub fn path(data: &Path) -> PathBuf {
    data.join("keys.json")
}

/// The keys in force: those of the data directory, which are made if they are absent, under what the settings say.
///
/// # Errors
/// `58030` for a file that cannot be read or written, or that others can read; `22023` for keys that are not usable, or
/// that everybody knows.
pub fn open(
    base: &Path,
    data: &Path,
    settings: &Settings,
    demo: DemoKeys,
    source: Source<'_>,
) -> Result<KeySet> {
    let own = match read(data)? {
        Some(own) => own,
        None => create(data, &KeySet::generate(source.clock, source.random)?)?,
    };
    let own = follow_secret(data, own, settings, source)?;
    let keys = override_by(settings, base, own)?;
    match demo {
        DemoKeys::Used => demonstration(keys, source),
        DemoKeys::Refused => refuse_demo(keys),
    }
}

/// Makes a directory for data that only its owner enters, and that version control does not see.
///
/// # Errors
/// `58030` when it cannot be made.
pub fn make_data_dir(data: &Path) -> Result<()> {
    let failed = |error: std::io::Error| failure("could not make", data, &error);
    let is_new = !data.exists();
    fs::create_dir_all(data).map_err(failed)?;
    if is_new {
        restrict(data, 0o700).map_err(failed)?;
    }
    let ignore = data.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n").map_err(|error| failure("could not write", &ignore, &error))?;
    }
    Ok(())
}

/// Makes an empty file that only its owner reads, unless there is one.
///
/// # Errors
/// `58030` when it cannot be made.
pub fn make_private(path: &Path) -> Result<()> {
    match path.exists() {
        true => Ok(()),
        false => private_file(path).map(drop).map_err(|error| failure("could not make", path, &error)),
    }
}

/// Puts new keys in front of the present ones, which stay good until [`retire`].
///
/// # Errors
/// As [`open`].
pub fn rotate(data: &Path, source: Source<'_>) -> Result<KeySet> {
    let present = existing(data)?;
    let new = KeySet::generate(source.clock, source.random)?;
    let keys = KeySet {
        signing_keys: in_front(new.signing_keys, present.signing_keys),
        publishable_keys: in_front(new.publishable_keys, present.publishable_keys),
        secret_keys: in_front(new.secret_keys, present.secret_keys),
        ..present
    };
    replace(data, &keys)?;
    Ok(keys)
}

/// Drops all keys but the newest of each kind.
///
/// # Errors
/// As [`open`].
pub fn retire(data: &Path) -> Result<KeySet> {
    let mut keys = existing(data)?;
    keys.signing_keys.truncate(1);
    keys.publishable_keys.truncate(1);
    keys.secret_keys.truncate(1);
    replace(data, &keys)?;
    Ok(keys)
}

fn existing(data: &Path) -> Result<KeySet> {
    read(data)?.ok_or_else(|| {
        Error::new(Code::IO_ERROR, format!("there are no keys in {}", data.display()))
            .with_hint("`backplane keys DIR --env` makes them.")
    })
}

fn in_front<T>(mut new: Vec<T>, old: Vec<T>) -> Vec<T> {
    new.extend(old);
    new
}

/// The keys of a data directory, if it has any.
fn read(data: &Path) -> Result<Option<KeySet>> {
    let path = path(data);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure("could not read", &path, &error)),
    };
    refuse_open(&path)?;
    let keys = KeySet::of_json(&text).map_err(|error| {
        let message = format!("{} is damaged: {}", path.display(), error.message());
        Error::new(Code::INVALID_PARAMETER, message)
            .with_hint("Restore it, or remove it for new keys; old tokens are void then.")
    })?;
    Ok(Some(keys))
}

/// Writes keys where there are none. When another process was faster, its keys are the keys.
fn create(data: &Path, keys: &KeySet) -> Result<KeySet> {
    make_data_dir(data)?;
    let (path, draft) = (path(data), write_draft(data, keys)?);
    let linked = fs::hard_link(&draft, &path);
    // The draft has done its work; a leftover is private and harmless.
    let _ = fs::remove_file(&draft);
    match linked {
        Ok(()) => Ok(keys.clone()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => existing(data),
        Err(error) => Err(failure("could not write", &path, &error)),
    }
}

/// Writes keys over those that are there, in one step.
fn replace(data: &Path, keys: &KeySet) -> Result<()> {
    let (path, draft) = (path(data), write_draft(data, keys)?);
    fs::rename(&draft, &path).map_err(|error| failure("could not write", &path, &error))
}

fn write_draft(data: &Path, keys: &KeySet) -> Result<PathBuf> {
    let draft = data.join(format!("keys.{}.draft", std::process::id()));
    let written = private_file(&draft).and_then(|mut file| {
        file.write_all(keys.to_json().as_bytes())?;
        file.sync_all()
    });
    written.map(|()| draft.clone()).map_err(|error| failure("could not write", &draft, &error))
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<File> {
    File::create(path)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn refuse_open(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let found = fs::metadata(path).map_err(|error| failure("could not read", path, &error))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("{} holds secrets and others may read it (mode {mode:03o})", path.display());
    Err(Error::new(Code::IO_ERROR, message).with_hint(format!("chmod 600 {}", path.display())))
}

#[cfg(not(unix))]
fn refuse_open(_: &Path) -> Result<()> {
    Ok(())
}

fn failure(doing: &str, path: &Path, error: &std::io::Error) -> Error {
    let code = if error.kind() == ErrorKind::StorageFull { Code::DISK_FULL } else { Code::IO_ERROR };
    Error::new(code, format!("{doing} {}: {error}", path.display()))
}

/// The legacy keys of a secret that the settings name, made once.
fn follow_secret(data: &Path, own: KeySet, settings: &Settings, source: Source<'_>) -> Result<KeySet> {
    let Some(secret) =
        settings.auth_jwt_secret.as_ref().map(Secret::reveal).filter(|secret| *secret != own.secret)
    else {
        return Ok(own);
    };
    let named = KeySet::of_secret(secret, source.clock, source.random)?;
    let keys = KeySet {
        secret: named.secret,
        anon_key: named.anon_key,
        service_role_key: named.service_role_key,
        ..own
    };
    // A known secret is refused in a moment, or used for a demonstration: neither is worth writing down.
    if !keys::is_demo(secret) {
        replace(data, &keys)?;
    }
    Ok(keys)
}

fn override_by(settings: &Settings, base: &Path, own: KeySet) -> Result<KeySet> {
    let text =
        |setting: &Option<Secret>, own: String| setting.as_ref().map_or(own, |key| key.reveal().to_owned());
    let list = |setting: &Option<Secret>, own: Vec<String>| {
        setting.as_ref().map_or(own, |key| vec![key.reveal().to_owned()])
    };
    let signing_keys = match &settings.auth_signing_keys_path {
        Some(path) => signing_keys(&base.join(path))?.unwrap_or(own.signing_keys),
        None => own.signing_keys,
    };
    let keys = KeySet {
        anon_key: text(&settings.auth_anon_key, own.anon_key),
        service_role_key: text(&settings.auth_service_role_key, own.service_role_key),
        publishable_keys: list(&settings.auth_publishable_key, own.publishable_keys),
        secret_keys: list(&settings.auth_secret_key, own.secret_keys),
        signing_keys,
        secret: own.secret,
        refresh_secret: own.refresh_secret,
    };
    keys.keys().map(|_| keys)
}

/// The keys of a file; `None` where there is no such file, which is told when the project is read, and refuses a strict start.
fn signing_keys(path: &Path) -> Result<Option<Vec<types::json::Json>>> {
    match fs::read_to_string(path) {
        Ok(text) => keys::read_signing_keys(&text).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure("could not read", path, &error)),
    }
}

fn refuse_demo(keys: KeySet) -> Result<KeySet> {
    match keys.demo_field() {
        None => Ok(keys),
        Some(field) => Err(Error::new(
            Code::INVALID_PARAMETER,
            format!("\"{field}\" is a key that is printed in public manuals: anybody can sign tokens with it"),
        )
        .with_hint("Remove it from the settings for a random one. `backplane dev --demo-keys` uses it on your own machine.")),
    }
}

/// The keys that the local stack of Supabase has by default.
fn demonstration(own: KeySet, source: Source<'_>) -> Result<KeySet> {
    let known = KeySet::of_secret(DEMO[0], source.clock, source.random)?;
    let find = |prefix: &str| {
        DEMO.iter().filter(|key| key.starts_with(prefix)).map(|key| (*key).to_owned()).collect()
    };
    Ok(KeySet {
        secret: known.secret,
        anon_key: known.anon_key,
        service_role_key: known.service_role_key,
        publishable_keys: find("sb_publishable_"),
        secret_keys: find("sb_secret_"),
        ..own
    })
}

#[cfg(test)]
mod tests;
