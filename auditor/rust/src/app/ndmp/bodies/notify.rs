//! NOTIFY posts: what the server tells unasked.

use crate::app::ndmp::{
    value::Body,
    xdr::{Read, Reader},
};

const CONNECTED: [&str; 3] = ["CONNECTED", "SHUTDOWN", "REFUSED"];
const DATA_HALT: [&str; 5] = ["NA", "SUCCESSFUL", "ABORTED", "INTERNAL_ERROR", "CONNECT_ERROR"];
const MOVER_HALT: [&str; 6] = ["NA", "CONNECT_CLOSED", "ABORTED", "INTERNAL_ERROR", "CONNECT_ERROR", "MEDIA_ERROR"];
const MOVER_PAUSE: [&str; 6] = ["NA", "EOM", "EOF", "SEEK", "MEDIA_ERROR", "END_OF_WINDOW"];

fn reason(reader: &mut Reader<'_>, out: &mut Body, names: &[&'static str]) -> Read<()> {
    let code = reader.u32()?;
    out.push(("reason", code.into()));
    if let Some(name) = names.get(code as usize) {
        out.push(("reason_name", (*name).into()));
    }
    Ok(())
}

/// `NOTIFY_CONNECTED`, the greeting; later, of version 4, also the farewell.
pub fn connected(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    reason(reader, out, &CONNECTED)?;
    out.push(("protocol_version", reader.u16()?.into()));
    out.push(("text_reason", reader.text()?));
    Ok(())
}

/// `NOTIFY_DATA_HALTED`; version 4 dropped the text.
pub fn data_halted(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    halted(reader, out, &DATA_HALT)
}

/// `NOTIFY_MOVER_HALTED`; version 4 dropped the text.
pub fn mover_halted(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    halted(reader, out, &MOVER_HALT)
}

fn halted(reader: &mut Reader<'_>, out: &mut Body, names: &[&'static str]) -> Read<()> {
    reason(reader, out, names)?;
    if reader.version < 4 {
        out.push(("text_reason", reader.text()?));
    }
    Ok(())
}

/// `NOTIFY_MOVER_PAUSED`.
pub fn mover_paused(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    reason(reader, out, &MOVER_PAUSE)?;
    out.push(("seek_position", reader.quad()?.into()));
    Ok(())
}
