//! Refusals: RST in answer to a SYN, and ICMP errors that quote a packet of the flow.

use crate::decode::{Icmp, protocol};

/// How a flow was refused. The discriminant indexes [`REFUSALS`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// RST in answer to a SYN.
    Rst = 1,
    /// Network unreachable.
    NetUnreachable,
    /// Host unreachable.
    HostUnreachable,
    /// Protocol unreachable.
    ProtocolUnreachable,
    /// Port unreachable.
    PortUnreachable,
    /// A filter forbids it.
    AdminProhibited,
    /// Unreachable for another reason.
    Other,
}

/// Names of [`Refusal`]; the first is for flows that were not refused.
pub const REFUSALS: &[&str] = &[
    "none",
    "rst",
    "icmp-net-unreachable",
    "icmp-host-unreachable",
    "icmp-protocol-unreachable",
    "icmp-port-unreachable",
    "icmp-admin-prohibited",
    "icmp-other",
];

/// What a message of ICMP (or `ICMPv6`, by `transport`) refuses, if it does. "Fragmentation needed" and messages on the
/// way (time exceeded, redirect) refuse nothing.
#[must_use]
pub fn of_icmp(transport: u8, icmp: &Icmp<'_>) -> Option<Refusal> {
    match (transport, icmp.kind, icmp.code) {
        (protocol::ICMP, 3, 4) => None,
        (protocol::ICMP, 3, code) => Some(match code {
            0 | 6 | 11 => Refusal::NetUnreachable,
            1 | 7 | 8 | 12 => Refusal::HostUnreachable,
            2 => Refusal::ProtocolUnreachable,
            3 => Refusal::PortUnreachable,
            9 | 10 | 13 => Refusal::AdminProhibited,
            _ => Refusal::Other,
        }),
        (protocol::ICMPV6, 1, code) => Some(match code {
            0 => Refusal::NetUnreachable,
            // 5 and 6: failed the ingress or egress policy, reject route.
            1 | 5 | 6 => Refusal::AdminProhibited,
            3 => Refusal::HostUnreachable,
            4 => Refusal::PortUnreachable,
            _ => Refusal::Other,
        }),
        _ => None,
    }
}
