//! What protocol a flow speaks, from its first payloads; control streams are handed to their decoder.

use std::collections::HashMap;

use super::Stamp;
use super::key::{Seed, Side};
use super::record::{OriginatorBy, Record, mark};
use crate::app::ndmp::{Chunk, ControlStream, Events, Probe, probe};
use crate::app::{App, recognise};
use crate::decode::{Packet, Tcp, flag, protocol};

/// Segments with payload that are looked at before a TCP flow is left alone.
pub const PROBES: u8 = 16;
/// The same on an NDMP port: a stream that was joined in the middle may take long to come to a record's beginning.
pub const PROBES_ON_NDMP_PORT: u8 = 250;
/// Datagrams that are looked at: the first of each side.
pub const PROBES_UDP: u8 = 2;

/// Streams under way, and what was read from all.
#[derive(Debug)]
pub struct Recognition {
    streams: HashMap<u32, Box<ControlStream>, Seed>,
    events: Events,
}

impl Default for Recognition {
    fn default() -> Self {
        Self { streams: HashMap::with_hasher(Seed::random()), events: Events::default() }
    }
}

/// A packet in its flow.
pub struct Seen<'a> {
    /// Row of the flow.
    pub flow: u32,
    /// Who sent it.
    pub side: Side,
    /// When and where.
    pub stamp: &'a Stamp,
    /// The packet.
    pub packet: &'a Packet<'a>,
    /// It is the first payload of its side.
    pub first_payload: bool,
    /// One of the ports is an NDMP port.
    pub on_ndmp_port: bool,
}

impl Recognition {
    /// Looks at a packet of a flow whose protocol is not decided, or that has a stream.
    #[inline(never)]
    pub fn inspect(&mut self, record: &mut Record, seen: &Seen<'_>) {
        if record.is(mark::STREAM) {
            self.feed(record, seen);
        } else if record.to_probe > 0 && !seen.packet.payload.is_empty() {
            self.look(record, seen);
        }
    }

    fn look(&mut self, record: &mut Record, seen: &Seen<'_>) {
        record.to_probe -= 1;
        let packet = seen.packet;
        if packet.tuple.protocol == protocol::TCP {
            let found = probe(packet.payload, packet.payload_len, seen.on_ndmp_port);
            if found == Probe::Greeting {
                record.settle_originator(1 - seen.side, OriginatorBy::NdmpGreeting);
            }
            if found != Probe::No {
                return self.open(record, seen, found);
            }
        }
        if seen.first_payload {
            let app = recognise(packet.payload, packet.tuple.protocol);
            if app != App::Unknown {
                record.app = app as u8;
                // An NDMP server greets although its client may have spoken first, and in another protocol.
                if record.payload.iter().all(|&bytes| bytes > 0) {
                    record.to_probe = 0;
                }
            }
        }
    }

    fn open(&mut self, record: &mut Record, seen: &Seen<'_>, found: Probe) {
        let begun = record.is_numbered(seen.side)
            && (record.flags[0] | record.flags[1]) & flag::SYN != 0
            && record.payload[seen.side] == u64::from(seen.packet.payload_len);
        self.streams.insert(seen.flow, Box::new(ControlStream::new(seen.flow, begun)));
        record.marks |= mark::STREAM;
        if found != Probe::Maybe {
            accept(record);
        }
        self.feed(record, seen);
    }

    fn feed(&mut self, record: &mut Record, seen: &Seen<'_>) {
        let (Some(tcp), Some(stream)) = (seen.packet.tcp, self.streams.get_mut(&seen.flow)) else { return };
        let ends = tcp.flags & (flag::FIN | flag::RST) != 0;
        if seen.packet.payload_len == 0 && !ends {
            return;
        }
        stream.push(&chunk(record, seen, &tcp), &mut self.events);
        if stream.server_is_originator() {
            let server = record.originator();
            if record.settle_originator(1 - server, OriginatorBy::NdmpGreeting) {
                stream.flip();
            }
        }
        if stream.confirmed() {
            accept(record);
        } else if record.app != App::Ndmp as u8 {
            // One header that fits is chance; the second opinion must come before the patience ends.
            record.to_probe = record.to_probe.saturating_sub(1);
            if record.to_probe == 0 {
                record.marks &= !mark::STREAM;
                self.streams.remove(&seen.flow);
            }
        }
    }

    /// The flow turned round.
    #[cold]
    pub fn turned(&mut self, flow: u32) {
        if let Some(stream) = self.streams.get_mut(&flow) {
            stream.flip();
        }
    }

    /// The flow is over: its five-tuple has a new one.
    #[cold]
    pub fn end(&mut self, flow: u32) {
        if let Some(mut stream) = self.streams.remove(&flow) {
            stream.finish(&mut self.events);
        }
    }

    /// The capture is over.
    pub fn finish(mut self) -> Events {
        let mut rest: Vec<_> = self.streams.into_iter().collect();
        rest.sort_unstable_by_key(|&(flow, _)| flow);
        for (_, mut stream) in rest {
            stream.finish(&mut self.events);
        }
        self.events
    }
}

fn accept(record: &mut Record) {
    record.app = App::Ndmp as u8;
    record.to_probe = 0;
}

fn chunk<'a>(record: &Record, seen: &Seen<'a>, tcp: &Tcp) -> Chunk<'a> {
    Chunk {
        from_responder: seen.side != record.originator(),
        seq: tcp.seq,
        syn: tcp.has(flag::SYN),
        fin: tcp.has(flag::FIN),
        rst: tcp.has(flag::RST),
        payload: seen.packet.payload,
        wire_len: seen.packet.payload_len,
        packet: seen.stamp.packet,
        file: seen.stamp.file,
        time: seen.stamp.time,
    }
}
