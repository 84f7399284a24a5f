//! Devices to train and measure on.

use burn::tensor::Device;
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DeviceName {
    /// The CPU
    Flex,
    /// An NVIDIA GPU (build with `--features cuda`)
    #[cfg(feature = "cuda")]
    Cuda,
    /// Any GPU that wgpu reaches (build with `--features wgpu`)
    #[cfg(feature = "wgpu")]
    Wgpu,
}

impl DeviceName {
    pub fn device(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        }
    }
}
