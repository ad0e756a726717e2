//! Addresses of data connections inside message bodies: the layouts of versions 2, 3 and 4 and `NetApp`'s IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    bodies::env,
    value::{Body, Value},
    xdr::{Fault, Read, Reader},
};

/// Data stay on the host.
pub const LOCAL: u32 = 0;
/// TCP over IPv4.
pub const TCP: u32 = 1;
/// Fibre channel (version 3), reserved since.
const FIBRE_CHANNEL: u32 = 2;
/// Inter-process channel (versions 3 and 4).
const IPC: u32 = 3;
/// TCP over IPv6: `NetApp`'s Connection Address Extension, class 0x2051.
pub const TCP6: u32 = 0x2051_0004;

/// Reads an address as the reader's version lays it out: `addr_type`, then `ip` and `port` (versions 2 and 3) or
/// `addresses` (version 4).
pub fn read(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let kind = reader.u32()?;
    out.push(("addr_type", kind.into()));
    match (kind, reader.version) {
        (LOCAL, _) => Ok(()),
        (TCP, 4) => several(reader, out, 12, ipv4),
        (TCP6, 4) => several(reader, out, 24, ipv6),
        (TCP, _) => single(reader, out, ipv4),
        (TCP6, 3) => single(reader, out, ipv6),
        (FIBRE_CHANNEL, 3) => reader.u32().map(drop),
        (IPC, 3 | 4) => reader.bytes().map(drop),
        _ => Err(Fault::Malformed("the address type does not exist in this version")),
    }
}

fn ipv4(reader: &mut Reader<'_>) -> Read<IpAddr> {
    Ok(IpAddr::V4(Ipv4Addr::from_bits(reader.u32()?)))
}

fn ipv6(reader: &mut Reader<'_>) -> Read<IpAddr> {
    Ok(IpAddr::V6(Ipv6Addr::from(reader.fixed::<16>()?)))
}

/// Address and port belong together: neither is given without the other.
fn single(reader: &mut Reader<'_>, out: &mut Body, ip: fn(&mut Reader<'_>) -> Read<IpAddr>) -> Read<()> {
    let address = ip(reader)?;
    let port = reader.u16()?;
    out.push(("ip", Value::Ip(address)));
    out.push(("port", port.into()));
    Ok(())
}

fn several(reader: &mut Reader<'_>, out: &mut Body, least: usize, ip: fn(&mut Reader<'_>) -> Read<IpAddr>) -> Read<()> {
    let items = reader.array(least, |reader| {
        let address = ip(reader)?;
        let port = reader.u16()?;
        let env = env::pairs(reader)?;
        Ok(Value::Map(vec![("ip", Value::Ip(address)), ("port", port.into()), ("env", env)]))
    })?;
    out.push(("addresses", Value::List(items)));
    Ok(())
}
