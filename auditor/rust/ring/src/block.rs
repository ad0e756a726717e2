//! One block of the ring: frames behind one another, each with a header of the kernel's (`tpacket3_hdr`).

use std::mem::size_of;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Frame;

/// Bytes of a VLAN tag, and of the hardware addresses before it.
pub const TAG: usize = 4;
const ADDRESSES: usize = 12;
/// An 802.1Q tag, where the kernel does not say of which kind it was.
const DOT1Q: u16 = 0x8100;

/// A block that the kernel handed over.
pub struct Block<'a> {
    memory: &'a mut [u8],
}

/// Whether the kernel handed a block over.
///
/// # Safety
/// `block` is the beginning of a block of a mapped ring.
pub unsafe fn is_ready(block: *mut u8) -> bool {
    // SAFETY: the block is mapped; its status word is written by the kernel at any time, hence atomic.
    unsafe { status(block) }.load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
}

/// Gives a block back.
///
/// # Safety
/// As [`is_ready`]; nothing may refer to the block any longer.
pub unsafe fn release(block: *mut u8) {
    // SAFETY: as above.
    unsafe { status(block) }.store(libc::TP_STATUS_KERNEL, Ordering::Release);
}

/// # Safety
/// As [`is_ready`].
unsafe fn status<'a>(block: *mut u8) -> &'a AtomicU32 {
    // Behind version and offset: `tpacket_block_desc.hdr.bh1.block_status`.
    let at = std::mem::offset_of!(libc::tpacket_block_desc, hdr);
    // SAFETY: blocks are aligned to pages, and the word lies in the block.
    unsafe { AtomicU32::from_ptr(block.add(at).cast()) }
}

impl<'a> Block<'a> {
    /// A block's memory, all of it.
    pub fn new(memory: &'a mut [u8]) -> Self {
        Self { memory }
    }

    /// Gives its frames; those that left by this interface only where `outgoing`. The kernel's numbers are checked
    /// against the block all the same.
    pub fn frames(&mut self, ethernet: bool, outgoing: bool, mut take: impl FnMut(Frame<'_>)) {
        let at = std::mem::offset_of!(libc::tpacket_block_desc, hdr);
        let count = self.word(at + 4);
        let mut header = self.word(at + 8) as usize;
        for _ in 0..count {
            if header + size_of::<libc::tpacket3_hdr>() + size_of::<libc::sockaddr_ll>() > self.memory.len() {
                return;
            }
            let next = self.word(header + std::mem::offset_of!(libc::tpacket3_hdr, tp_next_offset)) as usize;
            let kind = header + size_of::<libc::tpacket3_hdr>() + std::mem::offset_of!(libc::sockaddr_ll, sll_pkttype);
            if outgoing || self.memory[kind] != libc::PACKET_OUTGOING {
                self.frame(header, ethernet, &mut take);
            }
            if next == 0 {
                return;
            }
            header += next;
        }
    }

    fn frame(&mut self, header: usize, ethernet: bool, take: &mut impl FnMut(Frame<'_>)) {
        use std::mem::offset_of;
        let field = |at| self.word(header + at);
        let seconds = field(offset_of!(libc::tpacket3_hdr, tp_sec));
        let nanos = field(offset_of!(libc::tpacket3_hdr, tp_nsec));
        let length = field(offset_of!(libc::tpacket3_hdr, tp_len));
        let kept = field(offset_of!(libc::tpacket3_hdr, tp_snaplen)) as usize;
        let state = field(offset_of!(libc::tpacket3_hdr, tp_status));
        let hv1 = offset_of!(libc::tpacket3_hdr, hv1);
        let tci = field(hv1 + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tci)) as u16;
        let kind = field(hv1 + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tpid)).to_ne_bytes();
        let mac = field(offset_of!(libc::tpacket3_hdr, tp_mac)).to_ne_bytes();
        let mut start = header + usize::from(u16::from_ne_bytes([mac[0], mac[1]]));
        let end = start + kept;
        if end > self.memory.len() {
            return;
        }
        let tagged = ethernet && state & libc::TP_STATUS_VLAN_VALID != 0 && kept >= ADDRESSES;
        if tagged {
            // The kernel took the tag out; there is room for it, which was reserved before the frame.
            let known = state & libc::TP_STATUS_VLAN_TPID_VALID != 0;
            let kind = if known { u16::from_ne_bytes([kind[0], kind[1]]) } else { DOT1Q };
            self.memory.copy_within(start..start + ADDRESSES, start - TAG);
            self.memory[start + ADDRESSES - TAG..][..2].copy_from_slice(&kind.to_be_bytes());
            self.memory[start + ADDRESSES - TAG + 2..][..2].copy_from_slice(&tci.to_be_bytes());
            start -= TAG;
        }
        let time = i64::from(seconds) * 1_000_000_000 + i64::from(nanos);
        let wire_len = length + if tagged { TAG as u32 } else { 0 };
        take(Frame { time, wire_len, data: &self.memory[start..end] });
    }

    /// A number of the kernel's.
    fn word(&self, at: usize) -> u32 {
        self.memory.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }
}
