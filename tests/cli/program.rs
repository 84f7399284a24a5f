//! The program, run to its end.

use std::ffi::OsStr;
use std::process::Command;

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program; fails if it panicked or was ended by a signal.
pub fn burn_lca<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Answer {
    let output = Command::new(env!("CARGO_BIN_EXE_burn-lca"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .output()
        .expect("the program starts");
    let answer = Answer {
        code: output.status.code().expect("no signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!answer.stderr.contains("panicked"), "{answer:?}");
    answer
}
