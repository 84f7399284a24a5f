//! How much memory there is for examples that are kept.

use std::fs;
use std::path::Path;

use burn::tensor::Device;

use crate::error::LcaError;

/// Refuses examples that can't be kept, while they are read.
pub(crate) struct Room {
    before: Option<u64>,
    available: Option<u64>,
}

/// Growth that says more about examples than about everything else.
const TELLING: u64 = 64 << 20;

impl Room {
    pub fn new(device: &Device) -> Self {
        Self {
            before: held(device),
            available: available(device),
        }
    }

    /// Returns by how much the memory in use has grown.
    pub fn taken(&self, device: &Device) -> Option<u64> {
        Some(held(device)?.saturating_sub(self.before?))
    }

    /// Fails if examples of which so many are read will not fit.
    pub fn check(&self, device: &Device, [read, all]: [usize; 2]) -> Result<(), LcaError> {
        let (Some(taken), Some(available)) = (self.taken(device), self.available) else {
            return Ok(());
        };
        let whole = (taken as f64 / read.max(1) as f64 * all as f64) as u64;
        if taken < TELLING || whole < available {
            return Ok(());
        }
        Err(LcaError::setting(
            "Probe::new, LcaMetric::whole",
            format!(
                "{all} examples take about {}, and {} are free",
                said(whole),
                said(available)
            ),
            "measure on `Probe::sampled` or `Probe::subset`",
        ))
    }
}

/// The memory in use: of the device's own allocator where it says so, else of the process.
fn held(device: &Device) -> Option<u64> {
    if let Some(usage) = device.memory_pool_usage() {
        return Some(usage.bytes_in_use);
    }
    if !is_host(device) {
        return None;
    }
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(&status, "VmRSS:")
}

/// The memory that there is for more, where that is known.
pub(crate) fn available(device: &Device) -> Option<u64> {
    if !is_host(device) {
        return None;
    }
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|info| kilobytes(&info, "MemAvailable:"));
    machine.into_iter().chain(left_in_group()).min()
}

/// Whether a device computes in the machine's own memory. Burn does not tell; its name does.
pub(super) fn is_host(device: &Device) -> bool {
    let name = format!("{device:?}");
    ["Flex", "NdArray", "Cpu"]
        .iter()
        .any(|host| name.contains(host))
}

/// A line of /proc, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

/// What is left to the control group of the process, the way that containers are limited.
fn left_in_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mount = Path::new("/sys/fs/cgroup");
    // A container sees its own group as the root of the mount.
    let places = [mount.join(path), mount.to_owned()];
    let left = places.iter().filter_map(|group| {
        let read = |file: &str| fs::read_to_string(group.join(file)).ok();
        left(
            &read("memory.max")?,
            &read("memory.current")?,
            &read("memory.stat").unwrap_or_default(),
        )
    });
    left.min()
}

/// The limit of a group less what it uses, of which the cache of files can be given back.
fn left(limit: &str, used: &str, statistics: &str) -> Option<u64> {
    let limit: u64 = limit.trim().parse().ok()?;
    let used: u64 = used.trim().parse().ok()?;
    let cache = statistics
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file "))
        .and_then(|bytes| bytes.trim().parse().ok())
        .unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(cache)))
}

/// A size as it is said: 3.4 MB.
pub(crate) fn said(bytes: u64) -> String {
    let (mut size, mut unit) = (bytes as f64 / 1e6, "MB");
    if size >= 1000.0 {
        (size, unit) = (size / 1000.0, "GB");
    }
    if size < 10.0 {
        format!("{size:.1} {unit}")
    } else {
        format!("{size:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_of_machine_and_group() {
        let info = "MemTotal:       16000000 kB\nMemAvailable:    2000 kB\n";
        assert_eq!(kilobytes(info, "MemAvailable:"), Some(2_048_000));
        assert_eq!(kilobytes(info, "Missing:"), None);
        assert_eq!(
            left("1000\n", "700\n", "anon 5\ninactive_file 200\n"),
            Some(500)
        );
        assert_eq!(left("1000", "1200", ""), Some(0));
        assert_eq!(left("max\n", "700\n", ""), None);
        assert_eq!(
            (said(3_400_000), said(34_000_000_000)),
            ("3.4 MB".into(), "34 GB".into())
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_host_says_what_is_free() {
        let device = Device::flex();
        assert!(available(&device) > Some(1 << 20) && held(&device) > Some(1 << 20));
    }
}
