//! Classic pcap: both byte orders, micro- and nanoseconds, old versions, and the variants of AIX, Ixia, Nokia and of
//! Kuznetzov's patches.
//!
//! Magic numbers, versions and the variants' fields: draft-ietf-opsawg-pcap, libpcap's `sf-pcap.c` and the comments of
//! Wireshark's `wiretap/libpcap.c`.

use super::container::ContainerFacts;
use super::look::{Look, is_chain};
use super::run::Run;
use crate::decode::ETHERNET;
use crate::frame::MAX_FRAME;
use crate::units::Units;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Record headers of this form have eight more bytes: interface, protocol, packet type; or twelve.
const MODIFIED: u32 = 0xa1b2_cd34;
/// Ixia's hardware and software captures: four more bytes in the file header, nano- and microseconds.
const IXIA_HARDWARE: u32 = 0x1c00_01ac;
const IXIA_SOFTWARE: u32 = 0x1c00_01ab;

/// Frames up to this length are believed whatever the snaplen says: the largest that libpcap uses by itself.
const COMMON_FRAME: u32 = 1 << 18;
/// A snaplen from here on says that there is none.
const NO_SNAPLEN: u32 = i32::MAX as u32;

/// In which order the two lengths of a record stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// Captured, then wire: since version 2.4.
    Straight,
    /// Wire, then captured: before 2.3, and DG/UX.
    Swapped,
    /// Either, in version 2.3: the captured length is the smaller.
    Either,
}

/// State of a pcap file: what its header says.
#[derive(Clone)]
pub struct Pcap {
    /// Little-endian, and the lengths as they stand today: nearly every file, told by one look at a record.
    plain: bool,
    big_endian: bool,
    nanos_per_unit: i64,
    /// Units of time in a second.
    pub(super) units: u32,
    file_header: usize,
    pub(super) record_header: usize,
    lengths: Lengths,
    pub(super) link: u16,
    snaplen: u32,
    /// The longest frame that this file may hold.
    pub(super) limit: u32,
}

fn magic(start: &[u8]) -> Option<(u32, bool)> {
    let bytes: [u8; 4] = start.get(..4)?.try_into().ok()?;
    [(u32::from_le_bytes(bytes), false), (u32::from_be_bytes(bytes), true)]
        .into_iter()
        .find(|(number, _)| matches!(*number, MICROSECONDS | NANOSECONDS | MODIFIED | IXIA_HARDWARE | IXIA_SOFTWARE))
}

/// Length of the file header; None when a file does not begin with one of the magic numbers.
pub fn header_length(start: &[u8]) -> Option<usize> {
    magic(start).map(|(number, _)| if matches!(number, IXIA_HARDWARE | IXIA_SOFTWARE) { 28 } else { 24 })
}

impl Pcap {
    /// Reads the file header; None when it is not one. The records that follow, as far as they are there, tell
    /// variants apart that share a magic number.
    pub fn recognise(start: &[u8]) -> Option<Self> {
        let (magic, big_endian) = magic(start)?;
        let file_header = header_length(start)?;
        let header = start.get(..file_header)?;
        let word = |at: usize| {
            let word = header[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
            if big_endian { word.swap_bytes() } else { word }
        };
        let snaplen = word(16);
        let versions = word(4);
        let (major, minor) =
            if big_endian { (versions >> 16, versions & 0xffff) } else { (versions & 0xffff, versions >> 16) };
        // The upper half tells of frame check sequences; lengths come from the IP header anyway.
        let link = word(20) as u16;
        let aix = (magic == MICROSECONDS && (major, minor) == (2, 2)).then(|| aix_link(link)).flatten();
        let nanos = matches!(magic, NANOSECONDS | IXIA_HARDWARE) || aix.is_some();
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::Swapped,
            (2, 3) => Lengths::Either,
            _ => Lengths::Straight,
        };
        let pcap = Self {
            plain: !big_endian && lengths == Lengths::Straight,
            big_endian,
            nanos_per_unit: if nanos { 1 } else { 1000 },
            units: if nanos { 1_000_000_000 } else { 1_000_000 },
            file_header,
            record_header: if magic == MODIFIED { 24 } else { 16 },
            lengths,
            link: aix.unwrap_or(link),
            snaplen,
            limit: if snaplen == 0 { MAX_FRAME } else { snaplen.clamp(COMMON_FRAME, MAX_FRAME) },
        };
        Some(match magic {
            MICROSECONDS => pcap.settled(&start[file_header..], &[24, 20]),
            MODIFIED => pcap.settled(&start[file_header..], &[28]),
            _ => pcap,
        })
    }

    /// The same with a longer record header where only that makes sense of the first records: files of Kuznetzov's
    /// first patch and of Nokia's have the magic number of everybody, his second has that of his third.
    fn settled(self, records: &[u8], others: &[usize]) -> Self {
        let fits = |header| is_chain(records, false, None, |bytes| self.look(bytes, header));
        if records.len() < 3 * self.record_header || fits(self.record_header) {
            return self;
        }
        let record_header = others.iter().copied().find(|&header| fits(header)).unwrap_or(self.record_header);
        Self { record_header, ..self }
    }

    /// Length of the file header.
    pub fn file_header(&self) -> usize {
        self.file_header
    }

    /// What `bytes` look like, when records have headers of `header` bytes.
    pub(super) fn look(&self, bytes: &[u8], header: usize) -> Look {
        let Some(head) = bytes.first_chunk() else { return Look::Short };
        let [seconds, fraction, captured, wire_len] = self.words(head);
        if captured == 0
            || captured > self.limit
            || captured > wire_len
            || wire_len > MAX_FRAME
            || fraction >= self.units
        {
            return Look::No;
        }
        Look::Sound(header + captured as usize, Some(self.time(seconds, fraction)))
    }

    /// What a place in the file looks like.
    pub fn look_at(&self, bytes: &[u8]) -> Look {
        self.look(bytes, self.record_header)
    }

    #[inline]
    pub(super) fn time(&self, seconds: u32, fraction: u32) -> i64 {
        i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.nanos_per_unit
    }

    /// The four words that every record begins with. Out of an array of known length each is one load.
    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    pub(super) fn words(&self, head: &[u8; 16]) -> [u32; 4] {
        // One by one: `map` of an array is a function of its own here.
        let words = [word(head, 0), word(head, 4), word(head, 8), word(head, 12)];
        if self.plain { words } else { self.in_order(words) }
    }

    #[cold]
    #[inline(never)]
    fn in_order(&self, words: [u32; 4]) -> [u32; 4] {
        let [seconds, fraction, first, second] = if self.big_endian { words.map(u32::swap_bytes) } else { words };
        let swapped = match self.lengths {
            Lengths::Straight => false,
            Lengths::Swapped => true,
            Lengths::Either => first > second,
        };
        if swapped { [seconds, fraction, second, first] } else { [seconds, fraction, first, second] }
    }

    /// The common frames among these bytes; None where records are not those of nearly all files, or no Ethernet.
    #[inline]
    pub fn run<'a>(&self, bytes: &'a [u8]) -> Option<Run<'a>> {
        let common = self.plain && self.record_header == 16 && self.link == ETHERNET;
        let units = Units { nanos: self.nanos_per_unit, in_second: self.units, limit: self.limit };
        common.then(|| Run::new(bytes, units))
    }

    /// What the file header says.
    pub fn facts(&self) -> ContainerFacts {
        let stated = self.snaplen != 0 && self.snaplen < NO_SNAPLEN;
        ContainerFacts { snaplen: stated.then_some(self.snaplen), ..ContainerFacts::default() }
    }
}

/// AIX writes the interface types of RFC 1573, version 2.2 and nanoseconds.
fn aix_link(link: u16) -> Option<u16> {
    match link {
        6 => Some(1),
        9 => Some(6),
        15 => Some(10),
        24 => Some(0),
        _ => None,
    }
}

#[inline]
fn word(bytes: &[u8; 16], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
