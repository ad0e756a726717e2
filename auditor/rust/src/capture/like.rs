//! Frames whose headers look like those of a train's first one, as nearly all behind it do: what makes the connection is
//! compared as it lies there, and only what changes from segment to segment is read. For M96 (its first 20 MB) that saves
//! a tenth of all instructions.
//!
//! [`crate::decode::quick`] knows more, and is its oracle in the tests; it is asked of what looks different here.

use crate::decode::{Headers, protocol};
use crate::train::Direction;

/// Bytes of the headers of Ethernet, IPv4 and TCP without options, and with a VLAN tag.
pub(super) const PLAIN: usize = 14 + 20 + 20;
pub(super) const TAGGED: usize = 18 + 20 + 20;
/// The type of IPv4, and its version and header length behind it.
const IPV4: u32 = 0x0045_0008;
const IPV4_MASK: u32 = 0x00ff_ffff;
/// Behind the length of the whole and its number: no more fragments, and no offset; TCP behind the time to live.
const REST: u64 = (protocol::TCP as u64) << 56;
const REST_MASK: u64 = 0xff00_ff3f_0000_0000;

/// What is not the same in all segments of a connection.
pub(super) struct Segment {
    pub(super) seq: u32,
    pub(super) ack: u32,
    /// Bytes of payload, on the wire.
    pub(super) payload_len: u32,
    /// Where in the frame it begins.
    pub(super) payload: u32,
    pub(super) flags: u8,
    pub(super) zero_window: bool,
}

/// What a connection of TCP over IPv4 without options has in all of its frames, as it lies there.
pub(super) struct Like {
    /// Bytes of the headers: [`PLAIN`] or [`TAGGED`].
    pub(super) headers: usize,
    /// The VLAN tag, where there is one.
    tag: u32,
    addresses: u64,
    ports: u32,
}

impl Like {
    /// Out of a common frame; None where that is something else.
    pub(super) fn new(frame: &[u8], headers: &Headers) -> Option<Self> {
        let fits = !headers.ipv6 && headers.protocol == protocol::TCP;
        let of = |bytes: &[u8], size| {
            Some(Self {
                headers: size,
                tag: word(bytes, 12)?,
                addresses: long(bytes, size - 28)?,
                ports: word(bytes, size - 20)?,
            })
        };
        match usize::from(headers.ip) + 40 {
            size @ (PLAIN | TAGGED) if fits => of(frame, size),
            _ => None,
        }
    }

    /// Reads a segment of the connection, of whose frame these are the first bytes: its direction, and what is not the
    /// same in all of them.
    #[expect(clippy::inline_always, reason = "so that what is read stays in registers")]
    #[inline(always)]
    pub(super) fn read<const HEADERS: usize>(
        &self,
        frame: &[u8; HEADERS],
        wire_len: u32,
    ) -> Option<(Direction, Segment)> {
        let (ip, tcp) = (HEADERS - 40, HEADERS - 20);
        let total = u32::from(half(frame, ip + 2)?);
        let headers = 20 + u32::from(frame[tcp + 12] >> 4 << 2);
        let is_common = (HEADERS == PLAIN || word(frame, 12)? == self.tag)
            && word(frame, ip - 2)? & IPV4_MASK == IPV4
            && long(frame, ip + 2)? & REST_MASK == REST
            && headers >= 40
            && total >= headers
            && total <= wire_len.saturating_sub(ip as u32);
        if !is_common {
            return None;
        }
        let (addresses, ports) = (long(frame, ip + 12)?, word(frame, tcp)?);
        let direction = if addresses == self.addresses && ports == self.ports {
            0
        } else if addresses == self.addresses.rotate_left(32) && ports == self.ports.rotate_left(16) {
            1
        } else {
            return None;
        };
        let segment = Segment {
            seq: word(frame, tcp + 4)?.swap_bytes(),
            ack: word(frame, tcp + 8)?.swap_bytes(),
            payload_len: total - headers,
            payload: ip as u32 + headers,
            flags: frame[tcp + 13],
            zero_window: half(frame, tcp + 14)? == 0,
        };
        Some((direction, segment))
    }

    /// The same as the headers of a common frame, as far as they are not the same in all of them.
    #[expect(clippy::inline_always, reason = "so that what is read stays in registers")]
    #[inline(always)]
    pub(super) fn segment(&self, frame: &[u8], wire_len: u32) -> Option<(Direction, Headers)> {
        let (direction, segment) = if self.headers == PLAIN {
            self.read::<PLAIN>(frame.first_chunk()?, wire_len)?
        } else {
            self.read::<TAGGED>(frame.first_chunk()?, wire_len)?
        };
        let Segment { seq, ack, payload_len, payload, flags, zero_window } = segment;
        let (protocol, payload) = (protocol::TCP, payload as u8);
        Some((
            direction,
            Headers { seq, ack, payload_len, protocol, flags, zero_window, payload, ..Headers::default() },
        ))
    }
}

// Of an array of known length none of these can fail.

#[inline]
fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[inline]
fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::quick_ethernet;
    use crate::testing::{Random, hex};

    const PLAIN: &str = "020000000001 020000000002 0800
        45000030 1234 4000 40 06 0000 0a000001 0a000002
        9c40 2710 00000064 000001f4 50 18 1000 0000 0000 0102030405060708";

    /// The frame, in a VLAN if wanted, from the other end if wanted.
    fn frame(tagged: bool, turned: bool) -> Vec<u8> {
        let mut bytes = hex(PLAIN);
        if turned {
            bytes[26..34].rotate_left(4);
            bytes[34..38].rotate_left(2);
        }
        let tag = if tagged { vec![0x81, 0, 0x20, 7] } else { Vec::new() };
        bytes.splice(12..12, tag);
        bytes
    }

    /// The headers by the oracle, and whose they are.
    fn known(first: &Headers, frame: &[u8], wire_len: u32) -> Option<(Direction, Headers)> {
        let mut headers = Headers::default();
        if !quick_ethernet(frame, wire_len, &mut headers) || headers.protocol != first.protocol || headers.ipv6 {
            return None;
        }
        let ends = |h: &Headers| [(h.source, h.source_port), (h.destination, h.destination_port)];
        let ([a, b], there) = (ends(first), ends(&headers));
        let direction = usize::from(there != [a, b]);
        (there == [a, b] || there == [b, a]).then_some((direction, headers))
    }

    #[test]
    fn segments_are_told_as_the_general_way_tells_them() {
        let mut random = Random(5);
        let (mut told, mut passed_over) = (0, 0);
        for round in 0..40_000 {
            let tagged = round % 2 == 0;
            let first = frame(tagged, false);
            let mut headers = Headers::default();
            assert!(quick_ethernet(&first, first.len() as u32, &mut headers));
            let like = Like::new(&first, &headers).expect("TCP over IPv4");
            let mut other = frame(tagged ^ (random.below(8) == 0), random.below(2) == 0);
            let at = 12 + random.below(46);
            other[at] = [random.next() as u8, other[at] ^ 1 << random.below(8), other[at]][random.below(3)];
            let wire_len = (other.len() + random.below(3)) as u32 - 1;
            other.truncate(other.len() - random.below(12));
            let Some((direction, seen)) = like.segment(&other, wire_len) else {
                // What it does not know is no harm but for time: it must know whatever has the same headers.
                passed_over += 1;
                let same = known(&headers, &other, wire_len).is_some_and(|(_, there)| there.ip == headers.ip);
                assert!(!same || tagged, "{other:02x?}");
                continue;
            };
            told += 1;
            let (wanted_direction, wanted) = known(&headers, &other, wire_len).expect("a common frame");
            assert_eq!(direction, wanted_direction);
            let Headers { seq, ack, payload_len, flags, zero_window, payload, .. } = wanted;
            let protocol = protocol::TCP;
            let wanted = Headers { seq, ack, payload_len, protocol, flags, zero_window, payload, ..Headers::default() };
            assert_eq!(seen, wanted);
        }
        assert!(told > 10_000 && passed_over > 5_000, "{told} and {passed_over}");
    }
}
