//! A named pipe. To open one waits until somebody writes to it, which no signal ends: so that is left to a thread.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How long a read waits for somebody who writes, before its caller may look whether the user wants to go on.
const STEP: Duration = Duration::from_millis(100);

/// A named pipe that is open, or will be.
pub struct Fifo {
    opening: Receiver<io::Result<File>>,
    file: Option<File>,
}

impl Fifo {
    /// Begins to open a named pipe. Where that turns out to be impossible, the first read says so.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (sender, opening) = sync_channel(1);
        let path = path.to_owned();
        // Where nobody waits any longer, the file is closed with the message.
        thread::Builder::new().name("fifo".to_owned()).spawn(move || drop(sender.send(File::open(path))))?;
        Ok(Self { opening, file: None })
    }
}

impl Read for Fifo {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.file.is_none() {
            match self.opening.recv_timeout(STEP) {
                Ok(file) => self.file = Some(file?),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::Interrupted.into()),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        self.file.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}
