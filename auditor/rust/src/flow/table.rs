//! The flow table: open addressing over dense records.
//!
//! A slot is `tag << 32 | index + 1`, so that a lookup touches a record only when its hash agrees in 32 bits. Records lie
//! in chunks: they never move, growing copies none, and the columns can free them chunk by chunk. The tag's upper bits
//! are the slot's place as well, so that growing reads the slots alone, from first to last, and no record.

use super::key::Key;
use super::record::Record;
use crate::hash::Seed;
use auditor_ring::map_ahead;

/// Records per chunk: 32 MiB, which allocators map and unmap as such, so that a freed chunk is really given back while the
/// columns grow. Pages that hold no record yet take no memory.
const CHUNK_BITS: u32 = 18;
const CHUNK: usize = 1 << CHUNK_BITS;
/// Records whose pages are mapped at once: 256 KiB, which are in the cache still when they are written.
const STRIDE: usize = 1 << 11;
const FIRST_SLOTS: usize = 1 << 12;
/// Slots from which on a table is large: 512 KiB, with records of 4 MiB.
const LARGE: usize = 1 << 16;

/// Flows by key, and all flows in the order they were made.
pub struct Table {
    slots: Vec<u64>,
    used: usize,
    shift: u32,
    seed: Seed,
    chunks: Vec<Vec<Record>>,
    count: u32,
    /// Places of records that were removed, for the next ones.
    free: Vec<u32>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            slots: vec![0; FIRST_SLOTS],
            used: 0,
            shift: 32 - FIRST_SLOTS.ilog2(),
            seed: Seed::random(),
            chunks: Vec::new(),
            count: 0,
            free: Vec::new(),
        }
    }
}

impl Table {
    /// Number of flows.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.count
    }

    /// No flow at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A flow.
    #[inline]
    pub fn record(&mut self, index: u32) -> &mut Record {
        &mut self.chunks[(index >> CHUNK_BITS) as usize][index as usize & (CHUNK - 1)]
    }

    /// A flow, to look at.
    #[must_use]
    pub fn peek(&self, index: u32) -> &Record {
        &self.chunks[(index >> CHUNK_BITS) as usize][index as usize & (CHUNK - 1)]
    }

    fn key(&self, index: u32) -> &Key {
        &self.chunks[(index >> CHUNK_BITS) as usize][index as usize & (CHUNK - 1)].key
    }

    /// The flow of a key, if there is one.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<u32> {
        self.probe(key, key.hash(self.seed)).ok()
    }

    /// Hash of a key in this table.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: &Key) -> u64 {
        key.hash(self.seed)
    }

    /// Index of the key's flow, or the free slot where it belongs, up to the next [`insert`](Self::insert).
    ///
    /// # Errors
    /// The slot.
    #[expect(clippy::inline_always, reason = "calls and returns were a twentieth of the instructions of a new flow")]
    #[inline(always)]
    pub fn probe(&self, key: &Key, hash: u64) -> Result<u32, usize> {
        self.probe_slot(key, hash).map(|slot| self.slots[slot] as u32 - 1)
    }

    /// The key's flow, where it is the first that is looked at, as it mostly is. None says nothing.
    #[expect(clippy::inline_always, reason = "a third of the instructions of a common packet were calls and returns")]
    #[inline(always)]
    pub fn at_home(&mut self, key: &Key, hash: u64) -> Option<&mut Record> {
        let slot = *self.slots.get(self.home(hash))?;
        // An empty slot gives an index that no chunk has.
        let index = (slot as u32).wrapping_sub(1);
        if slot >> 32 != hash & 0xffff_ffff {
            return None;
        }
        let record = self.chunks.get_mut((index >> CHUNK_BITS) as usize)?.get_mut(index as usize & (CHUNK - 1))?;
        (record.key == *key).then_some(record)
    }

    /// Whether slots and records are too many for the inner caches, so that looking at them ahead is worth it.
    #[inline]
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.slots.len() > LARGE
    }

    /// What the first slot of a hash holds. Asked for many hashes in a row, the slots come out of memory side by side.
    #[inline]
    #[must_use]
    pub fn first_slot(&self, hash: u64) -> u64 {
        self.slots[self.home(hash) & (self.slots.len() - 1)]
    }

    /// Looks at both halves of the record in a slot, where it may be that of the hash: it is in the cache then.
    #[inline]
    #[must_use]
    pub fn glance(&self, slot: u64, hash: u64) -> u64 {
        if slot == 0 || slot >> 32 != hash & 0xffff_ffff {
            return 0;
        }
        let record = self.peek(slot as u32 - 1);
        record.first_time.cast_unsigned() ^ u64::from(record.to_probe)
    }

    /// Makes a new flow for a key that has one; the old flow stays, but is no longer found.
    #[cold]
    pub fn succeed(&mut self, key: &Key) -> u32 {
        let hash = key.hash(self.seed);
        match self.probe_slot(key, hash) {
            Ok(slot) => {
                let index = self.push(key);
                self.slots[slot] = entry(hash, index);
                index
            }
            Err(slot) => self.insert(key, hash, slot),
        }
    }

    #[inline]
    fn probe_slot(&self, key: &Key, hash: u64) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                return Err(at & mask);
            }
            if slot >> 32 == hash & 0xffff_ffff && self.key(slot as u32 - 1) == key {
                return Ok(at & mask);
            }
            at += 1;
        }
    }

    /// Where the search for a tag, the lower half of a hash, begins.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash as u32 >> self.shift) as usize
    }

    /// Makes a new flow for a key that has none; `slot` is where [`probe`](Self::probe) says that it belongs.
    #[inline(never)]
    pub fn insert(&mut self, key: &Key, hash: u64, mut slot: usize) -> u32 {
        // A small table is given room: fewer steps to each flow, for memory that hardly counts.
        let quarters = if self.slots.len() > LARGE { 3 } else { 2 };
        if self.used * 4 >= self.slots.len() * quarters {
            self.grow();
            slot = self.probe_slot(key, hash).unwrap_or_else(|free| free);
        }
        let index = self.push(key);
        self.slots[slot] = entry(hash, index);
        self.used += 1;
        index
    }

    #[inline]
    fn push(&mut self, key: &Key) -> u32 {
        if let Some(index) = self.free.pop() {
            *self.record(index) = Record { key: *key, ..Record::default() };
            return index;
        }
        let index = self.count;
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            if chunk.len().is_multiple_of(STRIDE) && index > 0 {
                map_ahead(&mut chunk.spare_capacity_mut()[..STRIDE]);
            }
            chunk.push(Record { key: *key, ..Record::default() });
        }
        self.count = self.count.checked_add(1).expect("fewer than four billion flows");
        index
    }

    fn grow(&mut self) {
        self.shift -= 1;
        let mask = self.slots.len() * 2 - 1;
        let old = std::mem::replace(&mut self.slots, fresh(mask + 1));
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let mut at = self.home(slot >> 32);
            while self.slots[at & mask] != 0 {
                at += 1;
            }
            self.slots[at & mask] = slot;
        }
    }

    /// Flows that are there, with their places: those that were removed are left out.
    pub fn living(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0u32..).zip(self.chunks.iter().flatten()).filter(|(_, record)| record.packets != [0, 0])
    }

    /// Number of flows that are there.
    #[must_use]
    pub fn population(&self) -> usize {
        self.count as usize - self.free.len()
    }

    /// Removes flows; their places are for the next ones. The others keep theirs.
    pub fn remove(&mut self, gone: &[u32]) {
        for &index in gone {
            *self.record(index) = Record::default();
        }
        self.free.extend_from_slice(gone);
        let found: Vec<u32> = self.slots.iter().filter(|&&slot| slot != 0).map(|&slot| slot as u32 - 1).collect();
        self.index(found);
    }

    /// Gives every flow a new key, and makes the index anew.
    pub fn rekey(&mut self, mut change: impl FnMut(&Key) -> Key) {
        let found: Vec<u32> = self.slots.iter().filter(|&&slot| slot != 0).map(|&slot| slot as u32 - 1).collect();
        for record in self.chunks.iter_mut().flatten().filter(|record| record.packets != [0, 0]) {
            record.key = change(&record.key);
        }
        self.index(found);
    }

    /// Makes the index anew, of those among the flows that are there.
    fn index(&mut self, found: Vec<u32>) {
        self.slots.fill(0);
        self.used = 0;
        let mask = self.slots.len() - 1;
        for index in found {
            if self.record(index).packets == [0, 0] {
                continue;
            }
            let hash = self.key(index).hash(self.seed);
            let mut at = self.home(hash);
            while self.slots[at & mask] != 0 {
                at += 1;
            }
            self.slots[at & mask] = entry(hash, index);
            self.used += 1;
        }
    }

    /// Gives up the index and hands out the records in order, by chunks that are to be freed one by one.
    pub fn into_chunks(self) -> impl Iterator<Item = Vec<Record>> {
        drop(self.slots);
        self.chunks.into_iter()
    }
}

/// Empty slots, whose pages are there: one that is looked at before it is written is mapped twice, to the page of zeros and
/// then to one of its own, which was a tenth of all faults of a million flows.
fn fresh(count: usize) -> Vec<u64> {
    let mut slots = vec![0; count];
    map_ahead(&mut slots);
    slots
}

fn entry(hash: u64, index: u32) -> u64 {
    hash << 32 | u64::from(index + 1)
}
