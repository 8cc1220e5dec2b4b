//! What tests of this crate stand on: folders of their own, a clock that stands still, randomness that repeats.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use types::Value;

use crate::app::{App, Parts};
use crate::keys::DemoKeys;
use crate::project::{Project, Strictness};
use crate::settings::Environment;

/// How long a statement of a test may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock that stands still, in 2025.
pub(crate) struct FixedClock;

impl auth::Clock for FixedClock {
    fn now_micros(&self) -> i64 {
        800_000_000_000_000
    }
}

static COUNT: AtomicU64 = AtomicU64::new(1);

/// Bytes that differ from call to call and mean nothing.
pub(crate) struct SeededRandom;

impl auth::Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        let mut state = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in out {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[3];
        }
    }
}

/// A folder that is gone when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("backplane-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A folder with these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is a nuisance, no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The server of a folder's project; its data is in the same folder.
pub(crate) async fn app_of(folder: &Folder) -> Arc<App> {
    let project = Project::read(folder.path(), &Environment::default(), Strictness::Strict).unwrap();
    assert!(project.complaints.is_empty(), "{:?}", project.complaints);
    let parts = Parts {
        project,
        data_dir: folder.path().join(".backplane"),
        demo_keys: DemoKeys::Refused,
        allow_loss: false,
        clock: Arc::new(FixedClock),
        random: Arc::new(SeededRandom),
    };
    App::open(parts).await.unwrap()
}

/// The first column of what a statement says, as texts.
pub(crate) async fn texts(app: &App, statement: &'static engine::Statement) -> Vec<String> {
    let rows = app
        .database
        .transact(PATIENCE, move |work| Box::pin(async move { work.query(statement, Vec::new()).await }))
        .await
        .unwrap();
    let text =
        |row: Vec<Value>| if let Value::Text(text) = &row[0] { text.to_string() } else { format!("{row:?}") };
    rows.into_iter().map(text).collect()
}
