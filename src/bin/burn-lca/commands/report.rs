//! `burn-lca report`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn_lca::report::page;
use burn_lca::{LcaError, Run};

use crate::failure::Failure;
use crate::output::{keep_records, put, refuse_terminal, replace};
use crate::progress;
use crate::watch::{Seen, rest};

use super::runs;

/// A page to explore runs and to send to a colleague: a single HTML file that needs no network.
///
/// It begins with whether LCA adds up, and ends with every parameter as a pixel. Several runs
/// stand side by side.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  burn-lca report artifacts/lca -o report.html\n  \
                  burn-lca report artifacts/seed1 artifacts/seed2 -o seeds.html\n  \
                  burn-lca report artifacts/lca -o report.html --watch"
)]
pub struct ReportArgs {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The file for the page; the standard output by default.
    #[arg(short, long, value_name = "FILE.html")]
    output: Option<PathBuf>,
    /// Writes the file again whenever there is more of the runs, until none is being recorded.
    #[arg(long, requires = "output")]
    watch: bool,
}

pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let path = args.output.as_deref();
    refuse_terminal("a page", path, "FILE.html")?;
    path.map_or(Ok(()), keep_records)?;
    match path {
        Some(path) if args.watch => watch(&args.runs, path),
        _ => {
            let (page, runs) = progress::during(|| read(&args.runs))?;
            runs::print_notes(&runs);
            match path {
                Some(path) => replace(page.as_bytes(), path),
                None => put(page.as_bytes(), None),
            }
        }
    }
}

fn read(folders: &[PathBuf]) -> Result<(String, Vec<Run>), LcaError> {
    let runs = runs::open(folders)?;
    Ok((page::page(&runs)?, runs))
}

/// Keeps a file current as long as a run is being recorded.
fn watch(folders: &[PathBuf], path: &Path) -> Result<(), Failure> {
    // A wrong path is no run that is yet to come.
    runs::open(folders)?;
    let mut written = None;
    loop {
        let start = Instant::now();
        let seen = Seen::of(folders);
        if written.as_ref() != Some(&seen) {
            match read(folders) {
                Ok((page, runs)) => {
                    replace(page.as_bytes(), path)?;
                    // As it was when the tables were read.
                    if !seen.is_growing() {
                        runs::print_notes(&runs);
                        return Ok(());
                    }
                    written = Some(seen);
                }
                Err(error @ LcaError::Setting { .. }) => return Err(error.into()),
                // It may be one of the moment: there are no rows yet, or parts are merged.
                Err(_) if seen.is_growing() => {}
                Err(error) => return Err(error.into()),
            }
        }
        rest(start);
    }
}
