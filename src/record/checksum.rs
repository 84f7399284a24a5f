//! FNV-1a, 64 bits: finds flipped bits, needs no table, and is three lines in any language.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Returns the checksum of some bytes.
pub(super) fn of(bytes: &[u8]) -> u64 {
    extend(OFFSET, bytes)
}

/// Returns the checksum of all bytes so far and some more.
fn extend(checksum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(checksum, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
    })
}

/// The checksum of nothing.
pub(super) const EMPTY: u64 = OFFSET;

/// Returns the checksum of all words so far and some more.
pub(super) fn add_words(checksum: u64, words: &[u64]) -> u64 {
    words
        .iter()
        .fold(checksum, |sum, word| extend(sum, &word.to_le_bytes()))
}

/// Returns the checksum of all row groups so far and one more: of what a reader relies on before
/// it reads the rows, which is their number and the bounds of every column.
pub(super) fn add_bounds(checksum: u64, row_group: &RowGroupMetaData) -> u64 {
    let rows = extend(checksum, &row_group.num_rows().to_le_bytes());
    row_group.columns().iter().fold(rows, bounds)
}

fn bounds(checksum: u64, column: &ColumnChunkMetaData) -> u64 {
    let Some(statistics) = column.statistics() else {
        return checksum;
    };
    [statistics.min_bytes_opt(), statistics.max_bytes_opt()]
        .into_iter()
        .fold(checksum, |sum, bound| {
            extend(sum, bound.unwrap_or_default())
        })
}

/// Returns the checksum of one column of one row group: its bytes in the file, and what the
/// footer says about it that a reader relies on.
pub(super) fn chunk_checksum(
    file: &mut File,
    row_group: &RowGroupMetaData,
    column: &ColumnChunkMetaData,
) -> io::Result<u64> {
    let start = column
        .dictionary_page_offset()
        .unwrap_or_else(|| column.data_page_offset());
    let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "negative offset");
    let length = u64::try_from(column.compressed_size()).map_err(invalid)?;
    file.seek(SeekFrom::Start(u64::try_from(start).map_err(invalid)?))?;
    let mut sum = bounds(of(&row_group.num_rows().to_le_bytes()), column);
    let mut left = length;
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let take = buffer.len().min(left as usize);
        file.read_exact(&mut buffer[..take])?;
        sum = extend(sum, &buffer[..take]);
        left -= take as u64;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_test_vectors_hold() {
        assert_eq!(super::of(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::of(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(super::of(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
