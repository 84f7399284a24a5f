//! The training side of the record: hands rows to the writer thread, and survives its failure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::LcaError;

use super::files::{self, disk};
use super::folder::RunFolder;
use super::info::{EpochInfo, RunInfo, RunState, unique_id};
use super::lock::FolderLock;
use super::queue::{Queue, Received};
use super::resume;
use super::rows::ParameterTotalRows;
use super::settings::{Existing, Recorder};
use super::signals::HeldSignals;
use super::table_rows::Rows;
use super::tables::Tables;

/// How often the writer looks whether a signal came.
const WATCH: Duration = Duration::from_millis(100);
/// How long training has to end its run after a signal, at its next step, before the writer does.
const GRACE: Duration = Duration::from_secs(3);
/// Bytes of rows that wait for the writer thread, at most, besides those it is writing.
const WAITING: usize = 64 << 20;

enum Message {
    Rows(Vec<Rows>),
    /// The iteration of the optimizer step that comes next.
    Reached(u64),
    /// Paths of tensors that are trained from now on.
    Trained(Vec<String>),
    /// The sender is dropped once the epoch is on disk, which wakes the receiver.
    EpochEnd(EpochInfo, mpsc::Sender<()>),
    Finish(RunState),
}

/// Writes a run.
///
/// Rows are on disk, under their final names, at most the part age after [`Self::write`].
/// A disk that fails ends the recording, with one error in the log, but never the training.
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
    /// Claims the folder and begins a run, or continues the one in it.
    ///
    /// `resume_epoch` is the epoch whose checkpoint a resumed run continues from, 0 if training
    /// begins anew. `None` is for loops without checkpoints that Burn knows of: the run continues
    /// after the last step that was recorded.
    ///
    /// A new run begins at the first iteration of `info`, which is not 0 if the training is resumed
    /// but was not recorded here before; its `epochs` then say so. For a run that continues, the
    /// folder's own first iteration and epochs count.
    ///
    /// Fails before anything is changed if the folder can't be written, if it holds a run that
    /// must not be replaced or can't be continued, or if another process is writing it.
    pub(crate) fn create(
        settings: &Recorder,
        mut info: RunInfo,
        resume_epoch: Option<u32>,
    ) -> Result<Self, LcaError> {
        settings.check(&info)?;
        info.check().map_err(|problem| {
            LcaError::internal(format!("the description of the run {problem}"))
        })?;
        let folder = RunFolder::new(&settings.folder);
        files::create_folder(folder.path())?;
        let lock = FolderLock::acquire(folder.path())?;
        folder.check_own()?;
        info.state = RunState::Running;
        info.run_id = unique_id();
        info.record = settings.info();
        // Right for a run that begins here; one that continues brings its own.
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
                    "add `.overwrite()` to replace it or `.resume()` to continue it",
                ));
            }
            (true, Existing::Resume) => {
                let resumed = resume::continue_run(folder.clone(), settings, info, resume_epoch)?;
                totals = resumed.totals;
                resumed.tables
            }
            (true, Existing::Overwrite) => {
                folder.remove_run()?;
                Tables::begin(folder.clone(), settings, info)?
            }
            (false, _) => {
                folder.end_removal()?;
                folder.check_unclaimed()?;
                folder.remove_kept()?;
                folder.end_writing()?;
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
                let signals = HeldSignals::hold();
                move || {
                    let ended = shared.run(tables, lock);
                    // Ends the process if a signal was held back.
                    drop(signals);
                    ended
                }
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

    /// Takes the totals up to the first iteration, for a run that continues to count them.
    ///
    /// `None` the second time, for a new run, and where they are no longer known.
    pub(crate) fn take_totals(&mut self) -> Option<Vec<ParameterTotalRows>> {
        self.totals.take()
    }

    /// Hands over rows; blocks only while too many are waiting.
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

    /// Says to which iteration training has come, where the steps before it are not all observed.
    pub(crate) fn reached(&self, next_iteration: u64) {
        self.shared.queue.push(Message::Reached(next_iteration), 0);
    }

    /// Says that tensors are trained that were frozen when the run began.
    pub(crate) fn trained(&self, paths: Vec<String>) {
        self.shared.queue.push(Message::Trained(paths), 0);
    }

    /// Returns whether the process is to end as soon as this run has.
    pub(crate) fn is_signalled(&self) -> bool {
        HeldSignals::received()
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
        // Nothing is ever sent: this ends when the sender is dropped, for whatever reason.
        let _ = wait.recv();
    }

    /// Ends the run: all rows durable, small parts merged, `run.json` final, the lock released.
    ///
    /// Fails if the recording failed at any time during the run.
    pub(crate) fn finish(mut self, state: RunState) -> Result<RunInfo, LcaError> {
        self.end(state)
    }

    fn end(&mut self, state: RunState) -> Result<RunInfo, LcaError> {
        let Some(thread) = self.thread.take() else {
            return Err(LcaError::internal("a run was ended twice"));
        };
        self.shared.queue.push(Message::Finish(state), 0);
        self.shared.queue.close();
        thread
            .join()
            .unwrap_or_else(|_| Err(LcaError::internal("the writer thread panicked")))
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // A failure was logged; there is nobody left to return it to.
            let _ = self.end(RunState::Interrupted);
        }
    }
}

impl WriterThread {
    /// The writer thread.
    fn run(&self, mut tables: Tables, _lock: FolderLock) -> Result<RunInfo, LcaError> {
        /// Wakes those who wait for the thread, even if it panics.
        struct Closing<'a>(&'a WriterThread);
        impl Drop for Closing<'_> {
            fn drop(&mut self) {
                let _ = self.0.failure.set("the writer thread ended".into());
                self.0.queue.close();
            }
        }
        let _closing = Closing(self);
        let mut failed: Option<LcaError> = None;
        let mut signalled: Option<Instant> = None;
        loop {
            if HeldSignals::received()
                && signalled.get_or_insert_with(Instant::now).elapsed() > GRACE
            {
                // What is in it is still written.
                self.queue.close();
            }
            let watch = Instant::now() + WATCH;
            let deadline = tables.deadline().map_or(watch, |due| due.min(watch));
            let received = if deadline <= Instant::now() {
                Received::DeadlinePassed
            } else {
                self.queue.pop(Some(deadline))
            };
            // Who waits for the end of an epoch finds a failure of it reported.
            let mut done = None;
            let result = match received {
                Received::Item(Message::Finish(state)) => {
                    return match failed {
                        Some(error) => Err(error),
                        None => tables
                            .finish(state)
                            .inspect_err(|error| self.fail(&mut tables, error)),
                    };
                }
                Received::Closed => {
                    return match failed {
                        Some(error) => Err(error),
                        None => tables
                            .finish(RunState::Interrupted)
                            .inspect_err(|error| self.fail(&mut tables, error)),
                    };
                }
                _ if failed.is_some() => Ok(()),
                Received::Item(Message::Rows(rows)) => {
                    rows.into_iter().try_for_each(|rows| tables.write(rows))
                }
                Received::Item(Message::Reached(next)) => {
                    tables.reached(next);
                    Ok(())
                }
                Received::Item(Message::Trained(paths)) => tables.trained(&paths),
                Received::Item(Message::EpochEnd(epoch, sender)) => {
                    done = Some(sender);
                    tables.end_epoch(epoch)
                }
                Received::DeadlinePassed => tables.close_aged(),
            };
            if let Err(error) = result {
                self.fail(&mut tables, &error);
                failed = Some(error);
            }
            drop(done);
        }
    }

    /// Reports that recording stopped before the training did.
    fn fail(&self, tables: &mut Tables, error: &LcaError) {
        let reason = error.to_string();
        log::error!("recording stopped, training continues: {reason}");
        tables.abandon(&reason);
        let _ = self.failure.set(reason);
    }
}
