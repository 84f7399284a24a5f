//! Files that are there completely or not at all, and the removal of nothing but our own.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::LcaError;

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

/// Creates a file that must not be there yet; a link is not followed.
pub(super) fn create(path: &Path) -> Result<File, LcaError> {
    File::create_new(path).map_err(|error| disk("writing", path, error))
}

/// Replaces a file's content, so that a reader or a crash sees the old or the new one.
///
/// `temporary` is where the new one is until it is complete.
pub(super) fn replace(path: &Path, temporary: &Path, content: &[u8]) -> Result<(), LcaError> {
    remove(temporary)?;
    let mut file = create(temporary)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|error| disk("writing", temporary, error))?;
    rename(temporary, path)
}

/// Returns whether something is there that is not a file. Opening a pipe would wait for somebody to
/// write to it.
pub(super) fn is_no_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// Creates a file of so many bytes that no file system can make smaller.
pub(super) fn occupy(path: &Path, bytes: usize) -> Result<(), LcaError> {
    let mut file = create(path)?;
    // The high bytes of Knuth's multiplicative hash are as good as random.
    let noise = |at: u32| at.wrapping_mul(2_654_435_761).to_be_bytes()[0];
    let content: Vec<u8> = (0..bytes as u32).map(noise).collect();
    file.write_all(&content)
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            // Half of it is of no use to anybody.
            let _ = fs::remove_file(path);
            disk("writing", path, error)
        })
}

/// Gives a file a second name, replacing a file that has it, at once and durably.
///
/// `temporary` is a name that nobody else uses.
pub(super) fn link(from: &Path, to: &Path, temporary: &Path) -> Result<(), LcaError> {
    remove(temporary)?;
    link_or_copy(from, temporary)?;
    rename(temporary, to)?;
    // It is still there if both were names of one file already.
    remove(temporary)
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

/// Renames a file or folder, durably.
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

/// Returns the entries of a folder with their names, sorted; none if it is not there.
///
/// A name that is not Unicode is not one of ours, and is given as it can be shown.
pub(super) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, LcaError> {
    let failed = |error| disk("reading", folder, error);
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push((name, entry.path()));
    }
    entries.sort();
    Ok(entries)
}

/// Removes a file; one that is not there is as good as removed.
pub(super) fn remove(path: &Path) -> Result<(), LcaError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk("removing", path, error)),
        _ => Ok(()),
    }
}

/// Removes the files of a folder that have one of our names, the last first, and the folder
/// itself unless somebody else has files in it.
pub(super) fn remove_own(folder: &Path, is_ours: fn(&str) -> bool) -> Result<(), LcaError> {
    for (name, path) in entries(folder)?.into_iter().rev() {
        if is_ours(&name) {
            remove(&path)?;
        }
    }
    match fs::remove_dir(folder) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(disk("removing", folder, error))
        }
        _ => Ok(()),
    }
}

/// The ending of the names of files that are there for a moment, to see whether they can be removed.
const PROBE: &str = ".removable";

/// Checks that a file can be removed, as far as that can be known without doing it.
pub(super) fn check_removable(path: &Path) -> Result<(), LcaError> {
    let mut probe = path.as_os_str().to_owned();
    probe.push(PROBE);
    File::create_new(&probe)
        .and_then(|_| fs::remove_file(&probe))
        // Also refuses files that are protected against being written, and so against this.
        .and_then(|()| File::options().append(true).open(path))
        .map(drop)
        .map_err(|error| disk("removing", path, error))
}

/// Removes what such a check has left of a process that died in its midst.
pub(super) fn remove_probes(folder: &Path, is_ours: fn(&str) -> bool) -> Result<(), LcaError> {
    for (name, path) in entries(folder)? {
        let probed = name.strip_suffix(PROBE);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
        if is_file && probed.is_some_and(is_ours) {
            remove(&path)?;
        }
    }
    Ok(())
}
