//! What the record costs, on data like a network's.
//!
//! `cargo test --release -- --ignored --nocapture bytes_and_rows_per_second`

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;

/// Random magnitudes.
struct RandomValues(ChaCha8Rng);

impl RandomValues {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal, which is good enough here.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// The layers of a 784-100-50-10 network: path, parameters, the share of exact zeros.
const LAYERS: [(&str, usize, f64); 6] = [
    ("fc1.weight", 78_400, 0.2),
    ("fc1.bias", 100, 0.0),
    ("fc2.weight", 5_000, 0.05),
    ("fc2.bias", 50, 0.0),
    ("fc3.weight", 500, 0.05),
    ("fc3.bias", 10, 0.0),
];

#[test]
#[ignore = "measures, for the documents"]
fn bytes_and_rows_per_second_of_a_full_record() {
    let mut random = RandomValues(ChaCha8Rng::seed_from_u64(1));
    // Gradients and steps of a parameter are alike from step to step; momentum 0.9.
    let mut state: Vec<Vec<(f64, f64)>> = LAYERS
        .iter()
        .map(|(_, count, zeros)| {
            let mut gradient = || {
                let dead = random.uniform() < *zeros;
                let magnitude = if dead {
                    0.0
                } else {
                    1e-4 * (1.5 * random.normal()).exp()
                };
                if random.uniform() < 0.5 {
                    -magnitude
                } else {
                    magnitude
                }
            };
            (0..*count).map(|_| (gradient(), 0.0)).collect()
        })
        .collect();
    let mut steps = Vec::new();
    for iteration in 0..60 {
        let mut tensors = Vec::new();
        for ((path, _, _), state) in LAYERS.iter().zip(&mut state) {
            let mut rows = ParameterRows {
                iteration,
                span: 1,
                tensor: (*path).into(),
                index: ElementIndices::All,
                lca: Vec::new(),
                step: Vec::new(),
                gradient: Vec::new(),
            };
            for (gradient, step) in state {
                let before = *gradient as f32;
                *gradient *= 1.0 + 0.1 * random.normal();
                *step = 0.9 * *step - 0.05 * f64::from(before) * (1.0 + random.normal());
                rows.step.push(*step as f32);
                rows.gradient.push(before);
                rows.lca
                    .push(*step as f32 * 0.5 * (before + *gradient as f32));
            }
            tensors.push(Rows::Parameters(rows));
        }
        steps.push(tensors);
    }
    for bits in [23, 12, 10, 8] {
        measure(steps.clone(), bits);
    }
}

fn measure(steps: Vec<Vec<Rows>>, bits: u32) {
    let folder = tempfile::tempdir().unwrap();
    let writer = RunWriter::create(
        &Recorder::new(folder.path())
            .full()
            .parameters(ParameterSelection::all().mantissa_bits(bits)),
        RunInfo::default(),
        None,
    )
    .unwrap();
    let count = 60 * LAYERS.iter().map(|layer| layer.1).sum::<usize>();
    let start = Instant::now();
    steps.into_iter().for_each(|rows| writer.write(rows));
    writer.epoch_end(1, 60);
    let written = start.elapsed();
    writer.finish(RunState::Finished).unwrap();
    let bytes: u64 = parts(folder.path(), Table::Parameters)
        .iter()
        .map(|path| std::fs::metadata(path).unwrap().len())
        .sum();
    let start = Instant::now();
    assert_eq!(iterations(folder.path(), Table::Parameters).len(), count);
    println!(
        "{bits} bits, {count} rows: {:.2} bytes a row, written at {:.1} million rows a second; iterations \
         read at {:.0} million",
        bytes as f64 / count as f64,
        count as f64 / written.as_secs_f64() / 1e6,
        count as f64 / start.elapsed().as_secs_f64() / 1e6,
    );
    let start = Instant::now();
    let run = Run::open(folder.path()).unwrap();
    let rows = read_scan(run.scan(Table::Parameters).tensor("fc3.weight")).num_rows();
    println!("{rows} rows of one small tensor in {:?}", start.elapsed());
}
