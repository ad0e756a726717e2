//! `NetBIOS` name service (RFC 1002, 4.2): registrations, refreshes, answers, and tables of a node's names.

use std::net::Ipv4Addr;

use super::{Found, NameKind, mapped};

/// Header, and a name without scope in its coded form: length, 32 letters, end.
const HEADER: usize = 12;
const CODED: usize = 34;

/// Record types: addresses of a name, names of a node.
const NB: u16 = 0x20;
const NBSTAT: u16 = 0x21;

/// Bit of the flags of a name: many hosts share it.
const GROUP: u8 = 0x80;
/// Last byte of a name: workstation, file server.
const HOSTS: [u8; 2] = [0x00, 0x20];

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..)?.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

/// A message that begins with a coded name of type NB or NBSTAT.
#[must_use]
pub fn is_nbns(payload: &[u8]) -> bool {
    let Some(name) = payload.get(HEADER..HEADER + CODED) else { return false };
    let kind = u16_at(payload, HEADER + CODED);
    let opcode = payload[2] >> 3 & 15;
    name[0] == 32
        && name[1..33].iter().all(|letter| (b'A'..=b'P').contains(letter))
        && name[33] == 0
        && matches!(opcode, 0 | 5..=9 | 15)
        && matches!(kind, Some(NB | NBSTAT))
        && u16_at(payload, HEADER + CODED + 2) == Some(1)
}

/// Gives the names that hosts register, and those that answers tell.
pub fn names(message: &[u8], found: &mut impl Found) {
    let _ = records(message, found);
}

fn records(message: &[u8], found: &mut impl Found) -> Option<()> {
    if !is_nbns(message) {
        return None;
    }
    let (host, suffix) = decoded(message.get(HEADER + 1..HEADER + 33)?)?;
    let flags = u16_at(message, 2)?;
    let (response, opcode) = (flags & 0x8000 != 0, flags >> 11 & 15);
    let kind = u16_at(message, HEADER + CODED)?;
    let after = HEADER + CODED + 4;
    if response {
        // The record follows its name: time to live, length, data.
        if flags & 15 != 0 || u16_at(message, 6)? == 0 || opcode == 7 {
            return None;
        }
        let length = usize::from(u16_at(message, after + 4)?);
        let data = message.get(after + 6..)?;
        let data = data.get(..length).unwrap_or(data);
        if kind == NBSTAT {
            return node_status(data, found);
        }
        addresses(data, &host, suffix, found);
    } else if matches!(opcode, 5 | 8 | 9 | 15) && u16_at(message, 10)? == 1 {
        // A registration has its address in the additional record, whose name points to the question's.
        if u16_at(message, after)? != 0xc00c {
            return None;
        }
        let length = usize::from(u16_at(message, after + 10)?);
        addresses(message.get(after + 12..after + 12 + length)?, &host, suffix, found);
    }
    Some(())
}

/// Pairs of flags and address.
fn addresses(data: &[u8], host: &str, suffix: u8, found: &mut impl Found) {
    for entry in data.chunks_exact(6).take(8) {
        if entry[0] & GROUP == 0 && HOSTS.contains(&suffix) {
            let address = Ipv4Addr::new(entry[2], entry[3], entry[4], entry[5]);
            found(Some(mapped(address.to_bits())), NameKind::Netbios, 0, &|| Some(host.to_owned()));
        }
    }
}

/// The names of the node that answers.
fn node_status(data: &[u8], found: &mut impl Found) -> Option<()> {
    let (&count, table) = data.split_first()?;
    for entry in table.chunks_exact(18).take(count.into()) {
        if entry[16] & GROUP == 0 && HOSTS.contains(&entry[15]) {
            found(None, NameKind::Netbios, 0, &|| Some(trimmed(&entry[..15])));
        }
    }
    Some(())
}

/// Sixteen bytes out of 32 letters: the name, and the byte that says what it is of.
fn decoded(letters: &[u8]) -> Option<(String, u8)> {
    let bytes: Vec<u8> = letters.chunks_exact(2).map(|pair| (pair[0] - b'A') << 4 | (pair[1] - b'A')).collect();
    let (&suffix, name) = bytes.split_last()?;
    Some((trimmed(name), suffix))
}

/// A name without the spaces that fill it up. Letters beyond ASCII are of a code page that nobody names.
fn trimmed(name: &[u8]) -> String {
    let end = name.iter().rposition(|&byte| byte != b' ' && byte != 0).map_or(0, |last| last + 1);
    super::readable(&name[..end])
}
