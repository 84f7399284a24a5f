//! The training side of the record: hands rows to the writer thread, and lives with its failure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::LcaError;

use super::files::{self, disk};
use super::folder::RunFolder;
use super::info::{EpochInfo, RunInfo, RunState};
use super::lock::FolderLock;
use super::queue::{Queue, Received};
use super::resume;
use super::rows::{ParameterTotalRows, Rows};
use super::settings::{Existing, Recorder};
use super::tables::Tables;

/// Bytes of rows that wait for the writer thread, at most, besides those it is at.
const WAITING: usize = 64 << 20;

enum Message {
    Rows(Vec<Rows>),
    /// The sender is dropped, and so heard of, once the epoch is on disk.
    EpochEnd(EpochInfo, mpsc::Sender<()>),
    Finish(RunState),
}

/// Writes a run.
///
/// Rows are on disk, under their final names, at most the part age after [`Self::write`].
/// A disk that fails ends the recording, loudly and once, but never the training.
pub(crate) struct RunWriter {
    folder: RunFolder,
    first_iteration: u64,
    totals: Option<Vec<ParameterTotalRows>>,
    shared: Arc<WriterThread>,
    thread: Option<JoinHandle<Result<RunInfo, LcaError>>>,
    slow_disk_told: AtomicBool,
}

struct WriterThread {
    queue: Queue<Message>,
    failure: OnceLock<String>,
}

impl RunWriter {
    /// Claims the folder and begins the run, or goes on with the one in it.
    ///
    /// `resume_epoch` is where a resumed run goes on: after the checkpoint of that epoch, with
    /// 0 for training from the beginning. `None` is for loops without checkpoints that Burn
    /// knows of: the run goes on after the last step that was recorded.
    ///
    /// Where a run begins, its first iteration is that of `info`: not 0 if training is resumed
    /// that was not recorded here before. Its `epochs` then say so, and where a run goes on,
    /// what the folder knows counts.
    ///
    /// Fails before anything was changed if the folder can't be written, if it holds a run
    /// that is not to be replaced or can't be gone on with, or if another process writes it.
    pub(crate) fn create(
        settings: &Recorder,
        mut info: RunInfo,
        resume_epoch: Option<u32>,
    ) -> Result<Self, LcaError> {
        settings.check(&info)?;
        let folder = RunFolder::new(&settings.folder);
        files::create_folder(folder.path())?;
        let lock = FolderLock::acquire(folder.path())?;
        info.state = RunState::Running;
        info.record = settings.info();
        // Of a run that begins here, though its training may not; one that is there knows better.
        info.totals_from = info.first_iteration;
        if let Some(epoch @ 1..) = resume_epoch {
            info.epochs = vec![EpochInfo {
                epoch,
                next_iteration: info.first_iteration,
            }];
        }
        let mut totals = None;
        let tables = match (folder.holds_run(), settings.existing) {
            (true, Existing::Refuse) => {
                return Err(LcaError::setting(
                    "Recorder::new",
                    format!("{} holds a run already", folder.path().display()),
                    "add `.overwrite()` to replace it or `.resume()` to go on with it",
                ));
            }
            (true, Existing::Resume) => {
                let resumed = resume::go_on(folder.clone(), settings, info, resume_epoch)?;
                totals = resumed.totals;
                resumed.tables
            }
            (true, Existing::Overwrite) => {
                folder.remove_run()?;
                Tables::begin(folder.clone(), settings, info)?
            }
            (false, _) => {
                folder.check_unclaimed()?;
                // Hidden, so it stays behind where a run is removed by hand.
                files::remove_folder(&folder.kept())?;
                Tables::begin(folder.clone(), settings, info)?
            }
        };
        let first_iteration = tables.first_iteration();
        let shared = Arc::new(WriterThread {
            queue: Queue::new(WAITING),
            failure: OnceLock::new(),
        });
        let thread = thread::Builder::new()
            .name("lca-record".into())
            .spawn({
                let shared = shared.clone();
                move || shared.run(tables, lock)
            })
            .map_err(|error| disk("starting the writer of", folder.path(), error))?;
        Ok(Self {
            folder,
            first_iteration,
            totals,
            shared,
            thread: Some(thread),
            slow_disk_told: AtomicBool::new(false),
        })
    }

    /// Returns the iteration that the first observed step is to have.
    pub(crate) fn first_iteration(&self) -> u64 {
        self.first_iteration
    }

    /// Returns the totals up to the first iteration, for a run that goes on counting them.
    ///
    /// Given once; `None` for a run that begins, and where they are not known any more.
    pub(crate) fn take_totals(&mut self) -> Option<Vec<ParameterTotalRows>> {
        self.totals.take()
    }

    /// Hands over rows; waits only while too many are waiting already.
    pub(crate) fn write(&self, rows: Vec<Rows>) {
        if self.shared.failure.get().is_some() {
            return;
        }
        let bytes = rows.iter().map(Rows::bytes).sum();
        let waited = self.shared.queue.push(Message::Rows(rows), bytes);
        if waited && !self.slow_disk_told.swap(true, Ordering::Relaxed) {
            log::warn!(
                "training waits for the disk that {} is on; record less, or to a faster disk",
                self.folder.path().display()
            );
        }
    }

    /// Returns what ended the recording, if something did.
    pub(crate) fn failure(&self) -> Option<String> {
        self.shared.failure.get().cloned()
    }

    /// Returns once all rows of the epoch are durable and `run.json` says that it ended.
    pub(crate) fn epoch_end(&self, epoch: u32, next_iteration: u64) {
        let (done, wait) = mpsc::channel();
        self.shared.queue.push(
            Message::EpochEnd(
                EpochInfo {
                    epoch,
                    next_iteration,
                },
                done,
            ),
            0,
        );
        // Nothing is ever sent: this ends when the other side is dropped, for whatever reason.
        let _ = wait.recv();
    }

    /// Ends the run: all rows durable, small parts merged, `run.json` final, the lock released.
    ///
    /// Fails if the recording failed at any time during the run.
    pub(crate) fn finish(mut self, state: RunState) -> Result<RunInfo, LcaError> {
        self.end(state)
    }

    fn end(&mut self, state: RunState) -> Result<RunInfo, LcaError> {
        let died = |problem| {
            disk(
                "writing",
                self.folder.path(),
                std::io::Error::other(problem),
            )
        };
        let Some(thread) = self.thread.take() else {
            return Err(died("the run has ended already"));
        };
        self.shared.queue.push(Message::Finish(state), 0);
        self.shared.queue.close();
        thread
            .join()
            .unwrap_or_else(|_| Err(died("the writer thread panicked")))
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // What failed was logged; there is nobody left to return it to.
            let _ = self.end(RunState::Interrupted);
        }
    }
}

impl WriterThread {
    /// The writer thread.
    fn run(&self, mut tables: Tables, _lock: FolderLock) -> Result<RunInfo, LcaError> {
        /// Frees those who wait for the thread, also if it panics.
        struct Closing<'a>(&'a WriterThread);
        impl Drop for Closing<'_> {
            fn drop(&mut self) {
                let _ = self.0.failure.set("the writer thread ended".into());
                self.0.queue.close();
            }
        }
        let _closing = Closing(self);
        let mut failed: Option<LcaError> = None;
        loop {
            let deadline = if failed.is_none() {
                tables.deadline()
            } else {
                None
            };
            let due = deadline.is_some_and(|at| at <= Instant::now());
            let received = if due {
                Received::DeadlinePassed
            } else {
                self.queue.pop(deadline)
            };
            let result = match received {
                Received::Item(Message::Finish(state)) => {
                    return match failed {
                        Some(error) => Err(error),
                        None => tables
                            .finish(state)
                            .inspect_err(|error| self.fail(&mut tables, error)),
                    };
                }
                Received::Closed => return tables.finish(RunState::Interrupted),
                _ if failed.is_some() => Ok(()),
                Received::Item(Message::Rows(rows)) => {
                    rows.into_iter().try_for_each(|rows| tables.write(rows))
                }
                Received::Item(Message::EpochEnd(epoch, _done)) => tables.end_epoch(epoch),
                Received::DeadlinePassed => tables.close_aged(),
            };
            if let Err(error) = result {
                self.fail(&mut tables, &error);
                failed = Some(error);
            }
        }
    }

    /// Says once that the recording has come to an end before the training.
    fn fail(&self, tables: &mut Tables, error: &LcaError) {
        let reason = error.to_string();
        log::error!("recording stopped, training goes on: {reason}");
        tables.abandon(&reason);
        let _ = self.failure.set(reason);
    }
}
