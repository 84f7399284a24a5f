//! Which sums are asked for.

use crate::record::Run;

use super::super::grouping::Grouping;
use super::super::names::main_probe;
use super::super::options::options;

options! {
    /// Settings of [`layers`](super::layers()).
    pub struct LayersOptions {
        /// What LCA is summed over.
        pub by: Grouping = Grouping::Layer,
        /// The probe whose loss is split, by name; `None` is the training probe.
        pub probe: Option<String> = None,
        /// The class whose loss is split; `None` is all classes together.
        pub class: Option<i32> = None,
        /// The seed of the sign flips that are drawn where there are too many to enumerate.
        pub seed: u64 = 0,
    }
}

impl LayersOptions {
    /// Returns the probe that is asked for.
    pub(super) fn probe_of<'a>(&'a self, run: &'a Run) -> &'a str {
        self.probe.as_deref().unwrap_or(main_probe(run))
    }
}
