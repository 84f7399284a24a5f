//! What ends the program without an answer, and its exit code.

use std::fmt;
use std::path::PathBuf;

use burn_lca::LcaError;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// A run could not be analysed or drawn.
    Run(LcaError),
    /// The options don't fit each other or the answer.
    Usage(String),
    /// Nobody can listen there.
    Serve { address: String, problem: String },
    /// The answer could not be written.
    Output {
        path: Option<PathBuf>,
        problem: String,
    },
}

impl Failure {
    /// Returns the exit code, as `burn-lca --help` lists them.
    pub fn code(&self) -> u8 {
        match self {
            Self::Serve { .. } | Self::Output { .. } | Self::Run(LcaError::Render(_)) => 1,
            Self::Usage(_) | Self::Run(LcaError::Setting { .. }) => 2,
            Self::Run(LcaError::NoRun { .. } | LcaError::Disk { .. }) => 3,
            Self::Run(LcaError::Damaged { .. } | LcaError::NewerSchema { .. }) => 4,
            Self::Run(LcaError::NotRecorded { .. }) => 5,
            // The rest is about measuring, which no command does.
            Self::Run(_) => 70,
        }
    }
}

impl From<LcaError> for Failure {
    fn from(error: LcaError) -> Self {
        Self::Run(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(LcaError::Setting {
                setting,
                problem,
                remedy,
                ..
            }) => write!(f, "{}: {problem}; {remedy}", option(setting)),
            Self::Run(error) => error.fmt(f),
            Self::Usage(problem) => f.write_str(problem),
            Self::Serve { address, problem } => write!(
                f,
                "listening at {address}: {problem}; give another --port or --address"
            ),
            Self::Output {
                path: Some(path),
                problem,
            } => write!(
                f,
                "writing {}: {problem}; give another --output",
                path.display()
            ),
            Self::Output {
                path: None,
                problem,
            } => write!(
                f,
                "writing the answer: {problem}; use --output FILE or check the command that \
                 reads it"
            ),
        }
    }
}

/// Returns what a setting of the library is called on the command line.
fn option(setting: &str) -> String {
    match setting.split_once("Options::") {
        Some((_, field)) => format!("--{}", field.replace('_', "-")),
        None => setting.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_drawing_or_of_the_program_is_no_wrong_command_line() {
        let render = LcaError::Render("too many pixels".into());
        assert_eq!(Failure::Run(render).code(), 1);
        let bug = LcaError::Internal("a column is missing".into());
        assert_eq!(Failure::Run(bug).code(), 70);
        let device = LcaError::Device("out of memory".into());
        assert_eq!(Failure::Run(device).code(), 70);
    }
}
