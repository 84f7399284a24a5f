//! An animated GIF.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use crate::report::film::timing::Timing;

/// The pixel that leaves what the picture before has there; no picture has it otherwise.
const UNCHANGED: u8 = u8::MAX;

pub(in crate::report::film) struct GifWriter {
    encoder: Encoder<BufWriter<File>>,
    timing: Timing,
    /// The picture before, once there is one.
    before: Vec<u8>,
}

impl GifWriter {
    pub(super) fn create(path: &Path, timing: Timing, rgb: &[u8]) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = Encoder::new(file, timing.width, timing.height, rgb).map_err(into_io)?;
        encoder.set_repeat(Repeat::Infinite).map_err(into_io)?;
        Ok(Self {
            encoder,
            timing,
            before: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        let mut changes = pixels.to_vec();
        for (change, before) in changes.iter_mut().zip(&self.before) {
            if change == before {
                *change = UNCHANGED;
            }
        }
        self.before.clear();
        self.before.extend_from_slice(pixels);
        let frame = Frame {
            width: self.timing.width,
            height: self.timing.height,
            delay: (self.timing.millis / 10) as u16,
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            buffer: Cow::Owned(changes),
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(into_io)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.encoder.into_inner().map_err(into_io)?.flush()
    }
}

fn into_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
