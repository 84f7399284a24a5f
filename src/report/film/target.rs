//! Where a film goes: a GIF or a folder of PNG files.

mod gif;
mod png;

use std::fs;
use std::io;
use std::path::Path;

use crate::error::LcaError;

use super::timing::Timing;

use gif::GifWriter;
use png::PngWriter;

/// A film that is being written.
pub(super) enum FilmTarget {
    Gif(GifWriter),
    Pngs(PngWriter),
}

/// Fails if a film can't be written there, before time is spent on one.
pub(super) fn check(path: &Path) -> Result<(), LcaError> {
    is_gif(path).map(|_| ())
}

/// Returns whether a path asks for a GIF; otherwise it asks for a folder.
fn is_gif(path: &Path) -> Result<bool, LcaError> {
    let extension = path
        .extension()
        .map(|text| text.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("gif") => Ok(true),
        None => Ok(false),
        // A folder may have a dot in its name.
        Some(_) if path.is_dir() || ends_in_separator(path) => Ok(false),
        Some(other) => Err(LcaError::setting(
            "the output of a film",
            format!("{} ends in .{other}", path.display()),
            "give a file that ends in .gif, or a folder for PNG files, such as frames/",
        )),
    }
}

fn ends_in_separator(path: &Path) -> bool {
    path.to_string_lossy().ends_with(std::path::is_separator)
}

impl FilmTarget {
    pub(super) fn create(path: &Path, timing: Timing, rgb: &[u8]) -> Result<Self, LcaError> {
        let created = if is_gif(path)? {
            GifWriter::create(path, timing, rgb).map(Self::Gif)
        } else {
            fs::create_dir_all(path)
                .map(|()| Self::Pngs(PngWriter::new(path.to_owned(), timing, rgb)))
        };
        created.map_err(|source| failed(path, source))
    }

    /// Adds a picture: one byte per pixel, row by row.
    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        match self {
            Self::Gif(writer) => writer.add(pixels),
            Self::Pngs(writer) => writer.add(pixels),
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Gif(writer) => writer.finish(),
            Self::Pngs(writer) => writer.finish(),
        }
    }
}

/// Returns the error of a film that can't be written.
pub(super) fn failed(path: &Path, source: io::Error) -> LcaError {
    LcaError::Disk {
        action: "writing film",
        path: path.to_owned(),
        source,
        remedy: "give an output in a folder that can be written to and has room".into(),
    }
}
