//! How a device is named.

use burn::tensor::Device;

/// The name of a device that computes, such as `Flex(Cpu)`.
pub(crate) fn name(device: &Device) -> String {
    let debug = format!("{:?}", device.clone().without_autodiff());
    let inner = debug.strip_prefix("Device<");
    let inner = inner.and_then(|rest| rest.strip_suffix('>'));
    inner.unwrap_or(&debug).to_owned()
}
