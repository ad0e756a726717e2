//! The packet socket: options set and asked, each call in one place.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::filter::Instruction;
use crate::{Error, Statistics};

/// A packet socket that is bound to nothing yet.
pub struct Socket(OwnedFd);

/// Names what was tried.
pub fn tried<T>(what: &'static str, outcome: io::Result<T>) -> Result<T, Error> {
    outcome.map_err(|error| Error { what, error })
}

fn check(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

impl Socket {
    /// A packet socket that hears nothing before it is bound.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes numbers only.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the descriptor is new, and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Its descriptor.
    pub fn fd(&self) -> libc::c_int {
        self.0.as_raw_fd()
    }

    /// Sets an option to a value, which must be of the type that the option has.
    pub fn set<T: Copy>(&self, level: libc::c_int, name: libc::c_int, value: T) -> io::Result<()> {
        let length = size_of::<T>() as libc::socklen_t;
        // SAFETY: the value lives on this stack, and its size is told.
        check(unsafe { libc::setsockopt(self.fd(), level, name, (&raw const value).cast(), length) }).map(drop)
    }

    /// Asks for an option of the type `T`, which must be plain numbers.
    fn get<T: Copy + Default>(&self, level: libc::c_int, name: libc::c_int) -> io::Result<T> {
        let mut value = T::default();
        let mut length = size_of::<T>() as libc::socklen_t;
        // SAFETY: at most the told size is written to a value of this size; callers ask for plain numbers, all of whose
        // bits are values.
        check(unsafe { libc::getsockopt(self.fd(), level, name, (&raw mut value).cast(), &raw mut length) })?;
        Ok(value)
    }

    /// Sets the filter.
    pub fn filter(&self, program: &[Instruction]) -> io::Result<()> {
        let mut program: Vec<libc::sock_filter> =
            program.iter().map(|&Instruction { code, jt, jf, k }| libc::sock_filter { code, jt, jf, k }).collect();
        let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
        // The kernel copies the program before it returns.
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, filter)
    }

    /// Hears the interface from now on.
    pub fn bind(&self, index: libc::c_int) -> io::Result<()> {
        // SAFETY: a structure of plain numbers.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index;
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the address lives on this stack, and its size is told.
        check(unsafe { libc::bind(self.fd(), (&raw const address).cast(), length) }).map(drop)
    }

    /// The error that came, if one did; asking takes it away.
    pub fn error(&self) -> Option<io::Error> {
        let code: libc::c_int = self.get(libc::SOL_SOCKET, libc::SO_ERROR).ok()?;
        (code != 0).then(|| io::Error::from_raw_os_error(code))
    }

    /// What was counted since it was asked last.
    pub fn statistics(&self) -> io::Result<Statistics> {
        // Packets, drops, and how often the ring was full: `tpacket_stats_v3`.
        let [received, dropped, freezes]: [u32; 3] = self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(Statistics { received: received.into(), dropped: dropped.into(), freezes: freezes.into() })
    }

    /// Asks the driver about an interface; the request must be one of those that fill an `ifreq`.
    pub fn request(&self, request: libc::c_ulong, name: &str) -> io::Result<libc::ifreq> {
        // SAFETY: a structure of plain numbers.
        let mut asked: libc::ifreq = unsafe { std::mem::zeroed() };
        if name.len() >= asked.ifr_name.len() || name.bytes().any(|byte| byte == 0) {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (to, from) in asked.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        // SAFETY: callers pass requests that read the name from an `ifreq` and write into it.
        check(unsafe { libc::ioctl(self.fd(), request as _, &raw mut asked) })?;
        Ok(asked)
    }
}
