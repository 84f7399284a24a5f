use rstest::rstest;

use crate::analysis::noise::chance::Chance;

/// The binomial probabilities, by adding one step after the other.
fn pascal(steps: u32, share: f64) -> Vec<f64> {
    let mut row = vec![1.0];
    for _ in 0..steps {
        let grown = |at: usize| {
            let stays = row.get(at).map_or(0.0, |p| p * (1.0 - share));
            stays + at.checked_sub(1).map_or(0.0, |at| row[at] * share)
        };
        row = (0..=row.len()).map(grown).collect();
    }
    row
}

#[rstest]
#[case(1, 0.5)]
#[case(20, 0.3)]
#[case(300, 0.52)]
#[case(50, 0.0)]
#[case(50, 1.0)]
fn probabilities_are_those_of_pascals_triangle(#[case] steps: u32, #[case] share: f64) {
    let exact = pascal(steps, share);
    let mut sum = 0.0;
    for (count, probability) in Chance::new(steps, share).likely() {
        assert!((probability - exact[count as usize]).abs() < 1e-11);
        sum += probability;
    }
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[rstest]
#[case(20, 0.3, 0.01)]
#[case(300, 0.52, 1e-6)]
#[case(3, 0.5, 0.01)]
fn bounds_are_the_nearest_counts_that_are_improbable_enough(
    #[case] steps: u32,
    #[case] share: f64,
    #[case] tail: f64,
) {
    let exact = pascal(steps, share);
    let below = |count: u32| exact[..=count as usize].iter().sum::<f64>();
    let above = |count: u32| exact[count as usize..].iter().sum::<f64>();
    let least = (0..=steps).rev().find(|count| below(*count) <= tail);
    let most = (0..=steps).find(|count| above(*count) <= tail);
    assert_eq!(Chance::new(steps, share).bounds(tail), (least, most));
}
