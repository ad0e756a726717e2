//! What protocol a flow speaks, from its first payloads; control streams are handed to their decoder.

use std::collections::HashMap;

use super::Stamp;
use super::key::Side;
use super::record::{OriginatorBy, Record, mark};
use crate::app::names::{self, Name, NameKind, Names, Telling};
use crate::app::ndmp::{self, Chunk, ControlStream, Events, Probe, Pulse, probe};
use crate::app::tls::{Hellos, Segment};
use crate::app::{App, recognise};
use crate::decode::{Packet, Tcp, flag, protocol};
use crate::hash::Seed;

/// Segments with payload that are looked at before a TCP flow is left alone.
pub const PROBES: u8 = 16;
/// The same on an NDMP port: a stream that was joined in the middle may take long to come to a record's beginning.
pub const PROBES_ON_NDMP_PORT: u8 = 250;
/// Stands in for such a number where the protocol is decided and the segments are noted all the same.
const PULSED: u8 = u8::MAX;
/// Datagrams that are looked at: the first of each side.
pub const PROBES_UDP: u8 = 2;
/// The same where datagrams tell names of hosts: each may tell another.
const PROBES_NAMES: u8 = 250;

/// Bytes that all streams under way may hold together; half of it stays when there are more.
const MAX_HELD: usize = 256 << 20;

/// Streams under way, and what was read from all.
#[derive(Clone, Debug)]
pub struct Recognition {
    pub(super) streams: HashMap<u32, Box<ControlStream>, Seed>,
    pub(super) events: Events,
    pub(super) pulse: Pulse,
    pub(super) hellos: Hellos,
    pub(super) names: Names,
    /// Bytes that the streams hold, about.
    pub(super) held: usize,
    pub(super) most: usize,
}

impl Default for Recognition {
    fn default() -> Self {
        Self {
            streams: HashMap::with_hasher(Seed::random()),
            events: Events::default(),
            pulse: Pulse::default(),
            hellos: Hellos::default(),
            names: Names::default(),
            held: 0,
            most: MAX_HELD,
        }
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
        let stream = record.is(mark::STREAM) && !self.hellos.holds(seen.flow);
        if (seen.on_ndmp_port || stream) && seen.packet.payload_len > 0 && seen.packet.tuple.protocol == protocol::TCP {
            self.pulse.beat(seen.flow, seen.side, seen.stamp.time, seen.packet.payload_len);
        }
        if stream {
            self.feed(record, seen);
        } else if !seen.packet.payload.is_empty() {
            // A TLS hello leaves the other side to be looked at: an NDMP server greets whatever its client said.
            if record.to_probe > 0 && record.to_probe != PULSED {
                self.look(record, seen);
            }
            // A handshake under way marks its flow, so that nothing is looked up for all the others.
            if record.is(mark::STREAM) {
                self.greet(record, seen);
            }
        }
    }

    /// Gives a segment to the handshake of its flow, if there is one under way.
    fn greet(&mut self, record: &mut Record, seen: &Seen<'_>) {
        let (true, Some(tcp)) = (self.hellos.holds(seen.flow), seen.packet.tcp) else { return };
        let segment = Segment {
            side: seen.side,
            seq: tcp.seq.wrapping_add(u32::from(tcp.has(flag::SYN))),
            first: record.initial[seen.side].wrapping_add(1),
            payload: seen.packet.payload,
            whole: seen.packet.payload.len() >= seen.packet.payload_len as usize,
            stamp: stamp(seen),
        };
        let (name, goes_on) = self.hellos.take(seen.flow, &segment);
        if !goes_on {
            record.marks &= !mark::STREAM;
        }
        if let Some(text) = name {
            let address = names::destination(&seen.packet.tuple);
            let ndmp::Stamp { packet, file, .. } = stamp(seen);
            self.names.add(Name { address, kind: NameKind::TlsServerName, text, port: 0, packet, file });
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
        if names::tells(record.app) {
            self.tell(record, seen);
        } else if seen.first_payload {
            let app = recognise(packet.payload, packet.tuple.protocol);
            if app != App::Unknown {
                record.app = app as u8;
                if app == App::Tls && !self.hellos.holds(seen.flow) && self.hellos.open(seen.flow, stamp(seen)) {
                    record.marks |= mark::STREAM;
                }
                // An NDMP server greets although its client may have spoken first, and in another protocol.
                if packet.tuple.protocol == protocol::UDP && names::tells(record.app) {
                    record.to_probe = PROBES_NAMES;
                } else if record.payload.iter().all(|&bytes| bytes > 0) {
                    record.to_probe = if app == App::Tls && seen.on_ndmp_port { PULSED } else { 0 };
                }
                if names::tells(record.app) {
                    self.tell(record, seen);
                }
            }
        }
    }

    /// Takes the names out of a payload: of every datagram, but only of the first segment of each side.
    fn tell(&mut self, record: &mut Record, seen: &Seen<'_>) {
        let Packet { tuple, payload, .. } = seen.packet;
        let datagram = tuple.protocol == protocol::UDP;
        if seen.first_payload || datagram {
            let ndmp::Stamp { packet, file, .. } = stamp(seen);
            self.names.read(&Telling { app: names::app(record.app), tuple, payload, packet, file });
        }
        if !datagram && record.payload.iter().all(|&bytes| bytes > 0) {
            record.to_probe = 0;
        }
    }

    fn open(&mut self, record: &mut Record, seen: &Seen<'_>, found: Probe) {
        let begun = record.is_numbered(seen.side)
            && (record.flags[0] | record.flags[1]) & flag::SYN != 0
            && record.payload[seen.side] == u64::from(seen.packet.payload_len);
        let stream = Box::new(ControlStream::new(seen.flow, begun));
        self.hellos.end(seen.flow);
        self.held += stream.memory();
        self.streams.insert(seen.flow, stream);
        record.marks |= mark::STREAM;
        if found != Probe::Maybe {
            accept(record);
        }
        self.feed(record, seen);
    }

    fn feed(&mut self, record: &mut Record, seen: &Seen<'_>) {
        let Some(stream) = self.streams.get_mut(&seen.flow) else {
            // It was given up, or a handshake that had to make room.
            record.marks &= !mark::STREAM;
            return;
        };
        let Some(tcp) = seen.packet.tcp else { return };
        let ends = tcp.flags & (flag::FIN | flag::RST) != 0;
        if seen.packet.payload_len == 0 && !ends {
            return;
        }
        let before = stream.memory();
        stream.push(&chunk(record, seen, &tcp), &mut self.events);
        self.held = (self.held + stream.memory()).saturating_sub(before);
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
                self.held = self.held.saturating_sub(stream.memory());
                self.streams.remove(&seen.flow);
                if !seen.on_ndmp_port {
                    self.pulse.forget(seen.flow);
                }
            }
        }
        if self.held > self.most || self.events.is_full() {
            self.make_room();
        }
    }

    /// Gives up streams until half of the room is free, those that hold most first; all where no message may be added.
    /// That is seldom: as many bytes must come again before the next time.
    #[cold]
    fn make_room(&mut self) {
        let keep = if self.events.is_full() { 0 } else { self.most / 2 };
        let mut sizes: Vec<_> = self.streams.iter().map(|(&flow, stream)| (stream.memory(), flow)).collect();
        sizes.sort_unstable_by_key(|&(size, flow)| (std::cmp::Reverse(size), flow));
        self.held = sizes.iter().map(|&(size, _)| size).sum();
        for (size, flow) in sizes {
            if self.held <= keep {
                break;
            }
            self.held -= size;
            if let Some(mut stream) = self.streams.remove(&flow) {
                stream.give_up(&mut self.events);
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
        self.hellos.end(flow);
        if let Some(mut stream) = self.streams.remove(&flow) {
            self.held = self.held.saturating_sub(stream.memory());
            stream.finish(&mut self.events);
        }
    }

    /// The capture is over. `originator`: the originator's side of a flow.
    pub fn finish(mut self, originator: impl FnMut(u32) -> Side) -> Events {
        let mut rest: Vec<_> = self.streams.into_iter().collect();
        rest.sort_unstable_by_key(|&(flow, _)| flow);
        for (_, mut stream) in rest {
            stream.finish(&mut self.events);
        }
        self.events.beats = self.pulse.finish(originator);
        self.events.handshakes.append(&mut self.hellos.finish());
        self.events.names = self.names.finish();
        self.events
    }
}

/// Packets are told by their numbers over all files, as if these were one: that keeps the order in which they came.
/// [`Events::places`] finds their files in the end.
fn stamp(seen: &Seen<'_>) -> ndmp::Stamp {
    ndmp::Stamp { packet: seen.stamp.serial + 1, file: 0, time: seen.stamp.time }
}

fn accept(record: &mut Record) {
    record.app = App::Ndmp as u8;
    record.to_probe = 0;
}

fn chunk<'a>(record: &Record, seen: &Seen<'a>, tcp: &Tcp) -> Chunk<'a> {
    let ndmp::Stamp { packet, file, time } = stamp(seen);
    Chunk {
        from_responder: seen.side != record.originator(),
        seq: tcp.seq,
        syn: tcp.has(flag::SYN),
        fin: tcp.has(flag::FIN),
        rst: tcp.has(flag::RST),
        payload: seen.packet.payload,
        wire_len: seen.packet.payload_len,
        packet,
        file,
        time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A greeting of version 3, and the beginning of a request that claims 1 MiB and has `body` bytes so far.
    fn feed(streams: &mut Recognition, flow: u32, body: usize, fin: bool) {
        let greeting =
            [[0x80, 0, 0, 0x24, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
        let mut server = greeting.as_flattened().to_vec();
        server.extend([0, 0, 0, 3, 0, 0, 0, 0]);
        let mut client = vec![0x80, 0x10, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        client.resize(client.len() + body, 0);
        let mut stream = Box::new(ControlStream::new(flow, true));
        for (from_responder, payload) in [(true, server), (false, client)] {
            let wire_len = u32::try_from(payload.len()).expect("short");
            let chunk = Chunk {
                from_responder,
                seq: 1,
                syn: false,
                fin,
                rst: false,
                payload: &payload,
                wire_len,
                packet: 1,
                file: 0,
                time: 0,
            };
            stream.push(&chunk, &mut streams.events);
        }
        assert!(stream.confirmed());
        streams.held += stream.memory();
        streams.streams.insert(flow, stream);
    }

    #[test]
    fn streams_together_hold_no_more_than_the_limit_and_say_what_was_given_up() {
        let mut streams = Recognition { most: 100_000, ..Recognition::default() };
        for (flow, body, fin) in [(0, 100, false), (1, 60_000, false), (2, 50_000, true), (3, 10, false)] {
            feed(&mut streams, flow, body, fin);
        }
        streams.make_room();
        let mut left: Vec<_> = streams.streams.keys().copied().collect();
        left.sort_unstable();
        assert_eq!(left, [0, 3], "those that hold most go first");
        assert!(streams.held <= 50_000);
        let mut events = streams.finish(|_| 0);
        events.arrange();
        assert_eq!(events.streams.flow, [0, 1, 2, 3]);
        assert!(events.streams.skipped_bytes[1] >= 60_000);
        assert_eq!(events.streams.skipped_bytes[2], 0, "both sides had said their last");
        assert_eq!((events.streams.skipped_bytes[0], events.streams.skipped_bytes[3]), (0, 0));
    }
}
