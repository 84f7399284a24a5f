//! The gradient of a probe integrated along one step, refined until it explains the loss change.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;
use burn::train::InferenceStep;

use super::reading::{Losses, Reading};
use crate::error::LcaError;
use crate::parameters::{Segment, Values};
use crate::probe::{Chunks, EvalModel, Gradient, Measurable, Sweep};
use crate::quadrature::{Advice, Convergence, Integrator, LossChange, Mesh, Node, midpoints};

/// One step as a probe sees it.
pub(super) struct StepPath<'a, M: InferenceStep> {
    pub eval_model: &'a EvalModel<M>,
    pub integrator: &'a Integrator,
    pub segment: &'a Segment,
    pub chunks: &'a Chunks<M::Input>,
    /// The sweep at the start of the step.
    pub start: &'a Sweep,
    pub loss_before: f64,
    /// The loss that observing began with.
    pub first_loss: f64,
}

/// What integrating came to.
pub(super) struct Outcome {
    pub reading: Reading,
    /// The sweep at the end of the step.
    pub end: Sweep,
    pub splits: u16,
    /// New sweeps of the probe.
    pub sweeps: u16,
    pub convergence: Convergence,
    pub spent: Duration,
}

/// Integrates along the paths of two probes, both as finely as the harder one needs it.
pub(super) fn integrate_together<M: Measurable>(
    a: &StepPath<M>,
    b: &StepPath<M>,
) -> Result<[Outcome; 2], LcaError> {
    let [mut of_a, mut of_b] = [a.estimate()?, b.estimate()?];
    while of_a.is_open() || of_b.is_open() {
        a.refine(&mut of_a)?;
        b.refine(&mut of_b)?;
    }
    Ok([of_a.outcome, of_b.outcome])
}

/// An estimate that may be refined.
struct Estimate {
    outcome: Outcome,
    rule: EqualSplits,
    /// The sweeps at the midpoints so far, where bisecting may need them.
    inner: Vec<(f64, Sweep)>,
}

impl Estimate {
    fn is_open(&self) -> bool {
        matches!(
            self.outcome.convergence,
            Convergence::Double | Convergence::Bisect
        )
    }
}

impl<M: Measurable> StepPath<'_, M> {
    /// Integrates as finely as this probe needs it.
    pub fn integrate(&self) -> Result<Outcome, LcaError> {
        let mut estimate = self.estimate()?;
        while estimate.is_open() {
            self.refine(&mut estimate)?;
        }
        Ok(estimate.outcome)
    }

    /// Estimates the integral by the first rule.
    fn estimate(&self) -> Result<Estimate, LcaError> {
        let started = Instant::now();
        let end = self.sweep_at(&self.segment.after)?;
        let mut rule = EqualSplits::new(&self.start.gradient, &end.gradient);
        let mut inner = Vec::new();
        while rule.splits < self.integrator.start {
            self.double(&mut rule, &mut inner)?;
        }
        let reading = self.read(rule.integral(), &end.chunk_losses)?;
        Ok(Estimate {
            outcome: Outcome {
                convergence: self.judge(rule.splits, &reading),
                reading,
                end,
                splits: rule.splits,
                sweeps: rule.splits.max(1),
                spent: started.elapsed(),
            },
            rule,
            inner,
        })
    }

    /// Takes an estimate one doubling further, or bisects to the end.
    fn refine(&self, estimate: &mut Estimate) -> Result<(), LcaError> {
        let started = Instant::now();
        let Estimate {
            outcome,
            rule,
            inner,
        } = estimate;
        match outcome.convergence {
            Convergence::NotFinite => {}
            Convergence::Bisect => {
                rule.release();
                self.bisect(outcome, std::mem::take(inner))?;
            }
            _ => {
                self.double(rule, inner)?;
                outcome.reading = self.read(rule.integral(), &outcome.end.chunk_losses)?;
                outcome.convergence = self.judge(rule.splits, &outcome.reading);
                (outcome.splits, outcome.sweeps) = (rule.splits, rule.splits);
            }
        }
        outcome.spent += started.elapsed();
        Ok(())
    }

    fn judge(&self, splits: u16, reading: &Reading) -> Convergence {
        let change = self.change(reading);
        let residual = change.total() - reading.sum();
        self.integrator.judge(splits, change, residual)
    }

    fn change(&self, reading: &Reading) -> LossChange {
        LossChange {
            first: self.first_loss,
            before: self.loss_before,
            after: reading.losses.total,
        }
    }

    fn double(
        &self,
        rule: &mut EqualSplits,
        inner: &mut Vec<(f64, Sweep)>,
    ) -> Result<(), LcaError> {
        let mut sum: Option<Gradient> = None;
        for position in midpoints(rule.splits) {
            let sweep = self.sweep(position)?;
            sum = Some(match sum {
                None => sweep.gradient.clone(),
                Some(sum) => combine(&sum, &sweep.gradient, 1.0, 1.0),
            });
            if self.integrator.bisects() {
                inner.push((position, sweep));
            }
        }
        rule.double(sum);
        Ok(())
    }

    /// Bisects the intervals that miss most, until together they miss no more than is allowed.
    fn bisect(&self, outcome: &mut Outcome, inner: Vec<(f64, Sweep)>) -> Result<(), LcaError> {
        let mut known = vec![(0.0, self.start.clone()), (1.0, outcome.end.clone())];
        known.extend(inner);
        known.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let nodes = known
            .into_iter()
            .map(|(position, sweep)| Ok((self.node(position, &sweep)?, sweep.gradient)))
            .collect::<Result<Vec<_>, LcaError>>()?;
        let dtype = outcome.end.chunk_losses.dtype();
        let precision = dtype.finfo().map_or(0.0, |info| info.epsilon);
        let Some(mut mesh) = Mesh::new(nodes, precision) else {
            outcome.convergence = Convergence::NotFinite;
            return Ok(());
        };

        let allowed = self.integrator.allowed(self.change(&outcome.reading));
        let left = |outcome: &Outcome| self.integrator.budget - outcome.sweeps;
        let first = mesh.advise(allowed, left(outcome));
        if first == Advice::Bisect(0) && mesh.misses_the_start() {
            // Either the loss is steep there, or it is no longer what it was when the last step
            // ended.
            outcome.sweeps += 1;
            let again = self.sweep_at(&self.segment.before)?;
            let again = Losses::read(self.chunks, &again.chunk_losses)?.total;
            if (again - self.loss_before).abs() > mesh.residual().abs() / 2.0 {
                outcome.convergence = Convergence::Unexplained;
                return Ok(());
            }
        }
        outcome.convergence = loop {
            match mesh.advise(allowed, left(outcome)) {
                Advice::Accept => break Convergence::Converged,
                Advice::Unexplained => break Convergence::Unexplained,
                Advice::Stuck => break Convergence::Capped,
                Advice::Bisect(interval) => {
                    outcome.sweeps += 1;
                    let position = mesh.midpoint(interval);
                    let sweep = self.sweep(position)?;
                    let node = self.node(position, &sweep)?;
                    mesh.bisect(interval, node, sweep.gradient);
                }
            }
        };
        if mesh.intervals() != usize::from(outcome.splits) {
            outcome.splits = mesh.intervals() as u16;
            let integral = mesh.weighted().fold(None, |sum, (weight, gradient)| {
                Some(match sum {
                    None => scale(gradient, weight),
                    Some(sum) => combine(&sum, gradient, 1.0, weight),
                })
            });
            if let Some(integral) = integral {
                outcome.reading = self.read(&integral, &outcome.end.chunk_losses)?;
            }
        }
        Ok(())
    }

    fn sweep(&self, position: f64) -> Result<Sweep, LcaError> {
        self.sweep_at(&self.segment.at(position))
    }

    fn sweep_at(&self, point: &Values) -> Result<Sweep, LcaError> {
        let step = Some(&self.segment.step);
        self.eval_model.sweep(point, self.chunks, step)
    }

    fn node(&self, position: f64, sweep: &Sweep) -> Result<Node, LcaError> {
        let reading = self.read(&sweep.gradient, &sweep.chunk_losses)?;
        Ok(Node {
            position,
            loss: reading.losses.total,
            slope: reading.sum(),
        })
    }

    fn read(&self, gradient: &Gradient, chunk_losses: &Tensor<1>) -> Result<Reading, LcaError> {
        Reading::of(
            self.eval_model,
            self.chunks,
            self.segment,
            [gradient, &self.start.gradient],
            chunk_losses,
        )
    }
}

/// The rule with equal intervals, from coarse to fine; see [`crate::quadrature`].
struct EqualSplits {
    splits: u16,
    start: Gradient,
    end: Gradient,
    /// T(splits), from the first split on.
    trapezoid: Option<Gradient>,
    /// S(splits), from the second split on.
    simpson: Option<Gradient>,
}

impl EqualSplits {
    fn new(start: &Gradient, end: &Gradient) -> Self {
        Self {
            splits: 0,
            start: start.clone(),
            end: end.clone(),
            trapezoid: None,
            simpson: None,
        }
    }

    /// Halves all intervals; `sum` is of the gradients in their middles.
    fn double(&mut self, sum: Option<Gradient>) {
        let (Some(trapezoid), Some(sum)) = (&self.trapezoid, sum) else {
            self.trapezoid = Some(combine(&self.start, &self.end, 0.5, 0.5));
            self.splits = 1;
            return;
        };
        let weight = 1.0 / f64::from(self.splits);
        self.simpson = Some(combine(trapezoid, &sum, 1.0 / 3.0, weight * 2.0 / 3.0));
        self.trapezoid = Some(combine(trapezoid, &sum, 0.5, weight * 0.5));
        self.splits *= 2;
    }

    /// Frees the memory of what bisecting has no use for.
    fn release(&mut self) {
        (self.trapezoid, self.simpson) = (None, None);
    }

    fn integral(&self) -> &Gradient {
        self.simpson
            .as_ref()
            .or(self.trapezoid.as_ref())
            .unwrap_or(&self.start)
    }
}

/// a·x, tensor by tensor.
fn scale(x: &Gradient, a: f64) -> Gradient {
    let scaled = |x: &Tensor<2>| x.clone().mul_scalar(a);
    Gradient {
        tensors: x.tensors.iter().map(|x| x.as_ref().map(scaled)).collect(),
        halves: x.halves.as_ref().map(scaled),
    }
}

/// a·x + b·y, tensor by tensor.
fn combine(x: &Gradient, y: &Gradient, a: f64, b: f64) -> Gradient {
    let scale = |tensor: &Tensor<2>, factor: f64| match factor {
        1.0 => tensor.clone(),
        _ => tensor.clone().mul_scalar(factor),
    };
    let both = |(x, y): (&Option<Tensor<2>>, &Option<Tensor<2>>)| match (x, y) {
        (Some(x), Some(y)) if a == b => Some(scale(&(x.clone() + y.clone()), a)),
        (Some(x), Some(y)) => Some(scale(x, a) + scale(y, b)),
        _ => None,
    };
    Gradient {
        tensors: x.tensors.iter().zip(&y.tensors).map(both).collect(),
        halves: both((&x.halves, &y.halves)),
    }
}
