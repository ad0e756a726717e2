//! Flows: both directions of one five-tuple, one connection, and what was seen of it.

mod aside;
mod evict;
mod forget;
mod fragments;
mod history;
mod key;
mod ports;
mod recognition;
mod record;
mod refusal;
mod sequence;
mod state;
mod steady;
mod table;
mod tcp;
mod tracker;
mod worth;

#[cfg(test)]
mod tests;

pub use aside::{Aside, Asides};
pub use evict::{Aggregate, Evicted, Limits, Now, REASONS};
pub use history::{Closed, History};
pub use key::{Addresses, Key, Side};
pub use ports::PortSet;
pub use record::{ORIGINATOR_BY, OriginatorBy, Record, mark};
pub use refusal::{REFUSALS, Refusal};
pub use sequence::repeated;
pub use state::{ConnState, STATES, tcp_state, udp_state};
pub use table::Table;
pub use tracker::{Finished, Place, Tracker};
pub use worth::End;

/// When and where a packet came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Number over all files, from 0.
    pub serial: u64,
    /// Its file.
    pub file: u32,
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Length of the frame on the wire.
    pub wire_len: u32,
}
