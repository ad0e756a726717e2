//! A thread that takes packets from the rings of an interface, whatever else the process does.
//!
//! The kernel waits for nobody: while a report is written, a disk is slow or Python is busy, packets come on. The thread
//! needs nothing of these. It holds the reading for a few milliseconds at a time, lets go for whoever asks for it, and
//! waits for packets without it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{io, thread};

use super::Live;
use super::rings::Rings;

/// So long at most the reading is held at a time.
const HELD: Duration = Duration::from_millis(4);
/// So long at most packets are waited for before it is looked whether all is over.
const SLICE: Duration = Duration::from_millis(100);

/// A reading that a thread feeds and others look at.
pub struct Shared {
    live: Mutex<Live>,
    waiting: AtomicUsize,
}

/// A place in the queue for a reading: while there is one, its thread does not take it again.
pub struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

impl Shared {
    /// Of a reading.
    #[must_use]
    pub fn new(live: Live) -> Self {
        Self { live: Mutex::new(live), waiting: AtomicUsize::new(0) }
    }

    /// Asks for the reading; the answer is kept until it was had.
    pub fn queue(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Acquire);
        Waiting(&self.waiting)
    }

    /// The reading, when nobody has it.
    pub fn now(&self) -> Option<MutexGuard<'_, Live>> {
        match self.live.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The reading, which is waited for.
    pub fn lock(&self) -> MutexGuard<'_, Live> {
        let _place = self.queue();
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reading, once nobody else waits for it.
    fn after_others(&self) -> MutexGuard<'_, Live> {
        while self.waiting.load(Ordering::Acquire) > 0 {
            thread::sleep(Duration::from_micros(50));
        }
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread; it ends when this goes, with what the rings still held taken.
pub struct Taker {
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Taker {
    /// Begins to take, where the source of the reading are rings that nobody takes from yet. The thread has the privileges
    /// of who calls this.
    ///
    /// # Errors
    /// When the system gives no thread; then nothing has changed.
    pub fn start(shared: &Arc<Shared>) -> io::Result<Option<Self>> {
        let Some(rings) = shared.lock().lend_rings() else { return Ok(None) };
        let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let lent = Arc::new(Mutex::new(Some(rings)));
        let work = {
            let (shared, stop, failed, lent) = (shared.clone(), stop.clone(), failed.clone(), lent.clone());
            move || {
                auditor_ring::leave_signals_to_others();
                let rings = lent.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(mut rings) = rings else { return };
                if catch_unwind(AssertUnwindSafe(|| take(&mut rings, &shared, &stop))).is_err() {
                    failed.store(true, Ordering::Release);
                }
            }
        };
        match Builder::new().name("auditor-taker".into()).spawn(work) {
            Ok(thread) => Ok(Some(Self { stop, failed, thread: Some(thread) })),
            Err(error) => {
                if let Some(rings) = lent.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    shared.lock().return_rings(rings);
                }
                Err(error)
            }
        }
    }

    /// A fault of ours ended the thread.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn take(rings: &mut Rings, shared: &Shared, stop: &AtomicBool) {
    loop {
        let last = stop.load(Ordering::Acquire);
        let some = rings.take(shared.after_others().intake_mut(), HELD);
        if last {
            return;
        }
        if !some {
            rings.wait(SLICE);
        }
    }
}
