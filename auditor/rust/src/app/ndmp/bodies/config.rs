//! CONFIG replies: who the server is and what it offers.

use super::{env, error};
use crate::app::ndmp::{
    value::{Body, Value},
    xdr::{Read, Reader},
};

/// Reply of `CONFIG_GET_HOST_INFO`; version 2 adds the authentication types.
pub fn host_info(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    for name in ["hostname", "os_type", "os_vers", "host_id"] {
        out.push((name, reader.text()?));
    }
    if reader.version == 2 {
        out.push(("auth_types", reader.array(4, Reader::u32)?.into()));
    }
    Ok(())
}

/// Reply of `CONFIG_GET_SERVER_INFO`.
pub fn server_info(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    for name in ["vendor_name", "product_name", "revision_number"] {
        out.push((name, reader.text()?));
    }
    out.push(("auth_types", reader.array(4, Reader::u32)?.into()));
    Ok(())
}

/// Reply of `CONFIG_GET_CONNECTION_TYPE` and of version 2's `CONFIG_GET_MOVER_TYPE`.
pub fn connection_type(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    out.push(("addr_types", reader.array(4, Reader::u32)?.into()));
    Ok(())
}

/// Reply of `CONFIG_GET_BUTYPE_INFO`.
pub fn butype_info(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    let names = reader.array(12, |reader| {
        let name = reader.text()?;
        env::pairs(reader)?;
        reader.u32()?;
        Ok(name)
    })?;
    out.push(("bu_types", Value::List(names)));
    Ok(())
}

/// Reply of `CONFIG_GET_FS_INFO`.
pub fn fs_info(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    let names = reader.array(64, |reader| {
        reader.u32()?;
        reader.bytes()?;
        let logical_device = reader.text()?;
        reader.bytes()?;
        for _ in 0..5 {
            reader.quad()?;
        }
        env::pairs(reader)?;
        reader.bytes()?;
        Ok(logical_device)
    })?;
    out.push(("filesystems", Value::List(names)));
    Ok(())
}

/// Reply of `CONFIG_GET_TAPE_INFO` and `CONFIG_GET_SCSI_INFO`: the devices are only counted.
pub fn device_info(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    let count = reader.count(8)?;
    out.push(("device_count", count.into()));
    if count > 0 {
        reader.summarise();
    }
    Ok(())
}

/// Request of `CONFIG_SET_EXT_LIST`, as the draft has it: classes with one version each.
pub fn set_ext_list(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let classes = reader.array(8, |reader| {
        let class = reader.u16()?;
        reader.u16()?;
        Ok(u32::from(class))
    })?;
    out.push(("ext_classes", classes.into()));
    Ok(())
}

/// Reply of `CONFIG_GET_EXT_LIST`: classes with a list of versions.
pub fn get_ext_list(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    let classes = reader.array(8, |reader| {
        let class = reader.u16()?;
        reader.array(4, Reader::u16)?;
        Ok(u32::from(class))
    })?;
    out.push(("ext_classes", classes.into()));
    Ok(())
}
