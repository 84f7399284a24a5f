//! The batches of a probe's chunks: kept on the device where there are few examples, else made by
//! workers while the device computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use burn::tensor::Device;

use super::examples::Examples;
use super::room::Room;
use crate::error::LcaError;
use crate::threads::{lock, panic_message};

/// Threads that make the batches of a probe that is not kept. Each is one batch ahead, so this is
/// also how many wait on the device.
const WORKERS: usize = 4;

/// Makes batches of a probe's examples.
pub(super) struct Source<B> {
    pub probe: String,
    pub examples: Box<dyn Examples<B>>,
}

/// The batches of the chunks that one device sweeps, in their order.
pub(super) enum Batches<B> {
    /// Behind a lock, since several threads take them, and a batch need not be `Sync`.
    Cached(Mutex<Vec<B>>),
    Streamed(Box<Stream<B>>),
}

/// Batches that are made anew for every sweep.
pub(super) struct Stream<B> {
    source: Arc<Source<B>>,
    device: Device,
    /// The examples of each batch.
    parts: Arc<[Box<[usize]>]>,
    /// Those that make the batches from the first sweep on; batch k is made by worker k modulo their
    /// number.
    workers: Mutex<Vec<Worker<B>>>,
}

/// A thread that makes every nth batch, over and over.
struct Worker<B> {
    /// Taken first when the worker is dropped, which ends the thread.
    batches: Option<Receiver<Result<B, LcaError>>>,
    thread: Option<JoinHandle<()>>,
}

/// One pass over batches, by any number of threads. There is one at a time.
pub(super) struct Pass<'a, B> {
    batches: &'a Batches<B>,
    next: Mutex<usize>,
    count: usize,
}

/// Makes the batch of some examples. A dataset or batcher that panics is one that can't be read.
pub(super) fn make<B>(
    probe: &str,
    examples: &dyn Examples<B>,
    indices: &[usize],
    device: &Device,
) -> Result<B, LcaError> {
    let made = catch_unwind(AssertUnwindSafe(|| examples.batch(indices, device)));
    let made = made.unwrap_or_else(|panic| {
        Err(format!(
            "making a batch panicked: {}",
            panic_message(&*panic)
        ))
    });
    made.map_err(|problem| LcaError::Examples {
        probe: probe.to_owned(),
        problem,
    })
}

impl<B> Source<B> {
    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, LcaError> {
        make(&self.probe, &*self.examples, indices, device)
    }

    /// The batches of these examples, kept if they are asked for. Before training it is checked that
    /// there is room for them; later on, what training takes can't be told from what they take.
    pub fn batches(
        self: &Arc<Self>,
        parts: Vec<Box<[usize]>>,
        device: &Device,
        keep: bool,
        room: Option<&Room>,
    ) -> Result<Batches<B>, LcaError> {
        if !keep {
            return Ok(Batches::Streamed(Box::new(Stream {
                source: Arc::clone(self),
                device: device.clone(),
                parts: parts.into(),
                workers: Mutex::default(),
            })));
        }
        let examples: usize = parts.iter().map(|part| part.len()).sum();
        let mut batches = Vec::with_capacity(parts.len());
        let mut read = 0;
        for part in parts {
            if let Some(room) = room {
                room.check(device, [read, examples])?;
            }
            batches.push(self.batch(&part, device)?);
            read += part.len();
        }
        Ok(Batches::Cached(Mutex::new(batches)))
    }
}

impl<B> Batches<B> {
    /// Leaves out the batches that are not `wanted`.
    pub fn retain(&mut self, wanted: &[bool]) {
        let mut wanted = wanted.iter().copied();
        match self {
            Self::Cached(batches) => lock(batches).retain(|_| wanted.next().unwrap_or(true)),
            Self::Streamed(stream) => {
                // They would go on with the old parts.
                lock(&stream.workers).clear();
                let parts = stream.parts.iter();
                let parts = parts.filter(|_| wanted.next().unwrap_or(true));
                stream.parts = parts.cloned().collect();
            }
        }
    }

    /// Begins a pass over the batches.
    pub fn pass(&self) -> Pass<'_, B> {
        Pass {
            batches: self,
            next: Mutex::new(0),
            count: match self {
                Self::Cached(batches) => lock(batches).len(),
                Self::Streamed(stream) => stream.parts.len(),
            },
        }
    }
}

impl<B: Clone + Send + 'static> Pass<'_, B> {
    /// The next batch with its place; `None` after the last.
    pub fn next(&self) -> Option<Result<(usize, B), LcaError>> {
        let mut next = lock(&self.next);
        let place = *next;
        if place == self.count {
            return None;
        }
        *next += 1;
        let batch = match self.batches {
            Batches::Cached(batches) => Ok(lock(batches)[place].clone()),
            // The next one waits behind this one, as they are made in turn.
            Batches::Streamed(stream) => stream.take(place),
        };
        Some(batch.map(|batch| (place, batch)))
    }
}

impl<B: Send + 'static> Stream<B> {
    /// Waits for a batch. They are taken in their order.
    fn take(&self, place: usize) -> Result<B, LcaError> {
        let mut workers = lock(&self.workers);
        if workers.is_empty() {
            let count = WORKERS.min(self.parts.len());
            let started = (0..count).map(|first| self.start(first, count));
            *workers = started.collect::<Result<_, _>>()?;
        }
        let worker = &workers[place % workers.len()];
        let batch = worker.batches.as_ref();
        let batch = batch.and_then(|batches| batches.recv().ok());
        batch.unwrap_or_else(|| Err(LcaError::internal("a worker has ended early")))
    }

    /// Starts the worker that makes batch `first` and every `step`th from there on. When the last
    /// one is taken, it begins anew: the next sweep finds its first batches ready.
    fn start(&self, first: usize, step: usize) -> Result<Worker<B>, LcaError> {
        let (source, parts) = (Arc::clone(&self.source), Arc::clone(&self.parts));
        let device = self.device.clone();
        // Without room: a worker holds the one batch that it has made.
        let (sender, receiver) = sync_channel(0);
        let make_all = move || {
            let own = parts.iter().skip(first).step_by(step);
            for part in own.cycle() {
                if sender.send(source.batch(part, &device)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(format!("lca batches {first}"));
        let thread = thread.spawn(make_all).map_err(|error| LcaError::Examples {
            probe: self.source.probe.clone(),
            problem: format!("no thread could be started: {error}"),
        })?;
        Ok(Worker {
            batches: Some(receiver),
            thread: Some(thread),
        })
    }
}

impl<B> Drop for Worker<B> {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // What panics in it is caught in it.
            drop(thread.join());
        }
    }
}

impl<B> Drop for Pass<'_, B> {
    /// Workers of a pass that was left midway are not where the next one begins.
    fn drop(&mut self) {
        if let Batches::Streamed(stream) = self.batches
            && *lock(&self.next) < self.count
        {
            lock(&stream.workers).clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::data::dataset::{Dataset, DatasetError, InMemDataset};
    use rstest::rstest;

    use super::*;
    use crate::probe::Probe;
    use crate::probe::plan::Plan;
    use crate::probe::plan::tests::Indices;

    /// 23 examples in 12 parts of 1 or 2, one of which may be spoiled.
    struct Items {
        spoiled: Option<(usize, Spoiled)>,
        items: InMemDataset<(usize, usize)>,
    }

    #[derive(Clone, Copy)]
    enum Spoiled {
        Unreadable,
        Panics,
    }

    fn items(spoiled: Option<(usize, Spoiled)>) -> Arc<Items> {
        let items = InMemDataset::new((0..23).map(|index| (index, 0)).collect());
        Arc::new(Items { spoiled, items })
    }

    impl Dataset<(usize, usize)> for Items {
        fn get(&self, index: usize) -> Result<(usize, usize), DatasetError> {
            match self.spoiled {
                Some((spoiled, Spoiled::Unreadable)) if spoiled == index => {
                    Err(DatasetError::new(std::io::Error::other("the disk is gone")))
                }
                Some((spoiled, Spoiled::Panics)) if spoiled == index => panic!("no item {index}"),
                _ => self.items.get(index),
            }
        }

        fn len(&self) -> usize {
            Dataset::<(usize, usize)>::len(&self.items)
        }
    }

    fn batches(items: &Arc<Items>, cached: usize) -> Result<Batches<Vec<usize>>, LcaError> {
        let probe = Probe::new(Arc::clone(items), Indices).cache(cached);
        let parts = (0..12).map(|k| (2 * k..(2 * k + 2).min(23)).collect());
        let source = Source {
            probe: "training".to_owned(),
            examples: Box::new(probe),
        };
        let keep = cached >= items.items.len();
        Arc::new(source).batches(parts.collect(), &Device::default(), keep, None)
    }

    fn iter(batches: &Batches<Vec<usize>>) -> impl Iterator<Item = Result<Vec<usize>, LcaError>> {
        let pass = batches.pass();
        std::iter::from_fn(move || pass.next().map(|next| next.map(|(_, batch)| batch)))
    }

    fn pass(batches: &Batches<Vec<usize>>) -> Vec<Vec<usize>> {
        iter(batches).map(Result::unwrap).collect()
    }

    /// Also after a pass that was left midway, and of the parts that are left.
    #[test]
    fn streamed_batches_are_the_cached_ones_at_every_pass() {
        let [mut cached, mut streamed] =
            [23, 22].map(|limit| batches(&items(None), limit).unwrap());
        assert!(matches!(cached, Batches::Cached(_)));
        assert!(matches!(streamed, Batches::Streamed(_)));
        let all = pass(&cached);
        assert_eq!(all.concat(), (0..23).collect::<Vec<_>>());
        for taken in [12, 5, 0, 12, 11] {
            let some: Vec<_> = iter(&streamed).take(taken).map(Result::unwrap).collect();
            assert_eq!(some, all[..taken]);
        }
        assert_eq!(pass(&streamed), all);
        let wanted: Vec<bool> = (0..12).map(|k| k % 5 != 0).collect();
        cached.retain(&wanted);
        streamed.retain(&wanted);
        assert_eq!(pass(&cached).len(), 9);
        assert_eq!(pass(&streamed), pass(&cached));
    }

    /// The first part, one amid the others, and the last.
    #[rstest]
    fn what_cannot_be_read_or_panics_is_an_error_at_its_place_and_the_next_pass_says_so_again(
        #[values(0, 7, 22)] example: usize,
    ) {
        for (spoiled, message) in [
            (Spoiled::Unreadable, "the disk is gone"),
            (
                Spoiled::Panics,
                &*format!("making a batch panicked: no item {example}"),
            ),
        ] {
            let items = items(Some((example, spoiled)));
            let error = batches(&items, 23).err().unwrap().to_string();
            assert!(
                error.contains("`training`") && error.contains(message),
                "{error}"
            );
            let streamed = batches(&items, 0).unwrap();
            for _ in 0..2 {
                let mut pass = iter(&streamed);
                let before: Vec<_> = (&mut pass).take(example / 2).map(Result::unwrap).collect();
                assert_eq!(before.concat(), (0..example / 2 * 2).collect::<Vec<_>>());
                let error = pass.next().unwrap().unwrap_err().to_string();
                assert!(
                    error.contains("`training`") && error.contains(message),
                    "{error}"
                );
            }
        }
    }

    /// A thread holds on to the dataset.
    #[test]
    fn no_thread_is_left_when_the_batches_are_dropped() {
        let items = items(None);
        let streamed = batches(&items, 0).unwrap();
        pass(&streamed);
        assert!(Arc::strong_count(&items) > 1);
        drop(streamed);
        assert_eq!(Arc::strong_count(&items), 1);

        let probe = Probe::new(Arc::clone(&items), Indices).sampled(6, 1);
        let plan = Plan::new("training", &probe).unwrap();
        let mut chunks = plan.cut(Box::new(probe), 2, &[Device::default()]).unwrap();
        chunks.draw(1).unwrap();
        drop(chunks);
        assert_eq!(Arc::strong_count(&items), 1);
    }
}
