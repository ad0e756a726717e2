//! Digests for Python: SHA-256 of small files, without the library that Python would load for it.

use std::fmt::Write;
use std::path::PathBuf;

use pyo3::prelude::*;
use sha2::{Digest, Sha256};

fn hexadecimal(data: &[u8]) -> String {
    Sha256::digest(data).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of bytes, in hexadecimal.
#[pyfunction]
pub fn sha256(data: &[u8]) -> String {
    hexadecimal(data)
}

/// SHA-256 of each file, in hexadecimal.
#[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive by value")]
#[pyfunction]
pub fn sha256_of_files(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Vec<String>> {
    Ok(py.detach(|| {
        paths.iter().map(|path| std::fs::read(path).map(|data| hexadecimal(&data))).collect::<Result<_, _>>()
    })?)
}
