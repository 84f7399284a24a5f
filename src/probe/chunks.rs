//! Which examples a probe is made of, and how they are cut into chunks of one class each.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::examples::{Examples, Subset};
use super::sample::{self, Draw, Half};
use crate::error::LcaError;

/// The examples of a probe in the order of a sweep: by class, then as the dataset has them.
pub(crate) struct Plan {
    name: String,
    order: Vec<usize>,
    rows: Vec<Row>,
    class_names: Vec<String>,
    /// Row of each class; `None` where the class has no examples.
    row_of_class: Vec<Option<usize>>,
    subset_seed: Option<u64>,
    sample_seed: Option<u64>,
}

/// What one line of the gradient is the gradient of: a class, or the whole probe.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub class: Option<usize>,
    pub examples: usize,
    /// How many of the examples are swept: all, unless the probe is sampled.
    pub swept: usize,
    /// What the row's loss is a mean over, by default as many examples.
    pub weight: f64,
}

impl Row {
    /// How many of the row's examples one that is swept stands for.
    fn stands_for(&self) -> f64 {
        self.examples as f64 / self.swept as f64
    }
}

/// One forward and backward pass.
pub(crate) struct Chunk<B> {
    pub row: usize,
    pub examples: usize,
    /// The factor of its share of LCA in the difference between the halves of a sample; 0 where
    /// the probe is not sampled.
    pub contrast: f64,
    /// What the chunk's loss is a mean over, by default as many examples.
    pub weight: f64,
    pub batch: B,
}

/// A probe that is ready to be swept.
pub(crate) struct Chunks<B> {
    pub name: String,
    pub examples: usize,
    /// What the loss is a mean over, by default as many examples.
    pub weight: f64,
    /// Whether the model's output says what its loss is a mean over.
    pub weighted: bool,
    pub chunk_size: usize,
    pub rows: Vec<Row>,
    /// Names of all classes, those without examples included; empty without classes.
    pub class_names: Vec<String>,
    pub row_of_class: Vec<Option<usize>>,
    /// What a random part of the examples was drawn with.
    pub subset_seed: Option<u64>,
    /// What draws the chunks of every step; `None` where they are all examples.
    pub sampler: Option<Box<Sampler<B>>>,
    pub chunks: Vec<Chunk<B>>,
}

/// Draws the chunks of every step.
pub(crate) struct Sampler<B> {
    pub seed: u64,
    plan: Plan,
    examples: Box<dyn Examples<B>>,
    chunk_size: usize,
}

impl Plan {
    /// Orders a probe's examples, after checking its settings and labels.
    pub fn new<B>(name: &str, examples: &dyn Examples<B>) -> Result<Self, LcaError> {
        examples.check()?;
        let class_names = examples.class_names();
        let labels = examples.labels().map_err(|problem| LcaError::Examples {
            probe: name.to_owned(),
            problem,
        })?;

        let groups = match labels {
            None => vec![(None, (0..examples.len()).collect::<Vec<_>>())],
            Some(labels) => {
                let mut groups = vec![Vec::new(); class_names.len()];
                for (example, label) in labels.into_iter().enumerate() {
                    let Some(group) = groups.get_mut(label) else {
                        return Err(LcaError::setting(
                            "Probe::classes",
                            format!(
                                "example {example} has class {label}, and there are {} classes, \
                                 0 to {}",
                                class_names.len(),
                                class_names.len() - 1
                            ),
                            "raise the number of classes or correct the label",
                        ));
                    };
                    group.push(example);
                }
                groups
                    .into_iter()
                    .enumerate()
                    .map(|(class, group)| (Some(class), group))
                    .collect()
            }
        };
        let groups = match examples.subset() {
            None => groups,
            Some(subset) => stratify(groups, subset),
        };

        let mut plan = Self {
            name: name.to_owned(),
            order: Vec::new(),
            rows: Vec::new(),
            row_of_class: vec![None; class_names.len()],
            class_names,
            subset_seed: examples.subset().map(|subset| subset.seed),
            sample_seed: examples.sample().map(|sample| sample.seed),
        };
        for (class, group) in groups {
            if group.is_empty() {
                continue;
            }
            if let Some(class) = class {
                plan.row_of_class[class] = Some(plan.rows.len());
            }
            plan.rows.push(Row {
                class,
                examples: group.len(),
                swept: group.len(),
                weight: group.len() as f64,
            });
            plan.order.extend(group);
        }
        if let Some(sample) = examples.sample() {
            let sizes: Vec<usize> = plan.rows.iter().map(|row| row.examples).collect();
            let shares = sample::allocate(&sizes, sample.examples)?;
            for (row, share) in plan.rows.iter_mut().zip(shares) {
                row.swept = share;
            }
        }
        Ok(plan)
    }

    pub fn examples(&self) -> usize {
        self.order.len()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The most examples that one chunk can have.
    pub fn largest_chunk(&self) -> usize {
        let largest = |row: &Row| match self.sample_seed {
            Some(_) => row.swept.div_ceil(2),
            None => row.swept,
        };
        self.rows.iter().map(largest).max().unwrap_or(1)
    }

    /// Each row with its examples.
    pub fn groups(&self) -> impl Iterator<Item = (&Row, &[usize])> {
        let mut rest = &*self.order;
        self.rows.iter().map(move |row| {
            let (group, tail) = rest.split_at(row.examples);
            rest = tail;
            (row, group)
        })
    }

    pub fn has_classes(&self) -> bool {
        !self.class_names.is_empty()
    }

    /// Up to `count` examples spread evenly over the plan, so that most classes are in it, each
    /// with its row.
    pub fn spread(&self, count: usize) -> Vec<(usize, usize)> {
        let count = count.min(self.order.len());
        let ends: Vec<usize> = self
            .rows
            .iter()
            .scan(0, |end, row| {
                *end += row.examples;
                Some(*end)
            })
            .collect();
        (0..count)
            .map(|k| {
                let position = k * self.order.len() / count;
                let row = ends.partition_point(|&end| end <= position);
                (self.order[position], row)
            })
            .collect()
    }

    /// Makes the batch of some examples.
    pub fn batch<B>(
        &self,
        examples: &dyn Examples<B>,
        indices: &[usize],
        device: &Device,
    ) -> Result<B, LcaError> {
        examples
            .batch(indices, device)
            .map_err(|problem| LcaError::Examples {
                probe: self.name.clone(),
                problem,
            })
    }

    /// Makes all chunks, each of one class and of at most `chunk_size` examples; of a probe that
    /// is sampled those of the first step.
    pub fn cut<B>(
        self,
        examples: Box<dyn Examples<B>>,
        chunk_size: usize,
        device: &Device,
    ) -> Result<Chunks<B>, LcaError> {
        let mut cut = Chunks {
            name: self.name.clone(),
            examples: self.order.len(),
            weight: self.order.len() as f64,
            weighted: false,
            chunk_size,
            rows: self.rows.clone(),
            class_names: self.class_names.clone(),
            row_of_class: self.row_of_class.clone(),
            subset_seed: self.subset_seed,
            sampler: None,
            chunks: Vec::new(),
        };
        if let Some(seed) = self.sample_seed {
            cut.sampler = Some(Box::new(Sampler {
                plan: self,
                examples,
                chunk_size,
                seed,
            }));
            cut.draw(0, device)?;
            return Ok(cut);
        }
        for (row, (_, group)) in self.groups().enumerate() {
            for indices in even_parts(group, chunk_size) {
                cut.chunks.push(Chunk {
                    row,
                    examples: indices.len(),
                    contrast: 0.0,
                    weight: indices.len() as f64,
                    batch: self.batch(&*examples, indices, device)?,
                });
            }
        }
        Ok(cut)
    }
}

/// Cuts examples into parts of at most `size`, all of even size, so that none is a remainder of a
/// few examples.
fn even_parts(examples: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let (len, count) = (examples.len(), examples.len().div_ceil(size));
    (0..count).map(move |k| &examples[k * len / count..(k + 1) * len / count])
}

impl<B> Chunks<B> {
    /// Takes batches as they are: the whole is one row, a batch is a chunk.
    pub fn from_batches(
        name: &str,
        batches: impl IntoIterator<Item = (B, usize)>,
    ) -> Result<Self, LcaError> {
        let chunks: Vec<_> = batches
            .into_iter()
            .map(|(batch, examples)| Chunk {
                row: 0,
                examples,
                contrast: 0.0,
                weight: examples as f64,
                batch,
            })
            .collect();
        let examples = chunks.iter().map(|chunk| chunk.examples).sum();
        if examples == 0 {
            return Err(LcaError::setting(
                "LcaMetric::probe",
                "the training data loader has no examples to measure on",
                "give the learner a loader with data, or the metric a probe",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            examples,
            weight: examples as f64,
            weighted: false,
            chunk_size: chunks.iter().map(|chunk| chunk.examples).max().unwrap_or(0),
            rows: vec![Row {
                class: None,
                examples,
                swept: examples,
                weight: examples as f64,
            }],
            class_names: Vec::new(),
            row_of_class: Vec::new(),
            subset_seed: None,
            sampler: None,
            chunks,
        })
    }

    /// Replaces the chunks of a probe that is sampled by those of a step.
    pub fn draw(&mut self, iteration: u64, device: &Device) -> Result<(), LcaError> {
        if let Some(sampler) = &self.sampler {
            self.chunks = sampler.draw(iteration, device)?;
        }
        Ok(())
    }

    /// Half the difference between the halves of a sample in what they weigh, by row, as shares of
    /// the whole; 0 where examples weigh alike.
    pub fn weight_contrasts(&self) -> Vec<f64> {
        let mut contrasts = vec![0.0; self.rows.len()];
        for chunk in &self.chunks {
            contrasts[chunk.row] += chunk.contrast * self.share(chunk);
        }
        contrasts
    }

    /// Replaces the weight of every chunk, and leaves out those of no weight, whose mean is none.
    pub fn weigh(&mut self, weights: impl IntoIterator<Item = f64>) {
        self.weighted = true;
        self.rows.iter_mut().for_each(|row| row.weight = 0.0);
        for (chunk, weight) in self.chunks.iter_mut().zip(weights) {
            let row = &mut self.rows[chunk.row];
            chunk.weight = weight * row.stands_for();
            row.weight += chunk.weight;
        }
        self.weight = self.rows.iter().map(|row| row.weight).sum();
        self.chunks.retain(|chunk| chunk.weight > 0.0);
    }

    /// The share of a chunk in the mean over the probe.
    pub fn share(&self, chunk: &Chunk<B>) -> f64 {
        chunk.weight / self.weight
    }

    /// W/W_row by row: from a row's share in the mean over the probe to the row's own mean.
    pub fn scales(&self) -> Vec<f64> {
        self.rows
            .iter()
            .map(|row| self.weight / row.weight)
            .collect()
    }
}

impl<B> Sampler<B> {
    /// Makes the chunks of one step, each of one class and of one half of its sample.
    fn draw(&self, iteration: u64, device: &Device) -> Result<Vec<Chunk<B>>, LcaError> {
        let mut draw = Draw::new(self.seed, iteration);
        let mut chunks = Vec::new();
        for (index, (row, class)) in self.plan.groups().enumerate() {
            for Half { examples, contrast } in draw.halves(class, row.swept) {
                for indices in even_parts(&examples, self.chunk_size) {
                    chunks.push(Chunk {
                        row: index,
                        examples: indices.len(),
                        contrast,
                        // It stands for others of its class.
                        weight: indices.len() as f64 * row.stands_for(),
                        batch: self.plan.batch(&*self.examples, indices, device)?,
                    });
                }
            }
        }
        Ok(chunks)
    }
}

/// The examples of one class, or all where there are no classes.
type ClassGroup = (Option<usize>, Vec<usize>);

/// Draws a subset in which every group keeps its share, by the method of largest remainders.
fn stratify(groups: Vec<ClassGroup>, subset: Subset) -> Vec<ClassGroup> {
    let total: usize = groups.iter().map(|(_, group)| group.len()).sum();
    let exact = |group: &[usize]| subset.examples * group.len();
    let mut counts: Vec<usize> = groups.iter().map(|(_, g)| exact(g) / total).collect();
    let mut by_remainder: Vec<usize> = (0..groups.len()).collect();
    by_remainder.sort_by_key(|&k| std::cmp::Reverse(exact(&groups[k].1) % total));
    let missing = subset.examples - counts.iter().sum::<usize>();
    for &k in by_remainder.iter().take(missing) {
        counts[k] += 1;
    }

    // Every example draws a key, and the smallest keys are picked. This needs nothing of a random
    // number library but the bits of ChaCha, which no later version can change.
    let mut rng = ChaCha8Rng::seed_from_u64(subset.seed);
    groups
        .into_iter()
        .zip(counts)
        .map(|((class, group), count)| {
            let mut keyed: Vec<(u64, usize)> = group
                .into_iter()
                .map(|example| (rng.next_u64(), example))
                .collect();
            keyed.sort_unstable();
            let mut picked: Vec<usize> = keyed
                .into_iter()
                .take(count)
                .map(|(_, example)| example)
                .collect();
            picked.sort_unstable();
            (class, picked)
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use burn::data::dataloader::batcher::Batcher;
    use burn::data::dataset::InMemDataset;

    use super::*;
    use crate::probe::Probe;

    /// An example is its index and its label; a batch is the indices.
    pub(in crate::probe) struct Indices;

    impl Batcher<(usize, usize), Vec<usize>> for Indices {
        fn batch(&self, items: Vec<(usize, usize)>, _: &Device) -> Vec<usize> {
            items.into_iter().map(|(index, _)| index).collect()
        }
    }

    /// A probe without classes.
    pub(in crate::probe) fn plain(labels: &[usize]) -> Probe<(usize, usize), Vec<usize>> {
        let items = labels.iter().copied().enumerate().collect();
        Probe::new(InMemDataset::new(items), Indices)
    }

    fn probe(labels: &[usize], classes: usize) -> Probe<(usize, usize), Vec<usize>> {
        plain(labels).classes(classes, |&(_, label)| label)
    }

    #[test]
    fn chunks_hold_one_class_each_and_every_example_once() {
        let probe = probe(&[2, 0, 2, 2, 0, 2, 2], 4);
        let plan = Plan::new("training", &probe).unwrap();
        let chunks = plan.cut(Box::new(probe), 2, &Device::default());
        let chunks = chunks.unwrap();

        let cut: Vec<_> = chunks.chunks.iter().map(|c| c.batch.clone()).collect();
        assert_eq!(cut, [vec![1, 4], vec![0], vec![2, 3], vec![5, 6]]);
        let weights: f64 = chunks.chunks.iter().map(|c| chunks.share(c)).sum();
        assert!((weights - 1.0).abs() < 1e-15);
        // Classes 1 and 3 have no examples, and no row to divide by.
        assert_eq!(chunks.row_of_class, [Some(0), None, Some(1), None]);
    }

    #[test]
    fn a_stratified_subset_keeps_the_share_of_every_class() {
        let labels: Vec<usize> = (0..1000).map(|k| usize::from(k % 10 < 3)).collect();
        let plan = Plan::new("training", &probe(&labels, 2).subset(101, 7)).unwrap();
        // 70 % of 101 is 70.7 and 30 % is 30.3.
        assert_eq!((plan.rows[0].examples, plan.rows[1].examples), (71, 30));
        let mut distinct = plan.order.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 101);
        let (zeros, ones) = plan.order.split_at(71);
        assert!(zeros.iter().all(|&example| labels[example] == 0));
        assert!(ones.iter().all(|&example| labels[example] == 1));
    }

    /// Published results rest on it: these numbers may never change.
    #[test]
    fn a_seed_picks_the_same_examples_on_every_machine_and_in_every_version() {
        let order = |probe| Plan::new("training", &probe).unwrap().order;
        let labels: Vec<usize> = (0..1000).map(|k| k % 3).collect();
        assert_eq!(
            order(probe(&labels, 3).subset(9, 7)),
            [240, 840, 966, 1, 136, 769, 53, 557, 938]
        );
        assert_eq!(order(probe(&[0; 20], 1).subset(5, 42)), [5, 9, 15, 17, 19]);
    }

    #[test]
    fn a_label_outside_the_classes_is_named_with_its_example() {
        let error = Plan::new("training", &probe(&[0, 1, 5], 3)).err().unwrap();
        let error = error.to_string();
        assert!(error.contains("example 2 has class 5"), "{error}");
    }
}
