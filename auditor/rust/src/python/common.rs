//! What the parts of the Python door share.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

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

/// Text of a panic, for an exception.
pub fn panicked(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!("internal error while {what} (please report it)"))
}
