//! Where a film goes: a GIF, a WebP, or a folder of PNG files.

mod gif;
mod png;
mod webp;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::LcaError;

/// How pictures are shown one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) width: u16,
    pub(super) height: u16,
    /// How long a picture is shown, in milliseconds.
    pub(super) millis: u32,
}

/// A film that is being written.
pub(super) enum Target {
    Gif(gif::Writer),
    WebP(webp::Writer),
    Pngs(png::Writer),
}

/// The kind of film that a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gif,
    WebP,
    Pngs,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, LcaError> {
        let extension = path
            .extension()
            .map(|text| text.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("gif") => Ok(Self::Gif),
            Some("webp") => Ok(Self::WebP),
            None => Ok(Self::Pngs),
            // A folder may have a dot in its name.
            Some(_) if path.is_dir() || ends_in_separator(path) => Ok(Self::Pngs),
            Some(other) => Err(LcaError::setting(
                "film's output",
                format!("{} ends in .{other}", path.display()),
                "give a file that ends in .gif or .webp, or a folder for PNG files, such as \
                 frames/",
            )),
        }
    }
}

fn ends_in_separator(path: &Path) -> bool {
    path.to_string_lossy().ends_with(std::path::is_separator)
}

/// Fails if no film can be written there, before time is spent on one.
pub(super) fn check(path: &Path) -> Result<(), LcaError> {
    Kind::of(path).map(|_| ())
}

impl Target {
    pub(super) fn create(path: &Path, shape: Shape, rgb: &[u8]) -> Result<Self, LcaError> {
        let kind = Kind::of(path)?;
        let created = match kind {
            Kind::Gif => gif::Writer::create(path, shape, rgb).map(Self::Gif),
            Kind::WebP => webp::Writer::create(path, shape, rgb).map(Self::WebP),
            Kind::Pngs => fs::create_dir_all(path)
                .map(|()| Self::Pngs(png::Writer::new(path.to_owned(), shape, rgb))),
        };
        created.map_err(|source| failed(path, source))
    }

    /// Adds a picture: one byte a pixel, row after row.
    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        match self {
            Self::Gif(writer) => writer.add(pixels),
            Self::WebP(writer) => writer.add(pixels),
            Self::Pngs(writer) => writer.add(pixels),
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Gif(writer) => writer.finish(),
            Self::WebP(writer) => writer.finish(),
            Self::Pngs(_) => Ok(()),
        }
    }
}

/// Returns the error of a film that can't be written.
pub(super) fn failed(path: &Path, source: io::Error) -> LcaError {
    LcaError::Disk {
        action: "writing film",
        path: PathBuf::from(path),
        source,
        remedy: "give an output in a folder that can be written to and has room".into(),
    }
}
