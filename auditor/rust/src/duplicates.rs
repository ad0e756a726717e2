//! The same packet seen twice: a mirror of both ends of a line, two interfaces, two sensors.
//!
//! Two frames hold the same packet when their IP packets agree in the first [`COMPARED`] bytes, whatever routers, network
//! cards and switches change on the way left out (hop limit, traffic class, checksums, link header). That includes IPv4's
//! identification, which a retransmission has anew. Where there is none (IPv6, or 0), a retransmission in the place of
//! the lost one looks the same; such packets count as one only within a millisecond, or when hop limit or link addresses
//! show that they were seen in two places. Bare acknowledgements and resets among them, which come in bursts that are
//! alike to the bit, need the second.
//!
//! Nothing is compared while nothing hints at duplicates: the beginning of a reading is looked at, and a stretch after a
//! duplicate, and after packets that TCP has seen before. Where these turn out to be retransmissions, it takes twice as
//! many of them each time: a lossy network is not looked at all the time.

use crate::hash::Seed;

/// Bytes of an IP packet that are compared.
pub const COMPARED: usize = 96;
/// What lies farther apart is no duplicate.
const WINDOW: i64 = 50_000_000;
/// The same for packets without identification, seen in one place.
const NARROW_WINDOW: i64 = 1_000_000;
/// Packets that are looked at in the beginning, after a duplicate, and after hints.
const LOOKED_AT: u32 = 4096;
const LOOKED_AT_AFTER_DUPLICATE: u32 = 1024;
const LOOKED_AT_AFTER_HINT: u32 = 256;
/// Hints that it takes at most.
const MOST_HINTS: u32 = 1024;
/// Packets remembered at a time; each has one place, so that memory and time are bounded.
const REMEMBERED: usize = 1 << 14;

/// A packet that came.
#[derive(Clone, Copy, Default)]
struct Seen {
    print: u64,
    place: u64,
    time: i64,
}

/// The packets that came lately.
pub struct Duplicates {
    /// Packets that are still looked at.
    pub left: u32,
    wanted: bool,
    /// Hints that it takes, and how many of them came.
    needed: u32,
    hints: u32,
    seen: Vec<Seen>,
    seed: Seed,
}

impl Duplicates {
    /// Looks for duplicates, or lets all of them pass.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self {
            left: if wanted { LOOKED_AT } else { 0 },
            wanted,
            needed: 1,
            hints: 0,
            seen: Vec::new(),
            seed: Seed::random(),
        }
    }

    /// The next packets are looked at, as those in the beginning were.
    pub fn look(&mut self) {
        if self.wanted {
            self.left = self.left.max(LOOKED_AT);
        }
    }

    /// Something looked like a duplicate.
    #[cold]
    pub fn hint(&mut self) {
        if !self.wanted || self.left > 0 {
            return;
        }
        self.hints += 1;
        if self.hints >= self.needed {
            self.hints = 0;
            self.needed = (self.needed * 2).min(MOST_HINTS);
            self.left = LOOKED_AT_AFTER_HINT;
        }
    }

    /// Whether this packet was seen already; `bytes` begin with the IP header, `link` is what stands before them.
    #[inline(never)]
    pub fn is_again(&mut self, bytes: &[u8], link: &[u8], time: i64) -> bool {
        self.left -= 1;
        let Some(masked) = Masked::new(bytes) else { return false };
        if self.seen.is_empty() {
            self.seen = vec![Seen::default(); REMEMBERED];
        }
        let mut hash = masked.length as u64;
        // Where a packet is kept depends on the packet alone, so that the same capture gives the same answer again.
        let mut slot = hash;
        for word in masked.bytes.chunks_exact(8).map_while(|word| word.first_chunk()) {
            let word = u64::from_le_bytes(*word);
            hash = self.seed.mix(hash, word);
            slot = (slot.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        let place = self.seed.mix(u64::from(masked.hop_limit), digest(link));
        let entry = &mut self.seen[(slot >> 50) as usize & (REMEMBERED - 1)];
        let apart = time.saturating_sub(entry.time).saturating_abs();
        let window = match (masked.identified || place != entry.place, masked.bare) {
            (true, _) => WINDOW,
            (false, false) => NARROW_WINDOW,
            // Less than any time apart.
            (false, true) => -1,
        };
        if entry.print == hash && apart <= window {
            self.left = self.left.max(LOOKED_AT_AFTER_DUPLICATE);
            self.needed = 1;
            return true;
        }
        *entry = Seen { print: hash, place, time };
        false
    }
}

/// Hardware addresses, as far as a link header of that length has them.
fn digest(link: &[u8]) -> u64 {
    let mut addresses = [0; 16];
    let length = link.len().min(16);
    addresses[..length].copy_from_slice(&link[..length]);
    let [low, high] = [0, 8].map(|at| addresses[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)));
    low ^ high.rotate_left(17)
}

/// The part of a packet that stays the same on its way.
struct Masked {
    bytes: [u8; COMPARED],
    length: usize,
    hop_limit: u8,
    identified: bool,
    /// TCP that says nothing but what it has received, or that it wants no more: both come in bursts.
    bare: bool,
}

impl Masked {
    fn new(packet: &[u8]) -> Option<Self> {
        let mut masked = Self { bytes: [0; COMPARED], length: 0, hop_limit: 0, identified: false, bare: false };
        let (total, transport, protocol) = match packet.first()? >> 4 {
            4 => {
                let header: &[u8; 20] = packet.first_chunk()?;
                masked.identified = header[4..6] != [0, 0];
                masked.hop_limit = header[8];
                (u16::from_be_bytes([header[2], header[3]]), usize::from(header[0] & 15) * 4, header[9])
            }
            6 => {
                let header: &[u8; 40] = packet.first_chunk()?;
                masked.hop_limit = header[7];
                (u16::from_be_bytes([header[4], header[5]]).saturating_add(40), 40, header[6])
            }
            _ => return None,
        };
        masked.bare = protocol == 6 && is_bare(packet.get(transport..)?, usize::from(total).saturating_sub(transport));
        let length = packet.len().min(COMPARED).min(usize::from(total).max(20));
        masked.length = length;
        masked.bytes[..length].copy_from_slice(&packet[..length]);
        let (class, limit) = if packet[0] >> 4 == 4 { (1..2, 8..9) } else { (0..2, 7..8) };
        masked.bytes[class].fill(0);
        masked.bytes[limit].fill(0);
        if packet[0] >> 4 == 4 {
            masked.bytes[10..12].fill(0);
        }
        // Network cards fill in the checksum of what is captured on its own host before that.
        let checksum = match protocol {
            6 => transport + 16,
            17 => transport + 6,
            _ => COMPARED,
        };
        if checksum + 2 <= COMPARED {
            masked.bytes[checksum..checksum + 2].fill(0);
        }
        Some(masked)
    }
}

/// Whether a TCP segment of that length has neither payload nor SYN or FIN.
fn is_bare(segment: &[u8], length: usize) -> bool {
    let (Some(place), Some(flags)) = (segment.get(12), segment.get(13)) else { return false };
    usize::from(place >> 4) * 4 == length && flags.trailing_zeros() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// TCP ACK 10.0.0.1:40000 > 10.0.0.2:10000, identification 0x1234, hop limit 64.
    const ACK: &str = "45 00 0028 1234 4000 40 06 0000 0a000001 0a000002
                       9c40 2710 00000064 00000064 5010 ffff 0000 0000";
    const LINK: &[u8] = &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    const MILLISECOND: i64 = 1_000_000;

    /// Whether the second of two packets, so many milliseconds later, is a duplicate of the first.
    fn again(first: &str, second: &str, link: &[u8], milliseconds: i64) -> bool {
        let mut duplicates = Duplicates::new(true);
        assert!(!duplicates.is_again(&hex(first), LINK, 5 * MILLISECOND));
        duplicates.is_again(&hex(second), link, (5 + milliseconds) * MILLISECOND)
    }

    #[test]
    fn a_packet_behind_a_router_is_the_same_packet() {
        assert!(again(ACK, ACK, LINK, 0));
        assert!(again(ACK, ACK, LINK, 50));
        assert!(again(ACK, &ACK.replace("4000 40 06 0000", "4000 3f 06 abcd"), &[4; 12], 20));
        assert!(again(ACK, &ACK.replace("ffff 0000", "ffff beef"), LINK, 1), "a checksum that a card filled in");
        assert!(again(ACK, &format!("{ACK} 000000000000"), LINK, 1), "padding of the frame");
        // A clock that is behind.
        assert!(again(ACK, ACK, LINK, -5));
    }

    #[test]
    fn another_identification_another_time_another_number_is_another_packet() {
        assert!(!again(ACK, &ACK.replace("1234", "1235"), LINK, 0), "a retransmission");
        assert!(!again(ACK, ACK, LINK, 51));
        assert!(!again(ACK, &ACK.replace("00000064 5010", "00000065 5010"), LINK, 0));
        assert!(!again(ACK, &ACK.replace("0a000002", "0a000003"), LINK, 0));
    }

    #[test]
    fn without_identification_only_a_moment_or_another_place_tells() {
        // With four bytes of payload, and without.
        let whole = format!("{} 01020304", ACK.replace("0028 1234", "002c 0000"));
        assert!(again(&whole, &whole, LINK, 1));
        assert!(!again(&whole, &whole, LINK, 2), "a retransmission, for all that can be told");
        let bare = ACK.replace("1234", "0000");
        assert!(!again(&bare, &bare, LINK, 0), "another of a burst of acknowledgements");
        assert!(again(&bare, &bare.replace("4000 40", "4000 3f"), LINK, 2), "behind a router");
        assert!(again(&bare, &bare, &[4; 12], 2), "between other hardware addresses");
        let six = "60000000 000c 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002
                   0035 0400 000c 0000 deadbeef";
        assert!(again(six, six, LINK, 1));
        assert!(!again(six, six, LINK, 2));
        assert!(!again(six, &six.replace("deadbeef", "deadbeee"), LINK, 0));
    }

    #[test]
    fn what_is_not_wanted_is_not_looked_for() {
        let mut duplicates = Duplicates::new(false);
        duplicates.hint();
        assert_eq!(duplicates.left, 0);
    }

    #[test]
    fn hints_that_lead_to_nothing_count_less_each_time() {
        let mut duplicates = Duplicates::new(true);
        duplicates.left = 0;
        let stretches = (0..1_000_000).filter(|_| {
            duplicates.hint();
            std::mem::take(&mut duplicates.left) > 0
        });
        // After 1, 2, 4 … 512 hints, 1023 in all, and then after every 1024 of 998,977.
        assert_eq!(stretches.count(), 10 + 975);
        // A duplicate makes the next one count again.
        duplicates.left = 2;
        assert!(!duplicates.is_again(&hex(ACK), LINK, 0));
        assert!(duplicates.is_again(&hex(ACK), LINK, 0));
        duplicates.left = 0;
        duplicates.hint();
        assert!(duplicates.left > 0);
    }
}
