//! Capture files: frames out of bytes. One file per container, registered in [`Reader::recognise`].

mod blocks;
mod link;
mod pcap;
mod pcapng;
mod window;

#[cfg(test)]
mod tests;

use std::io;

use crate::problem::Problem;
pub use link::link_name;
pub use window::Window;

/// Largest frame that we believe in: the largest snaplen that capturing programs use is 256 KiB, and
/// segmentation offload makes frames of at most 512 KiB.
pub const MAX_FRAME: u32 = 1 << 20;

/// Bytes by which a container is recognised.
pub const HEAD: usize = pcap::FILE_HEADER;

/// One frame as captured, on loan from the reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Link type.
    pub link: u16,
    /// Length on the wire.
    pub wire_len: u32,
    /// The captured part.
    pub data: &'a [u8],
    /// The container gave no time; `time` is that of the frame before.
    pub untimed: bool,
}

/// What ends the reading of a file before its end.
#[derive(Debug)]
pub enum Fault {
    /// A read failed. `Interrupted` is harmless: ask again.
    Io(io::Error),
    /// The file contradicts itself.
    Damage {
        /// Its kind.
        problem: Problem,
        /// Where in the file.
        offset: u64,
        /// What is wrong, in words that continue "offset N: ".
        what: String,
    },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    fn cut(window: &Window) -> Self {
        let left = window.bytes().len();
        let what = format!("the file ends inside a record, of which {left} bytes are there");
        Self::Damage { problem: Problem::CutRecord, offset: window.position(), what }
    }
}

/// What a container tells about itself beside its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerFacts {
    /// Bytes kept of each frame at most; the smallest where interfaces differ, None for no limit.
    pub snaplen: Option<u32>,
    /// Packets that the capturing program says it dropped.
    pub drops: Option<u64>,
}

enum Format {
    Pcap(pcap::Pcap),
    PcapNg(pcapng::PcapNg),
}

/// A capture file being read, whatever its container.
pub struct Reader {
    window: Window,
    format: Format,
}

impl Reader {
    /// Recognises the container by content, from the first [`HEAD`] bytes, which must be buffered where the file has so
    /// many. This is the one place where containers are registered.
    ///
    /// # Errors
    /// One sentence that says why it is not a capture that can be read.
    pub fn recognise(mut window: Window) -> Result<Self, String> {
        let start = window.bytes();
        let format = if let Some(pcap) = pcap::Pcap::recognise(start) {
            window.take(pcap::FILE_HEADER);
            Format::Pcap(pcap)
        } else if pcapng::PcapNg::recognise(start) {
            Format::PcapNg(pcapng::PcapNg::default())
        } else {
            return Err(refuse(start));
        };
        Ok(Self { window, format })
    }

    /// Name of the container.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self.format {
            Format::Pcap(_) => "pcap",
            Format::PcapNg(_) => "pcapng",
        }
    }

    /// The next frame, None at the end of the file.
    ///
    /// # Errors
    /// [`Fault`]; after damage there is nothing more to read.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        match &mut self.format {
            Format::Pcap(pcap) => pcap.next_frame(&mut self.window),
            Format::PcapNg(pcapng) => pcapng.next_frame(&mut self.window),
        }
    }

    /// Bytes of the file read so far.
    #[inline]
    #[must_use]
    pub fn position(&self) -> u64 {
        self.window.position()
    }

    /// Reads what is left, for the sake of a digest over the whole file.
    ///
    /// # Errors
    /// When a read fails.
    pub fn drain(&mut self) -> io::Result<()> {
        loop {
            match self.window.skip(&mut { u64::MAX }) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What the container tells about itself, complete at the end of the file.
    #[must_use]
    pub fn facts(&self) -> ContainerFacts {
        match &self.format {
            Format::Pcap(pcap) => pcap.facts(),
            Format::PcapNg(pcapng) => pcapng.facts(),
        }
    }
}

/// Contents that are not read, but deserve better words than "not a capture".
const KNOWN_OTHERS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "is compressed (gzip); compressed captures are not read yet, decompress it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd); compressed captures are not read yet, decompress it first"),
    (b"\xfd7zXZ\0", "is compressed (xz); compressed captures are not read yet, decompress it first"),
    (b"BZh", "is compressed (bzip2); compressed captures are not read yet, decompress it first"),
    (b"\x04\x22\x4d\x18", "is compressed (lz4); compressed captures are not read yet, decompress it first"),
    (b"PK\x03\x04", "is a zip archive; unpack it first"),
    (b"snoop\0\0\0", "is a snoop capture, which is not read yet; convert it to pcap first"),
    (b"GMBU", "is a Microsoft Network Monitor capture, which is not read yet; convert it to pcap first"),
];

fn refuse(start: &[u8]) -> String {
    if start.is_empty() {
        return "is empty".to_owned();
    }
    if let Some((_, words)) = KNOWN_OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*words).to_owned();
    }
    if pcap::has_magic(start) {
        return format!("is cut inside the pcap file header: it has {} bytes of 24", start.len());
    }
    "is not a capture: it begins like neither pcap nor pcapng".to_owned()
}
