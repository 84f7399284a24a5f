//! What every command makes of a run.

use std::collections::BTreeMap;
use std::path::Path;

use burn_lca::Table;
use tempfile::tempdir;

use crate::program::{Answer, burn_lca, commands, drawings, on};

pub const ANSWERED: i32 = 0;
pub const NO_RUN: i32 = 3;
pub const DAMAGED: i32 = 4;
pub const NOT_RECORDED: i32 = 5;

/// Every command.
pub const ALL: &[&str] = &["*"];

/// The commands that read a table of the fixture's run, and so notice if it is damaged.
pub fn readers(table: Table) -> &'static [&'static str] {
    match table {
        Table::Steps => &[
            "summary",
            "noise",
            "compare",
            "plot-loss",
            "plot-helping",
            "plot-distribution",
            "report",
            "film",
        ],
        Table::Tensors => &[
            "summary",
            "layers",
            "peaks",
            "candidates",
            "compare",
            "setting",
            "plot-layers",
            "plot-setting",
            "plot-trajectories",
            "plot-peaks",
            "plot-classes",
            "report",
        ],
        Table::Classes => &["compare", "plot-classes", "report"],
        Table::Units => &["candidates", "plot-units", "report"],
        // All values are recorded, so nobody looks at their histograms.
        Table::Parameters => &[
            "summary",
            "compare",
            "noise",
            "trace",
            "plot-distribution",
            "plot-trace",
            "report",
            "film",
        ],
        Table::ParameterTotals => &[
            "noise",
            "trace",
            "candidates",
            "plot-heroes",
            "plot-trace",
            "report",
        ],
        Table::Histograms => &[],
        table => panic!("which commands read table {table}?"),
    }
}

/// The commands that have no answer without a table.
pub fn needing(table: Table) -> &'static [&'static str] {
    match table {
        Table::Steps | Table::Tensors => readers(table),
        Table::Classes => &["plot-classes"],
        Table::Units => &["plot-units"],
        Table::Parameters => &["trace", "plot-trace", "film"],
        Table::ParameterTotals => &["plot-heroes"],
        Table::Histograms => &[],
        table => panic!("which commands need table {table}?"),
    }
}

/// Runs every command and checks that exactly those fail that must (`summary`, `plot-loss`, …), with
/// the exit code, and with a message of the program, not of a panic, that names the file.
pub fn all(run: &Path, failing: &[&str], code: i32, named: &str) -> Vec<Answer> {
    let films = tempdir().unwrap();
    let printing = commands().into_iter().map(|command| on(&command, run));
    let commands: Vec<Vec<String>> = printing.chain(drawings(run, films.path())).collect();
    let name = |command: &[String]| match command {
        [plot, _, figure, ..] if plot == "plot" => format!("plot-{figure}"),
        command => command[0].clone(),
    };
    let answers: Vec<Answer> = commands.iter().map(burn_lca).collect();
    let names = || commands.iter().map(|command| name(command));
    let failed: BTreeMap<String, Option<i32>> = names()
        .zip(answers.iter().map(|answer| answer.code))
        .filter(|(_, code)| *code != Some(ANSWERED))
        .collect();
    let expected: BTreeMap<String, Option<i32>> = if failing == ALL {
        names().map(|name| (name, Some(code))).collect()
    } else {
        let failing = failing.iter();
        failing
            .map(|name| ((*name).to_owned(), Some(code)))
            .collect()
    };
    assert_eq!(failed, expected, "{named}: {answers:?}");
    for answer in &answers {
        assert!(!answer.stderr.contains("panicked"), "{answer:?}");
        if answer.code != Some(ANSWERED) {
            assert!(answer.stderr.starts_with("burn-lca: "), "{answer:?}");
            assert!(answer.stderr.contains(named), "{answer:?}");
            assert!(answer.stdout.is_empty(), "{answer:?}");
        }
    }
    answers
}
