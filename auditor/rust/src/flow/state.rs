//! States of TCP ends and of connections, as Zeek knows them (its `TCPSessionAdapter` and `conn_state`).

use super::key::Side;
use crate::decode::{Tcp, flag};

/// State of one end.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndState {
    /// It sent nothing.
    #[default]
    Inactive,
    /// It sent a SYN.
    SynSent,
    /// It was first met in the middle of a connection.
    Partial,
    /// Its part of the handshake is done.
    Established,
    /// It sent a FIN.
    Closed,
    /// It sent a RST.
    Reset,
    /// It sent a FIN, then a RST.
    ClosedReset,
}

const END_STATES: [EndState; 8] = [
    EndState::Inactive,
    EndState::SynSent,
    EndState::Partial,
    EndState::Established,
    EndState::Closed,
    EndState::Reset,
    EndState::ClosedReset,
    EndState::Inactive,
];

impl EndState {
    fn is_reset(self) -> bool {
        matches!(self, Self::Reset | Self::ClosedReset)
    }

    fn is_over(self) -> bool {
        self == Self::Closed || self.is_reset()
    }

    /// In Zeek's words inactive or partial: nothing that belongs to a handshake was seen of it.
    fn is_vague(self) -> bool {
        matches!(self, Self::Inactive | Self::Partial)
    }
}

/// States of both ends, by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndStates(u8);

impl EndStates {
    /// State of an end.
    #[inline]
    #[must_use]
    pub fn get(self, side: Side) -> EndState {
        END_STATES[usize::from(self.0 >> (4 * side) & 7)]
    }

    fn set(&mut self, side: Side, state: EndState) {
        self.0 = self.0 & !(0xf << (4 * side)) | (state as u8) << (4 * side);
    }

    /// Either end has closed or reset the connection.
    #[must_use]
    pub fn over(self) -> bool {
        self.get(0).is_over() || self.get(1).is_over()
    }

    /// Whether nothing but SYN, FIN or RST changes the state of an end.
    #[inline]
    #[must_use]
    pub fn is_settled(self, side: Side) -> bool {
        matches!(self.get(side), EndState::Established | EndState::Partial)
    }

    /// Takes a segment that `side` sent; tells whether it refused the other end's SYN.
    #[inline]
    pub fn step(&mut self, side: Side, tcp: &Tcp) -> bool {
        if self.is_settled(side) && tcp.flags & (flag::SYN | flag::FIN | flag::RST) == 0 {
            return false;
        }
        self.transition(side, tcp)
    }

    fn transition(&mut self, side: Side, tcp: &Tcp) -> bool {
        let peer = 1 - side;
        let (before, other) = (self.get(side), self.get(peer));
        match before {
            EndState::Inactive => self.first_segment(side, tcp),
            EndState::SynSent | EndState::Established | EndState::Partial => {
                if tcp.has(flag::SYN)
                    && before == EndState::Partial
                    && other == EndState::Inactive
                    && !tcp.has(flag::ACK)
                {
                    self.set(side, EndState::SynSent);
                }
                if tcp.has(flag::RST) {
                    self.set(side, EndState::Reset);
                } else if tcp.has(flag::FIN) {
                    self.set(side, EndState::Closed);
                    if other == EndState::ClosedReset {
                        // The peer ended with FIN and RST: that was an orderly end after all.
                        self.set(peer, EndState::Closed);
                    }
                }
            }
            EndState::Closed if tcp.has(flag::RST) && other != EndState::Closed => {
                self.set(side, EndState::ClosedReset);
            }
            EndState::Closed | EndState::Reset | EndState::ClosedReset => {}
        }
        before == EndState::Inactive && other == EndState::SynSent && tcp.has(flag::RST)
    }

    fn first_segment(&mut self, side: Side, tcp: &Tcp) {
        let peer = 1 - side;
        let other = self.get(peer);
        if tcp.has(flag::SYN) {
            let answers = tcp.has(flag::ACK) || other == EndState::SynSent;
            self.set(side, if answers { EndState::Established } else { EndState::SynSent });
            if answers && other == EndState::SynSent {
                self.set(peer, EndState::Established);
            }
        }
        if tcp.has(flag::FIN) {
            self.set(side, EndState::Closed);
        }
        if tcp.has(flag::RST) {
            self.set(side, EndState::Reset);
        }
        if self.get(side) == EndState::Inactive {
            let established = tcp.has(flag::ACK) && other == EndState::Established;
            // Some ends acknowledge a SYN before they answer it: that tells nothing yet.
            if other != EndState::SynSent {
                self.set(side, if established { EndState::Established } else { EndState::Partial });
            }
        }
    }
}

/// Zeek's `conn_state`. The discriminant indexes [`STATES`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnState {
    /// No handshake seen, only traffic in the middle.
    Oth,
    /// Attempt, no answer.
    S0,
    /// Established, not ended.
    S1,
    /// Established and ended.
    Sf,
    /// Attempt refused.
    Rej,
    /// The originator closed, the responder did not.
    S2,
    /// The responder closed, the originator did not.
    S3,
    /// The originator aborted.
    Rsto,
    /// The responder aborted.
    Rstr,
    /// The originator sent a SYN and a RST, the responder nothing.
    Rstos0,
    /// The responder sent SYN+ACK and RST, no SYN of the originator was seen.
    Rstrh,
    /// The originator sent SYN and FIN, the responder nothing.
    Sh,
    /// The responder sent SYN+ACK and FIN, no SYN of the originator was seen.
    Shr,
}

/// Names of [`ConnState`].
pub const STATES: &[&str] =
    &["OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR"];

/// State of a TCP connection; `empty` when neither side sent payload.
#[must_use]
pub fn tcp_state(states: EndStates, originator: Side, empty: bool) -> ConnState {
    let (orig, resp) = (states.get(originator), states.get(1 - originator));
    if resp.is_reset() {
        return match orig {
            EndState::SynSent => ConnState::Rej,
            _ if orig.is_reset() && empty => ConnState::Rej,
            _ if orig.is_vague() => ConnState::Rstrh,
            _ => ConnState::Rstr,
        };
    }
    match (orig, resp) {
        _ if orig.is_reset() => {
            if resp.is_vague() {
                ConnState::Rstos0
            } else {
                ConnState::Rsto
            }
        }
        (EndState::Closed, EndState::Closed) => ConnState::Sf,
        (EndState::Closed, _) => {
            if resp.is_vague() {
                ConnState::Sh
            } else {
                ConnState::S2
            }
        }
        (_, EndState::Closed) => {
            if orig.is_vague() {
                ConnState::Shr
            } else {
                ConnState::S3
            }
        }
        (EndState::SynSent, EndState::Inactive) => ConnState::S0,
        (EndState::Established, EndState::Established) => ConnState::S1,
        _ => ConnState::Oth,
    }
}

/// State of a UDP flow, by who sent.
#[must_use]
pub fn udp_state(orig_sent: bool, resp_sent: bool) -> ConnState {
    match (orig_sent, resp_sent) {
        (true, true) => ConnState::Sf,
        (true, false) => ConnState::S0,
        (false, true) => ConnState::Shr,
        (false, false) => ConnState::Oth,
    }
}
