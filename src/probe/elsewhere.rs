//! Work on devices that training does not depend on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::Device;

use crate::error::LcaError;

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
    done.map_err(|panic| {
        let device = device.clone().without_autodiff();
        LcaError::OtherDevice {
            device: format!("{device:?}"),
            problem: said(&*panic).to_owned(),
        }
    })
}

/// The message of a panic.
pub(super) fn said(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (None, Some(message)) => message,
        (None, None) => "no message",
    }
}
