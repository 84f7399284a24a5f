//! A run that holds what no recorder writes is analysed or refused, and never a panic.
//!
//! In the crate's folder:
//!
//! ```sh
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz run -- \
//!     -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=20 -close_fd_mask=3
//! ```
//!
//! The input says what is odd about the run: bytes of a file, bytes of a part whose checksums are
//! made to fit again, the text of `run.json`, or what all files say, with checksums that fit. It
//! says, too, which command the program is given, with which options.

#![no_main]

mod command_line;
mod odd_run;

// The program, without its `main`.
#[path = "../../../src/bin/burn-lca/commands/mod.rs"]
mod commands;
#[path = "../../../src/bin/burn-lca/failure.rs"]
mod failure;
#[path = "../../../src/bin/burn-lca/output/mod.rs"]
mod output;
#[path = "../../../src/bin/burn-lca/progress.rs"]
mod progress;
#[path = "../../../src/bin/burn-lca/serve/mod.rs"]
mod serve;
#[path = "../../../src/bin/burn-lca/terminal.rs"]
mod terminal;
#[path = "../../../src/bin/burn-lca/watch.rs"]
mod watch;

#[path = "../../cli/fixture/mod.rs"]
mod fixture;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn_lca::{Run, Table};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tempfile::{TempDir, tempdir};

use command_line::CommandLine;
use fixture::{Fixture, part_path};

/// The batches of a table that are read as they are: a few bytes can claim any number of rows.
const BATCHES: usize = 16;

/// A whole run, with each of its files and what that holds.
struct Whole {
    folder: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// The same run twice: as Parquet encodes columns by itself, and as the recorder asks for.
static WHOLE: LazyLock<[Whole; 2]> = LazyLock::new(|| [false, true].map(whole));

fn whole(packed: bool) -> Whole {
    let folder = tempdir().expect("a temporary folder");
    let run = Fixture {
        steps: 4,
        packed,
        ..Fixture::default()
    };
    run.write(folder.path());
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
}

fuzz_target!(|data: &[u8]| {
    // Fails where there are too few bytes for all that is to be said.
    let _ = odd_run_and_command(&mut Unstructured::new(data));
});

fn odd_run_and_command(input: &mut Unstructured) -> Result<()> {
    match input.int_in_range(0..=5)? {
        0 => edited_file(input),
        1 => resealed_part(input),
        2 => resealed_text(input),
        _ => odd_run(input),
    }
}

/// Changes some bytes of a file, or all.
fn edited_file(input: &mut Unstructured) -> Result<()> {
    let whole = input.choose(&*WHOLE)?;
    let arguments = arguments(input, whole.folder.path())?;
    let file = input.choose(&whole.files)?;
    let bytes = if odd_run::one_in(4, input)? {
        input.bytes(input.len())?.to_vec()
    } else {
        odd_run::edited(&file.1, input)?
    };
    with_file(file, &bytes, whole.folder.path(), &arguments);
    Ok(())
}

/// Changes some bytes of a part, and then the checksums.
fn resealed_part(input: &mut Unstructured) -> Result<()> {
    let whole = input.choose(&*WHOLE)?;
    let arguments = arguments(input, whole.folder.path())?;
    let part = input.choose(&whole.files[1..])?;
    let bytes = odd_run::edited(&part.1, input)?;
    if let Some(bytes) = odd_run::resealed(bytes) {
        with_file(part, &bytes, whole.folder.path(), &arguments);
    }
    Ok(())
}

/// Changes some bytes of the text of `run.json`, and then the checksum.
fn resealed_text(input: &mut Unstructured) -> Result<()> {
    let whole = input.choose(&*WHOLE)?;
    let arguments = arguments(input, whole.folder.path())?;
    let file = &whole.files[0];
    let text = String::from_utf8_lossy(&file.1);
    let (text, _) = text.rsplit_once(",\"checksum\"").expect("a checksum");
    let text = odd_run::edited(format!("{text}}}").as_bytes(), input)?;
    let text = String::from_utf8_lossy(&text);
    if text.ends_with('}') {
        let text = fixture::sealed(&text);
        with_file(file, text.as_bytes(), whole.folder.path(), &arguments);
    }
    Ok(())
}

/// Writes a run whose files are as a recorder's, but for what they say.
fn odd_run(input: &mut Unstructured) -> Result<()> {
    let folder = tempdir().expect("a temporary folder");
    let arguments = arguments(input, folder.path())?;
    odd_run::write(input, folder.path())?;
    ask(folder.path(), &arguments);
    Ok(())
}

/// Runs a command while a file of a run holds something else.
fn with_file(
    (path, whole): &(PathBuf, Vec<u8>),
    bytes: &[u8],
    run: &Path,
    arguments: &CommandLine,
) {
    fs::write(path, bytes).expect("a file that can be written");
    ask(run, arguments);
    fs::write(path, whole).expect("a file that can be written");
}

fn arguments(input: &mut Unstructured, run: &Path) -> Result<CommandLine> {
    CommandLine::choose(input, run, WHOLE[0].folder.path())
}

/// Reads every table, and runs a command; errors are as good as answers.
fn ask(folder: &Path, command_line: &CommandLine) {
    if let Ok(run) = Run::open(folder) {
        for table in run.tables().unwrap_or_default() {
            let scans = [run.scan(table), run.scan(table).iterations(1..3)];
            for batches in scans.into_iter().filter_map(|scan| scan.batches().ok()) {
                batches.take(BATCHES).for_each(drop);
            }
        }
    }
    command_line.run();
}
