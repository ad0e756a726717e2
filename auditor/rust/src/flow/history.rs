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
/// Above the letters: who is the originator, and whether the flow was turned round.
const ORIGINATOR_BIT: u32 = 62;
const TURNED_BIT: u32 = 63;

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

    /// Adds what is needed to write the letters; `turned` when the originator did not send the first packet.
    #[must_use]
    pub fn close(self, originator: Side, turned: bool) -> Closed {
        Closed(self.0 | (originator as u64) << ORIGINATOR_BIT | u64::from(turned) << TURNED_BIT)
    }
}

/// The history of a flow to which nothing more happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed(u64);

impl Closed {
    /// Writes the letters, with those that spilled; `^` first when the flow was turned round.
    #[must_use]
    pub fn text(self, spilled: &[u8]) -> String {
        let originator = (self.0 >> ORIGINATOR_BIT & 1) as Side;
        let codes = (0..CAPACITY).rev().map(|place| self.0 >> (place * BITS) & 31).filter(|&code| code != 0);
        let letters = codes.chain(spilled.iter().map(|&code| u64::from(code))).map(|code| letter(code, originator));
        (self.0 >> TURNED_BIT != 0).then_some('^').into_iter().chain(letters).collect()
    }
}
