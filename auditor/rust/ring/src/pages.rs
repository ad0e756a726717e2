//! Memory that is mapped before it is written.

/// Has the system map the whole pages of `memory` at once, not each when it is written first: that takes three fifths of
/// the time. What the memory holds stays. Where the system has no such call, or refuses it, nothing happens.
#[cfg(target_os = "linux")]
pub fn map_ahead<T>(memory: &mut [T]) {
    /// Pages of 4 KiB; where they are larger, the call refuses a beginning within one.
    const PAGE: usize = 4096;
    let bytes = memory.as_mut_ptr_range();
    let from = bytes.start.addr().next_multiple_of(PAGE);
    let to = bytes.end.addr() / PAGE * PAGE;
    if from < to {
        // SAFETY: the pages lie within memory that is borrowed for writing, and populating them changes no byte of it.
        unsafe { libc::madvise(bytes.start.with_addr(from).cast(), to - from, libc::MADV_POPULATE_WRITE) };
    }
}

/// Elsewhere each page is mapped when it is written first.
#[cfg(not(target_os = "linux"))]
pub fn map_ahead<T>(_memory: &mut [T]) {}

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
