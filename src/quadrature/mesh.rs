//! The intervals along one step: which rule integrates each, what it misses, and which to bisect.

/// Intervals of this width are not bisected: a loss that still jumps there jumps for another
/// reason than a gradient.
const NARROWEST: f64 = 1.0 / 1024.0;

/// Residuals that differ by no more than this share of them are the same. Of 249 steps that needed
/// bisecting, of networks that leap across the loss, none came near it by chance.
const ALIKE: f64 = 0.02;

/// The share of the residual that makes a place worth a second look.
const NEARLY_ALL: f64 = 0.9;

/// Where the loss of a probe and its slope along the step are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node {
    /// From 0, the start of the step, to 1.
    pub position: f64,
    pub loss: f64,
    /// The derivative of the loss with respect to the position.
    pub slope: f64,
}

impl Node {
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.slope.is_finite()
    }
}

/// The nodes of one step, from its start to its end; intervals come from bisecting.
///
/// The halves of an interval that are not bisected further are integrated by Simpson's rule, and a
/// half whose other half is bisected further by the trapezoid. With equal intervals that is the
/// composite Simpson rule. As the loss is known at every node, every such part has its own
/// residual, and these add up to that of the step.
#[derive(Debug)]
pub(crate) struct Mesh<T> {
    nodes: Vec<Node>,
    /// What belongs to the nodes.
    values: Vec<T>,
    /// Where the loss or its gradient is not finite.
    holes: Vec<f64>,
    /// Rounding error of a loss of 1.
    precision: f64,
}

/// What to do next with a mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// The residual is within the tolerance.
    Accept,
    /// Bisect this interval, counted from 0.
    Bisect(usize),
    /// Give up: no slope between the nodes accounts for the residual.
    Unexplained,
    /// Give up: the interval that misses most can't be improved, or not with so few sweeps.
    Stuck,
}

/// A part with a rule of its own: one interval, or both halves of one.
#[derive(Debug, Clone, Copy)]
struct SimpsonPanel {
    /// The first of its intervals.
    first: usize,
    halves: bool,
    residual: f64,
}

impl<T> Mesh<T> {
    /// Makes a mesh of nodes in order of position, the first at 0 and the last at 1; nodes between
    /// them that are not finite are left out. `None` where the first or the last is not finite.
    ///
    /// `precision` is the rounding error of a loss of 1.
    pub fn new(nodes: impl IntoIterator<Item = (Node, T)>, precision: f64) -> Option<Self> {
        let (finite, others): (Vec<_>, Vec<_>) =
            nodes.into_iter().partition(|(node, _)| node.is_finite());
        let (nodes, values): (Vec<_>, Vec<_>) = finite.into_iter().unzip();
        let whole = nodes.first()?.position == 0.0 && nodes.last()?.position == 1.0;
        whole.then(|| Self {
            nodes,
            values,
            holes: others.iter().map(|(node, _)| node.position).collect(),
            precision,
        })
    }

    /// The number of intervals.
    pub fn intervals(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The middle of an interval.
    pub fn midpoint(&self, interval: usize) -> f64 {
        (self.nodes[interval].position + self.nodes[interval + 1].position) / 2.0
    }

    /// Bisects an interval at its middle. A node that is not finite is left out, and not asked for
    /// again.
    pub fn bisect(&mut self, interval: usize, node: Node, value: T) {
        if node.is_finite() {
            self.nodes.insert(interval + 1, node);
            self.values.insert(interval + 1, value);
        } else {
            self.holes.push(node.position);
        }
    }

    /// What belongs to the nodes, each with the weight of its node in the integral.
    pub fn weighted(&self) -> impl Iterator<Item = (f64, &T)> {
        let mut weights = vec![0.0; self.nodes.len()];
        for panel in panels(&self.nodes) {
            let rule: &[f64] = if panel.halves {
                &[1.0 / 3.0, 4.0 / 3.0, 1.0 / 3.0]
            } else {
                &[0.5, 0.5]
            };
            let width = width(&self.nodes, panel.first);
            for (weight, share) in weights[panel.first..].iter_mut().zip(rule) {
                *weight += share * width;
            }
        }
        weights.into_iter().zip(&self.values)
    }

    /// What the integral of the slope misses of the loss change.
    pub fn residual(&self) -> f64 {
        residual(&self.nodes)
    }

    /// What to do next, where a residual up to `tolerance` is accepted and `sweeps` are left.
    pub fn advise(&self, tolerance: f64, sweeps: u16) -> Advice {
        if self.residual().abs() <= tolerance {
            return Advice::Accept;
        }
        let panels = panels(&self.nodes);
        let Some(worst) = panels
            .iter()
            .max_by(|a, b| a.residual.abs().total_cmp(&b.residual.abs()))
        else {
            return Advice::Stuck;
        };
        let missed = |interval: usize| trapezoid_residual(&self.nodes, interval).abs();
        let interval = if worst.halves && missed(worst.first + 1) > missed(worst.first) {
            worst.first + 1
        } else {
            worst.first
        };
        let [left, right] = [interval, interval + 1].map(|node| self.nodes[node].loss.abs());
        let rounding = self.precision * left.max(right);
        // Where one of two halves is bisected, the other falls back to the trapezoid.
        let needed = 1 + u16::from(worst.halves);
        if worst.residual.abs() <= rounding || self.holes.contains(&self.midpoint(interval)) {
            Advice::Stuck
        } else if width(&self.nodes, interval) <= NARROWEST || self.is_evenly_missed() {
            Advice::Unexplained
        } else if sweeps < needed {
            Advice::Stuck
        } else {
            Advice::Bisect(interval)
        }
    }

    /// Whether nearly all of the residual is where the step starts.
    pub fn misses_the_start(&self) -> bool {
        let panels = panels(&self.nodes);
        let all: f64 = panels.iter().map(|panel| panel.residual.abs()).sum();
        panels[0].residual.abs() >= NEARLY_ALL * all
    }

    /// Whether equal intervals of two widths miss the same, and all along the step: then the
    /// integral has converged, and to something else than the loss change.
    fn is_evenly_missed(&self) -> bool {
        let intervals = self.intervals();
        let equal = (1..intervals).all(|k| width(&self.nodes, k) == width(&self.nodes, 0));
        if !equal || intervals < 4 {
            return false;
        }
        let all = self.residual();
        let coarser: Vec<Node> = self.nodes.iter().step_by(2).copied().collect();
        let left = residual(&self.nodes[..=intervals / 2]) / all;
        (residual(&coarser) - all).abs() <= ALIKE * all.abs()
            && (1.0 / 3.0..=2.0 / 3.0).contains(&left)
    }
}

fn width(nodes: &[Node], interval: usize) -> f64 {
    nodes[interval + 1].position - nodes[interval].position
}

fn trapezoid_residual(nodes: &[Node], interval: usize) -> f64 {
    let [left, right] = [nodes[interval], nodes[interval + 1]];
    right.loss - left.loss - width(nodes, interval) * (left.slope + right.slope) / 2.0
}

fn residual(nodes: &[Node]) -> f64 {
    panels(nodes).iter().map(|panel| panel.residual).sum()
}

fn panels(nodes: &[Node]) -> Vec<SimpsonPanel> {
    let intervals = nodes.len() - 1;
    let mut panels = Vec::new();
    let mut first = 0;
    while first < intervals {
        let width_of_first = width(nodes, first);
        // Positions are multiples of powers of two, and exact.
        let halves = first + 1 < intervals
            && width(nodes, first + 1) == width_of_first
            && (nodes[first].position / (2.0 * width_of_first)).fract() == 0.0;
        let residual = if halves {
            let [left, middle, right] = [0, 1, 2].map(|k| nodes[first + k]);
            let slopes = left.slope + 4.0 * middle.slope + right.slope;
            right.loss - left.loss - width_of_first / 3.0 * slopes
        } else {
            trapezoid_residual(nodes, first)
        };
        panels.push(SimpsonPanel {
            first,
            halves,
            residual,
        });
        first += 1 + usize::from(halves);
    }
    panels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss along a step with the slope that it is said to have.
    struct TestPath {
        loss: fn(f64) -> f64,
        slope: fn(f64) -> f64,
    }

    const fn path(loss: fn(f64) -> f64, slope: fn(f64) -> f64) -> TestPath {
        TestPath { loss, slope }
    }

    impl TestPath {
        fn node(&self, position: f64) -> Node {
            Node {
                position,
                loss: (self.loss)(position),
                slope: (self.slope)(position),
            }
        }

        /// The mesh with equal intervals.
        fn equal(&self, intervals: u32) -> Mesh<()> {
            let position = |k| f64::from(k) / f64::from(intervals);
            let nodes = (0..=intervals).map(|k| (self.node(position(k)), ()));
            Mesh::new(nodes, 1e-15).unwrap()
        }

        /// Bisects from four equal intervals on, as often as allowed.
        fn bisected(&self, tolerance: f64, sweeps: u16) -> (Mesh<()>, Advice) {
            let mut mesh = self.equal(4);
            loop {
                match mesh.advise(tolerance, sweeps - mesh.intervals() as u16) {
                    Advice::Bisect(interval) => {
                        mesh.bisect(interval, self.node(mesh.midpoint(interval)), ());
                    }
                    advice => return (mesh, advice),
                }
            }
        }
    }

    /// The slope falls from 1 to 0 at 0.3, within about 1/200: L = ∫ σ((0.3 − x)/w).
    const STEEP: TestPath = path(
        |x| -W * ((0.3 - x) / W).exp().ln_1p(),
        |x| 1.0 / (1.0 + ((x - 0.3) / W).exp()),
    );
    const W: f64 = 1e-3;

    /// Simpson's rule errs by h⁴ f⁗/180 · length, and the slope x⁴ has f⁗ = 24.
    const QUINTIC: TestPath = path(|x| x.powi(5) / 5.0, |x| x.powi(4));

    /// A kink at an irrational position.
    const KINK: TestPath = path(
        |x| (x - std::f64::consts::FRAC_1_PI).abs(),
        |x| (x - std::f64::consts::FRAC_1_PI).signum(),
    );

    #[test]
    fn equal_intervals_are_the_trapezoid_and_composite_simpson() {
        assert_eq!(QUINTIC.equal(1).residual(), 0.2 - 0.5);
        for intervals in [2, 4, 8, 16] {
            let expected = -24.0 / (180.0 * f64::from(intervals).powi(4));
            let residual = QUINTIC.equal(intervals).residual();
            assert!((residual - expected).abs() < 1e-14, "{intervals}");
        }
        let mesh = QUINTIC.equal(4);
        let weights = mesh.weighted().map(|(weight, ())| weight);
        for (weight, expected) in weights.zip([1.0, 4.0, 2.0, 4.0, 1.0]) {
            assert!((weight - expected / 12.0).abs() < 1e-15);
        }
    }

    /// The intervals 0, ½, ⅝, ¾, 1: a trapezoid, Simpson over two eighths, a trapezoid.
    #[test]
    fn a_half_whose_other_half_is_bisected_is_a_trapezoid() {
        let mut mesh = QUINTIC.equal(2);
        mesh.bisect(1, QUINTIC.node(0.75), ());
        mesh.bisect(1, QUINTIC.node(0.625), ());
        let [trapezoid, simpson] = [1.0 / 4.0, 1.0 / 24.0];
        let expected = [
            trapezoid,
            trapezoid + simpson,
            4.0 * simpson,
            simpson + trapezoid / 2.0,
            trapezoid / 2.0,
        ];
        for ((weight, ()), expected) in mesh.weighted().zip(expected) {
            assert!((weight - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn residuals_of_the_parts_and_weighted_slopes_both_give_the_residual_of_the_step() {
        for path in [STEEP, QUINTIC, KINK] {
            let (mesh, _) = path.bisected(0.0, 23);
            let weights = mesh.weighted().map(|(weight, ())| weight);
            let integral: f64 = weights
                .zip(&mesh.nodes)
                .map(|(weight, node)| weight * node.slope)
                .sum();
            let change = (path.loss)(1.0) - (path.loss)(0.0);
            assert!((mesh.residual() - (change - integral)).abs() < 1e-14);
        }
    }

    #[test]
    fn bisection_meets_a_tolerance_that_32_equal_intervals_miss() {
        for path in [STEEP, KINK] {
            assert!(path.equal(32).residual().abs() > 2e-3);
            let (mesh, advice) = path.bisected(1e-3, 32);
            assert_eq!(advice, Advice::Accept);
            assert!(mesh.residual().abs() <= 1e-3);
            assert!(mesh.intervals() <= 16, "{} sweeps", mesh.intervals());
        }
    }

    #[test]
    fn bisection_ends_where_rounding_is_all_that_is_left() {
        let rounded = path(|x| f64::from((1.0 + x.powi(5) / 5.0) as f32), |x| x.powi(4));
        let mut mesh = rounded.equal(4);
        mesh.precision = f32::EPSILON.into();
        while let Advice::Bisect(interval) = mesh.advise(0.0, 9) {
            mesh.bisect(interval, rounded.node(mesh.midpoint(interval)), ());
            assert!(mesh.intervals() < 100);
        }
        assert_eq!(mesh.advise(0.0, 9), Advice::Stuck);
        assert!(mesh.residual().abs() < 1e-6);
    }

    #[test]
    fn a_loss_that_its_slope_does_not_explain_is_given_up_at_once() {
        let steep = path(|x| 1.3 * x.exp(), |x| x.exp());
        let (mesh, advice) = steep.bisected(1e-3, 32);
        assert_eq!((mesh.intervals(), advice), (4, Advice::Unexplained));
    }

    #[test]
    fn a_jump_is_given_up_once_it_is_in_a_narrow_interval() {
        let jump = path(|x| x + f64::from(x > 0.7), |_| 1.0);
        let (mesh, advice) = jump.bisected(1e-3, 1000);
        assert_eq!(advice, Advice::Unexplained);
        assert!(mesh.intervals() < 16, "{}", mesh.intervals());
        assert!(!mesh.misses_the_start());
        let stale = path(|x| x + f64::from(x > 0.0), |_| 1.0);
        assert!(stale.equal(4).misses_the_start());
    }

    #[test]
    fn a_node_that_is_not_finite_is_left_out_and_not_asked_for_again() {
        let mut mesh = STEEP.equal(4);
        let Advice::Bisect(interval) = mesh.advise(1e-3, 9) else {
            panic!("the steep place is between two nodes");
        };
        let residual = mesh.residual();
        let sick = Node {
            loss: f64::NAN,
            ..STEEP.node(mesh.midpoint(interval))
        };
        mesh.bisect(interval, sick, ());
        assert_eq!((mesh.intervals(), mesh.residual()), (4, residual));
        assert_eq!(mesh.advise(1e-3, 9), Advice::Stuck);
    }
}
