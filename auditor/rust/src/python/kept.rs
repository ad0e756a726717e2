//! What is kept between starts, as Python has it.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::Value;

/// JSON as values of Python: lists as tuples, and each `{"@": NAME, "=": [VALUES]}` as what the kind of that name returns
/// for the values.
#[pyfunction]
pub fn revived<'py>(py: Python<'py>, text: &[u8], kinds: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let value: Value = serde_json::from_slice(text).map_err(|_| PyValueError::new_err("not as it was kept"))?;
    object(py, &value, kinds)
}

fn object<'py>(py: Python<'py>, value: &Value, kinds: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(flag) => flag.into_bound_py_any(py),
        // Nothing else is kept: a number of another kind is none of ours.
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into_bound_py_any(py),
            None => Err(PyValueError::new_err("no whole number of 64 bits")),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(items) => Ok(tuple(py, items, kinds)?.into_any()),
        Value::Object(pairs) => {
            if let (Some(Value::String(name)), Some(Value::Array(values)), 2) =
                (pairs.get("@"), pairs.get("="), pairs.len())
            {
                let kind = kinds.get_item(name)?.ok_or_else(|| PyKeyError::new_err(name.clone()))?;
                return kind.call1(tuple(py, values, kinds)?);
            }
            let made = PyDict::new(py);
            for (key, item) in pairs {
                made.set_item(key, object(py, item, kinds)?)?;
            }
            Ok(made.into_any())
        }
    }
}

fn tuple<'py>(py: Python<'py>, items: &[Value], kinds: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyTuple>> {
    let made: Vec<_> = items.iter().map(|item| object(py, item, kinds)).collect::<PyResult<_>>()?;
    PyTuple::new(py, made)
}
