//! Addresses of the flow table, each with a code.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::hash::Seed;

/// Addresses by code, IPv4 mapped into IPv6.
#[derive(Debug)]
pub struct AddressTable {
    /// Apart from the others: an entry of 8 bytes, not of 32, stays in the cache (a third of a million flows' export).
    ipv4: HashMap<u32, u32, Seed>,
    ipv6: HashMap<u128, u32, Seed>,
    rows: Vec<[u8; 16]>,
}

impl Default for AddressTable {
    fn default() -> Self {
        let seed = Seed::random();
        Self { ipv4: HashMap::with_hasher(seed), ipv6: HashMap::with_hasher(seed), rows: Vec::new() }
    }
}

impl AddressTable {
    /// Code of an address, a new one if need be.
    pub fn code(&mut self, address: [u8; 16]) -> u32 {
        if let Some(address) = Ipv6Addr::from(address).to_ipv4_mapped() {
            return self.code_of_ipv4(address.to_bits());
        }
        let rows = &mut self.rows;
        *self.ipv6.entry(u128::from_be_bytes(address)).or_insert_with(|| {
            rows.push(address);
            (rows.len() - 1) as u32
        })
    }

    /// Code of an address that is in the table.
    #[must_use]
    pub fn known(&self, address: [u8; 16]) -> Option<u32> {
        match Ipv6Addr::from(address).to_ipv4_mapped() {
            Some(four) => self.ipv4.get(&four.to_bits()).copied(),
            None => self.ipv6.get(&u128::from_be_bytes(address)).copied(),
        }
    }

    /// Code of an IPv4 address.
    #[inline]
    pub(crate) fn code_of_ipv4(&mut self, address: u32) -> u32 {
        let rows = &mut self.rows;
        *self.ipv4.entry(address).or_insert_with(|| {
            rows.push(Ipv4Addr::from_bits(address).to_ipv6_mapped().octets());
            (rows.len() - 1) as u32
        })
    }

    /// All addresses, in order of their codes.
    #[must_use]
    pub fn rows(&self) -> &[[u8; 16]] {
        &self.rows
    }

    /// An address as people write it; None for a code that is not in the table.
    #[must_use]
    pub fn text(&self, code: u32) -> Option<String> {
        let address = Ipv6Addr::from(*self.rows.get(code as usize)?);
        let address = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
        Some(address.to_string())
    }
}
