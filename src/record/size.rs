//! How much space a record takes on disk.

use super::info::{ProbeInfo, RunInfo};
use super::settings::Recorder;

/// Bytes of a row on disk, compressed, as measured on trainings: a test holds them to a factor of 1.5.
mod bytes {
    pub const STEP: f64 = 60.0;
    pub const TENSOR: f64 = 18.0;
    /// Of a sample, standard error and halves come with it.
    pub const SAMPLED_TENSOR: f64 = 32.0;
    pub const CLASS: f64 = 24.0;
    pub const UNIT: f64 = 3.8;
    pub const PARAMETER: f64 = 8.5;
    pub const ROUNDED_PARAMETER: f64 = 4.2;
    pub const TOTALS: f64 = 17.5;
    pub const HISTOGRAM: f64 = 550.0;
}

/// Optimizer steps that space is said for.
const STEPS: u64 = 1000;

/// Space on disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DiskSpace {
    /// Of 1,000 optimizer steps.
    pub steps: f64,
    /// Of what a run has once, however long it is.
    pub once: f64,
}

impl Recorder {
    /// Returns about how much space the record of a run takes.
    pub(crate) fn disk_space(&self, info: &RunInfo) -> DiskSpace {
        let counted = || {
            let tensors = info.tensors.iter();
            tensors.filter(|tensor| tensor.trainable && tensor.tied_to.is_none())
        };
        let tensors = counted().count() as f64;
        let parameters: u64 = counted().map(|tensor| tensor.parameters).sum();
        let units: usize = counted().map(|tensor| tensor.units).sum();

        let of_probe = |probe: &ProbeInfo| {
            let classes = probe.classes.iter().filter(|class| class.examples > 0);
            let classes = classes.count() as f64;
            let tensor = if probe.sample.is_some() {
                bytes::SAMPLED_TENSOR
            } else {
                bytes::TENSOR
            };
            bytes::STEP + tensors * (1.0 + classes) * tensor + classes * bytes::CLASS
        };
        // Where the rows of these steps begin, and the rows after them.
        let observed = info.observed;
        let rows = || {
            let starts = (0..STEPS).step_by(observed.period as usize);
            starts.map(move |start| (start, start + observed.period))
        };
        let count = rows().count() as f64;
        let mut steps = count * info.probes.iter().map(of_probe).sum::<f64>();
        let of_units = rows().filter(|&(start, next)| self.wants_units(start, next));
        steps += of_units.count() as f64 * units as f64 * bytes::UNIT;
        if let Some(window) = self.histogram_window {
            steps += count.min(STEPS as f64 / window as f64) * tensors * bytes::HISTOGRAM;
        }
        if let Some(selection) = &self.parameters {
            let of_parameters = rows()
                .filter(|&(start, next)| selection.wants_steps(start..start + observed.span, next));
            let wanted = counted().filter(|tensor| selection.wants_tensor(&tensor.path));
            let of_step: u64 = wanted
                .map(|tensor| {
                    let indices = selection.indices(&tensor.path, tensor.parameters as usize);
                    indices.map_or(tensor.parameters, |indices| indices.len() as u64)
                })
                .sum();
            let row = if selection.is_rounded() {
                bytes::ROUNDED_PARAMETER
            } else {
                bytes::PARAMETER
            };
            steps += of_parameters.count() as f64 * of_step as f64 * row;
        }
        DiskSpace {
            steps,
            once: if self.totals {
                parameters as f64 * bytes::TOTALS
            } else {
                0.0
            },
        }
    }
}
