//! Where IP begins in each frame, as Wireshark's dissectors find it: `tshark` as a filter, frames in, a line for each out.
//!
//! It is given frames and never a file: containers are read by us, so that numbers, times and lengths of packets stay what
//! they are. What is above IP is switched off there: nothing of it is asked for, and it is where most of the hostile
//! bytes of a capture would bite.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::answers::{Answer, FIELDS, answer};
use crate::frame::Frame;
use crate::program::listen;
use crate::writer::Writer;

/// A program that says nothing for so long, although frames are there, has lost itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest frame that Wireshark reads.
const LONGEST_FRAME: usize = 256 << 10;
/// The longest line: the payload of such a frame in hexadecimal, and the fields.
const LONGEST_LINE: usize = 1 << 20;
/// What is sent at once.
const CHUNK: usize = 64 << 10;
/// Link types of one file that are asked about; no honest file has more.
const MOST_LINKS: usize = 64;
/// Wireshark reads its input by pieces of at most so much, and waits until a piece is full.
const PIECE: usize = 256 << 10;
/// Remembers connections and addresses, and is asked about neither.
const OFF: [&str; 8] = ["tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "gre"];

/// The program, and where it looks for settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tshark {
    /// Its path.
    pub program: PathBuf,
    /// An empty folder that takes the place of the user's settings, plug-ins and scripts.
    pub settings: PathBuf,
}

/// A `tshark` that is running; it ends with us.
pub struct Dissector {
    child: Child,
    frames: Option<Writer<Chunks>>,
    links: Vec<u16>,
    /// Answers so far.
    answers: u32,
    lines: Receiver<io::Result<Vec<u8>>>,
    line: Vec<u8>,
    /// Where in `line` the next one begins.
    at: usize,
    /// How long an answer has been waited for.
    waited: Duration,
}

impl Dissector {
    /// Starts the program.
    ///
    /// # Errors
    /// When there is none, or no thread for it.
    pub fn start(tshark: &Tshark) -> io::Result<Self> {
        let mut command = Command::new(&tshark.program);
        command.args(["-n", "-l", "-r", "-", "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]);
        command.args(["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]);
        command.args(OFF.iter().flat_map(|name| ["--disable-protocol", name]));
        command.args(FIELDS.iter().flat_map(|name| ["-e", name]));
        command.env("WIRESHARK_CONFIG_DIR", &tshark.settings);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        let started = listen(output).and_then(|lines| Ok((lines, Writer::new(Chunks::into(input)?)?)));
        match started {
            Ok((lines, frames)) => {
                let frames = Some(frames);
                Ok(Self {
                    child,
                    frames,
                    links: Vec::new(),
                    answers: 0,
                    lines,
                    line: Vec::new(),
                    at: 0,
                    waited: Duration::ZERO,
                })
            }
            Err(error) => {
                child.kill().ok();
                child.wait().ok();
                Err(error)
            }
        }
    }

    /// Asks about a frame; false when that is not possible.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn ask(&mut self, frame: &Frame<'_>) -> io::Result<bool> {
        if !self.links.contains(&frame.link) {
            if self.links.len() == MOST_LINKS {
                return Ok(false);
            }
            self.links.push(frame.link);
        }
        let Some(frames) = &mut self.frames else { return Ok(false) };
        let data = &frame.data[..frame.data.len().min(LONGEST_FRAME)];
        frames.frame(0, frame.link, frame.time, frame.wire_len, data, &[])?;
        Ok(true)
    }

    /// Asks for all answers that are due, though more frames may come.
    ///
    /// # Errors
    /// Likewise.
    pub fn press(&mut self) -> io::Result<()> {
        self.frames.as_mut().map_or(Ok(()), |frames| frames.filler(PIECE))
    }

    /// Says that no more frames come.
    ///
    /// # Errors
    /// Likewise.
    pub fn finish(&mut self) -> io::Result<()> {
        self.frames.take().map_or(Ok(()), Writer::finish)
    }

    /// The answer about the next frame.
    ///
    /// # Errors
    /// `WouldBlock` when there is no answer yet, else why there is none.
    pub fn answer(&mut self, wait: Duration) -> io::Result<Answer> {
        loop {
            if let Some(length) = self.line[self.at..].iter().position(|&byte| byte == b'\n') {
                let line = &self.line[self.at..][..length];
                let (about, found) = answer(line)?;
                self.at += length + 1;
                self.answers += 1;
                if about != self.answers {
                    let told = format!("it tells of frame {about} where {} is due", self.answers);
                    return Err(io::Error::other(told));
                }
                return Ok(found);
            }
            self.line.drain(..self.at);
            self.at = 0;
            if self.line.len() > LONGEST_LINE {
                return Err(io::Error::other("it printed a line without end"));
            }
            let chunk = match self.lines.recv_timeout(wait) {
                Ok(chunk) => chunk?,
                Err(RecvTimeoutError::Timeout) if self.waited < PATIENCE => {
                    self.waited += wait;
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(io::Error::other(format!("it said nothing for {} s", PATIENCE.as_secs())));
                }
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            if chunk.is_empty() {
                return Err(io::Error::other(format!("it ended ({})", self.child.wait()?)));
            }
            self.waited = Duration::ZERO;
            self.line.extend_from_slice(&chunk);
        }
    }
}

impl Drop for Dissector {
    fn drop(&mut self) {
        // It may be done already, or nobody wants the rest.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Hands bytes to a thread that writes them, so that a program which does not read holds up nobody. Whoever asks
/// limits how much is on its way.
pub struct Chunks {
    pending: Vec<u8>,
    sender: Sender<Vec<u8>>,
}

impl Chunks {
    fn into(mut input: ChildStdin) -> io::Result<Self> {
        let (sender, chunks) = channel::<Vec<u8>>();
        thread::Builder::new().name("dissect".to_owned()).spawn(move || {
            // A program that is gone is noticed where its answers are missed.
            for chunk in chunks {
                if input.write_all(&chunk).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { pending: Vec::new(), sender })
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Likewise.
        drop(self.sender.send(std::mem::take(&mut self.pending)));
        Ok(())
    }
}
