//! Frames and capture files by hand, for tests.

use crate::capture::{Fault, Reader, Window};

/// Bytes out of hexadecimal text; `#` begins a comment that ends with the line.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or("").chars())
        .filter(|character| !character.is_whitespace())
        .map(|digit| digit.to_digit(16).expect("hexadecimal"))
        .collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of digits");
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// A frame as a reader gave it, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub time: i64,
    pub link: u16,
    pub wire_len: u32,
    pub data: Vec<u8>,
    pub untimed: bool,
}

/// A reader of bytes in memory.
pub fn reader(bytes: &[u8]) -> Result<Reader, String> {
    let mut window = Window::new(Box::new(std::io::Cursor::new(bytes.to_vec())));
    window.need(crate::capture::HEAD).expect("memory can be read");
    Reader::recognise(window)
}

/// All frames of a file, and the fault that ended it.
pub fn frames(reader: &mut Reader) -> (Vec<Owned>, Option<Fault>) {
    let mut frames = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(f)) => frames.push(Owned {
                time: f.time,
                link: f.link,
                wire_len: f.wire_len,
                data: f.data.to_vec(),
                untimed: f.untimed,
            }),
            Ok(None) => return (frames, None),
            Err(fault) => return (frames, Some(fault)),
        }
    }
}

/// A small generator of pseudo-random numbers (xorshift), so that fuzz tests are the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    /// Changes some bytes: flips, cuts, repeats, extremes.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(8) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes[at] = 0xff,
                1 => bytes[at] = 0,
                2 => bytes.truncate(at),
                3 => bytes[at] ^= 1 << self.below(8),
                4 => bytes.insert(at, self.next() as u8),
                _ => bytes[at] = self.next() as u8,
            }
        }
    }
}
