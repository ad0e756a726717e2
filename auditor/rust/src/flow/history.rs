//! Zeek's connection history: which events came in which order, one letter each.

use super::key::Side;

/// An event of one side. Zeek's letter in capitals when the originator did it.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// SYN without ACK.
    Syn = b's',
    /// SYN with ACK ("handshake").
    Handshake = b'h',
    /// Bare ACK.
    Ack = b'a',
    /// Payload.
    Data = b'd',
    /// FIN.
    Fin = b'f',
    /// RST.
    Reset = b'r',
    /// Payload that was acknowledged is not in the capture.
    Gap = b'g',
    /// Payload at or before the place that was reached already.
    Again = b't',
    /// A window of zero.
    ZeroWindow = b'w',
    /// FIN and RST in one.
    Inconsistent = b'i',
    /// SYN with FIN or RST.
    MultiFlag = b'q',
}

const BITS: u32 = 5;
const CAPACITY: u32 = 12;

/// Up to twelve events in one word: five bits each, the last event lowest. Longer histories spill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History(u64);

/// An event as it is kept: the place of its letter in the alphabet times two, and the side. Never 0.
fn code(letter: Letter, side: Side) -> u64 {
    const ORDER: &[u8; 11] = b"shadfrgtwiq";
    let place = ORDER.iter().position(|&l| l == letter as u8).unwrap_or(0);
    (place * 2 + side + 1) as u64
}

fn letter(code: u64, originator: Side) -> char {
    const ORDER: &[u8; 11] = b"shadfrgtwiq";
    let event = usize::try_from(code - 1).unwrap_or(0);
    let letter = char::from(ORDER[event / 2]);
    if event % 2 == originator { letter.to_ascii_uppercase() } else { letter }
}

impl History {
    /// Appends an event.
    ///
    /// # Errors
    /// The event as a code, when there is no room.
    pub fn push(&mut self, event: Letter, side: Side) -> Result<(), u8> {
        let code = code(event, side);
        if self.0 >> (BITS * (CAPACITY - 1)) != 0 {
            return Err(code as u8);
        }
        self.0 = self.0 << BITS | code;
        Ok(())
    }

    /// Writes the letters, with those that spilled.
    #[must_use]
    pub fn text(self, spilled: &[u8], originator: Side) -> String {
        let codes = (0..CAPACITY).rev().map(|place| self.0 >> (place * BITS) & 31).filter(|&code| code != 0);
        codes.chain(spilled.iter().map(|&code| u64::from(code))).map(|code| letter(code, originator)).collect()
    }
}
