//! The range of a value, as a line with an end across at either side.

use crate::report::draw::{Mark, Stroke};
use crate::report::palette::INK;

/// How whiskers are drawn.
pub(super) fn stroke() -> Stroke {
    Stroke::solid(INK, 1.4)
}

/// Returns a whisker in the middle of its ends, each from `left` to `right`.
pub(super) fn whisker(
    name: &str,
    middle: f64,
    (left, right): (f64, f64),
    [low, high]: [f64; 2],
) -> impl Iterator<Item = Mark> {
    let across = |y: f64| vec![(left, y), (right, y)];
    let lines = [
        vec![(middle, low), (middle, high)],
        across(low),
        across(high),
    ];
    let name = name.to_owned();
    lines.into_iter().map(move |points| Mark::Line {
        name: name.clone(),
        points,
        stroke: stroke(),
    })
}
