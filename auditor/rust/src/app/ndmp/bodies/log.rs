//! LOG and FH posts: what the server writes about the job and its files.

use crate::app::ndmp::{
    value::Body,
    xdr::{Read, Reader},
};

/// `LOG_LOG` of version 2.
pub fn entry(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("entry", reader.text()?));
    Ok(())
}

/// `LOG_DEBUG` of version 2.
pub fn debug(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("level", reader.u32()?.into()));
    entry(reader, out)
}

/// `LOG_MESSAGE`; version 4 adds the request that it is about.
pub fn message(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("log_type", reader.u32()?.into()));
    out.push(("message_id", reader.u32()?.into()));
    entry(reader, out)?;
    if reader.version == 4 {
        out.push(("associated_message_valid", reader.u32()?.into()));
        out.push(("associated_message_sequence", reader.u32()?.into()));
    }
    Ok(())
}

/// `LOG_FILE`: one file of a restore.
pub fn file(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("name", reader.text()?));
    if reader.version == 2 {
        out.push(("ssid", reader.u16()?.into()));
    }
    let status = if reader.version == 4 { "recovery_status" } else { "file_error" };
    out.push((status, reader.u32()?.into()));
    Ok(())
}

/// `FH_ADD_*`: file history is only counted.
pub fn history(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let count = reader.count(8)?;
    out.push(("fh_count", count.into()));
    if count > 0 {
        reader.summarise();
    }
    Ok(())
}
