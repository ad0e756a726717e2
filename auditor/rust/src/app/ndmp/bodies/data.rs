//! DATA messages: the agent's side of a data connection.

use super::{env, error};
use crate::app::ndmp::{
    address,
    value::Body,
    xdr::{Fault, Read, Reader},
};

/// Request of `DATA_LISTEN`.
pub fn listen_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("addr_type", reader.u32()?.into()));
    Ok(())
}

/// Reply of `DATA_LISTEN` and `MOVER_LISTEN`: where the peer shall connect.
pub fn listen_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    address::read(reader, out)
}

/// Request of `DATA_START_BACKUP`; only version 2 has the mover's address in it.
pub fn start_backup(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if reader.version == 2 {
        address::read(reader, out)?;
    }
    out.push(("bu_type", reader.text()?));
    env::read(reader, out)
}

/// Request of `CAB_DATA_CONN_PREPARE`: a backup start, reported to have one more word before it.
pub fn cab_prepare(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let mut plain = reader.clone();
    let mut fields = Body::new();
    match start_backup(&mut plain, &mut fields).and_then(|()| plain.clone().end()) {
        Err(Fault::Malformed(_)) => {
            reader.u32()?;
            start_backup(reader, out)
        }
        result => {
            *reader = plain;
            out.append(&mut fields);
            result.map(drop)
        }
    }
}

/// Request of `DATA_START_RECOVER` and `DATA_START_RECOVER_FILEHIST`: the names are only counted.
pub fn start_recover(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if reader.version == 2 {
        address::read(reader, out)?;
    }
    env::read(reader, out)?;
    let names = reader.array(20, |reader| if reader.version == 2 { name_v2(reader) } else { name(reader) })?;
    out.push(("nlist_count", names.len().into()));
    out.push(("bu_type", reader.text()?));
    Ok(())
}

fn name_v2(reader: &mut Reader<'_>) -> Read<()> {
    for _ in 0..2 {
        reader.bytes()?;
    }
    reader.u16()?;
    reader.quad().map(drop)
}

fn name(reader: &mut Reader<'_>) -> Read<()> {
    for _ in 0..4 {
        reader.bytes()?;
    }
    reader.quad()?;
    reader.quad().map(drop)
}

/// Reply of `DATA_GET_STATE`. Version 2 has no bitmap before the error.
pub fn get_state(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    match reader.version {
        2 => {}
        3 => out.push(("invalid", reader.u32()?.into())),
        _ => out.push(("unsupported", reader.u32()?.into())),
    }
    if error(reader, out)? {
        return Ok(());
    }
    for name in ["operation", "state", "halt_reason"] {
        out.push((name, reader.u32()?.into()));
    }
    for name in ["bytes_processed", "est_bytes_remain"] {
        out.push((name, reader.quad()?.into()));
    }
    out.push(("est_time_remain", reader.u32()?.into()));
    address::read(reader, out)?;
    for name in ["read_offset", "read_length"] {
        out.push((name, reader.quad()?.into()));
    }
    Ok(())
}

/// Reply of `DATA_GET_ENV`.
pub fn get_env(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    env::read(reader, out)
}
