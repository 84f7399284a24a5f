//! Continuing a run.

use crate::error::LcaError;

use super::folder::RunFolder;
use super::info::{ClassInfo, IntegratorInfo, ProbeInfo, RunInfo, TensorInfo};
use super::rows::ParameterTotalRows;
use super::schema::Table;
use super::sequence::PartSequence;
use super::settings::Recorder;
use super::snapshot::{self, Snapshot};
use super::tables::Tables;

/// A run that continues.
pub(super) struct Resumed {
    pub(super) tables: Tables,
    /// The totals up to here, to continue counting.
    pub(super) totals: Option<Vec<ParameterTotalRows>>,
}

/// Brings a folder to where training continues, without the rows of later steps.
pub(super) fn continue_run(
    folder: RunFolder,
    settings: &Recorder,
    mut info: RunInfo,
    epoch: Option<u32>,
) -> Result<Resumed, LcaError> {
    let before = folder.read_info()?;
    check_model(&folder, &before, &info)?;
    check_measuring(&folder, &before, &info)?;
    folder.recover()?;
    // Before anything is changed: rows of somebody else can't be continued, nor those of a version
    // that knows more.
    for table in Table::ALL {
        if table.iteration_columns().is_some() {
            for part in PartSequence::list(&folder, table, &before.run_id)? {
                part?.into_written()?;
            }
        }
    }
    check_rows(&folder, &before)?;
    let next = next_iteration(&folder, &before, epoch)?;
    for (now, before) in info.tensors.iter_mut().zip(&before.tensors) {
        now.trainable |= before.trainable;
    }
    info.run_id = before.run_id;
    info.created = before.created;
    info.first_iteration = next;
    info.epochs = before.epochs;
    info.epochs.retain(|ended| match epoch {
        Some(epoch) => ended.epoch <= epoch,
        None => ended.next_iteration <= next,
    });
    let snapshot = Snapshot::find(&folder, next, &info);
    let reason = match &snapshot {
        Err(error) => Some(error.to_string()),
        Ok(None) if next != 0 && next != before.totals_from => {
            Some("the totals up to there were not kept".into())
        }
        Ok(_) => None,
    };
    if let Some(reason) = reason.filter(|_| settings.totals) {
        log::warn!(
            "parameter_totals of {} counts from iteration {next} on: {reason}",
            folder.path().display()
        );
    }
    let snapshot = snapshot.unwrap_or_default();
    info.totals_from = snapshot
        .as_ref()
        .map_or(next, |snapshot| snapshot.totals_from);
    // Sets the state to "running" before rows are removed: a process that dies in between must
    // not leave a run that looks finished.
    let mut tables = Tables::begin(folder.clone(), settings, info)?;
    tables.truncate(next)?;
    snapshot::restore(&folder, next, snapshot.as_ref())?;
    tables.count_rows()?;
    Ok(Resumed {
        tables,
        totals: snapshot
            .filter(|_| settings.totals)
            .map(|snapshot| snapshot.rows),
    })
}

/// Checks that the rows are still there that `run.json` knows of. Totals may be gone: they are then
/// counted anew.
fn check_rows(folder: &RunFolder, run: &RunInfo) -> Result<(), LcaError> {
    let dated = Table::ALL.into_iter();
    for table in dated.filter(|table| table.iteration_columns().is_some()) {
        let counted = run.rows.get(table.name()).copied().unwrap_or(0);
        let found = PartSequence::list(folder, table, &run.run_id)?.count()?;
        if found < counted {
            return Err(LcaError::Damaged {
                path: folder.table(table),
                problem: format!("the table has {found} rows, but run.json counts {counted}"),
                remedy: "restore its files from a copy, or add `.overwrite()` instead of resuming"
                    .into(),
            });
        }
    }
    Ok(())
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
                        "{} has not recorded the end of epoch {epoch}, only of [{}]",
                        folder.path().display(),
                        known.join(", ")
                    ),
                    "resume training from the checkpoint of one of these, or add `.overwrite()`",
                )
            })
        }
        None => {
            // A process that was killed leaves one table ahead of another.
            let mut next = end(folder, before, Table::Steps)?;
            for table in [Table::Tensors, Table::Classes] {
                if !folder.parts(table)?.is_empty() {
                    next = next.min(end(folder, before, table)?);
                }
            }
            // Steps may follow on the last row that are not observed; whoever ended the run has
            // counted them.
            let counted = before.totals.map_or(0, |totals| totals.next_iteration);
            Ok(next.max(counted))
        }
    }
}

/// Returns the first iteration that a table has no rows of, of those that have rows of every step.
fn end(folder: &RunFolder, run: &RunInfo, table: Table) -> Result<u64, LcaError> {
    let mut last_part = None;
    for part in PartSequence::list(folder, table, &run.run_id)? {
        last_part = Some(part?);
    }
    let Some((mut part, columns)) = last_part.zip(table.iteration_columns()) else {
        return Ok(0);
    };
    let mut next = 0;
    let schema = table.schema();
    let all: Vec<usize> = (0..table.columns().len()).collect();
    for group in 0..part.row_groups().len() {
        for batch in part.batches(group, &schema, &all, &all, None)? {
            let batch = batch?;
            let ends = columns.of(&batch).into_iter().flatten();
            next = ends.fold(next, |next, (_, last)| next.max(last.saturating_add(1)));
        }
    }
    Ok(next)
}

/// Checks that the run was measured as it is measured now: its rows are to be added up.
fn check_measuring(folder: &RunFolder, before: &RunInfo, now: &RunInfo) -> Result<(), LcaError> {
    let differs = |was: String, is: String, remedy: &str| {
        let problem = format!(
            "{} was measured {was}, this training is {is}",
            folder.path().display()
        );
        let remedy = format!("{remedy}, record into another folder, or add `.overwrite()` instead");
        Err(LcaError::setting("Recorder::resume", problem, remedy))
    };
    if before.observed != now.observed {
        return differs(
            format!("at {}", before.observed),
            format!("at {}", now.observed),
            "set `every` or `one_in` as they were",
        );
    }
    let [was, is] = [before, now].map(|info| format!("on probes [{}]", examples(info)));
    if was != is {
        return differs(was, is, "give the same probes");
    }
    let [was, is] = [before, now].map(|info| info.probes.iter().map(|probe| &probe.classes));
    if let Some((was, is)) = was.zip(is).find(|(was, is)| was != is) {
        let [was, is] = [was, is].map(|classes| format!("on classes [{}]", named(classes)));
        return differs(was, is, "give the same classes");
    }
    if before.seeds != now.seeds {
        let [was, is] = [before, now].map(|info| format!("with seeds {:?}", info.seeds));
        return differs(was, is, "give the same seeds");
    }
    let [was, is] = [before, now].map(|info| rule(&info.integrator));
    if was != is {
        return differs(was, is, "give the same integrator");
    }
    if before.batch_norm != now.batch_norm {
        let [was, is] = [before, now].map(|info| {
            let mode = info.batch_norm.as_deref().unwrap_or("no");
            format!("with {mode} statistics of batch normalization")
        });
        return differs(was, is, "set `batch_norm` as it was");
    }
    Ok(())
}

/// Says which examples the probes have, and how they are swept.
fn examples(info: &RunInfo) -> String {
    let probe = |probe: &ProbeInfo| match &probe.sample {
        Some(sample) => format!(
            "{} on {} samples of {} of {} examples",
            probe.name, sample.method, sample.examples, probe.examples
        ),
        None => format!("{} on all {} examples", probe.name, probe.examples),
    };
    let probes: Vec<String> = info.probes.iter().map(probe).collect();
    probes.join(", ")
}

/// Says how the integral is computed, with tolerances as exactly as their texts are read back.
fn rule(integrator: &IntegratorInfo) -> String {
    format!(
        "by the {} rule (residuals of {:.6e} and {:.6e} of the change, {} splits, {} sweeps)",
        integrator.mode,
        integrator.absolute,
        integrator.relative,
        integrator.start,
        integrator.budget
    )
}

/// Names classes with the number of their examples.
fn named(classes: &[ClassInfo]) -> String {
    let class = |class: &ClassInfo| format!("{} of {} examples", class.name, class.examples);
    let classes: Vec<String> = classes.iter().map(class).collect();
    classes.join(", ")
}

/// Checks that the run is of the model that is trained now.
fn check_model(folder: &RunFolder, before: &RunInfo, now: &RunInfo) -> Result<(), LcaError> {
    let of_now = now.tensors.iter().map(TensorInfo::identity);
    let of_before = before.tensors.iter().map(TensorInfo::identity);
    let differing = of_before.zip(of_now).find(|(before, now)| before != now);
    let problem = match differing {
        Some(((path, shape), (now_path, now_shape))) => {
            format!("it has {path} {shape:?} where this model has {now_path} {now_shape:?}")
        }
        None if before.tensors.len() != now.tensors.len() => {
            format!(
                "it has {} tensors, this one {}",
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
