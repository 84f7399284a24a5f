//! Signals that end the process, held back until the record is complete.
//!
//! Ctrl-C and a scheduler's SIGTERM end a process at once; the rows of its last seconds would be
//! lost, and the run would look killed. While a run is written, the first such signal is only
//! noted. Training sees it after its step, the writer otherwise after a few seconds; once the last
//! run is complete, the process ends from the signal after all. A second signal ends it at once.
//!
//! Where the program, or a wrapper such as `nohup`, has its own way with a signal, that stays.

/// Holds the signals back until it is dropped.
pub(super) struct HeldSignals(());

#[cfg(unix)]
mod system {
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::sync::{Mutex, PoisonError};

    use libc::{SIG_DFL, SIGHUP, SIGINT, SIGTERM, c_int, raise, sighandler_t, signal};

    use super::HeldSignals;

    const SIGNALS: [c_int; 3] = [SIGHUP, SIGINT, SIGTERM];

    /// The signal that was held back; 0 for none.
    static RECEIVED: AtomicI32 = AtomicI32::new(0);
    /// How many runs are being written.
    static RUNS: Mutex<usize> = Mutex::new(0);

    extern "C" fn note(number: c_int) {
        RECEIVED.store(number, Ordering::SeqCst);
        set(number, SIG_DFL);
    }

    /// Sets what a signal does, and returns what it did.
    fn set(number: c_int, handler: sighandler_t) -> sighandler_t {
        // SAFETY: the handler is `SIG_DFL`, or what this function has returned, or `note`, which
        // only stores to an atomic and calls this: both may be done at any moment.
        unsafe { signal(number, handler) }
    }

    fn handler() -> sighandler_t {
        note as extern "C" fn(c_int) as sighandler_t
    }

    impl HeldSignals {
        pub(in crate::record) fn hold() -> Self {
            let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
            *runs += 1;
            if *runs == 1 {
                for number in SIGNALS {
                    let before = set(number, handler());
                    if before != SIG_DFL {
                        set(number, before);
                    }
                }
            }
            Self(())
        }

        /// Returns whether the process is to end.
        pub(in crate::record) fn received() -> bool {
            RECEIVED.load(Ordering::SeqCst) != 0
        }
    }

    impl Drop for HeldSignals {
        fn drop(&mut self) {
            let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
            *runs -= 1;
            if *runs > 0 {
                return;
            }
            for number in SIGNALS {
                let present = set(number, SIG_DFL);
                if present != handler() {
                    set(number, present);
                }
            }
            let number = RECEIVED.swap(0, Ordering::SeqCst);
            if number != 0 {
                // SAFETY: sends this thread a signal, which has its default effect again.
                unsafe { raise(number) };
            }
        }
    }
}

/// Elsewhere nothing is held back.
#[cfg(not(unix))]
impl HeldSignals {
    pub(super) fn hold() -> Self {
        Self(())
    }

    pub(super) fn received() -> bool {
        false
    }
}
