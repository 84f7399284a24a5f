//! A sign of life on stderr while a long command works.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long work may take before anything is shown, and between two signs.
const PAUSE: Duration = Duration::from_secs(1);

/// Works, and shows for how long if stderr is a terminal.
pub fn during<T>(work: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let start = Instant::now();
            let mut shown = false;
            while wait.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                shown = true;
                let seconds = start.elapsed().as_secs();
                // A terminal that is gone is no reason to stop.
                let _ = write!(stderr(), "\rburn-lca: working, {seconds} s");
            }
            if shown {
                let _ = write!(stderr(), "\r\x1b[2K");
            }
        });
        let result = work();
        drop(done);
        result
    })
}
