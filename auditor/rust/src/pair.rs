//! A reading by two threads: one takes frames out of their containers and puts them in order of time, the other takes
//! the frames, in that order, into the flow table. So the result is that of one thread, to the byte.
//!
//! Frames are handed over in batches together with the buffer that they lie in; only where captures take turns are they
//! copied. The second thread, where it has nothing to do, reads the file ahead: the kernel's copying is most of the work
//! on full frames, and the flow table is on cut ones.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::capture::{Frame, Ip, Pieces};
use crate::decode::{Ends, Packet, Tcp, Tuple, protocol, quick};
use crate::facts::{FileFacts, Status};
use crate::merge::{self, Merged, broken};
use crate::order::Waiting;
use crate::reading::{Options, Pass, Sink, Stopped, Watch};
use crate::source;

/// Bytes of captures from which on a second thread is worth its start.
const WORTH: u64 = 8 << 20;
/// Batches that may wait: few, so that their buffers stay in the caches; the reading waits then.
const WAITING: usize = 2;
/// Bytes of copied frames that are handed over together.
const TOGETHER: usize = 256 << 10;

/// A frame, by where its bytes lie.
struct Entry {
    time: i64,
    /// Address of its first byte: where it was read, or in the buffer that it was copied to, from 0.
    at: usize,
    length: u32,
    wire_len: u32,
    file: u32,
    link: u16,
    untimed: bool,
    /// Of a common packet, what its headers say: the other thread need not look for them in its memory.
    headers: Option<Headers>,
}

/// The headers of a common packet: IPv4 with TCP or UDP.
#[derive(Clone, Copy)]
struct Headers {
    source: u32,
    destination: u32,
    source_port: u16,
    destination_port: u16,
    vlan: u16,
    protocol: u8,
    zero_window: bool,
    flags: u8,
    /// Where the payload begins in the frame: headers are short.
    payload: u8,
    seq: u32,
    ack: u32,
    captured: u32,
    payload_len: u32,
}

impl Headers {
    #[inline]
    fn of(packet: &Packet<'_>, frame: &Frame<'_>) -> Option<Self> {
        let Ends::V4 { source, destination } = packet.tuple.ends else { return None };
        let tcp = packet.tcp.unwrap_or(Tcp { seq: 0, ack: 0, flags: 0, zero_window: false });
        let (captured, payload_len) = (packet.payload.len() as u32, packet.payload_len);
        let payload = if captured == 0 { 0 } else { packet.payload.as_ptr() as usize - frame.data.as_ptr() as usize };
        Some(Self {
            source,
            destination,
            source_port: packet.tuple.source_port,
            destination_port: packet.tuple.destination_port,
            vlan: packet.vlan,
            protocol: packet.tuple.protocol,
            zero_window: tcp.zero_window,
            flags: tcp.flags,
            payload: u8::try_from(payload).ok()?,
            seq: tcp.seq,
            ack: tcp.ack,
            captured,
            payload_len,
        })
    }

    #[inline]
    fn packet<'a>(&self, frame: &Frame<'a>) -> Packet<'a> {
        let Self { source, destination, source_port, destination_port, seq, ack, flags, zero_window, .. } = *self;
        let begin = usize::from(self.payload);
        Packet {
            tuple: Tuple {
                ends: Ends::V4 { source, destination },
                protocol: self.protocol,
                source_port,
                destination_port,
            },
            vlan: self.vlan,
            tunnel: 0,
            tcp: (self.protocol == protocol::TCP).then_some(Tcp { seq, ack, flags, zero_window }),
            icmp: None,
            payload: &frame.data[begin..begin + self.captured as usize],
            payload_len: self.payload_len,
            cut: self.captured < self.payload_len,
            fragment: None,
            problem: None,
        }
    }
}

/// Frames, and the buffer that they lie in.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
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
    spare: Receiver<Vec<Entry>>,
    /// Frames that were copied.
    copied: Batch,
    /// Frames that lie where they were read.
    loose: Vec<Entry>,
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

/// As [`merge::read`], by two threads; by one where no other can be started.
///
/// # Errors
/// [`Stopped`] when the watcher wants no more.
pub(crate) fn read(
    captures: Vec<Waiting>,
    pass: &mut Pass,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Merged, Stopped> {
    let (batches, arriving) = sync_channel(WAITING);
    let (done, spare) = sync_channel(WAITING + 2);
    let files = captures.len();
    let lent = &mut *pass;
    let merged = thread::scope(|scope| {
        let work = move || work(lent, files, &arriving, &done);
        let worker = thread::Builder::new().name("flows".to_owned()).spawn_scoped(scope, work).ok()?;
        let mut handing = Handing { batches, spare, copied: Batch::default(), loose: Vec::new() };
        let merged = merge::read(captures.clone(), &mut handing, options, watch);
        handing.send_copied();
        drop(handing);
        let found = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        Some(merged.map(|mut merged| {
            for (facts, found) in merged.files.iter_mut().zip(found) {
                add(facts, found);
            }
            merged
        }))
    });
    match merged {
        Some(merged) => merged,
        None => merge::read(captures, pass, options, watch),
    }
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

/// Takes frames until no more come; gives what was found in each file.
fn work(pass: &mut Pass, files: usize, arriving: &Receiver<Batch>, done: &SyncSender<Vec<Entry>>) -> Vec<FileFacts> {
    let mut found = Vec::new();
    found.resize_with(files, FileFacts::default);
    let mut pieces: Option<Arc<Pieces>> = None;
    loop {
        let batch = match arriving.try_recv() {
            Err(TryRecvError::Empty) if pieces.as_ref().is_some_and(|pieces| pieces.help()) => continue,
            Err(TryRecvError::Empty) => arriving.recv().ok(),
            other => other.ok(),
        };
        let Some(Batch { bytes, mut entries, base, joined, pieces: owner }) = batch else { return found };
        if joined {
            pass.joined();
        }
        take_all(pass, &mut found, (&bytes, base), &entries);
        entries.clear();
        // Where the reader is gone, so is the use of its lists.
        drop(done.try_send(entries));
        if let Some(owner) = owner {
            owner.spare(bytes);
            pieces = Some(owner);
        }
    }
}

/// Takes the frames of a batch. A file in which something goes badly wrong is told so, and left.
fn take_all(pass: &mut Pass, found: &mut [FileFacts], (bytes, base): (&[u8], usize), entries: &[Entry]) {
    let mut at = 0;
    while at < entries.len() {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for entry in &entries[at..] {
                at += 1;
                let facts = &mut found[entry.file as usize];
                if facts.error.is_some() {
                    pass.pass_over();
                    continue;
                }
                facts.packets += 1;
                let Entry { time, link, wire_len, untimed, file, .. } = *entry;
                let from = if entry.length == 0 { 0 } else { entry.at - base };
                let data = &bytes[from..from + entry.length as usize];
                let frame = Frame { time, link, wire_len, data, untimed, ip: Ip::Unasked };
                match &entry.headers {
                    Some(headers) => pass.follow_decoded(&headers.packet(&frame), &frame, facts, file),
                    None => pass.follow(&frame, facts, file),
                }
            }
        }));
        if outcome.is_err() {
            let facts = &mut found[entries[at - 1].file as usize];
            facts.error = Some(broken(facts.packets));
        }
    }
}

impl Handing {
    fn send(&mut self, batch: Batch) {
        // Where the other thread is gone, it is told when it is joined.
        drop(self.batches.send(batch));
    }

    fn send_copied(&mut self) {
        if !self.copied.entries.is_empty() || self.copied.joined {
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
        let Frame { time, link, wire_len, data, untimed, .. } = *frame;
        let (at, length) = (data.as_ptr() as usize, data.len() as u32);
        let headers = quick(frame, |packet| Headers::of(packet, frame)).flatten();
        self.loose.push(Entry { time, at, length, wire_len, file, link, untimed, headers });
    }

    fn joined(&mut self) {
        self.send_copied();
        self.copied.joined = true;
    }

    fn settle(&mut self, buffer: &[u8]) {
        let base = buffer.as_ptr() as usize;
        let copied = &mut self.copied;
        for entry in self.loose.drain(..) {
            let from = if entry.length == 0 { 0 } else { entry.at - base };
            let at = copied.bytes.len();
            copied.bytes.extend_from_slice(&buffer[from..from + entry.length as usize]);
            copied.entries.push(Entry { at, ..entry });
        }
        if copied.bytes.len() >= TOGETHER {
            self.send_copied();
        }
    }

    fn retired(&mut self, buffer: Vec<u8>, pieces: &Arc<Pieces>) {
        let base = buffer.as_ptr() as usize;
        let lies_in = |entry: &Entry| entry.length == 0 || (base..base + buffer.len()).contains(&entry.at);
        // Those that do not lie in it are the last ones.
        let count = self.loose.len() - self.loose.iter().rev().take_while(|&entry| !lies_in(entry)).count();
        if count == 0 {
            return pieces.spare(buffer);
        }
        self.send_copied();
        let mut entries = self.spare.try_recv().unwrap_or_default();
        // All but the last, most often: what is left moves to the empty list.
        entries.extend(self.loose.drain(count..));
        let entries = std::mem::replace(&mut self.loose, entries);
        self.send(Batch { bytes: buffer, entries, base, joined: false, pieces: Some(Arc::clone(pieces)) });
    }
}
