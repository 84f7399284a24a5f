//! What does not move: headings, legend, and the loss curve with its axes.

use crate::analysis::curves::LossCurve;
use crate::analysis::layer_of;
use crate::analysis::parameter_map::{BlockAxis, FrameReader, TensorBlock};
use crate::report::draw::thousands;
use crate::report::font;
use crate::report::microscope::{Place, Spacing, pack};
use crate::report::palette::Color;

use super::colors::INK;
use super::legend::Legend;
use super::loss::Panel;
use super::svg::{Anchor, Svg};

/// Around everything.
pub(super) const MARGIN: usize = 16;
/// Where the line with the iteration begins, and how high it is.
pub(super) const STATUS: [usize; 2] = [36, 24];
const TITLE_SIZE: f64 = 16.0;
pub(super) const NAME_SIZE: f64 = 12.0;
pub(super) const NOTE_SIZE: f64 = 11.0;
pub(super) const GREY: Color = Color::new(0x55_5555);
/// Pixels that are striven for, from the first block to the last.
const BLOCKS_HEIGHT: usize = 440;
/// Pixels above blocks for two lines.
const HEADING: usize = 34;

/// Where things are that the moving parts need.
pub(super) struct Backdrop {
    pub(super) height: usize,
    pub(super) places: Vec<Place>,
    pub(super) legend: Legend,
    pub(super) panel: Panel,
    /// What there is to see, but for colours that stand for values.
    pub(super) svg: String,
}

impl Backdrop {
    /// Draws a backdrop of this width.
    pub(super) fn draw(lens: &FrameReader, loss: Option<&LossCurve>, width: usize) -> Self {
        let room = width - 2 * MARGIN;
        let spacing = Spacing {
            width: room,
            height: BLOCKS_HEIGHT,
            heading: HEADING,
            gap: MARGIN,
        };
        let heading_width = |group: &[TensorBlock]| {
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
        let mut svg = Svg::new();
        let at = |x: usize, y: usize| [x as f64, y as f64];
        let title = font::shorten(&title(lens), TITLE_SIZE, room as f64);
        svg.text(at(MARGIN, 26), TITLE_SIZE, INK, Anchor::Start, &title);
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
        let below = top + blocks_height + MARGIN;
        let (legend, below) = Legend::draw(&mut svg, lens, loss, [below, room]);
        let panel = Panel::draw(&mut svg, lens, loss, [below + 2 * MARGIN, width]);
        let height = panel.end();
        Self {
            height,
            places,
            legend,
            panel,
            svg: svg.finish(width, height),
        }
    }
}

fn title(lens: &FrameReader) -> String {
    let parameters: u64 = lens
        .blocks()
        .iter()
        .map(|block| block.shape.iter().product::<usize>() as u64)
        .sum();
    let binned = lens.blocks().iter().any(TensorBlock::is_binned);
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

/// Returns the two lines above a group: its tensors, and what goes down and across.
fn heading(group: &[TensorBlock], most: f64) -> [String; 2] {
    let Some(main) = group.first() else {
        return Default::default();
    };
    let mut name = main.tensor.clone();
    for beside in &group[1..] {
        let tensor = &beside.tensor;
        let last = tensor.strip_prefix(layer_of(tensor)).unwrap_or(tensor);
        name += &format!(" | {}", last.trim_start_matches('.'));
    }
    let count = |arrow: &str, axis: &BlockAxis| match (axis.name, axis.length) {
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

/// Returns a number with its sign and so many decimals, with an exponent where it is small.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    format!("{value:+.decimals$e}").replace('-', "−")
}
