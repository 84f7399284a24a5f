//! Where the images come from.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::data::dataset::{Dataset, DatasetError, InMemDataset};

use crate::data::{self, Image, Mnist, SIDE};
use crate::digits::{self, Digit};
use crate::photos::{self, Cifar, Photo};

/// The most images that validate.
const VALIDATION_IMAGES: usize = 5_000;
/// Side length of the embedded digits.
const DIGIT_SIDE: usize = 8;

#[derive(Clone, Debug)]
pub enum Source {
    /// The files of MNIST and CIFAR-10 in a folder, or in its sub-folders `mnist` and `cifar10`;
    /// without a folder MNIST where burn-dataset keeps it.
    Files(Option<PathBuf>),
    /// The embedded digits, enlarged, in place of both.
    Digits,
}

impl Source {
    /// Returns so many images of MNIST to train on, and at most as many to validate with.
    pub fn mnist(&self, images: usize) -> Result<Mnist, Box<dyn Error>> {
        let Self::Files(folder) = self else {
            let [training, validation] = digit_sets(images, enlarged)?;
            return Ok(Mnist {
                training,
                validation,
            });
        };
        let folder = folder.as_deref().map(|folder| part(folder, "mnist"));
        let mnist = data::load(folder.as_deref(), images.try_into().ok())?;
        enough(mnist.training.len(), images)?;
        let validation = mnist.validation.iter().take(validating(images));
        Ok(Mnist {
            validation: Arc::new(InMemDataset::new(validation.collect::<Result<_, _>>()?)),
            ..mnist
        })
    }

    /// Returns so many photos of CIFAR-10 to train on, and at most as many to validate with.
    pub fn cifar(&self, images: usize, side: usize) -> Result<Cifar, Box<dyn Error>> {
        match self {
            Self::Digits => {
                let [training, validation] = digit_sets(images, |digit| coloured(digit, side))?;
                Ok(Cifar {
                    training,
                    validation,
                })
            }
            Self::Files(Some(folder)) => {
                let counts = [images, validating(images)];
                photos::load(&part(folder, "cifar10"), side, counts)
            }
            Self::Files(None) => {
                Err("give the folder of CIFAR-10's binary files with --data DIR".into())
            }
        }
    }
}

fn validating(images: usize) -> usize {
    images.min(VALIDATION_IMAGES)
}

/// Returns the sub-folder if there is one, and else the folder itself.
fn part(folder: &Path, name: &str) -> PathBuf {
    let part = folder.join(name);
    if part.is_dir() {
        part
    } else {
        folder.to_owned()
    }
}

fn enough(found: usize, wanted: usize) -> Result<(), String> {
    if found < wanted {
        return Err(format!("{wanted} images are wanted, and there are {found}"));
    }
    Ok(())
}

/// Returns digits to train on and to validate with.
fn digit_sets<I: Clone + Send + Sync>(
    images: usize,
    image: impl Fn(Digit) -> I,
) -> Result<[Arc<InMemDataset<I>>; 2], DatasetError> {
    let (training, validation) = digits::load();
    let [training, validation] = [training, validation].map(|digits| {
        let digits = digits.iter().take(images);
        let images = digits.map(|digit| digit.map(&image));
        let images = images.collect::<Result<_, _>>()?;
        Ok::<_, DatasetError>(Arc::new(InMemDataset::new(images)))
    });
    Ok([training?, validation?])
}

/// Returns a digit with its pixels three times as large, in the middle of an image.
fn enlarged(digit: Digit) -> Image {
    let factor = SIDE / DIGIT_SIDE;
    let border = (SIDE - factor * DIGIT_SIDE) / 2;
    let pixels = std::array::from_fn(|index| {
        let [row, column] = [index / SIDE, index % SIDE].map(|place| {
            let inside = place.checked_sub(border)? / factor;
            (inside < DIGIT_SIDE).then_some(inside)
        });
        match (row, column) {
            (Some(row), Some(column)) => byte(digit.pixels[row * DIGIT_SIDE + column]),
            _ => 0,
        }
    });
    Image {
        pixels,
        label: digit.label,
    }
}

/// Returns a digit as a grey photo.
fn coloured(digit: Digit, side: usize) -> Photo {
    let factor = side / DIGIT_SIDE;
    let pixels = (0..3 * side * side).map(|index| {
        let (row, column) = (index / side % side, index % side);
        byte(digit.pixels[row / factor * DIGIT_SIDE + column / factor])
    });
    Photo {
        pixels: pixels.collect(),
        label: digit.label,
    }
}

fn byte(pixel: f32) -> u8 {
    (pixel * 255.0) as u8
}
