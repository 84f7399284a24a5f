//! `burn-lca report`.

use std::path::PathBuf;

use burn_lca::report::page;

use crate::failure::Failure;

use super::runs;

/// One page to explore runs and to send to a colleague: a single HTML file that needs no network.
///
/// It begins with whether LCA adds up, and ends with every parameter as a pixel. Several runs
/// stand side by side. Give the file with --output.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  burn-lca report artifacts/lca -o report.html\n  \
                  burn-lca report artifacts/seed1 artifacts/seed2 -o seeds.html"
)]
pub struct ReportArgs {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
}

/// Returns the page.
pub fn html(args: &ReportArgs) -> Result<String, Failure> {
    let runs = runs::open(&args.runs)?;
    let page = page::page(&runs)?;
    runs::warn_of_unfinished(&runs);
    Ok(page)
}
