//! Frames of a piece of a file that are taken out of it before its turn comes, by the thread that reads it: of full
//! frames the way through their headers, each in a place of memory of its own, takes as long as the copying does, and
//! twice as long where another processor read them.
//!
//! Where the first record of the piece begins is a guess then. It holds if the one before ends there, which is seen when
//! its turn has come; else nothing of this is used.

use super::look::{Look, is_chain};
use super::pcap::Pcap;
use super::run::Run;
use crate::entry::{AHEAD, Entry};
use crate::facts::FileFacts;
use crate::frames::Frames;

/// How far into a piece a record's beginning is looked for.
const FAR: usize = 64 << 10;

/// What knows how to take frames out of a file.
#[derive(Clone)]
pub(super) struct Walker {
    pub(super) pcap: Pcap,
    pub(super) file: u32,
}

/// Frames that follow each other.
pub struct Walked {
    /// Where in the buffer the first begins, and where the record after the last does.
    pub(super) begin: usize,
    pub(super) end: usize,
    /// The frames.
    pub frames: Frames,
    /// What is counted of them.
    pub facts: FileFacts,
}

impl Walker {
    /// Takes all frames that lie whole between two places of a buffer; `frames` is an empty list.
    pub(super) fn walk(&self, buffer: &[u8], (from, to): (usize, usize), mut frames: Frames) -> Option<Walked> {
        let bytes = &buffer[from..to];
        let look = |bytes: &[u8]| self.pcap.look_at(bytes);
        let begin = (0..bytes.len().min(FAR)).find(|&at| {
            let bytes = &bytes[at..];
            !matches!(look(bytes), Look::No) && is_chain(bytes, false, None, look)
        })?;
        let mut run = self.pcap.run(&bytes[begin..])?.up_to(i64::MAX, self.file);
        let mut facts = FileFacts::default();
        run.fill_list(&mut frames, &mut facts);
        (!frames.is_empty()).then(|| Walked { begin: from + begin, end: from + begin + run.taken(), frames, facts })
    }
}

impl Run<'_> {
    /// Counts and takes all frames, common or not, that are sound and lie in the buffer.
    pub fn fill_list(&mut self, list: &mut Frames, facts: &mut FileFacts) {
        let Frames { entries, trains } = list;
        loop {
            let before = entries.len();
            entries.resize(before + AHEAD, Entry::default());
            let count = self.fill::<true>(&mut entries[before..], trains, facts);
            entries.truncate(before + count);
            if count < AHEAD {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;
    use crate::testing::{Random, reader};

    /// A capture of Ethernet whose times go forward, stand still, and go back now and then.
    fn capture(random: &mut Random) -> Vec<u8> {
        let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0".to_vec();
        let mut time = 1_700_000_000_000_000u64;
        for _ in 0..400 {
            time = time + [0, 7, 900_000, 5_000_000][random.below(4)] - [0, 0, 0, 300_000, 2_000_000][random.below(5)];
            let length = 1 + random.below(700) as u32;
            for word in [(time / 1_000_000) as u32, (time % 1_000_000) as u32, length, length + random.below(2) as u32]
            {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend((0..length).map(|_| random.next() as u8));
        }
        bytes
    }

    #[test]
    fn frames_from_anywhere_on_are_those_of_the_reader_and_count_as_theirs() {
        let mut random = Random(8);
        let (mut adopted, mut refused) = (0, 0);
        for _ in 0..60 {
            let bytes = capture(&mut random);
            let pcap = Pcap::recognise(&bytes).expect("a pcap");
            let walker = Walker { pcap, file: 3 };
            let (from, to) = (24 + random.below(bytes.len() / 2), bytes.len() - random.below(2000));
            let ahead = walker.walk(&bytes, (from, to), Frames::default()).expect("frames");
            let base = bytes.as_ptr() as usize;

            // The reader's frames: those before the piece's first, and as many as were walked.
            let mut plain = reader(&bytes).expect("a capture");
            let (mut one_by_one, mut before) = (FileFacts::default(), None);
            let mut entries = ahead.frames.entries.iter();
            loop {
                let position = plain.position() as usize;
                let Ok(Some(frame)) = plain.next_frame() else { break };
                if position >= ahead.begin {
                    before.get_or_insert_with(|| one_by_one.clone());
                    let Some(entry) = entries.next() else { break };
                    assert_eq!(entry.frame((&bytes, base)), Frame { ..frame });
                    assert_eq!(entry.file, 3);
                }
                one_by_one.count(&frame);
            }
            assert!(entries.next().is_none());
            let mut together = before.expect("frames before");
            if together.go_on(&ahead.facts, &ahead.frames.entries) {
                assert_eq!(format!("{together:?}"), format!("{one_by_one:?}"));
                adopted += 1;
            } else {
                refused += 1;
            }
        }
        assert!(adopted > 20 && refused > 5, "{adopted} and {refused}");
    }
}
