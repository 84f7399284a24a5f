//! Columns of numbers as they travel in the page: little-endian bytes in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// Numbers of 64 bits; every bit is kept.
#[derive(Debug, Clone)]
pub(super) struct Doubles(pub(super) Vec<f64>);

/// Numbers of 32 bits.
#[derive(Debug, Clone)]
pub(super) struct Floats(pub(super) Vec<f32>);

/// Bytes that are compressed already.
#[derive(Debug, Clone)]
pub(super) struct Packed(pub(super) Vec<u8>);

impl Doubles {
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Iterations and counts: whole numbers below 2^53 stay exact, as in JSON.
    pub(super) fn counts(values: impl IntoIterator<Item = u64>) -> Self {
        Self::of(values.into_iter().map(|value| value as f64))
    }
}

impl Serialize for Doubles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encoded(
            self.0.iter().flat_map(|value| value.to_le_bytes()),
            serializer,
        )
    }
}

impl Serialize for Floats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encoded(
            self.0.iter().flat_map(|value| value.to_le_bytes()),
            serializer,
        )
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encoded(self.0.iter().copied(), serializer)
    }
}

fn encoded<S: Serializer>(
    bytes: impl Iterator<Item = u8>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes.collect::<Vec<u8>>()))
}
