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
mod runs;
mod summary;
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
    Plot(plot::PlotArgs),
    Report(report::ReportArgs),
    Film(film::FilmArgs),
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
        match self.product(output)? {
            Product::Tables(answer) => output.write(&answer),
            Product::Page(page) => output.write_page(&page),
            Product::Film(answer) => output.print(&answer),
            Product::Figure(svg) => output.write_figure(&svg),
        }
    }

    fn product(&self, output: &OutputArgs) -> Result<Product, Failure> {
        match self {
            Self::Plot(_) => output.check_figure()?,
            Self::Report(_) => output.check_page()?,
            Self::Film(_) => output.film().map(|_| ())?,
            _ => output.check_tables()?,
        }
        let _progress = progress::show(self.name());
        let answer = match self {
            Self::Summary(args) => summary::answer(args),
            Self::Layers(args) => layers::answer(args),
            Self::Noise(args) => noise::answer(args),
            Self::Trace(args) => trace::answer(args),
            Self::Peaks(args) => peaks::answer(args),
            Self::Candidates(args) => candidates::answer(args),
            Self::Compare(args) => compare::answer(args),
            Self::Plot(args) => return plot::figure(args).map(Product::Figure),
            Self::Report(args) => return report::html(args).map(Product::Page),
            Self::Film(args) => return film::answer(args, output.film()?).map(Product::Film),
        };
        answer.map(Product::Tables)
    }
}

/// What a command gives.
enum Product {
    /// Numbers, in the form that is asked for.
    Tables(Answer),
    /// A page, which has one form only.
    Page(String),
    /// What there is to say about a film, which is written already.
    Film(Answer),
    /// An SVG, whose form is that of the file it goes to.
    Figure(String),
}
