//! MOVER messages: the tape's side of a data connection.

use super::error;
use crate::app::ndmp::{
    address,
    value::Body,
    xdr::{Read, Reader},
};

/// Request of `MOVER_LISTEN`.
pub fn listen_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("mode", reader.u32()?.into()));
    out.push(("addr_type", reader.u32()?.into()));
    Ok(())
}

/// Request of `MOVER_CONNECT`.
pub fn connect(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("mode", reader.u32()?.into()));
    address::read(reader, out)
}

/// Request of `MOVER_SET_RECORD_SIZE`.
pub fn set_record_size(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("record_size", reader.u32()?.into()));
    Ok(())
}

/// Request of `MOVER_SET_WINDOW` and `MOVER_READ`, and the post `NOTIFY_DATA_READ`.
pub fn extent(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("offset", reader.quad()?.into()));
    out.push(("length", reader.quad()?.into()));
    Ok(())
}

/// Reply of `MOVER_GET_STATE`: version 4 has the mode after the error, version 2 no address.
pub fn get_state(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    if reader.version == 4 {
        out.push(("mode", reader.u32()?.into()));
    }
    for name in ["state", "pause_reason", "halt_reason", "record_size", "record_num"] {
        out.push((name, reader.u32()?.into()));
    }
    for name in ["bytes_moved", "seek_position", "bytes_left_to_read", "window_offset", "window_length"] {
        out.push((name, reader.quad()?.into()));
    }
    if reader.version > 2 { address::read(reader, out) } else { Ok(()) }
}
