//! A reading that goes on, as Python gets it.

use std::net::{IpAddr, Ipv6Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use auditor_ring::filter::Instruction;
use auditor_ring::{Config, filter};

use super::caller::Caller;
use super::common::{counts, panicked};
use super::reading::Reading;
use crate::flow::{Evicted, Limits, REASONS};
use crate::live::{Handed, Live, Shared, Taker};
use crate::options::Options;
use crate::problem::Problems;
use crate::watching::Stopped;

/// Captures that go on: taken in batches, looked at in between.
#[pyclass(frozen, module = "auditor._native")]
pub(crate) struct LiveReading {
    shared: Arc<Shared>,
    taker: Mutex<Option<Taker>>,
    /// Packets that were told by `pump`, where a thread takes them.
    told: AtomicU64,
}

impl LiveReading {
    /// Waits for the reading without holding the interpreter's lock.
    fn lock<'a>(&'a self, py: Python<'_>) -> MutexGuard<'a, Live> {
        let _place = self.shared.queue();
        loop {
            if let Some(guard) = self.shared.now() {
                return guard;
            }
            py.detach(|| drop(self.shared.lock()));
        }
    }

    /// The same once no thread takes packets any more.
    fn idle<'a>(&'a self, py: Python<'_>) -> MutexGuard<'a, Live> {
        py.detach(|| drop(self.taker().take()));
        self.lock(py)
    }

    fn taker(&self) -> MutexGuard<'_, Option<Taker>> {
        self.taker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What rings have given since this was asked last, after waiting; None where there are no rings.
    fn given(&self, milliseconds: u64) -> std::io::Result<Option<u64>> {
        let mut taker = self.taker();
        if taker.is_none() {
            *taker = Taker::start(&self.shared)?;
        }
        let Some(running) = taker.as_ref() else { return Ok(None) };
        if running.failed() {
            return Err(std::io::Error::other("the thread that takes packets has ended"));
        }
        drop(taker);
        auditor_ring::pause(Duration::from_millis(milliseconds));
        let packets = self.shared.lock().intake().taken();
        Ok(Some(packets - self.told.swap(packets, Ordering::Relaxed)))
    }
}

fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

fn reasons(py: Python<'_>, evicted: &[u64; 6], messages: u64) -> PyResult<Py<PyDict>> {
    let all = REASONS.into_iter().zip(*evicted).chain([("messages", messages)]);
    counts(py, all.filter(|&(_, count)| count > 0))
}

fn all_reasons(py: Python<'_>, evicted: &Evicted) -> PyResult<Py<PyDict>> {
    let sums = std::array::from_fn(|class| evicted.silent[class] + evicted.pressed[class]);
    reasons(py, &sums, evicted.messages)
}

#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
#[pymethods]
impl LiveReading {
    #[new]
    #[pyo3(signature = (*, known_ports = vec![], ndmp_ports = vec![10000], max_flows = 1 << 18, max_messages = 1 << 18,
        keep_duplicates = false, unanswered_timeout = 300.0, datagram_timeout = 300.0, closed_timeout = 900.0,
        idle_timeout = 86_400.0, session_timeout = 86_400.0, silent_timeout = 604_800.0))]
    fn new(
        known_ports: Vec<u16>,
        ndmp_ports: Vec<u16>,
        max_flows: usize,
        max_messages: usize,
        keep_duplicates: bool,
        unanswered_timeout: f64,
        datagram_timeout: f64,
        closed_timeout: f64,
        idle_timeout: f64,
        session_timeout: f64,
        silent_timeout: f64,
    ) -> PyResult<Self> {
        if max_flows < 16 || max_messages < 16 {
            return Err(PyValueError::new_err("max_flows and max_messages must be 16 at least"));
        }
        let options = Options {
            known_ports: known_ports.into_iter().collect(),
            ndmp_ports: ndmp_ports.into_iter().collect(),
            hash_files: false,
            keep_duplicates,
            threads: 1,
            plain: false,
            tshark: None,
        };
        let silence =
            [unanswered_timeout, datagram_timeout, closed_timeout, idle_timeout, session_timeout, silent_timeout];
        let limits = Limits { flows: max_flows, messages: max_messages, silence: silence.map(nanoseconds) };
        let shared = Arc::new(Shared::new(Live::new(&options, limits)));
        Ok(Self { shared, taker: Mutex::new(None), told: AtomicU64::new(0) })
    }

    /// Reads on from a file, a FIFO or standard input (`-`).
    #[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
    fn open_stream(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.idle(py).open_stream(&path).map_err(|error| PyOSError::new_err(format!("{}: {error}", path.display())))
    }

    /// Reads on from an open file descriptor, which is duplicated.
    #[cfg(unix)]
    fn open_fd(&self, py: Python<'_>, fd: i32, name: &str) -> PyResult<()> {
        self.idle(py).open_fd(fd, name).map_err(|error| PyOSError::new_err(format!("{name}: {error}")))
    }

    /// Reads from a packet ring on an interface (Linux).
    #[pyo3(signature = (interface, *, snaplen = 1 << 18, promiscuous = false, rings = 1, block_size = 1 << 20, blocks = 64,
        program = None, hardware_times = false))]
    fn open_ring(
        &self,
        py: Python<'_>,
        interface: String,
        snaplen: u32,
        promiscuous: bool,
        rings: u16,
        block_size: u32,
        blocks: u32,
        program: Option<Program>,
        hardware_times: bool,
    ) -> PyResult<()> {
        let program =
            program.unwrap_or_default().into_iter().map(|(code, jt, jf, k)| Instruction { code, jt, jf, k }).collect();
        let config = Config {
            interface,
            snaplen,
            promiscuous,
            block_size,
            blocks,
            program,
            hardware_times,
            ..Config::default()
        };
        self.idle(py).open_ring(&config, rings).map_err(|error| {
            let words = error.to_string();
            match error.error.raw_os_error() {
                Some(code) => PyOSError::new_err((code, words)),
                None => PyOSError::new_err(words),
            }
        })
    }

    /// Frames of a link type will be handed in.
    #[pyo3(signature = (name, link_type, snaplen = None))]
    fn open_frames(&self, py: Python<'_>, name: &str, link_type: u16, snaplen: Option<u32>) {
        self.idle(py).open_frames(name, link_type, snaplen);
    }

    /// Hands in frames: time in ns, bytes, length on the wire.
    #[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
    fn push(&self, py: Python<'_>, frames: Vec<(i64, Bound<'_, PyBytes>, u32)>) -> PyResult<u64> {
        let handed = frames.iter().map(|(time, data, wire_len)| Handed {
            time: *time,
            wire_len: *wire_len,
            data: data.as_bytes(),
        });
        let mut live = self.lock(py);
        catch_unwind(AssertUnwindSafe(|| live.push(handed)))
            .map_err(|_| panicked("taking frames"))?
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Adds what the kernel counted for a source that hands frames in.
    fn add_statistics(&self, py: Python<'_>, received: u64, dropped: u64) {
        self.lock(py).intake_mut().add_statistics(received, dropped);
    }

    /// Takes what comes within a time.
    fn pump(&self, py: Python<'_>, milliseconds: u64) -> PyResult<u64> {
        match py.detach(|| self.given(milliseconds)) {
            Ok(Some(count)) => return py.check_signals().map(|()| count),
            Ok(None) => {}
            Err(error) => return Err(PyOSError::new_err(format!("taking packets: {error}"))),
        }
        let mut caller = Caller::default();
        let outcome = py.detach(|| {
            let mut live = self.shared.lock();
            catch_unwind(AssertUnwindSafe(|| live.pump(Duration::from_millis(milliseconds), &mut caller)))
        });
        if let Some(raised) = caller.raised {
            return Err(raised);
        }
        match outcome {
            Ok(Ok(count)) => Ok(count),
            Ok(Err(Stopped)) | Err(_) => Err(panicked("taking packets")),
        }
    }

    /// The source has no more.
    #[getter]
    fn ended(&self, py: Python<'_>) -> bool {
        self.lock(py).ended()
    }

    /// What is wrong with the latest source, or nothing.
    #[getter]
    fn error(&self, py: Python<'_>) -> String {
        self.lock(py).intake().error().unwrap_or_default().to_owned()
    }

    /// What was seen so far.
    fn snapshot(&self, py: Python<'_>) -> PyResult<Reading> {
        let view = py.detach(|| {
            let live = self.shared.lock();
            catch_unwind(AssertUnwindSafe(|| live.intake().view()))
        });
        Reading::new(py, view.map_err(|_| panicked("looking at flows"))?)
    }

    /// Forgets flows of which nothing was heard for long; how many, by reason.
    #[pyo3(signature = (now_ns = None))]
    fn evict(&self, py: Python<'_>, now_ns: Option<i64>) -> PyResult<Py<PyDict>> {
        let evicted = py.detach(|| {
            let mut live = self.shared.lock();
            catch_unwind(AssertUnwindSafe(|| live.intake_mut().evict(now_ns)))
        });
        all_reasons(py, &evicted.map_err(|_| panicked("forgetting flows"))?)
    }

    /// What was counted so far.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let live = self.lock(py);
        let told = live.intake().counters();
        let (flows, messages) = live.intake().sizes();
        let (latest, steps) = live.intake().clock();
        let mut problems = Problems::default();
        let dict = PyDict::new(py);
        let (mut packets, mut bytes, mut unordered, mut file_drops) = (0, 0, 0, 0);
        for facts in live.intake().files() {
            packets += facts.packets;
            bytes += facts.bytes;
            unordered += facts.clock.unordered;
            file_drops += facts.drops.unwrap_or(0);
            problems.absorb(&facts.problems);
        }
        dict.set_item("packets", packets)?;
        dict.set_item("bytes", bytes)?;
        dict.set_item("received", told.received.max(packets))?;
        dict.set_item("kernel_drops", file_drops)?;
        dict.set_item("ring_freezes", told.freezes)?;
        dict.set_item("own_drops", told.own_drops)?;
        dict.set_item("flows", flows)?;
        dict.set_item("messages", messages)?;
        dict.set_item("evicted", all_reasons(py, live.intake().evicted())?)?;
        dict.set_item("pressed", reasons(py, &live.intake().evicted().pressed, live.intake().evicted().messages)?)?;
        dict.set_item("problems", counts(py, problems.iter())?)?;
        dict.set_item("clock_steps", steps)?;
        dict.set_item("unordered", unordered)?;
        dict.set_item("interface_downs", told.downs)?;
        dict.set_item("reopened", told.reopened)?;
        dict.set_item("interface_up", told.up)?;
        dict.set_item("latest", latest)?;
        Ok(dict)
    }

    /// Flows that were never established and are forgotten, by the end that did not answer; most flows first.
    fn aggregates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let live = self.lock(py);
        let mut rows: Vec<_> = live.intake().aggregates().iter().collect();
        rows.sort_by_key(|(end, sum)| (std::cmp::Reverse(sum.flows), **end));
        let list = PyList::empty(py);
        for (&(address, port), sum) in rows {
            let address = Ipv6Addr::from(address);
            let text = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4).to_string();
            let row = PyDict::new(py);
            row.set_item("address", if address.is_unspecified() { String::new() } else { text })?;
            row.set_item("port", port)?;
            row.set_item("flows", sum.flows)?;
            row.set_item("packets", sum.packets)?;
            row.set_item("first", sum.first)?;
            row.set_item("last", sum.last)?;
            list.append(row)?;
        }
        Ok(list)
    }

    /// Closes the source; what was read stays.
    fn close(&self, py: Python<'_>) {
        self.idle(py).close();
    }
}

/// Instructions of a filter: code, jumps where it holds and where not, operand.
pub(crate) type Program = Vec<(u16, u8, u8, u32)>;

/// A filter for the kernel that lets through what concerns some networks.
pub(crate) fn network_filter(networks: &[(String, u8)], snaplen: u32, link_type: u16) -> PyResult<Option<Program>> {
    let mut parsed = Vec::with_capacity(networks.len());
    for (address, length) in networks {
        let address: IpAddr = address.parse().map_err(|_| PyValueError::new_err(format!("no address: {address}")))?;
        if *length > if address.is_ipv4() { 32 } else { 128 } {
            return Err(PyValueError::new_err(format!("no prefix of {address}: {length}")));
        }
        parsed.push((address, *length));
    }
    let program = filter::networks(link_type == 1, &parsed, snaplen);
    Ok(program.map(|all| all.into_iter().map(|Instruction { code, jt, jf, k }| (code, jt, jf, k)).collect()))
}
