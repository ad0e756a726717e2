//! SCSI and TAPE messages: rare between media server and agent, usual between media server and filer.

use super::error;
use crate::app::ndmp::{
    value::Body,
    xdr::{Read, Reader},
};

/// Request of `SCSI_OPEN`.
pub fn scsi_open(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("device", reader.text()?));
    Ok(())
}

/// Request of `TAPE_OPEN`.
pub fn tape_open(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("device", reader.text()?));
    out.push(("mode", reader.u32()?.into()));
    Ok(())
}

/// Request of `TAPE_MTIO`.
pub fn mtio_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("operation", reader.u32()?.into()));
    out.push(("count", reader.u32()?.into()));
    Ok(())
}

/// Reply of `TAPE_MTIO` (count not done) and of `TAPE_WRITE` (bytes written).
pub fn count_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    out.push(("count", reader.u32()?.into()));
    Ok(())
}

/// Any reply of which only the error matters, the rest being device data.
pub fn error_then_data(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if !error(reader, out)? && reader.remaining() > 0 {
        reader.summarise();
    }
    Ok(())
}

/// Request of `TAPE_READ`.
pub fn read_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("count", reader.u32()?.into()));
    Ok(())
}

/// Device data of which nothing matters.
#[allow(clippy::unnecessary_wraps)] // it is a `Layout`
pub fn data(reader: &mut Reader<'_>, _out: &mut Body) -> Read<()> {
    reader.summarise();
    Ok(())
}
