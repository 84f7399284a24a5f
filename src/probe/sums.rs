//! What the chunks of a sweep come to, added in the order of the chunks whoever is done first: a sum
//! of floats depends on its order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor};

use super::plan::Chunk;
use crate::threads::lock;

/// Gradients by tensor of the layout, flat.
pub(super) type Gradients = Vec<Option<Tensor<1>>>;

/// What one chunk comes to.
pub(super) struct Part {
    pub gradients: Gradients,
    /// Mean loss, shape [1].
    pub loss: Tensor<1>,
    /// The products of the gradients with the step, shape [tensors], where they are asked for.
    pub products: Option<Tensor<1>>,
}

/// The sums of a sweep, while its chunks come.
pub(super) struct Sums {
    /// Where the sums end up.
    device: Device,
    /// By chunk, its portion and its place in it.
    places: Vec<[usize; 2]>,
    /// By portion, of those that have chunks.
    portions: Vec<Mutex<Portion>>,
    rows: Vec<Mutex<InOrder>>,
    numbers: Mutex<Vec<Option<Numbers>>>,
    stopped: AtomicBool,
}

/// The sums of a sweep that is done.
pub(super) struct Summed {
    /// By row and tensor.
    pub rows: Vec<Gradients>,
    /// By chunk.
    pub losses: Vec<Tensor<1>>,
    pub products: Vec<Tensor<1>>,
}

struct Portion {
    row: usize,
    /// Its place in the row.
    place: usize,
    chunks: usize,
    sum: InOrder,
}

/// Loss and products of a chunk.
struct Numbers {
    loss: Tensor<1>,
    products: Option<Tensor<1>>,
}

/// A sum of what is numbered from 0 on, in the order of the numbers.
#[derive(Default)]
struct InOrder {
    next: usize,
    waiting: BTreeMap<usize, Gradients>,
    sum: Option<Gradients>,
}

impl InOrder {
    fn add(&mut self, place: usize, gradients: Gradients) {
        self.waiting.insert(place, gradients);
        while let Some(gradients) = self.waiting.remove(&self.next) {
            self.next += 1;
            let Some(sum) = &mut self.sum else {
                self.sum = Some(gradients);
                continue;
            };
            for (sum, gradient) in sum.iter_mut().zip(gradients) {
                *sum = match (sum.take(), gradient) {
                    (Some(sum), Some(gradient)) => Some(sum + gradient),
                    (sum, gradient) => sum.or(gradient),
                };
            }
        }
    }
}

impl Sums {
    /// Begins the sums of some chunks, which are to end up on a device.
    pub fn new(chunks: &[Chunk], rows: usize, device: Device) -> Self {
        let mut places = Vec::with_capacity(chunks.len());
        let mut portions = Vec::new();
        for row in chunks.chunk_by(|a, b| a.row == b.row) {
            let of_row = row.chunk_by(|a, b| a.portion == b.portion);
            for (place, portion) in of_row.enumerate() {
                places.extend((0..portion.len()).map(|place| [portions.len(), place]));
                portions.push(Mutex::new(Portion {
                    row: portion[0].row,
                    place,
                    chunks: portion.len(),
                    sum: InOrder::default(),
                }));
            }
        }
        Self {
            device,
            numbers: Mutex::new(places.iter().map(|_| None).collect()),
            places,
            portions,
            rows: (0..rows).map(|_| Mutex::default()).collect(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Adds what a chunk came to.
    pub fn add(&self, chunk: usize, part: Part) {
        let numbers = Numbers {
            loss: part.loss.to_device(&self.device),
            products: part.products.map(|it| it.to_device(&self.device)),
        };
        lock(&self.numbers)[chunk] = Some(numbers);
        let [portion, place] = self.places[chunk];
        let mut portion = lock(&self.portions[portion]);
        portion.sum.add(place, part.gradients);
        if portion.sum.next == portion.chunks
            && let Some(sum) = portion.sum.sum.take()
        {
            let (row, place) = (portion.row, portion.place);
            drop(portion);
            let moved = |tensor: Tensor<1>| tensor.to_device(&self.device);
            let sum = sum.into_iter().map(|gradient| gradient.map(moved));
            lock(&self.rows[row]).add(place, sum.collect());
        }
    }

    /// Tells all workers that the sweep has failed.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The sums, once all chunks were added, for a layout of so many tensors.
    pub fn finish(self, tensors: usize) -> Summed {
        let rows = self.rows.into_iter().map(|row| {
            let row = row.into_inner().unwrap_or_else(PoisonError::into_inner);
            row.sum.unwrap_or_else(|| vec![None; tensors])
        });
        let numbers = self.numbers.into_inner();
        let numbers = numbers.unwrap_or_else(PoisonError::into_inner);
        let numbers = numbers.into_iter().flatten();
        let (losses, products): (Vec<_>, Vec<_>) = numbers.map(|it| (it.loss, it.products)).unzip();
        Summed {
            rows: rows.collect(),
            losses,
            products: products.into_iter().flatten().collect(),
        }
    }
}
