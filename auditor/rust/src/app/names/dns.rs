//! DNS (RFC 1035), multicast DNS (RFC 6762) and LLMNR (RFC 4795): addresses in answers, and names of addresses.

use super::{Found, NameKind, append_readable, mapped};
use crate::decode::Tuple;

/// Bytes of the header.
const HEADER: usize = 12;
/// Bytes of an answer between its name and its content.
const FIXED: usize = 10;
/// Answers that are looked at.
const MAX_ANSWERS: usize = 64;
/// Pointers that are followed in one name; each must point back.
const MAX_POINTERS: usize = 8;
/// Bytes of a whole name.
const MAX_NAME: usize = 255;
/// Room that is made for one.
const USUAL: usize = 32;

const A: u16 = 1;
const PTR: u16 = 12;
const AAAA: u16 = 28;

const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;

/// By which of the three the names are told.
pub fn kind(tuple: &Tuple) -> NameKind {
    let on = |port| tuple.source_port == port || tuple.destination_port == port;
    if on(MDNS) {
        NameKind::Mdns
    } else if on(LLMNR) {
        NameKind::Llmnr
    } else {
        NameKind::Dns
    }
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..)?.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

/// A number in a part of the message that is there.
#[inline]
fn word<const SIZE: usize>(part: &[u8; SIZE], at: usize) -> u16 {
    u16::from_be_bytes([part[at], part[at + 1]])
}

/// A message whose header is sane and whose first question or answer can be read: a name, a known type, a known class.
#[must_use]
pub fn is_dns(payload: &[u8]) -> bool {
    let Some(header) = payload.first_chunk::<HEADER>() else { return false };
    let [flags, questions, answers, authorities, additional] = [2, 4, 6, 8, 10].map(|at| word(header, at));
    // Query, update and notify; the reserved bit; counts that a datagram may hold.
    let sane = matches!(flags >> 11 & 15, 0 | 4 | 5) && flags & 0x40 == 0 && questions <= 8;
    if !sane
        || answers > 256
        || authorities > 64
        || additional > 64
        || questions == 0 && (answers == 0 || flags >> 15 == 0)
    {
        return false;
    }
    let Some(at) = skip(payload, HEADER) else { return false };
    let known_type = |kind| matches!(kind, 1..=65 | 99 | 249..=258 | 32769);
    let known_class = |class| matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255);
    let asked = payload.get(at..).and_then(<[u8]>::first_chunk::<4>);
    asked.is_some_and(|asked| known_type(word(asked, 0)) && known_class(word(asked, 2)))
}

/// The same behind the length that TCP puts before it; one message, whole in its segment.
#[must_use]
pub fn is_dns_tcp(payload: &[u8]) -> bool {
    u16_at(payload, 0).is_some_and(|length| usize::from(length) + 2 == payload.len()) && is_dns(&payload[2..])
}

/// A response without an error, as its flags say.
pub fn is_answer(message: &[u8]) -> bool {
    u16_at(message, 2).is_some_and(|flags| flags & 0x800f == 0x8000)
}

/// Gives the hosts that the answers name.
pub fn names(message: &[u8], kind: NameKind, found: &mut impl Found) {
    let _ = answers(message, kind, found);
}

fn answers(message: &[u8], kind: NameKind, found: &mut impl Found) -> Option<()> {
    if !is_answer(message) {
        return None;
    }
    let header = message.first_chunk::<HEADER>()?;
    let (questions, count) = (word(header, 4), usize::from(word(header, 6)));
    let mut at = HEADER;
    for _ in 0..questions {
        at = skip(message, at)? + 4;
    }
    for _ in 0..count.min(MAX_ANSWERS) {
        let (start, after) = (at, skip(message, at)?);
        let fixed = message.get(after..)?.first_chunk::<FIXED>()?;
        let (record, class, length) = (word(fixed, 0), word(fixed, 2) & 0x7fff, usize::from(word(fixed, 8)));
        let data = after + FIXED;
        let content = message.get(data..data + length)?;
        at = data + length;
        if class != 1 {
            continue;
        }
        match record {
            A => {
                if let Ok(four) = <[u8; 4]>::try_from(content) {
                    found(Some(mapped(u32::from_be_bytes(four))), kind, 0, &|| owner(message, start));
                }
            }
            AAAA => {
                if let Ok(six) = <[u8; 16]>::try_from(content) {
                    found(Some(u128::from_be_bytes(six)), kind, 0, &|| owner(message, start));
                }
            }
            PTR => {
                if let Some(address) = owner(message, start).and_then(|owner| reverse(&owner)) {
                    found(Some(address), kind, 0, &|| owner(message, data));
                }
            }
            _ => {}
        }
    }
    Some(())
}

fn owner(message: &[u8], at: usize) -> Option<String> {
    name(message, at).map(|(text, _)| text)
}

/// Where what follows the name at `at` begins; a pointer ends a name, and is not followed.
fn skip(message: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    loop {
        let size = usize::from(*message.get(next)?);
        match size {
            0 => return Some(next + 1),
            1..=63 if next - at + size < MAX_NAME => next += size + 1,
            0xc0.. => return Some(next + 2),
            _ => return None,
        }
    }
}

/// The name at `at`, and where what follows it begins. `None` for one that is cut, too long, or points forward.
pub fn name(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut at, mut end, mut limit) = (at, None, at);
    let (mut text, mut length, mut pointers) = (Vec::with_capacity(USUAL), 0, 0);
    loop {
        let size = usize::from(*message.get(at)?);
        match size {
            0 => return Some((String::from_utf8(text).ok()?, end.unwrap_or(at + 1))),
            1..=63 => {
                length += size + 1;
                if length > MAX_NAME {
                    return None;
                }
                if !text.is_empty() {
                    text.push(b'.');
                }
                append_readable(&mut text, message.get(at + 1..at + 1 + size)?);
                at += size + 1;
            }
            0xc0.. => {
                let target = usize::from(u16_at(message, at)? & 0x3fff);
                end = end.or(Some(at + 2));
                pointers += 1;
                if target >= limit || target < HEADER || pointers > MAX_POINTERS {
                    return None;
                }
                (at, limit) = (target, target);
            }
            _ => return None,
        }
    }
}

/// The address that a name below `in-addr.arpa` or `ip6.arpa` stands for.
fn reverse(name: &str) -> Option<u128> {
    let name = name.to_ascii_lowercase();
    if let Some(digits) = name.strip_suffix(".in-addr.arpa") {
        let mut octets = [0; 4];
        let mut parts = digits.split('.');
        for octet in octets.iter_mut().rev() {
            *octet = parts.next()?.parse().ok()?;
        }
        return parts.next().is_none().then(|| mapped(u32::from_be_bytes(octets)));
    }
    let digits = name.strip_suffix(".ip6.arpa")?;
    let mut value: u128 = 0;
    let mut count = 0;
    for digit in digits.split('.').rev() {
        let digit = if digit.len() == 1 { digit.chars().next()?.to_digit(16)? } else { return None };
        value = value << 4 | u128::from(digit);
        count += 1;
    }
    (count == 32).then_some(value)
}
