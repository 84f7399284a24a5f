//! What the test programs share.

use burn::tensor::Device;

/// Names the device that the tests run on: `flex` by default, or `wgpu`.
const DEVICE: &str = "BURN_LCA_TEST_DEVICE";

/// Returns the device to test on, without autodiff.
pub fn device() -> Device {
    match std::env::var(DEVICE).as_deref() {
        Err(_) | Ok("flex") => Device::flex(),
        #[cfg(feature = "wgpu")]
        Ok("wgpu") => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        #[cfg(feature = "cuda")]
        Ok("cuda") => Device::cuda(0),
        Ok(other) => panic!("{DEVICE}={other} is not a device of this build"),
    }
}
