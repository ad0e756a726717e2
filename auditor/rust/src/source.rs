//! Where the bytes of a capture come from: a file, a pipe, standard input.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Standard input, by the name that command lines give it.
pub const STDIN: &str = "-";

/// An open source.
pub struct Source {
    /// Its bytes.
    pub bytes: Box<dyn Read + Send>,
    /// How many there are, 0 when nobody knows.
    pub length: u64,
}

/// Opens a path.
///
/// # Errors
/// One sentence that says why it cannot be read.
pub fn open(path: &Path) -> Result<Source, String> {
    if path.as_os_str() == STDIN {
        return Ok(Source { bytes: Box::new(io::stdin()), length: 0 });
    }
    let file = File::open(path).map_err(|error| explain(path, &error))?;
    let facts = file.metadata().map_err(|error| explain(path, &error))?;
    if facts.is_dir() {
        return Err("is a directory, not a capture file".to_owned());
    }
    if !facts.is_file() || facts.len() == 0 {
        return Ok(Source { bytes: Box::new(file), length: 0 });
    }
    // A file that somebody writes faster than we read would have no end.
    Ok(Source { bytes: Box::new(file.take(facts.len())), length: facts.len() })
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

fn explain(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be opened: permission denied".to_owned(),
        _ if path.is_dir() => "is a directory, not a capture file".to_owned(),
        _ => format!("cannot be opened: {error}"),
    }
}

/// Passes bytes on and digests them on the way. The digest can be asked for when the reader has been dropped or read
/// to its end.
pub struct Digesting {
    inner: Box<dyn Read + Send>,
    digest: DigestHandle,
}

/// The digest of a [`Digesting`] reader.
#[derive(Clone, Default)]
pub struct DigestHandle(Arc<Mutex<Sha256>>);

impl Digesting {
    /// Wraps a reader.
    #[must_use]
    pub fn new(inner: Box<dyn Read + Send>) -> (Self, DigestHandle) {
        let digest = DigestHandle::default();
        (Self { inner, digest: digest.clone() }, digest)
    }
}

impl Read for Digesting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.0.lock().unwrap_or_else(PoisonError::into_inner).update(&buffer[..count]);
        Ok(count)
    }
}

impl DigestHandle {
    /// Hexadecimal digest of the bytes so far.
    #[must_use]
    pub fn hex(&self) -> String {
        let digest = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize();
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('?'));
            }
            text
        })
    }
}
