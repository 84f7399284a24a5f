//! Patterns of tensor paths.

/// Returns whether a pattern with `*` and `?` matches the whole text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to try again if what follows the last star does not match: the star takes one more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("fc1.weight", "fc1.weight", true)]
    #[case("fc*.weight", "fc12.weight", true)]
    #[case("fc?.weight", "fc12.weight", false)]
    #[case("*bias", "a b.ü.bias", true)]
    #[case("*.b*s", "x.b.bias", true)]
    #[case("fc1", "fc1.weight", false)]
    #[case("", "", true)]
    #[case("*", "", true)]
    fn patterns_match_whole_paths(
        #[case] pattern: &str,
        #[case] path: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(matches(pattern, path), expected);
    }
}
