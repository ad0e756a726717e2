//! What captures are read for.

use crate::dissector::Tshark;
use crate::flow::PortSet;

/// What to read for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Responder ports that settle the direction of a flow without handshake.
    pub known_ports: PortSet,
    /// Ports where control streams are looked for with more patience.
    pub ndmp_ports: PortSet,
    /// Digest the files.
    pub hash_files: bool,
    /// Count a packet as often as it was captured.
    pub keep_duplicates: bool,
    /// Threads that read, at most two; 0 for as many as are worth it.
    pub threads: usize,
    /// Every frame takes the general path: the oracle of the fast ones.
    pub plain: bool,
    /// Has Wireshark say where IP begins in each frame.
    pub tshark: Option<Tshark>,
}
