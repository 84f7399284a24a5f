//! An animated WebP of lossless pictures.
//!
//! The encoder makes single pictures; the container that animates them is put around here, as
//! the specification has it (<https://developers.google.com/speed/webp/docs/riff_container>).

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use image_webp::{ColorType, EncoderParams, EncodingError, WebPEncoder};

use super::{Shape, UNCHANGED};

/// What a picture's own file has before its chunks: `RIFF`, size, `WEBP`.
const RIFF_HEADER: usize = 12;
const CHUNK_HEADER: u32 = 8;
/// Position, size, duration and flags of a frame.
const FRAME_HEADER: u32 = 16;
const ANIMATED: u8 = 1 << 1;
const HAS_ALPHA: u8 = 1 << 4;
/// Transparent pixels show the picture before, which is kept.
const BLEND: u8 = 0;

pub(in crate::report::film) struct Writer {
    file: BufWriter<File>,
    shape: Shape,
    rgb: Vec<[u8; 3]>,
    /// Bytes after `RIFF` and the size itself.
    size: u32,
    colored: Vec<u8>,
    picture: Vec<u8>,
}

impl Writer {
    pub(super) fn create(path: &Path, shape: Shape, rgb: &[u8]) -> io::Result<Self> {
        let mut writer = Self {
            file: BufWriter::new(File::create(path)?),
            shape,
            rgb: rgb.as_chunks().0.to_vec(),
            size: 4,
            colored: Vec::new(),
            picture: Vec::new(),
        };
        writer.file.write_all(b"RIFF\0\0\0\0WEBP")?;
        writer.chunk(b"VP8X", 10)?;
        writer.file.write_all(&[ANIMATED | HAS_ALPHA, 0, 0, 0])?;
        writer.file.write_all(&less_one(shape.width))?;
        writer.file.write_all(&less_one(shape.height))?;
        writer.chunk(b"ANIM", 6)?;
        // A white background, repeated for ever.
        writer.file.write_all(&[255, 255, 255, 255, 0, 0])?;
        Ok(writer)
    }

    pub(super) fn add(&mut self, pixels: &[u8]) -> io::Result<()> {
        self.colored.clear();
        for pixel in pixels {
            let color = match *pixel {
                UNCHANGED => [0; 4],
                pixel => {
                    let [red, green, blue] = self.rgb[usize::from(pixel)];
                    [red, green, blue, 255]
                }
            };
            self.colored.extend_from_slice(&color);
        }
        self.picture.clear();
        let (width, height) = (self.shape.width.into(), self.shape.height.into());
        let mut encoder = WebPEncoder::new(&mut self.picture);
        // A few colours side by side have nothing that neighbours predict.
        let mut params = EncoderParams::default();
        params.use_predictor_transform = false;
        encoder.set_params(params);
        encoder
            .encode(&self.colored, width, height, ColorType::Rgba8)
            .map_err(into_io)?;
        // The chunk of the picture, which is padded to an even length already.
        let length = (self.picture.len() - RIFF_HEADER) as u32;
        self.chunk(b"ANMF", FRAME_HEADER + length)?;
        self.file.write_all(&[0; 6])?;
        self.file.write_all(&less_one(self.shape.width))?;
        self.file.write_all(&less_one(self.shape.height))?;
        self.file.write_all(&self.shape.millis.to_le_bytes()[..3])?;
        self.file.write_all(&[BLEND])?;
        self.file.write_all(&self.picture[RIFF_HEADER..])
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(4))?;
        self.file.write_all(&self.size.to_le_bytes())?;
        self.file.flush()
    }

    /// Begins a chunk of an even length.
    fn chunk(&mut self, name: &[u8; 4], length: u32) -> io::Result<()> {
        let size = self.size.checked_add(CHUNK_HEADER + length);
        self.size =
            size.ok_or_else(|| io::Error::other("a WebP has at most 4 GiB; ask for fewer frames"))?;
        self.file.write_all(name)?;
        self.file.write_all(&length.to_le_bytes())
    }
}

/// A length as the format stores it: in 24 bits, less one.
fn less_one(length: u16) -> [u8; 3] {
    let [low, high] = length.saturating_sub(1).to_le_bytes();
    [low, high, 0]
}

fn into_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
