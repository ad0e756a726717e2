//! A TLS handshake as Python gets it.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::app::tls::{Certificate, Details};

/// One handshake by the names that `auditor/_native.pyi` knows.
pub fn handshake<'py>(py: Python<'py>, details: &Details) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("flow", details.flow)?;
    dict.set_item("number", details.number)?;
    dict.set_item("packet", details.packet)?;
    dict.set_item("file", details.file)?;
    dict.set_item("time", details.time)?;
    dict.set_item("version", details.version)?;
    dict.set_item("offered", details.offered)?;
    dict.set_item("cipher", details.cipher)?;
    dict.set_item("server_name", &details.server_name)?;
    dict.set_item("alpn", &details.protocol)?;
    dict.set_item("alpn_offered", &details.protocols)?;
    dict.set_item("ja3", &details.ja3)?;
    dict.set_item("ja4", &details.ja4)?;
    dict.set_item("chain", details.chain)?;
    dict.set_item("server_certificate", certificate(py, details.server.as_ref())?)?;
    dict.set_item("client_certificate", certificate(py, details.client.as_ref())?)?;
    Ok(dict)
}

/// Names and validity of a certificate.
pub fn certificate<'py>(py: Python<'py>, certificate: Option<&Certificate>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(certificate) = certificate else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("subject", &certificate.subject)?;
    dict.set_item("issuer", &certificate.issuer)?;
    dict.set_item("self_issued", certificate.self_issued)?;
    dict.set_item("names", &certificate.names)?;
    dict.set_item("not_before", certificate.not_before)?;
    dict.set_item("not_after", certificate.not_after)?;
    Ok(Some(dict))
}
