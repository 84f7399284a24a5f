//! Files that are there completely or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::LcaError;

/// The ending of names that a file has before it is complete; `*.parquet` doesn't match it.
pub(super) const TEMPORARY: &str = "tmp";

/// Returns the error of a file operation, with a way out that fits what the system said.
pub(super) fn disk(action: &'static str, path: &Path, source: io::Error) -> LcaError {
    let remedy = match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "free some space, or record less with `Recorder::economy`"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to, or choose another folder"
        }
        ErrorKind::NotFound => "check that the folder was not moved or removed",
        _ => "check the disk and the path",
    };
    LcaError::Disk {
        action,
        path: path.to_owned(),
        source,
        remedy: remedy.into(),
    }
}

/// Replaces a file's content, so that a reader or a crash sees the old or the new one.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), LcaError> {
    let temporary = path.with_extension(TEMPORARY);
    File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        })
        .map_err(|error| disk("writing", &temporary, error))?;
    rename(&temporary, path)
}

/// Gives a file a second name, in the place of a file that may have it, at once and durably.
pub(super) fn link(from: &Path, to: &Path) -> Result<(), LcaError> {
    let temporary = to.with_extension(TEMPORARY);
    remove(&temporary)?;
    link_or_copy(from, &temporary)?;
    rename(&temporary, to)?;
    // It stays where both were names of one file already.
    remove(&temporary)
}

/// Gives a file a second name that is new; both hold the same bytes.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> Result<(), LcaError> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    // Some file systems have no hard links.
    fs::copy(from, to)
        .and_then(|_| File::open(to)?.sync_all())
        .map_err(|error| disk("writing", to, error))
}

/// Renames a file or folder within its folder, durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), LcaError> {
    fs::rename(from, to).map_err(|error| disk("renaming to", to, error))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LcaError> {
    // Only Unix lets a folder be opened and synced; elsewhere renames are durable by themselves.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| disk("syncing", folder, error))?;
    }
    Ok(())
}

/// Creates a folder and those above it, if they are not there.
pub(super) fn create_folder(folder: &Path) -> Result<(), LcaError> {
    fs::create_dir_all(folder).map_err(|error| disk("creating", folder, error))
}

/// Creates a folder in one that has to be there: a run whose folder is gone must not begin anew.
pub(super) fn create_subfolder(folder: &Path) -> Result<(), LcaError> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(disk("creating", folder, error))
        }
        _ => Ok(()),
    }
}

/// Removes a file; one that is not there is as good as removed.
pub(super) fn remove(path: &Path) -> Result<(), LcaError> {
    absent_is_fine(fs::remove_file(path), path)
}

/// Removes a folder of our own with all that is in it.
pub(super) fn remove_folder(path: &Path) -> Result<(), LcaError> {
    absent_is_fine(fs::remove_dir_all(path), path)
}

fn absent_is_fine(result: io::Result<()>, path: &Path) -> Result<(), LcaError> {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk("removing", path, error)),
        _ => Ok(()),
    }
}
