//! A capture that is written while it is read: standard input, a FIFO, the pipe of a program; and files that lie there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::intake::Intake;
use crate::capture::{Fault, Reader, Search, Window};
use crate::facts::Status;
use crate::opening;
use crate::recovery::Damage;
use crate::source::{self, STDIN};
use crate::unpack::Packing;
use crate::watching::{Stopped, Unwatched, Watch};

/// Bytes by which the container is recognised: the header of a pcap file, no more, since no packet may come for long.
const MARK: usize = 24;
/// Frames between two looks at the clock.
const BATCH: u64 = 256;
/// So long a read waits before signals are looked for.
const SLICE: Duration = Duration::from_millis(100);

/// A capture that is read as far as it is there.
pub struct Stream {
    state: State,
    damage: Damage,
    /// A read was ended by a signal.
    signalled: Arc<AtomicBool>,
}

enum State {
    Opening(Option<Window>),
    Reading(Reader),
}

/// A file that is waited for, for a while; `Interrupted` when nothing came.
struct Waiting {
    file: File,
    signalled: Arc<AtomicBool>,
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match auditor_ring::wait_readable(&self.file, SLICE) {
            Ok(true) => {}
            Ok(false) => return Err(io::ErrorKind::Interrupted.into()),
            Err(error) => {
                self.signalled.store(error.kind() == io::ErrorKind::Interrupted, Ordering::Relaxed);
                return Err(error);
            }
        }
        match self.file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::Interrupted.into()),
            other => other,
        }
    }
}

impl Stream {
    /// Opens a path; a FIFO is open before anyone writes to it.
    pub fn open(path: &Path) -> Result<Self, String> {
        if source::is_regular(path) {
            let source = source::open(path)?;
            let opened = opening::open(path, source.bytes, true, false, &mut Unwatched);
            let reader = opened.map_err(|Stopped| "was not read".to_owned())??.reader;
            let signalled = Arc::new(AtomicBool::new(false));
            return Ok(Self { state: State::Reading(reader), damage: Damage::default(), signalled });
        }
        let standard = path.as_os_str() == STDIN;
        let file = if standard { auditor_ring::standard_input() } else { auditor_ring::open_unblocked(path) };
        file.map(Self::waiting).map_err(|error| format!("cannot be opened: {error}"))
    }

    /// Reads from an open descriptor, which is duplicated.
    #[cfg(unix)]
    pub fn of_descriptor(fd: i32) -> Result<Self, String> {
        let file = auditor_ring::duplicate(fd).map_err(|error| format!("cannot be read: {error}"))?;
        Ok(Self::waiting(file))
    }

    fn waiting(file: File) -> Self {
        let signalled = Arc::new(AtomicBool::new(false));
        let waiting = Waiting { file, signalled: Arc::clone(&signalled) };
        let state = State::Opening(Some(Window::new(Box::new(waiting))));
        Self { state, damage: Damage::default(), signalled }
    }

    /// Takes what comes until the deadline; true when there is no more.
    pub fn pump(&mut self, intake: &mut Intake, deadline: Instant, watch: &mut dyn Watch) -> Result<bool, Stopped> {
        if let State::Opening(window) = &mut self.state {
            match recognised(window, deadline, &self.signalled, watch)? {
                Some(Ok(reader)) => self.state = State::Reading(reader),
                Some(Err(error)) => {
                    intake.facts().fail(Status::Unreadable, error);
                    return Ok(true);
                }
                None => return Ok(false),
            }
        }
        let State::Reading(reader) = &mut self.state else { return Ok(false) };
        if intake.facts().format.is_empty() {
            reader.format().clone_into(&mut intake.facts().format);
        }
        let over = frames(reader, &mut self.damage, intake, deadline, &self.signalled, watch)?;
        let container = reader.facts();
        let facts = intake.facts();
        (facts.snaplen, facts.drops) = (container.snaplen, container.drops);
        if over {
            std::mem::take(&mut self.damage).tell(facts);
        }
        Ok(over)
    }
}

/// Waits for the container's first bytes; None when the time is over.
fn recognised(
    window: &mut Option<Window>,
    deadline: Instant,
    signalled: &AtomicBool,
    watch: &mut dyn Watch,
) -> Result<Option<Result<Reader, String>>, Stopped> {
    loop {
        let Some(waiting) = window else { return Ok(None) };
        match waiting.need(MARK) {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                if !watch.interrupted() {
                    return Err(Stopped);
                }
                if signalled.swap(false, Ordering::Relaxed) || Instant::now() >= deadline {
                    return Ok(None);
                }
            }
            Err(error) => return Ok(Some(Err(format!("cannot be read: {error}")))),
        }
    }
    let Some(window) = window.take() else { return Ok(None) };
    Ok(Some(match Packing::recognise(window.bytes()) {
        Some(packing) => {
            Err(format!("is compressed ({}); unpack it on the way: zcat FILE | auditor watch -", packing.name()))
        }
        None => Reader::recognise(window),
    }))
}

/// Takes frames until the deadline; true when there are no more.
fn frames(
    reader: &mut Reader,
    damage: &mut Damage,
    intake: &mut Intake,
    deadline: Instant,
    signalled: &AtomicBool,
    watch: &mut dyn Watch,
) -> Result<bool, Stopped> {
    let mut searching = false;
    for number in 1u64.. {
        let fault = if searching {
            match reader.search(intake.facts().first.zip(intake.facts().last)) {
                Ok(Search::Going) => None,
                Ok(outcome) => {
                    searching = false;
                    if !damage.searched(outcome, reader) {
                        return Ok(true);
                    }
                    None
                }
                Err(error) => Some(Fault::Io(error)),
            }
        } else {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    intake.take(&frame);
                    None
                }
                Ok(None) => return Ok(true),
                Err(fault) => Some(fault),
            }
        };
        match fault {
            Some(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {
                if !watch.interrupted() {
                    return Err(Stopped);
                }
                if signalled.swap(false, Ordering::Relaxed) || Instant::now() >= deadline {
                    return Ok(false);
                }
            }
            Some(fault) => {
                if !damage.met(intake.facts(), fault, reader.position()) {
                    return Ok(true);
                }
                searching = true;
            }
            None if number % BATCH == 0 && Instant::now() >= deadline => {
                return if watch.interrupted() { Ok(false) } else { Err(Stopped) };
            }
            None => {}
        }
    }
    Ok(false)
}
