//! What is wrong with a command line is said, and what is right is explained.

use rstest::rstest;

use crate::fixture::Fixture;
use crate::program::{burn_lca, commands};

#[rstest]
#[case(&["unheard-of"], "unrecognized subcommand")]
#[case(&["summary"], "<RUN>")]
#[case(&["compare", "RUN"], "<SECOND>")]
#[case(&["summary", "RUN", "--format", "xml"], "parquet")]
#[case(&["summary", "RUN", "--table", "unheard-of"], "reconciliation, helping, quantiles")]
#[case(&["summary", "RUN", "--table", "helping", "--format", "json"], "leave it out")]
#[case(&["peaks", "RUN", "--smooth", "4"], "--smooth: ")]
#[case(&["peaks", "RUN", "--min-layers", "1"], "two or more")]
#[case(&["layers", "RUN", "--class", "9"], "--class: ")]
#[case(&["setting", "RUN"], "give NUMBER=RUN")]
#[case(&["setting", "NaN=RUN"], "finite")]
#[case(&["setting", "0=RUN", "--log"], "above zero")]
#[case(&["candidates", "RUN", "--alpha", "2"], "0 to 1")]
#[case(&["trace", "RUN", "fc9.weight", "0"], "fc1.weight, fc1.bias")]
#[case(&["trace", "RUN", "fc1.weight", "99"], "below 6")]
#[case(&["trace", "RUN", "fc1.weight", "0", "--top", "2"], "--top")]
fn a_wrong_command_line_is_said_to_be_one(#[case] arguments: &[&str], #[case] way_out: &str) {
    let folder = tempfile::tempdir().unwrap();
    Fixture::default().write(folder.path());
    let run = folder.path().to_str().unwrap();
    let arguments = arguments
        .iter()
        .map(|argument| argument.replace("RUN", run));
    let answer = burn_lca(arguments);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.stderr.contains(way_out), "{answer:?}");
    assert!(answer.stdout.is_empty(), "{answer:?}");
}

#[test]
fn the_help_lists_the_exit_codes_and_every_command_shows_an_example() {
    let help = burn_lca(["--help"]);
    assert_eq!(help.code, Some(0));
    for code in [0, 1, 2, 3, 4, 5, 70] {
        assert!(help.text().contains(&format!("\n  {code:<2} ")), "{help:?}");
    }
    for command in commands() {
        let help = burn_lca([command.as_str(), "--help"]);
        assert_eq!(help.code, Some(0));
        let (_, example) = help.text().split_once("Example").unwrap();
        assert!(
            example.contains(&format!("burn-lca {command} ")),
            "{example}"
        );
    }
}
