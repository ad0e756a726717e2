//! Privileges of this process: which are held, and giving up those that are not needed.

#[allow(unused_imports, reason = "named by the inner module")]
use std::io;

#[cfg(target_os = "linux")]
mod linux {
    use super::io;

    /// `CAP_NET_RAW`, by its number.
    const NET_RAW: u32 = 13;
    /// Version of the structures: 64 capabilities.
    const VERSION: u32 = 0x2008_0522;
    const CAPABILITIES: u32 = 64;

    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }

    fn sets() -> io::Result<[Sets; 2]> {
        let header = Header { version: VERSION, pid: 0 };
        let mut sets = [Sets::default(); 2];
        // SAFETY: this version fills two structures of this layout; pid 0 is this thread.
        match unsafe { libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr()) } {
            0 => Ok(sets),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Whether this thread may open packet sockets.
    #[must_use]
    pub fn holds_net_raw() -> bool {
        sets().is_ok_and(|sets| sets[0].effective >> NET_RAW & 1 != 0)
    }

    /// Gives up, for good, all privileges of this thread and of those that it starts, but for the capabilities that are
    /// named by their numbers and held. Programs started from here get none back.
    ///
    /// # Errors
    /// Those of the system.
    pub fn drop_privileges(keep: &[u32]) -> io::Result<()> {
        let wanted = keep.iter().filter(|&&one| one < CAPABILITIES).fold(0_u64, |sum, one| sum | 1 << one);
        // SAFETY: takes numbers only.
        if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: takes numbers only. Kernels that know no ambient capabilities have none to give up.
        unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
        for capability in (0..CAPABILITIES).filter(|capability| wanted >> capability & 1 == 0) {
            // SAFETY: takes numbers only. Who may not drop these has none of them to gain, after the first call.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        }
        let held = sets()?;
        let kept = [(wanted as u32, held[0]), ((wanted >> 32) as u32, held[1])].map(|(wanted, held)| {
            let permitted = held.permitted & wanted;
            Sets { effective: permitted, permitted, inheritable: 0 }
        });
        let header = Header { version: VERSION, pid: 0 };
        // SAFETY: as in `sets`; the kernel only reads.
        match unsafe { libc::syscall(libc::SYS_capset, &raw const header, kept.as_ptr()) } {
            0 => Ok(()),
            // A service that holds no more than that may be forbidden the call itself.
            _ if held.iter().zip(&kept).all(|(held, kept)| held.permitted == kept.permitted) => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(target_os = "linux")]
pub use linux::{drop_privileges, holds_net_raw};

/// Whether this process may open packet sockets; elsewhere than on Linux nobody knows before trying.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn holds_net_raw() -> bool {
    false
}

/// Elsewhere than on Linux there is nothing to give up this way.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn drop_privileges(_keep: &[u32]) -> io::Result<()> {
    Ok(())
}
