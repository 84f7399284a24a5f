//! `burn-lca report`.

use std::path::PathBuf;

use burn_lca::report::page;

use crate::failure::Failure;
use crate::output::{put, refuse_terminal};
use crate::progress;

use super::runs;

/// A page to explore runs and to send to a colleague: a single HTML file that needs no network.
///
/// It begins with whether LCA adds up, and ends with every parameter as a pixel. Several runs
/// stand side by side.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  burn-lca report artifacts/lca -o report.html\n  \
                  burn-lca report artifacts/seed1 artifacts/seed2 -o seeds.html"
)]
pub struct ReportArgs {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The file for the page; the standard output by default.
    #[arg(short, long, value_name = "FILE.html")]
    output: Option<PathBuf>,
}

pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let path = args.output.as_deref();
    refuse_terminal("a page", path, "FILE.html")?;
    let page = progress::during(|| -> Result<String, Failure> {
        let runs = runs::open(&args.runs)?;
        let page = page::page(&runs)?;
        runs::print_notes(&runs);
        Ok(page)
    })?;
    put(page.as_bytes(), path)
}
