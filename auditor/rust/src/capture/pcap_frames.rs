//! The frames of a classic pcap file, one after another, and what is wrong with its records.

use super::fault::Fault;
use super::look::Look;
use super::pcap::Pcap;
use super::window::Window;
use crate::frame::{Frame, Ip};
use crate::problem::Problem;

impl Pcap {
    /// The next frame.
    #[expect(clippy::inline_always, reason = "a call for each frame costs a tenth of the time of a small one")]
    #[inline(always)]
    pub fn next_frame<'w>(&mut self, window: &'w mut Window) -> Result<Option<Frame<'w>>, Fault> {
        let header = self.record_header;
        if !window.need(header)? {
            return if window.bytes().is_empty() { Ok(None) } else { Err(Fault::cut(window)) };
        }
        let Some([seconds, fraction, captured, wire_len]) = window.bytes().first_chunk().map(|head| self.words(head))
        else {
            return Err(Fault::cut(window));
        };
        if captured > self.limit || fraction >= self.units {
            self.doubtful(window, captured)?;
        }
        let length = header + captured as usize;
        if !window.need(length)? {
            return Err(self.cut(window));
        }
        Ok(Some(Frame {
            time: self.time(seconds, fraction),
            link: self.link,
            wire_len,
            data: &window.take(length)[header..],
            untimed: false,
            ip: Ip::Unasked,
        }))
    }

    /// A header that cannot be right: too long a frame, or a fraction of more than a second. Some programs write such
    /// fractions, so that a record of theirs counts when another can follow it.
    #[cold]
    #[inline(never)]
    fn doubtful(&self, window: &mut Window, captured: u32) -> Result<(), Fault> {
        let offset = window.position();
        if captured > self.limit {
            let what = format!("a record claims {captured} captured bytes, more than any frame has");
            return Err(Fault::damage(Problem::OversizedRecord, offset, what));
        }
        let next = self.record_header + captured as usize;
        window.need(next + 16)?;
        let follows = window.bytes().get(next..).and_then(<[u8]>::first_chunk);
        if follows.map(|head| self.words(head)[2]).is_some_and(|captured| captured == 0 || captured > self.limit) {
            let what = "a record's time is no time, and no record follows it".to_owned();
            return Err(Fault::damage(Problem::BadRecord, offset, what));
        }
        Ok(())
    }

    /// The file ends, or the record's header lies: what comes after a header that cannot be right is worth a look.
    #[cold]
    fn cut(&self, window: &Window) -> Fault {
        match (Fault::cut(window), self.look(window.bytes(), self.record_header)) {
            (Fault::Damage { problem, offset, what, .. }, Look::No) => {
                Fault::Damage { problem, offset, what, last: false }
            }
            (fault, _) => fault,
        }
    }
}
