//! The form of a film.

/// The size of pictures, and how long each is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) width: u16,
    pub(super) height: u16,
    /// How long a picture is shown, in milliseconds.
    pub(super) millis: u32,
}
