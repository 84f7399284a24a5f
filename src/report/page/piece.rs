//! The page's data in pieces, of which the first are there at once.

use serde::Serialize;

use crate::analysis::candidates::{Candidates, CandidatesOptions};
use crate::analysis::layers::{Layers, LayersOptions};
use crate::analysis::trace::TraceOptions;
use crate::analysis::{self, ClassName, MISSING, Missing};
use crate::error::LcaError;
use crate::record::{Run, notes_of_named};

use super::budget::Budget;
use super::embed;
use super::missing::known;
use super::names::{self, ShortNames, class_text, short_names};
use super::run::{
    BasePart, ClassesPart, LayersPart, MicroscopePart, PeaksPart, TracesPart, ValuesPart,
};
use super::series::Shown;
use super::together::{ClassMeans, LayerMeans, StepMeans, ValueMeans};

/// A piece of what the page's script reads; the first is what the others are added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// What the runs are, their loss, and how many parameters helped.
    Base,
    /// Layers.
    Layers,
    /// Classes.
    Classes,
    /// Single values and parameters.
    Values,
    /// Peaks of layers.
    Peaks,
    /// What could be acted on.
    Candidates,
    /// Single parameters over time.
    Traces,
    /// Every parameter as a pixel.
    Microscope,
}

impl Piece {
    /// All pieces, from those that are there soonest.
    pub const ALL: [Self; 8] = [
        Self::Base,
        Self::Layers,
        Self::Classes,
        Self::Values,
        Self::Peaks,
        Self::Candidates,
        Self::Traces,
        Self::Microscope,
    ];

    /// Returns whether the piece is read from rows of steps, layers and classes, and so as soon as
    /// there are new ones; others ask more of the machine.
    #[must_use]
    pub fn is_quick(self) -> bool {
        matches!(self, Self::Base | Self::Layers | Self::Classes)
    }

    /// Returns the piece as JSON.
    pub(super) fn json(self, runs: &[Run]) -> Result<String, LcaError> {
        let budget = Budget::of_each(runs.len());
        match self {
            Self::Base => embed::json(&Base::of(runs, budget)?),
            Self::Layers => embed::json(&AllLayers::of(runs, budget)?),
            Self::Classes => embed::json(&AllClasses::of(runs, budget)?),
            Self::Values => embed::json(&AllValues::of(runs)?),
            Self::Peaks => each(runs, |run| PeaksPart::of(run, budget)),
            Self::Candidates => embed::json(&AllCandidates::of(runs)?),
            Self::Traces => each(runs, |run| {
                TracesPart::of(run, &TraceOptions::default(), budget)
            }),
            Self::Microscope => each(runs, |run| MicroscopePart::of(run, Shown::ALL, budget)),
        }
    }
}

/// Parts of runs, in their order.
#[derive(Serialize)]
struct Parts<P> {
    runs: Vec<P>,
}

/// Returns a part of each run as JSON.
fn each<P: Serialize>(
    runs: &[Run],
    part: impl Fn(&Run) -> Result<P, LcaError>,
) -> Result<String, LcaError> {
    let runs = runs.iter().map(part);
    embed::json(&Parts {
        runs: runs.collect::<Result<Vec<P>, _>>()?,
    })
}

/// What the page's script reads, as a whole.
#[derive(Serialize)]
pub(super) struct Data {
    runs: Vec<RunPart>,
    #[serde(flatten)]
    about: About,
    /// What several runs say together about each layer; nothing of one, or of different models.
    layers: Option<Layers>,
    #[serde(flatten)]
    step_means: StepMeans,
    #[serde(flatten)]
    layer_means: LayerMeans,
    #[serde(flatten)]
    class_means: ClassMeans,
    #[serde(flatten)]
    value_means: ValueMeans,
    #[serde(flatten)]
    candidates: AllCandidates,
}

#[derive(Serialize)]
struct RunPart {
    #[serde(flatten)]
    base: BasePart,
    #[serde(flatten)]
    layers: LayersPart,
    #[serde(flatten)]
    classes: ClassesPart,
    #[serde(flatten)]
    values: ValuesPart,
    #[serde(flatten)]
    peaks: PeaksPart,
    #[serde(flatten)]
    traces: TracesPart,
    #[serde(flatten)]
    microscope: MicroscopePart,
}

impl Data {
    pub(super) fn of(runs: &[Run], budget: Budget) -> Result<Self, LcaError> {
        let base = Base::of(runs, budget)?;
        let layers = AllLayers::of(runs, budget)?;
        let classes = AllClasses::of(runs, budget)?;
        let values = AllValues::of(runs)?;
        let of_runs = base.runs.into_iter().zip(layers.runs);
        let of_runs = of_runs.zip(classes.runs.into_iter().zip(values.runs));
        let parts = of_runs.zip(runs).map(|(parts, run)| {
            let ((base, layers), (classes, values)) = parts;
            Ok(RunPart {
                base,
                layers,
                classes,
                values,
                peaks: PeaksPart::of(run, budget)?,
                traces: TracesPart::of(run, &TraceOptions::default(), budget)?,
                microscope: MicroscopePart::of(run, Shown::ALL, budget)?,
            })
        });
        Ok(Self {
            runs: parts.collect::<Result<_, LcaError>>()?,
            about: base.about,
            layers: layers.layers,
            step_means: base.means,
            layer_means: layers.means,
            class_means: classes.means,
            value_means: values.means,
            candidates: AllCandidates::of(runs)?,
        })
    }
}

/// What is said of all runs together.
#[derive(Serialize)]
struct About {
    notes: Vec<String>,
    short_names: ShortNames,
    /// What to say of what a run has not recorded.
    missing: Missing,
}

#[derive(Serialize)]
struct Base {
    runs: Vec<BasePart>,
    #[serde(flatten)]
    about: About,
    #[serde(flatten)]
    means: StepMeans,
}

impl Base {
    fn of(runs: &[Run], budget: Budget) -> Result<Self, LcaError> {
        let names = names::names(runs);
        let notes = notes_of_named(runs, &names);
        let parts = runs.iter().zip(names);
        let parts = parts.map(|(run, name)| BasePart::of(run, name, budget));
        let classes = |run| {
            let probes = Run::info(run).probes.iter();
            let classes = probes.flat_map(|probe| &probe.classes);
            classes.map(|class| class_text(&ClassName::of(run, class.index).name))
        };
        Ok(Self {
            runs: parts.collect::<Result<_, _>>()?,
            about: About {
                notes,
                short_names: short_names(runs, runs.iter().flat_map(classes).collect()),
                missing: MISSING,
            },
            means: StepMeans::of(runs, budget)?,
        })
    }
}

#[derive(Serialize)]
struct AllLayers {
    runs: Vec<LayersPart>,
    layers: Option<Layers>,
    #[serde(flatten)]
    means: LayerMeans,
}

impl AllLayers {
    fn of(runs: &[Run], budget: Budget) -> Result<Self, LcaError> {
        let parts = runs.iter().map(|run| LayersPart::of(run, budget));
        Ok(Self {
            runs: parts.collect::<Result<_, _>>()?,
            layers: match runs {
                [_] => None,
                _ => known(analysis::layers(runs, &LayersOptions::default()))?.0,
            },
            means: LayerMeans::of(runs, budget)?,
        })
    }
}

#[derive(Serialize)]
struct AllClasses {
    runs: Vec<ClassesPart>,
    #[serde(flatten)]
    means: ClassMeans,
}

impl AllClasses {
    fn of(runs: &[Run], budget: Budget) -> Result<Self, LcaError> {
        let parts = runs
            .iter()
            .map(|run| ClassesPart::of(run, Shown::ALL, budget));
        Ok(Self {
            runs: parts.collect::<Result<_, _>>()?,
            means: ClassMeans::of(runs)?,
        })
    }
}

#[derive(Serialize)]
struct AllValues {
    runs: Vec<ValuesPart>,
    #[serde(flatten)]
    means: ValueMeans,
}

impl AllValues {
    fn of(runs: &[Run]) -> Result<Self, LcaError> {
        let parts = runs.iter().map(ValuesPart::of);
        let parts: Vec<ValuesPart> = parts.collect::<Result<_, _>>()?;
        let distributions: Vec<_> = parts.iter().map(|run| run.distribution.as_ref()).collect();
        let heroes: Vec<_> = parts.iter().map(|run| run.heroes.as_ref()).collect();
        Ok(Self {
            means: ValueMeans::of(runs, &distributions, &heroes)?,
            runs: parts,
        })
    }
}

#[derive(Serialize)]
struct AllCandidates {
    candidates: Option<Candidates>,
    candidates_missing: Option<String>,
}

impl AllCandidates {
    fn of(runs: &[Run]) -> Result<Self, LcaError> {
        let found = analysis::candidates(runs, &CandidatesOptions::default());
        let (candidates, candidates_missing) = known(found)?;
        Ok(Self {
            candidates,
            candidates_missing,
        })
    }
}
