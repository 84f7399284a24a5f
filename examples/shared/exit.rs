//! How an example ends.

use std::error::Error;
use std::process::ExitCode;

/// Returns the exit code of a result, after a line about an error.
pub fn exit(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
