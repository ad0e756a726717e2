//! Applications: what protocol a payload speaks, and the decoder of the one protocol the auditor reads, NDMP.

pub mod ndmp;
mod recognise;

pub use recognise::{APPS, App, recognise};
