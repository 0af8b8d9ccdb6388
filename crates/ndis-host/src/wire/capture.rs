//! A wire that records what passes over it in a [`Capture`].
//!
//! Outbound is what the host sent on the wire, inbound what it received. A frame is recorded before
//! it is sent, so that an answer cannot come first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Wire;
use super::edges::{Capture, Direction};

/// A wire whose frames are also written to a file.
pub struct CaptureWire {
    inner: Box<dyn Wire>,
    capture: Arc<Capture>,
    edge: String,
}

impl CaptureWire {
    /// Wraps `inner`; the file calls it by the name `edge`.
    pub fn wrap(inner: Box<dyn Wire>, capture: Arc<Capture>, edge: String) -> Self {
        Self {
            inner,
            capture,
            edge,
        }
    }
}

impl Wire for CaptureWire {
    fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.capture
            .record(&self.edge, Direction::Outbound, frame, None);
        let sent = self.inner.send(frame);
        if let Err(error) = &sent {
            let comment = Some(format!("not sent: {error}"));
            self.capture
                .record(&self.edge, Direction::Outbound, frame, comment);
        }
        sent
    }

    fn recv(&self, buf: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        let received = self.inner.recv(buf, timeout)?;
        if let Some(frame) = received.and_then(|length| buf.get(..length)) {
            self.capture
                .record(&self.edge, Direction::Inbound, frame, None);
        }
        Ok(received)
    }

    fn set_promiscuous(&self, on: bool) -> io::Result<()> {
        self.inner.set_promiscuous(on)
    }

    fn mac(&self) -> Option<[u8; 6]> {
        self.inner.mac()
    }

    fn dropped(&self) -> u64 {
        self.inner.dropped()
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
