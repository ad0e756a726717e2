//! TCP reassembly of one direction: order, overlap and what is missing.

/// Where a byte was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Packet number.
    pub packet: u64,
    /// File of the packet.
    pub file: u32,
    /// Time of the packet, ns.
    pub time: i64,
}

/// A stretch of the stream, in order.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// Bytes that were captured.
    Data(&'a [u8], Stamp),
    /// So many bytes that were not: cut by the snaplen, or lost.
    Missing(u64),
}

/// Segments that came too early, held until what is before them comes or is given up.
const MAX_QUEUE: usize = 256;
/// Captured bytes held in such segments.
const MAX_QUEUED_BYTES: usize = 256 << 10;
/// Without progress for so long (ns), missing segments count as lost.
const PATIENCE: i64 = 3_000_000_000;
/// A single segment farther ahead than this is more likely forged than the first after a loss.
const FAR: u64 = 1 << 20;
/// So many segments after one gap are believed however far ahead they are.
const BELIEVED: usize = 4;

#[derive(Clone, Debug)]
struct Early {
    start: u64,
    wire_len: u64,
    data: Vec<u8>,
    stamp: Stamp,
}

/// Puts the segments of one direction in order.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    /// Sequence number expected next, counted on beyond 32 bits.
    next: Option<u64>,
    delivered: bool,
    early: Vec<Early>,
    early_bytes: usize,
    progress: i64,
}

impl Assembler {
    /// The stream begins behind this sequence number of a SYN.
    pub fn begin(&mut self, syn: u32) {
        if !self.delivered {
            self.next = Some((1 << 32) + u64::from(syn.wrapping_add(1)));
        }
    }

    /// Takes a segment of `wire_len` bytes, of which `data` was captured, and gives what is now in order.
    pub fn push(&mut self, seq: u32, wire_len: u32, data: &[u8], stamp: Stamp, out: &mut impl FnMut(Piece<'_>)) {
        if wire_len == 0 {
            return;
        }
        let next = *self.next.get_or_insert((1 << 32) + u64::from(seq));
        // The signed distance in sequence space tells a segment ahead from one already seen.
        let ahead = i64::from(seq.wrapping_sub(next as u32).cast_signed());
        let Some(start) = next.checked_add_signed(ahead) else { return };
        if start > next {
            self.enqueue(start, wire_len, data, stamp);
            while self.early.len() > MAX_QUEUE || self.early_bytes > MAX_QUEUED_BYTES {
                self.give_up(out);
            }
        } else {
            self.deliver(start, wire_len.into(), data, stamp, out);
            self.drain(out);
        }
    }

    /// Time passes: gives up on what has been missing for too long.
    pub fn tick(&mut self, now: i64, out: &mut impl FnMut(Piece<'_>)) {
        let (Some(next), Some(first)) = (self.next, self.early.first()) else { return };
        let near = first.start - next <= FAR || self.early.len() >= BELIEVED;
        if near && now.saturating_sub(self.progress) > PATIENCE {
            self.give_up(out);
        }
    }

    /// Nothing more will come: gives all that was held.
    pub fn flush(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        while !self.early.is_empty() {
            self.give_up(out);
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.early_bytes + self.early.capacity() * size_of::<Early>()
    }

    fn enqueue(&mut self, start: u64, wire_len: u32, data: &[u8], stamp: Stamp) {
        let wire_len = u64::from(wire_len);
        let at = self.early.partition_point(|early| early.start < start);
        let same = self.early.get(at).filter(|early| early.start == start);
        if same.is_some_and(|early| early.wire_len >= wire_len && early.data.len() >= data.len()) {
            return;
        }
        if self.early.is_empty() {
            self.progress = stamp.time;
        }
        self.early_bytes += data.len();
        self.early.insert(at, Early { start, wire_len, data: data.to_vec(), stamp });
    }

    /// Gives a segment that begins at or before the expected byte, less what was given before.
    fn deliver(&mut self, start: u64, wire_len: u64, data: &[u8], stamp: Stamp, out: &mut impl FnMut(Piece<'_>)) {
        let Some(next) = self.next else { return };
        let end = start + wire_len;
        if end <= next {
            return;
        }
        let seen = usize::try_from(next - start).unwrap_or(usize::MAX);
        let fresh = data.get(seen..).unwrap_or_default();
        if !fresh.is_empty() {
            out(Piece::Data(fresh, stamp));
        }
        let missing = end - next - fresh.len() as u64;
        if missing > 0 {
            out(Piece::Missing(missing));
        }
        self.next = Some(end);
        self.delivered = true;
        self.progress = stamp.time;
    }

    /// Gives the held segments that have become due.
    fn drain(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let Some(mut next) = self.next else { return };
        let mut due = 0;
        while let Some(early) = self.early.get(due).filter(|early| early.start <= next) {
            next = next.max(early.start + early.wire_len);
            due += 1;
        }
        if due == 0 {
            return;
        }
        let progress = self.progress;
        for early in self.early.drain(..due).collect::<Vec<_>>() {
            self.early_bytes -= early.data.len();
            self.deliver(early.start, early.wire_len, &early.data, early.stamp, out);
        }
        // The time of a held segment is past; progress was made just now.
        self.progress = self.progress.max(progress);
    }

    /// Skips to the first held segment.
    fn give_up(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let (Some(next), Some(first)) = (self.next, self.early.first()) else { return };
        let missing = first.start.saturating_sub(next);
        if missing > 0 {
            out(Piece::Missing(missing));
        }
        self.next = Some(first.start.max(next));
        self.drain(out);
    }
}
