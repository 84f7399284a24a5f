//! The program, as it is run.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What came of running the program.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// Runs the program; its output is no terminal.
pub fn burn_lca<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burn-lca"));
    command.args(arguments);
    outcome(command)
}

fn outcome(mut command: Command) -> Answer {
    command
        .stdin(Stdio::null())
        .env_remove("NO_COLOR")
        .env("RUST_BACKTRACE", "0");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Answer {
        code: status.code(),
        stdout,
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs the program with so many KiB of memory and seconds of computing at most.
pub fn burn_lca_within<A: AsRef<OsStr>>(
    kibibytes: u64,
    seconds: u64,
    arguments: impl IntoIterator<Item = A>,
) -> Answer {
    let limit = format!("ulimit -v {kibibytes}; ulimit -t {seconds}; exec \"$@\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &limit, "sh", env!("CARGO_BIN_EXE_burn-lca")])
        .args(arguments);
    outcome(command)
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Commands that draw; they answer with a file, or a page, in place of tables.
const DRAWING: [&str; 4] = ["plot", "report", "serve", "film"];

/// Returns the names of all commands that print tables, as the help lists them.
pub fn commands() -> Vec<String> {
    let help = burn_lca(["--help"]);
    let listed = help.text().split("Commands:\n").nth(1).unwrap();
    let lines = listed.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter(|line| !line.starts_with("   "));
    let names: Vec<String> = names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help" && !DRAWING.contains(name))
        .map(Into::into)
        .collect();
    assert!(names.iter().any(|name| name == "summary"), "{names:?}");
    names
}

/// Returns the names of all figures, as the help lists them.
pub fn figures() -> Vec<String> {
    let help = burn_lca(["plot", "--help"]);
    let listed = help.text().split("Possible values:\n").nth(1).unwrap();
    let names = listed
        .lines()
        .map_while(|line| line.trim().strip_prefix("- "));
    let names: Vec<String> = names
        .filter_map(|line| line.split(':').next())
        .map(Into::into)
        .collect();
    assert!(names.len() >= 10, "{names:?}");
    names
}

/// Returns the arguments of every command that draws, on a run; the film goes into a folder.
pub fn drawings(run: &Path, folder: &Path) -> Vec<Vec<String>> {
    let run = run.display().to_string();
    let film = folder.join("film.gif").display().to_string();
    let plot = |figure: String| {
        let run = numbered(&figure, &run);
        vec!["plot".to_owned(), run, figure]
    };
    let mut commands: Vec<Vec<String>> = figures().into_iter().map(plot).collect();
    commands.push(vec!["report".into(), run.clone()]);
    commands.push(
        ["film", &run, "--frames", "2", "-o", &film]
            .map(Into::into)
            .into(),
    );
    commands
}

/// Returns a run as a command or figure takes it: one of them wants a number before it.
pub fn numbered(name: &str, run: &str) -> String {
    if name == "setting" {
        format!("0.5={run}")
    } else {
        run.to_owned()
    }
}

/// Returns the arguments of a command on a run; the one that takes two gets it twice.
pub fn on(command: &str, run: &Path) -> Vec<String> {
    let run = numbered(command, &run.display().to_string());
    let runs = if command == "compare" { 2 } else { 1 };
    let mut arguments = vec![command.to_owned()];
    arguments.extend(std::iter::repeat_n(run, runs));
    if command == "peaks" {
        // Each of its default number of permutations takes its time in a debug build.
        arguments.extend(["--permutations".into(), "50".into()]);
    }
    arguments
}
