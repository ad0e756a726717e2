//! What becomes of a file that is damaged: counted, told, and read on where it is sound again.

use std::path::Path;

use crate::capture::{Fault, Reader, Search};
use crate::facts::{FileFacts, Status};
use crate::problem::Problem;
use crate::{source, unpack};

/// The damage of one file, in a few words whatever there is of it.
#[derive(Debug, Default)]
pub struct Damage {
    first: Option<String>,
    /// How the first place ended.
    after: String,
    places: u64,
    skipped: u64,
}

impl Damage {
    /// Counts a fault. True when it is worth looking for what comes behind it.
    pub fn met(&mut self, facts: &mut FileFacts, fault: Fault, position: u64) -> bool {
        let (problem, error, last) = match fault {
            Fault::Io(error) => {
                let unpacking = error.get_ref().and_then(|inner| inner.downcast_ref::<unpack::Fault>());
                let (problem, words) = match unpacking {
                    Some(fault) if fault.bomb => (Problem::UnpackingLimit, fault.to_string()),
                    Some(fault) => (Problem::DamagedCompression, fault.to_string()),
                    None => (Problem::ReadError, format!("offset {position}: the read failed: {error}")),
                };
                (problem, words, true)
            }
            Fault::Damage { problem, offset, what, last } => (problem, format!("offset {offset}: {what}"), last),
        };
        facts.problems.count(problem);
        self.places += 1;
        self.first.get_or_insert(error);
        !last
    }

    /// Takes the outcome of a search; true when there is a next frame.
    pub fn searched(&mut self, outcome: Search, reader: &Reader) -> bool {
        let (found, skipped, after) = match outcome {
            Search::Found(skipped) => {
                (true, skipped, format!("; {skipped} bytes skipped, read on at offset {}", reader.position()))
            }
            Search::Ended(skipped) => (false, skipped, format!("; nothing sound in the {skipped} bytes up to the end")),
            Search::Going => return true,
        };
        self.skipped += skipped;
        if self.places == 1 {
            self.after = after;
        }
        found
    }

    /// Tells the file's facts.
    pub fn tell(self, facts: &mut FileFacts) {
        let Some(first) = self.first else { return };
        let more = match self.places {
            1 => String::new(),
            places => format!(" ({} more damaged places, {} bytes skipped in all)", places - 1, self.skipped),
        };
        facts.status = Status::Partial;
        facts.error = Some(format!("{first}{}{more}", self.after));
    }
}

/// Tells of a file that is not as long as it was when it was opened.
pub fn compare_length(facts: &mut FileFacts, length: u64) {
    if facts.status == Status::Unreadable {
        return;
    }
    if let Some(what) = source::changed(Path::new(&facts.path), length) {
        facts.problems.count(Problem::FileChanged);
        facts.status = Status::Partial;
        facts.error = Some(facts.error.take().map_or_else(|| what.clone(), |error| format!("{error}; {what}")));
    }
}
