//! How the chunks of a sweep are dealt to devices, and in which order they add up.

use std::sync::Arc;

use burn::tensor::Device;

use super::batches::{Batches, Source};
use super::plan::Chunk;
use super::room::Room;
use crate::error::LcaError;

/// The batches of the chunks that one device sweeps.
pub(super) struct Shard<B> {
    pub device: Device,
    pub batches: Batches<B>,
    /// Bytes that the batches take, where that is known.
    pub kept: Option<u64>,
}

/// A sweep is a sum of about so many portions at least, each of successive chunks of one row and
/// summed on one device. The number must not depend on the devices: neither may the sums.
const PORTIONS: usize = 32;

/// Joins the chunks of each row to portions.
pub(super) fn join(chunks: &mut [Chunk]) {
    let rows = chunks.chunk_by(|a, b| a.row == b.row).count();
    let mut portions = 0;
    for row in chunks.chunk_by_mut(|a, b| a.row == b.row) {
        let (len, count) = (row.len(), row.len().min(PORTIONS.div_ceil(rows)));
        for (index, chunk) in row.iter_mut().enumerate() {
            chunk.portion = portions + index * count / len;
        }
        portions += count;
    }
}

/// Deals the chunks, of these examples, to the devices, portion by portion. Before training it is
/// checked that there is room for what is kept.
pub(super) fn deal<B>(
    source: &Arc<Source<B>>,
    chunks: &mut [Chunk],
    parts: Vec<Box<[usize]>>,
    devices: &[Device],
    checked: bool,
) -> Result<Vec<Shard<B>>, LcaError> {
    join(chunks);
    let examples: usize = parts.iter().map(|part| part.len()).sum();
    let keep = examples <= source.examples.cached();
    let mut dealt: Vec<Vec<_>> = devices.iter().map(|_| Vec::new()).collect();
    for (chunk, part) in chunks.iter_mut().zip(parts) {
        chunk.shard = chunk.portion % devices.len();
        dealt[chunk.shard].push(part);
    }
    let of_device = |(device, parts): (&Device, _)| {
        let room = Room::new(device);
        let batches = source.batches(parts, device, keep, checked.then_some(&room))?;
        Ok(Shard {
            device: device.clone(),
            kept: room.taken(device),
            batches,
        })
    };
    devices.iter().zip(dealt).map(of_device).collect()
}
