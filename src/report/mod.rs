//! A run to be looked at: pictures of what the analyses say.

pub mod microscope;
