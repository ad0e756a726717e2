//! How programs talk: what is said in turns, as packets of TCP, UDP and ICMP one after the other.

use std::io;

use crate::{
    capture::Capture,
    frame::{ACK, Ends, FIN, PSH, RST, SYN, Segment},
    rng::Rng,
};

/// Bytes of a full segment.
pub const MSS: usize = 1448;

/// What comes next in a conversation. Pauses are in microseconds, before it comes.
pub enum Turn {
    /// One end (0 the originator) says something: `head`, then `fill` bytes of anything.
    Say { from: usize, head: Vec<u8>, fill: usize, pause: u64 },
    /// One end closes.
    Close { from: usize, pause: u64 },
    /// The originator breaks off.
    Break,
}

/// Says what comes next, at a time.
pub trait Script {
    /// Returns the next turn; after `Close` or `Break` it is not asked again.
    fn next(&mut self, now: u64, rng: &mut Rng) -> Turn;
}

/// A conversation that writes its packets one by one.
pub trait Talk {
    /// Writes at most one packet; returns the pause until the next, or nothing when all is said.
    fn step(&mut self, now: u64, capture: &mut Capture, rng: &mut Rng) -> io::Result<Option<u64>>;
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Opening,
    Answering,
    Confirming,
    Talking,
    Closing(usize),
    ClosingToo(usize),
    Over(usize),
}

/// A TCP connection: handshake, segments, an acknowledgement for every second, a segment sent twice now and then, the end.
pub struct Tcp<S> {
    ends: Ends,
    script: S,
    flow: usize,
    state: State,
    seq: [u32; 2],
    /// Of the turn: who speaks, what is left of head and filling.
    from: usize,
    head: Vec<u8>,
    fill: usize,
    unanswered: u8,
    /// The segment to send again: its sequence number and length.
    again: Option<(u32, usize)>,
}

impl<S: Script> Tcp<S> {
    /// A connection that is not open yet.
    pub fn new(ends: Ends, script: S, rng: &mut Rng) -> Self {
        let seq = [rng.any() as u32, rng.any() as u32];
        let (head, state) = (Vec::new(), State::Opening);
        Self { ends, script, flow: 0, state, seq, from: 0, head, fill: 0, unanswered: 0, again: None }
    }

    fn send(&mut self, now: u64, capture: &mut Capture, from: usize, segment: Segment<'_>) -> io::Result<()> {
        let clock = (now / 1000) as u32;
        capture.frame.tcp(&self.ends, from, &Segment { ack: self.seq[1 - from], clock, ..segment });
        capture.write(now, self.flow, &self.ends, from)
    }

    fn flags(&mut self, now: u64, capture: &mut Capture, from: usize, flags: u8) -> io::Result<()> {
        let seq = self.seq[from];
        self.send(now, capture, from, Segment { seq, flags, ..Segment::default() })?;
        self.seq[from] = seq.wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        Ok(())
    }

    /// Asks what comes next.
    fn turn(&mut self, now: u64, capture: &mut Capture, rng: &mut Rng) -> io::Result<Option<u64>> {
        match self.script.next(now, rng) {
            Turn::Say { from, head, fill, pause } => {
                (self.from, self.head, self.fill) = (from, head, fill);
                Ok(Some(pause))
            }
            Turn::Close { from, pause } => {
                self.state = State::Closing(from);
                Ok(Some(pause))
            }
            Turn::Break => self.flags(now, capture, 0, RST | ACK).map(|()| None),
        }
    }

    fn say(&mut self, now: u64, capture: &mut Capture, rng: &mut Rng) -> io::Result<Option<u64>> {
        let from = self.from;
        if let Some((seq, fill)) = self.again.take() {
            self.send(now, capture, from, Segment { seq, flags: ACK, fill, ..Segment::default() })?;
            return Ok(Some(rng.between(8, 60)));
        }
        if self.unanswered == 2 || (self.unanswered == 1 && self.head.is_empty() && self.fill == 0) {
            self.unanswered = 0;
            self.flags(now, capture, 1 - from, ACK)?;
            return Ok(Some(rng.between(5, 30)));
        }
        if self.head.is_empty() && self.fill == 0 {
            return self.turn(now, capture, rng);
        }
        let said = self.head.len().min(MSS);
        let rest = self.head.split_off(said);
        let head = std::mem::replace(&mut self.head, rest);
        let fill = self.fill.min(MSS - said);
        self.fill -= fill;
        let last = self.head.is_empty() && self.fill == 0;
        let (seq, flags) = (self.seq[from], if last { ACK | PSH } else { ACK });
        self.send(now, capture, from, Segment { seq, flags, head: &head, fill, ..Segment::default() })?;
        self.seq[from] = seq.wrapping_add((said + fill) as u32);
        self.unanswered += 1;
        if said == 0 && rng.chance(1) {
            self.again = Some((seq, fill));
            return Ok(Some(200));
        }
        Ok(Some(rng.between(8, 16)))
    }
}

impl<S: Script> Talk for Tcp<S> {
    fn step(&mut self, now: u64, capture: &mut Capture, rng: &mut Rng) -> io::Result<Option<u64>> {
        let (flags, from, next, pause) = match self.state {
            State::Opening => {
                self.flow = capture.truth.flow(&self.ends);
                (SYN, 0, State::Answering, rng.between(80, 400))
            }
            State::Answering => (SYN | ACK, 1, State::Confirming, rng.between(20, 100)),
            State::Confirming => (ACK, 0, State::Talking, rng.between(50, 500)),
            State::Talking => return self.say(now, capture, rng),
            State::Closing(from) => (FIN | ACK, from, State::ClosingToo(from), rng.between(50, 400)),
            State::ClosingToo(from) => (FIN | ACK, 1 - from, State::Over(from), rng.between(50, 400)),
            State::Over(from) => {
                self.flags(now, capture, from, ACK)?;
                return Ok(None);
            }
        };
        self.flags(now, capture, from, flags)?;
        self.state = next;
        Ok(Some(pause))
    }
}

/// Datagrams, or echoes: each turn is one packet.
pub struct Datagrams<S> {
    ends: Ends,
    script: S,
    flow: Option<usize>,
    said: Option<(usize, Vec<u8>)>,
    echoes: u16,
}

impl<S: Script> Datagrams<S> {
    /// A conversation in which nothing was said yet.
    pub fn new(ends: Ends, script: S) -> Self {
        Self { ends, script, flow: None, said: None, echoes: 0 }
    }
}

impl<S: Script> Talk for Datagrams<S> {
    fn step(&mut self, now: u64, capture: &mut Capture, rng: &mut Rng) -> io::Result<Option<u64>> {
        if let Some((from, said)) = self.said.take() {
            let flow = *self.flow.get_or_insert_with(|| capture.truth.flow(&self.ends));
            if self.ends.protocol == 17 {
                capture.frame.udp(&self.ends, from, &said);
            } else {
                self.echoes += u16::from(from == 0);
                let id = u16::from_be_bytes([said[0], said[1]]);
                capture.frame.echo(&self.ends, from, id, self.echoes);
            }
            capture.write(now, flow, &self.ends, from)?;
        }
        match self.script.next(now, rng) {
            Turn::Say { from, head, pause, .. } => {
                self.said = Some((from, head));
                Ok(Some(pause))
            }
            Turn::Close { .. } | Turn::Break => Ok(None),
        }
    }
}
