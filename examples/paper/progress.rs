//! How far the runs of an experiment are, and when they will be done.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two lines where the output is no terminal.
const SELDOM: Duration = Duration::from_secs(30);
const OFTEN: Duration = Duration::from_millis(500);

pub struct Progress {
    runs: usize,
    run: usize,
    name: String,
    /// Work of all runs that are missing, of those that are done, and of the one that runs.
    work: f64,
    done: f64,
    current: f64,
    start: Instant,
    said: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// Returns the progress of runs, of which so much work is left to do.
    pub fn new(runs: usize, work: f64) -> Self {
        Self {
            runs,
            run: 0,
            name: String::new(),
            work,
            done: 0.0,
            current: 0.0,
            start: Instant::now(),
            said: None,
            terminal: io::stderr().is_terminal(),
        }
    }

    pub fn begin(&mut self, name: String, work: f64) {
        self.run += 1;
        self.name = name;
        self.current = work;
        self.said = None;
    }

    /// Says where the run is, if that was not said just now.
    pub fn step(&mut self, step: usize, steps: usize) {
        let pause = if self.terminal { OFTEN } else { SELDOM };
        let last = step == steps;
        if !last && self.said.is_some_and(|said| said.elapsed() < pause) {
            return;
        }
        self.said = Some(Instant::now());
        let done = self.done + self.current * step as f64 / steps as f64;
        let left = self.start.elapsed().as_secs_f64() * (self.work - done) / done;
        let line = format!(
            "run {} of {}  {}  step {step} of {steps}  {} left",
            self.run,
            self.runs,
            self.name,
            minutes(left),
        );
        let mut error = io::stderr().lock();
        // Whoever closes the standard error wants to see nothing.
        let _ = if self.terminal {
            write!(error, "\r\x1b[K{line}{}", if last { "\n" } else { "" })
        } else {
            writeln!(error, "{line}")
        };
        let _ = error.flush();
        if last {
            self.done += self.current;
        }
    }
}

/// Returns seconds as minutes and seconds.
pub fn minutes(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02} min", seconds / 60, seconds % 60)
}
