//! pcapng as we write it: one section, little-endian, nanoseconds; an interface for each capture and link type.

use std::io::{self, Write};

const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const RESOLUTION: u16 = 9;
/// Options have lengths of sixteen bits.
const LONGEST_COMMENT: usize = 60_000;

/// A file being written.
pub struct Writer<W> {
    out: W,
    interfaces: Vec<(usize, u16)>,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When a write fails.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut body = Vec::new();
        body.extend(0x1a2b_3c4d_u32.to_le_bytes());
        body.extend([1, 0, 0, 0]);
        body.extend(u64::MAX.to_le_bytes());
        option(&mut body, USER_APPLICATION, b"auditor");
        option(&mut body, 0, b"");
        block(&mut out, 0x0a0d_0d0a, &body)?;
        Ok(Self { out, interfaces: Vec::new() })
    }

    /// Writes a frame of capture number `file` with its comments.
    ///
    /// # Errors
    /// When a write fails.
    pub fn frame(
        &mut self,
        file: usize,
        link: u16,
        time: i64,
        wire_len: u32,
        data: &[u8],
        comments: &[&str],
    ) -> io::Result<()> {
        let interface = self.interface(file, link)?;
        let time = u64::try_from(time).unwrap_or(0);
        let mut body = Vec::with_capacity(data.len() + 64);
        body.extend(interface.to_le_bytes());
        body.extend(((time >> 32) as u32).to_le_bytes());
        body.extend((time as u32).to_le_bytes());
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(wire_len.max(data.len() as u32).to_le_bytes());
        body.extend_from_slice(data);
        pad(&mut body);
        for comment in comments {
            let end = (0..=comment.len().min(LONGEST_COMMENT)).rev().find(|&end| comment.is_char_boundary(end));
            option(&mut body, COMMENT, &comment.as_bytes()[..end.unwrap_or(0)]);
        }
        if !comments.is_empty() {
            option(&mut body, 0, b"");
        }
        block(&mut self.out, 6, &body)
    }

    /// Writes what readers pass over, so that what was written before gets through to them; the file goes on.
    ///
    /// # Errors
    /// When a write fails.
    pub fn filler(&mut self, length: usize) -> io::Result<()> {
        // A block type for local use, which nobody knows. Of a custom block, Wireshark would make a record.
        block(&mut self.out, 0x8000_0bad, &vec![0; length])?;
        self.out.flush()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When a write fails.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn interface(&mut self, file: usize, link: u16) -> io::Result<u32> {
        if let Some(known) = self.interfaces.iter().position(|&one| one == (file, link)) {
            return Ok(known as u32);
        }
        let mut body = Vec::new();
        body.extend(link.to_le_bytes());
        body.extend([0; 6]);
        option(&mut body, RESOLUTION, &[9]);
        option(&mut body, 0, b"");
        block(&mut self.out, 1, &body)?;
        self.interfaces.push((file, link));
        Ok(self.interfaces.len() as u32 - 1)
    }
}

fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all(&length)
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
