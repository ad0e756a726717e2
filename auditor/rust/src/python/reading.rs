//! What was read, for Python.

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};

use super::facts::FileFacts;
use super::tls::handshake;
use crate::app::{ndmp, tls};
use crate::columns::{Column, FlowTable, Serials};
use crate::{assembly, tables, told};

/// The flows and NDMP messages of one or more captures, in columns.
#[pyclass(frozen, module = "auditor._native")]
pub struct Reading {
    #[pyo3(get)]
    files: Py<PyList>,
    table: FlowTable,
    serials: Serials,
    packets: u64,
    texts: Vec<String>,
    flows: Py<PyDict>,
    messages: Py<PyDict>,
    fields: Py<PyDict>,
    streams: Py<PyDict>,
    beats: Py<PyDict>,
    names: Py<PyDict>,
    name_texts: Vec<String>,
    handshakes: Vec<tls::Details>,
    addresses: PyOnceLock<Py<PyArray2<u8>>>,
}

impl Reading {
    pub fn new(py: Python<'_>, reading: assembly::Reading) -> PyResult<Self> {
        let assembly::Reading { files, mut flows, events, serials, field_addresses } = reading;
        let packets = files.iter().map(|facts| facts.packets).sum();
        let files = files.into_iter().map(|facts| FileFacts::new(py, facts)).collect::<PyResult<Vec<_>>>()?;
        let columns = std::mem::take(&mut flows.columns).into_list();
        let ndmp::Events { messages, fields, texts, streams, beats, handshakes, names, .. } = events;
        let (names, name_texts) = told::names(names, &flows.addresses);
        Ok(Self {
            files: PyList::new(py, files)?.unbind(),
            table: flows,
            serials,
            packets,
            texts,
            flows: arrays(py, columns)?,
            messages: arrays(py, tables::messages(messages))?,
            fields: arrays(py, tables::fields(fields, field_addresses))?,
            streams: arrays(py, tables::streams(streams))?,
            beats: arrays(py, tables::beats(beats))?,
            names: arrays(py, names)?,
            name_texts,
            handshakes,
            addresses: PyOnceLock::new(),
        })
    }
}

#[pymethods]
impl Reading {
    fn __len__(&self) -> usize {
        self.table.rows()
    }

    fn __repr__(&self) -> String {
        format!("<Reading of {} flows>", self.table.rows())
    }

    /// File of a packet, and its number there from 1.
    fn place(&self, packet: u64) -> PyResult<(u32, u64)> {
        let serial = packet.checked_sub(1).filter(|&serial| serial < self.packets);
        serial.map(|serial| self.serials.place(serial)).ok_or_else(|| PyIndexError::new_err("no such packet"))
    }

    /// Packets that follow each other in one file: first packet, file, number there, how many.
    fn runs(&self) -> Vec<(u64, u32, u64, u64)> {
        self.serials.runs(self.packets)
    }

    /// Shape (n, 16): IPv6 in network order, IPv4 mapped as `::ffff:a.b.c.d`.
    fn addresses<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<u8>>> {
        let rows = self.table.addresses.rows();
        let array = self.addresses.get_or_try_init(py, || {
            let flat = PyArray1::from_vec(py, rows.as_flattened().to_vec());
            flat.reshape([rows.len(), 16]).map(Bound::unbind)
        })?;
        Ok(array.bind(py).clone())
    }

    /// An address as people write it.
    fn address_text(&self, code: u32) -> PyResult<String> {
        self.table.addresses.text(code).ok_or_else(|| PyIndexError::new_err("no such address code"))
    }

    /// One array per column of ``auditor.flows.COLUMNS``, in order of each flow's first packet.
    fn flow_columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.flows.bind(py).copy()
    }

    /// Zeek's history letters: upper case originator, lower case responder.
    fn history_text(&self, flow: u32) -> PyResult<String> {
        self.table.history_text(flow).ok_or_else(|| PyIndexError::new_err("no such flow"))
    }

    /// One array per column of ``auditor.ndmp.MESSAGE_COLUMNS``; in order of packet within each flow.
    fn ndmp_messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.messages.bind(py).copy()
    }

    /// One array per column of ``auditor.ndmp.FIELD_COLUMNS``; sorted by ``message``.
    fn ndmp_fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.fields.bind(py).copy()
    }

    /// Strings that the column ``text`` of ``ndmp_fields`` indexes into.
    fn texts(&self) -> Vec<String> {
        self.texts.clone()
    }

    /// One array per column of ``auditor.ndmp.STREAM_COLUMNS``.
    fn ndmp_streams<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.streams.bind(py).copy()
    }

    /// One array per column of ``auditor.ndmp.BEAT_COLUMNS``; in order of capture within each flow.
    fn control_beats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.beats.bind(py).copy()
    }

    /// One array per column of ``auditor.traffic_names.NAME_COLUMNS``.
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.names.bind(py).copy()
    }

    /// The names themselves, row by row.
    fn name_texts(&self) -> Vec<String> {
        self.name_texts.clone()
    }

    /// Flows of the TLS handshakes, sorted.
    fn tls_flows<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_vec(py, told::handshake_flows(&self.handshakes))
    }

    /// One handshake, by its position in ``tls_flows``.
    fn tls_handshake<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyDict>> {
        let details = self.handshakes.get(row).ok_or_else(|| PyIndexError::new_err("no such handshake"))?;
        handshake(py, details)
    }
}

/// Columns become arrays without being copied.
fn arrays(py: Python<'_>, columns: Vec<(&'static str, Column)>) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    for (name, column) in columns {
        match column {
            Column::Bool(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
            Column::U8(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
            Column::U16(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
            Column::U32(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
            Column::U64(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
            Column::I32(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
            Column::I64(values) => dict.set_item(name, PyArray1::from_vec(py, values))?,
        }
    }
    Ok(dict.unbind())
}
