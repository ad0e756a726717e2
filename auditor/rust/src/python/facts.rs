//! The facts of a file, for Python.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::common::counts;
use crate::decode::TUNNELS;
use crate::reading;

/// What one capture file is, and how much of it was read.
#[pyclass(frozen, module = "auditor._native", get_all)]
pub(crate) struct FileFacts {
    path: OsString,
    format: String,
    packets: u64,
    bytes: u64,
    captured_bytes: u64,
    first: Option<i64>,
    last: Option<i64>,
    snaplen: Option<u32>,
    link_types: Py<PyDict>,
    undecoded: Py<PyDict>,
    tunnels: Py<PyDict>,
    problems: Py<PyDict>,
    duplicates: u64,
    cut: u64,
    unordered: u64,
    clock_steps: u64,
    longest_silence: i64,
    longest_silence_at: i64,
    silences: Vec<u64>,
    drops: Option<u64>,
    status: &'static str,
    error: Option<String>,
    sha256: Option<String>,
    names: Vec<(String, String)>,
}

impl FileFacts {
    pub(crate) fn new(py: Python<'_>, facts: reading::FileFacts) -> PyResult<Self> {
        let (links, undecoded) = (counts(py, facts.link_names())?, counts(py, facts.undecoded_links())?);
        let tunnels = TUNNELS.iter().copied().zip(facts.tunnels).filter(|&(_, count)| count > 0);
        Ok(Self {
            path: facts.path,
            format: facts.format,
            packets: facts.packets,
            bytes: facts.bytes,
            captured_bytes: facts.captured_bytes,
            first: facts.first,
            last: facts.last,
            snaplen: facts.snaplen,
            link_types: links,
            undecoded,
            tunnels: counts(py, tunnels)?,
            problems: counts(py, facts.problems.iter())?,
            duplicates: facts.duplicates,
            cut: facts.cut,
            unordered: facts.clock.unordered,
            clock_steps: facts.clock.steps,
            longest_silence: facts.clock.pace.longest,
            longest_silence_at: facts.clock.pace.longest_at,
            silences: facts.clock.silences.to_vec(),
            drops: facts.drops,
            status: facts.status.word(),
            error: facts.error,
            sha256: facts.sha256,
            names: facts.names.into_pairs().into_iter().map(|(address, name)| (address.to_string(), name)).collect(),
        })
    }
}

#[pymethods]
impl FileFacts {
    fn __repr__(&self) -> String {
        format!("<FileFacts \"{}\" {} packets, {}>", self.path.display(), self.packets, self.status)
    }
}
