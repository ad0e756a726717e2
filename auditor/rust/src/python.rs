//! The Python door: `auditor._native`. The only module that names `PyO3` or `NumPy`; no logic of its own.

mod ahead;
mod caller;
mod carve;
mod common;
mod digest;
mod facts;
mod kept;
mod live;
mod ndmp;
mod reading;
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use caller::Caller;
use common::{options, panicked};
use facts::FileFacts;
use live::LiveReading;
use ndmp::message;
use reading::Reading;

use crate::app::ndmp::{FIELD_NAMES, MESSAGE_STATUS};
use crate::app::{APPS, names::NAME_KINDS};
use crate::columns::{FLAG_CUT, FLAG_FRAGMENTS};
use crate::decode::TUNNELS;
use crate::dissector::Tshark;
use crate::flow::{ORIGINATOR_BY, REFUSALS, STATES};
use crate::opening;
use crate::options::Options;
use crate::problem::PROBLEMS;

/// The Rust core: capture files, headers, flows, NDMP. Facts only; no policy, no names of products.
#[pymodule]
mod _native {
    use super::{
        APPS, AssertUnwindSafe, Bound, Caller, FIELD_NAMES, FLAG_CUT, FLAG_FRAGMENTS, MESSAGE_STATUS, NAME_KINDS,
        ORIGINATOR_BY, Options, PROBLEMS, PathBuf, Py, PyAny, PyBytes, PyDict, PyModule, PyResult, PyTuple,
        PyValueError, Python, REFUSALS, STATES, TUNNELS, catch_unwind, message, opening, options, panicked, pyfunction,
    };
    use pyo3::prelude::{PyBytesMethods, PyModuleMethods};

    #[pymodule_export]
    use super::ahead::{ReadingAhead, begin_reading};
    #[pymodule_export]
    use super::carve::{carve, pseudonyms};
    #[pymodule_export]
    use super::digest::{sha256, sha256_of_files};
    #[pymodule_export]
    use super::kept::revived;
    #[pymodule_export]
    use super::{FileFacts, LiveReading, Reading};

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
            tshark: tshark.map(|(program, settings)| super::Tshark { program, settings }),
            ..options(known_ports, ndmp_ports, hash_files, keep_duplicates, threads)
        };
        let mut caller = Caller { progress, raised: None };
        let outcome =
            py.detach(|| catch_unwind(AssertUnwindSafe(|| crate::reading::read(&paths, &options, &mut caller))));
        if let Some(raised) = caller.raised {
            return Err(raised);
        }
        match outcome {
            Ok(Ok(reading)) => super::Reading::new(py, reading),
            Ok(Err(crate::watching::Stopped)) | Err(_) => Err(panicked("reading captures")),
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
        let decoded = catch_unwind(AssertUnwindSafe(|| crate::app::ndmp::decode_records(data.as_bytes(), version)))
            .map_err(|_| panicked("decoding NDMP"))?
            .map_err(|error| PyValueError::new_err(format!("offset {}: {}", error.offset, error.rule)))?;
        decoded.into_iter().map(|record| message(py, record)).collect()
    }

    /// Name of an NDMP message code.
    #[pyfunction]
    #[pyo3(signature = (code, version = 0))]
    fn message_name(code: u32, version: u8) -> String {
        crate::app::ndmp::message_name(code, version).into_owned()
    }

    /// A filter for the kernel (classic BPF) that lets through what concerns some networks.
    #[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
    #[pyfunction]
    #[pyo3(signature = (networks, *, snaplen = 1 << 18, link_type = 1))]
    fn network_filter(
        networks: Vec<(String, u8)>,
        snaplen: u32,
        link_type: u16,
    ) -> PyResult<Option<crate::python::live::Program>> {
        crate::python::live::network_filter(&networks, snaplen, link_type)
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
        crate::app::ndmp::error_name(code).into_owned()
    }
}
