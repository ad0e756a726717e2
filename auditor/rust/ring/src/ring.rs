//! The ring: blocks of memory that the kernel fills with frames and hands over, one after another.

use std::io;
use std::ptr::NonNull;
use std::time::Duration;

use crate::block::{self, Block};
use crate::socket::{Socket, tried};
use crate::{Config, Error, Frame, Statistics, filter, interface};

/// What became of waiting.
#[derive(Debug)]
pub enum Event {
    /// Frames are there.
    Ready,
    /// None came.
    Quiet,
    /// The interface went down.
    Down,
}

/// Memory shared with the kernel.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to this value alone, on whichever thread that is.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those of the mapping, which nobody refers to any longer.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// A ring on one interface.
pub struct Ring {
    mapping: Mapping,
    socket: Socket,
    config: Config,
    index: i32,
    link: u16,
    loopback: bool,
    /// Block that is next.
    next: usize,
}

impl Ring {
    /// Opens a ring. Nothing is missed or seen unfiltered: the socket is bound when all is set.
    ///
    /// # Errors
    /// [`Error`]; of the kind `PermissionDenied` where `CAP_NET_RAW` is missing.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let socket = tried("opening a packet socket", Socket::new())?;
        let index = tried("looking for the interface", interface::index(&socket, &config.interface))?;
        let (link, loopback) = tried("asking about the interface", interface::link(&socket, &config.interface))?;
        set(&socket, config)?;
        let mapping = map(&socket, config)?;
        tried("binding to the interface", socket.bind(index))?;
        if config.promiscuous {
            let wanted = libc::packet_mreq {
                mr_ifindex: index,
                mr_type: libc::PACKET_MR_PROMISC as u16,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            tried("promiscuous mode", socket.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, wanted))?;
        }
        if let Some(group) = config.fanout {
            let how = u32::from(group) | (libc::PACKET_FANOUT_HASH << 16);
            tried("sharing frames among rings", socket.set(libc::SOL_PACKET, libc::PACKET_FANOUT, how))?;
        }
        Ok(Self { mapping, socket, config: config.clone(), index, link, loopback, next: 0 })
    }

    /// Link type of the frames.
    #[must_use]
    pub fn link(&self) -> u16 {
        self.link
    }

    /// The interface is there, and is the one that was opened: one that was made anew is another.
    #[must_use]
    pub fn is_current(&self) -> bool {
        interface::index(&self.socket, &self.config.interface).is_ok_and(|index| index == self.index)
    }

    /// The interface is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        interface::is_up(&self.socket, &self.config.interface)
    }

    /// What the kernel counted since it was asked last.
    ///
    /// # Errors
    /// Those of the system.
    pub fn statistics(&mut self) -> io::Result<Statistics> {
        self.socket.statistics()
    }

    /// Takes the frames of the next block; false when the kernel has not handed it over.
    pub fn drain(&mut self, take: impl FnMut(Frame<'_>)) -> bool {
        let size = self.config.block_size as usize;
        // SAFETY: `next` is below the number of blocks, so that the block lies in the mapping.
        let start = unsafe { self.mapping.start.as_ptr().add(self.next * size) };
        // SAFETY: the beginning of a block.
        if !unsafe { block::is_ready(start) } {
            return false;
        }
        // SAFETY: the block lies in the mapping and was handed over: the kernel writes nothing to it before it is given
        // back, which is below, when this reference is gone.
        let memory = unsafe { std::slice::from_raw_parts_mut(start, size) };
        Block::new(memory).frames(self.link == 1, !self.loopback, take);
        // SAFETY: nothing refers to the block any longer: frames are lent to `take` only.
        unsafe { block::release(start) };
        self.next = (self.next + 1) % self.config.blocks as usize;
        true
    }

    /// Waits for one of several rings, for so long at most.
    ///
    /// # Errors
    /// `Interrupted` when a signal came; what a socket tells, other than that its interface went down.
    pub fn wait(rings: &[Self], time: Duration) -> io::Result<Event> {
        let mut waited: Vec<libc::pollfd> = rings
            .iter()
            .map(|ring| libc::pollfd { fd: ring.socket.fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 })
            .collect();
        let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: as many structures as are told, which live in this vector.
        let ready = unsafe { libc::poll(waited.as_mut_ptr(), waited.len() as libc::nfds_t, milliseconds) };
        if ready < 0 {
            return Err(io::Error::last_os_error());
        }
        for (ring, waited) in rings.iter().zip(&waited).filter(|(_, waited)| waited.revents & libc::POLLERR != 0) {
            let _ = waited;
            match ring.socket.error() {
                Some(error) if matches!(error.raw_os_error(), Some(libc::ENETDOWN | libc::ENODEV | libc::ENXIO)) => {
                    return Ok(Event::Down);
                }
                Some(error) => return Err(error),
                None => {}
            }
        }
        Ok(if ready > 0 { Event::Ready } else { Event::Quiet })
    }
}

/// Sets what must be set before the ring is made, and the filter.
fn set(socket: &Socket, config: &Config) -> Result<(), Error> {
    let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
    tried("asking for TPACKET_V3", socket.set(libc::SOL_PACKET, libc::PACKET_VERSION, version))?;
    let room = block::TAG as libc::c_uint;
    tried("reserving room for VLAN tags", socket.set(libc::SOL_PACKET, libc::PACKET_RESERVE, room))?;
    if config.hardware_times {
        let source = libc::SOF_TIMESTAMPING_RAW_HARDWARE as libc::c_int;
        tried("asking for hardware times", socket.set(libc::SOL_PACKET, libc::PACKET_TIMESTAMP, source))?;
    }
    let program = if config.program.is_empty() { filter::everything(config.snaplen) } else { config.program.clone() };
    tried("setting the filter", socket.filter(&program))
}

fn map(socket: &Socket, config: &Config) -> Result<Mapping, Error> {
    const FRAME: u32 = 2048; // frames lie as they come; the kernel only checks that the product is right
    let invalid = || Error { what: "making the ring", error: io::ErrorKind::InvalidInput.into() };
    let length = (config.block_size as usize).checked_mul(config.blocks as usize).ok_or_else(invalid)?;
    if !config.block_size.is_power_of_two() || config.block_size < 4096 || config.blocks == 0 {
        return Err(invalid());
    }
    let ring = libc::tpacket_req3 {
        tp_block_size: config.block_size,
        tp_block_nr: config.blocks,
        tp_frame_size: FRAME,
        tp_frame_nr: (length / FRAME as usize) as u32,
        tp_retire_blk_tov: config.block_timeout,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    tried("making the ring", socket.set(libc::SOL_PACKET, libc::PACKET_RX_RING, ring))?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, of the ring's length, of the socket's ring; nothing else is touched.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_SHARED, socket.fd(), 0) };
    if start == libc::MAP_FAILED {
        return Err(Error { what: "mapping the ring", error: io::Error::last_os_error() });
    }
    let start = NonNull::new(start.cast()).ok_or_else(invalid)?;
    Ok(Mapping { start, length })
}
