use crate::analysis::distribution;
use crate::analysis::distribution::ValueSource;
use crate::analysis::noise::{Noise, TopFraction, concentration, heroes, noise, oscillation};
use crate::error::LcaError;
use crate::record::Table;

use super::random::chance_at;
use super::synthetic::{Synthetic, totals, without};

/// Parameters that help by chance at 52 % of 30 to 60 steps.
fn chance(parameters: u64, draw: u64) -> Vec<(u32, u32)> {
    let parameter = |parameter| {
        let steps = 30 + (parameter % 31) as u32;
        let helps =
            |step: &u32| chance_at((draw << 40) + (parameter << 10) + u64::from(*step)) < 0.52;
        let helping = (0..steps).filter(helps).count() as u32;
        (helping, steps - helping)
    };
    (0..parameters).map(parameter).collect()
}

#[test]
fn chance_alone_has_no_heroes_more_often_than_the_level_says() {
    const DRAWS: u64 = 200;
    let (mut with_heroes, mut low, mut sum) = (0, 0, 0.0);
    for draw in 0..DRAWS {
        let (_folder, run) = totals(&chance(100, draw), &[0.0; 100]);
        let heroes = heroes(&run).unwrap();
        let p = heroes.p_value.unwrap();
        with_heroes += u32::from(heroes.heroes + heroes.villains > 0);
        low += u32::from(p < 0.05);
        sum += p;
    }
    // 5 % of 200 draws are 10 ± 3.1; the exact tails of heroes stay below that.
    assert!(with_heroes <= 19, "{with_heroes}");
    assert!((1..=19).contains(&low), "{low}");
    // The mean of uniform p-values is 0.5 ± 0.0204.
    assert!(
        (sum / DRAWS as f64 - 0.5).abs() < 0.075,
        "{}",
        sum / DRAWS as f64
    );
}

#[test]
fn planted_heroes_and_villains_are_found_and_no_others() {
    let mut counts = chance(1_000, 7);
    (counts[17], counts[900]) = ((55, 5), (4, 50));
    let mut lca = vec![0.0; 1_000];
    (lca[17], lca[900]) = (-0.5, 0.25);
    let (_folder, run) = totals(&counts, &lca);
    let heroes = heroes(&run).unwrap();
    assert_eq!((heroes.heroes, heroes.villains), (1, 1));
    assert_eq!((heroes.heroes_lca, heroes.villains_lca), (-0.5, 0.25));
    assert_eq!(heroes.top_heroes[0].index, 17);
    assert_eq!(heroes.top_villains[0].index, 900);
}

#[test]
fn a_wider_spread_than_chance_is_seen_where_no_single_parameter_stands_out() {
    // Half of the parameters help at 45 % of their steps, the others at 55 %: the variance of a
    // count of 100 is 25 by chance, and 5² more.
    let helping = |parameter: u64| {
        let share = if parameter.is_multiple_of(2) {
            0.45
        } else {
            0.55
        };
        let helps = |step: &u64| chance_at(parameter * 1_000 + step) < share;
        (0..100).filter(helps).count() as u32
    };
    let counts: Vec<_> = (0..2_000).map(helping).map(|h| (h, 100 - h)).collect();
    let (_folder, run) = totals(&counts, &[0.0; 2_000]);
    let heroes = heroes(&run).unwrap();
    let ratio = heroes.variance_ratio.unwrap();
    assert!((ratio - 1.99).abs() < 0.2, "{ratio}");
    assert!(heroes.p_value.unwrap() < 1e-30);
}

#[test]
fn bins_of_heroes_count_shares_and_what_chance_would_give() {
    // Two steps each: with p = 1/2 chance gives shares of 0, 1/2 and 1 to 1, 2 and 1 of four.
    let counts = [(0, 2), (1, 1), (2, 0), (1, 1), (0, 0)];
    let (_folder, run) = totals(&counts, &[1.0, -2.0, -4.0, -8.0, 0.0]);
    let heroes = heroes(&run).unwrap();
    assert_eq!(
        (heroes.moving, heroes.still, heroes.helping_fraction),
        (4, 1, Some(0.5))
    );
    // Σ (h − 1)² / 0.5 = 2/0.5, over 3.
    assert!((heroes.variance_ratio.unwrap() - 4.0 / 3.0).abs() < 1e-12);
    for (bin, parameters, lca) in [(0, 1, 1.0), (10, 2, -10.0), (19, 1, -4.0), (5, 0, 0.0)] {
        let bin = heroes.bins[bin];
        assert_eq!((bin.parameters, bin.lca), (parameters, lca));
        assert!((bin.by_chance - parameters as f64).abs() < 1e-9, "{bin:?}");
    }
}

#[test]
fn parameters_that_never_move_are_no_heroes() {
    let (_folder, run) = totals(&[(0, 0); 3], &[0.0; 3]);
    let heroes = heroes(&run).unwrap();
    assert_eq!(
        (heroes.moving, heroes.still, heroes.helping_fraction),
        (0, 3, None)
    );
    let concentration = concentration(&run).unwrap();
    assert_eq!(concentration.help.gini, None);
    assert!(concentration.help.top.is_empty());
    assert_eq!(oscillation(&run).unwrap()[0].step_period, None);
}

#[test]
fn parameters_of_period_seven_have_period_seven() {
    let folder = tempfile::tempdir().unwrap();
    // 4 steps up, 3 down, each parameter at its own phase; gradients of fc2 have period 12.
    let wave = |at: u64, period: u64, up: u64| if at % period < up { 1.0 } else { -1.0 };
    let run = Synthetic::new(
        &[("fc1.weight", 7), ("fc2.weight", 2), ("still.bias", 1)],
        141,
    )
    .step(move |at| match at.tensor {
        "fc1.weight" => wave(at.iteration + at.index as u64, 7, 4),
        _ => 0.1,
    })
    .gradient(move |at| match at.tensor {
        "fc1.weight" => wave(at.iteration, 2, 1),
        _ => wave(at.iteration, 12, 6),
    })
    .lca(|at| {
        if at.tensor == "still.bias" {
            0.0
        } else {
            -1e-3
        }
    })
    .write(folder.path());
    let tensors = oscillation(&run).unwrap();
    let names: Vec<&str> = tensors.iter().map(|tensor| &*tensor.tensor).collect();
    assert_eq!(names, ["fc1.weight", "fc2.weight", "still.bias"]);
    // 140 pairs of steps are 20 periods, with 2 sign changes in each.
    assert_eq!(tensors[0].step_period, Some(7.0));
    assert_eq!(tensors[0].gradient_period, Some(2.0));
    assert_eq!(
        (tensors[1].step_period, tensors[1].step_no_sign_change),
        (None, 2)
    );
    // Turns before steps 6, 12, … 138 only: 23 in 140 pairs.
    assert_eq!(tensors[1].gradient_period, Some(2.0 * 140.0 / 23.0));
    assert_eq!((tensors[2].moving, tensors[2].gradient_period), (0, None));
}

#[test]
fn concentration_is_that_worked_out_by_hand() {
    // Help 4, 2, 1, 1, and six without: Σ |a − b| over all 100 ordered pairs is
    // 2·(2 + 3 + 3 + 1 + 1 + 0 + 6·8) = 116, so Gini is 116 / (2·100·0.8) = 0.725; among the
    // four it is 2·10 / (2·16·2) = 0.3125. The top 10 % is the one with 4 of 8, and the top
    // 1 % a tenth of it.
    let lca = [-4.0, 0.0, -1.0, 3.0, -2.0, 0.0, 0.0, -1.0, 0.0, 0.0];
    let (_folder, run) = totals(&[(1, 1); 10], &lca);
    let concentration = concentration(&run).unwrap();
    let help = concentration.help;
    assert_eq!((concentration.parameters, help.parameters), (10, 4));
    assert!((help.total - 8.0).abs() < 1e-3 * 8.0);
    assert!((help.gini.unwrap() - 0.725).abs() < 1e-3);
    assert!((help.gini_among_these.unwrap() - 0.3125).abs() < 1e-3);
    let top = |fraction| {
        help.top
            .iter()
            .find(|top| top.of_parameters == fraction)
            .unwrap()
    };
    for (fraction, share) in [(0.01, 0.05), (0.1, 0.5), (0.2, 0.75), (0.5, 1.0)] {
        let TopFraction {
            of_amount: found, ..
        } = *top(fraction);
        assert!((found - share).abs() < 1e-3, "{fraction}: {found}");
    }
    // One of ten has all the harm: (n − 1)/n.
    assert!((concentration.harm.gini.unwrap() - 0.9).abs() < 1e-9);
    assert_eq!(concentration.harm.gini_among_these, Some(0.0));
}

#[test]
fn concentration_agrees_with_the_formula_on_sorted_values() {
    let mut lca: Vec<f64> = (0..5_000).map(|at| -chance_at(at).powi(4) * 1e-5).collect();
    let (_folder, run) = totals(&vec![(1, 1); 5_000], &lca);
    let help = concentration(&run).unwrap().help;
    // Ascending: G = 2·Σ i·x_i / (n·Σ x) − (n + 1)/n.
    lca.sort_by(|a, b| b.total_cmp(a));
    let sum: f64 = lca.iter().map(|lca| -lca).sum();
    let ranked: f64 = (1..)
        .zip(&lca)
        .map(|(rank, lca)| -f64::from(rank) * lca)
        .sum();
    let gini = 2.0 * ranked / (5e3 * sum) - 5_001.0 / 5_000.0;
    assert!((help.gini.unwrap() - gini).abs() < 1e-4);
    let top: f64 = lca[4_950..].iter().map(|lca| -lca).sum();
    assert!((help.top[1].of_amount - top / sum).abs() < 1e-4);
}

/// A run of 60 steps of 200 parameters, a tenth of which are always zero.
fn spread() -> Synthetic {
    Synthetic::new(&[("fc1.weight", 150), ("fc2.weight", 50)], 60).lca(|at| {
        let seed = at.iteration * 1_000 + at.index as u64 + at.tensor.len() as u64;
        let seed = if at.tensor == "fc2.weight" {
            seed + 500
        } else {
            seed
        };
        match at.index % 10 {
            0 => 0.0,
            _ => (chance_at(seed) - 0.55) * chance_at(seed + 1_000_000).powi(3) * 1e-5,
        }
    })
}

/// All values of that run as they are recorded, ascending.
fn sorted() -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let run = spread().write(folder.path());
    let mut values = Vec::new();
    let scan = run.scan(crate::Table::Parameters).columns(["lca"]);
    for batch in scan.batches().unwrap() {
        let batch = batch.unwrap();
        let column = crate::analysis::read::Columns(&batch).f32("lca").unwrap();
        values.extend(column.iter().map(|lca| f64::from(*lca)));
    }
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn quantiles_and_counts_agree_with_an_exact_sort_from_rows_and_from_histograms() {
    let values = sorted();
    let folder = tempfile::tempdir().unwrap();
    let rows = distribution(&spread().write(folder.path())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bins = distribution(&spread().without_parameters().write(folder.path())).unwrap();
    assert_eq!(
        (rows.source, bins.source),
        (ValueSource::Parameters, ValueSource::Histograms)
    );
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let count = |holds: fn(&f64) -> bool| values.iter().filter(|lca| holds(lca)).count() as u64;
    for (found, width) in [(&rows, 1.001), (&bins, 1.8)] {
        assert_eq!(found.counts.helping, count(|lca| *lca < 0.0));
        assert_eq!(found.counts.hurting, count(|lca| *lca > 0.0));
        assert_eq!(found.counts.zero, 60 * 20);
        assert!((found.mean.unwrap() / mean - 1.0).abs() < 1e-6);
        assert_eq!(found.quantiles.len(), 9);
        for quantile in &found.quantiles {
            let rank = (quantile.probability * values.len() as f64).ceil() as usize;
            let exact = values[rank - 1];
            assert!(
                quantile.lower <= exact && exact <= quantile.upper,
                "{quantile:?} {exact}"
            );
            if exact == 0.0 {
                assert_eq!(quantile.value, 0.0);
            } else {
                let ratio = quantile.value / exact;
                assert!(
                    1.0 / width <= ratio && ratio <= width,
                    "{quantile:?} {exact}"
                );
            }
        }
        assert_eq!(found.bins.iter().map(|bin| bin.count).sum::<u64>(), 12_000);
    }
}

#[test]
fn values_are_taken_from_where_all_of_them_are_known_best() {
    use crate::record::ParameterSelection;
    let source = |run: Synthetic, tables: &[Table]| {
        let folder = tempfile::tempdir().unwrap();
        let run = without(&run.write(folder.path()), tables);
        let found = distribution(&run).unwrap();
        (found.source, found.counts.all(), found.mean.unwrap())
    };
    // Every parameter i helps by i + 1.
    let run = || Synthetic::new(&[("fc.weight", 4)], 10).lca(|at| -1.0 - at.index as f64);
    let chosen = || run().parameters(ParameterSelection::all().chosen_indices([0]));
    assert_eq!(source(run(), &[]), (ValueSource::Parameters, 40, -2.5));
    assert_eq!(source(chosen(), &[]), (ValueSource::Histograms, 40, -2.5));
    let alone = source(chosen(), &[Table::Histograms]);
    assert_eq!(alone, (ValueSource::ChosenParameters, 10, -1.0));
}

#[test]
fn values_that_are_not_finite_are_counted_apart() {
    for with_parameters in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let run = Synthetic::new(&[("fc.weight", 4)], 10).lca(|at| match at.index {
            0 if at.iteration == 3 => f64::NAN,
            1 if at.iteration == 4 => f64::INFINITY,
            _ => -1e-3,
        });
        let run = if with_parameters {
            run
        } else {
            run.without_parameters()
        };
        let distribution = distribution(&run.write(folder.path())).unwrap();
        assert_eq!(
            (distribution.counts.helping, distribution.not_finite),
            (38, 2)
        );
        assert!((distribution.mean.unwrap() / -1e-3 - 1.0).abs() < 1e-6);
    }
}

#[test]
fn what_is_not_recorded_is_left_out_and_an_error_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc.weight", 4)], 10).write(folder.path());
    let tables = [Table::Parameters, Table::Histograms, Table::ParameterTotals];
    let run = without(&run, &tables);
    let Noise {
        distribution: None,
        heroes: None,
        oscillation: None,
        concentration: None,
        helping,
        ..
    } = noise(&run).unwrap()
    else {
        panic!("something was found");
    };
    assert_eq!(helping.steps.len(), 10);
    assert_eq!(helping.all.fraction_of_all(), Some(1.0));
    assert!(matches!(
        distribution(&run),
        Err(LcaError::NotRecorded { .. })
    ));
    assert!(matches!(heroes(&run), Err(LcaError::NotRecorded { .. })));
}

#[test]
fn a_run_without_steps_or_with_one_has_no_false_noise() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc.weight", 4)], 0).write(folder.path());
    assert!(matches!(noise(&run), Err(LcaError::NotRecorded { .. })));
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc.weight", 4)], 1).write(folder.path());
    let noise = noise(&run).unwrap();
    assert_eq!(noise.distribution.unwrap().fits.double_weibull, None);
    assert_eq!(noise.heroes.unwrap().variance_ratio, None);
    assert_eq!(noise.oscillation.unwrap()[0].step_period, None);
}
