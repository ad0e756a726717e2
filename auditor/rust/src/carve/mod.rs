//! Packets out of captures into a pcapng file: those that prove something, with a comment, and their connections.

mod bare;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;

use crate::capture::{Fault, Search};
use crate::decode::{Ends, Tuple, decode, quoted_tuple};
use crate::facts::FileFacts;
use crate::frame::Frame;
use crate::opening::{self, Opened};
use crate::pseudonyms::Pseudonyms;
use crate::recovery::Damage;
use crate::source;
use crate::watching::{Stopped, Watch};
use crate::writer::Writer;
use bare::bare;

/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 16 << 20;

/// What is wanted of one capture.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The capture.
    pub path: PathBuf,
    /// Numbers of packets, from 1, each with its comments.
    pub packets: HashMap<u64, Vec<String>>,
    /// Digest the file.
    pub hash: bool,
}

/// A connection of which every packet is wanted, in a period (both ends of it included, ns).
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// IP protocol number.
    pub protocol: u8,
    /// One end.
    pub one: (IpAddr, u16),
    /// The other.
    pub other: (IpAddr, u16),
    /// Beginning.
    pub first: i64,
    /// End.
    pub last: i64,
}

/// What became of one capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carved {
    /// Packets written.
    pub packets: u64,
    /// Those of them that were wanted by number.
    pub by_number: u64,
    /// SHA-256 of the file, when asked for.
    pub sha256: Option<String>,
    /// Why not all of the file was read.
    pub error: Option<String>,
}

/// Why there is no file.
#[derive(Debug)]
pub enum Failure {
    /// The watcher wants no more.
    Stopped,
    /// The file cannot be written.
    Write(io::Error),
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

type End = (u128, u16);
type Periods = HashMap<(u8, End, End), Vec<(i64, i64)>>;

/// Writes the packets of captures, one capture after another, each in its order; with `names` without payload and under
/// other addresses.
///
/// # Errors
/// [`Failure`]; what cannot be read is told in what became of the capture.
pub fn carve(
    captures: &[Wanted],
    connections: &[Connection],
    names: Option<Pseudonyms>,
    out: impl Write,
    watch: &mut dyn Watch,
) -> Result<Vec<Carved>, Failure> {
    let mut periods = Periods::new();
    for one in connections {
        let (a, b) = (end(one.one), end(one.other));
        periods.entry((one.protocol, a.min(b), a.max(b))).or_default().push((one.first, one.last));
    }
    let writer = Writer::new(out).map_err(Failure::Write)?;
    let total = captures.iter().map(|wanted| source::length(&wanted.path)).sum();
    let mut pass = Pass { periods, names, writer, done: 0, total };
    let mut all = Vec::with_capacity(captures.len());
    for (file, wanted) in captures.iter().enumerate() {
        all.push(pass.capture(file, wanted, watch)?);
        pass.done += source::length(&wanted.path);
    }
    pass.writer.finish().map_err(Failure::Write)?;
    Ok(all)
}

struct Pass<W> {
    periods: Periods,
    names: Option<Pseudonyms>,
    writer: Writer<W>,
    done: u64,
    total: u64,
}

impl<W: Write> Pass<W> {
    fn capture(&mut self, file: usize, wanted: &Wanted, watch: &mut dyn Watch) -> Result<Carved, Failure> {
        let mut carved = Carved::default();
        let opened = match source::open(&wanted.path) {
            Ok(source) => opening::open(&wanted.path, source.bytes, source.length > 0, wanted.hash, watch)?,
            Err(error) => Err(error),
        };
        match opened {
            Ok(mut opened) => {
                self.frames(file, wanted, &mut opened, &mut carved, watch)?;
                carved.sha256 = opened.digest();
            }
            Err(error) => carved.error = Some(error),
        }
        Ok(carved)
    }

    fn frames(
        &mut self,
        file: usize,
        wanted: &Wanted,
        opened: &mut Opened,
        carved: &mut Carved,
        watch: &mut dyn Watch,
    ) -> Result<(), Failure> {
        // Packets have the numbers that they had when the capture was audited only if damage is passed over alike.
        let (mut facts, mut damage) = (FileFacts::default(), Damage::default());
        let mut next_look = REPORT_EVERY;
        loop {
            match opened.reader.next_frame() {
                Ok(Some(frame)) => {
                    facts.packets += 1;
                    facts.first = Some(facts.first.map_or(frame.time, |first| first.min(frame.time)));
                    facts.last = Some(facts.last.map_or(frame.time, |last| last.max(frame.time)));
                    self.frame(file, wanted, &frame, facts.packets, carved).map_err(Failure::Write)?;
                }
                Ok(None) => break,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {
                    if !watch.interrupted() {
                        return Err(Failure::Stopped);
                    }
                }
                Err(fault) => {
                    let position = opened.reader.position();
                    if !damage.met(&mut facts, fault, position) || !search(opened, &mut facts, &mut damage, watch)? {
                        break;
                    }
                }
            }
            if opened.reader.position() >= next_look {
                next_look = opened.reader.position() + REPORT_EVERY;
                if !watch.progress(self.done + opened.position(), self.total) {
                    return Err(Failure::Stopped);
                }
            }
        }
        damage.tell(&mut facts);
        carved.error = facts.error;
        Ok(())
    }

    fn frame(
        &mut self,
        file: usize,
        wanted: &Wanted,
        frame: &Frame<'_>,
        number: u64,
        carved: &mut Carved,
    ) -> io::Result<()> {
        let comments = wanted.packets.get(&number);
        if comments.is_none() && !self.is_of_connection(frame) {
            return Ok(());
        }
        carved.packets += 1;
        carved.by_number += u64::from(comments.is_some());
        let comments: Vec<&str> = comments.into_iter().flatten().map(String::as_str).collect();
        match &mut self.names {
            None => self.writer.frame(file, frame.link, frame.time, frame.wire_len, frame.data, &comments),
            Some(names) => {
                let shown = bare(frame, names);
                self.writer.frame(file, shown.link, frame.time, shown.wire_len, &shown.data, &comments)
            }
        }
    }

    /// Whether a frame belongs to a wanted connection, or is an error about one of its packets.
    fn is_of_connection(&self, frame: &Frame<'_>) -> bool {
        if self.periods.is_empty() {
            return false;
        }
        let Ok(decoded) = decode(frame) else { return false };
        let quoted = decoded.packet.icmp.and_then(|icmp| quoted_tuple(icmp.quoted));
        [Some(decoded.packet.tuple), quoted].into_iter().flatten().any(|tuple| {
            let periods = self.periods.get(&key(&tuple));
            periods.is_some_and(|all| all.iter().any(|&(first, last)| (first..=last).contains(&frame.time)))
        })
    }
}

fn search(
    opened: &mut Opened,
    facts: &mut FileFacts,
    damage: &mut Damage,
    watch: &mut dyn Watch,
) -> Result<bool, Failure> {
    loop {
        match opened.reader.search(facts.first.zip(facts.last)) {
            Ok(Search::Going) => {}
            Ok(outcome) => return Ok(damage.searched(outcome, &opened.reader)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(damage.met(facts, Fault::Io(error), opened.reader.position())),
        }
        if !watch.interrupted() {
            return Err(Failure::Stopped);
        }
    }
}

fn key(tuple: &Tuple) -> (u8, End, End) {
    let (source, destination) = match tuple.ends {
        Ends::V4 { source, destination } => (mapped(source), mapped(destination)),
        Ends::V6 { source, destination } => (source, destination),
    };
    let (a, b) = ((source, tuple.source_port), (destination, tuple.destination_port));
    (tuple.protocol, a.min(b), a.max(b))
}

fn end((address, port): (IpAddr, u16)) -> End {
    match address {
        IpAddr::V4(address) => (mapped(address.to_bits()), port),
        IpAddr::V6(address) => (address.to_bits(), port),
    }
}

fn mapped(address: u32) -> u128 {
    0xffff << 32 | u128::from(address)
}
