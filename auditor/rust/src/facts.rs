//! What one capture file is, and how much of it was read.

use std::ffi::OsString;

use crate::capture::{Names, link_name};
use crate::clock::Clock;
use crate::decode::{TUNNELS, is_decoded};
use crate::entry::Entry;
use crate::frame::{Frame, Ip};
use crate::problem::{Problem, Problems};

/// Link types of one file that are counted by name.
const MAX_LINK_TYPES: usize = 64;

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
    /// Frames by link type that is not decoded here, but by Wireshark.
    pub dissected: Vec<(u16, u64)>,
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
        let mut names = named(self.link_types.iter().copied());
        if self.other_links > 0 {
            names.push(("others".to_owned(), self.other_links));
        }
        names
    }

    /// Frames by name of the link types that are not decoded.
    #[must_use]
    pub fn undecoded_links(&self) -> Vec<(String, u64)> {
        let found = |link| self.dissected.iter().find(|&&(known, _)| known == link).map_or(0, |&(_, count)| count);
        let left = self.link_types.iter().filter(|&&(link, _)| !is_decoded(link));
        named(left.map(|&(link, count)| (link, count - found(link))).filter(|&(_, count)| count > 0))
    }

    /// Counts a frame.
    #[inline]
    pub fn count(&mut self, frame: &Frame<'_>) {
        self.packets += 1;
        self.bytes += u64::from(frame.wire_len);
        self.captured_bytes += frame.data.len() as u64;
        self.cut += u64::from((frame.data.len() as u64) < u64::from(frame.wire_len));
        self.tick(frame.time);
        self.last = self.last.max(Some(frame.time));
        self.count_links(frame.link, 1);
        if let Ip::At { .. } | Ip::Nowhere { known: true } = frame.ip {
            self.count_dissected(frame.link);
        }
        if frame.untimed {
            self.problems.count(Problem::FrameWithoutTime);
        }
    }

    /// Takes what was counted of the frames that follow, `entries`, apart from the others; false, and nothing is taken,
    /// where the clock does not stand as it did for them.
    pub fn go_on(&mut self, next: &Self, entries: &[Entry]) -> bool {
        let Some(first) = entries.first().filter(|first| self.clock.stands_before(first.time)) else { return false };
        self.tick(first.time);
        self.clock.go_on(&next.clock);
        self.first = self.first.into_iter().chain(next.first).min();
        self.last = self.last.max(next.last);
        self.packets += next.packets;
        self.bytes += next.bytes;
        self.captured_bytes += next.captured_bytes;
        self.cut += next.cut;
        for &(link, frames) in &next.link_types {
            self.count_links(link, frames);
        }
        true
    }

    /// Takes the time of the next frame.
    #[inline]
    pub fn tick(&mut self, time: i64) {
        if !self.clock.tick(time) {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
        }
    }

    /// Counts frames of a link type.
    #[inline]
    pub fn count_links(&mut self, link: u16, frames: u64) {
        match self.link_types.first_mut() {
            Some((first, count)) if *first == link => *count += frames,
            _ => self.count_another_link(link, frames),
        }
    }

    /// Counts a link type that is not the file's first.
    #[inline(never)]
    fn count_another_link(&mut self, link: u16, frames: u64) {
        match self.link_types.iter().position(|(known, _)| *known == link) {
            Some(known) => self.link_types[known].1 += frames,
            None if self.link_types.len() < MAX_LINK_TYPES => self.link_types.push((link, frames)),
            None => self.other_links += frames,
        }
    }

    /// Counts a frame that Wireshark dissected, and we would not.
    #[cold]
    fn count_dissected(&mut self, link: u16) {
        if is_decoded(link) || !self.link_types.iter().any(|&(known, _)| known == link) {
            return;
        }
        match self.dissected.iter_mut().find(|(known, _)| *known == link) {
            Some((_, count)) => *count += 1,
            None => self.dissected.push((link, 1)),
        }
    }

    /// Notes how far the file could be read, and why no further.
    pub fn fail(&mut self, status: Status, error: String) {
        self.status = status;
        self.error = Some(error);
    }
}

/// Counts by name of the link type; types of one name are taken together.
fn named(counts: impl Iterator<Item = (u16, u64)>) -> Vec<(String, u64)> {
    let mut names: Vec<(String, u64)> = Vec::new();
    for (link, count) in counts {
        let name = link_name(link);
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => names.push((name, count)),
        }
    }
    names
}
