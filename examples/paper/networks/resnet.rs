//! ResNet-20, of which the article asks most.

/// The paths of the first and of the last layer.
pub const FIRST: &str = "first";
pub const LAST: &str = "last";
