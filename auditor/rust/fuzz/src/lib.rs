//! What the targets share: a reading of bytes as a file, frames by hand, and a tracker with all that follows it.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use auditor_native::frame::{Frame, Ip};
use auditor_native::columns::{FlowTable, Serials, field_addresses};
use auditor_native::tabulate::tabulate;
use auditor_native::decode::decode;
use auditor_native::flow::{PortSet, Stamp, Tracker};
use auditor_native::reading::{Options, Reading, Unwatched, read};
use auditor_native::told;

/// Link type of frames that begin with an IP header.
pub const RAW_IP: u16 = 101;

/// Ports that an audit knows, so that directions are settled and control streams looked for.
fn options() -> Options {
    let ports = |list: &[u16]| list.iter().copied().collect::<PortSet>();
    Options {
        known_ports: ports(&[25, 53, 137, 162, 443, 3527, 6101, 10000]),
        ndmp_ports: ports(&[10000]),
        ..Options::default()
    }
}

/// Reads bytes as the one file of a reading, from a file in memory.
pub fn read_as_file(bytes: &[u8]) -> Reading {
    static SPOOL: OnceLock<(PathBuf, Mutex<File>)> = OnceLock::new();
    let (path, file) = SPOOL.get_or_init(|| {
        let folder = if PathBuf::from("/dev/shm").is_dir() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
        let path = folder.join(format!("auditor-fuzz-{}", std::process::id()));
        let file = File::create(&path).expect("a file to read from");
        (path, Mutex::new(file))
    });
    let mut file = file.lock().expect("one thread");
    file.set_len(0).expect("an empty file");
    file.seek(SeekFrom::Start(0)).expect("its beginning");
    file.write_all(bytes).expect("room for the input");
    read(std::slice::from_ref(path), &options(), &mut Unwatched).expect("nobody stops it")
}

/// What every reading must be, whatever was read.
pub fn check(reading: &Reading) {
    let table = &reading.flows;
    let columns = &table.columns;
    let tracked: u64 = columns.orig_packets.iter().chain(&columns.resp_packets).sum();
    let read: u64 = reading.files.iter().map(|file| file.packets).sum();
    assert!(tracked <= read, "{tracked} packets in flows, {read} read");
    for row in 0..table.rows() {
        assert!(columns.first_packet[row] <= columns.last_packet[row]);
        assert!(table.history_text(row as u32).is_some());
    }
    for file in &reading.files {
        assert!(!file.error.as_deref().unwrap_or("").contains("internal error"), "{:?}", file.error);
    }
}

/// Frames in, tables out.
pub struct Scene {
    tracker: Tracker,
    packets: u64,
}

impl Default for Scene {
    fn default() -> Self {
        let options = options();
        Self { tracker: Tracker::new(options.known_ports, options.ndmp_ports), packets: 0 }
    }
}

impl Scene {
    /// One frame that begins with an IP header, a microsecond after the one before.
    pub fn frame(&mut self, data: &[u8]) {
        let wire_len = data.len() as u32;
        let time = 1_700_000_000_000_000_000 + self.packets as i64 * 1000;
        let frame = Frame { time, link: RAW_IP, wire_len, data, untimed: false, ip: Ip::Unasked };
        let stamp = Stamp { serial: self.packets, file: 0, time, wire_len };
        self.packets += 1;
        if let Ok(decoded) = decode(&frame) {
            self.tracker.packet(&decoded.packet, decoded.carrier.as_ref(), &stamp);
        }
    }

    /// Everything that follows the last packet.
    pub fn finish(self) -> FlowTable {
        let mut serials = Serials::default();
        serials.file(0);
        let (mut flows, mut events) = tabulate(self.tracker.finish(), &serials, 1);
        events.arrange();
        flows.renumber(&mut events.beats.flow);
        if flows.renumber(&mut events.messages.flow) | flows.renumber(&mut events.streams.flow) {
            events.arrange();
        }
        told::arrange(&mut events.handshakes, &flows);
        let _ = field_addresses(&events.fields, &mut flows.addresses);
        flows
    }
}

/// One end of a conversation: last byte of its address, port.
pub type End = (u8, u16);

/// An IPv4 packet with a TCP segment.
pub fn tcp(from: End, to: End, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(40 + payload.len());
    segment.extend(from.1.to_be_bytes());
    segment.extend(to.1.to_be_bytes());
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    segment.extend(payload);
    ipv4(6, from.0, to.0, &segment)
}

/// An IPv4 packet with a UDP datagram.
pub fn udp(from: End, to: End, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(28 + payload.len());
    datagram.extend(from.1.to_be_bytes());
    datagram.extend(to.1.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    ipv4(17, from.0, to.0, &datagram)
}

fn ipv4(protocol: u8, from: u8, to: u8, inner: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + inner.len() as u16).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
    packet.extend(inner);
    packet
}
