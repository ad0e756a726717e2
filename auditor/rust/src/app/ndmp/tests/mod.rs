//! Tests of whole records and whole streams, and what they share.

mod hostile;
mod records;
mod streams;

use super::{
    Chunk, ControlStream, Events, FIELD_NAMES,
    samples::{VECTORS, Vector, hex},
};

const SEQ: [u32; 2] = [0xffff_ff00, 1000];

/// Segments of a made-up connection.
struct Wire {
    stream: ControlStream,
    events: Events,
    next: [u32; 2],
    packet: u64,
}

impl Wire {
    fn new(from_start: bool) -> Self {
        Self { stream: ControlStream::new(5, from_start), events: Events::default(), next: SEQ, packet: 0 }
    }

    fn chunk(&mut self, from_responder: bool, seq: u32, payload: &[u8], wire_len: usize) {
        self.packet += 1;
        let chunk = Chunk {
            from_responder,
            seq,
            syn: false,
            fin: false,
            rst: false,
            payload,
            wire_len: u32::try_from(wire_len).expect("short"),
            packet: self.packet,
            file: 0,
            time: 1_722_007_774_000_000_000 + i64::try_from(self.packet).expect("few") * 1_000_000,
        };
        self.stream.push(&chunk, &mut self.events);
    }

    /// The next segment, of which `captured` bytes were captured.
    fn send_cut(&mut self, from_responder: bool, bytes: &[u8], captured: usize) {
        let seq = self.next[usize::from(from_responder)];
        self.next[usize::from(from_responder)] = seq.wrapping_add(u32::try_from(bytes.len()).expect("short"));
        self.chunk(from_responder, seq, &bytes[..captured.min(bytes.len())], bytes.len());
    }

    fn send(&mut self, from_responder: bool, bytes: &[u8]) {
        self.send_cut(from_responder, bytes, bytes.len());
    }

    /// A segment that was sent and not captured.
    fn lose(&mut self, from_responder: bool, len: u32) {
        let next = &mut self.next[usize::from(from_responder)];
        *next = next.wrapping_add(len);
    }

    fn finish(mut self) -> Events {
        self.stream.finish(&mut self.events);
        self.events.arrange();
        self.events
    }
}

fn vector(id: &str) -> &'static Vector {
    VECTORS.iter().find(|vector| vector.id.starts_with(id)).expect("a known vector")
}

fn record(id: &str) -> Vec<u8> {
    vector(id).bytes()
}

/// A record with other sequence numbers.
fn numbered(id: &str, sequence: u32, reply_sequence: u32) -> Vec<u8> {
    let mut bytes = record(id);
    bytes[4..8].copy_from_slice(&sequence.to_be_bytes());
    bytes[20..24].copy_from_slice(&reply_sequence.to_be_bytes());
    bytes
}

/// Every address in the events: message code, octets, port.
fn addresses(events: &Events) -> Vec<(u32, [u8; 16], u64)> {
    let fields = &events.fields;
    let rows = (0..fields.len()).filter(|&row| fields.has_address[row]);
    rows.map(|row| (events.messages.message[fields.message[row] as usize], fields.address[row], fields.number[row]))
        .collect()
}

fn named(events: &Events, name: &str) -> Vec<(u64, String)> {
    let fields = &events.fields;
    let rows = (0..fields.len()).filter(|&row| FIELD_NAMES[fields.name[row] as usize] == name);
    rows.map(|row| {
        let text = usize::try_from(fields.text[row]).map_or(String::new(), |text| events.texts[text].clone());
        (fields.number[row], text)
    })
    .collect()
}

/// What does not depend on packets: codes, directions, sequences, versions, states, fields.
fn gist(events: &Events) -> String {
    let m = &events.messages;
    let rows: Vec<_> = (0..m.len())
        .map(|row| {
            let fields: Vec<_> = (0..events.fields.len())
                .filter(|&field| events.fields.message[field] as usize == row)
                .map(|field| {
                    let text = usize::try_from(events.fields.text[field]).map_or("", |text| &events.texts[text]);
                    (events.fields.name[field], events.fields.number[field], text, events.fields.address[field])
                })
                .collect();
            format!(
                "{} {:x} {} {} {} {} {} {} {} {fields:?}",
                m.from_responder[row],
                m.message[row],
                m.reply[row],
                m.sequence[row],
                m.reply_sequence[row],
                m.error[row],
                m.version[row],
                m.status[row],
                m.length[row]
            )
        })
        .collect();
    rows.join("\n")
}

fn ip4(last: [u8; 4]) -> [u8; 16] {
    std::net::Ipv4Addr::from(last).to_ipv6_mapped().octets()
}

/// A version 3 dialogue of Backup Exec: greeting, version, authentication, listen.
fn dialogue(wire: &mut Wire) {
    wire.send(true, &record("V01"));
    wire.send(false, &record("V02"));
    wire.send(true, &record("V03"));
    wire.send(false, &numbered("V05", 2, 0));
    wire.send(true, &hex("8000001c0000000366a3c0de0000000100000901000000020000000000000000"));
    wire.send(false, &numbered("V09", 3, 0));
    wire.send(true, &numbered("V10", 4, 3));
}

/// The dialogue's segments.
fn segments() -> Vec<(bool, Vec<u8>)> {
    vec![
        (true, record("V01")),
        (false, record("V02")),
        (true, record("V03")),
        (false, numbered("V05", 2, 0)),
        (true, hex("8000001c0000000366a3c0de0000000100000901000000020000000000000000")),
        (false, numbered("V09", 3, 0)),
        (true, numbered("V10", 4, 3)),
    ]
}

fn empty() -> Chunk<'static> {
    Chunk {
        from_responder: false,
        seq: 0,
        syn: false,
        fin: false,
        rst: false,
        payload: &[],
        wire_len: 0,
        packet: 1,
        file: 0,
        time: 1_722_007_774_000_000_000,
    }
}
