//! `keys`: the keys of a project, also while its server runs.

use auth::KeySet;
use types::Result;

use super::{Keys, address, demo, say};
use crate::app;
use crate::app::system::{OsRandom, SystemClock};
use crate::keys::{self, Source};
use crate::project::Project;
use crate::settings::{self, Environment};

/// Shows them, after changing them where that was asked for.
///
/// # Errors
/// What [`keys::open`] refuses.
pub(super) fn run(words: &Keys, environment: &Environment) -> Result<()> {
    let base = Project::base(&words.dir)?;
    let settings = settings::read(&base, environment)?.settings;
    let data = words.data.clone().unwrap_or_else(|| Project::data_dir(&words.dir));
    let random = OsRandom::new();
    let source = Source { clock: &SystemClock, random: &random };
    if words.rotate {
        keys::rotate(&data, source)?;
    }
    if words.retire {
        keys::retire(&data)?;
    }
    let found = keys::open(&base, &data, &settings, demo(words.demo_keys), source)?;
    let url = address::read(&data).unwrap_or_else(|| app::public_url(&settings));
    say(&lines(url, &found, if words.env { "=" } else { "  " }));
    Ok(())
}

/// A line each: the name, a separator, the value.
fn lines(url: String, keys: &KeySet, separator: &str) -> String {
    let first = |keys: &[String]| keys.first().cloned().unwrap_or_default();
    let rows = [
        ("SUPABASE_URL", url),
        ("SUPABASE_ANON_KEY", keys.anon_key.clone()),
        ("SUPABASE_SERVICE_ROLE_KEY", keys.service_role_key.clone()),
        ("SUPABASE_PUBLISHABLE_KEY", first(&keys.publishable_keys)),
        ("SUPABASE_SECRET_KEY", first(&keys.secret_keys)),
    ];
    let width = if separator == "=" { 0 } else { 25 };
    rows.iter().map(|(name, value)| format!("{name:width$}{separator}{value}\n")).collect()
}
