//! Which examples a probe is made of, and in which order.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::batches;
use super::examples::{Examples, Subset};
use super::sample;
use crate::error::LcaError;

/// The examples of a probe in the order of a sweep: by class, then as the dataset has them.
pub(crate) struct Plan {
    name: String,
    order: Vec<usize>,
    pub(super) rows: Vec<Row>,
    /// Names of all classes, those without examples included; empty without classes.
    pub(super) class_names: Vec<String>,
    /// Row of each class; `None` where the class has no examples.
    pub(super) row_of_class: Vec<Option<usize>>,
    /// What a random part of the examples was drawn with.
    pub(super) subset_seed: Option<u64>,
    /// What the samples of the steps are drawn with; `None` where all examples are swept.
    pub(super) sample_seed: Option<u64>,
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

    /// How many lines the gradient has.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The most examples that one chunk can have.
    pub fn largest_chunk(&self) -> usize {
        let largest = |row: &Row| match self.sample_seed {
            Some(_) => row.swept.div_ceil(2),
            None => row.swept,
        };
        self.rows.iter().map(largest).max().unwrap_or(1)
    }

    /// Number of chunks of at most so many examples.
    pub fn chunks(&self, size: usize) -> usize {
        let of_row = |row: &Row| match self.sample_seed {
            Some(_) => {
                let half = row.swept / 2;
                half.div_ceil(size) + (row.swept - half).div_ceil(size)
            }
            None => row.swept.div_ceil(size),
        };
        self.rows.iter().map(of_row).sum()
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
        batches::make(&self.name, examples, indices, device)
    }
}

/// One forward and backward pass.
pub(crate) struct Chunk {
    pub row: usize,
    pub examples: usize,
    /// The factor of its share of LCA in the difference between the halves of a sample; 0 where
    /// the probe is not sampled.
    pub contrast: f64,
    /// How many examples of the probe one of its examples stands for: 1 unless it is sampled.
    pub stands_for: f64,
    /// What the chunk's loss is a mean over, by default as many examples.
    pub weight: f64,
    /// The portion of its row that it is summed in, counted over all rows.
    pub portion: usize,
    /// Index of the shard that sweeps it.
    pub shard: usize,
}

impl Chunk {
    /// A chunk of so many examples, each of which stands for some of the probe, weighed by their
    /// number.
    pub(super) fn new(row: usize, examples: usize, contrast: f64, stands_for: f64) -> Self {
        Self {
            row,
            examples,
            contrast,
            stands_for,
            weight: examples as f64 * stands_for,
            portion: 0,
            shard: 0,
        }
    }
}

/// Cuts examples into parts of at most `size`, all of even size, so that none is a remainder of a
/// few examples.
pub(super) fn even_parts(examples: &[usize], size: usize) -> impl Iterator<Item = &[usize]> {
    let (len, count) = (examples.len(), examples.len().div_ceil(size));
    (0..count).map(move |k| &examples[k * len / count..(k + 1) * len / count])
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
        Probe::new(items(labels), Indices)
    }

    pub(in crate::probe) fn items(labels: &[usize]) -> InMemDataset<(usize, usize)> {
        InMemDataset::new(labels.iter().copied().enumerate().collect())
    }

    /// A probe with classes.
    pub(in crate::probe) fn classed(
        labels: &[usize],
        classes: usize,
    ) -> Probe<(usize, usize), Vec<usize>> {
        plain(labels).classes(classes, |&(_, label)| label)
    }

    #[test]
    fn a_stratified_subset_keeps_the_share_of_every_class() {
        let labels: Vec<usize> = (0..1000).map(|k| usize::from(k % 10 < 3)).collect();
        let plan = Plan::new("training", &classed(&labels, 2).subset(101, 7)).unwrap();
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
            order(classed(&labels, 3).subset(9, 7)),
            [240, 840, 966, 1, 136, 769, 53, 557, 938]
        );
        assert_eq!(
            order(classed(&[0; 20], 1).subset(5, 42)),
            [5, 9, 15, 17, 19]
        );
    }

    #[test]
    fn a_label_outside_the_classes_is_named_with_its_example() {
        let error = Plan::new("training", &classed(&[0, 1, 5], 3))
            .err()
            .unwrap();
        let error = error.to_string();
        assert!(error.contains("example 2 has class 5"), "{error}");
    }
}
