//! Frames with the place of their IP packets, as Wireshark finds it: read ahead, asked about, and lent out in order.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use super::fault::Fault;
use super::format::Format;
use super::names::Names;
use super::window::Window;
use crate::answers::{Answer, Place};
use crate::dissector::{Dissector, Tshark};
use crate::frame::{Frame, Ip};
use crate::problem::Problem;

/// Bytes of frames that are on their way; the program must have much less of them in its buffers.
const AHEAD: usize = 4 << 20;
/// What a frame takes beside its bytes.
const OVERHEAD: usize = 96;
/// Frames that one process is asked about: what it remembers of them must have an end.
const LIFETIME: u64 = 500_000;
/// Between two looks at whether somebody wants to stop.
const STEP: Duration = Duration::from_millis(100);

/// The frames of another container, dissected.
pub struct Dissected {
    pub(super) inner: Format,
    tshark: Tshark,
    dissector: Option<Dissector>,
    /// Frames about which the present process was asked.
    asked: u64,
    waiting: VecDeque<Waiting>,
    /// Bytes in `waiting`.
    ahead: usize,
    /// How the other container ended.
    end: Option<Result<(), Fault>>,
    /// What is lent out.
    current: Waiting,
    /// Where the IP packet of the frame before was.
    near: usize,
}

/// A frame between being read and being lent out.
#[derive(Default)]
struct Waiting {
    time: i64,
    link: u16,
    wire_len: u32,
    untimed: bool,
    data: Vec<u8>,
    asked: bool,
    known: bool,
    place: Option<Place>,
    vlan: u16,
}

impl Dissected {
    pub(super) fn new(inner: Format, tshark: &Tshark) -> Self {
        Self {
            inner,
            tshark: tshark.clone(),
            dissector: None,
            asked: 0,
            waiting: VecDeque::new(),
            ahead: 0,
            end: None,
            current: Waiting::default(),
            near: 0,
        }
    }

    /// Names of addresses that the file itself gives.
    pub(super) fn into_names(self) -> Names {
        self.inner.into_names()
    }

    pub(super) fn next_frame(&mut self, window: &mut Window) -> Result<Option<Frame<'_>>, Fault> {
        loop {
            let may_read = self.end.is_none() && self.ahead < AHEAD && self.asked < LIFETIME;
            if self.is_answered(window, if may_read { Duration::ZERO } else { STEP })? {
                return Ok(self.lend());
            }
            if may_read {
                self.read_on(window)?;
            } else if self.waiting.is_empty() {
                if self.asked >= LIFETIME {
                    (self.dissector, self.asked) = (None, 0);
                } else if let Some(end) = self.end.take() {
                    return end.map(|()| None);
                }
            }
        }
    }

    /// Whether the frame that is next can be lent out.
    fn is_answered(&mut self, window: &Window, wait: Duration) -> Result<bool, Fault> {
        let Some(front) = self.waiting.front_mut() else { return Ok(false) };
        let Some(dissector) = self.dissector.as_mut().filter(|_| front.asked) else { return Ok(true) };
        match dissector.answer(wait) {
            Ok(Answer::Nothing { known }) => front.known = known,
            Ok(Answer::Ip(header)) => {
                front.vlan = header.vlan;
                front.known = true;
                front.place = header.place(&front.data, self.near);
                if let Some(Place::Within(at)) = front.place {
                    self.near = at;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return if wait.is_zero() {
                    Ok(false)
                } else {
                    Err(io::Error::from(io::ErrorKind::Interrupted).into())
                };
            }
            Err(error) => return Err(self.lost(window, &error)),
        }
        Ok(true)
    }

    /// Reads one more frame, and asks about it.
    fn read_on(&mut self, window: &mut Window) -> Result<(), Fault> {
        let position = window.position();
        let ended = match self.inner.next_frame(window) {
            Ok(Some(frame)) => match ask(&mut self.dissector, &self.tshark, &frame) {
                Ok(asked) => {
                    self.asked += u64::from(asked);
                    self.ahead += frame.data.len() + OVERHEAD;
                    self.waiting.push_back(Waiting::of(&frame, asked));
                    // The last one of a process: it is to answer what is left, and end.
                    if self.asked == LIFETIME { self.finish() } else { Ok(()) }
                }
                Err(error) => Err(error),
            },
            Ok(None) => {
                self.end = Some(Ok(()));
                self.finish()
            }
            Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => return Err(Fault::Io(error)),
            Err(fault) => {
                self.end = Some(Err(fault));
                self.dissector.as_mut().map_or(Ok(()), Dissector::press)
            }
        };
        ended.map_err(|error| fault(position, &error))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.dissector.as_mut().map_or(Ok(()), Dissector::finish)
    }

    /// The program is gone: whatever it did not answer cannot be told.
    fn lost(&mut self, window: &Window, error: &io::Error) -> Fault {
        self.waiting.clear();
        self.dissector = None;
        fault(window.position(), error)
    }

    fn lend(&mut self) -> Option<Frame<'_>> {
        self.current = self.waiting.pop_front()?;
        self.ahead -= self.current.data.len() + OVERHEAD;
        let Waiting { time, link, wire_len, untimed, ref data, ref place, vlan, known, .. } = self.current;
        let ip = match place {
            Some(Place::Within(at)) => Ip::At { bytes: &data[*at..], vlan },
            Some(Place::Rebuilt(bytes)) => Ip::At { bytes: bytes.as_slice(), vlan },
            None => Ip::Nowhere { known },
        };
        Some(Frame { time, link, wire_len, data, untimed, ip })
    }
}

impl Waiting {
    fn of(frame: &Frame<'_>, asked: bool) -> Self {
        let Frame { time, link, wire_len, untimed, data, .. } = *frame;
        Self { time, link, wire_len, untimed, data: data.to_vec(), asked, ..Self::default() }
    }
}

/// Asks a process about a frame; starts one where none runs.
fn ask(running: &mut Option<Dissector>, tshark: &Tshark, frame: &Frame<'_>) -> io::Result<bool> {
    match running {
        Some(dissector) => dissector.ask(frame),
        None => running.insert(Dissector::start(tshark)?).ask(frame),
    }
}

fn fault(offset: u64, error: &io::Error) -> Fault {
    let what = format!("tshark cannot go on: {error}");
    Fault::Damage { problem: Problem::DissectorFailed, offset, what, last: true }
}
