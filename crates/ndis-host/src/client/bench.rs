//! A client that is driven by a measurement: one chain, sent again as soon as it is back; what it
//! receives goes back at once, unread.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ndis_sys::{
    MDL, NDIS_HANDLE, NDIS_RECEIVE_FLAGS_RESOURCES, NDIS_STATUS_SUCCESS, NET_BUFFER_LIST,
};

use super::{Client, send};
use crate::ndis::nbl::buffer::NdisFreeNetBuffer;
use crate::ndis::nbl::owner;
use crate::ndis::nbl::pool::{NdisAllocateNetBufferList, NdisFreeNetBufferList};
use crate::ndis::receive::NdisReturnNetBufferLists;
use crate::ndis::send::{NdisSendNetBufferLists, dispatch_flag};
use crate::ndis::view::Nbl;
use crate::ndis::{BindingState, caller};
use crate::nic::{Memory, Shape};
use crate::nt::sched::Spin;

/// A client's part in a measurement.
#[derive(Debug)]
pub(crate) struct Upper {
    binding: usize,
    pool: usize,
    /// NBLs sent and not back.
    out: AtomicUsize,
    /// NBLs that came back with an error.
    failed: AtomicU64,
    /// NBLs received.
    received: AtomicU64,
}

impl Upper {
    /// `ProtocolSendNetBufferListsComplete`.
    pub(super) fn completed(&self, first: *mut NET_BUFFER_LIST) {
        let chain = owner::chain(first, "ProtocolSendNetBufferListsComplete");
        let failed = chain
            .iter()
            .filter(|nbl| nbl.status() != NDIS_STATUS_SUCCESS)
            .count();
        if failed != 0 {
            self.failed.fetch_add(failed as u64, Ordering::Relaxed);
        }
        self.out.fetch_sub(chain.len(), Ordering::Release);
    }

    /// `ProtocolReceiveNetBufferLists`.
    pub(super) fn received(&self, first: *mut NET_BUFFER_LIST, flags: u32) {
        let chain = owner::chain(first, "ProtocolReceiveNetBufferLists");
        self.received
            .fetch_add(chain.len() as u64, Ordering::Relaxed);
        if flags & NDIS_RECEIVE_FLAGS_RESOURCES == 0 {
            let binding = self.binding as NDIS_HANDLE;
            // SAFETY: the chain came by this binding, which is open as long as it is measured.
            unsafe { NdisReturnNetBufferLists(binding, first, dispatch_flag()) };
        }
    }
}

/// A chain of a client's.
pub(crate) struct Chain {
    client: &'static Client,
    upper: &'static Upper,
    frames: Vec<Frame>,
    /// The pool of NBs.
    buffers: usize,
    /// Allocated for each send, and freed after it.
    fresh: bool,
}

#[derive(Debug)]
struct Frame {
    memory: Memory,
    mdl: *mut MDL,
    length: usize,
    nbl: Option<Nbl>,
}

impl Client {
    /// Makes the client one that a measurement drives, for good. None if it has no running binding.
    pub(crate) fn drive(&'static self) -> Option<&'static Upper> {
        let (binding, pool) = self.begin_send(&[BindingState::Running])?;
        self.end_send();
        Some(self.bench.get_or_init(|| Upper {
            binding: binding as usize,
            pool: pool as usize,
            out: AtomicUsize::new(0),
            failed: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }))
    }

    /// A chain of NBLs with one of `frames` each, allocated once or for each send.
    pub(crate) fn bench_chain(
        &'static self,
        upper: &'static Upper,
        frames: &[Vec<u8>],
        fresh: bool,
    ) -> Option<Chain> {
        let _entered = caller::enter(self.caller());
        let mut chain = Chain {
            client: self,
            upper,
            frames: Vec::new(),
            buffers: self.buffer_pool() as usize,
            fresh,
        };
        let shape = Shape {
            head: HEAD,
            pieces: &[],
        };
        for frame in frames {
            let (memory, mdl) = Memory::of(frame, &shape)?;
            chain.frames.push(Frame {
                memory,
                mdl,
                length: frame.len(),
                nbl: None,
            });
        }
        if !fresh {
            chain.allocate()?;
        }
        Some(chain)
    }
}

impl Upper {
    /// NBLs received so far.
    pub(crate) fn count_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// NBLs that came back with an error so far.
    pub(crate) fn count_failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Chain {
    /// Sends the chain, and waits until it is back.
    pub(crate) fn send(&mut self) {
        let _entered = caller::enter(self.client.caller());
        if self.fresh {
            self.allocate().expect("there is memory for a chain");
        }
        let mut next = None;
        for frame in self.frames.iter().rev() {
            let nbl = frame.nbl.expect("the chain is allocated");
            nbl.set_next(next);
            next = Some(nbl);
        }
        let Some(first) = next else { return };
        self.upper.out.store(self.frames.len(), Ordering::Relaxed);
        let binding = self.upper.binding as NDIS_HANDLE;
        // SAFETY: the binding runs as long as it is measured, and the chain is the client's.
        unsafe { NdisSendNetBufferLists(binding, first.raw(), 0, dispatch_flag()) };
        let mut spin = Spin::default();
        while self.upper.out.load(Ordering::Acquire) != 0 {
            spin.once();
        }
        if self.fresh {
            self.free();
        }
    }

    /// Frees all of it.
    pub(crate) fn end(mut self) {
        let _entered = caller::enter(self.client.caller());
        self.free();
        for frame in self.frames.drain(..) {
            frame.memory.free();
        }
    }

    fn allocate(&mut self) -> Option<()> {
        let buffers = self.buffers as NDIS_HANDLE;
        for frame in &mut self.frames {
            // SAFETY: the pool is this client's.
            let nbl = unsafe { NdisAllocateNetBufferList(self.upper.pool as NDIS_HANDLE, 0, 0) };
            // SAFETY: it was just allocated.
            let nbl = unsafe { Nbl::from_raw(nbl) }?;
            let nb = send::buffer(buffers, frame.mdl, HEAD, frame.length);
            nbl.set_raw_first(nb);
            nbl.set_source(self.upper.binding as NDIS_HANDLE);
            frame.nbl = Some(nbl);
        }
        Some(())
    }

    fn free(&mut self) {
        for frame in &mut self.frames {
            if let Some(nbl) = frame.nbl.take() {
                // SAFETY: the NBL is back with the client, which made the NB.
                unsafe { NdisFreeNetBuffer(nbl.raw_first()) };
                // SAFETY: as above.
                unsafe { NdisFreeNetBufferList(nbl.raw()) };
            }
        }
    }
}

/// Bytes before a frame, as a network stack leaves them.
const HEAD: u32 = 32;
