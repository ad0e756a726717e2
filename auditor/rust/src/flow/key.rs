//! Keys of the flow table: both ends of a flow in an order that is the same for both directions.

use std::collections::HashMap;

use crate::decode::{Ends, Headers, Tuple};
use crate::hash::Seed;

/// Which of a flow's two ends: 0 the one that sorts first, 1 the other. It has nothing to do with who originated.
pub type Side = usize;

/// Both ends (`address << 16 | port`) and the protocol. IPv6 addresses stand as codes of [`Addresses`], so that a key
/// is 16 bytes in either family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    low: u64,
    high: u64,
}

const PROTOCOL_SHIFT: u32 = 48;
const FAMILY_BIT: u64 = 1 << 56;
const END_MASK: u64 = (1 << PROTOCOL_SHIFT) - 1;

impl Key {
    #[inline]
    fn new(source: u64, destination: u64, protocol: u8, family: u64) -> (Self, Side) {
        let from_high = source > destination;
        let (low, high) = if from_high { (destination, source) } else { (source, destination) };
        (Self { low: low | u64::from(protocol) << PROTOCOL_SHIFT | family, high }, Side::from(from_high))
    }

    /// IP protocol number.
    #[inline]
    #[must_use]
    pub fn protocol(&self) -> u8 {
        (self.low >> PROTOCOL_SHIFT) as u8
    }

    /// Whether the addresses are codes of IPv6 addresses.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.low & FAMILY_BIT != 0
    }

    /// Hash of the key.
    #[inline]
    #[must_use]
    pub fn hash(&self, seed: Seed) -> u64 {
        seed.pair(self.low, self.high)
    }

    /// Address and port of an end; the address as it stands in the key.
    #[inline]
    #[must_use]
    pub fn end(&self, side: Side) -> (u32, u16) {
        let end = if side == 0 { self.low & END_MASK } else { self.high };
        ((end >> 16) as u32, end as u16)
    }
}

impl Key {
    /// The key with other codes for its addresses, which must be in the same order as those before.
    #[must_use]
    fn recoded(self, code: impl Fn(u32) -> u32) -> Self {
        let ends = |side| {
            let (address, port) = self.end(side);
            end(code(address), port)
        };
        Self { low: self.low & !END_MASK | ends(0), high: ends(1) }
    }
}

/// An end as it stands in a key.
#[inline]
fn end(address: u32, port: u16) -> u64 {
    u64::from(address) << 16 | u64::from(port)
}

/// IPv6 addresses met so far, each with a code.
#[derive(Debug)]
pub struct Addresses {
    codes: HashMap<u128, u32, Seed>,
    list: Vec<u128>,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { codes: HashMap::with_hasher(Seed::random()), list: Vec::new() }
    }
}

impl Addresses {
    /// Code of an address, a new one if need be.
    #[inline]
    pub fn code(&mut self, address: u128) -> u32 {
        let list = &mut self.list;
        *self.codes.entry(address).or_insert_with(|| {
            list.push(address);
            (list.len() - 1) as u32
        })
    }

    /// Address of a code.
    #[must_use]
    pub fn address(&self, code: u32) -> u128 {
        self.list[code as usize]
    }

    /// Number of addresses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// No address at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Forgets the addresses that none of the keys has; gives what changes such a key into one of the new codes. Codes
    /// keep their order, and so ends their sides.
    pub fn compact<'a>(&mut self, keys: impl Iterator<Item = &'a Key>) -> Box<dyn Fn(&Key) -> Key> {
        let mut codes = vec![u32::MAX; self.list.len()];
        for key in keys.filter(|key| key.is_ipv6()) {
            for side in 0..2 {
                codes[key.end(side).0 as usize] = 0;
            }
        }
        let list = std::mem::take(&mut self.list);
        self.codes.clear();
        for (code, address) in codes.iter_mut().zip(list).filter(|(code, _)| **code == 0) {
            *code = self.code(address);
        }
        Box::new(move |key| if key.is_ipv6() { key.recoded(|code| codes[code as usize]) } else { *key })
    }

    /// Key of a five-tuple, and the side that its packet came from.
    #[inline]
    pub fn key(&mut self, tuple: &Tuple) -> (Key, Side) {
        let (source, destination, family) = match tuple.ends {
            Ends::V4 { source, destination } => (source, destination, 0),
            Ends::V6 { source, destination } => (self.code(source), self.code(destination), FAMILY_BIT),
        };
        let (source, destination) = (end(source, tuple.source_port), end(destination, tuple.destination_port));
        Key::new(source, destination, tuple.protocol, family)
    }

    /// The same out of the headers of a common frame; `frame` gives its captured bytes.
    #[inline]
    pub fn key_of<'a>(&mut self, headers: &Headers, frame: impl FnOnce() -> &'a [u8]) -> (Key, Side) {
        let Headers { source, destination, source_port, destination_port, protocol, .. } = *headers;
        let (source, destination, family) = if headers.ipv6 {
            let (source, destination) = headers.ipv6_ends(frame());
            (self.code(source), self.code(destination), FAMILY_BIT)
        } else {
            (source, destination, 0)
        };
        Key::new(end(source, source_port), end(destination, destination_port), protocol, family)
    }
}
