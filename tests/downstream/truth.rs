//! What is known without the record.

/// One parameter at one step.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub lca: f32,
    pub step: f32,
    pub gradient: f32,
}

/// The unit that an index belongs to. The network's layers are linear, their weights of shape
/// [in, out]: neighbours in memory are of neighbouring neurons.
pub fn unit_of(path: &str, index: usize) -> usize {
    index % units(path)
}

fn units(path: &str) -> usize {
    match layer(path) {
        "fc1" => 64,
        "fc2" => 32,
        "fc3" => 10,
        other => panic!("the network has no layer {other}"),
    }
}

/// A tensor's path without its last part.
pub fn layer(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(layer, _)| layer)
}

/// Changes of sign between consecutive values that are not zero.
#[derive(Default)]
pub struct Turns {
    count: u32,
    last: f32,
}

impl Turns {
    pub fn add(&mut self, value: f32) {
        if value == 0.0 {
            return;
        }
        self.count += u32::from(self.last != 0.0 && self.last.signum() != value.signum());
        self.last = value;
    }

    pub fn count(&self) -> u32 {
        self.count
    }
}
