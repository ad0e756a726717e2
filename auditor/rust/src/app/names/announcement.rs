//! What a Backup Exec agent says of itself to the Agent Browser of a media server (TCP 6101).
//!
//! One public capture shows it, and no document: `be 01`, a total length, then items of a 2-byte length, a two-letter tag
//! and a value: `RN` host name, `RT` time, `I4` an IPv4 address and the NDMP port. Neither the byte order nor what the
//! lengths count is known, so that a message is taken only where one reading explains it to the last byte.

use std::net::Ipv4Addr;

use super::{Found, NameKind, mapped, readable};

const MARK: [u8; 2] = [0xbe, 0x01];
/// Items of one message.
const MAX_ITEMS: usize = 64;
/// Longest host name.
const MAX_NAME: usize = 255;

/// What one message says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Announcement<'a> {
    name: &'a [u8],
    end: Option<(Ipv4Addr, u16)>,
}

/// A message that one reading of the layout explains whole, with a host name in it.
#[must_use]
pub fn is_announcement(payload: &[u8]) -> bool {
    read(payload).is_some()
}

/// Gives the host name, for the address announced or else the sender's.
pub fn names(payload: &[u8], found: &mut impl Found) {
    if let Some(Announcement { name, end }) = read(payload) {
        let address = end.map(|(address, _)| mapped(address.to_bits()));
        found(address, NameKind::Announcement, end.map_or(0, |(_, port)| port), &|| Some(readable(name)));
    }
}

fn read(payload: &[u8]) -> Option<Announcement<'_>> {
    let rest = payload.strip_prefix(&MARK)?;
    // Width of the total length; byte order; what an item's length counts beyond its value: tag, and itself.
    [2, 4].into_iter().find_map(|width| {
        [true, false].into_iter().find_map(|big| {
            let (head, items) = rest.split_at_checked(width)?;
            let total = number(head, big);
            let whole = [items.len(), rest.len(), payload.len()].contains(&total);
            [0, 2, 4].into_iter().find_map(|counted| if whole { walk(items, big, counted) } else { None })
        })
    })
}

fn number(bytes: &[u8], big: bool) -> usize {
    let add = |sum: usize, &byte: &u8| sum << 8 | usize::from(byte);
    if big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

fn walk(mut items: &[u8], big: bool, counted: usize) -> Option<Announcement<'_>> {
    let mut told = Announcement::default();
    let mut count = 0;
    while !items.is_empty() {
        count += 1;
        let (head, rest) = items.split_first_chunk::<4>()?;
        let [_, _, tag @ ..] = head;
        let length = number(&head[..2], big).checked_sub(counted)?;
        let (value, after) = rest.split_at_checked(length)?;
        if count > MAX_ITEMS || !tag.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        match tag {
            b"RN" => told.name = value.split(|&byte| byte == 0).next().unwrap_or_default(),
            b"I4" => {
                let (address, port) = value.split_first_chunk::<4>()?;
                let port = port.first_chunk::<2>()?;
                told.end = Some((Ipv4Addr::from(*address), u16::from_be_bytes(*port)));
            }
            _ => {}
        }
        items = after;
    }
    let sane = !told.name.is_empty() && told.name.len() <= MAX_NAME && told.name.iter().all(u8::is_ascii_graphic);
    sane.then_some(told)
}
