//! Headers: an addressed packet out of a frame, or the name of what is wrong with it.
//!
//! Lax: a cut frame keeps what was decoded, and lengths come from the headers, so that payload on the wire is right
//! although its bytes are missing. Nothing here allocates.

mod bytes;
mod datagram;
mod icmp;
mod inner;
mod ip;
mod ipv6;
mod link;
mod packet;
mod quick;
mod quoted;
mod transport;
mod tunnel;
mod types;
mod wan;
mod wlan;

#[cfg(test)]
mod layer_tests;
#[cfg(test)]
mod tests;

pub(crate) use datagram::Datagram;
pub(crate) use ip::datagram;
pub use link::is_decoded;
pub use packet::{Carrier, Decoded, Ends, Fragment, Icmp, Packet, Tcp, Tuple, flag, protocol};
pub use quick::{ETHERNET, Headers, quick, quick_ethernet};
pub use quoted::quoted_tuple;
pub use tunnel::{TUNNELS, Tunnel};

use crate::frame::{Frame, Ip};
use crate::problem::Problem;
use inner::Inner;

/// Decodes a frame down to the transport header of its innermost packet.
///
/// # Errors
/// Why no packet of a flow is in it.
#[inline]
pub fn decode<'a>(frame: &Frame<'a>) -> Result<Decoded<'a>, Problem> {
    if frame.ip == Ip::Unasked { by_ourselves(frame) } else { by_wireshark(frame) }
}

#[inline]
fn by_ourselves<'a>(frame: &Frame<'a>) -> Result<Decoded<'a>, Problem> {
    let inner = link::decode(frame.link, frame.data, frame.wire_len)?;
    ip::decode(&inner)
}

/// Wireshark says where IP begins; where it finds none, we say why as far as we can.
#[inline(never)]
fn by_wireshark<'a>(frame: &Frame<'a>) -> Result<Decoded<'a>, Problem> {
    let Ip::At { bytes, vlan } = frame.ip else {
        return Err(match (by_ourselves(frame).err(), frame.ip) {
            (None, _) | (Some(Problem::UnsupportedLinkType), Ip::Nowhere { known: true }) => Problem::NotIp,
            (Some(problem), _) => problem,
        });
    };
    let cut = (frame.wire_len as usize).saturating_sub(frame.data.len());
    ip::decode(&Inner { vlan, ..Inner::new(bytes, (bytes.len() + cut) as u32) })
}
