//! What both directions of a control stream say together: evidence that it is NDMP, versions, requests and replies.

use std::collections::VecDeque;

use super::{
    assembler::Stamp,
    bodies::{self, Outcome},
    events::{Events, Row, Status},
    header::Header,
    message::{self, Sender},
    negotiation::Negotiation,
};
use crate::app::tls::Repeated;

/// Requests remembered per direction; sessions have one or two open at a time.
const MAX_PENDING: usize = 64;
/// Messages held back at most while it is not sure that they are NDMP.
const MAX_HELD: usize = 64;
/// Fields of bodies kept per stream: what an honest session has is far below.
const MAX_FIELDS: usize = 1 << 16;
/// How far the sender's clock may be from the capture's before a header is not believed by its time alone.
const CLOCK: u64 = 2 * 86_400;
/// The same, once the sender's clock is known.
pub const KNOWN_CLOCK: u64 = 3_600;

/// Seconds by which the sender's clock is ahead of the capture's; `None` for a time stamp that is no time.
#[must_use]
pub fn ahead(header: &Header, stamp: Stamp) -> Option<i64> {
    (header.time != 0).then(|| i64::from(header.time) - stamp.time / 1_000_000_000)
}

/// The first message of an NDMP server, captured whole.
#[must_use]
pub fn is_greeting(outcome: &Outcome) -> bool {
    outcome.number("reason").is_some_and(|reason| reason <= 2)
        && outcome.number("protocol_version").is_some_and(|version| (1..=5).contains(&version))
}

/// Plausible body lengths of a greeting: three words and a text.
pub const GREETING_LENGTHS: std::ops::RangeInclusive<usize> = 12..=524;

/// A record as the framer found it.
#[derive(Debug)]
pub struct Raw<'a> {
    /// Direction, 0 or 1.
    pub side: usize,
    /// Its header.
    pub header: Header,
    /// What is there of the body.
    pub body: &'a [u8],
    /// Bytes of the whole body.
    pub total: usize,
    /// Record length without markers.
    pub length: u32,
    /// The how-manieth record in a row, from 1.
    pub streak: u32,
    /// Packet that stands for it.
    pub stamp: Stamp,
    /// Status that framing alone decides.
    pub override_status: Option<Status>,
    /// The body was captured whole, but is longer than what is kept of one.
    pub shortened: bool,
}

/// A request that waits for its reply.
#[derive(Clone, Debug)]
struct Pending {
    sequence: u32,
    message: u32,
}

/// State that both directions share.
#[derive(Clone, Debug)]
pub struct Talk {
    flow: u32,
    from_start: bool,
    negotiation: Negotiation,
    pending: [VecDeque<Pending>; 2],
    /// Seconds by which a direction's clock is ahead of the capture's.
    skew: [Option<i64>; 2],
    /// Messages that show this direction to be the server.
    server_votes: [u32; 2],
    /// Records whose body a layout explained to the last byte.
    exact: u32,
    /// Where the latest message of each direction was.
    latest: [Stamp; 2],
    greeted: bool,
    confirmed: bool,
    held: Events,
    fields_left: usize,
    tls_packet: Option<u64>,
    handshakes: Repeated,
    messages: u64,
    not_captured: u64,
}

impl Talk {
    /// The talk of a flow.
    #[must_use]
    pub fn new(flow: u32, from_start: bool) -> Self {
        Self {
            flow,
            from_start,
            negotiation: Negotiation::new(0),
            pending: Default::default(),
            skew: [None; 2],
            server_votes: [0; 2],
            exact: 0,
            latest: [Stamp::default(); 2],
            greeted: false,
            confirmed: false,
            held: Events::default(),
            fields_left: MAX_FIELDS,
            tls_packet: None,
            handshakes: Repeated::default(),
            messages: 0,
            not_captured: 0,
        }
    }

    /// It is NDMP.
    #[must_use]
    pub fn confirmed(&self) -> bool {
        self.confirmed
    }

    /// The direction that the dialogue shows to be the server, if all agree.
    #[must_use]
    pub fn server(&self) -> Option<usize> {
        match self.server_votes {
            [0, 0] => None,
            [_, 0] => Some(0),
            [0, _] => Some(1),
            _ => None,
        }
    }

    /// Some direction went over to TLS.
    #[must_use]
    pub fn in_tls(&self) -> bool {
        self.tls_packet.is_some()
    }

    /// TLS begins in this packet, in one direction or in both.
    pub fn tls_began(&mut self, stamp: Stamp) {
        self.tls_packet.get_or_insert(stamp.packet);
        self.handshakes.begin(self.flow, stamp);
    }

    /// The next bytes of a direction that is in TLS.
    pub fn tls_bytes(&mut self, side: usize, bytes: &[u8]) {
        self.handshakes.take(side, bytes);
    }

    /// Bytes of a direction that is in TLS are missing.
    pub fn tls_missed(&mut self, side: usize) {
        self.handshakes.miss(side);
    }

    /// A direction speaks in clear again: the next TLS is another one.
    pub fn tls_ended(&mut self, side: usize) {
        self.handshakes.end(side);
    }

    /// Bytes held, about.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.held.messages.len() * size_of::<Row>() + self.held.fields.len() * 40 + self.handshakes.memory()
    }

    /// A header found while searching is believed without looking further: it answers a request that waits, or the
    /// sender's clock agrees with the capture's.
    #[must_use]
    pub fn vouches(&self, side: usize, header: &Header, stamp: Stamp) -> bool {
        if header.is_reply() && self.find_request(side, header).is_some() {
            return true;
        }
        let near = ahead(header, stamp).is_some_and(|ahead| match self.skew.get(side).copied().flatten() {
            Some(skew) => ahead.abs_diff(skew) <= KNOWN_CLOCK,
            None => ahead.abs_diff(0) <= CLOCK,
        });
        near && message::entry(header.message).is_some()
    }

    /// Takes a record: decodes it, learns from it, and gives it on.
    pub fn record(&mut self, raw: &Raw<'_>, sink: &mut Events) {
        let version = self.negotiation.version();
        let mut outcome = bodies::decode(&raw.header, raw.body, raw.total, version);
        if raw.shortened && outcome.status == Status::NotCaptured {
            outcome.status = Status::Opaque;
        }
        if let Some(status) = raw.override_status {
            outcome.status = status;
            outcome.exact = false;
        }
        if outcome.status == Status::Malformed || outcome.fields.len() > self.fields_left {
            outcome.fields.clear();
        }
        let matched = self.match_reply(raw.side, &raw.header);
        self.confirmed = self.confirmed || self.convinces(raw, &outcome, matched);
        self.learn(raw, &outcome, matched);
        self.messages += 1;
        self.not_captured += u64::from(outcome.status == Status::NotCaptured);

        let stamp = self.in_order(raw);
        let row = self.row(raw, stamp, &outcome, version.number);
        if self.confirmed && !self.held.messages.is_empty() {
            sink.absorb(&mut self.held);
        }
        let target = if self.confirmed { sink } else { &mut self.held };
        let before = target.fields.len();
        target.add(&row, &outcome.fields);
        self.fields_left = self.fields_left.saturating_sub(target.fields.len() - before);
    }

    /// Gives the stream's own row.
    pub fn finish(&mut self, skipped: u64, sink: &mut Events) {
        if !self.confirmed {
            self.held = Events::default();
            return;
        }
        sink.handshakes.append(&mut std::mem::take(&mut self.handshakes).finish());
        let streams = &mut sink.streams;
        streams.flow.push(self.flow);
        streams.began.push(u8::from(!self.from_start && !self.greeted));
        streams.tls.push(self.tls_packet.is_some());
        streams.tls_packet.push(self.tls_packet.unwrap_or(0));
        streams.messages.push(self.messages);
        streams.not_captured.push(self.not_captured);
        streams.skipped_bytes.push(skipped);
    }

    /// The packet that completed the message: never before the one that completed the message before it.
    fn in_order(&mut self, raw: &Raw<'_>) -> Stamp {
        let Some(latest) = self.latest.get_mut(raw.side) else { return raw.stamp };
        if (raw.stamp.file, raw.stamp.packet) > (latest.file, latest.packet) {
            *latest = raw.stamp;
        }
        *latest
    }

    fn row(&self, raw: &Raw<'_>, stamp: Stamp, outcome: &Outcome, version: u8) -> Row {
        let header = &raw.header;
        let body_error =
            outcome.number("error").filter(|_| header.is_reply()).and_then(|code| u32::try_from(code).ok());
        Row {
            flow: self.flow,
            packet: stamp.packet,
            file: stamp.file,
            time: stamp.time,
            from_responder: raw.side == 1,
            message: header.message,
            reply: header.is_reply(),
            sequence: header.sequence,
            reply_sequence: header.reply_sequence,
            error: if header.error == 0 { body_error.unwrap_or(0) } else { header.error },
            version,
            status: outcome.status,
            length: raw.length,
        }
    }

    /// This record, with what came before, proves the stream to be NDMP.
    fn convinces(&mut self, raw: &Raw<'_>, outcome: &Outcome, matched: bool) -> bool {
        self.exact = self.exact.saturating_add(outcome.exact.into());
        let header = &raw.header;
        let first = header.message == message::NOTIFY_CONNECTED && header.sequence <= 1;
        let greeting = first && if outcome.exact { is_greeting(outcome) } else { self.is_cut_greeting(raw, outcome) };
        let timely = outcome.exact && self.vouches(raw.side, header, raw.stamp);
        let run = raw.streak >= 3 || raw.streak == 2 && self.exact >= 1 || self.exact >= 2;
        greeting || matched || timely || run || self.held.messages.len() >= MAX_HELD
    }

    /// The first message of all, cut by the snaplen, but of a greeting's length.
    fn is_cut_greeting(&self, raw: &Raw<'_>, outcome: &Outcome) -> bool {
        self.messages == 0 && outcome.status == Status::NotCaptured && GREETING_LENGTHS.contains(&raw.total)
    }

    /// Remembers what later messages are understood by.
    fn learn(&mut self, raw: &Raw<'_>, outcome: &Outcome, matched: bool) {
        let header = &raw.header;
        let sender =
            message::entry(header.message).filter(|entry| entry.code < message::VENDOR).map(|entry| entry.sender);
        let server = match (sender, header.is_reply()) {
            (Some(Sender::Client), false) => Some(1 - raw.side),
            (Some(_), _) => Some(raw.side),
            (None, _) => None,
        };
        if let Some(votes) = server.and_then(|side| self.server_votes.get_mut(side)) {
            *votes = votes.saturating_add(1);
        }
        if let Some(skew) = self.skew.get_mut(raw.side).filter(|_| self.confirmed) {
            *skew = skew.or_else(|| ahead(header, raw.stamp));
        }
        if !header.is_reply() && sender != Some(Sender::Server) {
            self.await_reply(raw.side, header);
        }
        self.negotiate(header, outcome, matched);
    }

    fn negotiate(&mut self, header: &Header, outcome: &Outcome, matched: bool) {
        let offered = outcome.number("protocol_version").and_then(|number| u8::try_from(number).ok());
        match (header.message, header.is_reply()) {
            (message::NOTIFY_CONNECTED, false) if outcome.status == Status::Decoded => {
                self.greeted = true;
                self.negotiation.greeted(offered.unwrap_or(0));
            }
            (message::NOTIFY_CONNECTED, false) => self.greeted = true,
            (message::CONNECT_OPEN, false) => self.negotiation.asked(offered),
            (message::CONNECT_OPEN, true) => {
                let error = if header.error == 0 { outcome.number("error") } else { Some(header.error.into()) };
                self.negotiation.answered(error, matched);
            }
            _ if outcome.status == Status::Decoded => self.negotiation.fitted(outcome.fits),
            _ => {}
        }
    }

    fn await_reply(&mut self, side: usize, header: &Header) {
        if let Some(pending) = self.pending.get_mut(side) {
            if pending.len() == MAX_PENDING {
                pending.pop_front();
            }
            pending.push_back(Pending { sequence: header.sequence, message: header.message });
        }
    }

    /// The waiting request of the other direction that this reply answers.
    fn find_request(&self, side: usize, header: &Header) -> Option<usize> {
        let asked = self.pending.get(1 - side)?;
        asked.iter().position(|one| one.sequence == header.reply_sequence && one.message == header.message)
    }

    fn match_reply(&mut self, side: usize, header: &Header) -> bool {
        if !header.is_reply() {
            return false;
        }
        let Some(index) = self.find_request(side, header) else { return false };
        if let Some(asked) = self.pending.get_mut(1 - side) {
            asked.remove(index);
        }
        true
    }
}
