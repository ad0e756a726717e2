//! Filters that the kernel runs (classic BPF): instructions, and the one that lets through what concerns some hosts.

use std::net::IpAddr;

/// One instruction, as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip where a comparison holds.
    pub jt: u8,
    /// Where it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// Instructions that the kernel takes at most (`BPF_MAXINSNS`).
pub const MOST: usize = 4096;

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

const fn op(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

/// Goes on with the next instruction where the loaded word is `k`, else skips `over`.
const fn unless(k: u32, over: u8) -> Instruction {
    Instruction { code: JUMP_EQUAL, jt: 0, jf: over, k }
}

/// Lets everything through, cut to `snaplen` bytes.
#[must_use]
pub fn everything(snaplen: u32) -> Vec<Instruction> {
    vec![op(RETURN, snaplen)]
}

/// Types of what Ethernet frames carry, behind which a packet of any host may be: VLAN tags that the card left in place,
/// MPLS, `PPPoE`.
const WRAPPED: [u32; 6] = [0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8864];
/// Protocols of IP of which the same is true: IP in IP, IPv6 in IPv4, GRE, `EtherIP`.
const TUNNELS: [u32; 4] = [4, 41, 47, 97];

/// Lets through packets from or to one of the networks (address and length of the prefix), and what may hold such a packet
/// in a way that a filter cannot see; cut to `snaplen` bytes. For Ethernet frames, or for bare IP packets. `None` where
/// the kernel takes no filter as long as that.
#[must_use]
pub fn networks(ethernet: bool, prefixes: &[(IpAddr, u8)], snaplen: u32) -> Option<Vec<Instruction>> {
    let start = if ethernet { 14 } else { 0 };
    let (four, six) = (ipv4(prefixes, start, snaplen), ipv6(prefixes, start, snaplen));
    let mut program = Vec::new();
    if ethernet {
        program.push(op(LOAD_HALF, 12));
        let rest = 2 * WRAPPED.len() as u32 + 1;
        program.extend([unless(0x0800, 1), op(JUMP, 2 + rest)]);
        program.extend([unless(0x86dd, 1), op(JUMP, rest + four.len() as u32)]);
        program.extend(WRAPPED.iter().flat_map(|&kind| [unless(kind, 1), op(RETURN, snaplen)]));
        program.push(op(RETURN, 0));
    } else {
        program.extend([op(LOAD_BYTE, 0), op(AND, 0xf0)]);
        program.extend([unless(0x60, 1), op(JUMP, four.len() as u32)]);
    }
    program.extend(four);
    program.extend(six);
    (program.len() <= MOST).then_some(program)
}

fn ipv4(prefixes: &[(IpAddr, u8)], start: u32, snaplen: u32) -> Vec<Instruction> {
    let mut program = Vec::new();
    for (address, length) in prefixes {
        let IpAddr::V4(address) = address else { continue };
        let mask = mask(u32::from(*length));
        for place in [12, 16] {
            program.push(op(LOAD_WORD, start + place));
            if mask != u32::MAX {
                program.push(op(AND, mask));
            }
            program.extend([unless(address.to_bits() & mask, 1), op(RETURN, snaplen)]);
        }
    }
    program.push(op(LOAD_BYTE, start + 9));
    program.extend(TUNNELS.iter().flat_map(|&protocol| [unless(protocol, 1), op(RETURN, snaplen)]));
    program.push(op(RETURN, 0));
    program
}

fn ipv6(prefixes: &[(IpAddr, u8)], start: u32, snaplen: u32) -> Vec<Instruction> {
    let mut program = Vec::new();
    for (address, length) in prefixes {
        let IpAddr::V6(address) = address else { continue };
        let bits = address.to_bits();
        for place in [8, 24] {
            let words: Vec<(u32, u32)> = (0..4)
                .map(|word| (word, mask(u32::from(*length).saturating_sub(word * 32).min(32))))
                .filter(|&(_, mask)| mask != 0)
                .collect();
            // Three instructions for each word, and the last one.
            let mut left = words.len() as u8 * 3 + 1;
            for (word, mask) in words {
                left -= 3;
                let expected = (bits >> (96 - 32 * word)) as u32 & mask;
                program.push(op(LOAD_WORD, start + place + word * 4));
                program.extend([op(AND, mask), unless(expected, left)]);
            }
            program.push(op(RETURN, snaplen));
        }
    }
    program.push(op(LOAD_BYTE, start + 6));
    program.extend(TUNNELS.iter().flat_map(|&protocol| [unless(protocol, 1), op(RETURN, snaplen)]));
    program.push(op(RETURN, 0));
    program
}

/// The first `length` of 32 bits.
fn mask(length: u32) -> u32 {
    u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks() {
        assert_eq!([0, 8, 31, 32].map(mask), [0, 0xff00_0000, 0xffff_fffe, 0xffff_ffff]);
    }

    #[test]
    fn a_filter_that_the_kernel_would_not_take_is_none() {
        let hosts: Vec<_> = (0..1000u32).map(|host| (IpAddr::from(host.to_be_bytes()), 32)).collect();
        assert!(networks(true, &hosts[..600], 96).is_some_and(|program| program.len() < MOST));
        assert_eq!(networks(true, &hosts, 96), None);
    }
}
