//! The examples that the loss is taken over.

use std::fmt;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::tensor::Device;

use super::blocks::Blocks;
use crate::error::LcaError;

/// A fixed set of labelled examples whose mean loss is split over the parameters.
///
/// Usually the whole training set. The examples are batched once, kept on the training device
/// unless they are too many ([`cache`](Self::cache)), and swept at every observed step: a sweep is
/// one forward and backward pass over all of them, or over a fresh sample of them
/// ([`sampled`](Self::sampled)). Settings are checked when the measuring starts.
///
/// ```
/// # use burn::data::dataset::InMemDataset;
/// # use burn::data::dataloader::batcher::Batcher;
/// # use burn::tensor::Device;
/// # #[derive(Clone, Debug)] struct Item { label: u8 }
/// # struct MyBatcher;
/// # impl Batcher<Item, Vec<Item>> for MyBatcher {
/// #     fn batch(&self, items: Vec<Item>, _: &Device) -> Vec<Item> { items }
/// # }
/// # let dataset = InMemDataset::new(vec![Item { label: 1 }]);
/// use burn_lca::Probe;
///
/// let probe = Probe::new(dataset, MyBatcher)
///     .chunk_size(4096)
///     .classes(3, |item: &Item| item.label as usize)
///     .class_names(["cat", "dog", "bird"])
///     .subset(10_000, 1);
/// ```
#[must_use = "a probe measures nothing until it is given to `LcaMetric` or `Lca`"]
pub struct Probe<I, B> {
    dataset: Arc<dyn Dataset<I>>,
    batcher: Arc<dyn Batcher<I, B>>,
    chunk_size: Option<usize>,
    classes: Option<Classes<I>>,
    class_names: Option<Vec<String>>,
    subset: Option<Subset>,
    sample: Option<Subset>,
    cached: usize,
}

/// The most examples that are kept on the device by default.
const CACHED: usize = 65_536;

struct Classes<I> {
    count: usize,
    of: Arc<dyn Fn(&I) -> usize + Send + Sync>,
}

/// A random part of the probe's examples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subset {
    pub examples: usize,
    pub seed: u64,
}

impl<I, B> fmt::Debug for Probe<I, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("examples", &self.dataset.len())
            .field("chunk_size", &self.chunk_size)
            .field(
                "classes",
                &self.classes.as_ref().map(|classes| classes.count),
            )
            .field("class_names", &self.class_names)
            .field("subset", &self.subset)
            .field("sample", &self.sample)
            .field("cached", &self.cached)
            .finish_non_exhaustive()
    }
}

impl<I, B> Probe<I, B> {
    /// Returns a probe over all examples of a dataset, without classes.
    ///
    /// The batcher makes what the model's `InferenceStep` takes; it should neither shuffle nor
    /// augment.
    pub fn new(dataset: impl Dataset<I> + 'static, batcher: impl Batcher<I, B> + 'static) -> Self {
        Self {
            dataset: Arc::new(dataset),
            batcher: Arc::new(batcher),
            chunk_size: None,
            classes: None,
            class_names: None,
            subset: None,
            sample: None,
            cached: CACHED,
        }
    }

    /// Returns the probe with at most this many examples, at least 1, in each forward and
    /// backward pass.
    ///
    /// It decides memory and speed, not the result, unless batch normalization uses the
    /// statistics of the chunk ([`BatchNormMode::Chunk`](crate::BatchNormMode::Chunk)). By
    /// default a few sizes are timed at the start.
    pub fn chunk_size(mut self, examples: usize) -> Self {
        self.chunk_size = Some(examples);
        self
    }

    /// Returns the probe with up to this many examples kept on the device, 65,536 by default.
    ///
    /// The batches of a larger probe are made anew for every sweep, by four threads that are one
    /// batch ahead each, while the device computes. It decides memory and speed, not the result:
    /// the numbers are the same to the bit. What is kept takes the memory of the batches: 65,536
    /// images of 28×28 in `f32` take 206 MB, and as many of 3×224×224 take 39 GB, so keep fewer of
    /// what is large. Of a probe that is [`sampled`](Self::sampled), the size of the sample counts,
    /// twice, since the next one is drawn ahead.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// let probe = Probe::new(dataset(), MyBatcher);
    /// let mut cached = Lca::new(probe).start(&model)?;
    /// let probe = Probe::new(dataset(), MyBatcher);
    /// let mut streamed = Lca::new(probe.cache(0)).start(&model)?;
    /// # model = trained(model);
    /// assert_eq!(cached.observe(&model)?.lca(), streamed.observe(&model)?.lca());
    /// # Ok::<(), LcaError>(())
    /// ```
    pub fn cache(mut self, examples: usize) -> Self {
        self.cached = examples;
        self
    }

    /// Returns the probe with its loss split by ground-truth class, at no extra sweep.
    ///
    /// `class_of` gives the class of an example, from 0 to `count` − 1. It may be any other grouping:
    /// by source, by difficulty, by length, by who wrote it; or each example for itself, which is LCA
    /// by example. A class is swept in chunks of its own, so small groups cost more an example, and a
    /// gradient holds as many numbers as there are parameters for each group: by example, a probe of
    /// a few hundred is the most.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// // The four examples are 0, 0.5, 1 and 1.5, and each is a group.
    /// let probe = Probe::new(dataset(), MyBatcher).classes(4, |&x: &f32| (2.0 * x) as usize);
    /// let mut lca = Lca::new(probe).start(&model)?;
    /// # model = trained(model);
    /// let step = lca.observe(&model)?;
    /// let mut sum = 0.0;
    /// for example in step.classes() {
    ///     let lca = example.measured().expect("it has an example").lca;
    ///     println!("example {}: this step changed its loss by {lca:+.1e}", example.name());
    ///     sum += lca;
    /// }
    /// // The loss is the mean over the examples.
    /// assert!((sum / 4.0 - step.lca()).abs() < 1e-6 * step.lca().abs());
    /// # Ok::<(), LcaError>(())
    /// ```
    pub fn classes(
        mut self,
        count: usize,
        class_of: impl Fn(&I) -> usize + Send + Sync + 'static,
    ) -> Self {
        self.classes = Some(Classes {
            count,
            of: Arc::new(class_of),
        });
        self
    }

    /// Returns the probe with names for its classes in place of their numbers, class 0 first.
    ///
    /// There must be as many names as [`classes`](Self::classes); it does not matter which of
    /// the two is called first.
    pub fn class_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.class_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Returns the probe over a random part of its examples, 1 to all of them: cheaper, and an
    /// estimate.
    ///
    /// With classes the part is stratified: every class keeps its share. A seed picks the same
    /// examples of the same dataset on every machine and in every later version of this crate.
    pub fn subset(mut self, examples: usize, seed: u64) -> Self {
        self.subset = Some(Subset { examples, seed });
        self
    }

    /// Returns the probe measured on a fresh sample of this many examples at every step. With the
    /// trapezoid that is two sweeps of the sample a step, whatever the size of the dataset.
    ///
    /// The same sample is swept at both ends of a step, so every step is grounded on its own
    /// sample. LCA is an unbiased estimate of that of all examples, whose errors average out over
    /// the steps, and comes with its standard error. Counts of signs, such as how many parameters
    /// helped, are those of noisy estimates, which is not the same as of the whole.
    ///
    /// With classes, which are read of all examples once at the start, the sample is stratified:
    /// classes keep their share, but have two examples at least. Samples depend on the seed and the
    /// iteration only, on every machine and in every later version of this crate. They are read from
    /// the dataset and batched for every step, by a thread that is a step ahead; nothing else is
    /// kept on the device. After [`subset`](Self::subset), samples are of that part.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// let probe = Probe::new(dataset(), MyBatcher).sampled(2, 1);
    /// let mut lca = Lca::new(probe).start(&model)?;
    /// # model = trained(model);
    /// let step = lca.observe(&model)?;
    /// let error = step.standard_error().expect("the probe is sampled");
    /// println!("LCA {:+.1e} ± {:.1e}", step.lca(), 1.96 * error);
    /// # Ok::<(), LcaError>(())
    /// ```
    pub fn sampled(mut self, examples: usize, seed: u64) -> Self {
        self.sample = Some(Subset { examples, seed });
        self
    }
}

/// A probe's examples with their own type left behind; what remains is the model's input.
pub(crate) trait Examples<B>: fmt::Debug + Send + Sync {
    /// Checks the settings, before anything is computed.
    fn check(&self) -> Result<(), LcaError>;
    fn len(&self) -> usize;
    fn chunk_size(&self) -> Option<usize>;
    fn subset(&self) -> Option<Subset>;
    /// What is drawn at every step; `None` if all examples are swept.
    fn sample(&self) -> Option<Subset>;
    /// How many examples are kept on the device; more are batched for every sweep.
    fn cached(&self) -> usize;
    /// How a sample is drawn where only successive examples make a batch; `None` where any do.
    fn blocks(&self) -> Option<Blocks> {
        None
    }
    /// Names of the classes, in their order; empty without classes.
    fn class_names(&self) -> Vec<String>;
    /// The class of every example; `None` without classes.
    fn labels(&self) -> Result<Option<Vec<usize>>, String>;
    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, String>;
}

impl<I, B> Examples<B> for Probe<I, B> {
    fn check(&self) -> Result<(), LcaError> {
        if self.len() == 0 {
            return Err(LcaError::setting(
                "Probe::new",
                "the probe has no examples",
                "give it a dataset with at least one",
            ));
        }
        if self.chunk_size == Some(0) {
            return Err(LcaError::setting(
                "Probe::chunk_size",
                "a chunk of 0 examples holds nothing",
                "use at least 1, or leave it out to have it chosen by timing",
            ));
        }
        let classes = self.classes.as_ref().map(|classes| classes.count);
        if classes == Some(0) {
            return Err(LcaError::setting(
                "Probe::classes",
                "there are 0 classes",
                "use at least 1, or leave it out to measure without classes",
            ));
        }
        if let Some(names) = &self.class_names
            && classes != Some(names.len())
        {
            return Err(LcaError::setting(
                "Probe::class_names",
                match classes {
                    Some(count) => format!("there are {} names for {count} classes", names.len()),
                    None => "there are names for classes, but no classes".to_owned(),
                },
                "call `Probe::classes` too, with as many classes as names",
            ));
        }
        if let Some(subset) = self.subset
            && !(1..=self.len()).contains(&subset.examples)
        {
            return Err(LcaError::setting(
                "Probe::subset",
                format!(
                    "{} of {} examples can't be drawn",
                    subset.examples,
                    self.len()
                ),
                "use a number from 1 to the size of the dataset",
            ));
        }
        let all = self.subset.map_or(self.len(), |subset| subset.examples);
        if let Some(sample) = self.sample
            && !(2..=all).contains(&sample.examples)
        {
            return Err(LcaError::setting(
                "Probe::sampled",
                format!("{} of {all} examples are no sample", sample.examples),
                "use a number from 2, one for each half, to all, or leave it out to measure on all",
            ));
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn chunk_size(&self) -> Option<usize> {
        self.chunk_size
    }

    fn subset(&self) -> Option<Subset> {
        self.subset
    }

    fn sample(&self) -> Option<Subset> {
        self.sample
    }

    fn cached(&self) -> usize {
        self.cached
    }

    fn class_names(&self) -> Vec<String> {
        match (&self.class_names, &self.classes) {
            (Some(names), _) => names.clone(),
            (None, Some(classes)) => (0..classes.count).map(|class| class.to_string()).collect(),
            (None, None) => Vec::new(),
        }
    }

    fn labels(&self) -> Result<Option<Vec<usize>>, String> {
        let Some(classes) = &self.classes else {
            return Ok(None);
        };
        (0..self.dataset.len())
            .map(|index| match self.dataset.get(index) {
                Ok(item) => Ok((classes.of)(&item)),
                Err(error) => Err(format!("example {index}: {error}")),
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, String> {
        let items = self
            .dataset
            .get_many(indices.to_vec())
            .map_err(|error| error.to_string())?;
        Ok(self.batcher.batch(items, device))
    }
}
