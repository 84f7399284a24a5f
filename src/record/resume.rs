//! Going on with a run that is there.

use crate::LcaError;

use super::folder::RunFolder;
use super::info::{RunInfo, TensorInfo};
use super::reader::PartReader;
use super::schema::Table;
use super::settings::Recorder;
use super::tables::Tables;

/// Brings a folder to where training goes on: rows of later steps are gone.
pub(super) fn go_on(
    folder: RunFolder,
    settings: &Recorder,
    mut info: RunInfo,
    epoch: Option<u32>,
) -> Result<Tables, LcaError> {
    let before = folder.read_info()?;
    check_model(&folder, &before, &info)?;
    folder.recover()?;
    let next = next_iteration(&folder, &before, epoch)?;
    info.created = before.created;
    info.first_iteration = next;
    info.epochs = before.epochs;
    info.epochs.retain(|ended| match epoch {
        Some(epoch) => ended.epoch <= epoch,
        None => ended.next_iteration <= next,
    });
    // Says "running" before rows are removed: a process that dies in between has not finished.
    let mut tables = Tables::begin(folder, settings, info)?;
    tables.truncate(next)?;
    Ok(tables)
}

/// Returns the first iteration that is trained now.
fn next_iteration(
    folder: &RunFolder,
    before: &RunInfo,
    epoch: Option<u32>,
) -> Result<u64, LcaError> {
    match epoch {
        Some(0) => Ok(0),
        Some(epoch) => {
            let ended = before.epochs.iter().find(|ended| ended.epoch == epoch);
            ended.map(|ended| ended.next_iteration).ok_or_else(|| {
                let known: Vec<String> = before
                    .epochs
                    .iter()
                    .map(|ended| ended.epoch.to_string())
                    .collect();
                LcaError::setting(
                    "Recorder::resume",
                    format!(
                        "{} has no end of epoch {epoch}, only of these: [{}]",
                        folder.path().display(),
                        known.join(", ")
                    ),
                    "resume training from the checkpoint of one of them, or add `.overwrite()`",
                )
            })
        }
        None => {
            let mut next = 0;
            for path in folder.parts(Table::Steps)? {
                let part = PartReader::open(&path, Table::Steps)?;
                next = part
                    .iterations()
                    .map_or(next, |(_, last)| next.max(last + 1));
            }
            Ok(next)
        }
    }
}

/// Fails if the run is of another model than the one that is trained now.
fn check_model(folder: &RunFolder, before: &RunInfo, now: &RunInfo) -> Result<(), LcaError> {
    let shape = |tensor: &TensorInfo| (tensor.path.clone(), tensor.shape.clone());
    let differing = before
        .tensors
        .iter()
        .map(shape)
        .zip(now.tensors.iter().map(shape))
        .find(|(before, now)| before != now);
    let problem = match differing {
        Some(((path, shape), (now_path, now_shape))) => {
            format!("{path} {shape:?} there, {now_path} {now_shape:?} here")
        }
        None if before.tensors.len() != now.tensors.len() => {
            format!(
                "{} tensors there, {} here",
                before.tensors.len(),
                now.tensors.len()
            )
        }
        None => return Ok(()),
    };
    Err(LcaError::setting(
        "Recorder::resume",
        format!(
            "{} holds a run of another model: {problem}",
            folder.path().display()
        ),
        "record into another folder, or add `.overwrite()` instead",
    ))
}
