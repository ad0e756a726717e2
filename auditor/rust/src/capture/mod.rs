//! Capture files: frames out of bytes. One file per container, registered in [`Reader::recognise`].

mod blocks;
mod dissected;
mod erf;
mod like;
mod link;
mod names;
mod others;
mod pcap;
mod pcapng;
mod pieces;
mod run;
mod search;
mod snoop;
mod trains;
mod walk;
mod window;

#[cfg(test)]
mod tests;

use std::io;

use crate::dissector::Tshark;
pub use crate::frame::{Frame, Ip, MAX_FRAME};
use crate::problem::Problem;
pub use link::link_name;
pub use names::Names;
pub use pieces::Pieces;
pub use run::{RECORD_HEADER, Run, Units};
pub use search::Search;
pub use walk::Walked;
pub use window::Window;

/// Bytes by which a container is recognised: ERF has no magic number and must show some records.
pub const HEAD: usize = 4 << 10;

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
        /// The file ends there: nothing is to be looked for behind it.
        last: bool,
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
        Self::Damage { problem: Problem::CutRecord, offset: window.position(), what, last: true }
    }

    #[cold]
    fn damage(problem: Problem, offset: u64, what: String) -> Self {
        Self::Damage { problem, offset, what, last: false }
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
    Snoop(snoop::Snoop),
    Erf(erf::Erf),
    Dissected(Box<dissected::Dissected>),
}

impl Format {
    fn next_frame<'a>(&'a mut self, window: &'a mut Window) -> Result<Option<Frame<'a>>, Fault> {
        match self {
            Self::Pcap(pcap) => pcap.next_frame(window),
            Self::PcapNg(pcapng) => pcapng.next_frame(window),
            Self::Snoop(snoop) => snoop.next_frame(window),
            Self::Erf(erf) => erf.next_frame(window),
            Self::Dissected(dissected) => dissected.next_frame(window),
        }
    }

    fn facts(&self) -> ContainerFacts {
        match self {
            Self::Pcap(pcap) => pcap.facts(),
            Self::PcapNg(pcapng) => pcapng.facts(),
            Self::Snoop(snoop) => snoop.facts(),
            Self::Erf(erf) => erf.facts(),
            Self::Dissected(dissected) => dissected.inner.facts(),
        }
    }

    /// The container itself, whoever dissects its frames.
    fn container(&mut self) -> &mut Self {
        match self {
            Self::Dissected(dissected) => &mut dissected.inner,
            own => own,
        }
    }
}

/// A capture file being read, whatever its container.
pub struct Reader {
    window: Window,
    format: Format,
    /// Where the search began that is under way.
    lost_at: Option<u64>,
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
            window.take(pcap.file_header());
            Format::Pcap(pcap)
        } else if pcapng::PcapNg::recognise(start) {
            Format::PcapNg(pcapng::PcapNg::default())
        } else if let Some(snoop) = snoop::Snoop::recognise(start) {
            window.take(snoop::FILE_HEADER);
            Format::Snoop(snoop)
        } else if let Some(erf) = erf::Erf::recognise(start) {
            Format::Erf(erf)
        } else {
            return Err(others::refuse(start));
        };
        Ok(Self { window, format, lost_at: None })
    }

    /// Name of the container.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self.format {
            Format::Pcap(_) => "pcap",
            Format::PcapNg(_) => "pcapng",
            Format::Snoop(_) => "snoop",
            Format::Erf(_) => "erf",
            Format::Dissected(_) => "dissected",
        }
    }

    /// The next frame, None at the end of the file.
    ///
    /// # Errors
    /// [`Fault`]; after damage, [`search`](Self::search) may find more.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        // The common container is decided on first: a table of four costs a tenth of the time of a small frame.
        if let Format::Pcap(pcap) = &mut self.format {
            return pcap.next_frame(&mut self.window);
        }
        self.next_of_another()
    }

    #[inline(never)]
    fn next_of_another(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        self.format.next_frame(&mut self.window)
    }

    /// Has Wireshark say of each frame from here on where IP begins.
    pub fn dissect(&mut self, tshark: &Tshark) {
        let inner = std::mem::replace(&mut self.format, Format::PcapNg(pcapng::PcapNg::default()));
        self.format = Format::Dissected(Box::new(dissected::Dissected::new(inner, tshark)));
    }

    /// Looks for the next sound record after damage, a few megabytes at a time. `near` are the earliest and the latest
    /// time of the frames so far.
    ///
    /// # Errors
    /// When a read fails.
    pub fn search(&mut self, near: Option<(i64, i64)>) -> io::Result<Search> {
        let window = &mut self.window;
        let from = self.lost_at.unwrap_or_else(|| window.position());
        let begins = self.lost_at.replace(from).is_none();
        let format = self.format.container();
        let passes_over = matches!(&*format, Format::PcapNg(pcapng) if pcapng.passes_over());
        if begins && !passes_over && !window.bytes().is_empty() {
            // The damaged record itself is not what we look for.
            window.take(1);
        }
        let outcome = match format {
            Format::Pcap(pcap) => search::search(window, near, |bytes| pcap.look_at(bytes)),
            Format::PcapNg(pcapng) => pcapng.search(window),
            Format::Snoop(snoop) => search::search(window, near, |bytes| snoop.look_at(bytes)),
            Format::Erf(_) | Format::Dissected(_) => search::search(window, near, erf::look_at),
        }?;
        let skipped = window.position() - from;
        if outcome != Search::Going {
            self.lost_at = None;
        }
        Ok(match outcome {
            Search::Found(_) => Search::Found(skipped),
            Search::Ended(_) => Search::Ended(skipped),
            Search::Going => Search::Going,
        })
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
        self.format.facts()
    }

    /// Names of addresses that the file itself gives.
    #[must_use]
    pub fn into_names(self) -> Names {
        match self.format {
            Format::PcapNg(pcapng) => pcapng.names,
            Format::Dissected(dissected) => dissected.into_names(),
            _ => Names::default(),
        }
    }
}
