//! Digits to train on, and loaders whose order a test can rely on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use burn::data::dataloader::{DataLoader, DataLoaderBuilder, DataLoaderIterator, Progress};
use burn::data::dataset::{Dataset, DatasetError, InMemDataset};
use burn::tensor::Device;
use burn_lca::Probe;

use crate::digits::{Digit, DigitBatch, DigitBatcher, load};

pub const CLASSES: usize = 10;
pub const BATCH: usize = 32;
/// Six full batches and one of 8.
pub const EXAMPLES: usize = 200;
pub const BATCHES: usize = 7;
const VALIDATION_EXAMPLES: usize = 64;

pub type Digits = Arc<dyn Dataset<Digit>>;
pub type Loader = Arc<dyn DataLoader<DigitBatch>>;

static DIGITS: LazyLock<(Vec<Digit>, Vec<Digit>)> = LazyLock::new(|| {
    let (training, validation) = load();
    let first = |dataset: &InMemDataset<Digit>, count| {
        (0..count)
            .map(|index| dataset.get(index).unwrap())
            .collect()
    };
    (
        first(&training, EXAMPLES),
        first(&validation, VALIDATION_EXAMPLES),
    )
});

pub fn training() -> Digits {
    Arc::new(InMemDataset::new(DIGITS.0.clone()))
}

/// More digits than are swept whole where nothing is set.
pub fn many() -> Digits {
    load().0
}

/// The first of the training digits.
pub fn first(count: usize) -> Digits {
    Arc::new(InMemDataset::new(DIGITS.0[..count].to_vec()))
}

pub fn validation() -> Digits {
    Arc::new(InMemDataset::new(DIGITS.1.clone()))
}

/// The training digits by class, in chunks that no timing decides.
pub fn by_class() -> Probe<Digit, DigitBatch> {
    probe(training()).classes(CLASSES, class_of)
}

pub fn probe(digits: Digits) -> Probe<Digit, DigitBatch> {
    Probe::new(digits, DigitBatcher).chunk_size(64)
}

pub fn class_of(digit: &Digit) -> usize {
    digit.label.into()
}

/// A loader over digits; with several workers its batches are put in order.
pub fn loader(digits: Digits, workers: usize, shuffle: Option<u64>) -> Loader {
    let mut loader = DataLoaderBuilder::new(DigitBatcher)
        .batch_size(BATCH)
        .num_workers(workers);
    if let Some(seed) = shuffle {
        loader = loader.shuffle(seed);
    }
    let loader = loader.build(digits);
    match workers {
        0 | 1 => loader,
        _ => Arc::new(Sorted(loader)),
    }
}

/// The labels and the bits of all pixels of a batch, in the order of its examples.
pub fn contents(batch: &DigitBatch) -> Vec<u32> {
    let labels = batch.labels.to_data();
    let images = batch.images.to_data();
    let bits = images.iter::<f32>().map(f32::to_bits);
    labels.iter::<u32>().chain(bits).collect()
}

/// The batches of a loader whose workers race, in an order of their own for every epoch: what
/// the batches hold is the workers' shuffles.
struct Sorted(Loader);

struct SortedBatches {
    batches: std::vec::IntoIter<DigitBatch>,
    progress: Progress,
}

impl DataLoader<DigitBatch> for Sorted {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<DigitBatch> + 'a> {
        let mut batches: Vec<DigitBatch> = self.0.iter().map(Result::unwrap).collect();
        batches.sort_by_cached_key(contents);
        Box::new(SortedBatches {
            batches: batches.into_iter(),
            progress: Progress::new(0, self.num_items(), Some("items".to_owned())),
        })
    }

    fn num_items(&self) -> usize {
        self.0.num_items()
    }

    fn to_device(&self, device: &Device) -> Loader {
        Arc::new(Self(self.0.to_device(device)))
    }

    fn slice(&self, start: usize, end: usize) -> Loader {
        Arc::new(Self(self.0.slice(start, end)))
    }
}

impl Iterator for SortedBatches {
    type Item = Result<DigitBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        self.progress.items_processed += batch.labels.dims()[0];
        Some(Ok(batch))
    }
}

impl DataLoaderIterator<DigitBatch> for SortedBatches {
    fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

/// The training digits on a disk that breaks after some reads.
pub struct Breaking {
    pub digits: Digits,
    pub reads_left: AtomicUsize,
}

pub const BROKEN: &str = "sector 12 can't be read";

impl Dataset<Digit> for Breaking {
    fn get(&self, index: usize) -> Result<Digit, DatasetError> {
        let left = |left: usize| left.checked_sub(1);
        match self
            .reads_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
        {
            Ok(_) => self.digits.get(index),
            Err(_) => Err(DatasetError::new(std::io::Error::other(BROKEN))),
        }
    }

    fn len(&self) -> usize {
        self.digits.len()
    }
}
