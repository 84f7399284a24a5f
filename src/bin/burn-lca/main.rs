//! `burn-lca`: what a recorded training run did, from the command line.

mod commands;
mod failure;
mod output;
mod progress;
mod serve;
mod terminal;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;

/// Shows where a neural network learned, from the folder that its training run was recorded in.
///
/// LCA (loss change allocation) splits the change of the loss at every optimizer step over all
/// parameters. Negative LCA helps (the loss falls, green), positive hurts (red); exact zeros are
/// counted apart.
#[derive(Debug, Parser)]
#[command(name = "burn-lca", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the answer was printed
  1  the answer could not be drawn, written or served
  2  the command line is wrong
  3  there is no run, or it can't be read from disk
  4  a file of the run is damaged, foreign, or from a newer version of burn-lca
  5  the run has not recorded what the command needs
  70 there is a bug in burn-lca: please report it

Colours are left out if the output is not a terminal or NO_COLOR is set.
A run that is still being written, or was killed, is read as far as its record reaches.";

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::say(&failure);
            ExitCode::from(failure.code())
        }
    }
}
