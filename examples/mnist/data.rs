//! MNIST from its IDX files; pixels stay bytes until a batch is made.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::{Device, Int, Tensor, TensorData};
use flate2::read::GzDecoder;

/// Side length of an image.
pub const SIDE: usize = 28;
pub const CLASSES: usize = 10;

const IMAGES_FILE: &str = "train-images-idx3-ubyte";
const LABELS_FILE: &str = "train-labels-idx1-ubyte";
/// Images in the files, and how many of them, from the first, to train on.
const IMAGES: usize = 60_000;
const TRAINING_IMAGES: usize = 55_000;

/// Mean and standard deviation of the pixels, from 0 to 1.
const MEAN: f32 = 0.1307;
const DEVIATION: f32 = 0.3081;

#[derive(Clone, Debug)]
pub struct Image {
    pub pixels: [u8; SIDE * SIDE],
    pub label: u8,
}

/// The images to train on and those to validate with; loaders and probes share them.
pub struct Mnist {
    pub training: Arc<InMemDataset<Image>>,
    pub validation: Arc<InMemDataset<Image>>,
}

/// Reads MNIST from `folder`, or else from where burn-dataset keeps it, with the first `limit`
/// images to train on.
pub fn load(folder: Option<&Path>, limit: Option<NonZeroUsize>) -> Result<Mnist, Box<dyn Error>> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => cached()?,
    };
    let pixels = read_idx(&folder, IMAGES_FILE, &[IMAGES, SIDE, SIDE])?;
    let labels = read_idx(&folder, LABELS_FILE, &[IMAGES])?;
    if let Some(label) = labels.iter().find(|&&label| usize::from(label) >= CLASSES) {
        let file = folder.join(LABELS_FILE);
        return Err(format!("{}: {label} is not a digit", file.display()).into());
    }

    let (pixels, _) = pixels.as_chunks();
    let mut images = pixels
        .iter()
        .zip(labels)
        .map(|(&pixels, label)| Image { pixels, label });
    let mut training: Vec<_> = images.by_ref().take(TRAINING_IMAGES).collect();
    if let Some(limit) = limit {
        training.truncate(limit.get());
    }
    Ok(Mnist {
        training: Arc::new(InMemDataset::new(training)),
        validation: Arc::new(InMemDataset::new(images.collect())),
    })
}

/// Returns the folder in which burn-dataset keeps MNIST, downloaded if it can be.
fn cached() -> Result<PathBuf, Box<dyn Error>> {
    let caches = dirs::cache_dir().ok_or("no cache folder is known; give --data DIR")?;
    let folder = caches.join("burn-dataset").join("mnist").join("train");
    let complete = folder.join(IMAGES_FILE).exists() && folder.join(LABELS_FILE).exists();
    if !complete {
        download(&folder)?;
    }
    Ok(folder)
}

#[cfg(feature = "download")]
fn download(folder: &Path) -> Result<(), Box<dyn Error>> {
    // burn-dataset panics where the network or the disk fails.
    match std::panic::catch_unwind(burn_dataset::vision::MnistDataset::train) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "MNIST could not be downloaded into {}; give the folder of its IDX files with \
             --data DIR",
            folder.display()
        )
        .into()),
    }
}

#[cfg(not(feature = "download"))]
fn download(folder: &Path) -> Result<(), Box<dyn Error>> {
    Err(format!(
        "no MNIST in {}; give the folder of its IDX files with --data DIR, or build with \
         --features download",
        folder.display()
    )
    .into())
}

/// Reads the bytes of an IDX file, plain or gzipped, that must hold this shape.
fn read_idx(folder: &Path, name: &str, shape: &[usize]) -> Result<Vec<u8>, String> {
    let plain = folder.join(name);
    let gzipped = folder.join(format!("{name}.gz"));
    let (file, bytes) = if plain.exists() {
        let bytes = File::open(&plain).and_then(|file| parse_idx(file, shape));
        (plain, bytes)
    } else if gzipped.exists() {
        let bytes = File::open(&gzipped).and_then(|file| parse_idx(GzDecoder::new(file), shape));
        (gzipped, bytes)
    } else {
        return Err(format!("no {name} or {name}.gz in {}", folder.display()));
    };
    bytes.map_err(|error| format!("{}: {error}", file.display()))
}

fn parse_idx(reader: impl Read, shape: &[usize]) -> io::Result<Vec<u8>> {
    // Two zeros, the type of a byte, the number of dimensions, and each dimension's length.
    let mut header = vec![0, 0, 8, shape.len() as u8];
    for &length in shape {
        header.extend((length as u32).to_be_bytes());
    }
    let length = header.len() + shape.iter().product::<usize>();
    let mut bytes = Vec::with_capacity(length);
    reader.take(length as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() != length || !bytes.starts_with(&header) {
        let problem = format!("not an IDX file of bytes with the shape {shape:?}");
        return Err(io::Error::other(problem));
    }
    bytes.drain(..header.len());
    Ok(bytes)
}

#[derive(Clone, Debug)]
pub struct ImageBatch {
    pub images: Tensor<3>,
    pub labels: Tensor<1, Int>,
}

#[derive(Clone, Debug)]
pub struct ImageBatcher;

impl Batcher<Image, ImageBatch> for ImageBatcher {
    fn batch(&self, images: Vec<Image>, device: &Device) -> ImageBatch {
        let pixels: Vec<f32> = images
            .iter()
            .flat_map(|image| &image.pixels)
            .map(|&pixel| (f32::from(pixel) / 255.0 - MEAN) / DEVIATION)
            .collect();
        let labels: Vec<i32> = images.iter().map(|image| image.label.into()).collect();
        ImageBatch {
            images: Tensor::from_data(TensorData::new(pixels, [images.len(), SIDE, SIDE]), device),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}
