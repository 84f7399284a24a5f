use rstest::rstest;

use crate::analysis::distribution::fits::fits;
use crate::analysis::stats::Bin;

use super::samples::{double_weibull, fine, gaussian, histogram};

const COUNT: usize = 20_000;

/// The asymptotic standard errors of maximum likelihood from n values that are known exactly, by
/// inverting Fisher's information: with γ Euler's constant,
/// Var k = (6/π²)·k²/n and Var λ = (1 + 6(1 − γ)²/π²)·λ²/(k²·n).
fn errors(shape: f64, scale: f64, count: usize) -> (f64, f64) {
    let pi2 = std::f64::consts::PI.powi(2);
    let gamma = 0.577_215_664_901_532_9_f64;
    let n = count as f64;
    let of_shape = (6.0 / pi2 / n).sqrt() * shape;
    let of_scale = ((1.0 + 6.0 * (1.0 - gamma).powi(2) / pi2) / n).sqrt() * scale / shape;
    (of_shape, of_scale)
}

#[rstest]
#[case::heavy(0.5)]
#[case::exponential(1.0)]
#[case::light(2.0)]
fn shape_and_scale_of_a_double_weibull_are_found_from_rows_and_from_histograms(
    #[case] shape: f64,
    #[values(1, 2, 3)] seed: u64,
) {
    let scale = 3e-7;
    let values = double_weibull(shape, scale, COUNT, seed);
    let (shape_error, scale_error) = errors(shape, scale, COUNT);
    // Of 36 numbers one is beyond 3.5 errors once in 60 draws; the seeds are fixed.
    let rows = fits(&fine(&values)).double_weibull.unwrap();
    assert!((rows.shape - shape).abs() < 3.5 * shape_error, "{rows:?}");
    assert!((rows.scale - scale).abs() < 3.5 * scale_error, "{rows:?}");
    // The curvature knows the errors of exact values: its own sampling error is about 1 %.
    assert!(
        (rows.shape_error / shape_error - 1.0).abs() < 0.03,
        "{rows:?}"
    );
    assert!(
        (rows.scale_error / scale_error - 1.0).abs() < 0.03,
        "{rows:?}"
    );

    let binned = fits(&histogram(&values)).double_weibull.unwrap();
    // Bins lose some information, so the errors are their own, and larger.
    assert!(binned.shape_error > rows.shape_error);
    assert!(binned.shape_error < 2.0 * rows.shape_error);
    assert!(
        (binned.shape - shape).abs() < 3.5 * binned.shape_error,
        "{binned:?}"
    );
    assert!(
        (binned.scale - scale).abs() < 3.5 * binned.scale_error,
        "{binned:?}"
    );
}

#[test]
fn the_fit_from_rows_solves_the_textbook_equation_of_exact_values() {
    let values = double_weibull(0.7, 1e-5, COUNT, 7);
    let fit = fits(&fine(&values)).double_weibull.unwrap();
    // The maximum is where Σ xᵏ ln x / Σ xᵏ − 1/k = mean of ln x; found here by bisection.
    let logarithms: Vec<f64> = values.iter().map(|x| f64::from(x.abs()).ln()).collect();
    let mean = logarithms.iter().sum::<f64>() / COUNT as f64;
    let excess = |k: f64| {
        let powers = || logarithms.iter().map(|x| (k * (x - mean)).exp());
        let weighted: f64 = powers().zip(&logarithms).map(|(power, x)| power * x).sum();
        weighted / powers().sum::<f64>() - 1.0 / k - mean
    };
    let (mut low, mut high) = (0.1, 5.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if excess(middle) < 0.0 {
            low = middle
        } else {
            high = middle
        }
    }
    let powers = logarithms.iter().map(|x| (low * x).exp());
    let scale = (powers.sum::<f64>() / COUNT as f64).powf(1.0 / low);
    assert!((fit.shape / low - 1.0).abs() < 1e-5, "{fit:?} {low}");
    assert!((fit.scale / scale - 1.0).abs() < 1e-5, "{fit:?} {scale}");
}

#[test]
fn the_gaussian_fit_has_the_mean_and_deviation_of_the_sample() {
    let values = gaussian(2e-6, 1e-5, COUNT, 11);
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / COUNT as f64;
    let squares = values.iter().map(|x| (f64::from(*x) - mean).powi(2));
    let deviation = (squares.sum::<f64>() / COUNT as f64).sqrt();
    let fit = fits(&fine(&values)).gaussian.unwrap();
    assert!((fit.mean - mean).abs() < 1e-5 * deviation, "{fit:?} {mean}");
    assert!(
        (fit.standard_deviation / deviation - 1.0).abs() < 1e-5,
        "{fit:?}"
    );
    let binned = fits(&histogram(&values)).gaussian.unwrap();
    let error = deviation / (COUNT as f64).sqrt();
    assert!((binned.mean - 2e-6).abs() < 5.0 * error, "{binned:?}");
    assert!(
        (binned.standard_deviation - 1e-5).abs() < 5.0 * error,
        "{binned:?}"
    );
}

#[test]
fn each_distribution_is_preferred_on_its_own_data_from_rows_and_from_histograms() {
    for seed in 0..5 {
        // Shape 2 is the hardest of the planted ones: its tail is a Gaussian's.
        let heavy = double_weibull(2.0, 1e-6, 2_000, seed);
        let light = gaussian(0.0, 1e-6, 2_000, seed);
        for bins in [fine, histogram] {
            assert!(fits(&bins(&heavy)).aic_advantage.unwrap() > 0.0);
            assert!(fits(&bins(&light)).aic_advantage.unwrap() < 0.0);
        }
    }
}

#[test]
fn likelihoods_are_probabilities_of_the_bins() {
    // Exponential sizes of scale 1 in (0, 1], (1, 2], (2, ∞): the shares that the law gives.
    let bins = |sign: f64| {
        let e = std::f64::consts::E;
        let shares = [1.0 - 1.0 / e, 1.0 / e - 1.0 / (e * e), 1.0 / (e * e)];
        let edges = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::INFINITY)];
        edges
            .into_iter()
            .zip(shares)
            .map(move |((near, far), share)| {
                let (lower, upper) = ((sign * near).min(sign * far), (sign * near).max(sign * far));
                Bin::new(lower, upper, (share * 1e9).round() as u64)
            })
    };
    let both: Vec<Bin> = bins(-1.0).rev().chain(bins(1.0)).collect();
    let fit = fits(&both).double_weibull.unwrap();
    assert!((fit.shape - 1.0).abs() < 1e-6, "{fit:?}");
    assert!((fit.scale - 1.0).abs() < 1e-6, "{fit:?}");
    assert!(fit.fit.ks_statistic < 1e-6, "{fit:?}");
    let n = fit.fit.values as f64;
    let entropy: f64 = both
        .iter()
        .map(|bin| bin.count as f64 * (bin.count as f64 / n).ln())
        .sum();
    assert!(
        (fit.fit.ln_likelihood / entropy - 1.0).abs() < 1e-9,
        "{fit:?}"
    );
}

#[test]
fn a_tail_far_beyond_a_gaussian_leaves_its_likelihood_finite() {
    let values = double_weibull(0.2, 1e-9, COUNT, 3);
    for bins in [fine(&values), histogram(&values)] {
        let found = fits(&bins);
        let gaussian = found.gaussian.unwrap();
        assert!(gaussian.fit.ln_likelihood.is_finite(), "{gaussian:?}");
        assert!(found.aic_advantage.unwrap() > 1e5);
        assert!(gaussian.fit.ks_statistic > 10.0 * found.double_weibull.unwrap().fit.ks_statistic);
    }
}

#[test]
fn sides_are_fitted_apart() {
    let helping = double_weibull(0.5, 1e-6, COUNT, 1)
        .into_iter()
        .map(|x| -x.abs());
    let hurting = double_weibull(2.0, 1e-4, COUNT, 2)
        .into_iter()
        .map(f32::abs);
    let found = fits(&fine(&helping.chain(hurting).collect::<Vec<_>>()));
    let (helping, hurting) = (found.helping.unwrap(), found.hurting.unwrap());
    assert!((helping.shape / 0.5 - 1.0).abs() < 0.03, "{helping:?}");
    assert!((helping.scale / 1e-6 - 1.0).abs() < 0.05, "{helping:?}");
    assert!((hurting.shape / 2.0 - 1.0).abs() < 0.03, "{hurting:?}");
    assert!((hurting.scale / 1e-4 - 1.0).abs() < 0.03, "{hurting:?}");
}

#[test]
fn too_few_values_have_no_fit() {
    for values in [
        &[][..],
        &[1e-3; 50],
        &[-1e-3, 2e-3],
        &[0.0; 9],
        &[f32::MAX, f32::NAN],
    ] {
        let found = fits(&fine(values));
        assert_eq!(found.double_weibull, None);
        assert_eq!(found.aic_advantage, None);
    }
}
