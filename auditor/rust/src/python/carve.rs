//! Carving and pseudonyms as Python gets them.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use super::caller::Caller;
use super::common::panicked;
use crate::carve::{Connection, Failure, Wanted, carve as carve_captures};
use crate::pseudonyms::Pseudonyms;

/// A capture: its path, and numbers of packets with their comments.
type Capture = (PathBuf, Vec<(u64, String)>);
/// IP protocol number, both ends, first and last time (ns).
type Ends = (u8, (IpAddr, u16), (IpAddr, u16), i64, i64);
/// Packets written, those by number, SHA-256, error.
type Told = (u64, u64, Option<String>, Option<String>);

fn cipher(key: &[u8]) -> PyResult<Pseudonyms> {
    let key = key.try_into().map_err(|_| PyValueError::new_err("a key has 32 bytes"))?;
    Ok(Pseudonyms::new(key))
}

/// Write packets of captures into a new pcapng file.
#[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
#[pyfunction]
#[pyo3(signature = (captures, connections, output, *, hash_files = false, key = None, progress = None))]
pub fn carve(
    py: Python<'_>,
    captures: Vec<Capture>,
    connections: Vec<Ends>,
    output: PathBuf,
    hash_files: bool,
    key: Option<Vec<u8>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<Told>> {
    let wanted: Vec<Wanted> = captures.into_iter().map(|(path, numbers)| wanted(path, numbers, hash_files)).collect();
    let connections: Vec<Connection> = connections
        .into_iter()
        .map(|(protocol, one, other, first, last)| Connection { protocol, one, other, first, last })
        .collect();
    let names = key.as_deref().map(cipher).transpose()?;
    let mut caller = Caller { progress, raised: None };
    let outcome = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let out = BufWriter::new(File::create(&output).map_err(Failure::Write)?);
            carve_captures(&wanted, &connections, names, out, &mut caller)
        }))
    });
    if let Some(raised) = caller.raised {
        return Err(raised);
    }
    match outcome {
        Ok(Ok(all)) => Ok(all.into_iter().map(|one| (one.packets, one.by_number, one.sha256, one.error)).collect()),
        Ok(Err(Failure::Write(error))) => Err(PyOSError::new_err(error.to_string())),
        Ok(Err(Failure::Stopped)) | Err(_) => Err(panicked("carving packets")),
    }
}

fn wanted(path: PathBuf, numbers: Vec<(u64, String)>, hash: bool) -> Wanted {
    let mut packets: HashMap<u64, Vec<String>> = HashMap::new();
    for (number, comment) in numbers {
        packets.entry(number).or_default().push(comment);
    }
    Wanted { path, packets, hash }
}

/// The addresses that stand for these under a key: IPv4, IPv6, or hardware addresses.
#[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
#[pyfunction]
pub fn pseudonyms(key: Vec<u8>, addresses: Vec<String>) -> PyResult<Vec<String>> {
    let mut names = cipher(&key)?;
    addresses.iter().map(|address| pseudonym(&mut names, address)).collect()
}

fn pseudonym(names: &mut Pseudonyms, text: &str) -> PyResult<String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(match address {
            IpAddr::V4(address) => IpAddr::V4(names.v4(address.to_bits()).into()).to_string(),
            IpAddr::V6(address) => IpAddr::V6(names.v6(address.to_bits()).into()).to_string(),
        });
    }
    let parts: Vec<u8> = text.split([':', '-']).filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
    let address = parts.try_into().map_err(|_| PyValueError::new_err(format!("{text:?} is no address")))?;
    Ok(names.mac(address).map(|byte| format!("{byte:02x}")).join(":"))
}
