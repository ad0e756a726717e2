//! What the parts of the Python door share.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::options::Options;

/// Counts by name.
pub fn counts<'py, N: IntoPyObject<'py>>(
    py: Python<'py>,
    pairs: impl IntoIterator<Item = (N, u64)>,
) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    for (name, count) in pairs {
        dict.set_item(name, count)?;
    }
    Ok(dict.unbind())
}

/// What to read for, out of what both ways to begin a reading are given.
pub fn options(
    known_ports: Vec<u16>,
    ndmp_ports: Vec<u16>,
    hash_files: bool,
    keep_duplicates: bool,
    threads: usize,
) -> Options {
    Options {
        known_ports: known_ports.into_iter().collect(),
        ndmp_ports: ndmp_ports.into_iter().collect(),
        hash_files,
        keep_duplicates,
        threads,
        ..Options::default()
    }
}

/// Text of a panic, for an exception.
pub fn panicked(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!("internal error while {what} (please report it)"))
}
