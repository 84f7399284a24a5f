//! How often single parameters help, against chance.

use crate::analysis::noise::Heroes;
use crate::analysis::thousands;
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, counted, short,
};
use crate::report::palette::{INK, PAPER};

use super::options::CheckedOptions;

/// How much of a bar's width a bracket takes: on a logarithmic axis it reaches down to its foot, and
/// would hide it.
const BRACKET: f64 = 0.4;

/// Draws a histogram of the fraction of steps at which parameters help, with the range that chance
/// would give.
pub(super) fn draw(heroes: &Heroes, options: &CheckedOptions) -> String {
    let mut sheet = options.sheet("How often each parameter helps", 400.0);
    let tops = heroes
        .bins
        .iter()
        .flat_map(|bin| [bin.parameters as f64, bin.chance_high]);
    let y = if options.log {
        Axis::log("parameters", tops.chain([1.0]))
    } else {
        Axis::exactly("parameters", 0.0, Axis::linear("", tops).to)
    };
    let floor = y.from;
    let x = Axis::exactly("steps at which a parameter helps (%)", 0.0, 100.0);
    let mut panel = Panel::new("heroes", x, y);
    for bin in &heroes.bins {
        panel.marks.push(Mark::Bar {
            name: "parameters".into(),
            x: (100.0 * bin.lower + 0.25, 100.0 * bin.upper - 0.25),
            y: (floor, bin.parameters as f64),
            color: options.palette.of(bin.lca),
            value: bin.parameters as f64,
        });
    }
    // Above the bars, as brackets that leave them visible.
    let expected = Stroke::solid(INK, 1.0);
    let edge = Stroke::solid(PAPER, 2.6);
    for bin in &heroes.bins {
        let (low, high) = (bin.chance_low, bin.chance_high);
        let (from, to) = (100.0 * bin.lower, 100.0 * bin.upper);
        let (middle, half) = ((from + to) / 2.0, BRACKET * (to - from) / 2.0);
        panel.marks.push(Mark::Band {
            name: "chance, two standard deviations".into(),
            pieces: vec![(middle - half, middle + half, low, high)],
            color: options.palette.chance(),
        });
        // An edge, so that the line shows on dark bars too.
        for (name, stroke) in [("edge", edge), ("by chance", expected)] {
            panel.marks.push(Mark::Line {
                name: name.into(),
                points: vec![(from, bin.by_chance), (to, bin.by_chance)],
                stroke,
            });
        }
    }
    let mean = Stroke::solid(INK, 1.2).dashed("3 3");
    sheet.legend = vec![
        LegendEntry::new("helped overall", LegendSample::Box(options.palette.helps())),
        LegendEntry::new("hurt overall", LegendSample::Box(options.palette.hurts())),
        LegendEntry::new("expected by chance", LegendSample::Line(expected)),
        LegendEntry::new(
            "± 2 deviations",
            LegendSample::Box(options.palette.chance()),
        ),
    ];
    match heroes.helping_fraction {
        Some(share) => {
            panel.marks.push(Mark::Vertical(100.0 * share, mean));
            sheet
                .legend
                .push(LegendEntry::new("mean of all", LegendSample::Line(mean)));
        }
        None => panel
            .marks
            .push(Mark::Message("No parameter ever moved the loss.".into())),
    }
    sheet.notes = notes(heroes);
    sheet.rows = vec![PanelRow::of(panel)];
    sheet.draw()
}

fn notes(heroes: &Heroes) -> Vec<String> {
    let mut notes = vec![format!(
        "Of {} whose LCA is ever other than zero (of {} it never is), {} help more often \
         and {} less often than chance allows (5 %, corrected for the number of parameters).",
        counted(heroes.moving, "parameter"),
        thousands(heroes.still),
        thousands(heroes.heroes),
        thousands(heroes.villains)
    )];
    notes.extend(heroes.caution.clone());
    if let Some(ratio) = heroes.variance_ratio {
        notes.push(format!(
            "The variance of the counts is {} times what chance gives if all parameters are alike \
             and steps are independent.",
            short(ratio)
        ));
    }
    notes
}
