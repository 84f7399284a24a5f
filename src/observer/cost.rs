//! What measuring will cost, said before the first step.

use std::time::Duration;

use crate::probe::{Chunks, said};
use crate::quadrature::Integrator;
use crate::record::{DiskSpace, ObservedInfo};

/// What every observed step costs.
#[derive(Debug)]
pub(crate) struct Cost {
    probes: Vec<ProbeCost>,
    observed: ObservedInfo,
    /// Whether hard steps take more sweeps.
    refines: bool,
    /// Bytes beside the forward pass of one chunk.
    pub memory: u64,
    /// Whether the cached examples are counted.
    counts_examples: bool,
    pub disk: Option<DiskSpace>,
}

#[derive(Debug)]
struct ProbeCost {
    name: String,
    sweeps: u16,
    swept: usize,
    examples: usize,
    /// Size of a block, where samples are drawn in blocks.
    block: Option<usize>,
    chunks: usize,
    workers: usize,
    /// Of the first sweep.
    spent: Duration,
}

impl Cost {
    /// Counts the sweeps of some probes, whose first sweep took so long.
    pub fn of<'a, B: 'a>(
        probes: impl Iterator<Item = (&'a Chunks<B>, Duration)>,
        observed: ObservedInfo,
        integrator: &Integrator,
        memory: u64,
        disk: Option<DiskSpace>,
    ) -> Self {
        let mut kept = Some(0);
        let probes = probes.map(|(chunks, spent)| {
            kept = kept.zip(chunks.kept).map(|(sum, bytes)| sum + bytes);
            ProbeCost {
                name: chunks.name.clone(),
                // Where a step begins, the last one ended, but on another sample or elsewhere.
                sweeps: integrator.start.max(1)
                    + u16::from(chunks.sampler.is_some() || observed.leaves_out()),
                swept: chunks.rows.iter().map(|row| row.swept).sum(),
                examples: chunks.examples,
                block: chunks.is_in_blocks().then_some(chunks.chunk_size),
                chunks: chunks.chunks.len(),
                workers: chunks.threads(),
                spent,
            }
        });
        let probes = probes.collect();
        Self {
            probes,
            observed,
            refines: integrator.budget > integrator.start.max(1),
            memory: memory + kept.unwrap_or(0),
            counts_examples: kept.is_some(),
            disk,
        }
    }

    /// Examples that a row takes through a forward and a backward pass.
    fn examples(&self) -> usize {
        let of_each = self.probes.iter();
        of_each
            .map(|probe| usize::from(probe.sweeps) * probe.swept)
            .sum()
    }

    /// Says it in one line. Where it is known how many examples a training step takes, time is counted
    /// in examples.
    pub fn said(&self, of_a_step: Option<usize>) -> String {
        let probes: Vec<String> = self.probes.iter().map(ProbeCost::said).collect();
        let period = self.observed.period as f64;
        let time = match of_a_step {
            Some(examples) => {
                let times = self.examples() as f64 / examples as f64 / period;
                format!("{times:.1} times the time of training")
            }
            None => {
                let sweeps = self.probes.iter();
                let spent = sweeps.map(|probe| probe.spent * u32::from(probe.sweeps));
                let seconds = spent.sum::<Duration>().as_secs_f64() / period;
                format!("about {seconds:.2} s a step")
            }
        };
        let workers = self.probes.iter().map(|probe| probe.workers);
        let workers = workers.max().unwrap_or(1);
        let disk = match self.disk {
            None => "nothing recorded".to_owned(),
            Some(disk) if disk.once > 0.0 => format!(
                "{} on disk per 1,000 steps and {} once",
                said(disk.steps as u64),
                said(disk.once as u64)
            ),
            Some(disk) => format!("{} on disk per 1,000 steps", said(disk.steps as u64)),
        };
        format!(
            "measuring {} takes {}{}, {time}; {} of memory beside {}; {disk}",
            self.observed,
            if self.refines { "at least " } else { "" },
            probes.join(" and "),
            said(self.memory),
            match (self.counts_examples, workers) {
                (true, 1) => "a chunk's pass".to_owned(),
                (true, _) => format!("the passes of {workers} chunks"),
                (false, 1) => "the examples and a chunk's pass".to_owned(),
                (false, _) => format!("the examples and the passes of {workers} chunks"),
            }
        )
    }
}

impl ProbeCost {
    fn said(&self) -> String {
        let Self {
            name,
            sweeps,
            swept,
            examples,
            ..
        } = self;
        let sweeps = match sweeps {
            1 => "1 sweep".to_owned(),
            _ => format!("{sweeps} sweeps"),
        };
        let blocks = match self.block {
            Some(size) => format!(" ({} blocks of {size})", self.chunks),
            None => String::new(),
        };
        if swept == examples {
            format!("{sweeps} of all {examples} {name} examples")
        } else {
            format!("{sweeps} of a fresh {swept} of {examples} {name} examples{blocks}")
        }
    }
}
