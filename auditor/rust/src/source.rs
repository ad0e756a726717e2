//! Where the bytes of a capture come from: a file, a pipe, standard input.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::fifo::Fifo;
use crate::threads;

/// Standard input, by the name that command lines give it.
pub const STDIN: &str = "-";

/// An open source.
pub struct Source {
    /// Its bytes.
    pub bytes: Box<dyn Read + Send>,
    /// How many there are, 0 when nobody knows.
    pub length: u64,
    /// The file once more, where they can be read at any place of it.
    pub file: Option<File>,
}

/// Opens a path.
///
/// # Errors
/// One sentence that says why it cannot be read.
pub fn open(path: &Path) -> Result<Source, String> {
    if path.as_os_str() == STDIN {
        return Ok(Source { bytes: Box::new(io::stdin()), length: 0, file: None });
    }
    if is_fifo(path) {
        let fifo = Fifo::open(path).map_err(|error| explain(path, &error))?;
        return Ok(Source { bytes: Box::new(fifo), length: 0, file: None });
    }
    let file = File::open(path).map_err(|error| explain(path, &error))?;
    let facts = file.metadata().map_err(|error| explain(path, &error))?;
    if facts.is_dir() {
        return Err("is a directory, not a capture file".to_owned());
    }
    if !facts.is_file() || facts.len() == 0 {
        return Ok(Source { bytes: Box::new(file), length: 0, file: None });
    }
    // A file that somebody writes faster than we read would have no end.
    let again = file.try_clone().ok();
    Ok(Source { bytes: Box::new(file.take(facts.len())), length: facts.len(), file: again })
}

/// What happened to the length of a file since it was opened, in words; None when nothing did.
#[must_use]
pub fn changed(path: &Path, length: u64) -> Option<String> {
    let now = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    match now.cmp(&length) {
        _ if length == 0 => None,
        Ordering::Equal => None,
        Ordering::Greater => {
            Some(format!("it grew from {length} to {now} bytes while it was read; what was added is not in"))
        }
        Ordering::Less => Some(format!("it shrank from {length} to {now} bytes while it was read")),
    }
}

/// Length of a path's file, 0 when nobody knows.
#[must_use]
pub fn length(path: &Path) -> u64 {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |facts| facts.len())
}

/// Whether a path is a file that can be read twice: no pipe, no device, not standard input.
#[must_use]
pub fn is_regular(path: &Path) -> bool {
    path.as_os_str() != STDIN && fs::metadata(path).is_ok_and(|facts| facts.is_file())
}

/// Whether reading a path takes away what is there: a pipe, a device, standard input.
#[must_use]
pub fn is_consumed(path: &Path) -> bool {
    path.as_os_str() == STDIN || fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
}

#[cfg(unix)]
fn is_fifo(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|facts| facts.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_fifo(_path: &Path) -> bool {
    false
}

fn explain(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be opened: permission denied".to_owned(),
        _ if path.is_dir() => "is a directory, not a capture file".to_owned(),
        _ => format!("cannot be opened: {error}"),
    }
}

/// Passes bytes on and has them digested on the way, by a thread of its own so that the reading goes on meanwhile.
pub struct Digesting {
    inner: Box<dyn Read + Send>,
    digest: DigestHandle,
    /// Buffers that the thread is done with: fresh memory for each piece would cost as much as the digest.
    spare: Receiver<Vec<u8>>,
}

/// The digest of a [`Digesting`] reader.
#[derive(Clone)]
pub struct DigestHandle(Digester);

/// Where the digesting is done: by a thread, or on the spot where none could be started.
#[derive(Clone)]
enum Digester {
    Thread(SyncSender<Task>),
    Here(Arc<Mutex<Sha256>>),
}

enum Task {
    /// More bytes.
    Bytes(Vec<u8>),
    /// The digest of all bytes so far is asked for.
    Tell(SyncSender<String>),
}

/// Pieces that may wait for the digester: a reader that is faster waits, so that memory stays bounded.
const WAITING: usize = 2;

impl Digesting {
    /// Wraps a reader.
    #[must_use]
    pub fn new(inner: Box<dyn Read + Send>) -> (Self, DigestHandle) {
        let (sender, tasks) = sync_channel(WAITING);
        let (done, spare) = sync_channel(WAITING + 2);
        let thread = threads::spawn("sha256", move || digest_all(&tasks, &done));
        let digest =
            DigestHandle(if thread.is_ok() { Digester::Thread(sender) } else { Digester::Here(Arc::default()) });
        (Self { inner, digest: digest.clone(), spare }, digest)
    }
}

impl Read for Digesting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = &buffer[..count];
        match &self.digest.0 {
            // A thread that is gone takes nothing, and then gives no digest either.
            Digester::Thread(sender) if count > 0 => {
                let mut piece = self.spare.try_recv().unwrap_or_default();
                piece.clear();
                piece.extend_from_slice(bytes);
                drop(sender.send(Task::Bytes(piece)));
            }
            Digester::Thread(_) => {}
            Digester::Here(digest) => digest.lock().unwrap_or_else(PoisonError::into_inner).update(bytes),
        }
        Ok(count)
    }
}

impl DigestHandle {
    /// Hexadecimal digest of the bytes that were read so far; none where it could not be taken.
    #[must_use]
    pub fn hex(&self) -> Option<String> {
        match &self.0 {
            Digester::Thread(sender) => {
                let (reply, told) = sync_channel(1);
                sender.send(Task::Tell(reply)).ok()?;
                told.recv().ok()
            }
            Digester::Here(digest) => Some(in_hex(&digest.lock().unwrap_or_else(PoisonError::into_inner))),
        }
    }
}

/// Digests what comes until nobody can send any more.
fn digest_all(tasks: &Receiver<Task>, done: &SyncSender<Vec<u8>>) {
    let mut digest = Sha256::new();
    for task in tasks {
        match task {
            Task::Bytes(bytes) => {
                digest.update(&bytes);
                // Where the reader is gone, so is the use of its buffers.
                drop(done.try_send(bytes));
            }
            // Who asked may be gone.
            Task::Tell(reply) => drop(reply.send(in_hex(&digest))),
        }
    }
}

fn in_hex(digest: &Sha256) -> String {
    digest.clone().finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('?'));
        }
        text
    })
}
