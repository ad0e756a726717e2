//! What needs the operating system's own calls: the packet ring of Linux, waiting for a file, mapping
//! memory ahead, the processor of a thread, and giving up privileges.
//!
//! The one crate of auditor with `unsafe`: every block says why it is sound. Nothing here knows what a packet means.

pub mod filter;
mod pages;
mod privileges;
mod processor;
mod wait;

#[cfg(target_os = "linux")]
mod block;
#[cfg(target_os = "linux")]
mod interface;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod ring;
#[cfg(target_os = "linux")]
mod socket;

pub use pages::{Plain, Spare, map_ahead};
pub use privileges::{drop_privileges, holds_net_raw};
pub use processor::Processor;
pub use ring::{Event, Ring};
#[cfg(unix)]
pub use wait::duplicate;
pub use wait::{leave_signals_to_others, open_unblocked, pause, standard_input, wait_readable};

/// How a ring is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the interface.
    pub interface: String,
    /// Bytes kept of each frame; a filter program says so itself.
    pub snaplen: u32,
    /// Frames for others, too.
    pub promiscuous: bool,
    /// Bytes of a block: a power of two, of 4 KiB at least.
    pub block_size: u32,
    /// Blocks of the ring.
    pub blocks: u32,
    /// The kernel hands a block over when it is full, or after so many milliseconds.
    pub block_timeout: u32,
    /// Several rings with one number share the frames: both directions of a flow come to the same.
    pub fanout: Option<u16>,
    /// What the kernel lets through; everything, where it is empty.
    pub program: Vec<filter::Instruction>,
    /// Times of the network card, where it gives them.
    pub hardware_times: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interface: String::new(),
            snaplen: 1 << 18,
            promiscuous: false,
            block_size: 1 << 20,
            blocks: 64,
            block_timeout: 50,
            fanout: None,
            program: Vec::new(),
            hardware_times: false,
        }
    }
}

/// One frame, on loan from the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Length on the wire, with a VLAN tag that was put back.
    pub wire_len: u32,
    /// The captured part.
    pub data: &'a [u8],
}

/// What the kernel counted since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames that passed the filter, dropped ones among them.
    pub received: u64,
    /// Frames dropped since the ring was full.
    pub dropped: u64,
    /// Times that the ring was full.
    pub freezes: u64,
}

/// Why there is no ring.
#[derive(Debug)]
pub struct Error {
    /// What was tried.
    pub what: &'static str,
    /// What the system said.
    pub error: std::io::Error,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Error {}
