//! Record marker and message header, and the invariants by which they are recognised.

use super::message;

/// Bytes of a record marker.
pub const MARKER: usize = 4;
/// Bytes of a message header.
pub const HEADER: usize = 24;
/// Bytes of both: what the stateless test looks at.
pub const PROLOGUE: usize = MARKER + HEADER;
/// Longest record accepted. Tape records and file history may pass 1 MiB; nothing sane passes this.
pub const MAX_RECORD: u32 = 64 << 20;
/// Shortest first fragment that is not the last: real stacks fill a buffer of 4000 bytes before they split.
const MIN_SPLIT: u32 = 100;
/// Sequence numbers count messages from 1; a session never sends this many.
const MAX_SEQUENCE: u32 = 1 << 24;
/// Plausible time stamps: 1995 to 2046. Scanners send 0.
const TIMES: std::ops::Range<u32> = 0x3000_0000..0x9000_0000;
/// Largest error code without extension class.
const MAX_ERROR: u32 = 30;

/// Marker of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The record ends with this fragment.
    pub last: bool,
    /// Payload bytes of the fragment.
    pub length: u32,
}

impl Marker {
    /// Reads a marker from its four bytes.
    #[must_use]
    pub fn new(bytes: [u8; MARKER]) -> Self {
        let word = u32::from_be_bytes(bytes);
        Self { last: word >> 31 == 1, length: word & 0x7fff_ffff }
    }
}

/// Header of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Sequence number of the sender.
    pub sequence: u32,
    /// Clock of the sender, Unix seconds.
    pub time: u32,
    /// 0 request or post, 1 reply; [`check`] refuses others.
    pub kind: u32,
    /// Message code.
    pub message: u32,
    /// Sequence of the request that a reply answers.
    pub reply_sequence: u32,
    /// Error; a reply with one has no body.
    pub error: u32,
}

impl Header {
    /// Reads a header from its 24 bytes.
    #[must_use]
    pub fn new(bytes: &[u8; HEADER]) -> Self {
        let mut words = bytes.chunks_exact(4).map(|word| word.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)));
        let mut next = || words.next().unwrap_or_default();
        Self { sequence: next(), time: next(), kind: next(), message: next(), reply_sequence: next(), error: next() }
    }

    /// It is a reply.
    #[must_use]
    pub const fn is_reply(&self) -> bool {
        self.kind == 1
    }
}

/// Reads marker and header at the start of `bytes` and holds them against the hard invariants.
///
/// Returns `None` when fewer than [`PROLOGUE`] bytes are there.
#[must_use]
pub fn prologue(bytes: &[u8]) -> Option<Result<(Marker, Header), &'static str>> {
    let (marker, rest) = bytes.split_first_chunk::<MARKER>()?;
    let header = Header::new(rest.first_chunk::<HEADER>()?);
    let marker = Marker::new(*marker);
    Some(check(marker, &header).map(|()| (marker, header)))
}

/// The hard invariants of an NDMP record, from its first fragment.
///
/// # Errors
/// The rule that is broken.
pub fn check(marker: Marker, header: &Header) -> Result<(), &'static str> {
    check_length(marker)?;
    if header.kind > 1 {
        return Err("the message type is neither request nor reply");
    }
    if !message::is_legal(header.message) {
        return Err("the message code is neither in the table nor in a vendor or extension range");
    }
    if header.error > MAX_ERROR && header.error >> 16 == 0 {
        return Err("the error code is unknown and of no extension");
    }
    if header.sequence >= MAX_SEQUENCE || header.reply_sequence >= MAX_SEQUENCE {
        return Err("a sequence number is implausibly large");
    }
    if header.time != 0 && !TIMES.contains(&header.time) {
        return Err("the time stamp is of no plausible year");
    }
    if !header.is_reply() && (header.reply_sequence != 0 || header.error != 0) {
        return Err("a request has a reply sequence or an error");
    }
    let bare = HEADER as u32 + if header.message == message::CAB_DATA_CONN_PREPARE { 4 } else { 0 };
    if header.error != 0 && !(marker.last && (marker.length == HEADER as u32 || marker.length == bare)) {
        return Err("a reply with an error in its header has a body");
    }
    Ok(())
}

/// Length rules of the first fragment.
///
/// # Errors
/// The rule that is broken.
pub fn check_length(marker: Marker) -> Result<(), &'static str> {
    if marker.length < HEADER as u32 {
        return Err("the record is shorter than a header");
    }
    if marker.length > MAX_RECORD {
        return Err("the record is longer than 64 MiB");
    }
    if marker.last && !marker.length.is_multiple_of(4) {
        return Err("the record length is no multiple of four");
    }
    if !marker.last && marker.length < MIN_SPLIT {
        return Err("the first of several fragments is implausibly short");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: [u32; 7]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn the_greeting_of_an_agent_passes() {
        let bytes = words([0x8000_0024, 1, 0x66a3_c0de, 0, 0x502, 0, 0]);
        let (marker, header) = prologue(&bytes).expect("28 bytes").expect("rules");
        assert_eq!(marker, Marker { last: true, length: 36 });
        assert_eq!((header.sequence, header.message, header.is_reply()), (1, 0x502, false));
    }

    #[test]
    fn each_hard_rule_refuses() {
        let good = [0x8000_0024, 1, 0x66a3_c0de, 0, 0x502, 0, 0];
        let broken = [
            (0, 0x8000_0014), // shorter than a header
            (0, 0x8400_0004), // longer than 64 MiB
            (0, 0x8000_0025), // no multiple of four
            (0, 0x0000_0060), // short first fragment
            (1, 0x0100_0000), // sequence
            (2, 0x2fff_ffff), // before 1995
            (3, 2),           // type
            (4, 0x1500),      // message code
            (5, 1),           // reply sequence of a request
            (6, 4),           // error of a request
        ];
        for (index, value) in broken {
            let mut words_ = good;
            words_[index] = value;
            assert!(prologue(&words(words_)).expect("28 bytes").is_err(), "word {index} = {value:#x}");
        }
    }

    #[test]
    fn a_header_error_stands_alone() {
        let reply = |length, error| prologue(&words([length, 3, 0, 1, 0x100, 2, error])).expect("28 bytes").is_ok();
        assert!(reply(0x8000_0018, 4));
        assert!(!reply(0x8000_001c, 4));
        assert!(reply(0x8000_001c, 0));
        assert!(reply(0x8000_0018, 26));
        assert!(!reply(0x8000_0018, 31));
        assert!(reply(0x8000_0018, 0x2052_0001));
    }

    #[test]
    fn an_smb2_header_behind_its_session_length_is_refused() {
        let mut bytes = vec![0, 0, 0, 0x68, 0xfe, b'S', b'M', b'B', 0x40, 0];
        bytes.resize(64, 0);
        assert!(prologue(&bytes).expect("28 bytes").is_err());
    }
}
