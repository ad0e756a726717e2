//! Capture files: frames out of bytes. One file per container, registered in `format.rs`.

mod blocks;
mod container;
mod dissected;
mod erf;
mod fault;
mod format;
mod like;
mod link;
mod look;
mod names;
mod others;
mod pcap;
mod pcap_frames;
mod pcapng;
mod pieces;
mod reader;
mod run;
mod search;
mod snoop;
mod stretch;
mod trains;
mod walk;
mod window;

#[cfg(test)]
mod tests;

pub use container::ContainerFacts;
pub use fault::Fault;
pub use format::HEAD;
pub use link::link_name;
pub use names::Names;
pub use pieces::Pieces;
pub use reader::Reader;
pub use run::Run;
pub use search::Search;
pub use walk::Walked;
pub use window::Window;
