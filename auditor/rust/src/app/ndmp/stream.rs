//! A control stream: both directions of one TCP connection that speaks NDMP.

use super::{
    assembler::{Assembler, Stamp},
    events::Events,
    framer::Framer,
    talk::Talk,
};

/// One TCP segment as captured.
#[allow(clippy::struct_excessive_bools)] // flags of the TCP header
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Sent by the responder of the connection.
    pub from_responder: bool,
    /// TCP sequence number of the segment (of the SYN itself when `syn`).
    pub seq: u32,
    /// SYN flag.
    pub syn: bool,
    /// FIN flag.
    pub fin: bool,
    /// RST flag.
    pub rst: bool,
    /// Captured part of the payload.
    pub payload: &'a [u8],
    /// Length of the payload on the wire; never less than `payload.len()`.
    pub wire_len: u32,
    /// Packet number.
    pub packet: u64,
    /// File of the packet.
    pub file: u32,
    /// Time of the packet, ns since the epoch.
    pub time: i64,
}

/// Reassembles and decodes one control connection. Segments without payload may be pushed (a SYN tells where the
/// stream begins) but need not be.
///
/// Whatever the segments hold, nothing panics, and memory stays bounded: by one record body of at most 1 MiB, a
/// quarter of a MiB of segments out of order and a few KiB per direction. What all streams together may hold is for the
/// caller to say: [`ControlStream::memory`] tells what one holds, [`ControlStream::give_up`] frees it.
#[derive(Clone, Debug)]
pub struct ControlStream {
    /// Directions as the caller had them at the beginning: originator, responder.
    sides: [Side; 2],
    talk: Talk,
    flow: u32,
    flipped: bool,
    finished: bool,
    /// Directions that said their last, bit by bit.
    ended: u8,
}

#[derive(Clone, Debug)]
struct Side {
    assembler: Assembler,
    framer: Framer,
}

impl ControlStream {
    /// A stream of `flow`; `from_start` when its beginning (SYN or first payload) is in the capture.
    #[must_use]
    pub fn new(flow: u32, from_start: bool) -> Self {
        let side = |side| Side { assembler: Assembler::default(), framer: Framer::new(side, from_start) };
        Self {
            sides: [side(0), side(1)],
            talk: Talk::new(flow, from_start),
            flow,
            flipped: false,
            finished: false,
            ended: 0,
        }
    }

    /// Takes one segment. Messages are held back until the stream is confirmed to be NDMP, then go to `sink`.
    pub fn push(&mut self, c: &Chunk<'_>, sink: &mut Events) {
        self.ended |= if c.rst { 3 } else { u8::from(c.fin) << u8::from(c.from_responder) };
        // The payload of an RST is a diagnostic text, no part of the stream.
        if c.rst || self.finished {
            return;
        }
        let Self { sides: [first, second], talk, flipped, .. } = self;
        let (own, other) = if c.from_responder ^ *flipped { (second, first) } else { (first, second) };
        if c.syn {
            own.assembler.begin(c.seq);
        }
        let seq = c.seq.wrapping_add(u32::from(c.syn));
        let payload = c.payload.get(..c.wire_len as usize).unwrap_or(c.payload);
        let stamp = Stamp { packet: c.packet, file: c.file, time: c.time };
        own.assembler.push(seq, c.wire_len, payload, stamp, &mut |piece| own.framer.take(piece, talk, sink));
        for side in [own, other] {
            side.assembler.tick(c.time, &mut |piece| side.framer.take(piece, talk, sink));
        }
    }

    /// The connection ended or the capture did: gives what was waiting for lost segments, and the stream's own row.
    /// A stream that was never confirmed gives nothing.
    pub fn finish(&mut self, sink: &mut Events) {
        self.close(0, sink);
    }

    /// There is no room for this stream any longer: it is finished before its time. Unless both sides had said their
    /// last, its row tells of bytes that were not read: those that it held, one at least.
    pub fn give_up(&mut self, sink: &mut Events) {
        let held = self.sides.iter().map(|side| side.assembler.memory() + side.framer.memory()).sum::<usize>();
        self.close(if self.ended == 3 { 0 } else { held.max(1) as u64 }, sink);
    }

    fn close(&mut self, lost: u64, sink: &mut Events) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let talk = &mut self.talk;
        for side in &mut self.sides {
            side.assembler.flush(&mut |piece| side.framer.take(piece, talk, sink));
            side.framer.finish(talk, sink);
        }
        let skipped = self.sides.iter().map(|side| side.framer.skipped()).sum::<u64>();
        talk.finish(skipped + lost, sink);
        if self.flipped && talk.confirmed() {
            sink.flipped.insert(self.flow);
        }
    }

    /// The caller found that originator and responder are the other way round; later chunks come the new way.
    /// Messages already given are corrected by [`Events::arrange`].
    pub fn flip(&mut self) {
        self.flipped = !self.flipped;
    }

    /// It is NDMP.
    #[must_use]
    pub fn confirmed(&self) -> bool {
        self.talk.confirmed()
    }

    /// The dialogue shows that the NDMP server is the originator as the caller has it: time to flip.
    #[must_use]
    pub fn server_is_originator(&self) -> bool {
        self.confirmed() && self.talk.server() == Some(usize::from(self.flipped))
    }

    /// Bytes held, about.
    #[must_use]
    pub fn memory(&self) -> usize {
        let sides: usize = self.sides.iter().map(|side| side.assembler.memory() + side.framer.memory()).sum();
        size_of::<Self>() + sides + self.talk.memory()
    }
}
