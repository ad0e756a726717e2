//! Captures into one flow table: the loop over files and frames.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::app::ndmp::Events;
use crate::capture::{Fault, Frame, Search};
use crate::columns::{FlowTable, Serials, field_addresses, tabulate};
use crate::decode::{decode, quick};
use crate::dissector::Tshark;
use crate::duplicates::Duplicates;
pub use crate::facts::{FileFacts, Status};
use crate::flow::{PortSet, Stamp, Tracker};
use crate::opening::{self, Opened};
use crate::order::chronological;
use crate::problem::Problem;
use crate::recovery::{self, Damage};
use crate::source;
use crate::told;

/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 16 << 20;

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
    /// Codes of the addresses in the fields of messages, [`NO_ADDRESS`](crate::columns::NO_ADDRESS) for none.
    pub field_addresses: Vec<u32>,
}

/// The watcher stopped the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Reads captures into one flow table, one after another in order of their first packets. A file that cannot be read is told in its facts.
///
/// # Errors
/// [`Stopped`] when the watcher wants no more.
pub fn read(paths: &[PathBuf], options: &Options, watch: &mut dyn Watch) -> Result<Reading, Stopped> {
    let paths = chronological(paths);
    let mut pass = Pass::new(options, paths.iter().map(|path| source::length(path)).sum());
    let mut files = Vec::with_capacity(paths.len());
    for path in &paths {
        pass.serials.file(pass.serial);
        let mut facts = FileFacts { path: path.clone().into_os_string(), ..FileFacts::default() };
        // Nothing in a file should be able to do this; if it is, the other files are still worth reading.
        catch_unwind(AssertUnwindSafe(|| pass.file(&mut facts, files.len() as u32, options.hash_files, watch)))
            .unwrap_or_else(|_| {
                let error = format!("internal error at packet {} (please report it)", facts.packets);
                facts.fail(Status::Unreadable, error);
                Ok(())
            })?;
        files.push(facts);
    }
    Ok(pass.finish(files))
}

/// The state of a reading between files.
pub(crate) struct Pass {
    pub(crate) tracker: Tracker,
    duplicates: Duplicates,
    /// Segments that TCP had seen before, up to the last time that this was looked at.
    repeated: u64,
    pub(crate) serials: Serials,
    /// Packets so far.
    pub(crate) serial: u64,
    tshark: Option<Tshark>,
    /// Bytes of finished files.
    done: u64,
    total: u64,
}

impl Pass {
    /// A pass over nothing so far, of `total` bytes.
    pub(crate) fn new(options: &Options, total: u64) -> Self {
        Self {
            tracker: Tracker::new(options.known_ports.clone(), options.ndmp_ports.clone()),
            duplicates: Duplicates::new(!options.keep_duplicates),
            repeated: 0,
            serials: Serials::default(),
            serial: 0,
            tshark: options.tshark.clone(),
            done: 0,
            total,
        }
    }

    fn file(&mut self, facts: &mut FileFacts, file: u32, hash: bool, watch: &mut dyn Watch) -> Result<(), Stopped> {
        let source = match source::open(Path::new(&facts.path)) {
            Ok(source) => source,
            Err(error) => {
                facts.fail(Status::Unreadable, error);
                return Ok(());
            }
        };
        match opening::open(Path::new(&facts.path), source.bytes, source.length > 0, hash, watch)? {
            Ok(mut opened) => {
                opened.dissect(self.tshark.as_ref());
                self.frames(&mut opened, facts, file, watch)?;
                facts.sha256 = opened.digest();
                facts.names = opened.reader.into_names();
            }
            Err(error) => facts.fail(Status::Unreadable, error),
        }
        recovery::compare_length(facts, source.length);
        self.done += source.length;
        Ok(())
    }

    fn frames(
        &mut self,
        opened: &mut Opened,
        facts: &mut FileFacts,
        file: u32,
        watch: &mut dyn Watch,
    ) -> Result<(), Stopped> {
        facts.format = std::mem::take(&mut opened.format);
        facts.status = Status::Read;
        let mut damage = Damage::default();
        let mut next_look = opened.reader.position() + REPORT_EVERY;
        loop {
            match opened.reader.next_frame() {
                Ok(Some(frame)) => self.frame(&frame, facts, file),
                Ok(None) => break,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {
                    if !watch.interrupted() {
                        return Err(Stopped);
                    }
                }
                Err(fault) => {
                    let position = opened.reader.position();
                    if !damage.met(facts, fault, position) || !self.search(opened, facts, &mut damage, watch)? {
                        break;
                    }
                }
            }
            if opened.reader.position() >= next_look {
                next_look = opened.reader.position() + REPORT_EVERY;
                self.report(opened, watch)?;
            }
        }
        damage.tell(facts);
        let container = opened.reader.facts();
        facts.snaplen = container.snaplen;
        facts.drops = container.drops;
        Ok(())
    }

    /// Looks for the next sound record; false when there is none.
    #[cold]
    fn search(
        &mut self,
        opened: &mut Opened,
        facts: &mut FileFacts,
        damage: &mut Damage,
        watch: &mut dyn Watch,
    ) -> Result<bool, Stopped> {
        loop {
            match opened.reader.search(facts.first.zip(facts.last)) {
                Ok(Search::Going) => self.report(opened, watch)?,
                Ok(outcome) => return Ok(damage.searched(outcome, &opened.reader)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if !watch.interrupted() {
                        return Err(Stopped);
                    }
                }
                Err(error) => return Ok(damage.met(facts, Fault::Io(error), opened.reader.position())),
            }
        }
    }

    fn report(&mut self, opened: &Opened, watch: &mut dyn Watch) -> Result<(), Stopped> {
        if watch.progress(self.done + opened.position(), self.total) { Ok(()) } else { Err(Stopped) }
    }

    #[inline]
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32) {
        facts.count(frame);
        let stamp =
            Stamp { serial: self.serial, packet: facts.packets, file, time: frame.time, wire_len: frame.wire_len };
        self.serial += 1;
        let taken = quick(frame, |packet| {
            if self.duplicates.left == 0 || !self.is_common_duplicate(frame, facts) {
                self.tracker.credit(packet, &stamp);
            }
        });
        if taken.is_none() {
            self.uncommon(frame, facts, &stamp);
        }
        if self.tracker.repeated() != self.repeated {
            self.repeated = self.tracker.repeated();
            self.duplicates.hint();
        }
    }

    /// Whether the packet of a common frame was seen already.
    #[cold]
    #[inline(never)]
    fn is_common_duplicate(&mut self, frame: &Frame<'_>, facts: &mut FileFacts) -> bool {
        // The fast path knows one VLAN tag and no other link header than that of Ethernet.
        let header = if frame.data.get(12..14) == Some(&[0x81, 0]) { 18 } else { 14 };
        self.is_duplicate(frame, &frame.data[header..], facts)
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

    fn finish(self, mut files: Vec<FileFacts>) -> Reading {
        let finished = self.tracker.finish();
        for (facts, &orphans) in files.iter_mut().zip(&finished.orphans) {
            facts.problems.add(Problem::FragmentWithoutFirst, orphans);
        }
        let (flows, events) = tabulate(finished, &self.serials);
        assemble(files, flows, events)
    }
}

/// Puts flows and events together: rows of the one are named in the other.
pub(crate) fn assemble(files: Vec<FileFacts>, mut flows: FlowTable, mut events: Events) -> Reading {
    events.arrange();
    flows.renumber(&mut events.beats.flow);
    if flows.renumber(&mut events.messages.flow) | flows.renumber(&mut events.streams.flow) {
        events.arrange();
    }
    told::arrange(&mut events.handshakes, &flows);
    let field_addresses = field_addresses(&events.fields, &mut flows.addresses);
    Reading { files, flows, events, field_addresses }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
