//! Blocks in pictures of several sizes.

use crate::analysis::parameter_map::{
    CellLimits, ParameterMapOptions, ParameterQuantity, parameter_map,
};
use crate::analysis::tests::synthetic::{Shaped, Synthetic};

use super::super::layout::{BIAS, Spacing, pack};

#[test]
fn blocks_stand_apart_within_the_width() {
    let tensors: [Shaped; 8] = [
        ("a.weight", &[64, 32], 1),
        ("a.bias", &[32], 0),
        ("b.weight", &[6, 3, 5, 5], 0),
        ("b.bias", &[6], 0),
        ("c", &[], 0),
        ("d.weight", &[90, 90, 1, 1], 0),
        ("d.bias", &[90], 0),
        ("e.weight", &[40, 300, 3, 3], 0),
    ];
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::shaped(&tensors, 1).write(folder.path());
    for (width, height) in [(300, 400), (100, 50), (1200, 400)] {
        let limits = CellLimits::default().columns(width - BIAS);
        let options = ParameterMapOptions::default().limits(limits);
        let map = parameter_map(&run, &[ParameterQuantity::Lca], &options).unwrap();
        let blocks = map.blocks;
        let spacing = Spacing {
            width,
            height,
            heading: 20,
            gap: 10,
        };
        let (places, below) = pack(&blocks, spacing, |_| 40);
        for (number, place) in places.iter().enumerate() {
            assert!(place.x + place.width <= width && place.y >= 20, "{place:?}");
            assert!(place.y + place.height <= below, "{place:?}");
            let block = &blocks[number];
            let last = place.corner(block, block.rows.cells() - 1, block.columns.cells() - 1);
            let end = [place.x + place.width, place.y + place.height];
            assert!(last[0] + place.cell[0] == end[0], "{place:?}");
            assert!(last[1] + place.cell[1] <= end[1], "{place:?}");
            for other in &places[number + 1..] {
                let across = other.x >= end[0] || other.x + other.width <= place.x;
                let down = other.y >= end[1] || other.y + other.height <= place.y;
                assert!(across || down, "{place:?} {other:?}");
            }
        }
    }
}
