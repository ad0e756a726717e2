//! One file among those that are read at a time.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::capture::{Fault, Pieces, Search};
use crate::facts::{FileFacts, Status};
use crate::frame::{Frame, Ip};
use crate::opening::{self, Opened};
use crate::options::Options;
use crate::recovery::Damage;
use crate::sink::Sink;
use crate::source;
use crate::watching::{Stopped, Watch};

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
    /// Every frame takes the general path.
    plain: bool,
    next_look: u64,
    /// Where frames are handed on together with their buffers.
    pieces: Option<Arc<Pieces>>,
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
    pub(super) fn open<S: Sink>(
        facts: &FileFacts,
        (file, alone): (u32, bool),
        options: &Options,
        progress: &mut Progress<'_>,
        sink: &mut S,
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
        let pieces = S::HANDS_ON.then(|| opened.by_pieces(source.file, length, file));
        if let Some(pieces) = &pieces {
            sink.opened(pieces);
        }
        let next_look = opened.reader.position() + REPORT_EVERY;
        let mut feed = Self {
            opened,
            facts: FileFacts { format, status: Status::Read, ..facts.clone() },
            file,
            length,
            alone,
            damage: Damage::default(),
            plain: options.plain,
            next_look,
            pieces,
            ahead: VecDeque::with_capacity(2),
            ended: false,
        };
        feed.look_ahead(progress, sink)?;
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
    fn look_ahead<S: Sink>(&mut self, progress: &mut Progress<'_>, sink: &mut S) -> Result<(), Stopped> {
        while self.ahead.len() < 2 && !self.ended {
            self.frames(None, progress, sink)?;
        }
        Ok(())
    }

    /// Takes frames up to a time, the first whatever its time is.
    pub(super) fn turn<S: Sink>(
        &mut self,
        last: i64,
        progress: &mut Progress<'_>,
        sink: &mut S,
    ) -> Result<(), Stopped> {
        while let Some(kept) = self.ahead.pop_front() {
            sink.take(&kept.frame(), &mut self.facts, self.file);
            sink.settle(&kept.data);
            if self.ahead.is_empty() {
                self.frames(Some(last), progress, sink)?;
            }
            if self.time() > last {
                self.look_ahead(progress, sink)?;
                if self.time() > last {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes frames up to that time, and keeps the first that is later.
    #[inline]
    fn frames<S: Sink>(&mut self, last: Option<i64>, progress: &mut Progress<'_>, sink: &mut S) -> Result<(), Stopped> {
        // There is no time before the first: nothing is taken then.
        let (last, any) = (last.unwrap_or(i64::MIN), last.is_some());
        while !self.ended {
            if any && !self.plain {
                self.run(last, sink);
            }
            match self.opened.reader.next_frame() {
                Ok(Some(frame)) => {
                    if frame.time > last || !any {
                        self.ahead.push_back(Kept::of(&frame));
                        break;
                    }
                    sink.take(&frame, &mut self.facts, self.file);
                }
                Ok(None) => self.ended = true,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => progress.interrupted()?,
                Err(fault) => {
                    let position = self.opened.reader.position();
                    self.ended = !self.damage.met(&mut self.facts, fault, position) || !self.search(progress)?;
                }
            }
            self.hand_on(sink);
            if self.opened.reader.position() >= self.next_look {
                self.next_look = self.opened.reader.position() + REPORT_EVERY;
                progress.report(&self.opened)?;
            }
        }
        self.hand_on(sink);
        sink.settle(self.opened.reader.buffer());
        Ok(())
    }

    /// Takes the common frames that are buffered, up to that time.
    #[inline]
    fn run<S: Sink>(&mut self, last: i64, sink: &mut S) {
        if S::HANDS_ON
            && let Some((mut walked, bytes)) = self.opened.reader.walked(last)
        {
            if self.facts.go_on(&walked.facts, &walked.frames.entries) {
                sink.take_walked(&mut walked.frames);
                self.opened.reader.ran(bytes);
            }
            if let Some(pieces) = &self.pieces {
                pieces.spare_list(walked.frames);
            }
        }
        if let Some(run) = self.opened.reader.run() {
            let mut run = run.up_to(last, self.file);
            sink.take_run(&mut run, &mut self.facts);
            let taken = run.taken();
            self.opened.reader.ran(taken);
        }
    }

    /// Gives away the buffers from which all was taken.
    #[inline]
    fn hand_on<S: Sink>(&mut self, sink: &mut S) {
        if let Some(pieces) = self.pieces.as_ref().filter(|_| S::HANDS_ON) {
            while let Some(buffer) = self.opened.reader.retired() {
                sink.retired(buffer, pieces);
            }
        }
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
