//! Whole records of one direction, for tests, notebooks and the Python door.
//!
//! Joins fragments independently of the incremental [`super::framer`], which the tests hold against it.

use std::borrow::Cow;

use super::{
    bodies,
    events::Status,
    header::{self, HEADER, Header, MARKER, MAX_RECORD, Marker},
    message,
    names::message_name,
    negotiation::Negotiation,
    value::Value,
};

/// One decoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Offset of the record's first marker in the data.
    pub offset: usize,
    /// Message code.
    pub message: u32,
    /// Its name.
    pub name: Cow<'static, str>,
    /// A reply; otherwise a request or post.
    pub reply: bool,
    /// Sequence number of the sender.
    pub sequence: u32,
    /// Sequence of the request answered.
    pub reply_sequence: u32,
    /// Time stamp of the sender, Unix seconds.
    pub time: u32,
    /// Error of the header.
    pub header_error: u32,
    /// Version in force, 0 unknown.
    pub version: u8,
    /// What became of the body.
    pub status: Status,
    /// Record length without markers, as far as the markers in the data tell.
    pub length: u32,
    /// Payload lengths of the fragments.
    pub fragments: Vec<u32>,
    /// Fields of the body; of secrets only that one was there.
    pub fields: Vec<(&'static str, Value)>,
}

/// Why data are not NDMP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset of the offending record or fragment in the data.
    pub offset: usize,
    /// The rule that was broken.
    pub rule: &'static str,
}

/// Decodes records, markers included, of one direction of a stream; `version` 0 when it is not known.
///
/// A last record that the data cut short is given as far as it goes, with a status that says so.
///
/// # Errors
/// When `data` are not NDMP, with the offset and the rule broken.
pub fn decode_records(data: &[u8], version: u8) -> Result<Vec<Decoded>, DecodeError> {
    let mut negotiation = Negotiation::new(version);
    let mut decoded = Vec::new();
    let mut offset = 0;
    while offset < data.len() {
        let joined = join(data, offset)?;
        decoded.push(decode(offset, &joined, &mut negotiation));
        offset = joined.end;
    }
    Ok(decoded)
}

/// A record with its fragments put together.
struct Joined {
    header: Header,
    body: Vec<u8>,
    length: usize,
    fragments: Vec<u32>,
    end: usize,
}

fn join(data: &[u8], start: usize) -> Result<Joined, DecodeError> {
    let fail = |offset, rule| DecodeError { offset, rule };
    let mut at = start;
    let mut payload = Vec::new();
    let mut fragments = Vec::new();
    let mut length = 0;
    loop {
        let Some(bytes) = data.get(at..).and_then(<[u8]>::first_chunk::<MARKER>) else {
            return Err(fail(at, "the data end inside a record marker"));
        };
        let marker = Marker::new(*bytes);
        if fragments.is_empty() {
            check_first(data, at, marker)?;
        } else if marker.length == 0 && !marker.last {
            return Err(fail(at, "a fragment that is not the last is empty"));
        }
        length += marker.length as usize;
        if length > MAX_RECORD as usize {
            return Err(fail(at, "the record is longer than 64 MiB"));
        }
        fragments.push(marker.length);
        at += MARKER;
        let end = (at + marker.length as usize).min(data.len());
        payload.extend_from_slice(data.get(at..end).unwrap_or_default());
        at = end;
        if marker.last || at == data.len() {
            break;
        }
    }
    let Some((head, body)) = payload.split_first_chunk::<HEADER>() else {
        return Err(fail(start, "the data end inside a message header"));
    };
    Ok(Joined { header: Header::new(head), body: body.to_vec(), length, fragments, end: at })
}

fn check_first(data: &[u8], at: usize, marker: Marker) -> Result<(), DecodeError> {
    let fail = |rule| DecodeError { offset: at, rule };
    header::check_length(marker).map_err(fail)?;
    match data.get(at..).and_then(header::prologue) {
        Some(checked) => checked.map(drop).map_err(fail),
        None => Err(fail("the data end inside a message header")),
    }
}

fn decode(offset: usize, joined: &Joined, negotiation: &mut Negotiation) -> Decoded {
    let header = joined.header;
    let total = joined.length - HEADER;
    let outcome = bodies::decode(&header, &joined.body, total, negotiation.version());
    negotiation.fitted(outcome.fits);
    let offered = outcome.number("protocol_version").and_then(|number| u8::try_from(number).ok());
    match (header.message, header.is_reply()) {
        (message::NOTIFY_CONNECTED, false) => negotiation.greeted(offered.unwrap_or(0)),
        // One direction alone never shows both request and answer, so that this stays an assumption.
        (message::CONNECT_OPEN, false) if !negotiation.version().certain => negotiation.asked(offered),
        _ => {}
    }
    let version = negotiation.version().number;
    Decoded {
        offset,
        message: header.message,
        name: message_name(header.message, version),
        reply: header.is_reply(),
        sequence: header.sequence,
        reply_sequence: header.reply_sequence,
        time: header.time,
        header_error: header.error,
        version,
        status: outcome.status,
        length: u32::try_from(joined.length).unwrap_or(u32::MAX),
        fragments: joined.fragments.clone(),
        fields: outcome.fields,
    }
}
