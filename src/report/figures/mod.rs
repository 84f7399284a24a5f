//! Figures for papers and slides, one file a figure, each from the result of an analysis to an SVG.
//!
//! Marks carry the numbers that they stand for (`data-value`, `data-x`, `data-y`), and panels
//! their axes (`data-x`, `data-y`: from, to, scale) and position (`data-area`: left, top, width,
//! height), so that a program can read a figure back. Lines of very many points keep the lowest
//! and highest of what falls together.

mod classes;
mod distribution;
mod helping;
mod heroes;
mod largest;
mod layers;
mod loss;
mod options;
mod overlay;
mod peaks;
mod sets;
mod setting;
mod shares;
mod trace;
mod trajectories;
mod units;
mod whisker;

#[cfg(test)]
mod tests;

use crate::analysis::classes::{ClassMap, MeanClassMap};
use crate::analysis::distribution::Distribution;
use crate::analysis::helping::{Helping, LayerHelping};
use crate::analysis::layers::{Layers, Trajectories};
use crate::analysis::loss::LossCurve;
use crate::analysis::noise::Heroes;
use crate::analysis::overlay::Overlay;
use crate::analysis::peaks::Peaks;
use crate::analysis::sets::SetLayers;
use crate::analysis::setting::Setting;
use crate::analysis::shares::Shares;
use crate::analysis::trace::Trace;
use crate::analysis::units::LayerUnitMap;
use crate::error::LcaError;

pub use options::FigureOptions;

/// A figure: what an analysis found, to be drawn.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Figure<'a> {
    /// The loss of every probe against loss(0) + ΣLCA, with the residual of each step below.
    Loss(&'a [LossCurve]),
    /// The percentage of parameters that help at each step: of all, and without exact zeros.
    Helping(&'a Helping),
    /// The percentage of each layer's parameters that help at each step, without exact zeros.
    HelpingByLayer(&'a [LayerHelping]),
    /// How large the LCA of single parameters is, with the distributions fitted to it.
    Distribution(&'a Distribution),
    /// How large those near the mean are, on a linear axis.
    DistributionAroundMean(&'a Distribution),
    /// How often each parameter helps, and how often it would by chance.
    Heroes(&'a Heroes),
    /// The LCA of every layer, summed and per parameter; of several runs the mean,
    /// the standard deviation and every run.
    Layers(&'a Layers),
    /// The cumulative LCA of the layers, one panel per probe.
    Trajectories(&'a [Trajectories]),
    /// The LCA of every layer in several sets of runs, side by side: mean, standard deviation and
    /// every run.
    Sets(&'a [SetLayers]),
    /// The LCA of every layer against a number that was set for each run, with the straight line
    /// through it.
    Setting(&'a Setting),
    /// The same curves of several sets of runs over each other, with mean and deviation.
    Overlay(&'a Overlay),
    /// The histograms of several sets of runs over each other, with mean and deviation.
    Shares(&'a Shares),
    /// Step, gradient and LCA of single parameters.
    Trace(&'a Trace),
    /// The peaks of each layer and class; filled where those of several layers coincide.
    Peaks(&'a Peaks),
    /// LCA by class and layer on one probe, and below it by class over time.
    Classes(&'a ClassMap),
    /// The same of several runs: the mean, with the deviation.
    ClassMeans(&'a MeanClassMap),
    /// The LCA of every layer's units over time, each layer with its own colours.
    Units(&'a [LayerUnitMap]),
}

impl Figure<'_> {
    /// Returns the figure as an SVG.
    ///
    /// # Errors
    ///
    /// [`LcaError::Setting`] if the width or height is not from 200 to 4,000 points.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
    /// # let folder = example::recorded_run();
    /// use burn_lca::analysis::{layers, layers::LayersOptions};
    /// use burn_lca::report::{export, figures::{Figure, FigureOptions}};
    ///
    /// let run = burn_lca::Run::open(folder.path())?;
    /// let layers = layers(&[run], &LayersOptions::default())?;
    /// let svg = Figure::Layers(&layers).draw(&FigureOptions::default())?;
    /// assert!(svg.contains("hidden") && svg.contains("output"));
    /// // The extension says the format: .svg, .png or .pdf.
    /// export::write(&svg, &folder.path().join("layers.pdf"))?;
    /// # Ok::<(), burn_lca::LcaError>(())
    /// ```
    pub fn draw(self, options: &FigureOptions) -> Result<String, LcaError> {
        let options = &options.checked()?;
        Ok(match self {
            Self::Loss(curves) => loss::draw(curves, options),
            Self::Helping(helping) => helping::draw(helping, options),
            Self::HelpingByLayer(layers) => helping::draw_by_layer(layers, options),
            Self::Distribution(distribution) => distribution::draw(distribution, options),
            Self::DistributionAroundMean(distribution) => {
                distribution::draw_around_mean(distribution, options)
            }
            Self::Heroes(heroes) => heroes::draw(heroes, options),
            Self::Layers(layers) => layers::draw(layers, options),
            Self::Trajectories(probes) => trajectories::draw(probes, options),
            Self::Sets(sets) => sets::draw(sets, options),
            Self::Setting(setting) => setting::draw(setting, options),
            Self::Overlay(overlay) => overlay::draw(overlay, options),
            Self::Shares(shares) => shares::draw(shares, options),
            Self::Trace(trace) => trace::draw(trace, options),
            Self::Peaks(peaks) => peaks::draw(peaks, options),
            Self::Classes(map) => classes::draw(map, options),
            Self::ClassMeans(map) => classes::draw_mean(map, options),
            Self::Units(layers) => units::draw(layers, options),
        })
    }
}
