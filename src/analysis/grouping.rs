//! Which tensors are summed as one.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, matches};

use super::names::layer_of;

/// The group of the tensors that no pattern names.
const OTHERS: &str = "others";

/// Which tensors are summed as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grouping {
    /// A layer: all tensors whose paths are the same but for the last part.
    #[default]
    Layer,
    /// A single tensor.
    Tensor,
    /// Groups that are chosen, such as what is frozen and what is not. A tensor is of the first group
    /// that it fits; those that fit none are together as `others`.
    Groups(Vec<TensorGroup>),
}

/// Tensors that are summed as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TensorGroup {
    /// What the group is called; several patterns may be of one group.
    pub name: String,
    /// What the path of a tensor, or of a module that it is in, is like: `fc3`, `block?.conv*`.
    /// `*` stands for any characters, `?` for one.
    pub pattern: String,
}

impl TensorGroup {
    /// Returns the group of the tensors and modules whose paths are like a pattern.
    ///
    /// ```
    /// # use burn_lca::analysis::{Grouping, TensorGroup};
    /// let frozen = Grouping::Groups(vec![TensorGroup::new("frozen", "encoder")]);
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            pattern: pattern.into(),
        }
    }

    fn has(&self, tensor: &str) -> bool {
        let ends = tensor.match_indices('.').map(|(end, _)| end);
        let mut modules = ends.chain([tensor.len()]).map(|end| &tensor[..end]);
        modules.any(|path| matches(&self.pattern, path))
    }
}

impl Grouping {
    /// Returns the name of the group that a tensor belongs to.
    pub(super) fn of<'a>(&'a self, tensor: &'a str) -> &'a str {
        match self {
            Self::Layer => layer_of(tensor),
            Self::Tensor => tensor,
            Self::Groups(groups) => {
                let group = groups.iter().find(|group| group.has(tensor));
                group.map_or(OTHERS, |group| &group.name)
            }
        }
    }

    /// Fails if a group has no tensor of a run; it would be missing without a word.
    pub(super) fn check(&self, run: &Run) -> Result<(), LcaError> {
        let Self::Groups(groups) = self else {
            return Ok(());
        };
        let tensors = &run.info().tensors;
        let empty = |group: &&TensorGroup| {
            let mut own = tensors.iter().filter(|tensor| group.has(&tensor.path));
            !own.any(|tensor| self.of(&tensor.path) == group.name)
        };
        match groups.iter().find(empty) {
            Some(TensorGroup { name, pattern }) => Err(LcaError::setting(
                "LayersOptions::group",
                format!(
                    "no tensor of {} is of {name}={pattern}",
                    run.folder().display()
                ),
                "give the path of a tensor or module, with * and ? for what varies, and of groups \
                 that overlap the smaller one first",
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_is_of_the_first_group_that_names_it_or_a_module_around_it() {
        let groups = Grouping::Groups(vec![
            TensorGroup::new("last", "head"),
            TensorGroup::new("norms", "*.bn?"),
            TensorGroup::new("body", "blocks"),
            TensorGroup::new("last", "neck.weight"),
        ]);
        for (tensor, group) in [
            ("head.weight", "last"),
            ("header.weight", "others"),
            ("blocks.0.bn1.gamma", "norms"),
            ("blocks.0.conv1.weight", "body"),
            ("neck.weight", "last"),
            ("neck.bias", "others"),
        ] {
            assert_eq!(groups.of(tensor), group, "{tensor}");
        }
    }
}
