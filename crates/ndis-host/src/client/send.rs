//! Sends of a client: NBLs in the shapes that a stack makes, and tickets to wait for them by.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use ndis_sys::{
    Ieee8021QNetBufferListInfo, MDL, NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_PAUSED,
    NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NET_BUFFER, NET_BUFFER_LIST,
};

use super::Client;
use super::protocol::client_of;
use crate::ndis::binding::Binding;
use crate::ndis::nbl::buffer::{
    NdisAllocateNetBuffer, NdisAllocateNetBufferPool, NdisFreeNetBuffer, NdisFreeNetBufferPool,
};
use crate::ndis::nbl::owner;
use crate::ndis::nbl::pool::{NdisAllocateNetBufferList, NdisFreeNetBufferList};
use crate::ndis::send::{NdisSendNetBufferLists, link, send_late};
use crate::ndis::view::Nbl;
use crate::ndis::{BindingState, caller, object};
use crate::nic::{Memory, Shape};
use crate::nt::sched::Monitor;

/// How a client lays out what it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendShape {
    /// Headroom and cuts of each frame.
    pub shape: Shape,
    /// Frames in one NBL.
    pub frames_per_nbl: usize,
    /// Value of `Ieee8021QNetBufferListInfo`: a tag beside the frames.
    pub tag: usize,
    /// Value of `TcpIpChecksumNetBufferListInfo`.
    pub checksum: usize,
    /// Value of `TcpLargeSendNetBufferListInfo`.
    pub large_send: usize,
    /// The value of `UdpSegmentationOffloadInfo`.
    pub udp_segmentation: usize,
    /// Free bytes of context space in each NBL.
    pub context_back_fill: u16,
    /// `NDIS_SEND_FLAGS_*`.
    pub flags: u32,
    /// Cancel id of each NBL.
    pub cancel_id: usize,
    /// `NDIS_NBL_FLAGS_*` of each NBL.
    pub nbl_flags: u32,
    /// The frames lie in pages that are locked and have no system address yet: who wants to read or
    /// write them has to map them, which may fail.
    pub unmapped: bool,
}

impl SendShape {
    /// One frame in each NBL, in one MDL, with the headroom that a network stack leaves.
    pub const PLAIN: Self = Self {
        shape: Shape {
            head: 32,
            pieces: &[],
        },
        frames_per_nbl: 1,
        tag: 0,
        checksum: 0,
        large_send: 0,
        udp_segmentation: 0,
        context_back_fill: 0,
        flags: 0,
        cancel_id: 0,
        nbl_flags: 0,
        unmapped: false,
    };
}

/// Sends that are on their way, one status for each NBL.
#[derive(Clone, Debug)]
pub struct SendTicket(Arc<Monitor<Vec<Option<NDIS_STATUS>>>>);

impl SendTicket {
    /// Waits until all are complete: their statuses, in the order of sending. `None` if `timeout`
    /// passes first.
    pub fn wait(&self, timeout: Duration) -> Option<Vec<NDIS_STATUS>> {
        self.0
            .wait_until(Some(timeout), |statuses| statuses.iter().copied().collect())
    }

    /// What is known by now.
    pub fn statuses(&self) -> Vec<Option<NDIS_STATUS>> {
        self.0.lock().clone()
    }
}

/// An NBL that is out.
pub(super) struct Out {
    ticket: SendTicket,
    index: usize,
    buffers: Vec<usize>,
    memory: Vec<Memory>,
    frames: u64,
    bytes: u64,
}

impl Client {
    /// Sends frames, each in an NBL of its own, as one chain.
    pub fn send(&'static self, frames: &[Vec<u8>]) -> SendTicket {
        self.send_shaped(frames, &SendShape::PLAIN)
    }

    /// Sends frames in that shape, as one chain. Without a running binding all NBLs fail with
    /// `NDIS_STATUS_PAUSED`, as a protocol may not send then.
    pub fn send_shaped(&'static self, frames: &[Vec<u8>], shape: &SendShape) -> SendTicket {
        self.send_nbls(&shaped(frames, shape))
    }

    /// Sends NBLs, each with frames in a shape of its own, as one chain with the flags of the first.
    /// Without a running binding as [`send_shaped`](Self::send_shaped).
    pub fn send_nbls(&'static self, nbls: &[(&[Vec<u8>], &SendShape)]) -> SendTicket {
        let Some((binding, pool)) = self.begin_send(&[BindingState::Running]) else {
            return SendTicket::all(nbls.len(), NDIS_STATUS_PAUSED);
        };
        let (ticket, chain) = self.chain(binding, pool, nbls);
        if let (Some(first), Some((_, shape))) = (chain.first(), nbls.first()) {
            let _entered = caller::enter(self.caller());
            // SAFETY: the binding is running: a pause waits for the send that `begin_send` counted.
            unsafe { NdisSendNetBufferLists(binding, first.raw(), 0, shape.flags) };
        }
        self.end_send();
        ticket
    }

    /// The same, handed to the miniport while the binding is paused or about to be closed, as if the
    /// send had met the pause on its way: a miniport has to complete it with an error.
    pub fn send_late(&'static self, frames: &[Vec<u8>], shape: &SendShape) -> SendTicket {
        let nbls = shaped(frames, shape);
        let states = [
            BindingState::Opening,
            BindingState::Paused,
            BindingState::Closing,
        ];
        let Some((binding, pool)) = self.begin_send(&states) else {
            return SendTicket::all(nbls.len(), NDIS_STATUS_PAUSED);
        };
        let (ticket, chain) = self.chain(binding, pool, &nbls);
        if !chain.is_empty() {
            let _entered = caller::enter(self.caller());
            send_late(binding, &chain, shape.flags);
        }
        self.end_send();
        ticket
    }

    /// Makes a chain that is out. What cannot be made has failed.
    fn chain(
        &self,
        binding: NDIS_HANDLE,
        pool: NDIS_HANDLE,
        wanted: &[(&[Vec<u8>], &SendShape)],
    ) -> (SendTicket, Vec<Nbl>) {
        let _entered = caller::enter(self.caller());
        let ticket = SendTicket(Arc::new(Monitor::new(vec![None; wanted.len()])));
        let mut nbls = Vec::new();
        for (index, (frames, shape)) in wanted.iter().enumerate() {
            match self.nbl(pool, frames, shape) {
                Some((nbl, mut out)) => {
                    out.index = index;
                    out.ticket = ticket.clone();
                    nbl.set_source(binding);
                    self.state.lock().sends.insert(nbl.address(), out);
                    nbls.push(nbl);
                }
                None => ticket.set(index, NDIS_STATUS_RESOURCES),
            }
        }
        link(&nbls);
        (ticket, nbls)
    }

    /// Stays in its send completion handler with what has come back, or leaves it.
    pub fn linger_in_completions(&self, linger: bool) {
        self.state.lock().lingers = linger;
        self.state.notify_all();
    }

    /// Asks for sends with that id to be cancelled.
    pub fn cancel_sends(&'static self, id: usize) {
        if let Some(using) = self.begin_use() {
            let _entered = caller::enter(self.caller());
            let binding = using.binding as NDIS_HANDLE;
            // SAFETY: the binding is open.
            unsafe { crate::ndis::send::NdisCancelSendNetBufferLists(binding, id as *mut _) };
        }
    }

    /// Sends that are out.
    pub fn sends_outstanding(&self) -> usize {
        self.state.lock().sends.len()
    }

    /// Counts a send in progress, so that a pause waits for it: key 0 in the table of sends.
    pub(super) fn begin_send(
        &self,
        allowed: &[BindingState],
    ) -> Option<(NDIS_HANDLE, NDIS_HANDLE)> {
        let mut state = self.state.lock();
        if !allowed.contains(&state.phase?) {
            return None;
        }
        let handles = (state.binding? as NDIS_HANDLE, state.pool? as NDIS_HANDLE);
        state.sending += 1;
        drop(state);
        // The handler of the restart has said Running; NDIS says it only when that has returned.
        if let Some(binding) = object::peek::<Binding>(handles.0) {
            binding.wait_restarted();
        }
        Some(handles)
    }

    pub(super) fn end_send(&self) {
        self.state.lock().sending -= 1;
        self.state.notify_all();
    }

    fn nbl(&self, pool: NDIS_HANDLE, frames: &[Vec<u8>], shape: &SendShape) -> Option<(Nbl, Out)> {
        // SAFETY: the pool is this client's.
        let nbl = unsafe { NdisAllocateNetBufferList(pool, 0, shape.context_back_fill) };
        // SAFETY: it was just allocated.
        let nbl = unsafe { Nbl::from_raw(nbl) }?;
        let buffers = self.buffer_pool();
        let mut out = Out {
            ticket: SendTicket(Arc::default()),
            index: 0,
            buffers: Vec::new(),
            memory: Vec::new(),
            frames: frames.len() as u64,
            bytes: frames.iter().map(|frame| frame.len() as u64).sum(),
        };
        let mut last: *mut NET_BUFFER = ptr::null_mut();
        for frame in frames {
            let made = Memory::of(frame, &shape.shape).and_then(|(memory, chain)| {
                let nb = buffer(buffers, chain, shape.shape.head, frame.len());
                if nb.is_null() {
                    memory.free();
                    return None;
                }
                if shape.unmapped {
                    memory.unmap();
                }
                out.memory.push(memory);
                Some(nb)
            });
            let Some(nb) = made else {
                free(nbl.raw(), out);
                return None;
            };
            if last.is_null() {
                nbl.set_raw_first(nb);
            } else {
                // SAFETY: the last NB made, which is in nobody else's hands.
                unsafe { (*last).Next = nb };
            }
            out.buffers.push(nb as usize);
            last = nb;
        }
        let mut info = nbl.info();
        info[Ieee8021QNetBufferListInfo] = shape.tag as *mut _;
        info[ndis_sys::TcpIpChecksumNetBufferListInfo] = shape.checksum as *mut _;
        info[ndis_sys::TcpLargeSendNetBufferListInfo] = shape.large_send as *mut _;
        info[ndis_sys::UdpSegmentationOffloadInfo] = shape.udp_segmentation as *mut _;
        info[ndis_sys::NetBufferListCancelId] = shape.cancel_id as *mut _;
        nbl.set_info(info);
        nbl.set_flags(nbl.flags() | shape.nbl_flags);
        Some((nbl, out))
    }

    pub(super) fn buffer_pool(&self) -> NDIS_HANDLE {
        let known = self.state.lock().buffer_pool;
        if let Some(pool) = known {
            return pool as NDIS_HANDLE;
        }
        let mut parameters = ndis_sys::NET_BUFFER_POOL_PARAMETERS {
            Header: ndis_sys::NDIS_OBJECT_HEADER::new(
                ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
                ndis_sys::NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                ndis_sys::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            ),
            PoolTag: u32::from_le_bytes(*b"NDcb"),
            ..ndis_sys::NET_BUFFER_POOL_PARAMETERS::zeroed()
        };
        // SAFETY: no handle is needed, and the parameters are a local.
        let pool = unsafe { NdisAllocateNetBufferPool(ptr::null_mut(), &raw mut parameters) };
        let mut state = self.state.lock();
        if let Some(other) = state.buffer_pool {
            drop(state);
            // SAFETY: it was just made and nothing is allocated from it.
            unsafe { NdisFreeNetBufferPool(pool) };
            return other as NDIS_HANDLE;
        }
        state.buffer_pool = Some(pool as usize);
        pool
    }

    /// Frees the pool of NBs, when no send can be out.
    pub(super) fn free_buffer_pool(&self) {
        let pool = self.state.lock().buffer_pool.take();
        if let Some(pool) = pool {
            // SAFETY: all sends are complete.
            unsafe { NdisFreeNetBufferPool(pool as NDIS_HANDLE) };
        }
    }
}

impl SendTicket {
    fn all(number: usize, status: NDIS_STATUS) -> Self {
        Self(Arc::new(Monitor::new(vec![Some(status); number])))
    }

    fn set(&self, index: usize, status: NDIS_STATUS) {
        self.0.lock()[index] = Some(status);
        self.0.notify_all();
    }
}

/// `ProtocolSendNetBufferListsComplete`.
pub(super) unsafe extern "efiapi" fn complete(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
    let client = client_of(context);
    if let Some(bench) = client.bench.get() {
        return bench.completed(first);
    }
    for nbl in owner::chain(first, "ProtocolSendNetBufferListsComplete") {
        let out = client.state.lock().sends.remove(&nbl.address());
        let out = out.expect("the NBL is this client's");
        let status = nbl.status();
        let (ticket, index) = (out.ticket.clone(), out.index);
        let (frames, bytes) = (out.frames, out.bytes);
        free(nbl.raw(), out);
        let mut state = client.state.lock();
        if status == NDIS_STATUS_SUCCESS {
            state.counters.sent_frames += frames;
            state.counters.sent_bytes += bytes;
        } else {
            state.counters.send_errors += frames;
        }
        drop(state);
        ticket.set(index, status);
    }
    client.state.notify_all();
    client
        .state
        .wait_until(None, |state| (!state.lingers).then_some(()));
}

fn shaped<'a>(frames: &'a [Vec<u8>], shape: &'a SendShape) -> Vec<(&'a [Vec<u8>], &'a SendShape)> {
    let nbls = frames.chunks(shape.frames_per_nbl.max(1));
    nbls.map(|frames| (frames, shape)).collect()
}

pub(super) fn buffer(
    pool: NDIS_HANDLE,
    chain: *mut MDL,
    head: u32,
    length: usize,
) -> *mut NET_BUFFER {
    // SAFETY: the pool is a client's, and the chain has head and frame.
    unsafe { NdisAllocateNetBuffer(pool, chain, head, length) }
}

fn free(nbl: *mut NET_BUFFER_LIST, out: Out) {
    for nb in out.buffers {
        // SAFETY: the NBL is back with the client, which made the NB.
        unsafe { NdisFreeNetBuffer(nb as *mut NET_BUFFER) };
    }
    // SAFETY: as above.
    unsafe { NdisFreeNetBufferList(nbl) };
    for memory in out.memory {
        memory.free();
    }
}
