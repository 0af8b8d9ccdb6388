//! Sending and waiting, in the terms that many tests use.

use std::{
    thread,
    time::{Duration, Instant},
};

use ndis_host::client::SendTicket;

use crate::{Frame, MAC_PEER, MuxLab, SOON};

/// Frames of these lengths from a virtual miniport to the other end of the cable, no two neighbours the
/// same. A frame is cut off after as many bytes as it may have.
#[must_use]
pub fn frames(lab: &MuxLab, name: &str, lengths: &[usize]) -> Vec<Vec<u8>> {
    let own = lab.address(name);
    let frame = |(number, &length): (usize, &usize)| {
        let mut bytes = Frame::new(own, MAC_PEER, number as u8)
            .of_length(length)
            .bytes();
        bytes.truncate(length);
        bytes
    };
    lengths.iter().enumerate().map(frame).collect()
}

/// All of the ticket's sends end well.
pub fn must_succeed(ticket: &SendTicket) {
    let statuses = ticket.wait(SOON).expect("all sends complete");
    assert!(statuses.iter().all(|status| *status == 0), "{statuses:x?}");
}

/// Waits until something is so.
///
/// # Panics
/// If it does not come to be so.
#[track_caller]
pub fn until(mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !so() {
        assert!(Instant::now() < deadline, "it does not come to be so");
        thread::sleep(Duration::from_millis(1));
    }
}
