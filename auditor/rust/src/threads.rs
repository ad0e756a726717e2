//! Threads that begin at once, beside the one that makes them.
//!
//! Linux often puts a new thread onto its maker's processor, though another is idle, at least on virtual machines: there one
//! that sleeps may pass for one that the host has given to somebody else. The thread then begins when its maker's share of
//! time is over, 2 to 4 ms later (6.18, two processors), which is a twentieth of reading a hundred megabytes. So the maker
//! stands back for a moment, in which a thread that waits behind it goes to another processor: 0.2 ms.

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle, yield_now};

use auditor_ring::Processor;

/// Starts a thread.
///
/// # Errors
/// Those of the system, when no thread can be started.
pub fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    let thread = Builder::new().name(name.to_owned()).spawn(elsewhere(work))?;
    yield_now();
    Ok(thread)
}

/// Starts a thread that ends before the scope does.
///
/// # Errors
/// As [`spawn`].
pub fn spawn_scoped<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    let thread = Builder::new().name(name.to_owned()).spawn_scoped(scope, elsewhere(work))?;
    yield_now();
    Ok(thread)
}

/// The same work, on another processor than this thread's.
fn elsewhere<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let here = Processor::of_this_thread();
    move || {
        here.leave();
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_does_its_work_and_has_its_name() {
        let name = || std::thread::current().name().map(str::to_owned);
        assert_eq!(spawn("one", name).expect("a thread").join().expect("no panic"), Some("one".to_owned()));
        let mut sum = 0;
        std::thread::scope(|scope| {
            spawn_scoped(scope, "two", || sum += 7).expect("a thread");
        });
        assert_eq!(sum, 7);
    }
}
