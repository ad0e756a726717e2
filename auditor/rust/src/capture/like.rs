//! Frames whose headers look like those of a train's first one, as nearly all behind it do: what makes the connection is
//! compared as it lies there, and only what changes from segment to segment is read. For M96 (its first 20 MB) that saves
//! a tenth of all instructions.
//!
//! [`crate::decode::quick`] knows more, and is its oracle in the tests; it is asked of what looks different here.

use crate::decode::{Headers, protocol};
use crate::train::Direction;

/// Type of the frame, IPv4 and TCP without options.
const LENGTH: usize = 2 + 20 + 20;
/// The type of IPv4, and its version and header length behind it.
const IPV4: u32 = 0x0045_0008;
const IPV4_MASK: u32 = 0x00ff_ffff;
/// More fragments, or an offset.
const FRAGMENT_MASK: u16 = 0x3fff;

/// What a connection of TCP over IPv4 without options has in all of its frames, as it lies there.
pub(super) struct Like {
    /// Where IP begins.
    ip: usize,
    /// The VLAN tag; 0 where there is none, with a mask of 0.
    tag: u32,
    tag_mask: u32,
    addresses: u64,
    ports: u32,
}

impl Like {
    /// Out of a common frame; None where that is something else.
    pub(super) fn new(frame: &[u8], headers: &Headers) -> Option<Self> {
        let ip = usize::from(headers.ip);
        let header: &[u8; LENGTH] = frame.get(ip.checked_sub(2)?..)?.first_chunk()?;
        let tag_mask = if ip == 18 { u32::MAX } else { 0 };
        let tag = u32::from_le_bytes(*frame.get(12..)?.first_chunk()?) & tag_mask;
        let fits = !headers.ipv6 && headers.protocol == protocol::TCP;
        fits.then(|| Self { ip, tag, tag_mask, addresses: addresses(header), ports: word(header, 22) })
    }

    /// Reads a segment of the connection: its direction, and of its headers what is not the same in all of them.
    #[expect(clippy::inline_always, reason = "so that what is read stays in registers")]
    #[inline(always)]
    pub(super) fn segment(&self, frame: &[u8], wire_len: u32) -> Option<(Direction, Headers)> {
        let header: &[u8; LENGTH] = frame.get(self.ip - 2..)?.first_chunk()?;
        let tag = u32::from_le_bytes(*frame.get(12..)?.first_chunk()?);
        let total = u32::from(half(header, 4));
        let header_len = header[34] >> 4 << 2;
        let is_common = (tag ^ self.tag) & self.tag_mask == 0
            && word(header, 0) & IPV4_MASK == IPV4
            && half(header, 8) & FRAGMENT_MASK == 0
            && header[11] == protocol::TCP
            && header_len >= 20
            && total >= 20 + u32::from(header_len)
            && total <= wire_len.saturating_sub(self.ip as u32);
        if !is_common {
            return None;
        }
        let (addresses, ports) = (addresses(header), word(header, 22));
        let direction = if addresses == self.addresses && ports == self.ports {
            0
        } else if addresses == self.addresses.rotate_left(32) && ports == self.ports.rotate_left(16) {
            1
        } else {
            return None;
        };
        let headers = Headers {
            seq: word(header, 26).swap_bytes(),
            ack: word(header, 30).swap_bytes(),
            payload_len: total - 20 - u32::from(header_len),
            protocol: protocol::TCP,
            flags: header[35],
            zero_window: half(header, 36) == 0,
            payload: self.ip as u8 + 20 + header_len,
            ..Headers::default()
        };
        Some((direction, headers))
    }
}

/// Both addresses.
#[inline]
fn addresses(header: &[u8; LENGTH]) -> u64 {
    u64::from(word(header, 14)) | u64::from(word(header, 18)) << 32
}

#[inline]
fn word(header: &[u8; LENGTH], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

#[inline]
fn half(header: &[u8; LENGTH], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
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
