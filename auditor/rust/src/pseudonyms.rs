//! Addresses under other addresses, by a key: Crypto-PAn (Xu, Fan, Ammar and Moon, 2002), prefix by prefix.
//!
//! Two addresses that agree in their first n bits agree in n bits afterwards, and in no more; different addresses stay
//! different. Blocks of special use stay what they are (what was private stays private, what was multicast stays
//! multicast): bits on the way to one of them are not turned, which leaves the mapping one to one.

use std::collections::HashMap;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// Mapped addresses that are kept in memory; beyond them it is only slower.
const MOST_KNOWN: usize = 1 << 16;

/// A block of addresses, left-aligned in 128 bits: its first `length` bits stay; `whole`: and all behind them.
struct Kept {
    prefix: u128,
    length: u32,
    whole: bool,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u32, whole: bool) -> Kept {
    Kept { prefix: (u32::from_be_bytes([a, b, c, d]) as u128) << 96, length, whole }
}

const fn v6(high: u64, low: u64, length: u32, whole: bool) -> Kept {
    Kept { prefix: (high as u128) << 64 | low as u128, length, whole }
}

/// IANA's special-purpose registry and RFC 5771, as far as traffic shows them.
const KEPT_V4: &[Kept] = &[
    v4(0, 0, 0, 0, 8, true),
    v4(10, 0, 0, 0, 8, false),
    v4(100, 64, 0, 0, 10, false),
    v4(127, 0, 0, 0, 8, true),
    v4(169, 254, 0, 0, 16, false),
    v4(172, 16, 0, 0, 12, false),
    v4(192, 168, 0, 0, 16, false),
    v4(224, 0, 0, 0, 24, true),
    v4(224, 0, 0, 0, 4, false),
    v4(255, 255, 255, 255, 32, true),
];

/// The same for IPv6. Multicast keeps its scope; a solicited-node group has bits of an address and loses them.
const KEPT_V6: &[Kept] = &[
    v6(0, 0, 127, true),
    v6(0x2000_0000_0000_0000, 0, 3, false),
    v6(0xfc00_0000_0000_0000, 0, 7, false),
    v6(0xfe80_0000_0000_0000, 0, 64, false),
    v6(0xff02_0000_0000_0000, 0, 112, true),
    v6(0xff02_0000_0000_0000, 0x0000_0001_ff00_0000, 104, false),
    v6(0xff01_0000_0000_0000, 0, 16, false),
    v6(0xff05_0000_0000_0000, 0, 16, false),
    v6(0xff08_0000_0000_0000, 0, 16, false),
    v6(0xff0e_0000_0000_0000, 0, 16, false),
];

/// A key, and the addresses that were mapped with it.
pub struct Pseudonyms {
    cipher: Aes128,
    pad: u128,
    known: HashMap<(u32, u128), u128>,
}

impl Pseudonyms {
    /// Takes a key: 16 bytes for AES, 16 for the padding, as Crypto-PAn has it.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        let (cipher_key, pad) = (key.first_chunk::<16>(), key.last_chunk::<16>());
        let cipher = Aes128::new(&cipher_key.copied().unwrap_or_default().into());
        let mut made = Self { cipher, pad: 0, known: HashMap::new() };
        made.pad = made.encrypt(u128::from_be_bytes(pad.copied().unwrap_or_default()));
        made
    }

    /// Another IPv4 address.
    pub fn v4(&mut self, address: u32) -> u32 {
        (self.mapped(u128::from(address) << 96, 32, KEPT_V4, self.pad) >> 96) as u32
    }

    /// Another IPv6 address; an IPv4 one inside it (`::ffff:0:0/96`) is mapped as such.
    pub fn v6(&mut self, address: u128) -> u128 {
        if address >> 32 == 0xffff {
            return 0xffff << 32 | u128::from(self.v4(address as u32));
        }
        self.mapped(address, 128, KEPT_V6, self.pad)
    }

    /// Another hardware address; whether it is a group's and whether it is a local one stays, as do none and all.
    pub fn mac(&mut self, address: [u8; 6]) -> [u8; 6] {
        if matches!(address, [0, 0, 0, 0, 0, 0] | [255, 255, 255, 255, 255, 255]) {
            return address;
        }
        let mut wide = [0; 16];
        wide[..6].copy_from_slice(&address);
        // Another padding, or a hardware address would tell of IP addresses that begin like it.
        let mapped = self.mapped(u128::from_be_bytes(wide), 48, &[], !self.pad).to_be_bytes();
        let mut narrow = [0; 6];
        narrow.copy_from_slice(&mapped[..6]);
        narrow[0] = narrow[0] & !3 | address[0] & 3;
        narrow
    }

    fn mapped(&mut self, address: u128, bits: u32, kept: &[Kept], pad: u128) -> u128 {
        if let Some(&known) = self.known.get(&(bits, address)) {
            return known;
        }
        let mapped = self.turned(address, bits, kept, pad);
        if self.known.len() < MOST_KNOWN {
            self.known.insert((bits, address), mapped);
        }
        mapped
    }

    /// An address of so many bits, left-aligned: bit n is turned or not as the cipher says of the n bits before it.
    fn turned(&self, address: u128, bits: u32, kept: &[Kept], pad: u128) -> u128 {
        let mut mapped = address;
        for place in 0..bits {
            let before = mask(place);
            if !kept.iter().any(|block| block.holds(address, place)) {
                let turn = self.encrypt(address & before | pad & !before) >> 127;
                mapped ^= turn << (127 - place);
            }
        }
        mapped
    }

    fn encrypt(&self, block: u128) -> u128 {
        let mut bytes = block.to_be_bytes().into();
        self.cipher.encrypt_block(&mut bytes);
        u128::from_be_bytes(bytes.into())
    }
}

impl Kept {
    /// Whether the bit at `place` must stay: it is on the way to the block, or in one that stays as a whole.
    fn holds(&self, address: u128, place: u32) -> bool {
        let common = mask(place.min(self.length));
        (place < self.length || self.whole) && address & common == self.prefix & common
    }
}

/// The first so many bits.
fn mask(bits: u32) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

#[cfg(test)]
#[path = "pseudonyms_tests.rs"]
mod tests;
