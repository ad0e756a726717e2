//! Which processor a thread runs on.

/// A processor, where the system tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no processor is known there"))]
pub struct Processor(Option<usize>);

#[cfg(target_os = "linux")]
impl Processor {
    /// The one that this thread runs on now.
    #[must_use]
    pub fn of_this_thread() -> Self {
        // SAFETY: takes nothing, and gives a number.
        Self(usize::try_from(unsafe { libc::sched_getcpu() }).ok())
    }

    /// Leaves it to others: if this thread runs on it, and may run on another, it goes on there. It may come back later.
    pub fn leave(self) {
        let Self(Some(number)) = self else { return };
        if Self::of_this_thread() != self {
            return;
        }
        // Where there are more processors than the set has room for, it cannot be filled.
        let Some(all) = allowed().filter(|_| number < libc::CPU_SETSIZE as usize) else { return };
        let mut others = all;
        // SAFETY: the set has room for this number.
        unsafe { libc::CPU_CLR(number, &mut others) };
        // A set without any is refused. To be let back takes nobody anywhere.
        if allow(&others) {
            allow(&all);
        }
    }
}

/// Processors that this thread may run on.
#[cfg(target_os = "linux")]
fn allowed() -> Option<libc::cpu_set_t> {
    // SAFETY: a set of plain bits, of the size that is told; 0 is this thread.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) == 0).then_some(set)
    }
}

/// Has this thread run on these only; false where that is refused.
#[cfg(target_os = "linux")]
fn allow(set: &libc::cpu_set_t) -> bool {
    // SAFETY: a set of plain bits, of the size that is told, which is read only; 0 is this thread.
    unsafe { libc::sched_setaffinity(0, size_of_val(set), &raw const *set) == 0 }
}

/// Elsewhere threads are placed by the system alone.
#[cfg(not(target_os = "linux"))]
impl Processor {
    /// Not known.
    #[must_use]
    pub fn of_this_thread() -> Self {
        Self(None)
    }

    /// Does nothing.
    pub fn leave(self) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn numbers(set: &libc::cpu_set_t) -> Vec<usize> {
        // SAFETY: the set has room for these numbers.
        (0..libc::CPU_SETSIZE as usize).filter(|&number| unsafe { libc::CPU_ISSET(number, set) }).collect()
    }

    #[test]
    fn a_thread_leaves_its_processor_and_may_come_back() {
        let all = allowed().expect("a set");
        let leaves = || {
            let here = Processor::of_this_thread();
            here.leave();
            Processor::of_this_thread() != here
        };
        // The system may have brought it back at once, but not each time.
        assert!(numbers(&all).len() == 1 || (0..20).any(|_| leaves()));
        assert_eq!(allowed().map(|set| numbers(&set)), Some(numbers(&all)));
    }

    #[test]
    fn one_that_may_run_nowhere_else_stays() {
        let only = Processor::of_this_thread();
        let Processor(Some(number)) = only else { panic!("Linux tells it") };
        // SAFETY: plain bits, and a number that there is room for.
        let alone = unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(number, &mut set);
            set
        };
        // The thread is this test's own.
        assert!(allow(&alone));
        only.leave();
        assert_eq!(Processor::of_this_thread(), only);
        assert_eq!(allowed().map(|set| numbers(&set)), Some(vec![number]));
    }

    #[test]
    fn others_are_not_concerned() {
        let Processor(Some(number)) = Processor::of_this_thread() else { panic!("Linux tells it") };
        let before = allowed().map(|set| numbers(&set));
        for other in [Some(number + 1), Some(usize::MAX), None] {
            Processor(other).leave();
        }
        assert_eq!(allowed().map(|set| numbers(&set)), before);
    }
}
