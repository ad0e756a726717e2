//! DHCP (RFC 2131, 2132): the host name that a client gives itself, for the address that it has or is given.

use std::net::Ipv4Addr;

use super::{Found, NameKind, mapped, readable};

/// Fixed part of a message, and the cookie behind it.
const FIXED: usize = 236;
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];

const HOST_NAME: u8 = 12;
const REQUESTED: u8 = 50;
const TYPE: u8 = 53;

const REQUEST: u8 = 3;
const ACK: u8 = 5;
const INFORM: u8 = 8;

/// A message of either side with its cookie.
#[must_use]
pub fn is_dhcp(payload: &[u8]) -> bool {
    matches!(payload.first(), Some(1 | 2)) && payload.get(FIXED..FIXED + 4) == Some(&COOKIE)
}

/// Gives the name of a client with the address that it uses, asks for, or gets.
pub fn names(payload: &[u8], found: &mut impl Found) {
    let address = |at: usize| payload.get(at..).and_then(<[u8]>::first_chunk::<4>).map(|bytes| Ipv4Addr::from(*bytes));
    let mut options = payload.get(FIXED + 4..).unwrap_or_default();
    let (mut kind, mut name, mut asked) = (0, String::new(), None);
    while let Some((&code, rest)) = options.split_first() {
        if code == 0 {
            options = rest;
            continue;
        }
        let Some((&length, rest)) = rest.split_first() else { break };
        let Some((value, rest)) = rest.split_at_checked(length.into()) else { break };
        match code {
            TYPE => kind = value.first().copied().unwrap_or(0),
            HOST_NAME => name = readable(value.split(|&byte| byte == 0).next().unwrap_or_default()),
            REQUESTED => asked = value.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes)),
            0xff => break,
            _ => {}
        }
        options = rest;
    }
    let own = address(12).filter(|own| !own.is_unspecified());
    let whose = match kind {
        REQUEST => own.or(asked),
        INFORM => own,
        ACK => address(16),
        _ => None,
    };
    if let Some(whose) = whose.filter(|_| !name.is_empty()) {
        found(Some(mapped(whose.to_bits())), NameKind::Dhcp, 0, &|| Some(name.clone()));
    }
}
