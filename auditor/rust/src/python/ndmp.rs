//! NDMP records as Python gets them.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::app::ndmp::{Decoded, MESSAGE_STATUS, Value};

fn value(py: Python<'_>, from: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match from {
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Text(text) => text.into_pyobject(py)?.into_any(),
        Value::Ip(address) => address.to_string().into_pyobject(py)?.into_any(),
        Value::List(values) => {
            let values = values.into_iter().map(|item| value(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, values)?.into_any()
        }
        Value::Map(parts) => named(py, parts)?.into_any(),
    })
}

fn named<'py>(py: Python<'py>, parts: Vec<(&'static str, Value)>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, part) in parts {
        dict.set_item(name, value(py, part)?)?;
    }
    Ok(dict)
}

/// A decoded record by the names that `auditor/_native.pyi` knows.
pub fn message(py: Python<'_>, decoded: Decoded) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("message", decoded.message)?;
    dict.set_item("name", decoded.name)?;
    dict.set_item("reply", decoded.reply)?;
    dict.set_item("sequence", decoded.sequence)?;
    dict.set_item("reply_sequence", decoded.reply_sequence)?;
    dict.set_item("time", decoded.time)?;
    dict.set_item("header_error", decoded.header_error)?;
    dict.set_item("status", MESSAGE_STATUS.get(decoded.status as usize).copied().unwrap_or_default())?;
    dict.set_item("length", decoded.length)?;
    dict.set_item("offset", decoded.offset)?;
    dict.set_item("version", decoded.version)?;
    dict.set_item("fragments", decoded.fragments)?;
    dict.set_item("fields", named(py, decoded.fields)?)?;
    Ok(dict)
}
