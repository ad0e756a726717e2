//! Progress to Python, and its signals back.

use pyo3::prelude::*;

use crate::watching::Watch;

/// Reports to a Python callable and lets signals through; keeps what they raise.
#[derive(Default)]
pub struct Caller {
    pub progress: Option<Py<PyAny>>,
    pub raised: Option<PyErr>,
}

impl Caller {
    fn ask(&mut self, call: impl FnOnce(&Self, Python<'_>) -> PyResult<()>) -> bool {
        match Python::attach(|py| py.check_signals().and_then(|()| call(self, py))) {
            Ok(()) => true,
            Err(error) => {
                self.raised = Some(error);
                false
            }
        }
    }
}

impl Watch for Caller {
    fn progress(&mut self, read: u64, total: u64) -> bool {
        self.ask(|caller, py| match &caller.progress {
            Some(progress) => progress.call1(py, (read, total)).map(drop),
            None => Ok(()),
        })
    }

    fn interrupted(&mut self) -> bool {
        self.ask(|_, _| Ok(()))
    }
}
