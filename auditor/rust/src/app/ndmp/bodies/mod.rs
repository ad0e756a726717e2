//! Message bodies: which layout belongs to which message, and which version's layout fits.

mod config;
mod connect;
mod data;
mod device;
pub mod env;
mod log;
mod mover;
mod notify;
mod vendor;

use super::{
    events::Status,
    header::Header,
    message,
    value::{Body, Value},
    xdr::{Extent, Fault, Read, Reader},
};

/// Reads a body by the reader's version and adds its fields.
type Layout = fn(&mut Reader<'_>, &mut Body) -> Read<()>;

/// Versions whose layouts are known, newest first.
const VERSIONS: [u8; 3] = [4, 3, 2];

/// What is known of the version in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// 2 to 4, or 0 when unknown.
    pub number: u8,
    /// Settled by a `CONNECT_OPEN` that was answered with success; else an assumption.
    pub certain: bool,
}

/// A body as decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub status: Status,
    /// Its fields.
    pub fields: Body,
    /// The layout explains every byte: strong evidence of NDMP.
    pub exact: bool,
    /// Versions whose layout fits, bit `1 << version`; 0 when it tells nothing of the version.
    pub fits: u8,
}

impl Outcome {
    fn new(status: Status, fields: Body) -> Self {
        Self { status, fields, exact: false, fits: 0 }
    }

    /// A number among the fields, outside lists.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.fields.iter().find_map(|(own, value)| match value {
            Value::Int(number) if *own == name => Some(*number),
            _ => None,
        })
    }
}

/// One version's attempt at a body.
struct Attempt {
    version: u8,
    result: Read<Extent>,
    fields: Body,
}

/// Decodes a body of `total` bytes that begins with `body`.
///
/// The layout of the version in force is tried first; another only when that does not fit, and only when it is the
/// single one that ends exactly at the end of the record.
#[must_use]
pub fn decode(header: &Header, body: &[u8], total: usize, version: Version) -> Outcome {
    if header.error != 0 {
        return Outcome { exact: true, ..Outcome::new(Status::Decoded, Body::new()) };
    }
    let Some(layout) = layout(header.message, header.is_reply(), total) else {
        return Outcome::new(Status::Opaque, Body::new());
    };
    let attempts: Vec<Attempt> = VERSIONS
        .iter()
        .filter(|&&number| has(header.message, number))
        .map(|&number| attempt(layout, body, total, number))
        .collect();
    let own = attempts.iter().position(|attempt| attempt.version == version.number);
    match own.and_then(|index| attempts.get(index)) {
        Some(attempt) if attempt.result.is_ok() => accept(attempt, &attempts),
        Some(attempt) if version.certain && attempt.result == Err(Fault::Cut) => {
            Outcome::new(Status::NotCaptured, attempt.fields.clone())
        }
        _ => by_layout(&attempts),
    }
}

/// The message exists in the version; vendor and extension messages exist in all.
fn has(code: u32, version: u8) -> bool {
    let name = usize::from(version).checked_sub(2).zip(message::entry(code));
    name.is_none_or(|(index, entry)| entry.names.get(index).is_some_and(|name| !name.is_empty()))
}

fn attempt(layout: Layout, body: &[u8], total: usize, version: u8) -> Attempt {
    let mut reader = Reader::new(body, total, version);
    let mut fields = Body::new();
    let result = layout(&mut reader, &mut fields).and_then(|()| reader.end());
    Attempt { version, result, fields }
}

/// Takes an attempt that succeeded, and notes which versions could have given the same bytes.
fn accept(chosen: &Attempt, attempts: &[Attempt]) -> Outcome {
    let fits = attempts
        .iter()
        .filter(|attempt| attempt.result == Ok(Extent::Whole))
        .fold(0, |mask, attempt| mask | 1 << attempt.version);
    let status = if chosen.result == Ok(Extent::Opaque) { Status::Opaque } else { Status::Decoded };
    Outcome { status, fields: chosen.fields.clone(), exact: chosen.result == Ok(Extent::Whole), fits }
}

/// Chooses by layout alone: all that fit must agree. Where they do not, what they read alike is true all the same.
fn by_layout(attempts: &[Attempt]) -> Outcome {
    let mut fitting = attempts.iter().filter(|attempt| attempt.result.is_ok());
    if let Some(first) = fitting.next() {
        if fitting.clone().all(|other| other.fields == first.fields && other.result == first.result) {
            return accept(first, attempts);
        }
        let exact = attempts.iter().any(|attempt| attempt.result == Ok(Extent::Whole));
        let mut alike = first.fields.clone();
        alike.retain(|field| fitting.clone().all(|other| other.fields.contains(field)));
        return Outcome { exact, ..Outcome::new(Status::Opaque, alike) };
    }
    let mut cut = attempts.iter().filter(|attempt| attempt.result == Err(Fault::Cut));
    let Some(first) = cut.next() else {
        return Outcome::new(Status::Malformed, Body::new());
    };
    // A cut body cannot prove its layout; only what all versions read alike is kept.
    let agreed = attempts.len() == 1 + cut.clone().count() && cut.all(|other| other.fields == first.fields);
    Outcome::new(Status::NotCaptured, if agreed { first.fields.clone() } else { Body::new() })
}

/// Reads the error of a reply. True when nothing else follows: servers leave the rest away on failure.
fn error(reader: &mut Reader<'_>, out: &mut Body) -> Read<bool> {
    let code = reader.u32()?;
    out.push(("error", code.into()));
    Ok(code != 0 && reader.remaining() == 0)
}

/// A body without content.
#[allow(clippy::unnecessary_wraps)] // it is a `Layout`
fn empty(_reader: &mut Reader<'_>, _out: &mut Body) -> Read<()> {
    Ok(())
}

/// A reply that is only an error.
fn error_only(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    error(reader, out).map(drop)
}

/// The layout of a message, if one is known.
fn layout(code: u32, reply: bool, total: usize) -> Option<Layout> {
    let found = match (code >= message::VENDOR && code >> 16 == 0, reply) {
        (false, false) => request_layout(code),
        (false, true) => reply_layout(code),
        (true, false) => vendor::request_layout(code),
        (true, true) => vendor::reply_layout(code),
    };
    // Every reply known, but for the few that have a layout of their own, begins with its error.
    found.or_else(|| (reply && total == 4).then_some(error_only as Layout))
}

/// Requests without a body.
fn is_empty_request(code: u32) -> bool {
    matches!(
        code,
        0x100 | 0x102 | 0x104..=0x108 | 0x10a | 0x201 | 0x202 | 0x204 | 0x205 | 0x301 | 0x302 | 0x400 | 0x403 | 0x404
            | 0x407 | 0x902 | 0xa00 | 0xa02..=0xa04 | 0xa07
    )
}

/// Replies that are only an error.
fn is_error_only(code: u32) -> bool {
    matches!(
        code,
        0x109 | 0x200 | 0x201 | 0x203..=0x205 | 0x300 | 0x301 | 0x306 | 0x401..=0x403 | 0x407 | 0x408 | 0x40a | 0x40b
            | 0x900 | 0x901 | 0xa02..=0xa09 | message::CAB_DATA_CONN_PREPARE
    )
}

fn request_layout(code: u32) -> Option<Layout> {
    Some(match code {
        _ if is_empty_request(code) => empty,
        0x103 => connect::auth_attr_request,
        0x109 => config::set_ext_list,
        0x200 => device::scsi_open,
        0x206 | 0x304 | 0x307 => device::data,
        0x300 => device::tape_open,
        0x303 => device::mtio_request,
        0x305 => device::read_request,
        0x401 => data::start_backup,
        0x402 | 0x40b => data::start_recover,
        0x409 => data::listen_request,
        0x40a => crate::app::ndmp::address::read,
        0x501 => notify::data_halted,
        0x502 => notify::connected,
        0x503 => notify::mover_halted,
        0x504 => notify::mover_paused,
        0x600 => log::entry,
        0x601 => log::debug,
        0x602 => log::file,
        0x603 => log::message,
        0x700..=0x705 => log::history,
        0x900 => connect::open,
        0x901 => connect::client_auth,
        0x903 => connect::server_auth_request,
        0xa01 => mover::listen_request,
        0x505 | 0xa05 | 0xa06 => mover::extent,
        0xa08 => mover::set_record_size,
        0xa09 => mover::connect,
        message::CAB_DATA_CONN_PREPARE => data::cab_prepare,
        _ => return None,
    })
}

fn reply_layout(code: u32) -> Option<Layout> {
    Some(match code {
        0x100 => config::host_info,
        0x102 => config::connection_type,
        0x103 => connect::auth_attr_reply,
        0x104 => config::butype_info,
        0x105 => config::fs_info,
        0x106 | 0x107 => config::device_info,
        0x108 => config::server_info,
        0x10a => config::get_ext_list,
        0x101 | 0x202 | 0x206 | 0x305 | 0x307 => device::error_then_data,
        0x303 | 0x304 => device::count_reply,
        0x400 => data::get_state,
        0x404 => data::get_env,
        0x409 | 0xa01 => data::listen_reply,
        _ if is_error_only(code) => error_only,
        0x903 => connect::server_auth_reply,
        0xa00 => mover::get_state,
        _ => return None,
    })
}
