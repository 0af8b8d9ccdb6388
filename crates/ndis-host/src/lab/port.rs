//! A NIC in the hands of a test: the NIC, and the other end of its cable.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::nic::Nic;
use crate::wire::{MemoryWire, Wire as _};

/// A lab's NIC.
#[derive(Clone)]
pub struct NicPort {
    nic: &'static Nic,
    far: Option<Arc<MemoryWire>>,
}

impl NicPort {
    pub(super) fn new(nic: &'static Nic, far: Option<Arc<MemoryWire>>) -> Self {
        Self { nic, far }
    }

    /// The NIC.
    pub fn nic(&self) -> &'static Nic {
        self.nic
    }

    /// Whether the NIC is on a cable inside the process.
    pub fn is_on_cable(&self) -> bool {
        self.far.is_some()
    }

    /// Puts a frame on the cable: the NIC receives it.
    ///
    /// # Panics
    /// If the NIC is not on a cable inside the process.
    pub fn inject(&self, frame: &[u8]) {
        self.cable()
            .send(frame)
            .expect("a cable inside the process takes every frame");
    }

    /// The next frame that the NIC sent, waiting for it at most for `timeout`.
    ///
    /// # Panics
    /// If the NIC is not on a cable inside the process.
    pub fn take_sent(&self, timeout: Duration) -> Option<Vec<u8>> {
        self.cable().next_frame(timeout)
    }

    fn cable(&self) -> &MemoryWire {
        self.far
            .as_deref()
            .expect("the NIC is on a cable inside the process")
    }
}

impl Deref for NicPort {
    type Target = Nic;

    fn deref(&self) -> &Nic {
        self.nic
    }
}
