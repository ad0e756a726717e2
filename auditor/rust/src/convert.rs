//! Captures in formats that we do not read ourselves, through Wireshark's `editcap` where it is installed.
//!
//! Only contents with a magic number of their own come here: Wireshark takes a picture for a capture if it may.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::program::{as_argument, listen};
use crate::source;

const PROGRAM: &str = "editcap";
/// A converter that gives nothing for so long has lost itself.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(100);

/// A format that needs the converter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converter {
    /// Where it comes from, in words.
    pub name: &'static str,
    magic: &'static [u8],
}

const FORMATS: &[Converter] = &[
    Converter { name: "netmon", magic: b"GMBU" },
    Converter { name: "netmon", magic: b"RTSS" },
    Converter { name: "sniffer", magic: b"TRSNIFF data    \x1a" },
    Converter { name: "netxray", magic: b"XCP\0" },
    Converter { name: "visual", magic: b"\x05VNF" },
    Converter { name: "iptrace", magic: b"iptrace 1.0" },
    Converter { name: "iptrace", magic: b"iptrace 2.0" },
    Converter { name: "nettl", magic: b"\x54\x52\x00\x64\x00" },
    Converter { name: "peektagged", magic: b"\x7fver" },
    Converter { name: "k12", magic: b"\x00\x00\x02\x00\x12\x05\x00\x10" },
    Converter { name: "observer", magic: b"ObserverPktBuffe" },
    Converter { name: "5views", magic: b"\xaa\xaa\xaa\xaa" },
    Converter { name: "btsnoop", magic: b"btsnoop\0" },
    Converter { name: "lanalyzer", magic: b"\x01\x10\x4c\x00" },
];

impl Converter {
    /// Recognises a format by its magic number.
    #[must_use]
    pub fn recognise(start: &[u8]) -> Option<Self> {
        FORMATS.iter().copied().find(|format| start.starts_with(format.magic))
    }
}

/// The capture as pcapng, streamed.
///
/// # Errors
/// One sentence: there is no converter, or no file that it could read.
pub fn convert(path: &Path, from: Converter) -> Result<Box<dyn Read + Send>, String> {
    let name = from.name;
    if !source::is_regular(path) {
        return Err(format!("is a {name} capture, which only a file can be: save it to one"));
    }
    let started = Command::new(PROGRAM)
        .args(["-F", "pcapng"])
        .arg(as_argument(path))
        .arg("-")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = started.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "is a {name} capture, which is read through Wireshark's {PROGRAM}; install it \
             (Debian: wireshark-common; elsewhere it comes with Wireshark) or save the capture as pcapng"
        ),
        _ => format!("is a {name} capture, and {PROGRAM} cannot be started: {error}"),
    })?;
    let output = child.stdout.take();
    let mut converted =
        Converted { child, chunks: None, chunk: Vec::new(), at: 0, heard: Instant::now(), given: false };
    converted.chunks = output.map(listen).transpose().map_err(|error| format!("cannot be converted: {error}"))?;
    Ok(Box::new(converted))
}

/// What the converter gives; it ends with us.
struct Converted {
    child: Child,
    chunks: Option<Receiver<io::Result<Vec<u8>>>>,
    chunk: Vec<u8>,
    at: usize,
    heard: Instant,
    given: bool,
}

impl Converted {
    fn refill(&mut self) -> io::Result<()> {
        let Some(chunks) = &self.chunks else { return Ok(()) };
        match chunks.recv_timeout(STEP) {
            Ok(chunk) => {
                (self.chunk, self.at, self.heard) = (chunk?, 0, Instant::now());
                if !self.chunk.is_empty() {
                    self.given = true;
                    return Ok(());
                }
            }
            Err(RecvTimeoutError::Timeout) if self.heard.elapsed() < PATIENCE => {
                return Err(io::ErrorKind::Interrupted.into());
            }
            Err(RecvTimeoutError::Timeout) => {
                self.chunks = None;
                return Err(io::Error::other(format!("{PROGRAM} gave nothing for {} s", PATIENCE.as_secs())));
            }
            Err(RecvTimeoutError::Disconnected) => {}
        }
        self.chunks = None;
        let status = self.child.wait()?;
        let what = if self.given { "stopped in the middle" } else { "cannot read it" };
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("{PROGRAM} {what} ({status})"))) }
    }
}

impl Read for Converted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && self.chunks.is_some() {
            self.refill()?;
        }
        let count = buffer.len().min(self.chunk.len() - self.at);
        buffer[..count].copy_from_slice(&self.chunk[self.at..][..count]);
        self.at += count;
        Ok(count)
    }
}

impl Drop for Converted {
    fn drop(&mut self) {
        // It may be done already, or nobody wants the rest.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
