//! Pictures of what the record of a run says.
//!
//! Everything here draws the result structs of [`analysis`](crate::analysis) and computes nothing
//! of its own, so that a figure and a table never disagree.

mod draw;
pub mod export;
pub mod figures;
pub mod film;
mod font;
pub mod page;
pub mod palette;

// The program shows names from files, too.
#[doc(hidden)]
pub use draw::is_hidden;
