//! What does not move: headings, legend, and the loss curve with its axes.

use crate::analysis::curves::{LossCurve, LossPoint};
use crate::analysis::layer_of;
use crate::report::draw::Axis;
use crate::report::font;
use crate::report::microscope::{Axis as Direction, Block, Lens, Place, Spacing, code, pack};
use crate::report::palette::Color;

use super::colors::{CURVE, Colors, INK};
use super::scene::{MARGIN, STATUS, fill};
use super::svg::{Anchor, Svg};

/// Pixels that the loss has from its top to its axis.
pub(super) const PANEL_HEIGHT: usize = 120;
/// Pixels that are striven for, from the first block to the last.
const BLOCKS_HEIGHT: usize = 440;
const NAME_SIZE: f64 = 12.0;
const NOTE_SIZE: f64 = 11.0;
const HEADING: usize = 34;
const LEGEND_LINE: usize = 20;
/// The width of the colours of the legend: two pixels a code.
const BAR: usize = 2 * (2 * code::FULL as usize + 1);
const BAR_HEIGHT: usize = 12;
/// Left of the loss, for its ticks.
const TICKS: usize = 64;
const GREY: Color = Color::new(0x55_5555);
const LIGHT: Color = Color::new(0xc8_c8c8);

/// Where things are that the moving parts need.
pub(super) struct Backdrop {
    pub(super) height: usize,
    bar: Option<[usize; 2]>,
    /// Squares of the legend, with what they stand for.
    squares: Vec<([usize; 2], i8)>,
    panel: Panel,
}

struct Panel {
    left: usize,
    width: usize,
    top: usize,
    across: Axis,
    down: Axis,
}

impl Backdrop {
    /// Draws a backdrop and returns where blocks are to be painted.
    pub(super) fn draw(
        lens: &Lens,
        loss: Option<&LossCurve>,
        width: usize,
    ) -> (Self, Vec<Place>, String) {
        let room = width - 2 * MARGIN;
        let spacing = Spacing {
            width: room,
            height: BLOCKS_HEIGHT,
            heading: HEADING,
            gap: MARGIN,
        };
        let heading_width = |group: &[Block]| {
            let [name, size] = heading(group, room as f64);
            let wider = font::width(&name, NAME_SIZE).max(font::width(&size, NOTE_SIZE));
            wider.ceil() as usize
        };
        let (mut places, blocks_height) = pack(lens.blocks(), spacing, heading_width);
        let top = STATUS[0] + STATUS[1];
        for place in &mut places {
            place.x += MARGIN;
            place.y += top;
        }
        let mut squares = Vec::new();
        let notes = notes(lens);
        let legend = top + blocks_height + MARGIN;
        let panel_top = legend + LEGEND_LINE * (2 + notes.len()) + MARGIN / 2;
        let height = panel_top + PANEL_HEIGHT + 3 * MARGIN;
        let mut svg = Svg::new(width, height);
        let at = |x: usize, y: usize| [x as f64, y as f64];
        let title = font::shorten(&title(lens), 16.0, room as f64);
        svg.text(at(MARGIN, 26), 16.0, INK, Anchor::Start, &title);
        let mut place = places.iter();
        for group in lens.blocks().chunk_by(|_, next| next.beside) {
            let firsts: Vec<&Place> = place.by_ref().take(group.len()).collect();
            let [name, size] = heading(group, room as f64);
            if let Some(first) = firsts.first() {
                let lines = [(name, NAME_SIZE, INK, 20), (size, NOTE_SIZE, GREY, 6)];
                for (text, letters, color, above) in lines {
                    let position = at(first.x - 1, first.y - above);
                    svg.text(position, letters, color, Anchor::Start, &text);
                }
            }
        }
        let bar = draw_legend(&mut svg, lens, legend);
        for (number, (text, square)) in notes.iter().enumerate() {
            let y = legend + LEGEND_LINE * (2 + number);
            let x = match square {
                Some(code) => {
                    squares.push(([MARGIN, y], *code));
                    MARGIN + BAR_HEIGHT + 6
                }
                None => MARGIN,
            };
            let text = font::shorten(text, NOTE_SIZE, (width - MARGIN - x) as f64);
            svg.text(at(x, y + 10), NOTE_SIZE, GREY, Anchor::Start, &text);
        }
        let panel = Panel::draw(&mut svg, lens, loss, [panel_top, width]);
        let backdrop = Self {
            height,
            bar,
            squares,
            panel,
        };
        (backdrop, places, svg.finish())
    }

    /// Paints the colours of the legend.
    pub(super) fn paint_legend(&self, pixels: &mut [u8], stride: usize) {
        if let Some([left, top]) = self.bar {
            let edge = [left - 1, top - 1, BAR + 2, BAR_HEIGHT + 2];
            fill(pixels, stride, edge, Colors::frame());
            for (place, code) in (-code::FULL..=code::FULL).enumerate() {
                let area = [left + 2 * place, top, 2, BAR_HEIGHT];
                fill(pixels, stride, area, Colors::cell(code));
            }
        }
        for ([x, y], code) in &self.squares {
            let area = [*x, *y, BAR_HEIGHT, BAR_HEIGHT];
            fill(pixels, stride, area, Colors::cell(*code));
        }
    }

    /// Returns where the cursor of an iteration begins: its left column and its top.
    pub(super) fn cursor(&self, iteration: u64) -> [usize; 2] {
        let panel = &self.panel;
        let x = panel.across.place(iteration as f64).clamp(0.0, 1.0) * panel.width as f64;
        [panel.left + x as usize, panel.top]
    }

    /// Returns the row of a loss; none of one that is not finite.
    pub(super) fn level(&self, loss: f64) -> Option<usize> {
        let panel = &self.panel;
        let y = (1.0 - panel.down.place(loss)) * PANEL_HEIGHT as f64;
        (0.0..=PANEL_HEIGHT as f64)
            .contains(&y)
            .then(|| panel.top + y as usize)
    }
}

impl Panel {
    fn draw(
        svg: &mut Svg,
        lens: &Lens,
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
        svg.line(&thinned(&points), 1.6, CURVE);
        panel
    }

    fn draw_axes(&self, svg: &mut Svg, loss: Option<&LossCurve>) {
        let (left, right) = (self.left as f64, (self.left + self.width) as f64);
        let (top, bottom) = (self.top as f64, (self.top + PANEL_HEIGHT) as f64);
        let known = loss.is_some_and(|loss| loss.points.iter().any(|point| point.loss.is_finite()));
        for tick in self.down.ticks.iter().filter(|_| known) {
            let y = self.y(tick.at);
            svg.line(&[[left, y], [right, y]], 1.0, LIGHT);
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
        self.top as f64 + (1.0 - self.down.place(loss)) * PANEL_HEIGHT as f64
    }
}

/// Returns the points, or of those in a column of pixels the lowest and the highest only.
fn thinned(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let columns = points.chunk_by(|a, b| a[0].floor() == b[0].floor());
    let of = |column: &[[f64; 2]]| {
        if column.len() <= 2 || column.iter().any(|point| point[1].is_nan()) {
            return column.to_vec();
        }
        let by_height = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
        let mut ends: Vec<[f64; 2]> = [
            column.iter().min_by(by_height),
            column.iter().max_by(by_height),
        ]
        .into_iter()
        .flatten()
        .copied()
        .collect();
        ends.sort_by(|a, b| a[0].total_cmp(&b[0]));
        ends
    };
    columns.flat_map(of).collect()
}

fn title(lens: &Lens) -> String {
    let parameters: usize = lens
        .blocks()
        .iter()
        .map(|block| block.shape.iter().product::<usize>())
        .sum();
    let binned = lens.blocks().iter().any(Block::is_binned);
    let pixels = match (parameters, binned) {
        (1, _) => "1 parameter".into(),
        (_, false) => format!("{} parameters, one cell each", thousands(parameters)),
        (_, true) => format!("{} parameters, large tensors binned", thousands(parameters)),
    };
    format!("{}: {pixels}", capital(lens.quantity().title()))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the two lines above a group: its tensors, and what goes down and across.
fn heading(group: &[Block], most: f64) -> [String; 2] {
    let Some(main) = group.first() else {
        return Default::default();
    };
    let mut name = main.tensor.clone();
    for beside in &group[1..] {
        let tensor = &beside.tensor;
        let last = tensor.strip_prefix(layer_of(tensor)).unwrap_or(tensor);
        name += &format!(" | {}", last.trim_start_matches('.'));
    }
    let count = |arrow: &str, axis: &Direction| match (axis.name, axis.length) {
        ("", _) => String::new(),
        (name, length) if name.starts_with("axis") => format!("{arrow} {name}: {length}  "),
        (name, 1) => format!("{arrow} 1 {name}  "),
        (name, length) => format!("{arrow} {length} {name}s  "),
    };
    let mut size = count("↓", &main.rows) + &count("→", &main.columns);
    if main.rows.kernel * main.columns.kernel > 1 {
        size += &format!("of {}×{}  ", main.rows.kernel, main.columns.kernel);
    }
    if main.is_binned() {
        size += &format!("cell: mean of {}×{}", main.rows.bin, main.columns.bin);
    }
    [
        font::shorten(&name, NAME_SIZE, most),
        font::shorten(size.trim_end(), NOTE_SIZE, most),
    ]
}

/// Draws what colours stand for, and returns where they are to be painted.
fn draw_legend(svg: &mut Svg, lens: &Lens, top: usize) -> Option<[usize; 2]> {
    let line = |number: usize| (top + LEGEND_LINE * number + 10) as f64;
    let scale = lens.scale();
    let Some(full) = scale.full else {
        let text = match lens.not_finite() {
            true => "No value is finite and other than zero",
            false => "Every value is exactly zero",
        };
        svg.text(
            [MARGIN as f64, line(0)],
            NOTE_SIZE,
            INK,
            Anchor::Start,
            text,
        );
        return None;
    };
    let [negative, positive] = lens.quantity().signs();
    let low = format!("{negative}  ≤ {}", signed(-full, 1));
    let high = format!("≥ {}  {positive}", signed(full, 1));
    let left = MARGIN + font::width(&low, NOTE_SIZE).ceil() as usize + 10;
    svg.text(
        [(left - 8) as f64, line(0)],
        NOTE_SIZE,
        INK,
        Anchor::End,
        &low,
    );
    let right = (left + BAR + 8) as f64;
    svg.text([right, line(0)], NOTE_SIZE, INK, Anchor::Start, &high);
    let text = format!(
        "Full colour from percentile {} of the magnitudes of all cells and frames that are not \
         zero; exact zero has no colour.",
        scale.percentile
    );
    svg.text(
        [MARGIN as f64, line(1)],
        NOTE_SIZE,
        GREY,
        Anchor::Start,
        &text,
    );
    Some([left, top])
}

/// Returns what else there is to say, with the colour it is about.
fn notes(lens: &Lens) -> Vec<(String, Option<i8>)> {
    let mut notes = Vec::new();
    if lens.not_finite() {
        notes.push((
            "not finite (NaN or infinite)".into(),
            Some(code::NOT_FINITE),
        ));
    }
    if lens.partly_missing() {
        notes.push(("not recorded".into(), Some(code::MISSING)));
    }
    if !lens.missing().is_empty() {
        let text = format!("Not recorded at all: {}", lens.missing().join(", "));
        notes.push((text, None));
    }
    notes
}

/// Returns a number with its sign and so many decimals, with an exponent where it is small.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    format!("{value:+.decimals$e}").replace('-', "−")
}
