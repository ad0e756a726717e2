//! Where the frames of captures go.

use std::sync::Arc;

use crate::capture::{Pieces, Run};
use crate::facts::FileFacts;
use crate::frame::Frame;
use crate::frames::Frames;

/// Where frames go, in the order of their times.
pub(crate) trait Sink {
    /// Frames are handed on together with the buffers that they lie in.
    const HANDS_ON: bool;
    /// Takes a frame of a file.
    fn take(&mut self, frame: &Frame<'_>, facts: &mut FileFacts, file: u32);
    /// Counts and takes common frames of a file, as many as it likes.
    fn take_run(&mut self, run: &mut Run<'_>, facts: &mut FileFacts);
    /// Takes frames that were counted and taken out of their buffer by somebody else; the list may be another's then.
    fn take_walked(&mut self, frames: &mut Frames);
    /// A file was opened, of which these are the pieces.
    fn opened(&mut self, pieces: &Arc<Pieces>);
    /// Another file joins those that are open: another sensor may tell what was told already.
    fn joined(&mut self);
    /// The frames taken since the last buffer was retired lie in this one, and are to be copied.
    fn settle(&mut self, buffer: &[u8]);
    /// A buffer from which all was taken.
    fn retired(&mut self, buffer: Vec<u8>, pieces: &Arc<Pieces>);
}
