//! In which order captures are read: that of their packets, whatever order they were named in.

use std::io;
use std::path::{Path, PathBuf};

use crate::capture::{Fault, Search};
use crate::opening;
use crate::reading::Unwatched;
use crate::source;

/// The captures in order of their first packets, so that a connection that goes on in the next file is one flow.
///
/// A shell names `site.pcap10` before `site.pcap2`. What cannot be looked into without being consumed (a pipe), or
/// holds no packet, keeps its place.
#[must_use]
pub fn chronological(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut ordered = paths.to_vec();
    if paths.len() < 2 {
        return ordered;
    }
    let places: Vec<(usize, i64)> =
        paths.iter().enumerate().filter_map(|(place, path)| begins(path).map(|time| (place, time))).collect();
    let mut by_time = places.clone();
    by_time.sort_by_key(|&(_, time)| time);
    for (&(place, _), &(from, _)) in places.iter().zip(&by_time) {
        ordered[place].clone_from(&paths[from]);
    }
    ordered
}

/// Time of the first packet of a regular file.
fn begins(path: &Path) -> Option<i64> {
    if !source::is_regular(path) {
        return None;
    }
    let bytes = source::open(path).ok()?.bytes;
    let mut reader = opening::open(path, bytes, true, false, &mut Unwatched).ok()?.ok()?.reader;
    loop {
        match reader.next_frame() {
            Ok(frame) => return frame.map(|frame| frame.time),
            Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(Fault::Io(_)) => return None,
            Err(Fault::Damage { last, .. }) => {
                if last || !matches!(reader.search(None), Ok(Search::Found(_))) {
                    return None;
                }
            }
        }
    }
}
