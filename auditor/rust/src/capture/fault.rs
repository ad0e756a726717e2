//! What ends the reading of a file before its end.

use std::io;

use super::window::Window;
use crate::problem::Problem;

/// What ends the reading of a file before its end.
#[derive(Debug)]
pub enum Fault {
    /// A read failed. `Interrupted` is harmless: ask again.
    Io(io::Error),
    /// The file contradicts itself.
    Damage {
        /// Its kind.
        problem: Problem,
        /// Where in the file.
        offset: u64,
        /// What is wrong, in words that continue "offset N: ".
        what: String,
        /// The file ends there: nothing is to be looked for behind it.
        last: bool,
    },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    pub(super) fn cut(window: &Window) -> Self {
        let left = window.bytes().len();
        let what = format!("the file ends inside a record, of which {left} bytes are there");
        Self::Damage { problem: Problem::CutRecord, offset: window.position(), what, last: true }
    }

    #[cold]
    pub(super) fn damage(problem: Problem, offset: u64, what: String) -> Self {
        Self::Damage { problem, offset, what, last: false }
    }
}
