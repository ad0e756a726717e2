//! What the system says about an interface.

use std::io;

use crate::socket::Socket;

/// Link types of captures: Ethernet, and bare IP.
const ETHERNET: u16 = 1;
const RAW_IP: u16 = 101;

/// Number of an interface.
pub fn index(socket: &Socket, name: &str) -> io::Result<i32> {
    let asked = socket.request(libc::SIOCGIFINDEX as libc::c_ulong, name)?;
    // SAFETY: the request that just succeeded fills this member.
    Ok(unsafe { asked.ifr_ifru.ifru_ifindex })
}

/// Whether it is up.
pub fn is_up(socket: &Socket, name: &str) -> bool {
    let Ok(asked) = socket.request(libc::SIOCGIFFLAGS as libc::c_ulong, name) else { return false };
    // SAFETY: the request that just succeeded fills this member.
    let flags = unsafe { asked.ifr_ifru.ifru_flags };
    i32::from(flags) & libc::IFF_UP != 0
}

/// Link type of its frames, and whether it is a loopback, which shows every packet twice.
pub fn link(socket: &Socket, name: &str) -> io::Result<(u16, bool)> {
    let asked = socket.request(libc::SIOCGIFHWADDR as libc::c_ulong, name)?;
    // SAFETY: the request that just succeeded fills this member.
    let kind = unsafe { asked.ifr_ifru.ifru_hwaddr }.sa_family;
    match kind {
        libc::ARPHRD_ETHER => Ok((ETHERNET, false)),
        libc::ARPHRD_LOOPBACK => Ok((ETHERNET, true)),
        // Tunnels and the like: packets without a link header.
        libc::ARPHRD_NONE | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT | libc::ARPHRD_IPGRE => {
            Ok((RAW_IP, false))
        }
        other => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("its frames are of hardware type {other}, which the ring does not read; use dumpcap"),
        )),
    }
}
