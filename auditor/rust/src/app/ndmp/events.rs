//! What a reading of control streams gives, in columns.

use std::collections::{HashMap, HashSet};

use super::pulse::Beats;
use crate::app::names::Name;
use crate::app::tls::Details;

/// What became of a message's body. The discriminant indexes [`MESSAGE_STATUS`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Read by its layout to the end of the record (file history and device data: only counted).
    Decoded,
    /// Cut by the snaplen or lost; fields that were captured whole may still be there.
    NotCaptured,
    /// Breaks the layout of every version that may apply.
    Malformed,
    /// No layout is known for it, or several fit and differ.
    Opaque,
}

/// Names of [`Status`].
pub const MESSAGE_STATUS: &[&str] = &["decoded", "not-captured", "malformed", "opaque"];

/// Columns of the message table; see `MESSAGE_COLUMNS` of `auditor/ndmp.py`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Row of the flow table.
    pub flow: Vec<u32>,
    /// Packet that completed the message; of its header when the body was not captured.
    pub packet: Vec<u64>,
    /// Capture of that packet.
    pub file: Vec<u32>,
    /// Time of that packet, ns.
    pub time: Vec<i64>,
    /// Sent by the responder.
    pub from_responder: Vec<bool>,
    /// Message code.
    pub message: Vec<u32>,
    /// A reply.
    pub reply: Vec<bool>,
    /// Sequence number of the sender.
    pub sequence: Vec<u32>,
    /// Sequence of the request answered.
    pub reply_sequence: Vec<u32>,
    /// Error of the header, or of the body where the header has none.
    pub error: Vec<u32>,
    /// NDMP version in force, 0 unknown.
    pub version: Vec<u8>,
    /// [`Status`] as a code.
    pub status: Vec<u8>,
    /// Record length without markers.
    pub length: Vec<u32>,
}

/// One row of [`Messages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub flow: u32,
    pub packet: u64,
    pub file: u32,
    pub time: i64,
    pub from_responder: bool,
    pub message: u32,
    pub reply: bool,
    pub sequence: u32,
    pub reply_sequence: u32,
    pub error: u32,
    pub version: u8,
    pub status: Status,
    pub length: u32,
}

impl Messages {
    /// Messages in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flow.len()
    }

    /// No message at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flow.is_empty()
    }

    pub(super) fn push(&mut self, row: &Row) {
        self.flow.push(row.flow);
        self.packet.push(row.packet);
        self.file.push(row.file);
        self.time.push(row.time);
        self.from_responder.push(row.from_responder);
        self.message.push(row.message);
        self.reply.push(row.reply);
        self.sequence.push(row.sequence);
        self.reply_sequence.push(row.reply_sequence);
        self.error.push(row.error);
        self.version.push(row.version);
        self.status.push(row.status as u8);
        self.length.push(row.length);
    }

    fn append(&mut self, other: &mut Self) {
        self.flow.append(&mut other.flow);
        self.packet.append(&mut other.packet);
        self.file.append(&mut other.file);
        self.time.append(&mut other.time);
        self.from_responder.append(&mut other.from_responder);
        self.message.append(&mut other.message);
        self.reply.append(&mut other.reply);
        self.sequence.append(&mut other.sequence);
        self.reply_sequence.append(&mut other.reply_sequence);
        self.error.append(&mut other.error);
        self.version.append(&mut other.version);
        self.status.append(&mut other.status);
        self.length.append(&mut other.length);
    }

    pub(super) fn permute(&mut self, order: &[usize]) {
        permute(&mut self.flow, order);
        permute(&mut self.packet, order);
        permute(&mut self.file, order);
        permute(&mut self.time, order);
        permute(&mut self.from_responder, order);
        permute(&mut self.message, order);
        permute(&mut self.reply, order);
        permute(&mut self.sequence, order);
        permute(&mut self.reply_sequence, order);
        permute(&mut self.error, order);
        permute(&mut self.version, order);
        permute(&mut self.status, order);
        permute(&mut self.length, order);
    }
}

/// Columns of the field table; see `FIELD_COLUMNS` of `auditor/ndmp.py`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Row of the message table.
    pub message: Vec<u32>,
    /// Index into [`super::FIELD_NAMES`].
    pub name: Vec<u16>,
    /// Value of a number, port of an address, else 0.
    pub number: Vec<u64>,
    /// Index into [`Events::texts`], -1 for none.
    pub text: Vec<i32>,
    /// Address (IPv4 mapped), meaningful where `has_address`; the caller interns it.
    pub address: Vec<[u8; 16]>,
    /// There is an address.
    pub has_address: Vec<bool>,
}

impl Fields {
    /// Fields in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.message.len()
    }

    /// No field at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message.is_empty()
    }

    pub(super) fn push(&mut self, message: u32, name: u16, number: u64, text: i32, address: Option<[u8; 16]>) {
        self.message.push(message);
        self.name.push(name);
        self.number.push(number);
        self.text.push(text);
        self.address.push(address.unwrap_or_default());
        self.has_address.push(address.is_some());
    }

    pub(super) fn permute(&mut self, order: &[usize]) {
        permute(&mut self.message, order);
        permute(&mut self.name, order);
        permute(&mut self.number, order);
        permute(&mut self.text, order);
        permute(&mut self.address, order);
        permute(&mut self.has_address, order);
    }
}

/// Columns of the stream table; see `STREAM_COLUMNS` of `auditor/ndmp.py`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// Row of the flow table.
    pub flow: Vec<u32>,
    /// 0 seen from the greeting, 1 joined mid-stream.
    pub began: Vec<u8>,
    /// Went over to TLS.
    pub tls: Vec<bool>,
    /// Packet in which TLS began, 0 for none.
    pub tls_packet: Vec<u64>,
    /// Messages whose header was read.
    pub messages: Vec<u64>,
    /// Messages whose body was cut or lost.
    pub not_captured: Vec<u64>,
    /// Captured bytes that could not be read as NDMP, both directions; TLS is not counted.
    pub skipped_bytes: Vec<u64>,
}

impl Streams {
    pub(super) fn permute(&mut self, order: &[usize]) {
        permute(&mut self.flow, order);
        permute(&mut self.began, order);
        permute(&mut self.tls, order);
        permute(&mut self.tls_packet, order);
        permute(&mut self.messages, order);
        permute(&mut self.not_captured, order);
        permute(&mut self.skipped_bytes, order);
    }
}

/// Messages, and fields of messages, kept of all streams: half a GiB each.
const MAX_ROWS: usize = 8 << 20;

/// Everything read from control streams. Call [`Events::arrange`] once when all streams are finished.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Messages.
    pub messages: Messages,
    /// Fields of messages.
    pub fields: Fields,
    /// Texts that `Fields::text` indexes into, each once.
    pub texts: Vec<String>,
    /// One row per confirmed stream.
    pub streams: Streams,
    /// Segments of control connections, by flow.
    pub beats: Beats,
    /// What TLS handshakes showed, those inside control streams among them.
    pub handshakes: Vec<Details>,
    /// Names of hosts, in order of their packets.
    pub names: Vec<Name>,
    pub(super) known_texts: HashMap<String, i32>,
    /// Flows whose messages have `from_responder` the old way round.
    pub(super) flipped: HashSet<u32>,
}

impl Events {
    /// Sorts messages by flow, file and packet (fields follow; streams by flow) and corrects the direction of
    /// streams that were flipped on the way. Idempotent.
    pub fn arrange(&mut self) {
        for (flow, from_responder) in self.messages.flow.iter().zip(&mut self.messages.from_responder) {
            *from_responder ^= self.flipped.contains(flow);
        }
        self.flipped.clear();

        let rows = &self.messages;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| (rows.flow[row], rows.file[row], rows.packet[row]));
        let mut place = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        self.messages.permute(&order);

        for message in &mut self.fields.message {
            *message = place[*message as usize];
        }
        let mut order: Vec<usize> = (0..self.fields.len()).collect();
        order.sort_by_key(|&row| self.fields.message[row]);
        self.fields.permute(&order);

        let mut order: Vec<usize> = (0..self.streams.flow.len()).collect();
        order.sort_by_key(|&row| self.streams.flow[row]);
        self.streams.permute(&order);
    }

    /// No more messages are wanted: a capture that has so many was made to have them.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.messages.len() >= MAX_ROWS || self.fields.len() >= MAX_ROWS
    }

    /// The row of a text, -1 when there are too many to number.
    pub(super) fn intern(&mut self, text: &str) -> i32 {
        if let Some(&known) = self.known_texts.get(text) {
            return known;
        }
        let Ok(index) = i32::try_from(self.texts.len()) else { return -1 };
        self.texts.push(text.to_owned());
        self.known_texts.insert(text.to_owned(), index);
        index
    }

    /// Takes all messages and fields of another, which is left empty.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        let base = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        self.messages.append(&mut other.messages);
        let from = std::mem::take(&mut other.fields);
        for row in 0..from.len() {
            let text = usize::try_from(from.text[row]).ok().and_then(|text| other.texts.get(text));
            let text = text.map_or(-1, |text| self.intern(text));
            let address = from.has_address[row].then_some(from.address[row]);
            self.fields.push(base.saturating_add(from.message[row]), from.name[row], from.number[row], text, address);
        }
        *other = Self::default();
    }
}

/// Puts `column` in `order`, a permutation of its indices.
fn permute<T: Copy>(column: &mut Vec<T>, order: &[usize]) {
    *column = order.iter().map(|&row| column[row]).collect();
}
