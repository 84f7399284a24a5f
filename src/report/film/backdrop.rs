//! What does not move: title, headings of blocks, and below them the loss curve with the legend.

use crate::analysis::layer_of;
use crate::analysis::loss::LossCurve;
use crate::analysis::parameter_map::{BlockAxis, FrameReader, TensorBlock};
use crate::error::LcaError;
use crate::report::draw::{Anchor, Area, Label, counted, document};
use crate::report::font;
use crate::report::palette::{INK, NOTE};

use super::layout::{BlockPlace, Spacing, pack};
use super::loss;
use super::options::FilmOptions;

/// The space around everything.
pub(super) const MARGIN: usize = 16;
/// Where the line with the iteration begins, and how high it is.
pub(super) const STATUS: [usize; 2] = [36, 24];
const TITLE_SIZE: f64 = 16.0;
const NAME_SIZE: f64 = 12.0;
const SIZE_SIZE: f64 = 11.0;
/// The height of all blocks that is aimed for, in pixels.
const BLOCKS_HEIGHT: usize = 440;
/// Pixels for the two lines above a block.
const HEADING: usize = 34;

/// Pixels down of a part that is drawn at once, at least.
const PART: usize = 1024;

/// Everything but what moves, and where that goes.
pub(super) struct Backdrop {
    pub(super) height: u16,
    pub(super) places: Vec<BlockPlace>,
    /// The panel of the loss curve.
    pub(super) loss: Area,
    /// The parts of the picture, from top to bottom: drawn one by one, they take little memory.
    pub(super) svgs: Vec<String>,
}

impl Backdrop {
    pub(super) fn new(
        reader: &FrameReader,
        loss: Option<&LossCurve>,
        options: &FilmOptions,
    ) -> Result<Self, LcaError> {
        let width = options.width;
        let room = width - 2 * MARGIN;
        let spacing = Spacing {
            width: room,
            height: BLOCKS_HEIGHT,
            heading: HEADING,
            gap: MARGIN,
        };
        let heading_width = |group: &[TensorBlock]| {
            let [name, size] = heading(group, room as f64);
            let wider = font::width(&name, NAME_SIZE).max(font::width(&size, SIZE_SIZE));
            wider.ceil() as usize
        };
        let (mut places, blocks_height) = pack(reader.blocks(), spacing, heading_width);
        let top = STATUS[0] + STATUS[1];
        for place in &mut places {
            place.x += MARGIN;
            place.y += top;
        }
        let above = top + blocks_height;
        let (sheet, mut area) = loss::sheet(reader, loss, options);
        area.top += above as f64;
        // Before anything is drawn that may be too large for memory, too.
        let height = above + sheet.height as usize;
        let too_high = |_| {
            let tensors = reader.blocks().len();
            LcaError::setting(
                "FilmOptions::width",
                format!("leads to {height} pixels down for {tensors} tensors"),
                "give a larger one, or record fewer tensors with `ParameterSelection::tensors`",
            )
        };
        let height = u16::try_from(height).map_err(too_high)?;
        let mut svgs = headings(reader, &places, width, above);
        svgs.push(sheet.draw());
        Ok(Self {
            height,
            loss: area,
            svgs,
            places,
        })
    }
}

/// Draws the title, and a heading above each group of blocks, in parts that each end above a shelf of
/// blocks.
fn headings(
    reader: &FrameReader,
    places: &[BlockPlace],
    width: usize,
    height: usize,
) -> Vec<String> {
    let room = (width - 2 * MARGIN) as f64;
    let label = |text: &str, size: f64, color, x: usize, y: usize| {
        let label = Label {
            color,
            ..Label::new(text, size, Anchor::Start)
        };
        label.draw(x as f64, y as f64)
    };
    let title = font::shorten(&title(reader), TITLE_SIZE, room);
    let mut parts = Vec::new();
    let (mut top, mut labels) = (0, vec![label(&title, TITLE_SIZE, INK, MARGIN, 26)]);
    let part = |labels: Vec<_>, height: usize| {
        let mut svg = document(width as f64, height as f64);
        labels.iter().for_each(|label| svg.push(label));
        svg.to_string()
    };
    let mut place = places.iter();
    for group in reader.blocks().chunk_by(|_, next| next.beside) {
        let [name, size] = heading(group, room);
        let members: Vec<&BlockPlace> = place.by_ref().take(group.len()).collect();
        let Some(first) = members.first() else {
            continue;
        };
        let shelf = first.y - HEADING;
        if shelf >= top + PART {
            parts.push(part(std::mem::take(&mut labels), shelf - top));
            top = shelf;
        }
        labels.push(label(
            &name,
            NAME_SIZE,
            INK,
            first.x - 1,
            first.y - 20 - top,
        ));
        labels.push(label(
            &size,
            SIZE_SIZE,
            NOTE,
            first.x - 1,
            first.y - 6 - top,
        ));
    }
    parts.push(part(labels, height - top));
    parts
}

fn title(reader: &FrameReader) -> String {
    let parameters: u64 = reader
        .blocks()
        .iter()
        .map(|block| block.shape.iter().product::<usize>() as u64)
        .sum();
    let cells = if reader.blocks().iter().any(TensorBlock::is_binned) {
        ", large tensors binned"
    } else if parameters > 1 {
        ", one cell each"
    } else {
        ""
    };
    let title = reader.quantity().title();
    format!(
        "{}: {}{cells}",
        capital(title),
        counted(parameters, "parameter")
    )
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
        (name, length) => format!("{arrow} {}  ", counted(length as u64, name)),
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
        font::shorten(size.trim_end(), SIZE_SIZE, most),
    ]
}
