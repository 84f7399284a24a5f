//! Whether runs are different runs of one model, so that their tensors can be compared.

use std::collections::HashSet;

use crate::error::LcaError;
use crate::record::Run;

/// Fails without a run, if one is given twice, or if the runs' models differ in a tensor;
/// `analysis` is who asks.
pub(super) fn require_alike(analysis: &'static str, runs: &[Run]) -> Result<(), LcaError> {
    require_different(analysis, runs)?;
    let Some((first, others)) = runs.split_first() else {
        return Ok(());
    };
    for other in others {
        if let Some(difference) = difference(first, other) {
            return Err(LcaError::setting(
                analysis,
                format!(
                    "{} and {} have different tensors: {difference}",
                    first.folder().display(),
                    other.folder().display()
                ),
                "give runs of one model, or one run at a time",
            ));
        }
    }
    Ok(())
}

/// Fails without a run, or if one is given twice; `who` asks.
pub(crate) fn require_different(who: &'static str, runs: &[Run]) -> Result<(), LcaError> {
    if runs.is_empty() {
        return Err(LcaError::setting(
            who,
            "there is no run",
            "give one or more",
        ));
    }
    let mut folders = HashSet::new();
    for run in runs {
        // A copy would pass for a run that agrees.
        let folder = run.folder();
        if !folders.insert(folder.canonicalize().unwrap_or(folder.to_owned())) {
            return Err(LcaError::setting(
                who,
                format!("{} is given twice", folder.display()),
                "give each run once",
            ));
        }
    }
    Ok(())
}

/// Returns the first difference between the tensors of two runs.
fn difference(a: &Run, b: &Run) -> Option<String> {
    let (a, b) = (&a.info().tensors, &b.info().tensors);
    for (tensor, other) in a.iter().zip(b) {
        if tensor.path != other.path {
            return Some(format!(
                "{} is where the other has {}",
                tensor.path, other.path
            ));
        }
        if tensor.shape != other.shape {
            return Some(format!(
                "{} is of shape {:?} and {:?}",
                tensor.path, tensor.shape, other.shape
            ));
        }
    }
    let extra = a.get(b.len()).or(b.get(a.len()));
    extra.map(|tensor| format!("only one has {}", tensor.path))
}
