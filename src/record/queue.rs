//! The queue from the training loop to the writer thread, bounded by the bytes in it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A queue for one consumer. Producers wait while it is full.
pub(super) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    filled: Condvar,
    emptied: Condvar,
    capacity: usize,
}

struct QueueState<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

/// The result of waiting for an item.
pub(super) enum Received<T> {
    Item(T),
    DeadlinePassed,
    Closed,
}

impl<T> Queue<T> {
    /// Returns an empty queue that takes about this many bytes.
    pub(super) fn new(capacity: usize) -> Self {
        let state = QueueState {
            items: VecDeque::new(),
            bytes: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            capacity,
        }
    }

    /// Adds an item, and returns whether it had to wait for room.
    ///
    /// An item larger than the queue is let in when it is empty. Once the queue is closed,
    /// items are dropped.
    pub(super) fn push(&self, item: T, bytes: usize) -> bool {
        let mut state = self.lock();
        let mut waited = false;
        while !state.closed && state.bytes > 0 && state.bytes + bytes > self.capacity {
            waited = true;
            state = self
                .emptied
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed {
            state.bytes += bytes;
            state.items.push_back((item, bytes));
            self.filled.notify_one();
        }
        waited
    }

    /// Takes the oldest item, waiting for one until the deadline, or for ever.
    pub(super) fn pop(&self, deadline: Option<Instant>) -> Received<T> {
        let mut state = self.lock();
        loop {
            if let Some((item, bytes)) = state.items.pop_front() {
                state.bytes -= bytes;
                self.emptied.notify_all();
                return Received::Item(item);
            }
            if state.closed {
                return Received::Closed;
            }
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(left) if left.is_zero() => return Received::DeadlinePassed,
                Some(left) => {
                    self.filled
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .filled
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Makes nobody wait any longer. Items that are in the queue can still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<T>> {
        // The state is consistent between any two statements, so a panic elsewhere does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_full_queue_makes_the_producer_wait_and_loses_nothing() {
        let queue = Arc::new(Queue::new(10));
        let producer = thread::spawn({
            let queue = queue.clone();
            move || {
                (0..100)
                    .map(|item| queue.push(item, 4))
                    .filter(|waited| *waited)
                    .count()
            }
        });
        thread::sleep(Duration::from_millis(50));
        let items: Vec<i32> = (0..100)
            .map(|_| match queue.pop(None) {
                Received::Item(item) => item,
                _ => panic!("the queue is open"),
            })
            .collect();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        assert!(producer.join().unwrap() > 0);
    }

    #[test]
    fn an_item_larger_than_the_queue_passes() {
        let queue = Queue::new(10);
        assert!(!queue.push((), 1000));
        assert!(matches!(queue.pop(None), Received::Item(())));
    }

    #[test]
    fn closing_frees_a_waiting_producer() {
        // On a busy machine a producer may come too late to wait.
        let has_waited = (0..100).any(|_| {
            let queue = Arc::new(Queue::new(10));
            queue.push(0, 10);
            let producer = thread::spawn({
                let queue = queue.clone();
                move || queue.push(1, 10)
            });
            thread::sleep(Duration::from_millis(20));
            queue.close();
            let has_waited = producer.join().unwrap();
            assert!(matches!(queue.pop(None), Received::Item(0)));
            assert!(matches!(queue.pop(None), Received::Closed));
            has_waited
        });
        assert!(has_waited);
    }

    #[test]
    fn waiting_ends_at_the_deadline() {
        let queue = Queue::<()>::new(10);
        let deadline = Instant::now() + Duration::from_millis(20);
        assert!(matches!(
            queue.pop(Some(deadline)),
            Received::DeadlinePassed
        ));
        assert!(Instant::now() >= deadline);
    }
}
