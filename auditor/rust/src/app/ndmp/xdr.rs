//! Checked reading of XDR (RFC 4506) from a message body that may be captured only in part.

use super::value::{MAX_CHARS, Value};

/// Why reading a body stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The layout does not fit the record, with the rule broken.
    Malformed(&'static str),
    /// The record goes on, but its bytes are not there.
    Cut,
}

/// Result of reading part of a body.
pub type Read<T> = Result<T, Fault>;

/// Reads a body of `total` bytes, of which `data` holds the first. Nothing is allocated by a claimed length.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    total: usize,
    at: usize,
    /// NDMP version whose layout is tried.
    pub version: u8,
    extent: Extent,
}

/// How much of a body its layout explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every byte to the end of the record.
    Whole,
    /// The part an auditor needs; a list behind it was only counted.
    Summary,
    /// Its layout, or the layout of what follows, is not known.
    Opaque,
}

impl<'a> Reader<'a> {
    /// A reader of a body of `total` bytes that begins with `data`.
    #[must_use]
    pub fn new(data: &'a [u8], total: usize, version: u8) -> Self {
        let data = data.get(..total).unwrap_or(data);
        Self { data, total, at: 0, version, extent: Extent::Whole }
    }

    /// Bytes of the record not yet read, captured or not.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.total - self.at
    }

    fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        if len > self.remaining() {
            return Err(Fault::Malformed("a field ends behind the end of the record"));
        }
        let end = self.at + len;
        let bytes = self.data.get(self.at..end).ok_or(Fault::Cut)?;
        self.at = end;
        Ok(bytes)
    }

    /// A 32-bit word.
    pub fn u32(&mut self) -> Read<u32> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    /// A 16-bit number in its own word.
    pub fn u16(&mut self) -> Read<u16> {
        u16::try_from(self.u32()?).map_err(|_| Fault::Malformed("a 16-bit number with high bytes set"))
    }

    /// A 64-bit number, high word first.
    pub fn quad(&mut self) -> Read<u64> {
        let high = self.u32()?;
        Ok(u64::from(high) << 32 | u64::from(self.u32()?))
    }

    /// Fixed `opaque[N]`, padded to a word.
    pub fn fixed<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.take(N)?;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        self.take(padding(N))?;
        Ok(array)
    }

    /// Variable `opaque<>` or `string<>`.
    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let len = self.u32()? as usize;
        if len > self.remaining() {
            return Err(Fault::Malformed("a string or opaque is longer than its record"));
        }
        let bytes = self.take(len)?;
        self.take(padding(len))?;
        Ok(bytes)
    }

    /// A string, as [`text`] keeps it.
    pub fn string(&mut self) -> Read<String> {
        Ok(text(self.bytes()?))
    }

    /// A string as a value.
    pub fn text(&mut self) -> Read<Value> {
        Ok(Value::Text(self.string()?))
    }

    /// The count of an array whose items take at least `least` bytes each, so that it never exceeds the record.
    pub fn count(&mut self, least: usize) -> Read<usize> {
        let count = self.u32()? as usize;
        if count > self.remaining() / least {
            return Err(Fault::Malformed("an array counts more items than its record can hold"));
        }
        Ok(count)
    }

    /// An array of items of at least `least` bytes.
    pub fn array<T>(&mut self, least: usize, item: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.count(least)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Leaves the rest unread on purpose: what is needed was read.
    pub fn summarise(&mut self) {
        self.extent = Extent::Summary;
        self.at = self.total;
    }

    /// Leaves the rest unread because its layout is not known.
    pub fn give_up(&mut self) {
        self.extent = Extent::Opaque;
        self.at = self.total;
    }

    /// Ends the reading: how much was explained, or that bytes are left over.
    pub fn end(self) -> Read<Extent> {
        if self.remaining() > 0 {
            return Err(Fault::Malformed("bytes are left after the last field"));
        }
        Ok(self.extent)
    }
}

/// Zero bytes that pad `len` to a word.
const fn padding(len: usize) -> usize {
    (4 - len % 4) % 4
}

/// Keeps a text that came over the wire: lossy UTF-8, at most [`MAX_CHARS`] characters. Control characters stay; it
/// is for the renderer to escape them.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    // No character takes more than four bytes, so that what lies beyond cannot matter.
    let bytes = bytes.get(..MAX_CHARS * 4).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_strings_and_padding() {
        let data = [0, 0, 0, 5, b'a', b'b', b'c', b'd', b'e', 0, 0, 0, 0, 0, 0, 7];
        let mut reader = Reader::new(&data, data.len(), 4);
        assert_eq!(reader.bytes(), Ok(&b"abcde"[..]));
        assert_eq!(reader.u16(), Ok(7));
        assert_eq!(reader.end(), Ok(Extent::Whole));
    }

    #[test]
    fn beyond_the_record_is_malformed_and_beyond_the_capture_is_cut() {
        let data = [0, 0, 0, 9];
        assert!(matches!(Reader::new(&data, 4, 4).bytes(), Err(Fault::Malformed(_))));
        assert_eq!(Reader::new(&data, 16, 4).bytes(), Err(Fault::Cut));
        assert!(matches!(Reader::new(&data, 8, 4).bytes(), Err(Fault::Malformed(_))));
    }

    #[test]
    fn a_claimed_count_never_exceeds_the_record() {
        let data = [0xff; 64];
        assert!(matches!(Reader::new(&data, 64, 4).count(8), Err(Fault::Malformed(_))));
        let data = [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(Reader::new(&data, 12, 4).array(4, Reader::u32), Ok(vec![1, 2]));
    }

    #[test]
    fn texts_are_capped_and_never_fail() {
        assert_eq!(text(&[0xff; 3000]).chars().count(), MAX_CHARS);
        assert_eq!(text("é".repeat(300).as_bytes()), "é".repeat(256));
    }
}
