//! Runs that have next to nothing, far too much, or names made to do harm.

use roxmltree::Document;

use crate::analysis::classes::ClassMapOptions;
use crate::analysis::helping::HelpingOptions;
use crate::analysis::layers::LayersOptions;
use crate::analysis::overlay::OverlayOf;
use crate::analysis::peaks::PeaksOptions;
use crate::analysis::sets::RunSet;
use crate::analysis::tests::synthetic::Synthetic;
use crate::analysis::trace::TraceOptions;
use crate::analysis::units::UnitMapOptions;
use crate::analysis::{
    class_maps, distribution, helping, helping_by_layer, layers, loss_curves, noise, overlay,
    peaks, trace, trajectories, unit_maps,
};
use crate::error::LcaError;
use crate::record::Run;
use crate::report::export::{FileFormat, encode};
use crate::report::figures::{Figure, FigureOptions};
use crate::report::palette::Palette;

use super::{noise_at, opened};

/// Draws everything that the run has recorded, by name.
fn all(run: &Run, options: &FigureOptions) -> Result<Vec<(&'static str, String)>, LcaError> {
    let mut drawn = vec![
        ("loss", Figure::Loss(&loss_curves(run)?).draw(options)?),
        (
            "helping",
            Figure::Helping(&helping(run, &HelpingOptions::default())?).draw(options)?,
        ),
        (
            "helping by layer",
            Figure::HelpingByLayer(&helping_by_layer(run, &HelpingOptions::default())?)
                .draw(options)?,
        ),
        (
            "distribution",
            Figure::Distribution(&distribution(run)?).draw(options)?,
        ),
        (
            "distribution around the mean",
            Figure::DistributionAroundMean(&distribution(run)?).draw(options)?,
        ),
        ("overlay", {
            let set = RunSet::new("set", vec![run.clone()]);
            Figure::Overlay(&overlay(&[set], OverlayOf::Cumulative)?).draw(options)?
        }),
        (
            "heroes",
            Figure::Heroes(&noise::heroes(run)?).draw(options)?,
        ),
        (
            "trajectories",
            Figure::Trajectories(&trajectories(run)?).draw(options)?,
        ),
        (
            "trace",
            Figure::Trace(&trace(run, &TraceOptions::default())?).draw(options)?,
        ),
        (
            "peaks",
            Figure::Peaks(&peaks(run, &PeaksOptions::default())?).draw(options)?,
        ),
        (
            "classes",
            Figure::Classes(&class_maps(run, &ClassMapOptions::default())?[0]).draw(options)?,
        ),
        (
            "units",
            Figure::Units(&unit_maps(run, &UnitMapOptions::default())?).draw(options)?,
        ),
    ];
    match layers(std::slice::from_ref(run), &LayersOptions::default()) {
        Ok(layers) => drawn.push(("layers", Figure::Layers(&layers).draw(options)?)),
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
            let options = FigureOptions::default()
                .palette(palette)
                .log(palette == Palette::Grey)
                .log_steps(palette == Palette::Grey);
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
                if palette == Palette::default() {
                    assert!(encode(&svg, FileFormat::Png).is_ok(), "{name} of {what}");
                }
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
    let svg = Figure::Loss(&loss_curves(&run).unwrap())
        .draw(&FigureOptions::default())
        .unwrap();
    assert!(svg.len() < 300_000, "{}", svg.len());
    let maps = unit_maps(&run, &UnitMapOptions::default()).unwrap();
    assert_eq!(maps[0].raster.steps_per_column, 11);
    let svg = Figure::Units(&maps)
        .draw(&FigureOptions::default())
        .unwrap();
    assert!(svg.contains("A column averages 11 recorded steps."));
}

#[test]
fn a_million_parameters_are_binned_and_the_figure_says_so() {
    let run = Synthetic::new(&[("fc1.weight", 1_000_000)], 1).lca(|at| 0.01 * noise_at(at));
    let (_folder, run) = opened(&run.without_parameters());
    let options = FigureOptions::default();
    let units = Figure::Units(&unit_maps(&run, &UnitMapOptions::default()).unwrap())
        .draw(&options)
        .unwrap();
    assert!(units.contains("A row averages 5000 units of fc1."));
    let heroes = Figure::Heroes(&noise::heroes(&run).unwrap())
        .draw(&options)
        .unwrap();
    assert!(heroes.contains("Of 1,000,000 parameters"));
    let distribution = Figure::Distribution(&distribution(&run).unwrap())
        .draw(&options)
        .unwrap();
    assert!(distribution.contains("From the recorded histograms"));
}
