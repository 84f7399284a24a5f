//! Series of the analyses as columns, in windows of steps where they would be too long for a page.

use serde::Serialize;

use crate::analysis::classes::{ClassMap, ClassMapOptions};
use crate::analysis::helping::{Helping, HelpingStep};
use crate::analysis::layers::Trajectories;
use crate::analysis::loss::LossCurve;
use crate::analysis::stats::{COLOR_PERCENTILE, color_range};
use crate::analysis::trace::Trajectory;
use crate::analysis::{ClassName, class_maps};
use crate::error::LcaError;
use crate::record::Run;

use super::columns::{Doubles, RunningSums};
use super::missing::known;

/// The loss of a probe.
#[derive(Serialize)]
pub(super) struct LossPart {
    probe: String,
    start: f64,
    /// One point in so many steps is kept, the last among them.
    every: usize,
    iterations: Doubles,
    loss: Doubles,
    explained: Doubles,
    /// The sum since the point before.
    residual: Doubles,
}

impl LossPart {
    /// Keeps at most so many points.
    pub(super) fn of(curve: LossCurve, most: usize) -> Self {
        let curve = curve.in_windows(most);
        let points = || curve.points.iter();
        Self {
            start: curve.start,
            every: curve.steps_per_window,
            iterations: Doubles::counts(points().map(|point| point.iteration)),
            loss: Doubles::of(points().map(|point| point.loss)),
            explained: Doubles::of(points().map(|point| point.explained)),
            residual: Doubles::of(points().map(|point| point.residual)),
            probe: curve.probe,
        }
    }
}

/// How many parameters help at each step.
#[derive(Serialize)]
pub(super) struct HelpingPart {
    /// Counts are sums over so many steps.
    every: usize,
    /// How many steps the smoothed fraction averages over.
    smoothing_window: usize,
    /// The last step of each sum.
    iterations: Doubles,
    helping: Doubles,
    hurting: Doubles,
    zero: Doubles,
    /// Of those that are not zero, the fraction that helps; NaN where all are zero.
    fraction: Doubles,
    /// The same, smoothed.
    smoothed: Doubles,
}

impl HelpingPart {
    /// Keeps at most so many counts of each kind.
    pub(super) fn of(helping: Helping, most: usize) -> Self {
        let helping = helping.in_windows(most);
        let count = |kind: fn(&HelpingStep) -> u64| Doubles::counts(helping.steps.iter().map(kind));
        let fraction = |kind: fn(&HelpingStep) -> Option<f64>| {
            let steps = helping.steps.iter();
            Doubles::of(steps.map(|step| kind(step).unwrap_or(f64::NAN)))
        };
        Self {
            every: helping.steps_per_window,
            smoothing_window: helping.smoothing_window,
            iterations: count(|step| step.iteration),
            helping: count(|step| step.counts.helping),
            hurting: count(|step| step.counts.hurting),
            zero: count(|step| step.counts.zero),
            fraction: fraction(|step| step.counts.fraction_of_nonzero()),
            smoothed: fraction(|step| step.smoothed_of_nonzero),
        }
    }
}

/// The LCA of layers up to and with each step.
#[derive(Serialize)]
pub(super) struct TrajectoryPart {
    probe: String,
    left_out: usize,
    /// One point in so many steps is kept, the last among them.
    every: usize,
    iterations: Doubles,
    layers: Vec<LayerPart>,
}

#[derive(Serialize)]
struct LayerPart {
    layer: String,
    parameters: u64,
    sums: Doubles,
}

impl TrajectoryPart {
    /// Keeps at most so many values of all probes and layers, if there are not more of these.
    pub(super) fn all(probes: Vec<Trajectories>, values: usize) -> Vec<Self> {
        let curves: usize = probes.iter().map(|probe| probe.layers.len()).sum();
        let points = (values / curves.max(1)).max(2);
        let part = |probe: Trajectories| {
            let probe = probe.in_windows(points);
            let layers = probe.layers.into_iter().map(|curve| LayerPart {
                layer: curve.layer,
                parameters: curve.parameters,
                sums: Doubles(curve.cumulative),
            });
            Self {
                layers: layers.collect(),
                probe: probe.probe,
                left_out: probe.left_out,
                every: probe.steps_per_window,
                iterations: Doubles::counts(probe.iterations),
            }
        };
        probes.into_iter().map(part).collect()
    }
}

/// LCA by class and layer over time, on one probe.
#[derive(Serialize)]
pub(super) struct ClassPart {
    probe: String,
    layers: Vec<String>,
    classes: Vec<ClassName>,
    /// Steps that are left out for some class.
    left_out: usize,
    /// How many steps a window has; the last one may have fewer.
    every: usize,
    steps: u64,
    /// The first iteration.
    start: u64,
    /// The last iteration of each window.
    iterations: Doubles,
    /// LCA up to and with each window, by layer, class and window.
    sums: RunningSums,
    levels: Vec<Level>,
}

/// Colours of LCA over time, where several windows make a column.
#[derive(Serialize)]
struct Level {
    /// Windows of a column.
    windows: usize,
    /// The mean LCA of a step with full colour, for each layer and for all together.
    ranges: Vec<Option<f64>>,
}

impl ClassPart {
    /// Returns one part a probe that is split by class, of at most so many values over all probes
    /// if there are not more layers and classes. `steps` are observed.
    pub(super) fn all(run: &Run, values: usize, steps: u64) -> Result<Vec<Self>, LcaError> {
        let options = ClassMapOptions::default().window_sums(values);
        let maps = known(class_maps(run, &options))?.0.unwrap_or_default();
        let part = |map: ClassMap| {
            let windows = map.windows;
            let row = windows.ends.len();
            Self {
                every: windows.steps_per_window,
                start: windows.starts.first().copied().unwrap_or(0),
                iterations: Doubles::counts(windows.ends),
                levels: levels(&windows.cumulative, row, map.classes.len(), |windowed| {
                    (windowed * windows.steps_per_window).min(steps as usize)
                }),
                sums: RunningSums {
                    sums: windows.cumulative,
                    row,
                },
                left_out: map
                    .classes
                    .iter()
                    .map(|class| class.left_out)
                    .max()
                    .unwrap_or(0),
                steps,
                probe: map.probe,
                layers: map.layers,
                classes: map.classes.into_iter().map(|class| class.class).collect(),
            }
        };
        Ok(maps.into_iter().map(part).collect())
    }

    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// Returns what rows of classes are called.
    pub(super) fn rows(&self) -> impl Iterator<Item = String> {
        let classes = self.classes.iter();
        classes.map(|class| format!("class {}", class.name))
    }
}

/// Columns over time that a narrow screen has room for.
const FEWEST_COLUMNS: usize = 40;

/// Returns the levels from one window a column on, until a handful of columns is left. `steps_of`
/// says how many steps the first so many windows have.
fn levels(
    sums: &[f64],
    windows: usize,
    classes: usize,
    steps_of: impl Fn(usize) -> usize,
) -> Vec<Level> {
    if windows == 0 {
        return Vec::new();
    }
    let level = |width: usize| {
        let mean = |row: &[f64], start: usize| {
            let end = (start + width).min(windows);
            let before = if start > 0 { row[start - 1] } else { 0.0 };
            (row[end - 1] - before) / (steps_of(end) - steps_of(start)) as f64
        };
        let means = |layer: &[f64]| -> Vec<f64> {
            let rows = layer.chunks(windows);
            let columns = (0..windows).step_by(width);
            rows.flat_map(|row| columns.clone().map(|start| mean(row, start)))
                .collect()
        };
        let by_layer: Vec<Vec<f64>> = sums.chunks(windows * classes).map(means).collect();
        let cells = by_layer.first().map_or(0, Vec::len);
        let all = (0..cells).map(|cell| by_layer.iter().map(|layer| layer[cell]).sum::<f64>());
        let ranges = by_layer.iter().map(|layer| layer.iter().copied());
        let ranges = ranges.map(|layer| color_range(layer, COLOR_PERCENTILE));
        Level {
            windows: width,
            ranges: ranges.chain([color_range(all, COLOR_PERCENTILE)]).collect(),
        }
    };
    let widths = std::iter::successors(Some(1), |width| Some(width * 2));
    let few = |width: &usize| *width == 1 || windows / width >= FEWEST_COLUMNS;
    widths.take_while(few).map(level).collect()
}

/// A parameter over time.
#[derive(Serialize)]
pub(super) struct TracePart {
    tensor: String,
    index: u32,
    lca_sum: f64,
    /// LCA and changes are sums over so many recorded steps, the gradient is their mean.
    every: usize,
    /// The last step of each.
    iterations: Doubles,
    lca: Doubles,
    step: Doubles,
    gradient: Doubles,
}

impl TracePart {
    /// Keeps at most so many points.
    pub(super) fn of(parameter: Trajectory, most: usize) -> Self {
        let (every, windows) = parameter.in_windows(most);
        Self {
            every,
            iterations: Doubles::counts(windows.iter().map(|window| window.iteration)),
            lca: Doubles::of(windows.iter().map(|window| window.lca)),
            step: Doubles::of(windows.iter().map(|window| window.step)),
            gradient: Doubles::of(windows.iter().map(|window| window.gradient)),
            tensor: parameter.tensor,
            index: parameter.index,
            lca_sum: parameter.lca,
        }
    }
}
