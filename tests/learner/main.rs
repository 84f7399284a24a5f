//! LCA on a Burn learner: Burn's loop goes on as it was, and what it learned is measured, shown
//! and recorded.

#[expect(
    dead_code,
    reason = "the network and the batcher's split are the examples'"
)]
#[path = "../../examples/shared/digits.rs"]
mod digits;
#[path = "../shared/mod.rs"]
mod shared;

mod data;
mod net;
mod screen;
mod setup;
mod several_devices;

mod accumulation;
mod checkpointing;
mod decay;
mod disk;
mod early_end;
mod never_perturb;
mod own_loop;
mod programs;
mod rates;
mod registration;
mod resuming;
mod series;
mod settings;
mod sparse;
mod unusual;
mod weights;
mod without_settings;
