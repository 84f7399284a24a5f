//! A play, embedded: who speaks in which act, cut into windows of characters.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::{Device, Int, Tensor, TensorData};

const TEXT: &[u8] = include_bytes!("../data/asyoulik.txt.gz");

/// Characters that are seen, each of which is followed by one to tell.
pub const LENGTH: usize = 32;

pub const ACTS: [&str; 5] = ["Act I", "Act II", "Act III", "Act IV", "Act V"];
/// The acts that are trained on; the network is validated on the others, or adapted to them.
pub const FIRST_ACTS: usize = 3;

/// Who speaks most; everybody else comes last.
pub const SPEAKERS: [&str; 6] = [
    "Rosalind",
    "Touchstone",
    "Orlando",
    "Celia",
    "Jaques",
    "others",
];

/// Consecutive characters of one act.
#[derive(Clone, Debug)]
pub struct Window {
    /// The index in the alphabet of each of `LENGTH` + 1 characters.
    characters: Vec<u8>,
    pub act: usize,
    /// Who speaks the most of it.
    pub speaker: usize,
}

pub type Windows = Arc<InMemDataset<Window>>;

/// The play as it is learned.
pub struct Play {
    /// How many characters there are to tell apart.
    pub alphabet: usize,
    pub first_acts: Windows,
    pub last_acts: Windows,
}

/// Reads the embedded play.
pub fn read() -> Play {
    let mut text = String::new();
    flate2::read::GzDecoder::new(TEXT)
        .read_to_string(&mut text)
        .expect("the embedded play is whole");
    let acts = acts(&text);
    let all = acts.iter().flatten().map(|spoken| spoken.character);
    let alphabet: Vec<char> = all.collect::<BTreeSet<char>>().into_iter().collect();
    let windows = |act: usize| {
        acts[act]
            .chunks_exact(LENGTH + 1)
            .map(|spoken| window(spoken, act, &alphabet))
            .collect::<Vec<_>>()
    };
    let part = |acts: std::ops::Range<usize>| {
        let windows = acts.flat_map(windows).collect();
        Arc::new(InMemDataset::new(windows))
    };
    Play {
        alphabet: alphabet.len(),
        first_acts: part(0..FIRST_ACTS),
        last_acts: part(FIRST_ACTS..ACTS.len()),
    }
}

/// A character, and the speaker in whose speech it is.
struct Spoken {
    character: char,
    speaker: usize,
}

/// Takes the acts apart. Every scene begins with a title, its act and its place, which are left out.
fn acts(text: &str) -> Vec<Vec<Spoken>> {
    let others = SPEAKERS.len() - 1;
    let mut acts: Vec<Vec<Spoken>> = Vec::new();
    let (mut name, mut speaker) = ("", others);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(act) = line.strip_prefix("ACT ") {
            if act != name {
                acts.push(Vec::new());
            }
            (name, speaker) = (act, others);
            continue;
        }
        let Some(act) = acts.last_mut() else {
            continue;
        };
        if line.starts_with("SCENE ") || line.trim() == "AS YOU LIKE IT" {
            continue;
        }
        // A speech begins with its speaker; its other lines, and directions, with a tab.
        if let Some((name, _)) = line.split_once('\t').filter(|(name, _)| !name.is_empty()) {
            let mut known = SPEAKERS.iter();
            let place = known.position(|known| known.eq_ignore_ascii_case(name));
            speaker = place.unwrap_or(others);
        }
        let characters = line.chars().chain(['\n']);
        act.extend(characters.map(|character| Spoken { character, speaker }));
    }
    acts
}

fn window(spoken: &[Spoken], act: usize, alphabet: &[char]) -> Window {
    let mut counts = [0; SPEAKERS.len()];
    for spoken in spoken {
        counts[spoken.speaker] += 1;
    }
    let speakers = 0..counts.len();
    let place = |spoken: &Spoken| {
        let place = alphabet.binary_search(&spoken.character);
        place.expect("every character is in the alphabet") as u8
    };
    Window {
        characters: spoken.iter().map(place).collect(),
        act,
        speaker: speakers.max_by_key(|&speaker| counts[speaker]).unwrap_or(0),
    }
}

#[derive(Clone, Debug)]
pub struct TextBatch {
    /// What is seen, shape [windows, characters].
    pub seen: Tensor<2, Int>,
    /// The character that follows on each.
    pub next: Tensor<2, Int>,
}

#[derive(Clone, Debug)]
pub struct TextBatcher;

impl Batcher<Window, TextBatch> for TextBatcher {
    fn batch(&self, windows: Vec<Window>, device: &Device) -> TextBatch {
        let from = |first: usize| {
            let characters = windows.iter();
            let characters = characters.flat_map(|window| &window.characters[first..][..LENGTH]);
            let characters: Vec<i32> = characters.map(|&place| place.into()).collect();
            let data = TensorData::new(characters, [windows.len(), LENGTH]);
            Tensor::from_data(data, device)
        };
        TextBatch {
            seen: from(0),
            next: from(1),
        }
    }
}
