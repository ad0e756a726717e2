//! In which order captures are read: that of their packets, whatever order they were named in.

use std::io;
use std::path::{Path, PathBuf};

use crate::capture::{Fault, Search};
use crate::opening;
use crate::source;
use crate::watching::Unwatched;

/// A capture, and when it has its turn.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its path.
    pub path: PathBuf,
    /// Time of its first packet, ns.
    pub begins: Begins,
}

/// When a capture has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Begins {
    /// It holds no packet, as far as can be seen: at any time.
    Never,
    /// Time of its first packet, ns.
    At(i64),
    /// It cannot be looked into without being consumed (a pipe): when everything before it was read, and alone.
    Unknown,
}

/// The captures in order of their first packets, so that a connection that goes on in the next file is one flow.
///
/// A shell names `site.pcap10` before `site.pcap2`. What has no time keeps its place; of files that begin at once, the
/// name decides, so that nothing depends on the order in which they were named.
#[must_use]
pub fn chronological(paths: &[PathBuf]) -> Vec<Waiting> {
    let looked_into = |path: &PathBuf| match (source::is_consumed(path), paths.len()) {
        (true, _) => Begins::Unknown,
        // Nobody else has a turn.
        (false, 1) => Begins::Never,
        (false, _) => begins(path).map_or(Begins::Never, Begins::At),
    };
    let mut ordered: Vec<Waiting> =
        paths.iter().map(|path| Waiting { path: path.clone(), begins: looked_into(path) }).collect();
    let places: Vec<usize> =
        (0..ordered.len()).filter(|&place| matches!(ordered[place].begins, Begins::At(_))).collect();
    let mut by_time: Vec<(Begins, PathBuf)> =
        places.iter().map(|&place| (ordered[place].begins, ordered[place].path.clone())).collect();
    by_time.sort();
    for (place, (begins, path)) in places.into_iter().zip(by_time) {
        ordered[place] = Waiting { path, begins };
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
