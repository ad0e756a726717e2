//! One file among those that are read at a time.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use crate::capture::{Fault, Frame, Ip, Search};
use crate::facts::{FileFacts, Status};
use crate::opening::{self, Opened};
use crate::reading::{Options, Pass, Stopped, Watch};
use crate::recovery::Damage;
use crate::source;

/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 16 << 20;

/// A frame that was read ahead of its turn.
struct Kept {
    time: i64,
    link: u16,
    wire_len: u32,
    untimed: bool,
    data: Vec<u8>,
    ip: Ip<Vec<u8>>,
}

impl Kept {
    fn of(frame: &Frame<'_>) -> Self {
        let Frame { time, link, wire_len, data, untimed, ip } = *frame;
        Self { time, link, wire_len, untimed, data: data.to_vec(), ip: ip.map(<[u8]>::to_vec) }
    }

    fn frame(&self) -> Frame<'_> {
        let Self { time, link, wire_len, untimed, ref data, ref ip } = *self;
        Frame { time, link, wire_len, data, untimed, ip: ip.as_ref().map(Vec::as_slice) }
    }
}

/// A file that is being read.
pub(super) struct Feed {
    pub(super) opened: Opened,
    pub(super) facts: FileFacts,
    pub(super) file: u32,
    pub(super) length: u64,
    /// Nobody joins it.
    pub(super) alone: bool,
    pub(super) damage: Damage,
    next_look: u64,
    /// Frames read ahead: two while the file waits, so that the time of the first can be compared with the next.
    ahead: VecDeque<Kept>,
    ended: bool,
}

/// How far the reading is.
pub(super) struct Progress<'a> {
    /// Bytes of finished files.
    pub(super) done: u64,
    /// Bytes of open files but that which has its turn.
    pub(super) others: u64,
    pub(super) total: u64,
    pub(super) watch: &'a mut dyn Watch,
}

impl Progress<'_> {
    fn report(&mut self, opened: &Opened) -> Result<(), Stopped> {
        let read = self.done + self.others + opened.position();
        if self.watch.progress(read, self.total) { Ok(()) } else { Err(Stopped) }
    }

    fn interrupted(&mut self) -> Result<(), Stopped> {
        if self.watch.interrupted() { Ok(()) } else { Err(Stopped) }
    }
}

impl Feed {
    /// Opens a file and reads its first frames. The inner error is one sentence that says why it cannot be read.
    pub(super) fn open(
        facts: &FileFacts,
        file: u32,
        alone: bool,
        options: &Options,
        progress: &mut Progress<'_>,
    ) -> Result<Result<Self, String>, Stopped> {
        let path = Path::new(&facts.path);
        let source = match source::open(path) {
            Ok(source) => source,
            Err(error) => return Ok(Err(error)),
        };
        let length = source.length;
        let mut opened = match opening::open(path, source.bytes, length > 0, options.hash_files, progress.watch)? {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        opened.dissect(options.tshark.as_ref());
        let format = std::mem::take(&mut opened.format);
        let next_look = opened.reader.position() + REPORT_EVERY;
        let mut feed = Self {
            opened,
            facts: FileFacts { format, status: Status::Read, ..facts.clone() },
            file,
            length,
            alone,
            damage: Damage::default(),
            next_look,
            ahead: VecDeque::with_capacity(2),
            ended: false,
        };
        feed.look_ahead(progress)?;
        Ok(Ok(feed))
    }

    /// It has no more frames.
    pub(super) fn is_over(&self) -> bool {
        self.ahead.is_empty()
    }

    /// When its next frame has its turn.
    pub(super) fn time(&self) -> i64 {
        self.ahead.iter().map(|kept| kept.time).min().unwrap_or(i64::MAX)
    }

    /// Reads frames ahead.
    fn look_ahead(&mut self, progress: &mut Progress<'_>) -> Result<(), Stopped> {
        while self.ahead.len() < 2 && !self.ended {
            self.frames(progress, |_, _, _| false)?;
        }
        Ok(())
    }

    /// Takes frames up to a time, the first whatever its time is.
    pub(super) fn turn(&mut self, last: i64, pass: &mut Pass, progress: &mut Progress<'_>) -> Result<(), Stopped> {
        loop {
            let Some(kept) = self.ahead.pop_front() else { break };
            pass.frame(&kept.frame(), &mut self.facts, self.file);
            if self.ahead.is_empty() {
                self.frames(progress, |frame, facts, file| {
                    let goes = frame.time <= last;
                    if goes {
                        pass.frame(frame, facts, file);
                    }
                    goes
                })?;
            }
            if self.time() > last {
                self.look_ahead(progress)?;
                if self.time() > last {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Hands over frames up to the first that is not taken, which is kept.
    #[inline]
    fn frames(
        &mut self,
        progress: &mut Progress<'_>,
        mut take: impl FnMut(&Frame<'_>, &mut FileFacts, u32) -> bool,
    ) -> Result<(), Stopped> {
        while !self.ended {
            match self.opened.reader.next_frame() {
                Ok(Some(frame)) => {
                    if !take(&frame, &mut self.facts, self.file) {
                        self.ahead.push_back(Kept::of(&frame));
                        break;
                    }
                }
                Ok(None) => self.ended = true,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => progress.interrupted()?,
                Err(fault) => {
                    let position = self.opened.reader.position();
                    self.ended = !self.damage.met(&mut self.facts, fault, position) || !self.search(progress)?;
                }
            }
            if self.opened.reader.position() >= self.next_look {
                self.next_look = self.opened.reader.position() + REPORT_EVERY;
                progress.report(&self.opened)?;
            }
        }
        Ok(())
    }

    /// Looks for the next sound record; false when there is none.
    #[cold]
    fn search(&mut self, progress: &mut Progress<'_>) -> Result<bool, Stopped> {
        let near = self.facts.first.zip(self.facts.last);
        loop {
            match self.opened.reader.search(near) {
                Ok(Search::Going) => progress.report(&self.opened)?,
                Ok(outcome) => return Ok(self.damage.searched(outcome, &self.opened.reader)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => progress.interrupted()?,
                Err(error) => {
                    let position = self.opened.reader.position();
                    return Ok(self.damage.met(&mut self.facts, Fault::Io(error), position));
                }
            }
        }
    }
}
