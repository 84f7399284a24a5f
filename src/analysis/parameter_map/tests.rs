//! Maps of runs with planted values.

use crate::error::LcaError;
use crate::record::{ObservedInfo, ParameterSelection, TensorInfo};

use super::blocks::{TensorBlock, blocks, number_cells};
use super::*;
use crate::analysis::tests::synthetic::{At, Shaped, Synthetic, tensor_info};

fn blocks_of(tensors: &[Shaped], limits: CellLimits) -> Vec<TensorBlock> {
    let tensors: Vec<TensorInfo> = tensors.iter().copied().map(tensor_info).collect();
    let mut blocks = blocks(&tensors.iter().collect::<Vec<_>>());
    limits.apply(&mut blocks);
    blocks
}

/// Returns rows of the indices that a block shows.
fn indices(block: &TensorBlock) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![usize::MAX; block.columns.cells()]; block.rows.cells()];
    for index in 0..block.parameters() {
        let cell = block.cell_of(index) - block.first;
        rows[cell / block.columns.cells()][cell % block.columns.cells()] = index;
    }
    rows
}

#[test]
fn outputs_go_down_and_inputs_across_and_a_bias_stands_beside() {
    // Linear weights are [in, out].
    let linear = blocks_of(
        &[
            ("fc.weight", &[3, 2], 1),
            ("fc.bias", &[2], 0),
            ("scale", &[4], 0),
        ],
        CellLimits::default(),
    );
    assert_eq!(indices(&linear[0]), [[0, 2, 4], [1, 3, 5]]);
    assert_eq!(
        (linear[0].rows.name, linear[0].columns.name),
        ("output", "input")
    );
    assert_eq!(indices(&linear[1]), [[0], [1]]);
    assert_eq!(indices(&linear[2]), [[0, 1, 2, 3]]);
    let beside: Vec<bool> = linear.iter().map(|block| block.beside).collect();
    assert_eq!(beside, [false, true, false]);
}

#[test]
fn what_is_much_higher_than_wide_is_turned_with_its_bias_apart() {
    let tensors: [Shaped; 2] = [("conv.weight", &[10, 1, 2, 1], 0), ("conv.bias", &[10], 0)];
    let blocks = blocks_of(&tensors, CellLimits::default());
    let column = |first| (first..20).step_by(2).collect::<Vec<_>>();
    assert_eq!(indices(&blocks[0]), [column(0), column(1)]);
    let names = (blocks[0].rows.name, blocks[0].columns.name);
    assert_eq!(names, ("input channel", "output channel"));
    assert_eq!(blocks[0].kernel(), Some([2, 1]));
    assert!(!blocks[1].beside);
    assert_eq!(indices(&blocks[1]), [(0..10).collect::<Vec<_>>()]);
}

#[test]
fn a_convolution_is_a_grid_of_its_kernels() {
    let grid = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]];
    let convolution = blocks_of(&[("conv.weight", &[2, 2, 2, 2], 0)], CellLimits::default());
    assert_eq!(indices(&convolution[0]), grid);
    assert_eq!(convolution[0].kernel(), Some([2, 2]));
    // A transposed convolution is [in, out, …]: its outputs go down too.
    let transposed = blocks_of(&[("up.weight", &[2, 2, 2, 2], 1)], CellLimits::default());
    let grid = [[0, 1, 8, 9], [2, 3, 10, 11], [4, 5, 12, 13], [6, 7, 14, 15]];
    assert_eq!(indices(&transposed[0]), grid);
}

#[test]
fn every_parameter_has_a_cell_within_the_limits_and_kernels_are_never_cut() {
    let tensors: [Shaped; 7] = [
        ("a.weight", &[1000, 700], 1),
        ("a.bias", &[700], 0),
        ("b.weight", &[30, 20, 5, 5], 0),
        ("b.bias", &[30], 0),
        ("c", &[7, 5, 3], 0),
        ("d", &[], 0),
        ("e", &[2, 3, 2, 3, 2], 0),
    ];
    for cells in [20, 300, 5_000, 100_000, 1_000_000] {
        let limits = CellLimits {
            rows: 90,
            columns: 120,
            cells,
        };
        let blocks = blocks_of(&tensors, limits);
        let mut counts = vec![0; number_cells(&mut blocks.clone())];
        for block in &blocks {
            assert!(
                block.rows.cells() <= 90 && block.columns.cells() <= 120,
                "{block:?}"
            );
            assert_eq!(block.parameters(), block.shape.iter().product::<usize>());
            (0..block.parameters()).for_each(|index| counts[block.cell_of(index)] += 1);
            for axis in [&block.rows, &block.columns] {
                assert!(axis.bin == 1 || axis.bin % axis.kernel == 0, "{block:?}");
            }
        }
        assert!(counts.iter().all(|count| *count > 0));
        assert!(
            counts.len() <= cells.max(blocks.len()) + 30,
            "{cells}: {}",
            counts.len()
        );
        assert_eq!(blocks[0].rows.cells(), blocks[1].rows.cells());
        assert_eq!(
            blocks[2].rows.length.div_ceil(blocks[3].rows.bin),
            blocks[3].rows.cells()
        );
    }
}

const TENSORS: [Shaped; 2] = [("fc.weight", &[3, 2], 1), ("fc.bias", &[2], 0)];

fn value(at: At) -> [f32; 3] {
    let sign = if at.index.is_multiple_of(2) {
        -1.0
    } else {
        1.0
    };
    let size = (at.iteration + 1) as f32 * (at.index + 1) as f32;
    let lca = match at.tensor {
        "fc.bias" => 0.0,
        _ => sign * size * 0.001,
    };
    [lca, -size, sign * 0.1]
}

#[test]
fn pictures_are_the_recorded_values_and_sums_count_the_steps_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&TENSORS, 9)
        .values(value)
        .write(folder.path());
    let options = ParameterMapOptions::default().frames(3).percentile(100.0);
    let map = parameter_map(&run, &ParameterQuantity::ALL, &options).unwrap();
    assert_eq!(map.iterations, [0, 4, 8]);
    assert_eq!((map.recorded_iterations, map.cells), (9, 8));
    for pictures in &map.pictures {
        for (frame, iteration) in map.iterations.iter().enumerate() {
            for block in &map.blocks {
                for index in 0..block.parameters() {
                    let cell = block.cell_of(index);
                    let planted = |iteration| {
                        let at = At {
                            iteration,
                            tensor: &block.tensor,
                            index,
                            class: None,
                            validation: false,
                        };
                        value(at).map(f64::from)
                    };
                    let expected = match pictures.quantity {
                        ParameterQuantity::Lca => planted(*iteration)[0],
                        ParameterQuantity::Cumulative => {
                            (0..=*iteration).map(|step| planted(step)[0]).sum()
                        }
                        ParameterQuantity::Step => planted(*iteration)[1],
                        ParameterQuantity::Gradient => planted(*iteration)[2],
                    };
                    let code = pictures.codes[frame * map.cells + cell];
                    let shown = pictures.scale.value(code).unwrap();
                    let half = 0.5 * pictures.scale.full.unwrap() / f64::from(code::FULL);
                    assert!(
                        (shown - expected).abs() <= half * 1.01 || code.abs() == 1,
                        "{expected}"
                    );
                    assert_eq!(code == 0, expected == 0.0);
                    assert_eq!(i8::signum(code) < 0, expected < 0.0);
                }
            }
        }
        let lens = FrameReader::new(&run, pictures.quantity, &options).unwrap();
        let mut codes = Vec::new();
        let mut iterations = Vec::new();
        lens.frames(|iteration, cells| {
            iterations.push(iteration);
            codes.extend_from_slice(cells);
            Ok(())
        })
        .unwrap();
        assert_eq!(
            (iterations, codes),
            (map.iterations.clone(), pictures.codes.clone())
        );
        assert_eq!(lens.scale(), pictures.scale);
    }
}

#[test]
fn full_colour_is_that_of_all_recorded_steps_whichever_are_shown() {
    // 100, 200, …, 900 at steps 0 to 8, each for one parameter: half of them are at most 500.
    // Summed up they are 100, 300, 600, …, 4500, of which the fifth is 1500.
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&[("w", &[1], 0)], 9)
        .lca(|at| 100.0 * (at.iteration + 1) as f64)
        .write(folder.path());
    let quantities = [ParameterQuantity::Lca, ParameterQuantity::Cumulative];
    for frames in [1, 2, 400] {
        let options = ParameterMapOptions::default()
            .frames(frames)
            .percentile(50.0);
        let map = parameter_map(&run, &quantities, &options).unwrap();
        let full: Vec<Option<f64>> = map.pictures.iter().map(|of| of.scale.full).collect();
        assert_eq!(full, [Some(500.0), Some(1500.0)], "{frames}");
        for pictures in map.pictures {
            let reader = FrameReader::new(&run, pictures.quantity, &options).unwrap();
            assert_eq!(reader.scale(), pictures.scale, "{frames}");
        }
    }
}

#[test]
fn a_part_of_a_run_has_the_pictures_of_the_whole_wherever_reading_on_begins() {
    for span in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let observed = ObservedInfo {
            span,
            period: span + 1,
        };
        let run = Synthetic::shaped(&TENSORS, 60)
            .values(value)
            .observed(observed)
            .write_growing(folder.path(), 12, |_| {});
        let mapped = |options: &ParameterMapOptions, bytes| {
            frames::map(&run, &ParameterQuantity::ALL, options, bytes).unwrap()
        };
        let whole = mapped(&ParameterMapOptions::default(), 1 << 20);
        assert_eq!(whole.iterations.len(), whole.recorded_iterations);
        // Room for two pictures of a whole run, for some, and for all.
        for bytes in [0, 8 * 36 * 5, 1 << 20] {
            for (from, to) in [(0, 59), (3, 3), (10, 30), (31, 70), (7, 8)] {
                for frames in [1, 4, 100] {
                    let options = ParameterMapOptions::default()
                        .frames(frames)
                        .iterations(Some((from, to)));
                    let found = mapped(&options, bytes);
                    let is_whole = found.recorded_iterations == whole.recorded_iterations;
                    let least = found.recorded_iterations.min((frames / 2).max(1));
                    assert!(found.iterations.len() <= frames);
                    assert!(
                        is_whole || found.iterations.len() >= least,
                        "{from} {to} {frames}"
                    );
                    for (found_in, known) in found.pictures.iter().zip(&whole.pictures) {
                        assert_eq!(found_in.scale, known.scale);
                        let shown = found_in.codes.chunks(found.cells);
                        assert_eq!(shown.len(), found.iterations.len());
                        for (iteration, codes) in found.iterations.iter().zip(shown) {
                            let place = whole.iterations.binary_search(iteration).unwrap();
                            let known = &known.codes[place * whole.cells..][..whole.cells];
                            assert_eq!(codes, known, "{from} {to} {frames} {iteration}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_cell_of_several_parameters_is_their_mean() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&[("w", &[4, 4], 1)], 1)
        .lca(|at| at.index as f64)
        .write(folder.path());
    let options = ParameterMapOptions::default()
        .percentile(100.0)
        .limits(CellLimits::default().rows(2).columns(2).cells(4));
    let map = parameter_map(&run, &[ParameterQuantity::Lca], &options).unwrap();
    let pictures = &map.pictures[0];
    let full = pictures.scale.full.unwrap();
    // Rows are the outputs, the second axis: means over columns 0 and 1 of rows 0 and 1, ….
    let expected = [2.5, 10.5, 4.5, 12.5].map(|mean: f64| pictures.scale.code(mean));
    assert_eq!(pictures.codes, expected);
    assert_eq!(full, 12.5);
}

#[test]
fn what_is_not_recorded_and_what_is_not_finite_have_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let selection = ParameterSelection::all()
        .tensors("fc.*")
        .chosen_indices([1, 2, 3]);
    let tensors: [Shaped; 2] = [("fc.weight", &[5, 1], 1), ("other", &[2], 0)];
    let run = Synthetic::shaped(&tensors, 1)
        .parameters(selection)
        .lca(|at| [9.0, f64::NAN, f64::NEG_INFINITY, 0.5, 9.0][at.index])
        .write(folder.path());
    let map = parameter_map(
        &run,
        &[ParameterQuantity::Lca],
        &ParameterMapOptions::default(),
    )
    .unwrap();
    assert_eq!(map.missing, ["other"]);
    use code::{FULL, MISSING, NOT_FINITE};
    let expected = [MISSING, NOT_FINITE, NOT_FINITE, FULL, MISSING];
    assert_eq!(map.pictures[0].codes, expected);
    let lens = FrameReader::new(
        &run,
        ParameterQuantity::Lca,
        &ParameterMapOptions::default(),
    )
    .unwrap();
    assert!(lens.not_finite() && lens.partly_missing());
}

#[test]
fn a_run_without_single_parameters_says_how_to_record_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&TENSORS, 1)
        .without_parameters()
        .write(folder.path());
    let error = parameter_map(
        &run,
        &[ParameterQuantity::Lca],
        &ParameterMapOptions::default(),
    )
    .unwrap_err();
    assert!(matches!(error, LcaError::NotRecorded { .. }), "{error}");
    assert!(error.to_string().contains("Recorder::full"), "{error}");
}

#[test]
fn without_a_value_other_than_zero_every_cell_is_zero_or_not_finite() {
    let none = ColorScale {
        full: None,
        percentile: 99.0,
    };
    assert_eq!((none.code(0.0), none.code(f64::NAN)), (0, code::NOT_FINITE));
}

#[test]
fn impossible_options_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&TENSORS, 1).write(folder.path());
    for (frames, percentile) in [(0, 99.0), (1, 0.0), (1, 100.1), (1, f64::NAN)] {
        let options = ParameterMapOptions::default()
            .frames(frames)
            .percentile(percentile);
        assert!(FrameReader::new(&run, ParameterQuantity::Lca, &options).is_err());
    }
}
