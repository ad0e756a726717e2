//! A reading by two threads: one takes frames out of their containers and puts them in order of time, the other takes
//! the frames, in that order, into the flow table. So the result is that of one thread, to the byte.
//!
//! Frames are handed over in batches together with the buffer that they lie in; only where captures take turns are they
//! copied. Whichever thread would wait for the other reads the file ahead instead: the kernel's copying is most of the work
//! on full frames, and the flow table is on cut ones.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;

use crate::assembly::Reading;
use crate::capture::{Pieces, Run};
use crate::entry::{AHEAD, Entry};
use crate::facts::{FileFacts, Status};
use crate::frame::Frame;
use crate::frames::Frames;
use crate::merge::{self, Merged, broken};
use crate::options::Options;
use crate::order::Waiting;
use crate::pass::Pass;
use crate::sink::Sink;
use crate::source;
use crate::threads;
use crate::watching::{Stopped, Watch};

/// Bytes of captures from which on a second thread is worth its start. Beside the reading Python imports its modules for an
/// eighth of a second, by the second processor; what one thread has read by then is read no sooner by two.
const WORTH: u64 = 256 << 20;
/// Batches that may wait: few, so that their buffers stay in the caches; the file is read ahead then.
const WAITING: usize = 4;
/// Bytes of copied frames that are handed over together.
const TOGETHER: usize = 256 << 10;

/// Frames, and the buffer that they lie in.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    frames: Frames,
    /// The address that entries have for its first byte.
    base: usize,
    /// Another sensor joined before them.
    joined: bool,
    /// Where the buffer is wanted back, and help.
    pieces: Option<Arc<Pieces>>,
}

/// Hands frames to the other thread.
struct Handing {
    batches: SyncSender<Batch>,
    /// Empty lists that the other thread is done with.
    spare: Receiver<Frames>,
    /// Frames that were copied.
    copied: Batch,
    /// Frames that lie where they were read.
    loose: Frames,
}

/// Whether two threads are to read these captures. Where Wireshark is asked, it is what takes the time.
#[must_use]
pub fn is_worth(captures: &[Waiting], options: &Options) -> bool {
    let large = || captures.iter().map(|capture| source::length(&capture.path)).sum::<u64>() >= WORTH;
    match options.threads {
        _ if options.tshark.is_some() => false,
        0 => large() && thread::available_parallelism().is_ok_and(|count| count.get() > 1),
        wanted => wanted > 1,
    }
}

/// Reads captures by two threads, as [`crate::reading::read`] does by one. None, and nothing is read, where no other
/// thread can be started.
pub(crate) fn read(
    captures: Vec<Waiting>,
    options: &Options,
    watch: &mut dyn Watch,
) -> Option<Result<Reading, Stopped>> {
    let (batches, arriving) = sync_channel(WAITING);
    let (done, spare) = sync_channel(WAITING + 2);
    let (end, ended) = sync_channel(1);
    let files = captures.len();
    thread::scope(|scope| {
        let work = move || {
            let mut pass = Pass::new(options);
            let (found, pieces) = work(&mut pass, files, &arriving, &done);
            // Where the reader is gone, nobody takes it.
            drop(end.send((pass, found)));
            // Buffers are freed here, while columns are made there: there, since what is freed by a thread is kept for that
            // thread, and would be part of the peak.
            drop(pieces);
        };
        let worker = threads::spawn_scoped(scope, "flows", work).ok()?;
        let mut handing = Handing { batches, spare, copied: Batch::default(), loose: Frames::default() };
        let merged = merge::read(captures, &mut handing, options, watch);
        handing.send_copied();
        drop(handing);
        let Ok((pass, found)) = ended.recv() else {
            // Only a panic ends it without an outcome.
            return worker.join().map_or_else(|panic| resume_unwind(panic), |()| None);
        };
        Some(merged.map(|merged| pass.finish(with_found(merged, found))))
    })
}

/// What one thread read, and what the other found in the files.
fn with_found(mut merged: Merged, found: Vec<FileFacts>) -> Merged {
    for (facts, found) in merged.files.iter_mut().zip(found) {
        add(facts, found);
    }
    merged
}

/// Adds what the other thread found in a file.
fn add(facts: &mut FileFacts, found: FileFacts) {
    facts.problems.absorb(&found.problems);
    facts.duplicates += found.duplicates;
    for (sum, count) in facts.tunnels.iter_mut().zip(found.tunnels) {
        *sum += count;
    }
    if let Some(error) = found.error {
        facts.fail(Status::Unreadable, error);
    }
}

/// Takes frames until no more come; gives what was found in each file, and the pieces of the last one.
fn work(
    pass: &mut Pass,
    files: usize,
    arriving: &Receiver<Batch>,
    done: &SyncSender<Frames>,
) -> (Vec<FileFacts>, Option<Arc<Pieces>>) {
    let mut found = Vec::new();
    found.resize_with(files, FileFacts::default);
    let mut pieces: Option<Arc<Pieces>> = None;
    loop {
        let batch = match arriving.try_recv() {
            Err(TryRecvError::Empty) if pieces.as_ref().is_some_and(|pieces| pieces.help()) => continue,
            Err(TryRecvError::Empty) => arriving.recv().ok(),
            other => other.ok(),
        };
        let Some(Batch { bytes, mut frames, base, joined, pieces: owner }) = batch else { return (found, pieces) };
        if joined {
            pass.joined();
        }
        take_all(pass, &mut found, (&bytes, base), &frames);
        frames.clear();
        // Where the reader is gone, so is the use of its lists.
        drop(done.try_send(frames));
        if let Some(owner) = owner {
            owner.spare(bytes);
            pieces = Some(owner);
        }
    }
}

/// Takes the frames of a batch. A file in which something goes badly wrong is told so, and left.
fn take_all(pass: &mut Pass, found: &mut [FileFacts], buffer: (&[u8], usize), frames: &Frames) {
    let Frames { entries, trains } = frames;
    let mut at = 0;
    while at < entries.len() {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            while let Some(entry) = entries.get(at) {
                let facts = &mut found[entry.file as usize];
                let together = if facts.error.is_some() { 0 } else { common(&entries[at..]) };
                let taken = &entries[at..at + together.max(1)];
                at += taken.len();
                let count = frames.count(taken);
                if facts.error.is_some() {
                    pass.pass_over(count);
                    continue;
                }
                facts.packets += count;
                if together > 0 {
                    pass.follow_all(taken, trains, buffer, facts);
                } else {
                    pass.follow(&entry.frame(buffer), facts, entry.file);
                }
            }
        }));
        if outcome.is_err() {
            let facts = &mut found[entries[at - 1].file as usize];
            facts.error = Some(broken(facts.packets));
        }
    }
}

/// Common frames of one file in the beginning, as many as are taken at once.
fn common(entries: &[Entry]) -> usize {
    let of_one = |entry: &&Entry| entry.headers.is_common() && entry.file == entries[0].file;
    entries.iter().take(AHEAD).take_while(of_one).count()
}

impl Handing {
    /// Hands a batch over. Where as many wait as may, the file is read ahead meanwhile.
    fn send(&mut self, mut batch: Batch) {
        while let Err(TrySendError::Full(back)) = self.batches.try_send(batch) {
            if !back.pieces.as_ref().is_some_and(|pieces| pieces.help()) {
                return drop(self.batches.send(back));
            }
            batch = back;
        }
        // Where the other thread is gone, it is told when it is joined.
    }

    fn send_copied(&mut self) {
        if !self.copied.frames.is_empty() || self.copied.joined {
            let batch = std::mem::take(&mut self.copied);
            self.send(batch);
        }
    }
}

impl Sink for Handing {
    const HANDS_ON: bool = true;

    #[inline]
    fn take(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32) {
        facts.count(frame);
        self.loose.entries.push(Entry::of(frame, file));
    }

    fn take_run(&mut self, run: &mut Run<'_>, facts: &mut FileFacts) {
        run.fill_list(&mut self.loose, facts);
    }

    fn take_walked(&mut self, frames: &mut Frames) {
        if self.loose.is_empty() {
            std::mem::swap(&mut self.loose, frames);
        } else {
            self.loose.append(frames);
        }
    }

    fn opened(&mut self, pieces: &Arc<Pieces>) {
        // The other thread has nothing to do before the first frames come, but to read ahead.
        self.send(Batch { pieces: Some(Arc::clone(pieces)), ..Batch::default() });
    }

    fn joined(&mut self) {
        self.send_copied();
        self.copied.joined = true;
    }

    fn settle(&mut self, buffer: &[u8]) {
        let base = buffer.as_ptr() as usize;
        let copied = &mut self.copied;
        for entry in &self.loose.entries {
            let at = copied.bytes.len();
            copied.bytes.extend_from_slice(entry.data((buffer, base)));
            copied.frames.push(Entry { at, ..*entry }, &self.loose.trains);
        }
        self.loose.clear();
        if copied.bytes.len() >= TOGETHER {
            self.send_copied();
        }
    }

    fn retired(&mut self, buffer: Vec<u8>, pieces: &Arc<Pieces>) {
        let base = buffer.as_ptr() as usize;
        let lies_in = |entry: &Entry| entry.length == 0 || (base..base + buffer.len()).contains(&entry.at);
        // Those that do not lie in it are the last ones.
        let entries = &self.loose.entries;
        let count = entries.len() - entries.iter().rev().take_while(|&entry| !lies_in(entry)).count();
        if count == 0 {
            return pieces.spare(buffer);
        }
        self.send_copied();
        let mut frames = self.spare.try_recv().unwrap_or_default();
        self.loose.split_off(count, &mut frames);
        let frames = std::mem::replace(&mut self.loose, frames);
        self.send(Batch { bytes: buffer, frames, base, joined: false, pieces: Some(Arc::clone(pieces)) });
    }
}
