//! A run that holds what no recorder writes is analysed or refused, and never a panic.
//!
//! `cargo +nightly fuzz run run`, in the crate's folder. The first byte of the input says what is
//! odd: one file replaced, one file edited, `run.json` edited with a checksum that fits, or every
//! file, with fitting checksums but values of the input's. Every analysis is asked, with options
//! that are the input's too, and every figure, the page and the film are drawn.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn_lca::analysis::candidates::CandidatesOptions;
use burn_lca::analysis::classes::ClassMapOptions;
use burn_lca::analysis::helping::HelpingOptions;
use burn_lca::analysis::layers::LayersOptions;
use burn_lca::analysis::peaks::PeaksOptions;
use burn_lca::analysis::trace::TraceOptions;
use burn_lca::analysis::units::UnitMapOptions;
use burn_lca::analysis::{self, Grouping};
use burn_lca::report::figures::{Figure, FigureOptions};
use burn_lca::report::{film, page};
use burn_lca::{Run, Table};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

#[path = "../../cli/fixture/mod.rs"]
mod fixture;

use fixture::{Fixture, part_path, sealed};

/// The batches of a table that are read: a few bytes can claim any number of equal rows.
const BATCHES: usize = 16;

/// A whole run, with each of its files and what that holds.
struct Whole {
    folder: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Fixture {
        steps: 4,
        ..Fixture::default()
    }
    .write(folder.path());
    let mut paths = vec![folder.path().join("run.json")];
    paths.extend(Table::ALL.map(|table| part_path(folder.path(), table)));
    let files = paths.into_iter().map(|path| {
        let bytes = fs::read(&path).expect("a file of the run");
        (path, bytes)
    });
    Whole {
        files: files.collect(),
        folder,
    }
});

fuzz_target!(|data: &[u8]| {
    let [way, file, options, rest @ ..] = data else {
        return;
    };
    let (path, bytes) = &WHOLE.files[usize::from(*file) % WHOLE.files.len()];
    let changed = match way % 4 {
        0 => rest.to_vec(),
        1 => edited(bytes, rest),
        2 => return odd_description(rest, *options),
        _ => return odd_values(rest, *options),
    };
    fs::write(path, changed).expect("a file that can be written");
    ask(WHOLE.folder.path(), *options);
    fs::write(path, bytes).expect("a file that can be written");
});

/// Edits the text of `run.json` and seals it again.
fn odd_description(edits: &[u8], options: u8) {
    let (path, bytes) = &WHOLE.files[0];
    let text = String::from_utf8_lossy(bytes);
    let (text, _) = text.rsplit_once(",\"checksum\"").expect("a checksum");
    let text = edited(format!("{text}}}").as_bytes(), edits);
    let text = String::from_utf8_lossy(&text);
    if text.ends_with('}') {
        fs::write(path, sealed(&text)).expect("a file that can be written");
        ask(WHOLE.folder.path(), options);
        fs::write(path, bytes).expect("a file that can be written");
    }
}

/// Writes a run whose files are as a recorder's, but for what they say.
fn odd_values(values: &[u8], options: u8) {
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = *value;
    }
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    let chosen = |bit: u8| bytes[0] & (1 << bit) != 0;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let odd = Fixture {
        tensors: (0..bytes[1] % 6)
            .map(|tensor| {
                (
                    format!("fc{}.{tensor}", bytes[2] % 4),
                    u32::from(bytes[3]) % 40,
                )
            })
            .collect(),
        steps: u64::from(bytes[4]) % 80,
        classes: i32::from(bytes[5]) % 5,
        validation: chosen(0),
        state: ["running", "finished", "interrupted"][usize::from(bytes[6]) % 3],
        every_number: chosen(1).then(|| f64::from_bits(word(8))),
        every_count: chosen(2).then(|| word(16)),
        every_index: chosen(3).then(|| word(24) as u32),
        every_span: if chosen(5) { word(24) } else { 1 },
        first_iteration: if chosen(4) { word(24) } else { 0 },
        ..Fixture::default()
    };
    odd.write(folder.path());
    ask(folder.path(), options);
}

/// Returns the bytes with some replaced: three bytes are a place from the end, where a Parquet
/// file says what it holds, and what to put there.
fn edited(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in edits.chunks_exact(3) {
        let back = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        let place = bytes.len() - 1 - back % bytes.len();
        bytes[place] = edit[2];
    }
    bytes
}

/// Asks for all there is; errors are as good as answers.
fn ask(folder: &Path, options: u8) {
    let Ok(run) = Run::open(folder) else {
        return;
    };
    for table in run.tables().unwrap_or_default() {
        let scans = [run.scan(table), run.scan(table).iterations(1..3)];
        for batches in scans.into_iter().filter_map(|scan| scan.batches().ok()) {
            batches.take(BATCHES).for_each(drop);
        }
    }
    let chosen = |bit: u8| options & (1 << bit) != 0;
    let few = usize::from(options % 8);
    let layers = LayersOptions::default()
        .by(if chosen(0) {
            Grouping::Tensor
        } else {
            Grouping::Layer
        })
        .class(chosen(1).then_some(1))
        .probe(chosen(2).then(|| "validation".to_owned()));
    let peaks = PeaksOptions::default()
        .smooth(few)
        .detrend(2 * few + 1)
        .window(few)
        .permutations(few)
        .min_layers(chosen(3).then_some(few));
    let trace = TraceOptions::default()
        .tensor(chosen(4).then(|| "fc1.weight".to_owned()))
        .indices(if chosen(5) {
            vec![0, u32::from(options)]
        } else {
            Vec::new()
        })
        .extremes(few);
    let candidates = CandidatesOptions::default().top(few).resamples(few);
    let runs = [run];
    let [run] = &runs;
    let figure = FigureOptions::default().log(chosen(6));
    let draw = |figure_of: Figure| drop(figure_of.draw(&figure));

    drop(analysis::summary(run));
    drop(analysis::noise(run));
    drop(analysis::candidates(&runs, &candidates));
    drop(analysis::compare(run, run));
    let _ = analysis::loss_curves(run).map(|found| draw(Figure::Loss(&found)));
    let helping = HelpingOptions::default().smooth(chosen(7).then_some(few));
    let _ = analysis::helping(run, &helping).map(|found| draw(Figure::Helping(&found)));
    let by_layer = analysis::helping_by_layer(run, &helping);
    let _ = by_layer.map(|found| draw(Figure::HelpingByLayer(&found)));
    let _ = analysis::distribution(run).map(|found| draw(Figure::Distribution(&found)));
    let _ = analysis::noise::heroes(run).map(|found| draw(Figure::Heroes(&found)));
    let _ = analysis::layers(&runs, &layers).map(|found| draw(Figure::Layers(&found)));
    let _ = analysis::trajectories(run).map(|found| draw(Figure::Trajectories(&found)));
    let _ = analysis::trace(run, &trace).map(|found| draw(Figure::Trace(&found)));
    let _ = analysis::peaks(run, &peaks).map(|found| draw(Figure::Peaks(&found)));
    let classes = analysis::class_maps(run, &ClassMapOptions::default());
    let _ = classes.map(|found| found.iter().for_each(|map| draw(Figure::Classes(map))));
    let units = analysis::unit_maps(run, &UnitMapOptions::default());
    let _ = units.map(|found| draw(Figure::Units(&found)));
    drop(page::page(&runs));
    let film = film::FilmOptions::default().frames(1 + few).width(64 + few);
    let output = tempfile::tempdir().expect("a temporary folder");
    drop(film::film(run, &film, &output.path().join("film.gif")));
}
