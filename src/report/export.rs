//! From an SVG to the file that is wanted.

use std::fs;
use std::path::Path;

use krilla::Document;
use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::Tree;

use crate::error::LcaError;

use super::font;
use super::palette::Color;

/// Pixels of a PNG per point of the SVG: 288 to the inch.
const PIXELS_PER_POINT: f32 = 3.0;
/// The same, as the file says it.
const PIXELS_PER_METER: u32 = 11_339;

/// Points of a PDF's page, 72 to the inch, per point of the SVG, 96 to the inch.
const POINTS_OF_PAPER: f32 = 0.75;

/// The form of a file with a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// A text with shapes, for pages and for editing.
    Svg,
    /// Pixels.
    Png,
    /// Shapes with the typeface, for papers.
    Pdf,
}

impl FileFormat {
    /// Returns the format that a file's extension names.
    ///
    /// # Errors
    ///
    /// [`LcaError::Setting`] if it names none of them.
    pub fn of(path: &Path) -> Result<Self, LcaError> {
        let extension = path
            .extension()
            .map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            Some("pdf") => Ok(Self::Pdf),
            _ => Err(LcaError::setting(
                "the file of a figure",
                format!("{} has no known extension", path.display()),
                "end it with .svg, .png or .pdf",
            )),
        }
    }
}

/// Returns the bytes of a file in the format.
///
/// PNG and PDF have texts in Latin, Greek and Cyrillic script; other letters show only in an SVG.
///
/// # Errors
///
/// [`LcaError::Render`] if the text is no SVG, or is too large for pixels.
pub fn encode(svg: &str, format: FileFormat) -> Result<Vec<u8>, LcaError> {
    match format {
        FileFormat::Svg => Ok(svg.as_bytes().to_vec()),
        FileFormat::Png => png(&Pixels::of(svg, PIXELS_PER_POINT)?),
        FileFormat::Pdf => pdf(&tree(svg)?),
    }
}

/// Writes a figure in the format that the file's extension names.
///
/// # Errors
///
/// [`LcaError::Setting`] if it names none, [`LcaError::Disk`] if the file can't be written, and
/// those of [`encode`].
pub fn write(svg: &str, path: &Path) -> Result<(), LcaError> {
    let bytes = encode(svg, FileFormat::of(path)?)?;
    fs::write(path, bytes).map_err(|source| LcaError::Disk {
        action: "writing",
        path: path.to_owned(),
        source,
        remedy: "give a file in a folder that can be written".into(),
    })
}

/// An opaque picture.
pub(super) struct Pixels {
    width: u32,
    height: u32,
    /// Row after row.
    pub(super) colors: Vec<Color>,
}

impl Pixels {
    /// Draws an SVG, with so many pixels to a point.
    pub(super) fn of(svg: &str, scale: f32) -> Result<Self, LcaError> {
        let tree = tree(svg)?;
        let size = tree.size();
        let (width, height) = (
            (size.width() * scale).ceil() as u32,
            (size.height() * scale).ceil() as u32,
        );
        let mut image = Pixmap::new(width, height)
            .ok_or_else(|| failed("a picture", format!("can't be {width} × {height} pixels")))?;
        // The last row of a fractional height is covered in part only.
        image.fill(resvg::tiny_skia::Color::WHITE);
        let transform = Transform::from_scale(scale, scale);
        resvg::render(&tree, transform, &mut image.as_mut());
        let color = |rgba: &[u8; 4]| Color {
            red: rgba[0],
            green: rgba[1],
            blue: rgba[2],
        };
        Ok(Self {
            width,
            height,
            colors: image.data().as_chunks().0.iter().map(color).collect(),
        })
    }
}

fn tree(svg: &str) -> Result<Tree, LcaError> {
    Tree::from_str(svg, font::options()).map_err(|error| failed("an SVG", error))
}

fn pdf(tree: &Tree) -> Result<Vec<u8>, LcaError> {
    let points = |size: f32| size * POINTS_OF_PAPER;
    let size = Size::from_wh(points(tree.size().width()), points(tree.size().height()))
        .ok_or_else(|| failed("a PDF", "the figure has no size"))?;
    let mut document = Document::new();
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    let drawn = surface.draw_svg(tree, size, SvgSettings::default());
    surface.finish();
    page.finish();
    drawn.ok_or_else(|| failed("a PDF", "the figure can't be drawn"))?;
    let written = document.finish();
    written.map_err(|error| failed("a PDF", format!("{error:?}")))
}

fn png(pixels: &Pixels) -> Result<Vec<u8>, LcaError> {
    let colors = pixels.colors.iter();
    let rgb: Vec<u8> = colors
        .flat_map(|color| [color.red, color.green, color.blue])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    // Of flat areas no filter leaves less to compress than all the same.
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: PIXELS_PER_METER,
        yppu: PIXELS_PER_METER,
        unit: png::Unit::Meter,
    }));
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&rgb)?;
        writer.finish()
    });
    written.map_err(|error| failed("a PNG", error))?;
    Ok(bytes)
}

fn failed(what: &str, error: impl ToString) -> LcaError {
    LcaError::render(format!("{what}: {}", error.to_string()))
}
