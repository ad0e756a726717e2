//! The hash of every table whose keys a sender can choose: seeded, and one multiplication for sixteen bytes. That of the
//! standard library takes ten times as long for an address.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Multiplies wide and folds: one multiplication for sixteen bytes. Seeded, since whoever made the packets chose them.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The seed of one table.
#[derive(Clone, Copy, Debug)]
pub struct Seed(u64, u64);

impl Seed {
    /// A seed that nobody can foresee.
    #[must_use]
    pub fn random() -> Self {
        let state = RandomState::new();
        Self(state.hash_one(1) | 1, state.hash_one(2) | 1)
    }

    /// One word more into a hash.
    #[inline]
    #[must_use]
    pub fn mix(self, hash: u64, word: u64) -> u64 {
        fold(hash.rotate_left(32) ^ word ^ self.0, self.1)
    }

    /// Hash of two words.
    #[inline]
    #[must_use]
    pub fn pair(self, low: u64, high: u64) -> u64 {
        fold(low ^ self.0, high ^ self.1)
    }
}

impl BuildHasher for Seed {
    type Hasher = Folding;
    fn build_hasher(&self) -> Folding {
        Folding(*self, 0)
    }
}

/// Hasher for addresses.
pub struct Folding(Seed, u64);

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }
    fn write_u64(&mut self, number: u64) {
        self.1 = fold(self.1.rotate_left(32) ^ number ^ self.0.0, self.0.1);
    }
    fn write_u128(&mut self, number: u128) {
        self.1 = fold((number >> 64) as u64 ^ self.0.0, number as u64 ^ self.0.1);
    }
    fn finish(&self) -> u64 {
        self.1
    }
}
