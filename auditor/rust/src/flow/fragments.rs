//! IP fragments: ports for those that have none. Nothing is reassembled; every fragment is credited to the flow of its
//! first one, and what came before the first waits for it.

use std::collections::{HashMap, VecDeque};

use super::Stamp;
use crate::decode::{Ends, Fragment, Tuple};
use crate::hash::Seed;

/// Datagrams remembered at a time, and fragments held back in all of them.
const MAX_DATAGRAMS: usize = 8192;
const MAX_HELD: usize = 8192;
/// Identifications come round again: what is older than this belongs to another datagram.
const MAX_AGE: i64 = 60_000_000_000;

/// A datagram; the protocol field is that of the IP header, which for IPv6 names no transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DatagramId {
    ends: (bool, u128, u128),
    id: u32,
    protocol: u8,
}

impl DatagramId {
    /// Identity of the datagram that a fragment belongs to.
    #[must_use]
    pub fn new(tuple: &Tuple, fragment: &Fragment) -> Self {
        let (ends, protocol) = match tuple.ends {
            Ends::V4 { source, destination } => ((false, u128::from(source), u128::from(destination)), tuple.protocol),
            Ends::V6 { source, destination } => ((true, source, destination), 0),
        };
        Self { ends, id: fragment.id, protocol }
    }
}

/// What a first fragment tells those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// Five-tuple with ports.
    pub tuple: Tuple,
    /// TCP: sequence number that the datagram's byte 0 would have, so that offsets can be added.
    pub origin: Option<u32>,
    /// Outermost tunnel, where the fragments are the tunnel's: the packet inside said already how long it is.
    pub tunnel: u8,
}

/// A fragment without ports, waiting.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Five-tuple without ports.
    pub tuple: Tuple,
    /// When and where it came.
    pub stamp: Stamp,
    /// Its place in the datagram.
    pub fragment: Fragment,
    /// Outermost VLAN.
    pub vlan: u16,
    /// Outermost tunnel, 0 for none.
    pub tunnel: u8,
    /// Bytes of it were not captured.
    pub cut: bool,
}

#[derive(Debug, Default)]
struct Datagram {
    first: Option<First>,
    held: Vec<Held>,
    begun: i64,
    received: u64,
    total: Option<u64>,
}

/// Datagrams of which fragments are under way.
#[derive(Debug)]
pub struct Fragments {
    open: HashMap<DatagramId, Datagram, Seed>,
    order: VecDeque<DatagramId>,
    held: usize,
}

impl Default for Fragments {
    fn default() -> Self {
        Self { open: HashMap::with_hasher(Seed::random()), order: VecDeque::new(), held: 0 }
    }
}

impl Fragments {
    /// Notes a first fragment; gives those that waited for it.
    pub fn first(&mut self, id: DatagramId, first: First, fragment: &Fragment, time: i64) -> Vec<Held> {
        let datagram = self.datagram(id, time);
        datagram.first = Some(first);
        let held = std::mem::take(&mut datagram.held);
        self.held -= held.len();
        self.account(id, fragment);
        held
    }

    /// What is known about a later fragment from its first; None when that has not come yet.
    pub fn later(&mut self, id: DatagramId, fragment: &Fragment, time: i64) -> Option<First> {
        let first = self.datagram(id, time).first;
        self.account(id, fragment);
        first
    }

    /// Holds a fragment back until its first comes; false when there is no room.
    pub fn hold(&mut self, id: DatagramId, held: Held) -> bool {
        let Some(datagram) = self.open.get_mut(&id).filter(|_| self.held < MAX_HELD) else { return false };
        datagram.held.push(held);
        self.held += 1;
        true
    }

    /// Gives up the oldest datagrams while there are too many; what they held comes back without ports.
    pub fn evict(&mut self) -> Vec<Held> {
        let mut orphans = Vec::new();
        while self.open.len() > MAX_DATAGRAMS {
            let Some(oldest) = self.order.pop_front() else { break };
            orphans.extend(self.close(oldest));
        }
        // Identifications of datagrams that ended well are still in line.
        if self.order.len() > 2 * MAX_DATAGRAMS {
            self.order.retain(|id| self.open.contains_key(id));
        }
        orphans
    }

    /// Everything that is still waiting.
    pub fn finish(&mut self) -> Vec<Held> {
        let order = std::mem::take(&mut self.order);
        order.into_iter().flat_map(|id| self.close(id)).collect()
    }

    fn close(&mut self, id: DatagramId) -> Vec<Held> {
        let held = self.open.remove(&id).map(|datagram| datagram.held).unwrap_or_default();
        self.held -= held.len();
        held
    }

    fn datagram(&mut self, id: DatagramId, time: i64) -> &mut Datagram {
        let order = &mut self.order;
        let datagram = self.open.entry(id).or_insert_with(|| {
            order.push_back(id);
            Datagram { begun: time, ..Datagram::default() }
        });
        if time.saturating_sub(datagram.begun).saturating_abs() > MAX_AGE {
            // Another datagram of the same identification; what waits, waits on.
            let held = std::mem::take(&mut datagram.held);
            *datagram = Datagram { begun: time, held, ..Datagram::default() };
        }
        datagram
    }

    /// Forgets a datagram whose fragments have all come.
    fn account(&mut self, id: DatagramId, fragment: &Fragment) {
        let Some(datagram) = self.open.get_mut(&id) else { return };
        datagram.received += u64::from(fragment.length);
        if !fragment.more {
            datagram.total = Some(u64::from(fragment.offset) + u64::from(fragment.length));
        }
        let complete = datagram.total.is_some_and(|total| datagram.received >= total);
        if complete && datagram.first.is_some() && datagram.held.is_empty() {
            self.open.remove(&id);
        }
    }
}
