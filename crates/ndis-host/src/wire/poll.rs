//! Waiting for a file descriptor to become readable, with a limit.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Waits until `fd` has something to read, or `timeout` passes; says whether it has.
///
/// # Errors
/// As `poll(2)`, except that a signal does not end the wait.
pub(super) fn readable(fd: BorrowedFd<'_>, timeout: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: a wait of 0.4 ms must not become a busy loop of zero waits.
        let millis = i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        let mut wanted = libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: `wanted` is one initialised pollfd that lives through the call, and the count says
        // one; the descriptor in it is open because `fd` is borrowed.
        let ready = unsafe { libc::poll(&raw mut wanted, 1, millis) };
        if ready >= 0 {
            return Ok(ready > 0);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn a_quiet_descriptor_times_out_and_one_with_bytes_does_not_wait() {
        let (reader, mut writer) = io::pipe().unwrap();
        assert!(!readable(reader.as_fd(), Duration::from_millis(5)).unwrap());
        writer.write_all(b"x").unwrap();
        let before = Instant::now();
        assert!(readable(reader.as_fd(), Duration::from_secs(60)).unwrap());
        assert!(before.elapsed() < Duration::from_secs(30));
    }
}
