//! The answers to `docs/recipes.md`, computed from what `observe` returned and from the model's
//! parameters; those of the checks from the tables, through the crate's reader.

use std::collections::BTreeMap;

use burn_lca::{ProbeAllocation, StepAllocation, Table, TensorAllocation};
use serde_json::json;

use crate::answer::{Answer, number};
use crate::observed::{Observed, STEPS};
use crate::truth::{Turns, layer, unit_of};

pub fn answers(observed: &Observed) -> BTreeMap<&'static str, Answer> {
    let totals = totals(observed);
    BTreeMap::from([
        ("loss-curve", loss_curve(observed)),
        ("percent-helping", percent_helping(observed)),
        ("layers", layers(observed)),
        ("hurting-layers", hurting_layers(observed)),
        ("classes", classes(observed)),
        ("validation", validation(observed)),
        ("parameters", parameters(&totals)),
        ("heroes", heroes(&totals)),
        ("oscillation", oscillation(&totals)),
        ("trajectory", trajectory(observed)),
        ("overfitting-parameters", overfitting_parameters(&totals)),
        ("units", units(observed)),
        ("distribution", distribution(observed)),
        ("check-totals", check_totals(observed)),
        ("check-units", check_units(observed)),
        ("check-tensors", check_tensors(observed)),
        ("check-steps", check_steps(observed)),
        ("check-histograms", check_histograms(observed)),
    ])
}

/// The probes in the order of their names.
const PROBES: [&str; 2] = ["training", "validation"];

fn probe<'a>(step: &'a StepAllocation, name: &str) -> &'a ProbeAllocation {
    match name {
        "training" => step.probe(),
        _ => step.validation().expect("two probes"),
    }
}

fn loss_curve(observed: &Observed) -> Answer {
    let mut rows = Vec::new();
    for name in PROBES {
        let start = probe(&observed.steps[0], name).loss_before();
        let [mut lca, mut buffers] = [0.0; 2];
        for step in &observed.steps {
            let probe = probe(step, name);
            lca += probe.lca();
            buffers += probe.buffers().unwrap_or(0.0);
            let loss = probe.loss_after();
            rows.push([
                json!(name),
                json!(step.iteration()),
                json!(loss),
                json!(loss - start),
                json!(lca),
                json!(buffers),
                json!(loss - start - lca - buffers),
            ]);
        }
    }
    let columns = [
        "probe",
        "iteration",
        "loss",
        "change",
        "lca_sum",
        "buffers_sum",
        "residual",
    ];
    Answer::new(columns, rows)
}

fn percent_helping(observed: &Observed) -> Answer {
    let rows = PROBES.into_iter().flat_map(|name| {
        observed.steps.iter().map(move |step| {
            let tally = probe(step, name).tally();
            [
                json!(name),
                json!(step.iteration()),
                json!(tally.percent_helping()),
                json!(tally.percent_helping_of_nonzero()),
            ]
        })
    });
    let columns = ["probe", "iteration", "percent_of_all", "percent_of_nonzero"];
    Answer::new(columns, rows)
}

/// What a layer's tensors sum to.
fn by_layer<T: Default>(
    tensors: &[TensorAllocation],
    layers: &mut BTreeMap<String, T>,
    mut add: impl FnMut(&mut T, &TensorAllocation),
) {
    for tensor in tensors {
        let entry = layers.entry(layer(tensor.path()).to_owned()).or_default();
        add(entry, tensor);
    }
}

fn layers(observed: &Observed) -> Answer {
    let mut rows = Vec::new();
    for name in PROBES {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for step in &observed.steps {
            by_layer(probe(step, name).tensors(), &mut sums, |sum, tensor| {
                *sum += tensor.lca();
            });
        }
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        by_layer(observed.steps[0].tensors(), &mut sizes, |size, tensor| {
            *size += tensor.parameters();
        });
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by(|a, b| a.1.total_cmp(&b.1));
        rows.extend(sums.into_iter().map(|(layer, lca)| {
            let size = sizes[&layer];
            [
                json!(name),
                json!(layer),
                json!(size),
                json!(lca),
                json!(lca / size as f64),
            ]
        }));
    }
    let columns = ["probe", "layer", "parameters", "lca", "lca_per_parameter"];
    Answer::new(columns, rows)
}

fn hurting_layers(observed: &Observed) -> Answer {
    let mut layers: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for step in &observed.steps {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        by_layer(step.tensors(), &mut sums, |sum, tensor| {
            *sum += tensor.lca()
        });
        for (layer, sum) in sums {
            layers.entry(layer).or_default().push(sum);
        }
    }
    let mut rows: Vec<_> = layers
        .into_iter()
        .map(|(layer, sums)| {
            let hurting = sums.iter().filter(|&&sum| sum > 0.0);
            let harm: f64 = hurting.clone().sum();
            let share = hurting.count() as f64 / sums.len() as f64;
            (layer, sums.iter().sum::<f64>(), sums.len(), share, harm)
        })
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let columns = ["layer", "lca", "steps", "percent_hurting", "lca_hurting"];
    Answer::new(
        columns,
        rows.into_iter().map(|(layer, lca, steps, share, harm)| {
            [
                json!(layer),
                json!(lca),
                json!(steps),
                json!(100.0 * share),
                json!(harm),
            ]
        }),
    )
}

fn classes(observed: &Observed) -> Answer {
    let mut sums: BTreeMap<(usize, &str), f64> = BTreeMap::new();
    for tensor in observed.steps.iter().flat_map(StepAllocation::tensors) {
        for class in tensor.by_class() {
            *sums
                .entry((class.class(), layer(tensor.path())))
                .or_default() += class.lca();
        }
    }
    let rows = sums.into_iter();
    Answer::new(
        ["class", "layer", "lca"],
        rows.map(|((class, layer), lca)| [json!(class), json!(layer), json!(lca)]),
    )
}

fn validation(observed: &Observed) -> Answer {
    let mut sums: BTreeMap<&str, ([f64; 2], usize)> = BTreeMap::new();
    for step in &observed.steps {
        let [training, validation] = PROBES.map(|name| probe(step, name).tensors());
        for (training, validation) in training.iter().zip(validation) {
            let (sum, against) = sums.entry(training.path()).or_default();
            sum[0] += training.lca();
            sum[1] += validation.lca();
            *against += usize::from(training.lca() < 0.0 && validation.lca() > 0.0);
        }
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by(|a, b| b.1.0[1].total_cmp(&a.1.0[1]));
    let columns = [
        "tensor",
        "lca_training",
        "lca_validation",
        "overfits",
        "percent_overfitting",
    ];
    Answer::new(
        columns,
        rows.into_iter()
            .map(|(path, ([training, validation], against))| {
                [
                    json!(path),
                    json!(training),
                    json!(validation),
                    json!(training < 0.0 && validation > 0.0),
                    json!(100.0 * against as f64 / STEPS as f64),
                ]
            }),
    )
}

/// What one parameter did over the run.
struct Total<'a> {
    tensor: &'a str,
    index: usize,
    lca: f64,
    lca_validation: f64,
    helping: u32,
    hurting: u32,
    zero: u32,
    step_sign_changes: u32,
    gradient_sign_changes: u32,
    moved: f64,
}

/// Every parameter's totals. The gradient's sign is that of the record: where a gradient is next
/// to zero, one that is summed in another order has another.
fn totals(observed: &Observed) -> Vec<Total<'_>> {
    let mut totals = Vec::new();
    for (path, steps) in &observed.parameters {
        for index in 0..observed.values[0][path].len() {
            let value = |point: usize| observed.values[point][path][index];
            let lca = observed.lca.iter().map(|lca| lca[path][index]);
            let count = |wanted: fn(f32) -> bool| {
                let lca = lca.clone();
                lca.filter(|&lca| wanted(lca)).count() as u32
            };
            let [mut step_sign_changes, mut gradient_sign_changes] =
                [Turns::default(), Turns::default()];
            for (step, parameters) in steps.iter().enumerate() {
                step_sign_changes.add(value(step + 1) - value(step));
                gradient_sign_changes.add(parameters[index].gradient);
            }
            let validation = observed.lca_validation.iter();
            totals.push(Total {
                tensor: path,
                index,
                lca: lca.clone().map(f64::from).sum(),
                lca_validation: validation.map(|lca| f64::from(lca[path][index])).sum(),
                helping: count(|lca| lca < 0.0),
                hurting: count(|lca| lca > 0.0),
                zero: count(|lca| lca == 0.0),
                step_sign_changes: step_sign_changes.count(),
                gradient_sign_changes: gradient_sign_changes.count(),
                moved: f64::from(value(STEPS)) - f64::from(value(0)),
            });
        }
    }
    totals
}

fn parameters(totals: &[Total]) -> Answer {
    let mut sorted: Vec<&Total> = totals.iter().collect();
    sorted.sort_by(|a, b| a.lca.total_cmp(&b.lca));
    let most = sorted[..10].iter().chain(&sorted[sorted.len() - 10..]);
    let columns = [
        "tensor", "index", "lca", "helping", "hurting", "zero", "moved",
    ];
    Answer::new(
        columns,
        most.map(|total| {
            [
                json!(total.tensor),
                json!(total.index),
                json!(total.lca),
                json!(total.helping),
                json!(total.hurting),
                json!(total.zero),
                json!(total.moved),
            ]
        }),
    )
}

/// The totals of parameters that moved the loss, by tensor.
fn moving<'a>(totals: &'a [Total]) -> BTreeMap<&'a str, Vec<&'a Total<'a>>> {
    let mut tensors: BTreeMap<&str, Vec<&Total>> = BTreeMap::new();
    for total in totals
        .iter()
        .filter(|total| total.helping + total.hurting > 0)
    {
        tensors.entry(total.tensor).or_default().push(total);
    }
    tensors
}

fn heroes(totals: &[Total]) -> Answer {
    let mut tenths: BTreeMap<u32, (usize, f64)> = BTreeMap::new();
    for total in moving(totals).values().flatten() {
        let tenth = (10 * total.helping / (total.helping + total.hurting)).min(9);
        let (count, lca) = tenths.entry(tenth).or_default();
        *count += 1;
        *lca += total.lca;
    }
    let columns = ["from_percent", "to_percent", "parameters", "lca"];
    Answer::new(
        columns,
        tenths.into_iter().map(|(tenth, (count, lca))| {
            [
                json!(10 * tenth),
                json!(10 * tenth + 10),
                json!(count),
                json!(lca),
            ]
        }),
    )
}

fn oscillation(totals: &[Total]) -> Answer {
    let columns = ["tensor", "moving", "step_period", "gradient_period"];
    Answer::new(
        columns,
        moving(totals).into_iter().map(|(tensor, totals)| {
            let places = (totals.len() * (STEPS - 1)) as f64;
            let turns = |of: fn(&Total) -> u32| -> u32 { totals.iter().map(|t| of(t)).sum() };
            [
                json!(tensor),
                json!(totals.len()),
                json!(2.0 * places / f64::from(turns(|total| total.step_sign_changes))),
                json!(2.0 * places / f64::from(turns(|total| total.gradient_sign_changes))),
            ]
        }),
    )
}

fn trajectory(observed: &Observed) -> Answer {
    let (path, index) = ("fc2.weight", 100);
    let mut sum = 0.0;
    let rows: Vec<_> = (0..STEPS)
        .map(|step| {
            let [before, after] = [step, step + 1].map(|at| observed.values[at][path][index]);
            let lca = observed.lca[step][path][index];
            sum += f64::from(lca);
            [
                json!(step),
                json!(after - before),
                json!(observed.gradients[step][path][index]),
                json!(lca),
                json!(sum),
            ]
        })
        .collect();
    assert!(sum != 0.0, "the parameter of the recipe never moved");
    Answer::new(["iteration", "step", "gradient", "lca", "lca_sum"], rows)
}

fn overfitting_parameters(totals: &[Total]) -> Answer {
    let mut tensors: BTreeMap<&str, (usize, usize, [f64; 2])> = BTreeMap::new();
    for total in totals.iter().filter(|total| total.lca < 0.0) {
        let (helping, hurting, sums) = tensors.entry(total.tensor).or_default();
        *helping += 1;
        if total.lca_validation > 0.0 {
            *hurting += 1;
            sums[0] += total.lca;
            sums[1] += total.lca_validation;
        }
    }
    let columns = [
        "tensor",
        "helping_training",
        "hurting_validation",
        "lca_training",
        "lca_validation",
    ];
    Answer::new(
        columns,
        tensors
            .into_iter()
            .map(|(tensor, (helping, hurting, sums))| {
                [
                    json!(tensor),
                    json!(helping),
                    json!(hurting),
                    json!(sums[0]),
                    json!(sums[1]),
                ]
            }),
    )
}

fn units(observed: &Observed) -> Answer {
    let mut units: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for (step, lca) in observed.lca.iter().enumerate() {
        for path in ["fc2.weight", "fc2.bias"] {
            for (index, &lca) in lca[path].iter().enumerate() {
                *units.entry((unit_of(path, index), step)).or_default() += f64::from(lca);
            }
        }
    }
    let mut sum = 0.0;
    let rows: Vec<_> = units
        .into_iter()
        .map(|((unit, step), lca)| {
            sum = if step == 0 { lca } else { sum + lca };
            [json!(unit), json!(step), json!(lca), json!(sum)]
        })
        .collect();
    Answer::new(["unit", "iteration", "lca", "lca_sum"], rows)
}

fn distribution(observed: &Observed) -> Answer {
    let frame = &observed.tables[&Table::Histograms];
    let mut bins: Vec<(f64, f64, f64)> = Vec::new();
    for row in 0..frame.rows() {
        let [lower, upper, count] = ["lower", "upper", "count"].map(|name| frame.number(name, row));
        match bins.iter_mut().find(|bin| (bin.0, bin.1) == (lower, upper)) {
            Some(bin) => bin.2 += count,
            None => bins.push((lower, upper, count)),
        }
    }
    bins.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let all: f64 = bins.iter().map(|bin| bin.2).sum();
    Answer::new(
        ["lower", "upper", "count", "percent"],
        bins.into_iter().map(|(lower, upper, count)| {
            [
                number(lower),
                number(upper),
                json!(count as u64),
                json!(100.0 * count / all),
            ]
        }),
    )
}

/// The worst of some differences by key, how many there are, and how many counts differ.
#[derive(Default)]
struct Differences {
    compared: usize,
    worst: f64,
    worst_other: f64,
    differing: usize,
}

fn check_totals(observed: &Observed) -> Answer {
    let frame = &observed.tables[&Table::ParameterTotals];
    let mut tensors: BTreeMap<&str, Differences> = BTreeMap::new();
    for row in 0..frame.rows() {
        let number = |name: &str| frame.number(name, row);
        let path = frame.text("tensor", row);
        let [mut lca, mut moved] = [0.0; 2];
        let mut counts = [0.0; 3];
        let [mut step_sign_changes, mut gradient_sign_changes] =
            [Turns::default(), Turns::default()];
        for rows in &observed.parameters[path] {
            let step = &rows[number("index") as usize];
            lca += f64::from(step.lca);
            moved += f64::from(step.step);
            counts[0] += f64::from(u8::from(step.lca < 0.0));
            counts[1] += f64::from(u8::from(step.lca > 0.0));
            counts[2] += f64::from(u8::from(step.lca == 0.0));
            step_sign_changes.add(step.step);
            gradient_sign_changes.add(step.gradient);
        }
        let same = counts == ["helping", "hurting", "zero"].map(number)
            && f64::from(step_sign_changes.count()) == number("step_sign_changes")
            && f64::from(gradient_sign_changes.count()) == number("gradient_sign_changes");
        let entry = tensors.entry(path).or_default();
        entry.compared += 1;
        entry.worst = entry.worst.max((number("lca") - lca).abs());
        let way = number("final") - number("initial");
        entry.worst_other = entry.worst_other.max((way - moved).abs());
        entry.differing += usize::from(!same);
    }
    let columns = [
        "tensor",
        "parameters",
        "worst_lca",
        "worst_moved",
        "differing",
    ];
    Answer::new(
        columns,
        tensors.into_iter().map(|(tensor, differences)| {
            [
                json!(tensor),
                json!(differences.compared),
                json!(differences.worst),
                json!(differences.worst_other),
                json!(differences.differing),
            ]
        }),
    )
}

fn check_units(observed: &Observed) -> Answer {
    let frame = &observed.tables[&Table::Units];
    let mut sums: BTreeMap<(usize, &str, usize), f64> = BTreeMap::new();
    for (path, steps) in &observed.parameters {
        for (iteration, rows) in steps.iter().enumerate() {
            for (index, row) in rows.iter().enumerate() {
                let key = (iteration, &**path, unit_of(path, index));
                *sums.entry(key).or_default() += f64::from(row.lca);
            }
        }
    }
    let mut tensors: BTreeMap<&str, Differences> = BTreeMap::new();
    for row in 0..frame.rows() {
        let [iteration, unit] = ["iteration", "unit"].map(|name| frame.number(name, row) as usize);
        let path = frame.text("tensor", row);
        let off = frame.number("lca", row) - sums[&(iteration, path, unit)];
        let entry = tensors.entry(path).or_default();
        entry.compared += 1;
        entry.worst = entry.worst.max(off.abs());
    }
    // All units were found, so what was not looked for is missing from the table.
    let columns = ["tensor", "unit_steps", "missing", "worst_lca"];
    let rows: Vec<_> = tensors
        .into_iter()
        .map(|(tensor, differences)| {
            let expected = sums.keys().filter(|(_, path, _)| *path == tensor).count();
            [
                json!(tensor),
                json!(expected),
                json!(expected - differences.compared),
                json!(differences.worst),
            ]
        })
        .collect();
    Answer::new(columns, rows)
}

fn check_tensors(observed: &Observed) -> Answer {
    let units = &observed.tables[&Table::Units];
    let mut sums: BTreeMap<(usize, &str), f64> = BTreeMap::new();
    for row in 0..units.rows() {
        let key = (
            units.number("iteration", row) as usize,
            units.text("tensor", row),
        );
        *sums.entry(key).or_default() += units.number("lca", row);
    }
    let frame = &observed.tables[&Table::Tensors];
    let mut tensors: BTreeMap<&str, Differences> = BTreeMap::new();
    for row in 0..frame.rows() {
        if frame.get("class", row).is_some() || frame.text("probe", row) != "training" {
            continue;
        }
        let path = frame.text("tensor", row);
        let sum = sums[&(frame.number("iteration", row) as usize, path)];
        let entry = tensors.entry(path).or_default();
        entry.compared += 1;
        entry.worst = entry.worst.max((frame.number("lca", row) - sum).abs());
    }
    Answer::new(
        ["tensor", "steps", "worst_lca"],
        tensors.into_iter().map(|(tensor, differences)| {
            [
                json!(tensor),
                json!(differences.compared),
                json!(differences.worst),
            ]
        }),
    )
}

fn check_steps(observed: &Observed) -> Answer {
    const COUNTS: [&str; 3] = ["helping", "hurting", "zero"];
    let tensors = &observed.tables[&Table::Tensors];
    let mut sums: BTreeMap<(usize, &str), (f64, [f64; 3])> = BTreeMap::new();
    for row in (0..tensors.rows()).filter(|&row| tensors.get("class", row).is_none()) {
        let key = (
            tensors.number("iteration", row) as usize,
            tensors.text("probe", row),
        );
        let (lca, counts) = sums.entry(key).or_default();
        *lca += tensors.number("lca", row);
        for (count, name) in counts.iter_mut().zip(COUNTS) {
            *count += tensors.number(name, row);
        }
    }
    let classes = &observed.tables[&Table::Classes];
    let mut means: BTreeMap<(usize, &str), [f64; 2]> = BTreeMap::new();
    for row in 0..classes.rows() {
        let key = (
            classes.number("iteration", row) as usize,
            classes.text("probe", row),
        );
        let mean = means.entry(key).or_default();
        let examples = classes.number("examples", row);
        mean[0] += examples * classes.number("lca", row);
        mean[1] += examples;
    }
    let frame = &observed.tables[&Table::Steps];
    let mut probes: BTreeMap<&str, Differences> = BTreeMap::new();
    for row in 0..frame.rows() {
        let key = (
            frame.number("iteration", row) as usize,
            frame.text("probe", row),
        );
        let (lca, counts) = sums[&key];
        let [weighted, examples] = means[&key];
        let recorded = frame.number("lca", row);
        let entry = probes.entry(key.1).or_default();
        entry.compared += 1;
        entry.worst = entry.worst.max((recorded - lca).abs());
        entry.worst_other = entry
            .worst_other
            .max((recorded - weighted / examples).abs());
        let same = counts == COUNTS.map(|name| frame.number(name, row));
        entry.differing += usize::from(!same);
    }
    let columns = ["probe", "steps", "worst_lca", "worst_class", "differing"];
    Answer::new(
        columns,
        probes.into_iter().map(|(probe, differences)| {
            [
                json!(probe),
                json!(differences.compared),
                json!(differences.worst),
                json!(differences.worst_other),
                json!(differences.differing),
            ]
        }),
    )
}

fn check_histograms(observed: &Observed) -> Answer {
    let frame = &observed.tables[&Table::Histograms];
    let mut tensors: BTreeMap<&str, u64> = BTreeMap::new();
    for row in 0..frame.rows() {
        let count = frame.number("count", row) as u64;
        *tensors.entry(frame.text("tensor", row)).or_default() += count;
    }
    let rows: Vec<_> = tensors
        .into_iter()
        .map(|(tensor, counted)| {
            let parameters = observed.values[0][tensor].len() as u64;
            let missing = (parameters * STEPS as u64) as i64 - counted as i64;
            [json!(tensor), json!(counted), json!(missing)]
        })
        .collect();
    Answer::new(["tensor", "counted", "missing"], rows)
}
