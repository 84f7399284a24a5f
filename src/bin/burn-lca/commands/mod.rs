//! One file a command: its arguments, and the answer made of the analysis.
//!
//! To add one: a file with its arguments and `answer`, and a line in each of the lists below.

mod candidates;
mod compare;
mod film;
mod layers;
mod noise;
mod palette;
mod peaks;
mod plot;
mod quantiles;
mod report;
pub mod runs;
mod serve;
mod setting;
mod summary;
mod sums;
mod trace;

use clap::Subcommand;

use crate::failure::Failure;
use crate::output::{Answer, OutputArgs};
use crate::progress;

#[derive(Debug, Subcommand)]
pub enum Command {
    Summary(summary::SummaryArgs),
    Layers(layers::LayersArgs),
    Noise(noise::NoiseArgs),
    Trace(trace::TraceArgs),
    Peaks(peaks::PeaksArgs),
    Candidates(candidates::CandidatesArgs),
    Compare(compare::CompareArgs),
    Setting(setting::SettingArgs),
    Plot(plot::PlotArgs),
    Report(report::ReportArgs),
    Serve(serve::ServeArgs),
    Film(film::FilmArgs),
}

impl Command {
    /// Reads the runs and writes the answer to where it is wanted.
    pub fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Summary(args) => print(&args.output, || summary::answer(args)),
            Self::Layers(args) => print(&args.output, || layers::answer(args)),
            Self::Noise(args) => print(&args.output, || noise::answer(args)),
            Self::Trace(args) => print(&args.output, || trace::answer(args)),
            Self::Peaks(args) => print(&args.output, || peaks::answer(args)),
            Self::Candidates(args) => print(&args.output, || candidates::answer(args)),
            Self::Compare(args) => print(&args.output, || compare::answer(args)),
            Self::Setting(args) => print(&args.output, || setting::answer(args)),
            Self::Plot(args) => plot::run(args),
            Self::Report(args) => report::run(args),
            Self::Serve(args) => serve::run(args),
            Self::Film(args) => film::run(args),
        }
    }
}

fn print(
    output: &OutputArgs,
    answer: impl FnOnce() -> Result<Answer, Failure>,
) -> Result<(), Failure> {
    output.check()?;
    output.write(&progress::during(answer)?)
}
