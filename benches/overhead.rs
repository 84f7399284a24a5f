//! What an observed step costs beside the sweep of the probe that it needs.
//!
//! `cargo bench --bench overhead` measures, on the CPU, a plain forward-backward sweep of a
//! probe's chunks and an observed step over the same chunks, in turn, and prints the ratio of the
//! two: trapezoid, 10 classes, recorded as Parquet. Then the same of a step over a probe that is
//! streamed and of one over the same probe in the cache. Images are synthetic: no sweep cares.

#[path = "shared/nudge.rs"]
mod nudge;
mod shared;

use std::hint::black_box;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::{ClassificationOutput, InferenceStep};
use burn_lca::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};

use nudge::nudged;
use shared::{Batch, CLASSES, FullyConnected, Item, ItemBatcher, LeNet};

/// Pairs of times whose ratio is taken.
const PAIRS: usize = 9;
/// Examples in a chunk of a probe that is streamed.
const CHUNK: usize = 512;

/// The examples of a probe, so many of each class.
fn items(per_class: usize) -> Vec<Item> {
    let item = |k| Item::new(k as u32, k / per_class);
    (0..per_class * CLASSES).map(item).collect()
}

/// What is recorded beside the three tables of steps, tensors and classes.
#[derive(Clone, Copy)]
enum Recorded {
    Economy,
    Standard,
    Full,
}

struct Case<M: InferenceStep<Input = Batch>> {
    model: M,
    lca: burn_lca::LcaObserver<M>,
    chunks: Vec<Batch>,
    workers: usize,
    _folder: tempfile::TempDir,
}

impl<M> Case<M>
where
    M: Module + std::fmt::Display + InferenceStep<Input = Batch, Output = ClassificationOutput>,
{
    fn new(
        model: M,
        per_class: usize,
        chunks_per_class: usize,
        recorded: Recorded,
        workers: usize,
    ) -> Self {
        let device = model.devices()[0].clone();
        let items = items(per_class);
        let chunk_size = per_class.div_ceil(chunks_per_class);
        let chunks = (0..CLASSES * chunks_per_class)
            .map(|k| {
                let (class, part) = (k / chunks_per_class, k % chunks_per_class);
                let bound = |part| class * per_class + part * per_class / chunks_per_class;
                ItemBatcher.batch(items[bound(part)..bound(part + 1)].to_vec(), &device)
            })
            .collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recorder = Recorder::new(folder.path());
        let recorder = match recorded {
            Recorded::Economy => recorder.economy(),
            Recorded::Standard => recorder.standard(),
            Recorded::Full => recorder.full(),
        };
        let probe = Probe::new(InMemDataset::new(items), ItemBatcher)
            .chunk_size(chunk_size)
            .classes(CLASSES, |item: &Item| item.label);
        let lca = Lca::new(probe)
            .workers(workers)
            .integrator(Integrator::fixed(1))
            .record(recorder)
            .start(&model)
            .expect("a run that starts");
        Self {
            model,
            lca,
            chunks,
            workers,
            _folder: folder,
        }
    }

    fn plain_sweep(&self) -> Duration {
        let start = Instant::now();
        let chunks = Mutex::new(self.chunks.iter());
        let sweep = |model: &M| {
            loop {
                let Some(chunk) = chunks.lock().expect("no panic").next() else {
                    return;
                };
                black_box(model.step(chunk.clone()).loss.backward());
            }
        };
        // Threads that share the nodes of a graph wait for each other.
        let models: Vec<M> = (1..self.workers)
            .map(|_| self.model.valid().train())
            .collect();
        thread::scope(|scope| {
            for model in models {
                scope.spawn(|| {
                    let model = model;
                    sweep(&model);
                });
            }
            sweep(&self.model);
        });
        start.elapsed()
    }

    fn observed_step(&mut self) -> Duration {
        self.model = nudged(self.model.clone());
        let start = Instant::now();
        black_box(self.lca.observe(&self.model).expect("a step"));
        start.elapsed()
    }

    fn run(mut self, name: &str, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        group.bench_function("plain sweep", |bencher| {
            bencher.iter_custom(|runs| (0..runs).map(|_| self.plain_sweep()).sum());
        });
        group.bench_function("observed step", |bencher| {
            bencher.iter_custom(|runs| (0..runs).map(|_| self.observed_step()).sum());
        });
        group.finish();

        print_ratios(&format!("{name}: overhead"), || {
            let plain = self.plain_sweep().as_secs_f64();
            self.observed_step().as_secs_f64() / plain
        });
    }
}

/// Prints the ratio of two times that are measured in turn, so that a machine that slows down slows
/// down both.
fn print_ratios(name: &str, ratio: impl FnMut() -> f64) {
    let mut ratios: Vec<f64> = std::iter::repeat_with(ratio).take(PAIRS).collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "{name} {:.3} (median of {PAIRS} pairs; {:.3} to {:.3})\n",
        ratios[PAIRS / 2],
        ratios[0],
        ratios[PAIRS - 1]
    );
}

/// Compares steps over a probe that is streamed with steps over the same probe in the cache.
fn streamed<M>(name: &str, mut model: M, per_class: usize)
where
    M: Module + std::fmt::Display + InferenceStep<Input = Batch, Output = ClassificationOutput>,
{
    let items = items(per_class);
    let observer = |cached| {
        let probe = Probe::new(InMemDataset::new(items.clone()), ItemBatcher)
            .chunk_size(CHUNK)
            .classes(CLASSES, |item: &Item| item.label)
            .cache(cached);
        let lca = Lca::new(probe).integrator(Integrator::fixed(1));
        lca.start(&model).expect("a run that starts")
    };
    let [mut cached, mut streamed] = [usize::MAX, 0].map(observer);
    print_ratios(&format!("{name}: streamed against cached"), || {
        model = nudged(model.clone());
        let [cached, streamed] = [&mut cached, &mut streamed].map(|lca| {
            let start = Instant::now();
            black_box(lca.observe(&model).expect("a step"));
            start.elapsed().as_secs_f64()
        });
        streamed / cached
    });
}

fn overhead(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let fc = || FullyConnected::new(&device);
    let lenet = || LeNet::new(&device);
    for (recorded, name) in [
        (Recorded::Economy, "economy"),
        (Recorded::Standard, "standard"),
        (Recorded::Full, "full"),
    ] {
        let name = format!("MNIST-FC, 55,000 examples, {name} record");
        Case::new(fc(), 5500, 3, recorded, 1).run(&name, criterion);
    }
    let name = "LeNet, 2,500 examples, economy record";
    Case::new(lenet(), 250, 1, Recorded::Economy, 1).run(name, criterion);
    let name = "MNIST-FC, 55,000 examples, economy record, 2 threads";
    Case::new(fc(), 5500, 3, Recorded::Economy, 2).run(name, criterion);
    let name = "LeNet, 2,500 examples, economy record, 2 threads";
    Case::new(lenet(), 250, 1, Recorded::Economy, 2).run(name, criterion);
    streamed("MNIST-FC, 55,000 examples", fc(), 5500);
    streamed("LeNet, 2,500 examples", lenet(), 250);
}

criterion_group!(benches, overhead);
criterion_main!(benches);
