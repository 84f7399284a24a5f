//! What is written is what is read, and only what was asked for is read.

use arrow::array::{
    Float32Array, Float64Array, Int8Array, Int32Array, StringArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{Float32Type, Float64Type};

use super::*;

/// Paths as a model might have them at worst.
fn paths() -> Vec<Arc<str>> {
    names(&[
        "fc1.weight",
        "blöck 1.conv.weight",
        "a b..c",
        "層.weight",
        "quo\"te'd",
        "",
    ])
}

#[test]
fn every_table_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    let odd = StepRow {
        lca: f64::NAN,
        loss_after: f64::INFINITY,
        residual: f64::NEG_INFINITY,
        lca_decay: Some(0.0625),
        buffers: Some(-0.5),
        capped: true,
        ..step(u64::from(u32::MAX) + 7)
    };
    let tensor = |tensor: &Arc<str>, class| TensorRow {
        iteration: 3,
        span: 1,
        probe: "validation".into(),
        class,
        tensor: tensor.clone(),
        lca: -1.5,
        lca_se: Some(0.25),
        lca_halves: Some(-0.25),
        lca_decay: Some(0.125),
        helping: 1,
        hurting: 2,
        zero: 3,
        step_norm: 0.5,
        gradient_norm: 0.25,
    };
    let class = ClassRow {
        iteration: 3,
        span: 1,
        probe: "training".into(),
        class: 9,
        examples: 100,
        loss_before: 1.0,
        loss_after: 0.5,
        lca: -0.5,
        lca_se: None,
        residual: 0.0,
    };
    let values = vec![0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE];
    let totals = |tensor: &str, lca_validation| ParameterTotalRows {
        tensor: tensor.into(),
        index: ElementIndices::All,
        lca: vec![1e-300, f64::NAN],
        lca_validation,
        helping: vec![1, 2],
        hurting: vec![3, 4],
        zero: vec![5, 6],
        step_sign_changes: vec![7, 8],
        gradient_sign_changes: vec![9, 10],
        initial: vec![0.5, 1.5],
        last: vec![2.5, 3.5],
        step_sign: vec![-1, 0],
        gradient_sign: vec![1, -1],
    };
    let mut counts = vec![0; HISTOGRAM_BINS];
    counts[histogram_bin(-0.5)] = 4;
    counts[histogram_bin(0.0)] = 5;
    counts[histogram_bin(f32::NAN)] = 6;
    writer.write(vec![
        Rows::Steps(vec![step(3), odd]),
        Rows::Tensors(
            paths()
                .iter()
                .flat_map(|path| [tensor(path, None), tensor(path, Some(-2))])
                .collect(),
        ),
        Rows::Classes(vec![class]),
        Rows::Units(UnitRows {
            iteration: 3,
            span: 1,
            tensor: "fc1.weight".into(),
            unit: ElementIndices::All,
            lca: values.clone(),
        }),
        Rows::Parameters(ParameterRows {
            iteration: 3,
            span: 1,
            tensor: "層.weight".into(),
            index: ElementIndices::Chosen([4, 8, 15, 16, 23].into()),
            lca: values.clone(),
            step: vec![1.0; 5],
            gradient: vec![2.0; 5],
        }),
        Rows::Totals(vec![totals("a", None), totals("b", Some(vec![0.25, 0.5]))]),
        Rows::Histograms(histogram_rows(0..4, &"a".into(), &counts).collect()),
    ]);
    let info = writer.finish(RunState::Finished).unwrap();
    let totals = info.totals.unwrap();
    assert_eq!((totals.steps, totals.capped, totals.not_finite), (2, 1, 1));
    assert_eq!(info.rows.values().sum::<u64>(), 2 + 12 + 1 + 5 + 5 + 4 + 3);

    let run = Run::open(folder.path()).unwrap();
    assert_eq!(run.tables().unwrap(), Table::ALL);
    assert_eq!(*run.status(), RunStatus::Finished);

    let steps = read(folder.path(), Table::Steps);
    assert_eq!(steps.schema(), Table::Steps.schema());
    let lca = steps["lca"].as_primitive::<Float64Type>();
    assert!(lca.value(0) == -0.25 && lca.value(1).is_nan());
    assert_eq!(
        steps["loss_after"].as_primitive::<Float64Type>().value(1),
        f64::INFINITY
    );
    assert_eq!(
        &steps["buffers"],
        &(Arc::new(Float64Array::from(vec![None, Some(-0.5)])) as ArrayRef)
    );

    let tensors = read(folder.path(), Table::Tensors);
    let expected: Vec<String> = paths()
        .iter()
        .flat_map(|path| [path.to_string(), path.to_string()])
        .collect();
    assert_eq!(
        tensors["tensor"].as_string::<i32>(),
        &StringArray::from(expected)
    );
    assert_eq!(
        tensors["class"].as_primitive(),
        &Int32Array::from([None, Some(-2)].repeat(6))
    );

    let parameters = read(folder.path(), Table::Parameters);
    assert_eq!(
        parameters["index"].as_primitive(),
        &UInt32Array::from(vec![4, 8, 15, 16, 23])
    );
    let bits = |column: &ArrayRef| {
        column
            .as_primitive::<Float32Type>()
            .values()
            .iter()
            .map(|x| x.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        bits(&parameters["lca"]),
        values.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    );
    assert_eq!(
        bits(&read(folder.path(), Table::Units)["lca"]),
        bits(&parameters["lca"])
    );

    let totals = read(folder.path(), Table::ParameterTotals);
    assert_eq!(
        totals["lca_validation"].as_primitive(),
        &Float64Array::from(vec![None, None, Some(0.25), Some(0.5)])
    );
    assert_eq!(
        totals["final"].as_primitive(),
        &Float32Array::from(vec![2.5, 3.5, 2.5, 3.5])
    );
    assert_eq!(
        totals["index"].as_primitive(),
        &UInt32Array::from(vec![0, 1, 0, 1])
    );

    assert_eq!(
        totals["step_sign"].as_primitive(),
        &Int8Array::from(vec![-1, 0, -1, 0])
    );
    assert_eq!(
        totals["gradient_sign"].as_primitive(),
        &Int8Array::from(vec![1, -1, 1, -1])
    );

    let histograms = read(folder.path(), Table::Histograms);
    assert_eq!(
        histograms["count"].as_primitive(),
        &UInt64Array::from(vec![4, 5, 6])
    );
    let lower = histograms["lower"].as_primitive::<Float64Type>();
    assert!(lower.value(0) <= -0.5 && lower.value(1) == 0.0 && lower.is_null(2));
}

#[test]
fn a_thousand_tensors_and_a_long_one_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path()).part_rows(100_000);
    let writer = RunWriter::create(&recorder, RunInfo::default(), None).unwrap();
    let long = 200_000;
    for iteration in 0..2 {
        let units = |tensor| {
            let tensor = format!("block{tensor}.weight").into();
            Rows::Units(UnitRows {
                iteration,
                span: 1,
                tensor,
                unit: ElementIndices::All,
                lca: vec![tensor_value(iteration); 3],
            })
        };
        writer.write((0..1000).map(units).collect());
        let values: Vec<f32> = (0..long).map(|index| index as f32).collect();
        writer.write(vec![Rows::Parameters(ParameterRows {
            iteration,
            span: 1,
            tensor: "long".into(),
            index: ElementIndices::All,
            lca: values.clone(),
            step: values.clone(),
            gradient: values,
        })]);
    }
    writer.finish(RunState::Finished).unwrap();
    let run = Run::open(folder.path()).unwrap();
    let units = read_scan(
        run.scan(Table::Units)
            .tensor("block777.weight")
            .iterations(1..),
    );
    assert_eq!(
        units["unit"].as_primitive(),
        &UInt32Array::from(vec![0, 1, 2])
    );
    assert_eq!(
        units["lca"].as_primitive(),
        &Float32Array::from(vec![tensor_value(1); 3])
    );
    assert_eq!(read(folder.path(), Table::Units).num_rows(), 6000);
    let parameters = read(folder.path(), Table::Parameters);
    let expected: Vec<u32> = (0..long).chain(0..long).collect();
    assert_eq!(
        parameters["index"].as_primitive(),
        &UInt32Array::from(expected)
    );
}

fn tensor_value(iteration: u64) -> f32 {
    0.5 + iteration as f32
}

#[test]
fn columns_come_in_the_order_asked_for_and_rows_from_the_range_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    (0..30).for_each(|iteration| writer.write(rows(iteration)));
    writer.finish(RunState::Finished).unwrap();
    let run = Run::open(folder.path()).unwrap();
    let scan = run
        .scan(Table::Parameters)
        .columns(["lca", "index"])
        .iterations(7..=8);
    let batch = read_scan(scan.clone());
    assert_eq!(batch.schema().field(0).name(), "lca");
    let expected = [[7.0; 4], [8.0; 4]].concat();
    assert_eq!(
        batch.column(0).as_primitive(),
        &Float32Array::from(expected)
    );
    assert_eq!(read_scan(scan.tensor("no such")).num_rows(), 0);
}

#[test]
fn single_parameters_are_found_by_their_tensor_and_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    let values = |tensor: f32, iteration: u64| {
        let value = |index: u32| 100.0 * iteration as f32 + 10.0 * tensor + index as f32;
        (0..5).map(value).collect::<Vec<f32>>()
    };
    for iteration in 0..4 {
        for (number, tensor) in [(1.0, "a"), (2.0, "b"), (3.0, "c")] {
            let values = values(number, iteration);
            writer.write(vec![Rows::Parameters(ParameterRows {
                iteration,
                span: 1,
                tensor: tensor.into(),
                index: ElementIndices::All,
                lca: values.clone(),
                step: values.clone(),
                gradient: values,
            })]);
        }
    }
    writer.finish(RunState::Finished).unwrap();
    let run = Run::open(folder.path()).unwrap();
    // Neither column that is looked at is among those that are read.
    let scan = run.scan(Table::Parameters).columns(["lca"]);
    let lca = |scan: Scan| {
        let batch = read_scan(scan);
        batch["lca"].as_primitive::<Float32Type>().values().to_vec()
    };
    let scan = scan.tensor("b").tensor("c").index(4).index(1).index(9);
    let of_step = |step: f32| [21.0, 24.0, 31.0, 34.0].map(|value| 100.0 * step + value);
    assert_eq!(
        lca(scan.clone()),
        [0.0, 1.0, 2.0, 3.0].map(of_step).concat()
    );
    assert_eq!(lca(scan.iterations(2..=2)), of_step(2.0));
}

#[test]
fn parts_of_other_iterations_are_not_decoded() {
    let folder = tempfile::tempdir().unwrap();
    // A part per step.
    let recorder = Recorder::new(folder.path()).part_rows(1);
    let writer = RunWriter::create(&recorder, info(), None).unwrap();
    (0..5).for_each(|iteration| writer.write(rows(iteration)));
    writer.epoch_end(1, 5);
    // Spoil the pages of the first part: reading them would be an error.
    let first = parts(folder.path(), Table::Steps).remove(0);
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[4..400].fill(0);
    std::fs::write(&first, bytes).unwrap();
    let scan = Run::open(folder.path()).unwrap().scan(Table::Steps);
    assert_eq!(read_scan(scan.clone().iterations(1..)).num_rows(), 4);
    assert!(scan.batches().unwrap().any(|batch| batch.is_err()));
}

#[test]
fn windows_are_found_by_any_of_their_iterations() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    let counts = [1; HISTOGRAM_BINS];
    for window in [0..100, 100..200] {
        let rows = histogram_rows(window, &"a".into(), &counts).collect();
        writer.write(vec![Rows::Histograms(rows)]);
    }
    writer.finish(RunState::Finished).unwrap();
    let scan = Run::open(folder.path()).unwrap().scan(Table::Histograms);
    let windows = |range: std::ops::Range<u64>| {
        read_scan(scan.clone().iterations(range)).num_rows() / HISTOGRAM_BINS
    };
    assert_eq!(
        [windows(99..100), windows(99..101), windows(200..300)],
        [1, 2, 0]
    );
}

#[test]
fn asking_for_what_a_table_does_not_have_names_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    begin(folder.path()).finish(RunState::Finished).unwrap();
    let run = Run::open(folder.path()).unwrap();
    let error = |scan: Scan| scan.batches().err().unwrap().to_string();
    assert!(error(run.scan(Table::Units).columns(["losss"])).contains("losss"));
    assert!(error(run.scan(Table::Steps).tensor("fc1")).contains("loss_before"));
    assert!(error(run.scan(Table::Units).index(3)).contains("unit"));
    assert!(error(run.scan(Table::ParameterTotals).iterations(..)).contains("index"));
}

/// Rows of 4, 4 and 2 steps in one file, whose statistics know only the greatest span.
#[test]
fn rows_that_span_several_steps_are_found_by_each_and_followed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    let spans = [(0, 4), (4, 4), (8, 2)];
    let rows = spans.map(|(iteration, span)| StepRow {
        span,
        ..step(iteration)
    });
    writer.write(vec![Rows::Steps(rows.into())]);
    writer.finish(RunState::Finished).unwrap();
    let name = parts(folder.path(), Table::Steps).remove(0);
    let name = name.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("0000000000-0000000009-"), "{name}");
    let run = Run::open(folder.path()).unwrap();
    assert_eq!(run.info().totals.unwrap().next_iteration, 10);
    let found = |range: std::ops::Range<u64>| {
        let batch = read_scan(run.scan(Table::Steps).iterations(range));
        batch["iteration"]
            .as_primitive::<UInt64Type>()
            .values()
            .to_vec()
    };
    assert_eq!(found(0..1), [0]);
    assert_eq!(found(3..5), [0, 4]);
    assert_eq!(found(9..10), [8]);
    assert_eq!(found(10..20), [0; 0]);

    // As of a killed process, that did not count its steps.
    let mut info = run.info().clone();
    (info.totals, info.state) = (None, RunState::Running);
    std::fs::write(folder.path().join("run.json"), info.to_text().unwrap()).unwrap();
    let recorder = Recorder::new(folder.path()).resume();
    let writer = RunWriter::create(&recorder, self::info(), None).unwrap();
    assert_eq!(writer.first_iteration(), 10);
}
