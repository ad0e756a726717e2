//! A reading under way, as Python gets it: in a thread of its own, while Python does something else.
//!
//! The thread knows nothing of Python. How far it is and whether it is to stop are plain numbers, so that it never waits
//! for the interpreter, which is importing `NumPy` meanwhile.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::common::{options, panicked};
use super::reading::Reading;
use crate::options::Options;
use crate::reading;
use crate::threads;
use crate::watching::{Stopped, Watch};

/// What the thread and those who wait for it tell each other.
#[derive(Default)]
struct Signs {
    read: AtomicU64,
    total: AtomicU64,
    stop: AtomicBool,
}

/// Passes signs on.
struct Signaller(Arc<Signs>);

impl Watch for Signaller {
    fn progress(&mut self, read: u64, total: u64) -> bool {
        self.0.total.store(total, Relaxed);
        self.0.read.store(read, Relaxed);
        self.interrupted()
    }

    fn interrupted(&mut self) -> bool {
        !self.0.stop.load(Relaxed)
    }
}

/// Where the outcome comes from, and what came.
enum Stage {
    Going(Receiver<Result<reading::Reading, Stopped>>),
    Ended(Option<Box<reading::Reading>>),
    Taken,
}

/// Captures that are being read.
#[pyclass(frozen, module = "auditor._native")]
pub struct ReadingAhead {
    signs: Arc<Signs>,
    stage: Mutex<Stage>,
}

impl ReadingAhead {
    /// Begins to read.
    ///
    /// # Errors
    /// No thread can be started.
    fn begin(paths: Vec<PathBuf>, options: Options) -> std::io::Result<Self> {
        let signs = Arc::new(Signs::default());
        let (sender, outcomes) = channel();
        let mut signaller = Signaller(Arc::clone(&signs));
        // A panic ends the thread and with it the channel, which tells.
        threads::spawn("reading", move || {
            // Nobody may be left to take it.
            let _ = sender.send(reading::read(&paths, &options, &mut signaller));
        })?;
        Ok(Self { signs, stage: Mutex::new(Stage::Going(outcomes)) })
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the reading has ended, waiting for that as long as is allowed: for ever where no time is given.
    fn ends_within(&self, patience: Option<Duration>) -> bool {
        let mut stage = self.stage();
        let Stage::Going(outcomes) = &*stage else { return true };
        let come = match patience {
            None => outcomes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => outcomes.recv_timeout(patience),
        };
        if matches!(come, Err(RecvTimeoutError::Timeout)) {
            return false;
        }
        *stage = Stage::Ended(come.ok().and_then(Result::ok).map(Box::new));
        true
    }
}

#[pymethods]
impl ReadingAhead {
    /// Wait for the end of the reading, at most so long; whether it has come.
    fn wait(&self, py: Python<'_>, milliseconds: u64) -> bool {
        py.detach(|| self.ends_within(Some(Duration::from_millis(milliseconds))))
    }

    /// Bytes read and bytes in all, as they were told last: about every 16 MiB.
    fn progress(&self) -> (u64, u64) {
        (self.signs.read.load(Relaxed), self.signs.total.load(Relaxed))
    }

    /// What was read; waits for the end.
    fn take(&self, py: Python<'_>) -> PyResult<Reading> {
        py.detach(|| self.ends_within(None));
        match std::mem::replace(&mut *self.stage(), Stage::Taken) {
            Stage::Ended(Some(reading)) => Reading::new(py, *reading),
            Stage::Taken => Err(PyRuntimeError::new_err("the reading was taken already")),
            Stage::Going(_) | Stage::Ended(None) => Err(panicked("reading captures")),
        }
    }

    /// Read no further, and wait until that is so.
    fn stop(&self, py: Python<'_>) {
        self.signs.stop.store(true, Relaxed);
        py.detach(|| self.ends_within(None));
    }
}

impl Drop for ReadingAhead {
    fn drop(&mut self) {
        self.signs.stop.store(true, Relaxed);
    }
}

/// Begin to read captures in a thread of its own.
#[pyfunction]
#[pyo3(signature = (paths, *, known_ports = vec![], ndmp_ports = vec![10000], hash_files = false, keep_duplicates = false, threads = 0))]
pub fn begin_reading(
    paths: Vec<PathBuf>,
    known_ports: Vec<u16>,
    ndmp_ports: Vec<u16>,
    hash_files: bool,
    keep_duplicates: bool,
    threads: usize,
) -> PyResult<ReadingAhead> {
    let options = options(known_ports, ndmp_ports, hash_files, keep_duplicates, threads);
    Ok(ReadingAhead::begin(paths, options)?)
}
