//! Frames into the flow table, one by one, in batches and in trains.

use std::sync::Arc;

use crate::assembly::{Reading, assemble};
use crate::capture::{Pieces, Run};
use crate::decode::{Headers, decode, quick};
use crate::duplicates::Duplicates;
use crate::entry::{AHEAD, Entry};
use crate::facts::FileFacts;
use crate::flow::{Place, Stamp, Tracker};
use crate::frame::Frame;
use crate::frames::Frames;
use crate::merge::Merged;
use crate::options::Options;
use crate::problem::Problem;
use crate::sink::Sink;
use crate::tabulate::tabulate;
use crate::train::Train;

/// Frames go into the flow table at once.
impl Sink for Pass {
    const HANDS_ON: bool = false;

    #[inline]
    fn take(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32) {
        self.frame(frame, facts, file);
    }

    fn take_run(&mut self, run: &mut Run<'_>, facts: &mut FileFacts) {
        let mut frames = std::mem::take(&mut self.frames);
        // Where duplicates are looked for, every packet is looked at on its own.
        while self.duplicates.left == 0 {
            frames.entries.resize(AHEAD, Entry::default());
            let count = run.fill::<false>(&mut frames.entries, &mut frames.trains, facts);
            self.follow_all(&frames.entries[..count], &frames.trains, run.buffer(), facts);
            frames.trains.clear();
            if count < AHEAD {
                break;
            }
        }
        self.frames = frames;
    }

    fn take_walked(&mut self, _frames: &mut Frames) {}

    fn opened(&mut self, _pieces: &Arc<Pieces>) {}

    fn joined(&mut self) {
        self.duplicates.look();
    }

    fn settle(&mut self, _buffer: &[u8]) {}

    fn retired(&mut self, _buffer: Vec<u8>, _pieces: &Arc<Pieces>) {}
}

/// The state of a reading between files.
pub(crate) struct Pass {
    pub(crate) tracker: Tracker,
    duplicates: Duplicates,
    /// Every frame takes the general path.
    plain: bool,
    /// Threads that are wanted.
    threads: usize,
    /// Segments that TCP had seen before, up to the last time that this was looked at.
    repeated: u64,
    /// Packets so far.
    pub(crate) serial: u64,
    /// Room for a batch.
    frames: Frames,
}

impl Pass {
    /// A pass over nothing so far.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            tracker: Tracker::new(options.known_ports.clone(), options.ndmp_ports.clone()),
            duplicates: Duplicates::new(!options.keep_duplicates),
            plain: options.plain,
            threads: options.threads,
            repeated: 0,
            serial: 0,
            frames: Frames::default(),
        }
    }

    #[inline]
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32) {
        facts.count(frame);
        self.follow(frame, facts, file);
    }

    /// So many frames are left out.
    pub(crate) fn pass_over(&mut self, count: u64) {
        self.serial += count;
    }

    /// Takes a frame that was counted.
    #[inline]
    pub(crate) fn follow(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32) {
        let stamp = Stamp { serial: self.serial, file, time: frame.time, wire_len: frame.wire_len };
        self.serial += 1;
        match quick(frame) {
            Some(headers) if !self.plain => self.common(&headers, frame, facts, &stamp),
            _ => self.uncommon(frame, facts, &stamp),
        }
        self.look_for_hints();
    }

    /// Takes common frames that were counted, all of one file, out of a buffer that begins at an address.
    pub(crate) fn follow_all(
        &mut self,
        entries: &[Entry],
        trains: &[Train],
        buffer: (&[u8], usize),
        facts: &mut FileFacts,
    ) {
        let mut places = [Place::default(); AHEAD];
        for entries in entries.chunks(AHEAD) {
            for (place, entry) in places.iter_mut().zip(entries) {
                *place = self.tracker.place(&entry.headers, || entry.first_data(buffer));
            }
            let places = &places[..entries.len()];
            self.tracker.look_ahead(places);
            for (entry, place) in entries.iter().zip(places) {
                let Entry { file, time, wire_len, headers, .. } = entry;
                let stamp = Stamp { serial: self.serial, file: *file, time: *time, wire_len: *wire_len };
                if let Some(train) = entry.train().map(|place| &trains[place]) {
                    self.follow_train(train, (entry, place), buffer, facts);
                    continue;
                }
                self.serial += 1;
                if self.duplicates.left > 0 {
                    self.common(headers, &entry.frame(buffer), facts, &stamp);
                } else if self.tracker.credit_steady(place, headers, entry.length, &stamp) {
                    continue;
                } else {
                    self.tracker.credit_common(place, headers, entry.data(buffer), &stamp);
                }
                self.look_for_hints();
            }
        }
    }

    /// Takes a train: at once where its connection stood where it begins, else one frame after another, until nothing is
    /// to be looked at any more; what follows is a train again then.
    fn follow_train(
        &mut self,
        train: &Train,
        (first, place): (&Entry, &Place),
        buffer: (&[u8], usize),
        facts: &mut FileFacts,
    ) {
        let length = u64::from(train.length());
        let last = self.serial + length - 1;
        if self.duplicates.left == 0 && self.tracker.credit_train(place, &first.headers, train, last) {
            self.serial += length;
            return;
        }
        // They were counted already.
        let counted = &mut FileFacts::default();
        let mut run = Run::of_train(first.data(buffer), train.units, first.file);
        let (mut batch, mut trains) = ([Entry::default(); AHEAD], Vec::new());
        loop {
            let count = run.fill::<false>(&mut batch, &mut trains, counted);
            self.follow_all(&batch[..count], &trains, run.buffer(), facts);
            if count < AHEAD {
                break;
            }
            run.by_trains(self.duplicates.left == 0 && self.tracker.is_quiet(place));
        }
    }

    /// A frame of the common kind.
    #[inline(never)]
    fn common(&mut self, headers: &Headers, frame: &Frame<'_>, facts: &mut FileFacts, stamp: &Stamp) {
        if self.duplicates.left == 0 || !self.is_common_duplicate(headers, frame, facts) {
            let place = self.tracker.place(headers, || frame.data);
            self.tracker.credit_common(&place, headers, frame.data, stamp);
        }
    }

    #[inline]
    fn look_for_hints(&mut self) {
        if self.tracker.repeated() != self.repeated {
            self.repeated = self.tracker.repeated();
            self.duplicates.hint();
        }
    }

    /// Whether the packet of a common frame was seen already.
    #[cold]
    #[inline(never)]
    fn is_common_duplicate(&mut self, headers: &Headers, frame: &Frame<'_>, facts: &mut FileFacts) -> bool {
        self.is_duplicate(frame, &frame.data[usize::from(headers.ip)..], facts)
    }

    /// Whether a packet, from its IP header on the last bytes of its frame, was seen already.
    fn is_duplicate(&mut self, frame: &Frame<'_>, bytes: &[u8], facts: &mut FileFacts) -> bool {
        let link = &frame.data[..frame.data.len().saturating_sub(bytes.len())];
        let again = self.duplicates.is_again(bytes, link, frame.time);
        facts.duplicates += u64::from(again);
        again
    }

    /// A frame that is not of the common kind, by the general path.
    #[inline(never)]
    fn uncommon(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, stamp: &Stamp) {
        match decode(frame) {
            Ok(decoded) => {
                let packet = &decoded.packet;
                if self.duplicates.left > 0 && self.is_duplicate(frame, decoded.bytes, facts) {
                    return;
                }
                if let Some(problem) = packet.problem {
                    facts.problems.count(problem);
                }
                if packet.tunnel > 0 {
                    facts.tunnels[usize::from(packet.tunnel)] += 1;
                }
                self.tracker.packet(packet, decoded.carrier.as_ref(), stamp);
            }
            Err(problem) => facts.problems.count(problem),
        }
    }

    pub(crate) fn finish(self, merged: Merged) -> Reading {
        let Merged { mut files, serials } = merged;
        let finished = self.tracker.finish();
        for (facts, &orphans) in files.iter_mut().zip(&finished.orphans) {
            facts.problems.add(Problem::FragmentWithoutFirst, orphans);
        }
        let (flows, events) = tabulate(finished, &serials, self.threads);
        assemble(files, flows, events, serials)
    }
}
