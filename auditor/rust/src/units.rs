//! How the records of a classic pcap file lie: what the fast paths through it have to know.

/// Bytes of a record's header.
pub const RECORD_HEADER: usize = 16;

/// What is the same for all records of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Nanoseconds.
    pub nanos: i64,
    /// How many of them, or of microseconds, make a second.
    pub in_second: u32,
    /// The longest frame that the file may hold.
    pub limit: u32,
}
