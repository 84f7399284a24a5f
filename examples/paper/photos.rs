//! CIFAR-10 from its binary files; pixels stay bytes until a batch is made.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::{Device, Int, Tensor, TensorData};
use flate2::read::GzDecoder;

use crate::data::CLASSES;

/// Side length of a photo in the files, and its colours.
const SIDE: usize = 32;
pub const COLOURS: usize = 3;
/// A label, and the pixels: colour by colour, row by row.
const RECORD: usize = 1 + COLOURS * SIDE * SIDE;
const TRAINING_FILES: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
const TEST_FILE: &str = "test_batch.bin";

/// Mean and standard deviation of each colour, from 0 to 1.
const MEAN: [f32; COLOURS] = [0.4914, 0.4822, 0.4465];
const DEVIATION: [f32; COLOURS] = [0.247, 0.2435, 0.2616];

#[derive(Clone, Debug)]
pub struct Photo {
    /// Colour by colour, row by row.
    pub pixels: Vec<u8>,
    pub label: u8,
}

/// The photos to train on and those to validate with.
pub struct Cifar {
    pub training: Arc<InMemDataset<Photo>>,
    pub validation: Arc<InMemDataset<Photo>>,
}

/// Reads the first photos to train on, and up to so many of the test's, shrunk to `side`.
pub fn load(
    folder: &Path,
    side: usize,
    [training, validation]: [usize; 2],
) -> Result<Cifar, Box<dyn Error>> {
    let photos = read(folder, &TRAINING_FILES, side, training)?;
    if photos.len() < training {
        let (folder, found) = (folder.display(), photos.len());
        return Err(format!(
            "{folder} has {found} photos in {}, and {training} are wanted",
            TRAINING_FILES.join(", "),
        )
        .into());
    }
    let test = read(folder, &[TEST_FILE], side, validation)?;
    Ok(Cifar {
        training: Arc::new(InMemDataset::new(photos)),
        validation: Arc::new(InMemDataset::new(test)),
    })
}

/// Reads up to so many photos.
fn read(folder: &Path, names: &[&str], side: usize, count: usize) -> Result<Vec<Photo>, String> {
    let mut photos = Vec::with_capacity(count);
    for name in names {
        if photos.len() < count {
            let records = read_file(folder, name)?;
            let left = count - photos.len();
            let records = records.as_chunks::<RECORD>().0.iter().take(left);
            photos.extend(records.map(|record| Photo {
                pixels: shrunk(&record[1..], side),
                label: record[0],
            }));
        }
    }
    let labels = photos.iter().map(|photo| photo.label);
    if let Some(label) = labels.max().filter(|&label| usize::from(label) >= CLASSES) {
        return Err(format!("{}: {label} is not a class", folder.display()));
    }
    Ok(photos)
}

/// Reads the bytes of a file, plain or gzipped, that must be whole records; none if the file is not
/// there, but for the first of a kind.
fn read_file(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    let plain = folder.join(name);
    let gzipped = folder.join(format!("{name}.gz"));
    let mut bytes = Vec::new();
    let (file, read) = if plain.exists() {
        let read = File::open(&plain).and_then(|mut file| file.read_to_end(&mut bytes));
        (plain, read)
    } else if gzipped.exists() {
        let read =
            File::open(&gzipped).and_then(|file| GzDecoder::new(file).read_to_end(&mut bytes));
        (gzipped, read)
    } else if name == TRAINING_FILES[0] || name == TEST_FILE {
        return Err(format!("no {name} or {name}.gz in {}", folder.display()));
    } else {
        return Ok(bytes);
    };
    let whole = read.and_then(|length| {
        if length > 0 && length.is_multiple_of(RECORD) {
            Ok(bytes)
        } else {
            let problem = format!("not records of {RECORD} bytes, as CIFAR-10's are");
            Err(io::Error::other(problem))
        }
    });
    whole.map_err(|error| format!("{}: {error}", file.display()))
}

/// Returns the mean colours of squares, of which there are `side` in a row.
fn shrunk(pixels: &[u8], side: usize) -> Vec<u8> {
    let factor = SIDE / side;
    let square = |colour: usize, row: usize, column: usize| {
        let rows = (0..factor).map(|offset| (colour * SIDE + row * factor + offset) * SIDE);
        let starts = rows.map(|start| start + column * factor);
        let sum: usize = starts
            .flat_map(|start| &pixels[start..][..factor])
            .map(|&pixel| usize::from(pixel))
            .sum();
        (sum / (factor * factor)) as u8
    };
    (0..COLOURS * side * side)
        .map(|index| {
            let (place, column) = (index / side, index % side);
            square(place / side, place % side, column)
        })
        .collect()
}

#[derive(Clone, Debug)]
pub struct PhotoBatch {
    pub images: Tensor<4>,
    pub labels: Tensor<1, Int>,
}

#[derive(Clone, Debug)]
pub struct PhotoBatcher {
    pub side: usize,
}

impl Batcher<Photo, PhotoBatch> for PhotoBatcher {
    fn batch(&self, photos: Vec<Photo>, device: &Device) -> PhotoBatch {
        let area = self.side * self.side;
        let pixels: Vec<f32> = photos
            .iter()
            .flat_map(|photo| photo.pixels.iter().enumerate())
            .map(|(place, &pixel)| {
                let colour = place / area;
                (f32::from(pixel) / 255.0 - MEAN[colour]) / DEVIATION[colour]
            })
            .collect();
        let labels: Vec<i32> = photos.iter().map(|photo| photo.label.into()).collect();
        let shape = [photos.len(), COLOURS, self.side, self.side];
        PhotoBatch {
            images: Tensor::from_data(TensorData::new(pixels, shape), device),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}
