//! Pieces of JSON as a list, without a copy of them.

use std::io::{Read, Result};
use std::sync::Arc;

/// What is still to be read of a list.
pub struct List {
    /// The rest, the next one last.
    parts: Vec<Arc<[u8]>>,
    /// Bytes of the next one that were read already.
    done: usize,
}

impl List {
    pub fn of(pieces: Vec<Arc<[u8]>>) -> Self {
        let mark = |mark: &[u8]| Arc::from(mark);
        let mut parts = vec![mark(b"[")];
        for (place, piece) in pieces.into_iter().enumerate() {
            if place > 0 {
                parts.push(mark(b","));
            }
            parts.push(piece);
        }
        parts.push(mark(b"]"));
        parts.reverse();
        Self { parts, done: 0 }
    }
}

impl Read for List {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        while let Some(part) = self.parts.last() {
            let rest = &part[self.done..];
            if rest.is_empty() {
                self.parts.pop();
                self.done = 0;
                continue;
            }
            let many = rest.len().min(into.len());
            into[..many].copy_from_slice(&rest[..many]);
            self.done += many;
            return Ok(many);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_as_a_list_whatever_the_room() {
        let pieces = || {
            vec![
                Arc::from(&b"{}"[..]),
                Arc::from(&b""[..]),
                Arc::from(&b"[1,2]"[..]),
            ]
        };
        for room in 1..9 {
            let mut list = List::of(pieces());
            let mut found: Vec<u8> = Vec::new();
            let mut into = vec![0; room];
            loop {
                match list.read(&mut into).unwrap() {
                    0 => break,
                    many => found.extend(&into[..many]),
                }
            }
            assert_eq!(found, b"[{},,[1,2]]");
        }
    }
}
