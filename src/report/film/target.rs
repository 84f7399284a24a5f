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

/// The pixel that leaves what the picture before has there, in films that are one file.
const UNCHANGED: u8 = u8::MAX;

/// A film that is being written.
pub(super) struct Target {
    writer: Writer,
    /// The picture before, once there is one.
    before: Vec<u8>,
    changes: Vec<u8>,
}

enum Writer {
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
            Kind::Gif => gif::Writer::create(path, shape, rgb).map(Writer::Gif),
            Kind::WebP => webp::Writer::create(path, shape, rgb).map(Writer::WebP),
            Kind::Pngs => fs::create_dir_all(path)
                .map(|()| Writer::Pngs(png::Writer::new(path.to_owned(), shape, rgb))),
        };
        Ok(Self {
            writer: created.map_err(|source| failed(path, source))?,
            before: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// Adds a picture: one byte a pixel, row after row, none of them `UNCHANGED`.
    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        self.changes.clear();
        self.changes.extend_from_slice(pixels);
        for (change, before) in self.changes.iter_mut().zip(&self.before) {
            if change == before {
                *change = UNCHANGED;
            }
        }
        self.before.clear();
        self.before.extend_from_slice(pixels);
        match &mut self.writer {
            Writer::Gif(writer) => writer.add(&self.changes),
            Writer::WebP(writer) => writer.add(&self.changes),
            Writer::Pngs(writer) => writer.add(pixels),
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self.writer {
            Writer::Gif(writer) => writer.finish(),
            Writer::WebP(writer) => writer.finish(),
            Writer::Pngs(writer) => writer.finish(),
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
