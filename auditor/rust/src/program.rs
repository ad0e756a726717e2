//! Other programs: how a path is named to them, and how their output is read.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

const CHUNK: usize = 256 << 10;

/// Names a path for a program's command line: never an option.
#[must_use]
pub fn as_argument(path: &Path) -> OsString {
    if path.is_absolute() { path.as_os_str().to_owned() } else { Path::new(".").join(path).into_os_string() }
}

/// Reads the output of a program in a thread; an empty chunk is its end.
///
/// # Errors
/// No thread can be started.
pub fn listen(mut output: ChildStdout) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(4);
    thread::Builder::new().name("convert".to_owned()).spawn(move || {
        loop {
            let mut chunk = vec![0; CHUNK];
            let read = output.read(&mut chunk).map(|count| {
                chunk.truncate(count);
                chunk
            });
            let done = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || done {
                return;
            }
        }
    })?;
    Ok(receiver)
}
