//! Captures into one flow table.

use std::path::PathBuf;

pub use crate::assembly::Reading;
pub use crate::facts::{FileFacts, Status};
use crate::merge;
pub use crate::options::Options;
use crate::order::chronological;
use crate::pair;
use crate::pass::Pass;
pub use crate::watching::{Stopped, Unwatched, Watch};

/// Reads captures into one flow table, in the order of their packets' times. A file that cannot be read is told in its
/// facts; these are in order of the files' first packets.
///
/// # Errors
/// [`Stopped`] when the watcher wants no more.
pub fn read(paths: &[PathBuf], options: &Options, watch: &mut dyn Watch) -> Result<Reading, Stopped> {
    let captures = chronological(paths);
    if pair::is_worth(&captures, options)
        && let Some(reading) = pair::read(captures.clone(), options, watch)
    {
        return reading;
    }
    let mut pass = Pass::new(options);
    let merged = merge::read(captures, &mut pass, options, watch)?;
    Ok(pass.finish(merged))
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
