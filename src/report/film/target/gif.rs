//! An animated GIF.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use super::{Shape, UNCHANGED};

pub(in crate::report::film) struct Writer {
    encoder: Encoder<BufWriter<File>>,
    shape: Shape,
}

impl Writer {
    pub(super) fn create(path: &Path, shape: Shape, rgb: &[u8]) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = Encoder::new(file, shape.width, shape.height, rgb).map_err(into_io)?;
        encoder.set_repeat(Repeat::Infinite).map_err(into_io)?;
        Ok(Self { encoder, shape })
    }

    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        let frame = Frame {
            width: self.shape.width,
            height: self.shape.height,
            delay: (self.shape.millis / 10) as u16,
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            buffer: Cow::Borrowed(pixels),
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
