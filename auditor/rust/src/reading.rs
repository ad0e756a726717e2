//! Captures into one flow table: the loop over files and frames.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::ndmp::Events;
use crate::capture::{Frame, Pieces, Run};
use crate::columns::{FlowTable, Serials, field_addresses, tabulate};
use crate::decode::{Headers, decode, quick};
use crate::dissector::Tshark;
use crate::duplicates::Duplicates;
use crate::entry::{Entry, Frames};
pub use crate::facts::{FileFacts, Status};
use crate::flow::{AHEAD, Place, PortSet, Stamp, Tracker};
use crate::merge::{self, Merged};
use crate::order::chronological;
use crate::pair;
use crate::problem::Problem;
use crate::told;
use crate::train::Train;

/// What to read for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Responder ports that settle the direction of a flow without handshake.
    pub known_ports: PortSet,
    /// Ports where control streams are looked for with more patience.
    pub ndmp_ports: PortSet,
    /// Digest the files.
    pub hash_files: bool,
    /// Count a packet as often as it was captured.
    pub keep_duplicates: bool,
    /// Threads that read, at most two; 0 for as many as are worth it.
    pub threads: usize,
    /// Every frame takes the general path: the oracle of the fast ones.
    pub plain: bool,
    /// Has Wireshark say where IP begins in each frame.
    pub tshark: Option<Tshark>,
}

/// Someone who wants to know how far the reading is, and may stop it.
pub trait Watch {
    /// `read` of `total` bytes are done; `total` is 0 when nobody knows. False stops the reading.
    fn progress(&mut self, read: u64, total: u64) -> bool;
    /// A signal came while a read was waiting. False stops the reading.
    fn interrupted(&mut self) -> bool;
}

/// Watches nothing.
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _read: u64, _total: u64) -> bool {
        true
    }
    fn interrupted(&mut self) -> bool {
        true
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The files, as they were given.
    pub files: Vec<FileFacts>,
    /// Their flows.
    pub flows: FlowTable,
    /// What control streams said, arranged; flows are rows of the table.
    pub events: Events,
    /// Where packets lie: all numbers of packets count over all files.
    pub serials: Serials,
    /// Codes of the addresses in the fields of messages, [`NO_ADDRESS`](crate::columns::NO_ADDRESS) for none.
    pub field_addresses: Vec<u32>,
}

/// The watcher stopped the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Reads captures into one flow table, in the order of their packets' times. A file that cannot be read is told in its
/// facts; these are in order of the files' first packets.
///
/// # Errors
/// [`Stopped`] when the watcher wants no more.
pub fn read(paths: &[PathBuf], options: &Options, watch: &mut dyn Watch) -> Result<Reading, Stopped> {
    let captures = chronological(paths);
    if pair::is_worth(&captures, options)
        && let Some(reading) = pair::read(captures.clone(), options, watch)
    {
        return reading;
    }
    let mut pass = Pass::new(options);
    let merged = merge::read(captures, &mut pass, options, watch)?;
    Ok(pass.finish(merged))
}

/// Where frames go, in the order of their times.
pub(crate) trait Sink {
    /// Frames are handed on together with the buffers that they lie in.
    const HANDS_ON: bool;
    /// Takes a frame of a file.
    fn take(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32);
    /// Counts and takes common frames of a file, as many as it likes.
    fn take_run(&mut self, run: &mut Run<'_>, facts: &mut FileFacts);
    /// Takes frames that were counted and taken out of their buffer by somebody else; the list may be another's then.
    fn take_walked(&mut self, frames: &mut Frames);
    /// A file was opened, of which these are the pieces.
    fn opened(&mut self, pieces: &Arc<Pieces>);
    /// Another file joins those that are open: another sensor may tell what was told already.
    fn joined(&mut self);
    /// The frames taken since the last buffer was retired lie in this one, and are to be copied.
    fn settle(&mut self, buffer: &[u8]);
    /// A buffer from which all was taken.
    fn retired(&mut self, buffer: Vec<u8>, pieces: &Arc<Pieces>);
}

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

/// Puts flows and events together: rows of the one are named in the other.
pub(crate) fn assemble(files: Vec<FileFacts>, mut flows: FlowTable, mut events: Events, serials: Serials) -> Reading {
    events.arrange();
    flows.renumber(&mut events.beats.flow);
    if flows.renumber(&mut events.messages.flow) | flows.renumber(&mut events.streams.flow) {
        events.arrange();
    }
    told::arrange(&mut events.handshakes, &flows);
    events.places(|serial| serials.place(serial).0);
    let field_addresses = field_addresses(&events.fields, &mut flows.addresses);
    Reading { files, flows, events, serials, field_addresses }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
