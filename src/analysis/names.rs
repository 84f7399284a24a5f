//! What layers, probes and classes are called.

use std::collections::HashSet;

use serde::Serialize;

use crate::record::Run;

/// Returns the layer of a tensor: its path without the last part, or the whole of a path that
/// has one part only.
///
/// ```
/// # use burn_lca::analysis::layer_of;
/// assert_eq!(layer_of("encoder.fc1.weight"), "encoder.fc1");
/// assert_eq!(layer_of("scale"), "scale");
/// ```
#[must_use]
pub fn layer_of(tensor: &str) -> &str {
    tensor.rsplit_once('.').map_or(tensor, |(layer, _)| layer)
}

/// Names that a sentence lists at most.
const MOST_LISTED: usize = 20;

/// Returns names as a sentence lists them: the first twenty, and how many more there are.
///
/// ```
/// # use burn_lca::analysis::listed;
/// assert_eq!(listed(&["fc1", "fc2"]), "fc1, fc2");
/// assert!(listed(&vec!["fc"; 300]).ends_with("fc, fc and 280 more"));
/// ```
#[must_use]
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let first = &names[..names.len().min(MOST_LISTED)];
    let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
    let first = first.join(", ");
    match names.len().saturating_sub(MOST_LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Returns the name of the probe that the tables of units and parameters are about: the first
/// one, which is `training` unless the run was named otherwise.
pub(crate) fn main_probe(run: &Run) -> &str {
    let probe = run.info().probes.first();
    probe.map_or("training", |probe| &probe.name)
}

/// Returns the name of the probe that generalization is measured on; `None` without one.
pub(crate) fn validation_probe(run: &Run) -> Option<&str> {
    let probe = run.info().probes.get(1);
    probe.map(|probe| probe.name.as_str())
}

/// A class and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct ClassName {
    /// The number of the class.
    pub class: i32,
    /// Its name if the run has recorded one, otherwise the number.
    pub name: String,
}

impl ClassName {
    pub(crate) fn of(run: &Run, class: i32) -> Self {
        Self {
            class,
            name: class_name(run, class),
        }
    }
}

/// Returns what a class is called: its name if the run has recorded one, otherwise its number.
pub(crate) fn class_name(run: &Run, class: i32) -> String {
    let known = run.info().probes.iter().flat_map(|probe| &probe.classes);
    let mut named = known.filter(|info| info.index == class && !info.name.is_empty());
    named
        .next()
        .map_or_else(|| class.to_string(), |info| info.name.clone())
}

/// Returns a name, or its beginning and end with `…` between them if it doesn't fit.
#[cfg_attr(
    not(feature = "report"),
    allow(dead_code, reason = "only pictures need it")
)]
pub(crate) fn shorten(name: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(name) {
        return name.to_owned();
    }
    let letters: Vec<char> = name.chars().collect();
    let cut = |kept: usize| -> String {
        let front = kept.div_ceil(2);
        let back = letters.len() - (kept - front);
        letters[..front]
            .iter()
            .chain(&['…'])
            .chain(&letters[back..])
            .collect()
    };
    let shorter = (0..letters.len()).rev().map(cut);
    let mut fitting = shorter.filter(|name| fits(name));
    fitting.next().unwrap_or_else(|| "…".into())
}

/// Returns names shortened, and still told apart as well as that can be: where shortening alone
/// would make two of them the same, `…` stands for the parts of their paths that all have in
/// common, or initials for parts.
#[cfg_attr(
    not(feature = "report"),
    allow(dead_code, reason = "only pictures need it")
)]
pub(crate) fn shorten_apart<'a>(
    names: impl IntoIterator<Item = &'a str>,
    fits: impl Fn(&str) -> bool,
) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let plain: Vec<String> = names.iter().map(|name| shorten(name, &fits)).collect();
    let paths: Vec<Vec<&str>> = names.iter().map(|name| name.split('.').collect()).collect();
    let Some((first, others)) = paths.split_first() else {
        return plain;
    };
    let shortest = paths.iter().map(Vec::len).min().unwrap_or(0);
    // Something is left of each name.
    let alike = |same: &dyn Fn(&[&str], usize) -> bool, most: usize| {
        (0..most)
            .take_while(|part| others.iter().all(|other| same(other, *part)))
            .count()
    };
    let front = alike(&|path, part| path[part] == first[part], shortest - 1);
    let back = alike(
        &|path, part| path[path.len() - 1 - part] == first[first.len() - 1 - part],
        shortest - 1 - front,
    );
    let middle = |path: &Vec<&str>| {
        let middle = path[front..path.len() - back].join(".");
        let dots = |parts: usize| if parts > 0 { "…" } else { "" };
        shorten(&format!("{}{middle}{}", dots(front), dots(back)), &fits)
    };
    let middles: Vec<String> = paths.iter().map(middle).collect();
    let initials = |kept: usize| -> Vec<String> {
        let paths = paths.iter();
        paths.map(|path| with_initials(path, kept, &fits)).collect()
    };
    let different = |names: &[String]| names.iter().collect::<HashSet<_>>().len();
    let ways = [middles, initials(1), initials(0)];
    ways.into_iter().fold(plain, |best, way| {
        if different(&way) > different(&best) {
            way
        } else {
            best
        }
    })
}

/// Returns a path with as many of its parts as need be, from the first, as their initials and the
/// number at their ends: `t.l.0.n1.gamma`. The last `kept` parts stay whole.
fn with_initials(path: &[&str], kept: usize, fits: &impl Fn(&str) -> bool) -> String {
    let initial = |part: &&str| -> String {
        let number = part.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let is_end = number.chars().all(|letter| letter.is_ascii_digit());
        let first = part
            .chars()
            .next()
            .filter(|letter| !letter.is_ascii_digit());
        let number = if is_end { number } else { "" };
        first.into_iter().chain(number.chars()).collect()
    };
    let shortened = |parts: usize| -> String {
        let (front, rest) = path.split_at(parts);
        let front = front.iter().map(initial);
        let rest = rest.iter().map(|part| (*part).to_owned());
        front.chain(rest).collect::<Vec<String>>().join(".")
    };
    let most = path.len().saturating_sub(kept);
    let fitting = (0..=most).map(&shortened).find(|name| fits(name));
    fitting.unwrap_or_else(|| shorten(&shortened(most), fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(letters: usize) -> impl Fn(&str) -> bool {
        move |name| name.chars().count() <= letters
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        let name = "encoder.layers.11.weight";
        assert_eq!(shorten(name, up_to(24)), name);
        assert_eq!(shorten(name, up_to(9)), "enco…ight");
        assert_eq!(shorten(name, up_to(8)), "enco…ght");
        assert_eq!(shorten(name, up_to(0)), "…");
    }

    #[test]
    fn long_names_that_differ_in_their_middle_stay_different() {
        let names: Vec<String> = (8..12)
            .map(|layer| format!("encoder.layers.{layer}.attention.query.projection"))
            .collect();
        let short = shorten_apart(names.iter().map(String::as_str), up_to(20));
        assert_eq!(short, ["…8…", "…9…", "…10…", "…11…"]);
        let transformer = [
            "output",
            "transformer.layers.0.pwff.linear_inner",
            "transformer.layers.1.pwff.linear_inner",
            "transformer.layers.1.norm_2",
        ];
        assert_eq!(
            shorten_apart(transformer, up_to(28)),
            [
                "output",
                "t.layers.0.pwff.linear_inner",
                "t.layers.1.pwff.linear_inner",
                "transformer.layers.1.norm_2",
            ]
        );
        assert_eq!(
            shorten_apart(transformer, up_to(14)),
            ["output", "t.l.0.p…_inner", "t.l.1.p…_inner", "t.l.1.norm_2"]
        );
        let biases = ["a.layers.0.key.bias", "a.layers.1.key.bias", "b"];
        assert_eq!(
            shorten_apart(biases, up_to(9)),
            ["a.l.0.k.b", "a.l.1.k.b", "b"]
        );
        let known = ["fc1", "fc1.weight", "a.b"];
        assert_eq!(shorten_apart(known, up_to(20)), known);
        assert_eq!(shorten_apart(["only.one"], up_to(3)), ["o…e"]);
        assert!(shorten_apart([], up_to(3)).is_empty());
    }
}
