//! One member (gzip), frame (zstd, lz4) or stream (xz, bzip2) after another. Zeros after the last one are padding, as
//! tapes and block devices leave it; anything else there is a fault.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;

use super::{Packing, Sink, fault};
use crate::capture::Window;

/// Memory that xz data may ask for, in KiB: four times what its highest level needs.
const XZ_MEMORY: u32 = 256 << 10;
/// Largest window of zstd data, as a power of two: what the zstd program takes without being told to.
const ZSTD_WINDOW: u32 = 27;
/// Bytes by which a member is recognised.
const MARK: usize = 10;

/// The compressed bytes, as decoders want them.
pub(super) struct Source(pub Window);

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.0.need(1) {
                Ok(_) => return Ok(self.0.bytes()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.0.take(count);
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

/// Unpacks all members of `source`.
pub(super) fn unpack(packing: Packing, source: &mut Source, sink: &mut Sink) -> io::Result<()> {
    members(packing, source, sink).map_err(|error| explain(error, packing, source))
}

fn members(packing: Packing, source: &mut Source, sink: &mut Sink) -> io::Result<()> {
    if packing == Packing::Xz {
        // Its padding has rules of its own.
        return sink.fill(&mut XzReader::new_mem_limit(source, true, XZ_MEMORY));
    }
    loop {
        let start = source.mark()?;
        if start.is_empty() {
            return Ok(());
        }
        if matches!(packing, Packing::Zstd | Packing::Lz4) && is_skippable(start) {
            let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
            source.skip(u64::from(length) + 8)?;
        } else if Packing::recognise(start) == Some(packing) {
            member(packing, source, sink)?;
        } else {
            return source.padding();
        }
    }
}

fn member(packing: Packing, source: &mut Source, sink: &mut Sink) -> io::Result<()> {
    match packing {
        Packing::Gzip => sink.fill(&mut GzDecoder::new(source)),
        Packing::Bzip2 => sink.fill(&mut bzip2::bufread::BzDecoder::new(source)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(source)?.single_frame();
            decoder.window_log_max(ZSTD_WINDOW)?;
            sink.fill(&mut decoder)
        }
        Packing::Lz4 | Packing::Xz => {
            let mut tap = Tap { source, starved: false };
            sink.fill(&mut FrameDecoder::new(&mut tap))?;
            // The decoder takes the end of the data for the end of the frame.
            if tap.starved { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        }
    }
}

/// Frames that are meant for other programs: zstd and lz4 share their numbers.
fn is_skippable(start: &[u8]) -> bool {
    start.len() >= 8 && start[0] & 0xf0 == 0x50 && start[1..4] == [0x2a, 0x4d, 0x18]
}

impl Source {
    /// The bytes by which the next member is recognised, fewer at the end.
    fn mark(&mut self) -> io::Result<&[u8]> {
        self.fill_buf()?;
        self.0.need(MARK)?;
        let bytes = self.0.bytes();
        Ok(&bytes[..bytes.len().min(MARK)])
    }

    fn skip(&mut self, mut count: u64) -> io::Result<()> {
        if self.0.skip(&mut count)? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn padding(&mut self) -> io::Result<()> {
        let from = self.0.position();
        loop {
            let bytes = self.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            if bytes.iter().any(|&byte| byte != 0) {
                return Err(fault(format!("from byte {from} of the file on it is something else")));
            }
            let count = bytes.len();
            self.consume(count);
        }
    }
}

/// Notices when a decoder asks for more than there is.
struct Tap<'a> {
    source: &'a mut Source,
    starved: bool,
}

impl Read for Tap<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.starved |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

/// The words for what a decoder stopped at: where in the file, and whether the file goes on there.
fn explain(error: io::Error, packing: Packing, source: &mut Source) -> io::Error {
    if error.kind() == io::ErrorKind::BrokenPipe
        || error.get_ref().and_then(|inner| inner.downcast_ref::<super::Fault>()).is_some()
    {
        return error;
    }
    let name = packing.name();
    let ended = source.fill_buf().map(<[u8]>::is_empty);
    let at = source.0.position();
    fault(match ended {
        Err(error) => format!("the read failed at byte {at} of the file: {error}"),
        Ok(true) => format!("the {name} data is cut: it ends before its end, after {at} bytes"),
        Ok(false) => format!("the {name} data is damaged before byte {at} of the file ({error})"),
    })
}
