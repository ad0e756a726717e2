//! Frames: Ethernet, with VLAN tag or not, IPv4 or IPv6, TCP, UDP, ICMP echo, ARP. Checksums are right.

use crate::rng::Rng;

/// Flags of TCP.
pub const FIN: u8 = 1;
/// Opens a connection.
pub const SYN: u8 = 2;
/// Refuses or breaks one.
pub const RST: u8 = 4;
/// Hand over at once.
pub const PSH: u8 = 8;
/// Acknowledges.
pub const ACK: u8 = 16;

/// Bytes that stand for contents; what fills a payload is taken from them.
const POOL: usize = 1 << 16;

/// The two ends of a flow, originator first. An IPv4 address is the first four bytes.
#[derive(Clone, Copy, Default)]
pub struct Ends {
    /// The addresses are IPv6.
    pub v6: bool,
    /// VLAN tag, 0 for none.
    pub vlan: u16,
    /// Protocol number; for ICMP the ports are 0.
    pub protocol: u8,
    /// Addresses.
    pub address: [[u8; 16]; 2],
    /// Ports.
    pub port: [u16; 2],
}

/// A segment: what TCP says beside the ends.
#[derive(Clone, Copy, Default)]
pub struct Segment<'a> {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledged, where the flags say so.
    pub ack: u32,
    /// Flags.
    pub flags: u8,
    /// First bytes of the payload.
    pub head: &'a [u8],
    /// So many bytes of anything follow.
    pub fill: usize,
    /// Clock of the sender, for the time stamp option.
    pub clock: u32,
}

/// Builds one frame after the other.
pub struct Frame {
    /// The frame as it is on the wire.
    pub bytes: Vec<u8>,
    pool: Vec<u8>,
    id: u16,
}

impl Frame {
    /// Begins with no frame.
    pub fn new() -> Self {
        let mut rng = Rng::new(77);
        let pool = (0..POOL / 8).flat_map(|_| rng.any().to_le_bytes()).collect();
        Self { bytes: Vec::with_capacity(2048), pool, id: 0 }
    }

    /// Builds a TCP segment.
    pub fn tcp(&mut self, ends: &Ends, from: usize, segment: &Segment<'_>) {
        let opening = segment.flags & SYN != 0;
        let bare = segment.flags & RST != 0;
        let header = if opening {
            40
        } else if bare {
            20
        } else {
            32
        };
        let at = self.ip(ends, from, header + segment.head.len() + segment.fill);
        self.ports(ends, from);
        let ack = if segment.flags & ACK == 0 { 0 } else { segment.ack };
        self.put(&segment.seq.to_be_bytes());
        self.put(&ack.to_be_bytes());
        self.put(&[(header as u8 / 4) << 4, segment.flags, 0x10, 0, 0, 0, 0, 0]);
        let clock = segment.clock.to_be_bytes();
        if opening {
            // MSS 1460, selective acknowledgement, time stamp, window scale 8.
            self.put(&[2, 4, 0x05, 0xB4, 4, 2, 8, 10]);
            self.put(&clock);
            self.put(&[0, 0, 0, 0, 1, 3, 3, 8]);
        } else if !bare {
            self.put(&[1, 1, 8, 10]);
            self.put(&clock);
            self.put(&clock);
        }
        self.put(segment.head);
        self.fill(segment.seq as usize, segment.fill);
        self.seal(ends, at, at + 16);
    }

    /// Builds a UDP datagram.
    pub fn udp(&mut self, ends: &Ends, from: usize, payload: &[u8]) {
        let length = 8 + payload.len();
        let at = self.ip(ends, from, length);
        self.ports(ends, from);
        self.put(&(length as u16).to_be_bytes());
        self.put(&[0, 0]);
        self.put(payload);
        self.seal(ends, at, at + 6);
    }

    /// Builds an echo request, or from the responder its reply.
    pub fn echo(&mut self, ends: &Ends, from: usize, id: u16, sequence: u16) {
        let at = self.ip(ends, from, 40);
        let kind = if ends.v6 { 128 + from as u8 } else { 8 - 8 * from as u8 };
        self.put(&[kind, 0, 0, 0]);
        self.put(&id.to_be_bytes());
        self.put(&sequence.to_be_bytes());
        self.fill(id.into(), 32);
        self.seal(ends, at, at + 2);
    }

    /// Builds an ARP request for an address, or the reply.
    pub fn arp(&mut self, host: u8, wanted: u8, reply: bool) {
        self.bytes.clear();
        let [from, to] = if reply { [wanted, host] } else { [host, wanted] };
        self.put(if reply { &[2, 0, 0, 0, 0, 1] } else { &[0xFF; 6] });
        self.put(&[2, 0, 0, 0, 0, from, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 + u8::from(reply), 2, 0, 0, 0, 0, from]);
        self.put(&[10, 20, 1, from, 0, 0, 0, 0, 0, 0, 10, 20, 1, to]);
        self.bytes.resize(60, 0);
    }

    /// Begins a frame up to the header of IP, and returns where what it carries begins.
    fn ip(&mut self, ends: &Ends, from: usize, length: usize) -> usize {
        self.bytes.clear();
        let [source, target] = [ends.address[from], ends.address[1 - from]];
        let tail = if ends.v6 { 13 } else { 1 };
        // A locally administered address for each host.
        for octets in [target, source] {
            self.put(&[2, 0x50, octets[tail], octets[tail - 1], octets[tail + 1], octets[tail + 2]]);
        }
        if ends.vlan > 0 {
            self.put(&[0x81, 0]);
            self.put(&ends.vlan.to_be_bytes());
        }
        self.id = self.id.wrapping_add(1);
        if ends.v6 {
            self.put(&[0x86, 0xDD, 0x60, 0, 0, 0]);
            self.put(&(length as u16).to_be_bytes());
            self.put(&[ends.protocol, 64]);
            self.put(&source);
            self.put(&target);
        } else {
            self.put(&[8, 0, 0x45, 0]);
            self.put(&(20 + length as u16).to_be_bytes());
            self.put(&self.id.to_be_bytes());
            self.put(&[0x40, 0, 64, ends.protocol, 0, 0]);
            self.put(&source[..4]);
            self.put(&target[..4]);
            let header = self.bytes.len() - 20;
            let sum = folded(sum(&self.bytes[header..]));
            self.bytes[header + 10..header + 12].copy_from_slice(&sum.to_be_bytes());
        }
        self.bytes.len()
    }

    /// Puts the checksum of what IP carries, from `at` on, where it belongs.
    fn seal(&mut self, ends: &Ends, at: usize, place: usize) {
        let carried = &self.bytes[at..];
        let mut total = sum(carried);
        // ICMP has no pseudo header, ICMPv6 has one.
        if ends.protocol != 1 {
            let addresses = if ends.v6 { at - 32 } else { at - 8 };
            total += sum(&self.bytes[addresses..at]) + u64::from(ends.protocol) + carried.len() as u64;
        }
        let folded = folded(total);
        self.bytes[place..place + 2].copy_from_slice(&folded.to_be_bytes());
    }

    fn ports(&mut self, ends: &Ends, from: usize) {
        self.put(&ends.port[from].to_be_bytes());
        self.put(&ends.port[1 - from].to_be_bytes());
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn fill(&mut self, place: usize, length: usize) {
        let begin = place % (POOL - 2048);
        self.bytes.extend_from_slice(&self.pool[begin..begin + length]);
    }
}

/// Returns the sum of 16-bit words (RFC 1071), not folded yet.
fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(2);
    let total: u64 = words.by_ref().map(|word| u64::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    total + words.remainder().first().map_or(0, |&last| u64::from(last) << 8)
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum >> 16) + (sum & 0xFFFF);
    }
    !(sum as u16)
}
