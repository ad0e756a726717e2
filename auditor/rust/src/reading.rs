//! Captures into one flow table: the loop over files and frames.

use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::app::ndmp::Events;
use crate::capture::{Fault, Frame, Names, Search, link_name};
use crate::clock::Clock;
use crate::columns::{FlowTable, Serials, field_addresses, tabulate};
use crate::decode::{Packet, TUNNELS, decode, is_decoded, quick};
use crate::duplicates::Duplicates;
use crate::flow::{PortSet, Stamp, Tracker};
use crate::opening::{self, Opened};
use crate::order::chronological;
use crate::problem::{Problem, Problems};
use crate::recovery::Damage;
use crate::source;
use crate::told;

/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 16 << 20;
/// Link types of one file that are counted by name.
const MAX_LINK_TYPES: usize = 64;

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

/// How far a file could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// To its end.
    Read,
    /// Up to where it is damaged or cut.
    Partial,
    /// Not at all.
    #[default]
    Unreadable,
}

impl Status {
    /// The word that users see.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Partial => "partial",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What one capture file is, and how much of it was read.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// As it was given; names of files need not be Unicode.
    pub path: OsString,
    /// Name of the container, and of the compression in brackets; empty when it was not recognised.
    pub format: String,
    /// Frames.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Their bytes in the file.
    pub captured_bytes: u64,
    /// Time of the earliest frame, ns.
    pub first: Option<i64>,
    /// Time of the latest frame, ns.
    pub last: Option<i64>,
    /// Bytes kept of each frame at most.
    pub snaplen: Option<u32>,
    /// Frames by link type, in order of appearance.
    pub link_types: Vec<(u16, u64)>,
    /// Frames of link types beyond those.
    pub other_links: u64,
    /// Packets by the tunnel that they came in, in order of [`TUNNELS`].
    pub tunnels: [u64; TUNNELS.len()],
    /// Packets that were captured already, and are in no flow a second time.
    pub duplicates: u64,
    /// Frames of which not all bytes were captured.
    pub cut: u64,
    /// What the times of the frames show.
    pub clock: Clock,
    /// What could not be decoded.
    pub problems: Problems,
    /// Packets that the capturing program dropped.
    pub drops: Option<u64>,
    /// How far it could be read.
    pub status: Status,
    /// One sentence, unless all was read.
    pub error: Option<String>,
    /// SHA-256, when asked for.
    pub sha256: Option<String>,
    /// Names that the file gives to addresses.
    pub names: Names,
}

impl FileFacts {
    /// Frames by name of the link type; types of one name are taken together.
    #[must_use]
    pub fn link_names(&self) -> Vec<(String, u64)> {
        let mut names = self.names(|_| true);
        if self.other_links > 0 {
            names.push(("others".to_owned(), self.other_links));
        }
        names
    }

    /// Frames by name of the link types that are not decoded.
    #[must_use]
    pub fn undecoded_links(&self) -> Vec<(String, u64)> {
        self.names(|link| !is_decoded(link))
    }

    fn names(&self, wanted: impl Fn(u16) -> bool) -> Vec<(String, u64)> {
        let mut names: Vec<(String, u64)> = Vec::new();
        for &(link, count) in self.link_types.iter().filter(|&&(link, _)| wanted(link)) {
            let name = link_name(link);
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => names.push((name, count)),
            }
        }
        names
    }

    #[inline]
    fn count(&mut self, frame: &Frame<'_>) {
        self.packets += 1;
        self.bytes += u64::from(frame.wire_len);
        self.captured_bytes += frame.data.len() as u64;
        self.cut += u64::from((frame.data.len() as u64) < u64::from(frame.wire_len));
        self.clock.tick(frame.time);
        self.first = Some(self.first.map_or(frame.time, |first| first.min(frame.time)));
        self.last = Some(self.last.map_or(frame.time, |last| last.max(frame.time)));
        match self.link_types.iter().position(|(link, _)| *link == frame.link) {
            Some(known) => self.link_types[known].1 += 1,
            None if self.link_types.len() < MAX_LINK_TYPES => self.link_types.push((frame.link, 1)),
            None => self.other_links += 1,
        }
        if frame.untimed {
            self.problems.count(Problem::FrameWithoutTime);
        }
    }

    /// The file is not what it was when it was opened.
    fn changed(&mut self, what: &str) {
        if self.status != Status::Unreadable {
            self.problems.count(Problem::FileChanged);
            self.status = Status::Partial;
            self.error = Some(self.error.take().map_or_else(|| what.to_owned(), |error| format!("{error}; {what}")));
        }
    }

    pub(crate) fn fail(&mut self, status: Status, error: String) {
        self.status = status;
        self.error = Some(error);
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
                self.frames(&mut opened, facts, file, watch)?;
                facts.sha256 = opened.digest();
                facts.names = opened.reader.into_names();
            }
            Err(error) => facts.fail(Status::Unreadable, error),
        }
        if let Some(what) = source::changed(Path::new(&facts.path), source.length) {
            facts.changed(&what);
        }
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
        match quick(frame) {
            Some(packet) => self.common(&packet, frame, facts, &stamp),
            None => self.uncommon(frame, facts, &stamp),
        }
        if self.tracker.repeated() != self.repeated {
            self.repeated = self.tracker.repeated();
            self.duplicates.hint();
        }
    }

    #[inline]
    fn common(&mut self, packet: &Packet<'_>, frame: &Frame<'_>, facts: &mut FileFacts, stamp: &Stamp) {
        if self.duplicates.left > 0 {
            // The fast path knows one VLAN tag and no other link header than that of Ethernet.
            let header = if frame.data.get(12..14) == Some(&[0x81, 0]) { 18 } else { 14 };
            if self.is_duplicate(frame, &frame.data[header..], facts) {
                return;
            }
        }
        self.tracker.credit(packet, stamp);
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
