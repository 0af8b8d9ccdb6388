//! What a client receives: copied, and returned at once, later, or when the test says so.

use std::time::Duration;

use ndis_sys::{
    Ieee8021QNetBufferListInfo, NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_RECEIVE_FLAGS_RESOURCES,
    NET_BUFFER_LIST,
};

use super::Client;
use super::protocol::client_of;
use crate::ndis::nbl::{data, owner};
use crate::ndis::policy::{self, When};
use crate::ndis::receive::NdisReturnNetBufferLists;
use crate::ndis::send::{dispatch_flag, link};
use crate::ndis::{caller, pnp};

/// A frame that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its bytes.
    pub frame: Vec<u8>,
    /// The value of `Ieee8021QNetBufferListInfo`.
    pub tag: usize,
    /// All that stood beside it, `NetBufferListInfo`.
    pub info: Vec<usize>,
    /// It came with `NDIS_RECEIVE_FLAGS_RESOURCES`.
    pub resources: bool,
}

impl Client {
    /// The next frame received, waiting for it at most for `timeout`.
    pub fn recv(&self, timeout: Duration) -> Option<Received> {
        self.state
            .wait_until(Some(timeout), |state| state.received.pop_front())
    }

    /// Keeps received NBLs until [`Client::return_held`], or stops keeping them.
    pub fn hold_receives(&self, hold: bool) {
        self.state.lock().hold_receives = hold;
    }

    /// At a pause it does not return what it keeps, or does again. It is paused all the same, and the
    /// adapter below waits (`pausing-a-binding.md`).
    pub fn keep_over_pauses(&self, keep: bool) {
        self.state.lock().keeps_over_pauses = keep;
    }

    /// NBLs that it keeps.
    pub fn receives_held(&self) -> usize {
        self.state.lock().held.len()
    }

    /// Returns the NBLs that it keeps.
    pub fn return_held(&self) {
        let held = std::mem::take(&mut self.state.lock().held);
        self.give_back(&held);
    }

    fn give_back(&self, nbls: &[usize]) {
        let _entered = caller::enter(self.caller());
        let nbls: Vec<_> = nbls
            .iter()
            .map(|&nbl| owner::known(nbl as *mut NET_BUFFER_LIST, "client"))
            .collect();
        let binding = self.state.lock().binding;
        if let (Some(first), Some(binding)) = (nbls.first(), binding) {
            link(&nbls);
            let binding = binding as NDIS_HANDLE;
            // SAFETY: the NBLs came by this binding, which is not closed before they are back.
            unsafe { NdisReturnNetBufferLists(binding, first.raw(), dispatch_flag()) };
        }
    }

    /// Returns NBLs on another thread.
    fn give_back_later(&'static self, nbls: impl IntoIterator<Item = usize>) {
        let start = {
            let mut state = self.state.lock();
            state.to_return.extend(nbls);
            !std::mem::replace(&mut state.returning, true)
        };
        if start {
            pnp::job("client return", move || {
                loop {
                    let nbls = {
                        let mut state = self.state.lock();
                        let nbls = std::mem::take(&mut state.to_return);
                        if nbls.is_empty() {
                            state.returning = false;
                        }
                        nbls
                    };
                    if nbls.is_empty() {
                        break;
                    }
                    self.give_back(&nbls);
                }
                self.state.notify_all();
            });
        }
    }
}

/// `ProtocolReceiveNetBufferLists`.
pub(super) unsafe extern "efiapi" fn receive(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    _port: NDIS_PORT_NUMBER,
    _count: u32,
    flags: u32,
) {
    let client = client_of(context);
    if let Some(bench) = client.bench.get() {
        return bench.received(first, flags);
    }
    let resources = flags & NDIS_RECEIVE_FLAGS_RESOURCES != 0;
    let nbls = owner::chain(first, "ProtocolReceiveNetBufferLists");
    let mut frames = Vec::new();
    for nbl in &nbls {
        let tag = nbl.info()[Ieee8021QNetBufferListInfo] as usize;
        for nb in nbl.buffers() {
            frames.push(Received {
                frame: data::bytes(nb),
                tag,
                info: nbl.info().iter().map(|&word| word as usize).collect(),
                resources,
            });
        }
    }
    let bridge = {
        let mut state = client.state.lock();
        state.counters.received_frames += frames.len() as u64;
        state.counters.received_bytes += frames
            .iter()
            .map(|received| received.frame.len() as u64)
            .sum::<u64>();
        let bridge = state.bridge.clone();
        if bridge.is_none() {
            state.received.extend(frames.iter().cloned());
            // Nobody may be reading.
            let excess = state.received.len().saturating_sub(MOST_KEPT);
            state.received.drain(..excess);
        }
        bridge
    };
    client.state.notify_all();
    if let Some(wire) = bridge {
        for received in &frames {
            // A wire that is down loses frames, as wires do.
            let _ = wire.send(&received.frame);
        }
    }
    if resources {
        return;
    }
    let addresses: Vec<usize> = nbls.iter().map(|nbl| nbl.address()).collect();
    if client.state.lock().hold_receives {
        client.state.lock().held.extend(addresses);
    } else if policy::current().client_return == When::Inline {
        client.give_back(&addresses);
    } else {
        client.give_back_later(addresses);
    }
}

/// Frames that wait for a test to take them; the oldest are dropped beyond this many.
const MOST_KEPT: usize = 1 << 16;
