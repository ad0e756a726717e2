//! The NDMP tables as lists of columns, by the names of `auditor/ndmp.py`.

use crate::app::ndmp::{Beats, Fields, Messages, Streams};
use crate::columns::Column;

/// A table: its columns with their names, in order.
pub type Columns = Vec<(&'static str, Column)>;

/// `MESSAGE_COLUMNS`.
#[must_use]
pub fn messages(messages: Messages) -> Columns {
    vec![
        ("flow", messages.flow.into()),
        ("packet", messages.packet.into()),
        ("file", messages.file.into()),
        ("time", messages.time.into()),
        ("from_responder", messages.from_responder.into()),
        ("message", messages.message.into()),
        ("reply", messages.reply.into()),
        ("sequence", messages.sequence.into()),
        ("reply_sequence", messages.reply_sequence.into()),
        ("error", messages.error.into()),
        ("version", messages.version.into()),
        ("status", messages.status.into()),
        ("length", messages.length.into()),
    ]
}

/// `FIELD_COLUMNS`; `addresses` are the codes of the fields' addresses.
#[must_use]
pub fn fields(fields: Fields, addresses: Vec<u32>) -> Columns {
    vec![
        ("message", fields.message.into()),
        ("name", fields.name.into()),
        ("number", fields.number.into()),
        ("text", fields.text.into()),
        ("address", addresses.into()),
    ]
}

/// `STREAM_COLUMNS`.
#[must_use]
pub fn streams(streams: Streams) -> Columns {
    vec![
        ("flow", streams.flow.into()),
        ("began", streams.began.into()),
        ("tls", streams.tls.into()),
        ("tls_packet", streams.tls_packet.into()),
        ("messages", streams.messages.into()),
        ("not_captured", streams.not_captured.into()),
        ("skipped_bytes", streams.skipped_bytes.into()),
    ]
}

/// `BEAT_COLUMNS`.
#[must_use]
pub fn beats(beats: Beats) -> Columns {
    vec![
        ("flow", beats.flow.into()),
        ("time", beats.time.into()),
        ("from_responder", beats.from_responder.into()),
        ("length", beats.length.into()),
    ]
}
