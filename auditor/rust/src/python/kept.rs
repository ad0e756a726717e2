//! What is kept between starts, as Python has it.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::json::{self, Value};

/// JSON as values of Python: lists as tuples, and each `{"@": NAME, "=": [VALUES]}` as what the kind of that name returns
/// for the values.
#[pyfunction]
pub fn revived<'py>(py: Python<'py>, text: &[u8], kinds: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let value = json::read(text).ok_or_else(|| PyValueError::new_err("not as it was kept"))?;
    object(py, &value, kinds)
}

fn object<'py>(py: Python<'py>, value: &Value<'_>, kinds: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Flag(flag) => flag.into_bound_py_any(py),
        Value::Number(number) => number.into_bound_py_any(py),
        Value::Text(text) => text.as_ref().into_bound_py_any(py),
        Value::List(items) => Ok(tuple(py, items, kinds)?.into_any()),
        Value::Mapping(pairs) => {
            if let [(at, Value::Text(name)), (equals, Value::List(values))] = pairs.as_slice()
                && at == "@"
                && equals == "="
            {
                let kind = kinds.get_item(name)?.ok_or_else(|| PyKeyError::new_err(name.to_string()))?;
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

fn tuple<'py>(py: Python<'py>, items: &[Value<'_>], kinds: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyTuple>> {
    let made: Vec<_> = items.iter().map(|item| object(py, item, kinds)).collect::<PyResult<_>>()?;
    PyTuple::new(py, made)
}
