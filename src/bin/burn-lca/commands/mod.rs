//! One file a command: its arguments, and the report made of the analysis.
//!
//! To add one: a file with `Args` and `report`, and a line in each of the lists below.

mod candidates;
mod colors;
mod compare;
mod film;
mod layers;
mod noise;
mod peaks;
mod plot;
mod report;
mod summary;
mod trace;

use std::path::PathBuf;

use burn_lca::{LcaError, Run};
use clap::Subcommand;

use crate::failure::Failure;
use crate::output::{OutputArgs, Report};
use crate::progress;

#[derive(Debug, Subcommand)]
pub enum Command {
    Summary(summary::Args),
    Layers(layers::Args),
    Noise(noise::Args),
    Trace(trace::Args),
    Peaks(peaks::Args),
    Candidates(candidates::Args),
    Compare(compare::Args),
    Plot(plot::Args),
    Report(report::Args),
    Film(film::Args),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Summary(_) => "summary",
            Self::Layers(_) => "layers",
            Self::Noise(_) => "noise",
            Self::Trace(_) => "trace",
            Self::Peaks(_) => "peaks",
            Self::Candidates(_) => "candidates",
            Self::Compare(_) => "compare",
            Self::Plot(_) => "plot",
            Self::Report(_) => "report",
            Self::Film(_) => "film",
        }
    }

    /// Reads the runs and writes the answer to where it is wanted.
    pub fn run(&self, output: &OutputArgs) -> Result<(), Failure> {
        match self.answer(output)? {
            Answer::Tables(report) => output.write(&report),
            Answer::Page(page) => output.write_page(&page),
            Answer::Film(report) => output.print(&report),
            Answer::Figure(svg) => output.write_figure(&svg),
        }
    }

    fn answer(&self, output: &OutputArgs) -> Result<Answer, Failure> {
        if matches!(self, Self::Plot(_)) {
            output.check_figure()?;
        }
        let _progress = progress::show(self.name());
        let report = match self {
            Self::Summary(args) => summary::report(args),
            Self::Layers(args) => layers::report(args),
            Self::Noise(args) => noise::report(args),
            Self::Trace(args) => trace::report(args),
            Self::Peaks(args) => peaks::report(args),
            Self::Candidates(args) => candidates::report(args),
            Self::Compare(args) => compare::report(args),
            Self::Plot(args) => return plot::figure(args).map(Answer::Figure),
            Self::Report(args) => return report::html(args).map(Answer::Page),
            Self::Film(args) => return film::report(args, output.film()?).map(Answer::Film),
        };
        report.map(Answer::Tables)
    }
}

/// What a command gives.
enum Answer {
    /// Numbers, in the form that is asked for.
    Tables(Report),
    /// A page, which has one form only.
    Page(String),
    /// What there is to say about a film, which is written already.
    Film(Report),
    /// An SVG, whose form is that of the file it goes to.
    Figure(String),
}

/// Says on stderr which runs did not finish; a picture has no room for it.
fn warn_of_unfinished(runs: &[Run]) {
    for note in runs.iter().filter_map(Run::unfinished) {
        eprintln!("burn-lca: {note}");
    }
}

/// Opens runs in the order given.
fn open(folders: &[PathBuf]) -> Result<Vec<Run>, LcaError> {
    folders.iter().map(Run::open).collect()
}
