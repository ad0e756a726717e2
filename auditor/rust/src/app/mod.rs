//! Applications: what protocol a payload speaks, and the decoder of the one protocol the auditor reads, NDMP.

pub mod names;
pub mod ndmp;
mod recognise;
pub mod tls;

pub use recognise::{APPS, App, recognise};
