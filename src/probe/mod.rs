//! The loss that is split: which examples it is taken over, in which chunks, and how a model is
//! measured on them.

mod chunks;
mod loss;
mod mean_check;
mod sweep;
mod twin;

use std::fmt;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::tensor::Device;

use crate::LcaError;

pub(crate) use chunks::{Chunks, Plan};
pub use loss::MeanLoss;
pub(crate) use mean_check::check_mean;
pub(crate) use sweep::{Sweep, time_chunk};
pub use twin::BatchNormMode;
pub(crate) use twin::Twin;

/// A fixed set of labelled examples whose mean loss is split over the parameters.
///
/// Usually the whole training set. The examples are batched once, kept on the training device,
/// and swept at every observed step.
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
/// # let dataset = InMemDataset::new(vec![Item { label: 3 }]);
/// use burn_lca::Probe;
///
/// let probe = Probe::new(dataset, MyBatcher)
///     .chunk_size(4096)
///     .classes(10, |item: &Item| item.label as usize);
/// ```
pub struct Probe<I, B> {
    dataset: Arc<dyn Dataset<I>>,
    batcher: Arc<dyn Batcher<I, B>>,
    chunk_size: Option<usize>,
    classes: Option<Classes<I>>,
    subset: Option<Subset>,
}

struct Classes<I> {
    names: Vec<String>,
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
                &self.classes.as_ref().map(|classes| &classes.names),
            )
            .field("subset", &self.subset)
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
            subset: None,
        }
    }

    /// Returns the probe with another number of examples per forward and backward pass.
    ///
    /// It decides memory and speed, not the result (unless batch normalization uses the
    /// statistics of the chunk). By default a few sizes are timed at the start.
    pub fn chunk_size(mut self, examples: usize) -> Self {
        self.chunk_size = Some(examples);
        self
    }

    /// Returns the probe with its loss split by ground-truth class, at no extra sweep.
    ///
    /// `class_of` gives the class of an example, 0 to `count` − 1.
    pub fn classes(
        mut self,
        count: usize,
        class_of: impl Fn(&I) -> usize + Send + Sync + 'static,
    ) -> Self {
        self.classes = Some(Classes {
            names: (0..count).map(|class| class.to_string()).collect(),
            of: Arc::new(class_of),
        });
        self
    }

    /// Returns the probe with names for its classes; there are as many classes as names.
    pub fn class_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        if let Some(classes) = &mut self.classes {
            classes.names = names.into_iter().map(Into::into).collect();
        }
        self
    }

    /// Returns the probe over a random part of its examples: cheaper, and an estimate.
    ///
    /// With classes the part is stratified: every class keeps its share. The same seed picks
    /// the same examples.
    pub fn subset(mut self, examples: usize, seed: u64) -> Self {
        self.subset = Some(Subset { examples, seed });
        self
    }
}

/// A probe's examples with their own type left behind; what remains is the model's input.
pub(crate) trait Examples<B>: fmt::Debug + Send {
    fn len(&self) -> usize;
    fn chunk_size(&self) -> Option<usize>;
    fn subset(&self) -> Option<Subset>;
    fn class_names(&self) -> Option<&[String]>;
    /// The class of every example, where there are classes.
    fn labels(&self) -> Result<Option<Vec<usize>>, String>;
    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, String>;
}

impl<I, B> Examples<B> for Probe<I, B> {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn chunk_size(&self) -> Option<usize> {
        self.chunk_size
    }

    fn subset(&self) -> Option<Subset> {
        self.subset
    }

    fn class_names(&self) -> Option<&[String]> {
        self.classes.as_ref().map(|classes| &*classes.names)
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

/// What is known of a probe before a model is there: refused here, nothing was computed yet.
pub(crate) fn validate<B>(probe: &dyn Examples<B>) -> Result<(), LcaError> {
    if probe.len() == 0 {
        return Err(LcaError::setting(
            "Probe::new",
            "the probe has no examples",
            "give it a dataset with at least one",
        ));
    }
    if probe.chunk_size() == Some(0) {
        return Err(LcaError::setting(
            "Probe::chunk_size",
            "a chunk of 0 examples holds nothing",
            "use at least 1, or leave it out to have it chosen by timing",
        ));
    }
    if probe.class_names().is_some_and(<[String]>::is_empty) {
        return Err(LcaError::setting(
            "Probe::classes",
            "there are 0 classes",
            "use at least 1, or leave it out to measure without classes",
        ));
    }
    match probe.subset() {
        Some(subset) if subset.examples == 0 || subset.examples > probe.len() => {
            Err(LcaError::setting(
                "Probe::subset",
                format!(
                    "{} of {} examples can't be drawn",
                    subset.examples,
                    probe.len()
                ),
                "use a number from 1 to the size of the dataset",
            ))
        }
        _ => Ok(()),
    }
}
