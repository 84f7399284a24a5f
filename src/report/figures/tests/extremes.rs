//! Runs that have next to nothing, far too much, or names made to do harm.

use roxmltree::Document;

use crate::analysis::curves::{class_map, helping_by_layer, loss_curves, trajectories, unit_maps};
use crate::analysis::noise;
use crate::analysis::tests::synthetic::Synthetic;
use crate::analysis::trace::{TraceOptions, trace};
use crate::analysis::{LayersOptions, PeaksOptions, layers, peaks};
use crate::report::export::{FileFormat, encode};
use crate::report::figures::{self, FigureOptions};
use crate::report::palette::Palette;
use crate::{LcaError, Run};

use super::{noise_at, opened};

/// Draws everything that the run has recorded, by name.
fn all(run: &Run, options: &FigureOptions) -> Result<Vec<(&'static str, String)>, LcaError> {
    let mut drawn = vec![
        ("loss", figures::loss(&loss_curves(run)?, options)),
        ("helping", figures::helping(&noise::helping(run)?, options)),
        (
            "helping by layer",
            figures::helping_by_layer(&helping_by_layer(run)?, options),
        ),
        (
            "distribution",
            figures::distribution(&noise::distribution(run)?, options),
        ),
        ("heroes", figures::heroes(&noise::heroes(run)?, options)),
        (
            "trajectories",
            figures::trajectories(&trajectories(run)?, options),
        ),
        (
            "trace",
            figures::trace(&trace(run, &TraceOptions::default())?, options),
        ),
        (
            "peaks",
            figures::peaks(&peaks(run, &PeaksOptions::default())?, options),
        ),
        ("classes", figures::classes(&class_map(run, 480)?, options)),
        ("units", figures::units(&unit_maps(run, 480, 200)?, options)),
    ];
    match layers(std::slice::from_ref(run), &LayersOptions::default()) {
        Ok(layers) => drawn.push(("layers", figures::layers(&layers, options))),
        // Without a finite step there are no sums to draw.
        Err(LcaError::NotRecorded { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(drawn)
}

#[test]
fn extreme_runs_are_drawn_in_every_palette_and_format() {
    let one = || Synthetic::new(&[("only", 1)], 1).classes(1);
    let runs = [
        ("one step of one parameter", true, one()),
        (
            "nothing but NaN",
            false,
            Synthetic::new(&[("fc1.weight", 3)], 5)
                .classes(2)
                .lca(|_| f64::NAN),
        ),
        (
            "nothing but zeros",
            true,
            Synthetic::new(&[("fc1.weight", 3)], 5)
                .classes(2)
                .lca(|_| 0.0),
        ),
        ("infinite at once", false, one().lca(|_| f64::INFINITY)),
    ];
    for (what, finite, run) in runs {
        let (_folder, run) = opened(&run);
        for palette in Palette::ALL {
            let options = FigureOptions {
                palette,
                log: palette == Palette::Grey,
                ..FigureOptions::default()
            };
            let drawn = all(&run, &options).unwrap();
            let layers = drawn.iter().any(|(name, _)| *name == "layers");
            assert_eq!(layers, finite, "{what}");
            for (name, svg) in drawn {
                let document = Document::parse(&svg).unwrap();
                for node in document.descendants() {
                    for attribute in node
                        .attributes()
                        .filter(|at| !at.name().starts_with("data-"))
                    {
                        let value = attribute.value();
                        let bad =
                            value.contains("NaN") || value.split([' ', ',']).any(|w| w == "inf");
                        assert!(!bad, "{name} of {what}: {}=\"{value}\"", attribute.name());
                    }
                }
                assert!(encode(&svg, FileFormat::Png).is_ok(), "{name} of {what}");
            }
        }
    }
}

#[test]
fn names_can_not_break_out_of_a_figure() {
    let name = "a\"><script>&'\u{1}.weight";
    let (_folder, run) = opened(&Synthetic::new(&[(name, 2)], 3).classes(1));
    for (_, svg) in all(&run, &FigureOptions::default()).unwrap() {
        let document = Document::parse(&svg).unwrap();
        assert!(
            !document
                .descendants()
                .any(|node| node.has_tag_name("script"))
        );
    }
}

#[test]
fn a_long_run_makes_a_figure_of_moderate_size() {
    let run = Synthetic::new(&[("fc1.weight", 4)], 5000).lca(|at| 0.01 * noise_at(at));
    let (_folder, run) = opened(&run.without_parameters());
    let svg = figures::loss(&loss_curves(&run).unwrap(), &FigureOptions::default());
    assert!(svg.len() < 300_000, "{}", svg.len());
    let maps = unit_maps(&run, 480, 200).unwrap();
    assert_eq!(maps[0].raster.steps_per_column, 11);
    let svg = figures::units(&maps, &FigureOptions::default());
    assert!(svg.contains("A column averages 11 recorded steps."));
}

#[test]
fn a_million_parameters_are_binned_and_the_figure_says_so() {
    let run = Synthetic::new(&[("fc1.weight", 1_000_000)], 1).lca(|at| 0.01 * noise_at(at));
    let (_folder, run) = opened(&run.without_parameters());
    let options = FigureOptions::default();
    let units = figures::units(&unit_maps(&run, 480, 200).unwrap(), &options);
    assert!(units.contains("A row averages 5000 units of fc1."));
    let heroes = figures::heroes(&noise::heroes(&run).unwrap(), &options);
    assert!(heroes.contains("Of 1,000,000 parameters"));
    let distribution = figures::distribution(&noise::distribution(&run).unwrap(), &options);
    assert!(distribution.contains("From the recorded histograms"));
}
