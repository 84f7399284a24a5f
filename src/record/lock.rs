//! One writer per run.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::LcaError;

use super::files::disk;

/// The file that is locked. It stays behind, since removing it would let two processes hold
/// locks on two files of the same name.
pub(super) const LOCK: &str = "lock";
/// What the text in it begins with.
const HOLDER: &str = "process";

/// Attempts to lock before the holder is taken for a writer: a reader holds the lock for a moment
/// when it checks whether a run is still being written.
const ATTEMPTS: usize = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// The right to write a run. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Locks a folder for this process.
    pub(super) fn acquire(folder: &Path) -> Result<Self, LcaError> {
        let path = folder.join(LOCK);
        // Its text is replaced, so it must be ours.
        let ours = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => fs::read(&path)
                .is_ok_and(|text| text.is_empty() || text.starts_with(HOLDER.as_bytes())),
            Ok(_) => false,
            Err(_) => true,
        };
        if !ours {
            return Err(LcaError::setting(
                "Recorder::new",
                format!("{} is not the lock of a run", path.display()),
                "move it away, or record into another folder",
            ));
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| disk("writing", &path, error))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(locked(folder, &path)),
                Err(TryLockError::Error(error)) => {
                    // Some network file systems have no locks; that should not stop training.
                    log::warn!(
                        "{} can't be locked: {error}; don't record two runs into it",
                        path.display()
                    );
                    break;
                }
            }
        }
        let holder = format!("{HOLDER} {} on {}", std::process::id(), host());
        file.set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(|error| disk("writing", &path, error))?;
        Ok(Self { file })
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Only tidiness: the text names nobody any more; closing the file releases the lock.
        let _ = self.file.set_len(0);
    }
}

/// Returns whether some process is writing the run in a folder.
pub(super) fn is_held(folder: &Path) -> bool {
    File::open(folder.join(LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn locked(folder: &Path, path: &PathBuf) -> LcaError {
    let holder = fs::read_to_string(path).unwrap_or_default();
    LcaError::Locked {
        path: folder.to_owned(),
        holder: if holder.is_empty() {
            "another process".into()
        } else {
            holder
        },
    }
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map_or_else(|| "this host".into(), |name| name.trim().to_owned())
}
