//! A capture file being read, whatever its container.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::container::ContainerFacts;
use super::dissected::Dissected;
use super::fault::Fault;
use super::format::Format;
use super::names::Names;
use super::pcap::Pcap;
use super::pcapng::PcapNg;
use super::pieces::Pieces;
use super::run::Run;
use super::search::Search;
use super::walk::{Walked, Walker};
use super::window::Window;
use crate::dissector::Tshark;
use crate::frame::Frame;

/// Who says where IP begins in a frame.
enum Frames {
    /// Our own decoders, later.
    Own(Format),
    /// Wireshark.
    Dissected(Box<Dissected>),
}

impl Frames {
    /// The container itself, whoever dissects its frames.
    fn container(&self) -> &Format {
        match self {
            Self::Own(format) => format,
            Self::Dissected(dissected) => &dissected.inner,
        }
    }

    fn container_mut(&mut self) -> &mut Format {
        match self {
            Self::Own(format) => format,
            Self::Dissected(dissected) => &mut dissected.inner,
        }
    }

    /// The pcap file whose frames our own decoders get.
    fn pcap(&self) -> Option<&Pcap> {
        if let Self::Own(Format::Pcap(pcap)) = self { Some(pcap) } else { None }
    }
}

/// A capture file being read, whatever its container.
pub struct Reader {
    window: Window,
    frames: Frames,
    /// Where the search began that is under way.
    lost_at: Option<u64>,
}

impl Reader {
    /// Recognises the container by content, from the first [`HEAD`](super::HEAD) bytes, which must be buffered where the
    /// file has so many.
    ///
    /// # Errors
    /// One sentence that says why it is not a capture that can be read.
    pub fn recognise(mut window: Window) -> Result<Self, String> {
        let frames = Frames::Own(Format::recognise(&mut window)?);
        Ok(Self { window, frames, lost_at: None })
    }

    /// Name of the container.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match &self.frames {
            Frames::Own(format) => format.name(),
            Frames::Dissected(_) => "dissected",
        }
    }

    /// The next frame, None at the end of the file.
    ///
    /// # Errors
    /// [`Fault`]; after damage, [`search`](Self::search) may find more.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        match &mut self.frames {
            Frames::Own(format) => format.next_frame(&mut self.window),
            Frames::Dissected(dissected) => dissected.next_frame(&mut self.window),
        }
    }

    /// Has Wireshark say of each frame from here on where IP begins.
    pub fn dissect(&mut self, tshark: &Tshark) {
        let nothing = Frames::Own(Format::PcapNg(PcapNg::default()));
        self.frames = match std::mem::replace(&mut self.frames, nothing) {
            Frames::Own(format) => Frames::Dissected(Box::new(Dissected::new(format, tshark))),
            again @ Frames::Dissected(_) => again,
        };
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
        let format = self.frames.container_mut();
        if begins && !format.passes_over() && !window.bytes().is_empty() {
            // The damaged record itself is not what we look for.
            window.take(1);
        }
        let outcome = format.search(window, near)?;
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
        self.frames.container().facts()
    }

    /// Names of addresses that the file itself gives.
    #[must_use]
    pub fn into_names(self) -> Names {
        match self.frames {
            Frames::Own(format) => format.into_names(),
            Frames::Dissected(dissected) => dissected.into_names(),
        }
    }
}

/// By pieces, and many frames at once.
impl Reader {
    /// The common frames that are buffered, where the container is a common one. What is taken of them is to be told to
    /// [`ran`](Self::ran).
    #[inline]
    #[must_use]
    pub fn run(&self) -> Option<Run<'_>> {
        self.frames.pcap()?.run(self.window.bytes())
    }

    /// So many bytes of a run were taken.
    #[inline]
    pub fn ran(&mut self, bytes: usize) {
        self.window.take(bytes);
    }

    /// Reads on by pieces: out of the file itself, `length` bytes long, where what is read is as it lies there. Gives them
    /// to those who want to help; frames are told as those of the file `number`.
    pub fn by_pieces(&mut self, file: Option<File>, length: u64, number: u32) -> Arc<Pieces> {
        let from = self.window.position() + self.window.bytes().len() as u64;
        let common = self.frames.pcap().filter(|pcap| pcap.run(&[]).is_some());
        let walker = common.map(|pcap| Walker { pcap: pcap.clone(), file: number });
        let pieces = Arc::new(Pieces::new(file.map(|file| (file, from, length)), walker));
        self.window.by_pieces(Arc::clone(&pieces));
        pieces
    }

    /// Gives the oldest buffer that is no longer read from, of a reader by pieces: frames lie where they were.
    #[inline]
    pub fn retired(&mut self) -> Option<Vec<u8>> {
        self.window.retired()
    }

    /// The buffer that frames lie in now.
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.window.buffer()
    }

    /// The frames that follow, where somebody took them out of their piece already, and none is later than that. What is
    /// taken of them is to be told to [`ran`](Self::ran).
    #[inline]
    pub fn walked(&mut self, last: i64) -> Option<(Walked, usize)> {
        self.window.walked().filter(|(walked, _)| walked.facts.last <= Some(last))
    }
}
