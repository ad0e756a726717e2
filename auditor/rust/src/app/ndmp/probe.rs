//! A very cheap first test, called on the first payload segments of every TCP flow.

use super::{
    bodies::{self, Version},
    header::{self, HEADER, Header, MARKER, Marker, PROLOGUE},
    message,
    talk::{self, GREETING_LENGTHS},
};

/// What the start of a segment looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Not NDMP at this place.
    No,
    /// The header fits, nothing more is known: worth a [`super::ControlStream`].
    Maybe,
    /// An NDMP record beyond reasonable doubt.
    Record,
    /// The greeting of an NDMP server (`NOTIFY_CONNECTED`): decisive, and its sender is the server.
    Greeting,
}

/// Longest body decoded here; longer ones are judged by the record behind them.
const MAX_TRIAL: usize = 512;

/// Tests the start of a TCP segment. `payload` is its captured part, `wire_len` its length on the wire.
#[must_use]
pub fn probe(payload: &[u8], wire_len: u32, on_ndmp_port: bool) -> Probe {
    match header::prologue(payload) {
        Some(Ok((marker, header))) => judge(payload, wire_len as usize, on_ndmp_port, marker, &header),
        None if on_ndmp_port && torn_marker(payload, wire_len) => Probe::Maybe,
        Some(Err(_)) | None => Probe::No,
    }
}

fn judge(payload: &[u8], wire_len: usize, on_ndmp_port: bool, marker: Marker, header: &Header) -> Probe {
    let end = MARKER + marker.length as usize;
    let body = payload.get(PROLOGUE..end.min(payload.len())).unwrap_or_default();
    let total = marker.length as usize - HEADER;
    if is_greeting(header, marker, body, total, wire_len) {
        return Probe::Greeting;
    }
    let exact = || marker.last && total <= MAX_TRIAL && bodies::decode(header, body, total, Version::default()).exact;
    let followed = || matches!(payload.get(end..).and_then(header::prologue), Some(Ok(_)));
    if on_ndmp_port || exact() || marker.last && followed() { Probe::Record } else { Probe::Maybe }
}

/// The first message of an NDMP server. A cut one must be whole on the wire; then the header has to do.
fn is_greeting(header: &Header, marker: Marker, body: &[u8], total: usize, wire_len: usize) -> bool {
    if header.message != message::NOTIFY_CONNECTED || header.is_reply() || header.sequence > 1 || !marker.last {
        return false;
    }
    let on_wire = MARKER + marker.length as usize <= wire_len;
    if body.len() < total {
        return on_wire && GREETING_LENGTHS.contains(&total);
    }
    let outcome = bodies::decode(header, body, total, Version::default());
    outcome.exact && talk::is_greeting(&outcome)
}

/// A segment that holds only a marker, or no whole header: some stacks write them apart.
fn torn_marker(payload: &[u8], wire_len: u32) -> bool {
    let Some(&marker) = payload.first_chunk::<MARKER>() else { return false };
    let marker = Marker::new(marker);
    wire_len as usize == payload.len() && header::check_length(marker).is_ok() && marker.length < 1 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    fn whole(payload: &[u8], on_ndmp_port: bool) -> Probe {
        probe(payload, u32::try_from(payload.len()).expect("small"), on_ndmp_port)
    }

    /// Nmap's match for the Backup Exec agent, the same for ONTAP, and a text of 32 bytes as `BlueArc` sends.
    #[test]
    fn greetings() {
        let agent = hex("800000240000000166a3c0de00000000000005020000000000000000000000000000000300000000");
        let filer = hex("800000240000000166a3c0de00000000000005020000000000000000000000000000000400000000");
        assert_eq!(whole(&agent, false), Probe::Greeting);
        assert_eq!(whole(&filer, false), Probe::Greeting);
        let mut text = hex("800000440000000166a3c0de00000000000005020000000000000000000000000000000400000020");
        text.extend([b'x'; 32]);
        assert_eq!(whole(&text, false), Probe::Greeting);
        assert_eq!(probe(&text[..30], 72, false), Probe::Greeting, "cut by the snaplen");
        let overlong = hex("800000240000000166a3c0de00000000000005020000000000000000000000000000000300000010");
        assert_eq!(whole(&overlong, false), Probe::Maybe);
    }

    #[test]
    fn records() {
        let open = hex("8000001c0000000166a3c0de0000000000000900000000000000000000000003");
        assert_eq!(whole(&open, false), Probe::Record);
        assert_eq!(probe(&open[..30], 32, false), Probe::Maybe);
        assert_eq!(probe(&open[..30], 32, true), Probe::Record);
        assert_eq!(whole(&open[..4], true), Probe::Maybe);
        assert_eq!(whole(&open[..4], false), Probe::No);
    }

    /// xorshift64*, with a fixed seed.
    fn noise(state: &mut u64) -> u64 {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    #[test]
    fn two_million_random_blocks_and_smb2_never_hit() {
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let mut block = [0; 32];
        for round in 0..2_000_000 {
            for eight in block.chunks_exact_mut(8) {
                eight.copy_from_slice(&noise(&mut state).to_le_bytes());
            }
            assert_eq!(probe(&block, 32, true), Probe::No, "round {round}: {block:x?}");
        }
    }

    #[test]
    fn smb2_of_every_short_length_never_hits() {
        let mut state = 7;
        for length in 0x40..0x2000_u32 {
            let mut bytes = length.to_be_bytes().to_vec();
            bytes.extend([0xfe, b'S', b'M', b'B', 0x40, 0, 0, 0, 0, 0, 0, 0]);
            // Command, credits, flags, next command, message id: small numbers, as on the wire.
            bytes.extend((0..8).flat_map(|_| (noise(&mut state) as u32 % 20).to_le_bytes()));
            assert_eq!(probe(&bytes, length, false), Probe::No);
        }
    }
}
