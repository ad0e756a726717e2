//! One frame, whatever it came from.

/// Largest frame that we believe in: the largest snaplen that capturing programs use is 256 KiB, and
/// segmentation offload makes frames of at most 512 KiB.
pub const MAX_FRAME: u32 = 1 << 20;

/// One frame as captured, on loan from the reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Link type.
    pub link: u16,
    /// Length on the wire.
    pub wire_len: u32,
    /// The captured part.
    pub data: &'a [u8],
    /// The container gave no time; `time` is that of the frame before.
    pub untimed: bool,
    /// Where IP begins.
    pub ip: Ip<&'a [u8]>,
}

/// Where IP begins in a frame, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip<T> {
    /// Nobody yet: the decoder does.
    Unasked,
    /// Wireshark: there.
    At {
        /// The packet and what follows it.
        bytes: T,
        /// Outermost VLAN, 0 for none.
        vlan: u16,
    },
    /// Wireshark: nowhere.
    Nowhere {
        /// Though it understands the link type.
        known: bool,
    },
}

impl<T> Ip<T> {
    /// The same with other bytes.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Ip<U> {
        match self {
            Self::Unasked => Ip::Unasked,
            Self::At { bytes, vlan } => Ip::At { bytes: with(bytes), vlan },
            Self::Nowhere { known } => Ip::Nowhere { known },
        }
    }

    /// The same on loan.
    pub fn as_ref(&self) -> Ip<&T> {
        match self {
            Self::Unasked => Ip::Unasked,
            Self::At { bytes, vlan } => Ip::At { bytes, vlan: *vlan },
            Self::Nowhere { known } => Ip::Nowhere { known: *known },
        }
    }
}
