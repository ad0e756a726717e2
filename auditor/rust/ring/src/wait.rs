//! Files that are waited for.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Waits until something can be read (its end included), for so long at most.
///
/// # Errors
/// `Interrupted` when a signal came.
#[cfg(unix)]
pub fn wait_readable(file: &impl std::os::fd::AsFd, time: Duration) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    let mut waited = libc::pollfd { fd: file.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one structure that lives on this stack, and its number.
    match unsafe { libc::poll(&raw mut waited, 1, milliseconds) } {
        -1 => Err(io::Error::last_os_error()),
        count => Ok(count > 0),
    }
}

/// Where nothing can be waited for, a read waits.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn wait_readable(_file: &File, _time: Duration) -> io::Result<bool> {
    Ok(true)
}

/// Standard input, as a file of its own.
///
/// # Errors
/// When there is none.
#[cfg(unix)]
pub fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Standard input, as a file of its own.
///
/// # Errors
/// When there is none.
#[cfg(windows)]
pub fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// A descriptor of this process once more, as a file.
///
/// # Errors
/// When there is none of that number.
#[cfg(unix)]
pub fn duplicate(fd: i32) -> io::Result<File> {
    use std::os::fd::{BorrowedFd, OwnedFd};
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1; it is borrowed for one call, which only duplicates it and fails where it is not open.
    let owned: OwnedFd = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?;
    Ok(owned.into())
}

/// Opens a path for reading; a FIFO without waiting for who writes to it.
///
/// # Errors
/// Those of the system.
#[cfg(unix)]
pub fn open_unblocked(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)
}

/// Opens a path for reading.
///
/// # Errors
/// Those of the system.
#[cfg(not(unix))]
pub fn open_unblocked(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Waits for so long, or until a signal comes.
#[cfg(unix)]
pub fn pause(time: Duration) {
    let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: no structures, and none are looked at.
    unsafe { libc::poll(std::ptr::null_mut(), 0, milliseconds) };
}

/// Waits for so long.
#[cfg(not(unix))]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// No signal comes to this thread any more: it would not wake those that wait for one.
#[cfg(unix)]
pub fn leave_signals_to_others() {
    // SAFETY: a set of plain numbers, which is filled before it is read; the mask of this thread alone changes.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
    }
}

/// Elsewhere signals come to the main thread alone.
#[cfg(not(unix))]
pub fn leave_signals_to_others() {}
