//! Record framing of one direction: finds records in a stream that may have holes, foreign bytes and TLS in it.

use std::{borrow::Cow, collections::VecDeque};

use super::{
    assembler::{Piece, Stamp},
    events::{Events, Status},
    header::{self, HEADER, MAX_RECORD, PROLOGUE},
    open::{End, Open},
    search::Search,
    talk::{Raw, Talk},
    tls::{self, Tls},
};

/// Where in the stream the framer is.
#[derive(Clone, Debug)]
enum State {
    /// At the start of a record, of which some bytes may be there.
    Start(Vec<u8>),
    /// Inside a record whose header was read.
    Record(Box<Open>),
    /// Inside TLS.
    Tls(Tls),
    /// Not in step with the records: searching.
    Search(Search),
}

/// What a step leaves to be done with the bytes it took.
type Again = Vec<(Vec<u8>, Stamp)>;

/// Finds the records of one direction.
#[derive(Clone, Debug)]
pub struct Framer {
    side: usize,
    state: State,
    /// Records in a row since the framer last had to search.
    streak: u32,
    skipped: u64,
}

impl Framer {
    /// A framer of direction `side`; `from_start` when the stream's first byte is the first it gets.
    #[must_use]
    pub fn new(side: usize, from_start: bool) -> Self {
        let state = if from_start { State::Start(Vec::new()) } else { State::Search(Search::default()) };
        Self { side, state, streak: 0, skipped: 0 }
    }

    /// Captured bytes that were no NDMP.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Bytes held.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.state {
            State::Start(head) => head.capacity(),
            State::Record(open) => open.body.capacity() + size_of::<Open>(),
            State::Tls(_) => 0,
            State::Search(search) => search.memory(),
        }
    }

    /// Takes the next piece of the stream.
    pub fn take(&mut self, piece: Piece<'_>, talk: &mut Talk, sink: &mut Events) {
        match piece {
            Piece::Data(bytes, stamp) => self.data(Cow::Borrowed(bytes), stamp, talk, sink),
            Piece::Missing(len) => {
                self.exhaust(talk, sink);
                self.missing(len, talk, sink);
            }
        }
    }

    /// The stream is over.
    pub fn finish(&mut self, talk: &mut Talk, sink: &mut Events) {
        self.exhaust(talk, sink);
        let state = std::mem::replace(&mut self.state, State::Search(Search::default()));
        match state {
            State::Record(open) => self.give(&open, false, talk, sink),
            State::Start(head) => self.skipped += head.len() as u64,
            State::Search(search) => self.skipped += search.held(),
            State::Tls(_) => {}
        }
    }

    /// No byte follows those that a search holds: takes the records that are among them.
    fn exhaust(&mut self, talk: &mut Talk, sink: &mut Events) {
        while let State::Search(search) = &mut self.state {
            let (skipped, found) = search.exhaust(self.side, talk);
            self.skipped += skipped;
            if found.is_empty() {
                return;
            }
            self.state = State::Start(Vec::new());
            for (bytes, stamp) in found {
                self.data(Cow::Owned(bytes), stamp, talk, sink);
            }
        }
    }

    /// Works through bytes with an explicit queue: bytes that a search held back come again, without recursion.
    fn data(&mut self, bytes: Cow<'_, [u8]>, stamp: Stamp, talk: &mut Talk, sink: &mut Events) {
        let mut todo = VecDeque::from([(bytes, stamp, 0)]);
        while let Some((bytes, stamp, mut at)) = todo.pop_front() {
            let (taken, again) = self.step(bytes.get(at..).unwrap_or_default(), at == 0, stamp, talk, sink);
            at += taken;
            if at < bytes.len() {
                todo.push_front((bytes, stamp, at));
            }
            for (bytes, stamp) in again.into_iter().rev() {
                todo.push_front((Cow::Owned(bytes), stamp, 0));
            }
        }
    }

    /// Takes some of the bytes; gives how many (0 only with a change of state), and what is to be taken again before
    /// the rest.
    fn step(&mut self, bytes: &[u8], fresh: bool, stamp: Stamp, talk: &mut Talk, sink: &mut Events) -> (usize, Again) {
        match &mut self.state {
            State::Start(_) => self.start(bytes, stamp, talk, sink),
            State::Record(open) => {
                let (taken, end) = open.take(bytes, stamp);
                self.end_record(end, talk, sink);
                (taken, Again::new())
            }
            State::Tls(tls) => match tls.take(bytes, fresh) {
                tls::Step::Taken(taken) => {
                    talk.tls_bytes(self.side, bytes.get(..taken).unwrap_or(bytes));
                    (taken, Again::new())
                }
                tls::Step::Ndmp(head, taken) => {
                    talk.tls_ended(self.side);
                    self.state = State::Start(Vec::new());
                    (taken, vec![(head, stamp)])
                }
            },
            State::Search(search) => {
                if fresh && tls::begins(bytes, talk.in_tls()) {
                    self.skipped += search.held();
                    talk.tls_began(stamp);
                    self.state = State::Tls(Tls::default());
                    return (0, Again::new());
                }
                let (taken, skipped, found) = search.take(bytes, stamp, self.side, talk);
                self.skipped += skipped;
                if !found.is_empty() {
                    self.state = State::Start(Vec::new());
                }
                (taken, found)
            }
        }
    }

    /// Collects the start of a record until its header can be judged.
    fn start(&mut self, bytes: &[u8], stamp: Stamp, talk: &mut Talk, sink: &mut Events) -> (usize, Again) {
        let State::Start(head) = &mut self.state else { return (bytes.len(), Again::new()) };
        let taken = bytes.len().min(PROLOGUE - head.len());
        head.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if tls::begins(head, talk.in_tls()) {
            let head = std::mem::take(head);
            talk.tls_began(stamp);
            self.state = State::Tls(Tls::default());
            return (taken, vec![(head, stamp)]);
        }
        match header::prologue(head) {
            None => (taken, Again::new()),
            Some(Ok((marker, header))) => {
                let open = Open::new(marker, header, stamp);
                let end = open.end();
                self.state = State::Record(Box::new(open));
                self.end_record(end, talk, sink);
                (taken, Again::new())
            }
            Some(Err(_)) => {
                let head = std::mem::take(head);
                self.lose();
                (taken, vec![(head, stamp)])
            }
        }
    }

    fn lose(&mut self) {
        self.state = State::Search(Search::default());
        self.streak = 0;
    }

    /// Acts on what a step found about the record.
    fn end_record(&mut self, end: End, talk: &mut Talk, sink: &mut Events) {
        if end == End::Open {
            return;
        }
        let state = std::mem::replace(&mut self.state, State::Start(Vec::new()));
        if let State::Record(open) = state {
            self.give(&open, end == End::Broken, talk, sink);
        }
        if end == End::Broken {
            self.lose();
        }
    }

    /// Bytes are missing here.
    fn missing(&mut self, len: u64, talk: &mut Talk, sink: &mut Events) {
        match &mut self.state {
            State::Record(open) => {
                let (rest, end) = open.miss(len);
                match end {
                    // The hole swallowed the marker of the next fragment.
                    End::Open if rest > 0 => {
                        self.end_record(End::Broken, talk, sink);
                    }
                    End::Done if rest > 0 => {
                        self.end_record(End::Done, talk, sink);
                        self.lose();
                    }
                    end => self.end_record(end, talk, sink),
                }
            }
            State::Start(head) => {
                self.skipped += head.len() as u64;
                self.lose();
            }
            State::Tls(tls) => {
                talk.tls_missed(self.side);
                tls.miss(len);
            }
            State::Search(search) => {
                self.skipped += search.held();
                search.clear();
            }
        }
    }

    fn give(&mut self, open: &Open, broken: bool, talk: &mut Talk, sink: &mut Events) {
        self.streak = self.streak.saturating_add(1);
        // Without the last marker the body has no known end, and no layout may claim to reach it.
        let length = if open.last { open.length } else { MAX_RECORD };
        let total = (length as usize).saturating_sub(HEADER);
        let done = open.whole && open.end() == End::Done;
        let override_status = match (broken, open.whole, done) {
            (true, true, _) => Some(Status::Malformed),
            (_, _, false) => Some(Status::NotCaptured),
            _ => None,
        };
        let raw = Raw {
            side: self.side,
            header: open.header,
            body: &open.body,
            total,
            length: open.length,
            streak: self.streak,
            stamp: if open.whole { open.ended } else { open.began },
            override_status,
            shortened: open.whole && open.body.len() < total,
        };
        talk.record(&raw, sink);
    }
}
