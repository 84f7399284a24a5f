//! Columns of numbers as they travel in the page: little-endian bytes in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Numbers of 64 bits, of which every bit is kept, as `{"f64": "…"}`.
#[derive(Debug, Clone)]
pub(super) struct Doubles(pub(super) Vec<f64>);

/// Rows of cumulative sums, as the change to each from the one before it in its row, in 32 bits:
/// `{"f32": "…", "row": values of a row, "before": what each row begins with}`.
///
/// What rounding takes from a change is in the next one, so that no error grows along a row: every
/// sum is off by less than the 2^24-th part of the change that led to it.
#[derive(Debug, Clone)]
pub(super) struct RunningSums {
    pub(super) sums: Vec<f64>,
    pub(super) row: usize,
    /// What each row begins with.
    pub(super) before: Vec<f64>,
}

/// Bytes that are compressed already, as a text.
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
        let bytes: Vec<u8> = self
            .0
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("f64", &STANDARD.encode(bytes))?;
        map.end()
    }
}

impl Serialize for RunningSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(4 * self.sums.len());
        for (row, before) in self.sums.chunks(self.row.max(1)).zip(&self.before) {
            let mut reached = *before;
            for sum in row {
                let change = (sum - reached) as f32;
                reached += f64::from(change);
                bytes.extend(change.to_le_bytes());
            }
        }
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("f32", &STANDARD.encode(bytes))?;
        map.serialize_entry("row", &self.row)?;
        map.serialize_entry("before", &self.before)?;
        map.end()
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}
