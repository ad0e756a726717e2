//! Applications: what protocol a payload speaks, and the decoder of the one protocol the auditor reads, NDMP.

mod kind;
pub mod names;
pub mod ndmp;
mod recognise;
pub mod tls;

pub use kind::{APPS, App};
pub use recognise::recognise;
