//! Long replies as files of the data directory, until they are sent.
//!
//! A file has no name: it is gone with the reply that it belongs to, however that ends, a crash included. All of them
//! together are bounded.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rest::Aside;
use rest::respond::{Spool, Spools};
use tokio::runtime::{Handle, RuntimeFlavor};
use types::{Code, Error, Limits, Result};

/// From which length on replies are files, and where.
pub(crate) fn aside(folder: &Path, limits: &Limits) -> Aside {
    let spools = Folder { path: folder.to_owned(), bytes_max: limits.spool_bytes_max, bytes: Arc::default() };
    Aside { memory_bytes_max: limits.reply_memory_bytes_max, spools: Arc::new(spools) }
}

/// The folder of the files.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    bytes_max: u64,
    /// Those of all files.
    bytes: Arc<AtomicU64>,
}

impl Spools for Folder {
    fn open(&self) -> Result<Box<dyn Spool>> {
        let file = blocking(|| tempfile::tempfile_in(&self.path)).map_err(failed)?;
        Ok(Box::new(Spooled { file, length: 0, bytes_max: self.bytes_max, bytes: self.bytes.clone() }))
    }
}

/// A file.
#[derive(Debug)]
pub(crate) struct Spooled {
    file: File,
    length: u64,
    bytes_max: u64,
    bytes: Arc<AtomicU64>,
}

impl Spooled {
    /// The file, to be read from its start.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Spool for Spooled {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let more = u64::try_from(bytes.len()).map_err(Error::internal)?;
        let before = self.bytes.fetch_add(more, Ordering::Relaxed);
        self.length += more;
        if before.saturating_add(more) > self.bytes_max {
            let error = Error::new(Code::OVERLOADED, "Too many long replies are being sent");
            return Err(error.with_hint("Try again, or ask for fewer rows or columns."));
        }
        blocking(|| self.file.write_all(bytes)).map_err(failed)
    }

    fn length(&self) -> u64 {
        self.length
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        self.bytes.fetch_sub(self.length, Ordering::Relaxed);
    }
}

/// Does what may wait for a disk; where other requests run on the same thread, these move on to another.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

fn failed(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::new(Code::DISK_FULL, "could not put a long reply aside: No space left on device")
                .with_hint("Check free disk space.")
                .with_cause(error)
        }
        _ => Error::new(Code::IO_ERROR, "could not put a long reply aside").with_cause(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;
    use crate::testing::Folder as TestFolder;

    #[test]
    fn a_file_is_nowhere_and_gone_with_its_reply() {
        let folder = TestFolder::of(&[("p/file", "")]);
        let limits = Limits { spool_bytes_max: 10, ..Limits::default() };
        let aside = aside(folder.path(), &limits);
        let mut spool = aside.spools.open().unwrap();
        spool.append(b"12345").unwrap();
        spool.append(b"678").unwrap();
        assert_eq!(spool.length(), 8);
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["p"]);
        let second = aside.spools.open().unwrap().append(b"123").unwrap_err();
        assert_eq!(second.code(), Code::OVERLOADED);
        let spool: Arc<dyn Spool> = Arc::from(spool);
        let spool: Arc<dyn std::any::Any + Send + Sync> = spool;
        let spool = spool.downcast::<Spooled>().unwrap();
        let mut text = String::new();
        spool.file().rewind().unwrap();
        spool.file().read_to_string(&mut text).unwrap();
        assert_eq!(text, "12345678");
        drop(spool);
        assert!(aside.spools.open().unwrap().append(b"1234567890").is_ok(), "the room is free again");
    }

    #[test]
    fn a_folder_that_is_gone_is_said() {
        let aside = aside(Path::new("/nowhere/at/all"), &Limits::default());
        assert_eq!(aside.spools.open().unwrap_err().code(), Code::IO_ERROR);
        let full = failed(std::io::Error::from(ErrorKind::StorageFull));
        assert_eq!((full.code(), full.code().status()), (Code::DISK_FULL, 503));
    }
}
