//! A command of the program, with options, as the input has it.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use burn_lca::report::is_hidden;
use clap::{Arg, CommandFactory, Parser};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use tempfile::{TempDir, tempdir};

use crate::commands::Command;
use crate::odd_run::one_in;

/// As in the program's `main`.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Every command and option that there is. Of these, `serve` is not tried, since it never ends.
static CLI: LazyLock<clap::Command> = LazyLock::new(Cli::command);

/// The exit code of a bug in the program.
const BUG: u8 = 70;

/// What takes as long as it is told to, and so is told every time.
const WORK: [&str; 3] = ["permutations", "resamples", "frames"];

/// Values of the options that have no list of their own.
const VALUES: [&str; 36] = [
    "0",
    "1",
    "2",
    "3",
    "5",
    "8",
    "50",
    "97",
    "640",
    "-1",
    "0.5",
    "1e-300",
    "1e300",
    "NaN",
    "-inf",
    "100000",
    "4294967295",
    "9223372036854775807",
    "18446744073709551615",
    "0,1",
    "training",
    "validation",
    "fc1",
    "fc2",
    "fc1.weight",
    "fc2.bias",
    "fc1,fc2",
    "",
    "\u{1b}[2J",
    "moments",
    "classes",
    "layers",
    "units",
    "parameters",
    "steps",
    "quantiles",
];

/// What the names of files end with.
const ENDS: [&str; 7] = [
    "answer.txt",
    "figure.svg",
    "figure.png",
    "figure.pdf",
    "film.gif",
    "frames/",
    "none/answer",
];

/// Arguments of the program, and where its files go.
pub struct CommandLine {
    arguments: Vec<String>,
    output: TempDir,
}

impl CommandLine {
    /// Chooses a command on a run, and on others where it takes several.
    pub fn choose(input: &mut Unstructured, run: &Path, other: &Path) -> Result<Self> {
        let output = tempdir().expect("a temporary folder");
        let commands = CLI.get_subcommands();
        let commands: Vec<_> = commands
            .filter(|command| command.get_name() != "serve")
            .collect();
        let command = *input.choose(&commands)?;
        let mut arguments = vec!["burn-lca".to_owned(), command.get_name().to_owned()];
        let runs = [run, other].map(|run| run.display().to_string());
        for argument in command.get_positionals() {
            match argument.get_id().as_str() {
                "run" | "first" => arguments.push(runs[0].clone()),
                "second" => arguments.push(input.choose(&runs)?.clone()),
                "runs" => {
                    arguments.push(runs[0].clone());
                    for _ in 0..input.int_in_range(0..=7_u8)?.saturating_sub(4) {
                        arguments.push(input.choose(&runs)?.clone());
                    }
                }
                _ if argument.is_required_set() || input.arbitrary()? => {
                    arguments.push(value(argument, input)?);
                }
                _ => {}
            }
        }
        for option in command.get_opts() {
            // What watches a run ends with the run.
            let Some(name) = option.get_long().filter(|name| *name != "watch") else {
                continue;
            };
            if name == "output" {
                let file = output.path().join(input.choose(&ENDS)?);
                arguments.push(format!("--output={}", file.display()));
            } else if WORK.contains(&name) {
                arguments.push(format!("--{name}={}", input.int_in_range(0..=9)?));
            } else if one_in(3, input)? {
                arguments.push(if option.get_action().takes_values() {
                    format!("--{name}={}", value(option, input)?)
                } else {
                    format!("--{name}")
                });
            }
        }
        Ok(Self { arguments, output })
    }

    /// Runs the command, and looks at what it writes.
    pub fn run(&self) {
        let Ok(cli) = Cli::try_parse_from(&self.arguments) else {
            return;
        };
        match cli.command.run() {
            Ok(()) => self.check(),
            Err(failure) => assert_ne!(failure.code(), BUG, "{:?}: {failure}", self.arguments),
        }
    }

    /// Panics if a text could control a terminal.
    fn check(&self) {
        for name in ["answer.txt", "figure.svg"] {
            let Ok(text) = fs::read_to_string(self.output.path().join(name)) else {
                continue;
            };
            // A Parquet file is no text, and a field of CSV may have tabs.
            let plain = |character| matches!(character, '\n' | '\t') || !is_hidden(character);
            assert!(text.chars().all(plain), "{:?}: {text:?}", self.arguments);
        }
    }
}

fn value(argument: &Arg, input: &mut Unstructured) -> Result<String> {
    let possible = argument.get_possible_values();
    if possible.is_empty() {
        return Ok((*input.choose(&VALUES)?).to_owned());
    }
    Ok(input.choose(&possible)?.get_name().to_owned())
}
