//! Memory that is mapped before it is written.

/// Has the system map the whole pages of `memory` at once, not each when it is written first: that takes three fifths of
/// the time. What the memory holds stays. Where the system has no such call, or refuses it, nothing happens.
#[cfg(target_os = "linux")]
pub fn map_ahead<T>(memory: &mut [T]) {
    let (from, to) = whole_pages(memory.as_mut_ptr_range());
    if from < to {
        // SAFETY: the pages lie within memory that is borrowed for writing, and populating them changes no byte of it.
        unsafe { libc::madvise(memory.as_mut_ptr().with_addr(from).cast(), to - from, libc::MADV_POPULATE_WRITE) };
    }
}

/// Addresses of the first byte and behind the last of the pages that lie within. (Where pages are larger than these 4 KiB,
/// the calls refuse a beginning that is none.)
#[cfg(target_os = "linux")]
fn whole_pages<T>(memory: std::ops::Range<*mut T>) -> (usize, usize) {
    const PAGE: usize = 4096;
    (memory.start.addr().next_multiple_of(PAGE), memory.end.addr() / PAGE * PAGE)
}

/// Elsewhere each page is mapped when it is written first.
#[cfg(not(target_os = "linux"))]
pub fn map_ahead<T>(_memory: &mut [T]) {}

/// Memory that is not needed any more, whose pages are given to other memory: that takes a hundredth of the time of giving
/// them back and asking for new ones.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no page is given there"))]
pub struct Spare<T> {
    memory: Vec<T>,
    /// Bytes of it that were given away or passed over.
    given: usize,
}

/// Values of which all zeros are one, as all other bytes are.
pub trait Plain: Copy + private::Number {}

impl<T: Copy + private::Number> Plain for T {}

mod private {
    pub trait Number {}
    impl Number for u8 {}
    impl Number for u16 {}
    impl Number for u32 {}
    impl Number for u64 {}
    impl Number for i64 {}
}

impl<T> Spare<T> {
    /// Drops what the memory holds.
    #[must_use]
    pub fn new(mut memory: Vec<T>) -> Self {
        memory.clear();
        Self { memory, given: 0 }
    }

    /// Puts pages under `zeros`, which holds nothing but zeros, and does so afterwards. False where there are none left, or
    /// the system cannot do it (Linux can from 5.7 on): nothing happened then.
    ///
    /// # Panics
    /// When the system takes memory away and gives none back, which it has no reason to.
    #[cfg(target_os = "linux")]
    pub fn give<P: Plain>(&mut self, zeros: &mut [P]) -> bool {
        let room = self.memory.spare_capacity_mut().as_mut_ptr_range();
        let (from, to) = whole_pages(zeros.as_mut_ptr_range());
        let (first, end) = whole_pages(room.start.cast::<u8>()..room.end.cast::<u8>());
        let (source, length) = (first + self.given, to.saturating_sub(from));
        if length == 0 || end.saturating_sub(source) < length {
            return false;
        }
        let target = zeros.as_mut_ptr().cast::<libc::c_void>().with_addr(from);
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
        let source = room.start.cast::<libc::c_void>().with_addr(source);
        // SAFETY: both ranges are whole pages of memory that is borrowed for writing, and apart from each other. What was
        // in the first counts as uninitialized; it is mapped still, to fresh pages. The second is written before anybody
        // reads it, with zeros, which its type allows.
        let moved = unsafe { libc::mremap(source, length, length, flags, target) } != libc::MAP_FAILED;
        if moved {
            // SAFETY: as above.
            unsafe { target.cast::<u8>().write_bytes(0, length) };
        } else {
            // The system may have taken the second range away before it found that it cannot move the first.
            let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            // SAFETY: whole pages of zeros are replaced by pages of zeros.
            let again = unsafe { libc::mmap(target, length, access, kind | libc::MAP_FIXED, -1, 0) };
            assert_ne!(again, libc::MAP_FAILED, "memory was taken away");
            return false;
        }
        self.given += length;
        true
    }

    /// Elsewhere there is no such call.
    #[cfg(not(target_os = "linux"))]
    pub fn give<P: Plain>(&mut self, _zeros: &mut [P]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_memory_holds_stays() {
        for length in [0, 1, 511, 512, 513, 100_000] {
            let mut held: Vec<u64> = (0..length).collect();
            held.reserve_exact(100_000);
            map_ahead(held.spare_capacity_mut());
            map_ahead(&mut held);
            assert!(held.into_iter().eq(0..length));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn pages_are_there_before_they_are_written() {
        let mut memory: Vec<u8> = Vec::with_capacity(64 << 20);
        map_ahead(memory.spare_capacity_mut());
        let before = faults();
        memory.resize(memory.capacity(), 1);
        assert!(faults() - before < 1000, "of 16,384 pages");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn pages_that_are_given_hold_zeros_and_nothing_around_them_changes() {
        let mut spare = Spare::new(vec![u64::MAX; 1 << 20]);
        let mut memory = vec![7_u32; 1 << 20];
        memory[1000..900_000].fill(0);
        let (before, expected) = (faults(), memory.clone());
        assert!(spare.give(&mut memory[1000..900_000]));
        let faulted = faults() - before;
        assert_eq!(memory, expected);
        memory[1000..900_000].fill(3);
        assert_eq!((memory[999], memory[1000], memory[899_999], memory[900_000]), (7, 3, 3, 7));
        assert!(faulted < 1500, "the clone's 1,024 pages, not 878 more: {faulted}");
        let mut others = vec![0_u64; 700_000];
        assert!(spare.give(&mut others[..500_000]), "4,000,000 of some 4,790,000 bytes that are left");
        assert!(!spare.give(&mut others[500_000..]), "1,600,000 of some 790,000");
        assert!(others.iter().all(|&value| value == 0));
        drop(spare);
        others.fill(1);
        memory.fill(1);
    }

    #[cfg(target_os = "linux")]
    fn faults() -> i64 {
        let mut usage = std::mem::MaybeUninit::zeroed();
        // SAFETY: the structure is the kernel's to fill, and zeros are a value of it.
        unsafe {
            libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
            usage.assume_init().ru_minflt
        }
    }
}
