//! What the headers of one frame say.

use crate::problem::Problem;

/// IP protocol numbers that are decoded further.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// `ICMPv6`.
    pub const ICMPV6: u8 = 58;
    /// SCTP, for its ports.
    pub const SCTP: u8 = 132;
}

/// Source and destination address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ends {
    /// IP version 4.
    V4 {
        /// Sender.
        source: u32,
        /// Receiver.
        destination: u32,
    },
    /// IP version 6.
    V6 {
        /// Sender.
        source: u128,
        /// Receiver.
        destination: u128,
    },
}

/// Both ends of a five-tuple, in the direction of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// Addresses.
    pub ends: Ends,
    /// IP protocol number.
    pub protocol: u8,
    /// Sender's port, 0 where there is none.
    pub source_port: u16,
    /// Receiver's port, 0 where there is none.
    pub destination_port: u16,
}

/// TCP flags.
pub mod flag {
    /// No more data.
    pub const FIN: u8 = 1;
    /// Beginning of a connection.
    pub const SYN: u8 = 2;
    /// Abort.
    pub const RST: u8 = 4;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 16;
}

/// Fields of a TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags, see [`flag`].
    pub flags: u8,
    /// A window of zero was announced.
    pub zero_window: bool,
}

impl Tcp {
    /// Whether all flags of `mask` are set.
    #[inline]
    #[must_use]
    pub fn has(&self, mask: u8) -> bool {
        self.flags & mask == mask
    }
}

/// Type and code of an ICMP message, and what an error quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp<'a> {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Captured beginning of the packet that an error answers, from its IP header on; empty in other messages.
    pub quoted: &'a [u8],
}

/// Place of an IP fragment in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification.
    pub id: u32,
    /// Offset of the fragment's bytes in the datagram's.
    pub offset: u32,
    /// Bytes of the datagram in this fragment.
    pub length: u32,
    /// More fragments follow.
    pub more: bool,
}

/// A decoded frame. What was cut off is absent; lengths are those of the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who to whom; ports are 0 in fragments but the first.
    pub tuple: Tuple,
    /// Outermost VLAN, 0 for none.
    pub vlan: u16,
    /// Outermost tunnel, see [`TUNNELS`](super::TUNNELS); 0 for none.
    pub tunnel: u8,
    /// TCP header, when enough of it was captured.
    pub tcp: Option<Tcp>,
    /// ICMP message, when enough of it was captured.
    pub icmp: Option<Icmp<'a>>,
    /// Captured part of the transport payload.
    pub payload: &'a [u8],
    /// Length of the transport payload on the wire.
    pub payload_len: u32,
    /// Payload is missing that was on the wire.
    pub cut: bool,
    /// Set for every fragment.
    pub fragment: Option<Fragment>,
    /// What was wrong, though the packet counts.
    pub problem: Option<Problem>,
}

/// A tunnel's packet that came in fragments: what the later ones will be known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Ends of the tunnel.
    pub tuple: Tuple,
    /// Its first fragment.
    pub fragment: Fragment,
}

/// What the general path says of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The innermost packet.
    pub packet: Packet<'a>,
    /// Set where the tunnel around it was fragmented.
    pub carrier: Option<Carrier>,
    /// Captured bytes from the packet's IP header on.
    pub bytes: &'a [u8],
}

/// Steps from the transport header to the payload.
#[inline]
pub fn skip(packet: &mut Packet<'_>, count: u32) -> Result<(), Problem> {
    let whole = packet.payload_len >= count;
    packet.payload = packet.payload.get(count as usize..).unwrap_or_default();
    packet.payload_len = packet.payload_len.saturating_sub(count);
    if whole { Ok(()) } else { Err(Problem::MalformedTransportHeader) }
}

/// Whether bytes of what is now the payload were not captured.
#[inline]
pub fn is_cut(packet: &Packet<'_>) -> bool {
    (packet.payload.len() as u64) < u64::from(packet.payload_len)
}
