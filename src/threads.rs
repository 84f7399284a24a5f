//! Jobs side by side, each on a thread of its own, and what is left of a thread that panicked.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use burn::tensor::StreamId;

/// The stream of a GPU that the first of the other threads works on. A stream has memory of its own,
/// so threads that are started again and again go on with those that there are.
const FIRST_STREAM: u64 = 1 << 40;

/// Runs jobs side by side, the first one on this thread, and returns what each came to, or its
/// panic.
///
/// # Errors
///
/// The system has no more threads.
pub(crate) fn side_by_side<T, J>(jobs: Vec<J>) -> io::Result<Vec<thread::Result<T>>>
where
    T: Send,
    J: FnOnce() -> T + Send,
{
    let mut jobs = jobs.into_iter();
    let Some(own) = jobs.next() else {
        return Ok(Vec::new());
    };
    thread::scope(|scope| {
        let spawn = |(stream, job): (u64, J)| {
            let stream = StreamId { value: stream };
            let thread = thread::Builder::new().name("lca job".to_owned());
            thread.spawn_scoped(scope, move || stream.executes(job))
        };
        let others: Vec<_> = (FIRST_STREAM..).zip(jobs).map(spawn).collect();
        let own = catch_unwind(AssertUnwindSafe(own));
        let others = others.into_iter();
        let others = others.map(|thread| thread.map(thread::ScopedJoinHandle::join));
        std::iter::once(Ok(own)).chain(others).collect()
    })
}

/// Locks what a holder that panicked can't have left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (None, Some(message)) => message,
        (None, None) => "no message",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// Each waits for the others, so none is run after another.
    #[test]
    fn jobs_run_at_the_same_time_and_a_panic_is_the_result_of_its_own() {
        let together = Barrier::new(3);
        let jobs = (0..3).map(|index| {
            let together = &together;
            move || {
                together.wait();
                assert!(index != 1, "the second");
                (index, StreamId::current().value)
            }
        });
        let mut results = side_by_side(jobs.collect()).unwrap().into_iter();
        assert_eq!(
            results.next().unwrap().unwrap(),
            (0, StreamId::current().value)
        );
        let panic = results.next().unwrap().unwrap_err();
        assert_eq!(panic_message(&*panic), "the second");
        assert_eq!(results.next().unwrap().unwrap(), (2, FIRST_STREAM + 1));
    }
}
