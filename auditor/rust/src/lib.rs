//! The packet path of auditor: capture files, headers, flows, NDMP. Facts only; no policy, no names of products.
//!
//! [`capture`] gives frames, [`decode`] packets, [`flow`] flows, [`app`] what they say, [`columns`] tables;
//! [`reading`] drives them over files. Only the `python` module knows Python.

pub mod addresses;
mod answers;
pub mod app;
pub mod assembly;
pub mod capture;
pub mod carve;
pub mod clock;
pub mod columns;
pub mod convert;
pub mod decode;
pub mod dissector;
pub mod duplicates;
mod entry;
pub mod facts;
pub mod fifo;
mod fill;
pub mod flow;
pub mod frame;
mod frames;
pub mod hash;
pub mod live;
mod merge;
pub mod opening;
pub mod options;
pub mod order;
mod pair;
mod pass;
pub mod problem;
pub mod program;
pub mod pseudonyms;
pub mod reading;
pub mod recovery;
pub mod serials;
mod shares;
mod sink;
pub mod source;
pub mod tables;
pub mod tabulate;
mod threads;
pub mod told;
mod train;
mod units;
pub mod unpack;
pub mod watching;
pub mod writer;

#[cfg(test)]
mod testing;

#[cfg(feature = "python")]
mod python;
