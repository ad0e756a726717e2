//! The containers of captures, each with a file of its own. They are registered here.

use std::io;

use super::container::ContainerFacts;
use super::erf::{self, Erf};
use super::fault::Fault;
use super::names::Names;
use super::others;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::search::{self, Search};
use super::snoop::{self, Snoop};
use super::window::Window;
use crate::frame::Frame;

/// Bytes by which a container is recognised: ERF has no magic number and must show some records.
pub const HEAD: usize = 4 << 10;

/// A container, and where in it the reading is.
pub enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
    Snoop(Snoop),
    Erf(Erf),
}

impl Format {
    /// Recognises the container by content, from the first [`HEAD`] bytes, which must be buffered where the file has so
    /// many, and takes its file header. This is the one place where containers are registered.
    ///
    /// # Errors
    /// One sentence that says why it is not a capture that can be read.
    pub fn recognise(window: &mut Window) -> Result<Self, String> {
        let start = window.bytes();
        if let Some(pcap) = Pcap::recognise(start) {
            window.take(pcap.file_header());
            Ok(Self::Pcap(pcap))
        } else if PcapNg::recognise(start) {
            Ok(Self::PcapNg(PcapNg::default()))
        } else if let Some(snoop) = Snoop::recognise(start) {
            window.take(snoop::FILE_HEADER);
            Ok(Self::Snoop(snoop))
        } else if let Some(erf) = Erf::recognise(start) {
            Ok(Self::Erf(erf))
        } else {
            Err(others::refuse(start))
        }
    }

    /// Name of the container.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pcap(_) => "pcap",
            Self::PcapNg(_) => "pcapng",
            Self::Snoop(_) => "snoop",
            Self::Erf(_) => "erf",
        }
    }

    /// The next frame, None at the end of the file.
    ///
    /// # Errors
    /// [`Fault`].
    #[inline]
    pub fn next_frame<'a>(&'a mut self, window: &'a mut Window) -> Result<Option<Frame<'a>>, Fault> {
        // The common container is decided on first: a table of four costs a tenth of the time of a small frame.
        if let Self::Pcap(pcap) = self {
            return pcap.next_frame(window);
        }
        self.next_of_another(window)
    }

    #[inline(never)]
    fn next_of_another<'a>(&'a mut self, window: &'a mut Window) -> Result<Option<Frame<'a>>, Fault> {
        match self {
            Self::Pcap(pcap) => pcap.next_frame(window),
            Self::PcapNg(pcapng) => pcapng.next_frame(window),
            Self::Snoop(snoop) => snoop.next_frame(window),
            Self::Erf(erf) => erf.next_frame(window),
        }
    }

    /// What the container tells about itself, complete at the end of the file.
    pub fn facts(&self) -> ContainerFacts {
        match self {
            Self::Pcap(pcap) => pcap.facts(),
            Self::PcapNg(pcapng) => pcapng.facts(),
            Self::Snoop(snoop) => snoop.facts(),
            Self::Erf(erf) => erf.facts(),
        }
    }

    /// Names of addresses that the file itself gives.
    pub fn into_names(self) -> Names {
        if let Self::PcapNg(pcapng) = self { pcapng.names } else { Names::default() }
    }

    /// Whether the damaged record is passed over by its own length, and need not be stepped into.
    pub fn passes_over(&self) -> bool {
        matches!(self, Self::PcapNg(pcapng) if pcapng.passes_over())
    }

    /// Looks for the next sound record; `near` are the earliest and the latest time of the frames so far.
    ///
    /// # Errors
    /// When a read fails.
    pub fn search(&mut self, window: &mut Window, near: Option<(i64, i64)>) -> io::Result<Search> {
        match self {
            Self::Pcap(pcap) => search::search(window, near, |bytes| pcap.look_at(bytes)),
            Self::PcapNg(pcapng) => pcapng.search(window),
            Self::Snoop(snoop) => search::search(window, near, |bytes| snoop.look_at(bytes)),
            Self::Erf(_) => search::search(window, near, erf::look_at),
        }
    }
}
