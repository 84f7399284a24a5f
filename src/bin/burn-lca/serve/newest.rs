//! The newest data of the page, read while somebody looks at it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use burn_lca::LcaError;
use burn_lca::report::page;

use crate::commands::runs;
use crate::watch::{Seen, rest};

/// For how long runs are read anew after nobody asks any more.
const UNASKED: Duration = Duration::from_secs(10);

/// The newest data, or why there are none. There is one copy of them; while they are read anew,
/// a second one.
#[derive(Debug)]
pub struct Newest {
    state: Mutex<State>,
    asked: Condvar,
    /// Tells versions from those of another server at the same address.
    began: u128,
}

#[derive(Debug)]
struct State {
    version: u64,
    json: Option<Arc<[u8]>>,
    problem: Option<String>,
    last_asked: Instant,
}

/// What a page is told that asks for data newer than its own.
pub enum Answer {
    /// The newest with their version.
    Data(String, Arc<[u8]>),
    /// It has the newest.
    Same,
    /// There are none, for a reason.
    None(String),
}

impl Newest {
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            state: Mutex::new(State {
                version: 0,
                json: None,
                problem: Some("reading the run".into()),
                last_asked: Instant::now(),
            }),
            asked: Condvar::new(),
            began: since.map_or(0, |since| since.as_nanos()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a page that has the data of a version.
    pub fn ask(&self, known: Option<&str>) -> Answer {
        let mut state = self.state();
        state.last_asked = Instant::now();
        self.asked.notify_one();
        let version = format!("\"{:x}-{}\"", self.began, state.version);
        match (&state.json, &state.problem) {
            (Some(json), _) if known != Some(&version) => Answer::Data(version, json.clone()),
            (_, Some(problem)) => Answer::None(problem.clone()),
            _ => Answer::Same,
        }
    }

    /// Reads runs again whenever there is something new, as long as pages ask for it.
    ///
    /// # Errors
    ///
    /// If the runs can't be in one page.
    pub fn keep(&self, folders: &[PathBuf]) -> Result<Infallible, LcaError> {
        let mut shown = None;
        loop {
            self.wait_until_asked();
            let start = Instant::now();
            let seen = Seen::of(folders);
            if shown.as_ref() != Some(&seen) {
                match runs::open(folders).and_then(|runs| page::data(&runs)) {
                    Ok(json) => {
                        self.put(json);
                        shown = Some(seen);
                    }
                    Err(error @ LcaError::Setting { .. }) => return Err(error),
                    // It may be one of the moment: parts are merged, runs are begun anew.
                    Err(error) => self.state().problem = Some(error.to_string()),
                }
            }
            rest(start);
        }
    }

    fn wait_until_asked(&self) {
        let is_left = |state: &mut State| state.last_asked.elapsed() > UNASKED;
        let asked = self.asked.wait_while(self.state(), is_left);
        drop(asked.unwrap_or_else(PoisonError::into_inner));
    }

    fn put(&self, json: String) {
        let mut state = self.state();
        state.problem = None;
        if state.json.as_deref() != Some(json.as_bytes()) {
            state.version += 1;
            state.json = Some(json.into_bytes().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gets_data_once_and_is_told_what_is_wrong_with_newer_ones() {
        let newest = Newest::new();
        assert!(matches!(newest.ask(None), Answer::None(_)));
        newest.put("1".into());
        let Answer::Data(version, json) = newest.ask(None) else {
            panic!("there are data");
        };
        assert_eq!(&json[..], b"1");
        assert!(matches!(newest.ask(Some(&version)), Answer::Same));
        newest.put("1".into());
        assert!(matches!(newest.ask(Some(&version)), Answer::Same));
        newest.state().problem = Some("gone".into());
        assert!(matches!(newest.ask(Some(&version)), Answer::None(why) if why == "gone"));
        // A new page still has what was read before.
        assert!(matches!(newest.ask(None), Answer::Data(..)));
        newest.put("2".into());
        assert!(matches!(newest.ask(Some(&version)), Answer::Data(..)));
        // As after a restart of the server.
        assert!(matches!(newest.ask(Some("\"0-2\"")), Answer::Data(..)));
    }
}
