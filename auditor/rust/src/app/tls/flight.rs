//! The handshake messages of one direction, out of TLS records as they come.

/// Bytes of one direction that are looked at.
const MAX_BYTES: usize = 32 << 10;
/// Longest record.
const MAX_RECORD: usize = (1 << 14) + 2048;
/// Bytes of a record's header, and of a message's.
const RECORD: usize = 5;
const MESSAGE: usize = 4;

const HANDSHAKE: u8 = 22;

/// Collects the messages of one direction until they are encrypted, cut, or too much.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    records: Vec<u8>,
    messages: Vec<u8>,
    taken: usize,
    done: bool,
}

impl Flight {
    /// Nothing more is to be learnt from this direction.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Bytes held.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.records.capacity() + self.messages.capacity()
    }

    /// Wants no more.
    pub fn close(&mut self) {
        *self = Self { done: true, ..Self::default() };
    }

    /// Takes the next bytes of the stream and gives the messages that are now whole: type and body.
    pub fn take(&mut self, bytes: &[u8], out: &mut impl FnMut(u8, &[u8])) {
        if self.done {
            return;
        }
        self.taken += bytes.len();
        self.records.extend_from_slice(bytes.get(..MAX_BYTES).unwrap_or(bytes));
        let mut at = 0;
        let mut over = self.taken > MAX_BYTES;
        while let Some(header) = self.records.get(at..at + RECORD) {
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            // Another type: the rest is encrypted, or an alert; another version: this is no TLS.
            if header[0] != HANDSHAKE || header[1] != 3 || header[2] > 4 || length > MAX_RECORD {
                over = true;
                break;
            }
            let Some(content) = self.records.get(at + RECORD..at + RECORD + length) else { break };
            self.messages.extend_from_slice(content);
            at += RECORD + length;
        }
        self.records.drain(..at);
        over |= self.give(out);
        if over {
            self.close();
        }
    }

    /// Gives the messages that are whole; true when one is too long to wait for.
    fn give(&mut self, out: &mut impl FnMut(u8, &[u8])) -> bool {
        let mut at = 0;
        let mut over = false;
        while let Some(&[kind, one, two, three]) = self.messages.get(at..).and_then(<[u8]>::first_chunk::<MESSAGE>) {
            let length = u32::from_be_bytes([0, one, two, three]) as usize;
            let Some(body) = self.messages.get(at + MESSAGE..at + MESSAGE + length) else {
                over = length > MAX_BYTES;
                break;
            };
            out(kind, body);
            at += MESSAGE + length;
        }
        self.messages.drain(..at);
        over
    }
}
