//! The curve of the loss, and where a cursor goes.

use crate::analysis::curves::{LossCurve, LossPoint};
use crate::analysis::parameter_map::FrameReader;
use crate::analysis::stats::extremes_by_column;
use crate::report::draw::Axis;
use crate::report::palette::Color;

use super::backdrop::{GREY, MARGIN, NAME_SIZE, NOTE_SIZE};
use super::colors::{CURVE, INK};
use super::svg::{Anchor, Svg};

/// Pixels from the top to the axis of iterations.
const HEIGHT: usize = 120;
/// Pixels below it for ticks and title.
const BELOW: usize = 48;
/// Pixels left of the axis for ticks.
const TICKS: usize = 64;
const GRID: Color = Color::new(0xc8_c8c8);

/// The loss over time.
pub(super) struct Panel {
    left: usize,
    width: usize,
    top: usize,
    across: Axis,
    down: Axis,
}

impl Panel {
    pub(super) fn draw(
        svg: &mut Svg,
        lens: &FrameReader,
        loss: Option<&LossCurve>,
        [top, width]: [usize; 2],
    ) -> Self {
        let points = loss.map_or(&[][..], |loss| &loss.points);
        let shown = lens.iterations().iter().copied();
        let iterations = points.iter().map(|point| point.iteration).chain(shown);
        let panel = Self {
            left: MARGIN + TICKS,
            width: width - 2 * MARGIN - TICKS,
            top,
            across: Axis::iterations(iterations),
            down: Axis::linear("loss", points.iter().map(|point| point.loss)),
        };
        panel.draw_axes(svg, loss);
        let at = |point: &LossPoint| {
            let (x, y) = (point.iteration as f64, point.loss);
            let y = match y.is_finite() {
                true => panel.y(y),
                false => f64::NAN,
            };
            [panel.x(x), y]
        };
        let points: Vec<[f64; 2]> = points.iter().map(at).collect();
        svg.line(&visible(&points), 1.6, CURVE);
        panel
    }

    fn draw_axes(&self, svg: &mut Svg, loss: Option<&LossCurve>) {
        let (left, right) = (self.left as f64, (self.left + self.width) as f64);
        let (top, bottom) = (self.top as f64, (self.top + HEIGHT) as f64);
        let known = loss.is_some_and(|loss| loss.points.iter().any(|point| point.loss.is_finite()));
        for tick in self.down.ticks.iter().filter(|_| known) {
            let y = self.y(tick.at);
            svg.line(&[[left, y], [right, y]], 1.0, GRID);
            svg.text(
                [left - 6.0, y + 4.0],
                NOTE_SIZE,
                INK,
                Anchor::End,
                &tick.label,
            );
        }
        svg.line(&[[left, top], [left, bottom], [right, bottom]], 1.0, GREY);
        for tick in &self.across.ticks {
            let x = self.x(tick.at);
            svg.line(&[[x, bottom], [x, bottom + 4.0]], 1.0, GREY);
            svg.text(
                [x, bottom + 16.0],
                NOTE_SIZE,
                INK,
                Anchor::Middle,
                &tick.label,
            );
        }
        let middle = (left + right) / 2.0;
        svg.text(
            [middle, bottom + 34.0],
            NAME_SIZE,
            INK,
            Anchor::Middle,
            &self.across.title,
        );
        let title = match (loss, known) {
            (Some(loss), true) => {
                format!("{} after the step, {} probe", self.down.title, loss.probe)
            }
            _ => "the loss was never finite".into(),
        };
        svg.text([left, top - 8.0], NOTE_SIZE, INK, Anchor::Start, &title);
    }

    fn x(&self, iteration: f64) -> f64 {
        self.left as f64 + self.across.place(iteration) * self.width as f64
    }

    fn y(&self, loss: f64) -> f64 {
        self.top as f64 + (1.0 - self.down.place(loss)) * HEIGHT as f64
    }

    /// Returns the first row below it.
    pub(super) fn end(&self) -> usize {
        self.top + HEIGHT + BELOW
    }

    /// Returns where the cursor of an iteration is: its left column and its rows.
    pub(super) fn cursor(&self, iteration: u64) -> (usize, std::ops::Range<usize>) {
        let place = self.across.place(iteration as f64).clamp(0.0, 1.0);
        let x = self.left + (place * self.width as f64) as usize;
        (x, self.top..self.top + HEIGHT)
    }

    /// Returns the row of a loss; none of one that is not finite.
    pub(super) fn level(&self, loss: f64) -> Option<usize> {
        loss.is_finite().then(|| self.y(loss) as usize)
    }
}

/// Returns what can be seen of a line in pixels.
fn visible(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    extremes_by_column(points, |point| point[0].floor() as i64, |point| point[1])
}
