//! What threads may do with the public types.

use std::fmt::Display;

use burn::module::Module;
use burn::train::InferenceStep;
use burn_lca::{Lca, LcaObserver, Probe, StepAllocation};

fn is_send<T: Send>() {}
fn is_send_and_sync<T: Send + Sync>() {}

/// For any model, example and batch: it compiles, or it doesn't hold.
#[expect(dead_code, reason = "what is checked are its bounds")]
fn a_loop_can_be_moved_to_another_thread<M, I, B>()
where
    M: Module + Display + InferenceStep<Input = B>,
    B: Send + 'static,
{
    is_send::<Lca<B>>();
    is_send::<LcaObserver<M>>();
    is_send_and_sync::<Probe<I, B>>();
    is_send_and_sync::<StepAllocation>();
}
