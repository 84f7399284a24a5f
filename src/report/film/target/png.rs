//! A folder of PNG files, one a picture.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use png::{BitDepth, ColorType, Encoder, EncodingError};

use crate::report::film::timing::Timing;

pub(in crate::report::film) struct PngWriter {
    folder: PathBuf,
    timing: Timing,
    rgb: Vec<u8>,
    frames: usize,
}

impl PngWriter {
    pub(super) fn new(folder: PathBuf, timing: Timing, rgb: &[u8]) -> Self {
        Self {
            folder,
            timing,
            rgb: rgb.to_vec(),
            frames: 0,
        }
    }

    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        let path = self.path(self.frames);
        self.frames += 1;
        let mut file = BufWriter::new(File::create(path)?);
        let (width, height) = (self.timing.width.into(), self.timing.height.into());
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(&self.rgb);
        let mut writer = encoder.write_header().map_err(into_io)?;
        writer.write_image_data(pixels).map_err(into_io)?;
        writer.finish().map_err(into_io)?;
        file.flush()
    }

    /// Removes what an earlier, longer film has left behind the last picture.
    pub(super) fn finish(self) -> io::Result<()> {
        for frame in self.frames.. {
            match fs::remove_file(self.path(frame)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                removed => removed?,
            }
        }
        Ok(())
    }

    fn path(&self, frame: usize) -> PathBuf {
        self.folder.join(format!("frame-{frame:05}.png"))
    }
}

fn into_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
