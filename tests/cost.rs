//! What is said before the first step, against what a training then takes.

#[expect(dead_code, reason = "the network is the examples'")]
#[path = "../examples/shared/digits.rs"]
mod digits;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataset::{Dataset, InMemDataset};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::Device;
use burn::tensor::activation::relu;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use burn_lca::prelude::*;
use burn_lca::{LcaError, ParameterSelection};

use burn::data::dataloader::batcher::Batcher;
use digits::{Digit, DigitBatch, DigitBatcher};

/// How far an estimate may be off, either way.
const FACTOR: f64 = 1.5;

/// Counts the bytes that are allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Keeps what is logged.
struct Kept(Mutex<Vec<String>>);

static LOG: Kept = Kept(Mutex::new(Vec::new()));

impl log::Log for Kept {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

/// 64 → width → 10.
#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    output: Linear,
}

impl Net {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(64, width).init(device),
            output: LinearConfig::new(width, 10).init(device),
        }
    }
}

impl InferenceStep for Net {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let logits = self.output.forward(relu(self.hidden.forward(batch.images)));
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for Net {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

/// What was said, and what came of it.
struct Seen {
    said: String,
    /// Most bytes in use while steps were observed, beyond what was before.
    memory: f64,
}

/// Trains for some steps.
fn train(width: usize, steps: usize, lca: Lca<DigitBatch>) -> Result<Seen, LcaError> {
    let device = Device::flex().autodiff();
    let mut model = Net::new(width, &device);
    let batch = DigitBatcher.batch(some(64), &device);
    // Parameters are drawn when they are first used.
    drop(TrainStep::step(&model, batch.clone()));
    let mut optimizer = SgdConfig::new().init();
    let before = NOW.load(Ordering::Relaxed);
    LOG.0.lock().unwrap().clear();
    let mut lca = lca.start(&model)?;
    let logged = LOG.0.lock().unwrap();
    let said = logged
        .iter()
        .find(|line| line.contains("measuring every step"));
    let said = said.expect("what measuring costs").clone();
    drop(logged);
    let mut memory = 0;
    for _ in 0..steps {
        let grads = TrainStep::step(&model, batch.clone()).grads;
        model = optimizer.step(0.1, model, grads);
        PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
        lca.observe(&model)?;
        memory = memory.max(PEAK.load(Ordering::Relaxed).saturating_sub(before));
    }
    lca.finish()?;
    Ok(Seen {
        said,
        memory: memory as f64,
    })
}

fn some(count: usize) -> Vec<Digit> {
    let digits = digits::load().0;
    (0..count).map(|index| digits.get(index).unwrap()).collect()
}

fn probe() -> Probe<Digit, DigitBatch> {
    Probe::new(InMemDataset::new(some(100)), DigitBatcher).chunk_size(50)
}

fn by_class() -> Probe<Digit, DigitBatch> {
    probe().classes(10, |digit| usize::from(digit.label))
}

/// The bytes before some words of a text.
fn bytes(text: &str, words: &str) -> f64 {
    let before = text
        .split(words)
        .next()
        .filter(|before| before.len() < text.len());
    let mut before = before.expect(words).split_whitespace().rev();
    let unit = before.next().unwrap();
    let number: f64 = before.next().unwrap().parse().expect(text);
    number * if unit == "GB" { 1e9 } else { 1e6 }
}

fn on_disk(folder: &Path) -> f64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.metadata().unwrap() {
            folder if folder.is_dir() => on_disk(&entry.path()),
            file => file.len() as f64,
        })
        .sum()
}

fn assert_near(what: &str, said: f64, seen: f64, text: &str) {
    println!("{what}: said {said:.3e}, seen {seen:.3e}");
    assert!(
        said < FACTOR * seen && seen < FACTOR * said,
        "{what}: {said:.3e} was said, and {seen:.3e} seen; {text}"
    );
}

/// Held by every test, since one counts what the whole process allocates.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn memory_and_disk_are_what_was_said_before_the_first_step() {
    let _alone = ALONE.lock();
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let folder = tempfile::tempdir().unwrap();
    let recorder = |name: &str| Recorder::new(folder.path().join(name));

    // Matrix products keep a buffer for every core from their first use on.
    train(10_000, 3, Lca::new(probe())).unwrap();
    // 750,010 parameters, so that nothing else counts.
    let trapezoid = || Integrator::fixed(1);
    for (what, lca) in [
        ("memory", Lca::new(probe()).integrator(trapezoid())),
        (
            "memory by class",
            Lca::new(by_class()).integrator(trapezoid()),
        ),
        (
            "memory by Simpson",
            Lca::new(by_class()).integrator(Integrator::fixed(4)),
        ),
        (
            "memory with a record",
            Lca::new(probe())
                .validation(probe())
                .integrator(trapezoid())
                .record(recorder("large")),
        ),
        (
            "memory with samples",
            Lca::new(by_class().sampled(40, 1)).integrator(trapezoid()),
        ),
    ] {
        let seen = train(10_000, 3, lca).unwrap();
        assert_near(
            what,
            bytes(&seen.said, " of memory"),
            seen.memory,
            &seen.said,
        );
    }

    for (name, steps, recorder, probe) in [
        ("economy", 400, recorder("economy").economy(), by_class()),
        ("standard", 400, recorder("standard"), probe()),
        (
            "sampled",
            200,
            recorder("sampled").economy(),
            by_class().sampled(40, 1),
        ),
        ("full", 100, recorder("full").full(), probe()),
        (
            "exact",
            100,
            recorder("exact")
                .economy()
                .parameters(ParameterSelection::all()),
            probe(),
        ),
    ] {
        let lca = Lca::new(probe).integrator(trapezoid()).record(recorder);
        let seen = train(64, steps, lca).unwrap();
        let mut said = bytes(&seen.said, " on disk per 1,000 steps") * steps as f64 / 1000.0;
        if seen.said.contains(" once") {
            said += bytes(&seen.said, " once");
        }
        assert_near(name, said, on_disk(&folder.path().join(name)), &seen.said);
    }
}

/// A class for each of 1,400 examples, by 30 million parameters: 504 GB.
#[test]
fn what_cannot_fit_is_refused_by_the_name_of_the_setting() {
    let _alone = ALONE.lock();
    let next = AtomicUsize::new(0);
    let probe = Probe::new(InMemDataset::new(some(1400)), DigitBatcher)
        .classes(1400, move |_| next.fetch_add(1, Ordering::Relaxed));
    let refused = train(400_000, 1, Lca::new(probe)).err();
    let refused = refused.expect("a refusal").to_string();
    for word in [
        "Probe::classes",
        "1400 classes",
        "30000010",
        "GB",
        "leave the classes out",
    ] {
        assert!(refused.contains(word), "{refused}");
    }
}
