//! From a path to a reader: the file, its digest, its compression, its container.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::capture::{HEAD, Pieces, Reader, Window};
use crate::convert::{self, Converter};
use crate::dissector::Tshark;
use crate::source::{self, DigestHandle, Digesting};
use crate::unpack::{self, Packing};
use crate::watching::{Stopped, Unwatched, Watch};

/// Bytes by which compression and foreign formats are recognised.
const MARK: usize = 32;

/// An open capture.
pub struct Opened {
    /// Its frames.
    pub reader: Reader,
    /// Container, compression and converter, in words.
    pub format: String,
    /// Compressed bytes taken so far; None where nothing is compressed.
    packed: Option<Arc<AtomicU64>>,
    digest: Option<DigestHandle>,
    /// Frames are read from the very bytes of the file.
    plain: bool,
}

impl Opened {
    /// Reads on by pieces, for [two threads](crate::pair); `file` is the file itself, of that length, and `number`
    /// how its frames are told from those of others.
    pub fn by_pieces(&mut self, file: Option<File>, length: u64, number: u32) -> Arc<Pieces> {
        self.reader.by_pieces(file.filter(|_| self.plain && self.digest.is_none()), length, number)
    }

    /// Bytes of the file read so far, as they lie.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.packed.as_ref().map_or_else(|| self.reader.position(), |packed| packed.load(Ordering::Relaxed))
    }

    /// Has Wireshark dissect the frames, where that is wanted.
    pub fn dissect(&mut self, tshark: Option<&Tshark>) {
        if let Some(tshark) = tshark {
            self.format.push_str(", dissected by tshark");
            self.reader.dissect(tshark);
        }
    }

    /// Reads what is left and gives the digest of the whole file, where it was asked for.
    pub fn digest(&mut self) -> Option<String> {
        let digest = self.digest.take()?;
        self.reader.drain().ok().and_then(|()| digest.hex())
    }
}

/// Opens a capture whose bytes are these; `regular`: they have an end. The inner error is one sentence that says why there is none.
///
/// # Errors
/// [`Stopped`] when the watcher wants no more.
pub fn open(
    path: &Path,
    bytes: Box<dyn Read + Send>,
    regular: bool,
    hash: bool,
    watch: &mut dyn Watch,
) -> Result<Result<Opened, String>, Stopped> {
    let mut digest = None;
    let bytes = if hash { digested(bytes, &mut digest) } else { bytes };
    let mut window = Window::new(bytes);
    if let Err(error) = wait(&mut window, MARK, watch)? {
        return Ok(Err(error));
    }
    let start = window.bytes();
    let (packing, converter) = (Packing::recognise(start), Converter::recognise(start));
    let mut packed = None;
    if let Some(packing) = packing {
        // What follows a fault is read for the digest; of a pipe, which may have no end, there is none then.
        match unpack::unpack(window.into_rest(), packing, hash && regular) {
            Ok((bytes, count)) => (window, packed) = (Window::new(Box::new(bytes)), Some(count)),
            Err(error) => return Ok(Err(format!("cannot be unpacked: {error}"))),
        }
    } else if let Some(converter) = converter {
        if hash && let Err(error) = drained(window, watch)? {
            return Ok(Err(error));
        }
        match convert::convert(path, converter) {
            Ok(bytes) => window = Window::new(bytes),
            Err(error) => return Ok(Err(error)),
        }
    }
    if let Err(error) = wait(&mut window, HEAD, watch)? {
        return Ok(Err(error));
    }
    let opened = Reader::recognise(window).map(|reader| {
        let format = described(reader.format(), packing, converter);
        Opened { reader, format, packed, digest, plain: packing.is_none() && converter.is_none() }
    });
    Ok(opened.map_err(|error| match packing {
        Some(packing) if !error.starts_with("is compressed twice") => {
            format!("holds no capture: what {} hides {error}", packing.name())
        }
        _ => error,
    }))
}

fn described(container: &str, packing: Option<Packing>, converter: Option<Converter>) -> String {
    match (packing, converter) {
        (Some(packing), _) => format!("{container} ({})", packing.name()),
        (None, Some(converter)) => format!("{} (editcap)", converter.name),
        (None, None) => container.to_owned(),
    }
}

/// Name of the container of a file, empty when it is none; for those who look through a folder.
#[must_use]
pub fn format_of(path: &Path) -> String {
    if !source::is_regular(path) {
        return String::new();
    }
    let Ok(source) = source::open(path) else { return String::new() };
    let mut window = Window::new(source.bytes);
    if window.need(MARK).is_err() {
        return String::new();
    }
    if let Some(converter) = Converter::recognise(window.bytes()) {
        return converter.name.to_owned();
    }
    match open(path, window.into_rest(), true, false, &mut Unwatched) {
        Ok(Ok(opened)) => opened.format,
        _ => String::new(),
    }
}

/// Waits for the first bytes.
fn wait(window: &mut Window, count: usize, watch: &mut dyn Watch) -> Result<Result<(), String>, Stopped> {
    loop {
        match window.need(count) {
            Ok(_) => return Ok(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                if !watch.interrupted() {
                    return Err(Stopped);
                }
            }
            Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
        }
    }
}

fn drained(mut window: Window, watch: &mut dyn Watch) -> Result<Result<(), String>, Stopped> {
    let mut left = u64::MAX;
    loop {
        match window.skip(&mut left) {
            Ok(_) => return Ok(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                if !watch.interrupted() {
                    return Err(Stopped);
                }
            }
            Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
        }
    }
}

fn digested(bytes: Box<dyn Read + Send>, digest: &mut Option<DigestHandle>) -> Box<dyn Read + Send> {
    let (digesting, handle) = Digesting::new(bytes);
    *digest = Some(handle);
    Box::new(digesting)
}
