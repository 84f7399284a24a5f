//! Work on devices that training does not depend on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::Device;

use crate::device;
use crate::error::LcaError;
use crate::threads::panic_message;

/// Runs work on a device. Burn panics where a device can't be reached; on one that only measures,
/// `own` being the one that trains, that is an error, and training goes on.
pub(super) fn on_device<T>(
    device: &Device,
    own: &Device,
    work: impl FnOnce() -> T,
) -> Result<T, LcaError> {
    if device == own {
        return Ok(work());
    }
    let done = catch_unwind(AssertUnwindSafe(work));
    done.map_err(|panic| LcaError::OtherDevice {
        device: device::name(device),
        problem: panic_message(&*panic).to_owned(),
    })
}
