//! NDMP versions 2, 3 and 4: recognition, reassembly of control streams, decoding.
//!
//! From the wire up: [`assembler`] orders TCP segments, [`framer`] finds records (with [`search`] after holes and
//! [`tls`] for what cannot be read), [`talk`] joins both directions, [`bodies`] decode, [`events`] are the columns.

mod address;
mod assembler;
mod bodies;
mod columns;
mod events;
mod framer;
mod header;
mod message;
mod names;
mod negotiation;
mod open;
mod probe;
mod pulse;
mod record;
#[cfg(test)]
mod samples;
mod search;
mod stream;
mod talk;
#[cfg(test)]
mod tests;
mod thinning;
mod tls;
mod value;
mod xdr;

pub use assembler::Stamp;
pub use columns::FIELD_NAMES;
pub use events::{Events, Fields, MESSAGE_STATUS, Messages, Status, Streams};
pub use names::{error_name, message_name};
pub use probe::{Probe, probe};
pub use pulse::{Beats, Pulse};
pub use record::{DecodeError, Decoded, decode_records};
pub use stream::{Chunk, ControlStream};
pub use value::Value;
