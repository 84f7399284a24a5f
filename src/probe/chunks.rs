//! Which examples a probe is made of, and how they are cut into chunks of one class each.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::examples::{Examples, Subset};
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
}

/// What one line of the gradient is the gradient of: a class, or the whole probe.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub class: Option<usize>,
    pub examples: usize,
    /// What the row's loss is a mean over, by default as many examples.
    pub weight: f64,
}

/// One forward and backward pass.
pub(crate) struct Chunk<B> {
    pub row: usize,
    pub examples: usize,
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
    pub chunk_size: usize,
    pub rows: Vec<Row>,
    /// Names of all classes, those without examples included; empty without classes.
    pub class_names: Vec<String>,
    pub row_of_class: Vec<Option<usize>>,
    /// What a random part of the examples was drawn with.
    pub subset_seed: Option<u64>,
    pub chunks: Vec<Chunk<B>>,
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
                weight: group.len() as f64,
            });
            plan.order.extend(group);
        }
        Ok(plan)
    }

    pub fn examples(&self) -> usize {
        self.order.len()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
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

    /// Makes all chunks, each of one class and of at most `chunk_size` examples; the chunks of a
    /// class are of even size, so that none is a remainder of a few examples.
    pub fn cut<B>(
        self,
        examples: &dyn Examples<B>,
        chunk_size: usize,
        device: &Device,
    ) -> Result<Chunks<B>, LcaError> {
        let mut chunks = Vec::new();
        let mut start = 0;
        for (row, Row { examples: len, .. }) in self.rows.iter().enumerate() {
            let count = len.div_ceil(chunk_size);
            for k in 0..count {
                let (from, to) = (k * len / count, (k + 1) * len / count);
                let indices = &self.order[start + from..start + to];
                chunks.push(Chunk {
                    row,
                    examples: indices.len(),
                    weight: indices.len() as f64,
                    batch: self.batch(examples, indices, device)?,
                });
            }
            start += len;
        }
        Ok(Chunks {
            name: self.name,
            examples: self.order.len(),
            weight: self.order.len() as f64,
            chunk_size,
            rows: self.rows,
            class_names: self.class_names,
            row_of_class: self.row_of_class,
            subset_seed: self.subset_seed,
            chunks,
        })
    }
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
            chunk_size: chunks.iter().map(|chunk| chunk.examples).max().unwrap_or(0),
            rows: vec![Row {
                class: None,
                examples,
                weight: examples as f64,
            }],
            class_names: Vec::new(),
            row_of_class: Vec::new(),
            subset_seed: None,
            chunks,
        })
    }

    /// Replaces the weight of every chunk, and leaves out those of no weight, whose mean is none.
    pub fn weigh(&mut self, weights: impl IntoIterator<Item = f64>) {
        self.rows.iter_mut().for_each(|row| row.weight = 0.0);
        for (chunk, weight) in self.chunks.iter_mut().zip(weights) {
            chunk.weight = weight;
            self.rows[chunk.row].weight += weight;
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
mod tests {
    use burn::data::dataloader::batcher::Batcher;
    use burn::data::dataset::InMemDataset;

    use super::*;
    use crate::probe::Probe;

    /// An example is its index and its label; a batch is the indices.
    struct Indices;

    impl Batcher<(usize, usize), Vec<usize>> for Indices {
        fn batch(&self, items: Vec<(usize, usize)>, _: &Device) -> Vec<usize> {
            items.into_iter().map(|(index, _)| index).collect()
        }
    }

    fn probe(labels: &[usize], classes: usize) -> Probe<(usize, usize), Vec<usize>> {
        let items = labels.iter().copied().enumerate().collect();
        Probe::new(InMemDataset::new(items), Indices).classes(classes, |&(_, label)| label)
    }

    #[test]
    fn chunks_hold_one_class_each_and_every_example_once() {
        let probe = probe(&[2, 0, 2, 2, 0, 2, 2], 4);
        let plan = Plan::new("training", &probe).unwrap();
        let chunks = plan.cut(&probe, 2, &Device::default()).unwrap();

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
