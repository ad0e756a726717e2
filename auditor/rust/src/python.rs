//! The Python door: `auditor._native`. The only module that names `PyO3` or `NumPy`; no logic of its own.

pub(crate) mod caller;
mod facts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use caller::Caller;
use facts::FileFacts;

use crate::app::ndmp;
use crate::app::{APPS, names::NAME_KINDS, ndmp::FIELD_NAMES, ndmp::MESSAGE_STATUS, tls};
use crate::columns::{Column, FLAG_CUT, FLAG_FRAGMENTS, FlowTable, Serials};
use crate::decode::TUNNELS;
use crate::dissector::Tshark;
use crate::flow::{ORIGINATOR_BY, REFUSALS, STATES};
use crate::opening;
use crate::options::Options;
use crate::problem::PROBLEMS;
use crate::python_live::LiveReading;
use crate::python_ndmp::message;
use crate::reading;
use crate::{python_tls, tables, told};

/// Counts by name.
pub(crate) fn counts<'py, N: IntoPyObject<'py>>(
    py: Python<'py>,
    pairs: impl IntoIterator<Item = (N, u64)>,
) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    for (name, count) in pairs {
        dict.set_item(name, count)?;
    }
    Ok(dict.unbind())
}

/// The flows and NDMP messages of one or more captures, in columns.
#[pyclass(frozen, module = "auditor._native")]
pub(crate) struct Reading {
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
    pub(crate) fn new(py: Python<'_>, reading: reading::Reading) -> PyResult<Self> {
        let reading::Reading { files, mut flows, events, serials, field_addresses } = reading;
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
        python_tls::handshake(py, details)
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

/// Text of a panic, for an exception.
pub(crate) fn panicked(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!("internal error while {what} (please report it)"))
}

/// The Rust core: capture files, headers, flows, NDMP. Facts only; no policy, no names of products.
#[pymodule]
mod _native {
    use super::{
        APPS, AssertUnwindSafe, Bound, Caller, FIELD_NAMES, FLAG_CUT, FLAG_FRAGMENTS, MESSAGE_STATUS, NAME_KINDS,
        ORIGINATOR_BY, Options, PROBLEMS, PathBuf, Py, PyAny, PyBytes, PyDict, PyModule, PyResult, PyTuple,
        PyValueError, Python, REFUSALS, STATES, TUNNELS, catch_unwind, message, ndmp, opening, panicked, pyfunction,
        reading,
    };
    use pyo3::prelude::{PyBytesMethods, PyModuleMethods};

    #[pymodule_export]
    use super::{FileFacts, LiveReading, Reading};
    #[pymodule_export]
    use crate::python_ahead::{ReadingAhead, begin_reading};
    #[pymodule_export]
    use crate::python_carve::{carve, pseudonyms};
    #[pymodule_export]
    use crate::python_digest::{sha256, sha256_of_files};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        for (name, values) in [
            ("ORIGINATOR_BY", ORIGINATOR_BY),
            ("STATES", STATES),
            ("REFUSALS", REFUSALS),
            ("APPS", APPS),
            ("PROBLEMS", PROBLEMS),
            ("TUNNELS", TUNNELS),
            ("FIELD_NAMES", FIELD_NAMES),
            ("MESSAGE_STATUS", MESSAGE_STATUS),
            ("NAME_KINDS", NAME_KINDS),
        ] {
            module.add(name, PyTuple::new(module.py(), values)?)?;
        }
        module.add("FLAG_CUT", FLAG_CUT)?;
        module.add("FLAG_FRAGMENTS", FLAG_FRAGMENTS)
    }

    /// Read captures into one flow table, in the order of their packets' times.
    #[expect(clippy::needless_pass_by_value, clippy::too_many_arguments, reason = "arguments from Python")]
    #[pyfunction]
    #[pyo3(signature = (paths, *, known_ports = vec![], ndmp_ports = vec![10000], hash_files = false, keep_duplicates = false, threads = 0, tshark = None, progress = None))]
    fn read_flows(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        known_ports: Vec<u16>,
        ndmp_ports: Vec<u16>,
        hash_files: bool,
        keep_duplicates: bool,
        threads: usize,
        tshark: Option<(PathBuf, PathBuf)>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<super::Reading> {
        let options = Options {
            known_ports: known_ports.into_iter().collect(),
            ndmp_ports: ndmp_ports.into_iter().collect(),
            hash_files,
            keep_duplicates,
            threads,
            plain: false,
            tshark: tshark.map(|(program, settings)| super::Tshark { program, settings }),
        };
        let mut caller = Caller { progress, raised: None };
        let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(|| reading::read(&paths, &options, &mut caller))));
        if let Some(raised) = caller.raised {
            return Err(raised);
        }
        match outcome {
            Ok(Ok(reading)) => super::Reading::new(py, reading),
            Ok(Err(reading::Stopped)) | Err(_) => Err(panicked("reading captures")),
        }
    }

    /// Name of a file's container, empty when it is no capture.
    #[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
    #[pyfunction]
    fn capture_format(py: Python<'_>, path: PathBuf) -> PyResult<String> {
        py.detach(|| catch_unwind(|| opening::format_of(&path))).map_err(|_| panicked("looking into a file"))
    }

    /// Decode NDMP records, record markers included, as one direction of a stream.
    #[pyfunction]
    #[pyo3(signature = (data, version = 0))]
    fn decode_ndmp<'py>(py: Python<'py>, data: &Bound<'py, PyBytes>, version: u8) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let decoded = catch_unwind(AssertUnwindSafe(|| ndmp::decode_records(data.as_bytes(), version)))
            .map_err(|_| panicked("decoding NDMP"))?
            .map_err(|error| PyValueError::new_err(format!("offset {}: {}", error.offset, error.rule)))?;
        decoded.into_iter().map(|record| message(py, record)).collect()
    }

    /// Name of an NDMP message code.
    #[pyfunction]
    #[pyo3(signature = (code, version = 0))]
    fn message_name(code: u32, version: u8) -> String {
        ndmp::message_name(code, version).into_owned()
    }

    /// A filter for the kernel (classic BPF) that lets through what concerns some networks.
    #[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
    #[pyfunction]
    #[pyo3(signature = (networks, *, snaplen = 1 << 18, link_type = 1))]
    fn network_filter(
        networks: Vec<(String, u8)>,
        snaplen: u32,
        link_type: u16,
    ) -> PyResult<Option<crate::python_live::Program>> {
        crate::python_live::network_filter(&networks, snaplen, link_type)
    }

    /// Give up all privileges but the capabilities that are kept.
    #[pyfunction]
    #[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
    fn drop_privileges(keep: Vec<u32>) -> PyResult<()> {
        Ok(auditor_ring::drop_privileges(&keep)?)
    }

    /// Whether packet sockets may be opened.
    #[pyfunction]
    fn holds_net_raw() -> bool {
        auditor_ring::holds_net_raw()
    }

    /// Name of an NDMP error code.
    #[pyfunction]
    fn ndmp_error_name(code: u32) -> String {
        ndmp::error_name(code).into_owned()
    }
}
