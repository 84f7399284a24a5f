//! A sign of life on stderr while a long command works.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a command may take before anything is shown, and between two signs.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows how long the command has been at work until this is dropped.
pub struct Progress {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Begins to show progress if stderr is a terminal.
pub fn show(command: &'static str) -> Progress {
    let (done, wait) = mpsc::channel::<()>();
    let thread = stderr().is_terminal().then(|| {
        thread::spawn(move || {
            let start = Instant::now();
            let mut shown = false;
            while wait.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                shown = true;
                // A terminal that is gone is no reason to stop.
                let _ = write!(
                    stderr(),
                    "\rburn-lca {command}: reading, {} s",
                    start.elapsed().as_secs()
                );
            }
            if shown {
                let _ = write!(stderr(), "\r\x1b[2K");
            }
        })
    });
    Progress {
        done: Some(done),
        thread,
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
