//! The engine: losses whose allocation is known by hand, real training on real data, and what is
//! refused. Runs on the device that `BURN_LCA_TEST_DEVICE` names.

#[path = "../../examples/shared/digits.rs"]
mod digits;
#[path = "../shared/mod.rs"]
mod shared;

mod adaptive;
mod bounds;
mod by_hand;
mod classes;
mod decay;
mod frozen;
mod grounded;
mod hard;
mod host;
mod layers;
mod lazy;
mod measuring_mode;
mod norm_net;
mod outputs;
mod refused;
mod replayed;
mod running_statistics;
mod sampled;
mod scaffold;
mod second_method;
mod sparse;
mod streamed;
mod tied;
mod training;
mod unexplained;
mod weights;
mod whoever_moved_it;
mod workers;
