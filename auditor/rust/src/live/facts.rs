//! Facts of several files as those of one.

use crate::facts::{FileFacts, Status};

impl FileFacts {
    /// Takes the next file's facts into these, which are told as those of `files` files now.
    pub(crate) fn absorb(&mut self, next: Self, files: u32) {
        self.path = format!("({files} earlier captures)").into();
        self.packets += next.packets;
        self.bytes += next.bytes;
        self.captured_bytes += next.captured_bytes;
        self.first = self.first.into_iter().chain(next.first).min();
        self.last = self.last.into_iter().chain(next.last).max();
        self.snaplen = self.snaplen.into_iter().chain(next.snaplen).min();
        for (link, count) in next.link_types {
            match self.link_types.iter_mut().find(|(known, _)| *known == link) {
                Some((_, sum)) => *sum += count,
                None => self.link_types.push((link, count)),
            }
        }
        self.other_links += next.other_links;
        for (sum, count) in self.tunnels.iter_mut().zip(next.tunnels) {
            *sum += count;
        }
        self.duplicates += next.duplicates;
        self.cut += next.cut;
        self.clock.absorb(&next.clock);
        self.problems.absorb(&next.problems);
        self.drops = self.drops.into_iter().chain(next.drops).reduce(|sum, count| sum + count);
        if next.status != Status::Read {
            self.status = Status::Partial;
            self.error = self.error.take().or(next.error);
        }
    }
}
