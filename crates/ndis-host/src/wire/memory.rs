//! A cable inside the process: two ends, each receives what the other sends.
//!
//! Lives as long as either end; when one end is dropped, the other still drains what was sent and
//! then reports [`io::ErrorKind::BrokenPipe`]. Holds frames without limit: for tests, not for load.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Wire;
use crate::nt::sched::{self, Guard, Monitor};

/// One end of a cable inside the process.
#[derive(Debug)]
pub struct MemoryWire {
    incoming: Arc<Queue>,
    outgoing: Arc<Queue>,
}

impl MemoryWire {
    /// The two ends of a new cable.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (a, b) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        (
            Self {
                incoming: Arc::clone(&a),
                outgoing: Arc::clone(&b),
            },
            Self {
                incoming: b,
                outgoing: a,
            },
        )
    }

    /// The next frame, or `None` when `timeout` passes first or the other end is gone.
    #[must_use]
    pub fn next_frame(&self, timeout: Duration) -> Option<Vec<u8>> {
        self.incoming.pop(timeout).ok().flatten()
    }

    /// Frames that wait at this end.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.incoming.lock().frames.len()
    }
}

impl Wire for MemoryWire {
    fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.outgoing.push(frame.to_vec())
    }

    fn recv(&self, buf: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        let deadline = sched::now() + timeout;
        loop {
            let left = deadline.saturating_sub(sched::now());
            let Some(frame) = self.incoming.pop(left)? else {
                return Ok(None);
            };
            if let Some(space) = buf.get_mut(..frame.len()) {
                space.copy_from_slice(&frame);
                return Ok(Some(frame.len()));
            }
            self.incoming.lock().dropped += 1;
        }
    }

    fn set_promiscuous(&self, _on: bool) -> io::Result<()> {
        Ok(())
    }

    fn dropped(&self) -> u64 {
        self.incoming.lock().dropped
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

impl Drop for MemoryWire {
    fn drop(&mut self) {
        for queue in [&self.incoming, &self.outgoing] {
            queue.lock().closed = true;
            queue.0.notify_all();
        }
    }
}

/// One direction of the cable.
#[derive(Debug, Default)]
struct Queue(Monitor<QueueState>);

#[derive(Debug, Default)]
struct QueueState {
    frames: VecDeque<Vec<u8>>,
    dropped: u64,
    closed: bool,
}

impl Queue {
    fn push(&self, frame: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        if state.closed {
            return Err(other_end_gone());
        }
        state.frames.push_back(frame);
        drop(state);
        self.0.notify_all();
        Ok(())
    }

    fn pop(&self, timeout: Duration) -> io::Result<Option<Vec<u8>>> {
        let arrived = self
            .0
            .wait_until(Some(timeout), |state| match state.frames.pop_front() {
                Some(frame) => Some(Ok(frame)),
                None if state.closed => Some(Err(other_end_gone())),
                None => None,
            });
        arrived.transpose()
    }

    fn lock(&self) -> Guard<'_, QueueState> {
        self.0.lock()
    }
}

fn other_end_gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::BrokenPipe,
        "the other end of the memory wire is gone",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn each_end_receives_what_the_other_sends_in_order() {
        let (a, b) = MemoryWire::pair();
        a.send(&[1; 60]).unwrap();
        a.send(&[2; 1514]).unwrap();
        b.send(&[3; 64]).unwrap();
        let mut buf = [0; 2048];
        assert_eq!(b.recv(&mut buf, LONG).unwrap(), Some(60));
        assert_eq!(buf[..60], [1; 60]);
        assert_eq!(b.recv(&mut buf, LONG).unwrap(), Some(1514));
        assert_eq!(a.next_frame(LONG).unwrap(), [3; 64]);
        assert_eq!(a.recv(&mut buf, Duration::ZERO).unwrap(), None);
    }

    #[test]
    fn a_frame_longer_than_the_buffer_is_dropped_and_counted_not_cut() {
        let (a, b) = MemoryWire::pair();
        a.send(&[1; 100]).unwrap();
        a.send(&[2; 60]).unwrap();
        let mut buf = [0; 64];
        assert_eq!(b.recv(&mut buf, LONG).unwrap(), Some(60));
        assert_eq!(buf[..60], [2; 60]);
        assert_eq!(b.dropped(), 1);
    }

    #[test]
    fn an_end_whose_peer_is_gone_drains_and_then_reports_it() {
        let (a, b) = MemoryWire::pair();
        a.send(&[1; 60]).unwrap();
        drop(a);
        let mut buf = [0; 64];
        assert_eq!(b.recv(&mut buf, LONG).unwrap(), Some(60));
        let gone = b.recv(&mut buf, LONG).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(
            b.send(&[1; 60]).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }

    #[test]
    fn a_waiting_receiver_wakes_when_a_frame_arrives() {
        let (a, b) = MemoryWire::pair();
        let receiver = std::thread::spawn(move || b.next_frame(LONG));
        a.send(&[7; 60]).unwrap();
        assert_eq!(receiver.join().unwrap().unwrap(), [7; 60]);
    }
}
