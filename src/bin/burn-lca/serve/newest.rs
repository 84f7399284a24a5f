//! The newest pieces of the page's data, read while somebody looks at it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use burn_lca::LcaError;
use burn_lca::report::page::{Piece, Served};

use crate::watch::{PAUSE, Seen, rest};

/// For how long runs are read anew after nobody asks any more.
const UNASKED: Duration = Duration::from_secs(10);

/// The newest pieces, or why there are none. There is one copy of each; while one is read anew, a
/// second one of it.
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
    /// Which runs the pieces are of.
    ids: Vec<String>,
    /// In the order of [`Piece::ALL`], with the version that they came with.
    pieces: [Option<(u64, Arc<[u8]>)>; Piece::ALL.len()],
    problem: Option<String>,
    last_asked: Instant,
}

/// What a page is told that asks for pieces newer than its own.
pub enum Answer {
    /// The newer ones, with the version that it has with them.
    Data(String, Vec<Arc<[u8]>>),
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
                ids: Vec::new(),
                pieces: Default::default(),
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

    /// Answers a page that has the pieces of a version.
    pub fn ask(&self, known: Option<&str>) -> Answer {
        let mut state = self.state();
        state.last_asked = Instant::now();
        self.asked.notify_one();
        let known = known
            .and_then(|known| known.trim_matches('"').split_once('-'))
            .filter(|(began, _)| *began == format!("{:x}", self.began))
            .and_then(|(_, version)| version.parse().ok())
            .unwrap_or(0);
        let pieces = state.pieces.iter().flatten();
        let newer = pieces.filter(|(version, _)| *version > known);
        let newer: Vec<Arc<[u8]>> = newer.map(|(_, json)| json.clone()).collect();
        match &state.problem {
            _ if !newer.is_empty() => {
                Answer::Data(format!("\"{:x}-{}\"", self.began, state.version), newer)
            }
            Some(problem) => Answer::None(problem.clone()),
            None => Answer::Same,
        }
    }

    /// Reads runs again whenever there is something new, as long as pages ask for it.
    ///
    /// # Errors
    ///
    /// If the runs can't be in one page.
    pub fn keep(&self, served: &Served) -> Result<Infallible, LcaError> {
        let mut turns = Turns::default();
        loop {
            self.wait_until_asked();
            let start = Instant::now();
            let seen = Seen::of(served.folders());
            let is_growing = seen.is_growing();
            let turn = turns.next(seen);
            match self.read(served, &turn) {
                Ok(()) => {}
                Err(error @ LcaError::Setting { .. }) => return Err(error),
                // It may be one of the moment: parts are merged, runs are begun anew.
                Err(error) => {
                    self.state().problem = Some(error.to_string());
                    turns.begin_anew();
                }
            }
            let is_quick = turn.iter().all(|piece| piece.is_quick());
            if is_growing && is_quick {
                rest(start);
            } else if is_growing {
                // Quick pieces don't wait for that.
                turns.slow_from = Some(Instant::now() + start.elapsed());
            } else if turns.are_over() {
                thread::sleep(PAUSE);
            }
        }
    }

    fn read(&self, served: &Served, pieces: &[Piece]) -> Result<(), LcaError> {
        if pieces.is_empty() {
            return Ok(());
        }
        let runs = served.open()?;
        let ids: Vec<String> = runs.iter().map(|run| run.info().run_id.clone()).collect();
        for piece in pieces {
            self.put(*piece, &ids, served.piece(&runs, *piece)?);
        }
        Ok(())
    }

    fn wait_until_asked(&self) {
        let is_left = |state: &mut State| state.last_asked.elapsed() > UNASKED;
        let asked = self.asked.wait_while(self.state(), is_left);
        drop(asked.unwrap_or_else(PoisonError::into_inner));
    }

    /// Puts a piece in the place of an older one; pieces of other runs go.
    fn put(&self, piece: Piece, ids: &[String], json: String) {
        let mut state = self.state();
        state.problem = None;
        if state.ids != ids {
            state.pieces = Default::default();
            state.ids = ids.to_vec();
        }
        let Some(place) = Piece::ALL.iter().position(|other| *other == piece) else {
            return;
        };
        let known = state.pieces[place].as_ref();
        if known.is_none_or(|(_, known)| known[..] != *json.as_bytes()) {
            state.version += 1;
            state.pieces[place] = Some((state.version, json.into_bytes().into()));
        }
    }
}

/// Which pieces are to be read: those that are quick as soon as there is something new, the others
/// one at a time in turns with them.
#[derive(Default)]
struct Turns {
    /// What there was to be seen of the runs when the quick ones were read.
    shown: Option<Seen>,
    due: VecDeque<Piece>,
    was_quick: bool,
    /// Until when the training that goes on has the machine for itself, but for quick ones.
    slow_from: Option<Instant>,
}

impl Turns {
    fn next(&mut self, seen: Seen) -> Vec<Piece> {
        let is_new = self.shown.as_ref() != Some(&seen);
        let may_be_slow = self.slow_from.is_none_or(|from| Instant::now() >= from);
        if may_be_slow && (self.was_quick || !is_new) {
            self.was_quick = false;
            if let Some(piece) = self.due.pop_front() {
                return vec![piece];
            }
        }
        if !is_new {
            return Vec::new();
        }
        self.shown = Some(seen);
        self.was_quick = true;
        let (quick, slow): (Vec<Piece>, Vec<Piece>) =
            Piece::ALL.into_iter().partition(|piece| piece.is_quick());
        let slow = slow.into_iter().filter(|piece| !self.due.contains(piece));
        let slow: Vec<Piece> = slow.collect();
        self.due.extend(slow);
        quick
    }

    fn begin_anew(&mut self) {
        *self = Self::default();
    }

    fn are_over(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(answer: Answer) -> (String, Vec<String>) {
        let Answer::Data(version, pieces) = answer else {
            panic!("there are data");
        };
        let text = |piece: &Arc<[u8]>| String::from_utf8(piece.to_vec()).unwrap();
        (version, pieces.iter().map(text).collect())
    }

    #[test]
    fn a_page_gets_what_is_new_once_and_is_told_what_is_wrong_with_newer_ones() {
        let newest = Newest::new();
        let ids = ["a".to_owned()];
        assert!(matches!(newest.ask(None), Answer::None(_)));
        newest.put(Piece::Base, &ids, "1".into());
        newest.put(Piece::Peaks, &ids, "2".into());
        let (version, pieces) = data(newest.ask(None));
        assert_eq!(pieces, ["1", "2"]);
        assert!(matches!(newest.ask(Some(&version)), Answer::Same));
        newest.put(Piece::Base, &ids, "1".into());
        assert!(matches!(newest.ask(Some(&version)), Answer::Same));
        newest.state().problem = Some("gone".into());
        assert!(matches!(newest.ask(Some(&version)), Answer::None(why) if why == "gone"));
        // A new page still has what was read before; a piece that changed comes alone.
        assert_eq!(data(newest.ask(None)).1, ["1", "2"]);
        newest.put(Piece::Peaks, &ids, "3".into());
        assert_eq!(data(newest.ask(Some(&version))).1, ["3"]);
        // As after a restart of the server.
        assert_eq!(data(newest.ask(Some("\"0-9\""))).1, ["1", "3"]);
    }

    #[test]
    fn pieces_of_a_run_go_when_another_one_takes_its_place() {
        let newest = Newest::new();
        newest.put(Piece::Base, &["a".to_owned()], "1".into());
        newest.put(Piece::Peaks, &["a".to_owned()], "2".into());
        newest.put(Piece::Base, &["b".to_owned()], "3".into());
        assert_eq!(data(newest.ask(None)).1, ["3"]);
    }

    #[test]
    fn slow_pieces_have_their_turn_however_fast_a_run_grows() {
        let mut turns = Turns::default();
        let mut seen = Vec::new();
        for _ in 0..12 {
            // Each look sees something else.
            let folder = tempfile::tempdir().unwrap();
            let now = Seen::of(&[folder.path().join("none")]);
            seen.extend(turns.next(now));
        }
        for piece in Piece::ALL {
            let times = seen.iter().filter(|other| **other == piece).count();
            assert!(times > 0, "{piece:?}");
        }
        assert_eq!(seen[..3].iter().filter(|piece| piece.is_quick()).count(), 3);
    }
}
